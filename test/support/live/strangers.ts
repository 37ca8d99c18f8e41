/** What holds for a stranger behind each script that includes the plugin. */

import { expect } from 'vitest';
import { freshCallId, request } from './caller.js';
import { answered } from './party.js';
import { expectNowhere, privateRows } from './secrets.js';
import { rowsOf, statusOf } from './sip-text.js';
import type { Stage, TRANSPORTS } from './stage.js';

/** A stranger calls, registers and is called: nothing private comes in, by requests or answers, and nothing leaves. */
export async function expectNothingPrivateOf(stage: Stage, transport: (typeof TRANSPORTS)[number]): Promise<void> {
  const { network, stranger, user } = stage;
  const caller = await stage.connect(transport);
  const forged = privateRows('forged');
  // (Where there is an identity of a stranger, the gate in does not look for more.)
  const more = forged.filter((row) => !/^P-Asserted-Identity *:/i.test(row));
  for (const { method, headers } of [
    { method: 'INVITE', headers: forged },
    { method: 'MESSAGE', headers: forged },
    { method: 'MESSAGE', headers: more },
  ]) {
    const callId = stage.send(caller, transport, { method, headers });
    expect(statusOf(await caller.final(callId))).toBe(200);
  }
  const registered = stage.send(caller, transport, { method: 'REGISTER', headers: forged });
  expect(statusOf(await caller.final(registered))).toBeGreaterThan(399);
  stranger.answer = (text, at) => [answered(text, '200 OK', [stranger.contact(at), ...forged])];
  const callId = freshCallId();
  const headers = ['P-Asserted-Identity: <sip:own@own.example>'];
  user.send(request({ callId, ruri: stranger.uri(transport), transport: 'UDP', headers }));
  expect(statusOf(await user.final(callId))).toBe(200);
  expectNowhere('forged', [...network.uas.got, ...user.answers]);
  expect(rowsOf(await stranger.received(callId, 'INVITE'), 'P-Asserted-Identity')).toEqual([]);
}
