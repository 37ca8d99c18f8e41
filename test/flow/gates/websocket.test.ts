/** Both gates over WebSocket (RFC 7118), which Kamailio's core counts neither as TCP nor as UDP. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshCallId, inDialog, request } from '../../support/live/caller.js';
import { builds } from '../../support/live/kamailio.js';
import { Network } from '../../support/live/network.js';
import { answered } from '../../support/live/party.js';
import { eventually } from '../../support/live/places.js';
import { expectNowhere, privateRows } from '../../support/live/secrets.js';
import { bodyOf, headerOf, type SipText, statusOf } from '../../support/live/sip-text.js';
import { WebSocketCaller, websocketScript } from '../../support/live/websocket.js';

const MODULES = ['usr/lib/x86_64-linux-gnu', 'lib64', 'lib'].map((folder) => `${folder}/kamailio/modules/websocket.so`);
const all = builds('full');
const able = all.filter(({ root }) => MODULES.some((module) => existsSync(join(root, module))));
if (able.length === 0) console.warn('WebSocket is not tried: it takes the package kamailio-websocket-modules');

describe.skipIf(able.length === 0).each(able.length > 0 ? able : all)('WebSocket, Kamailio $version', (build) => {
  let network: Network;
  let caller: WebSocketCaller;

  beforeAll(async () => {
    network = await Network.start({ build, script: websocketScript, uas: { extra: privateRows('secret') } });
    caller = await WebSocketCaller.open(network.address, 5060, network.host(20));
  });
  afterAll(async () => {
    caller?.close();
    await network?.stop();
  });

  const final = (callId: string): Promise<SipText> =>
    eventually(`a final answer to ${callId}`, () =>
      caller.answers.find((text) => statusOf(text) > 199 && headerOf(text, 'Call-ID') === callId),
    );

  it('fail/nothing forged comes in, nothing private goes back', async () => {
    for (const method of ['INVITE', 'MESSAGE', 'OPTIONS', 'REFER', 'SUBSCRIBE', 'UPDATE']) {
      const callId = freshCallId();
      caller.send(request({ callId, method, transport: 'WS', headers: privateRows('forged') }));
      await network.uas.received(callId, method);
      expect(statusOf(await final(callId))).toBe(200);
    }
    expectNowhere('forged', network.uas.got);
    expectNowhere('secret', caller.answers);
  });

  it('fail/nothing private goes out, nothing forged comes back, and requests do arrive', async () => {
    const user = await network.ownUser();
    caller.answer = (text) => answered(text, '200 OK', [...privateRows('forged'), `Contact: <${caller.uri}>`]);
    for (const method of ['INVITE', 'MESSAGE', 'OPTIONS', 'REFER', 'SUBSCRIBE', 'INFO']) {
      const callId = freshCallId();
      const terms = { callId, method, transport: 'UDP', ruri: caller.uri, headers: privateRows('secret') };
      user.send(request(terms));
      const answer = await user.final(callId, method);
      expect(statusOf(answer)).toBe(200);
      if (method !== 'INVITE') continue;
      const { route, ...dialog } = inDialog(answer);
      for (const [at, next] of ['ACK', 'UPDATE', 'BYE'].entries()) {
        const headers = [...route, ...privateRows('secret')];
        user.send(request({ ...terms, ...dialog, method: next, cseq: next === 'ACK' ? 1 : at + 2, headers }));
      }
      await user.final(callId, 'BYE');
    }
    expect(caller.got.map((text) => text.split(' ')[0])).toEqual(
      expect.arrayContaining(['INVITE', 'ACK', 'BYE', 'INFO']),
    );
    expectNowhere('secret', caller.got);
    expectNowhere('forged', user.answers);
  });

  it('ok/a partner over WSS: heard with an identity, and its upgrade, which is HTTP, writes no error into the log', async () => {
    const read = network.cscf.log.length;
    const peer = await WebSocketCaller.open(network.address, 5061, network.host(20), network.certificateOfA());
    const callId = freshCallId();
    peer.send(request({ callId, transport: 'WSS', headers: ['P-Asserted-Identity: <sip:alice@a.example>'] }));
    expect(await network.uas.received(callId, 'INVITE')).toContain('P-Asserted-Identity: <sip:alice@a.example>');
    peer.close();
    // With routes in Lua Kamailio reads each answer of its own again, and those to HTTP as SIP (http_reply_parse).
    const own = /^.*ERROR: <core> .*(parse_first_line|parse_msg|build_sip_msg_from_buf)\(\): .*$/gm;
    expect(network.cscf.log.slice(read).replace(own, '')).not.toContain('ERROR');
  });

  it('fail/G-7 what stands in a frame behind the length of its message', async () => {
    const callId = freshCallId();
    const hidden = request({ callId: `hidden-${callId}`, headers: privateRows('forged') });
    caller.send(request({ callId, method: 'MESSAGE', transport: 'WS' }) + hidden);
    expect(bodyOf(await network.uas.received(callId, 'MESSAGE'))).toBe('');
    const short = freshCallId();
    const cut = request({ callId: short, method: 'MESSAGE', transport: 'WS', body: 'hello' }).slice(0, -2);
    caller.send(cut);
    expect(statusOf(await final(short))).toBe(400);
    await pause(100);
    expectNowhere('forged', network.uas.got);
  });
});
