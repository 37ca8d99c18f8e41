/** A script that does everything wrong: nothing private reaches a stranger, and the log says what is missing (G-1 to G-3). */

import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, inDialog, type RequestTerms } from '../../support/live/caller.js';
import { builds } from '../../support/live/kamailio.js';
import type { Network } from '../../support/live/network.js';
import { answered, type Party, type Transport } from '../../support/live/party.js';
import { eventually } from '../../support/live/places.js';
import { expectNowhere, privateRows } from '../../support/live/secrets.js';
import { headerOf, rowsOf, statusOf } from '../../support/live/sip-text.js';
import { Stage, TRANSPORTS } from '../../support/live/stage.js';

const METHODS = ['INVITE', 'MESSAGE', 'OPTIONS', 'REFER', 'INFO', 'NOTIFY'];
const SECRET = privateRows('secret');

describe.each(builds('full'))('a script that does everything wrong, Kamailio $version', (build) => {
  let stage: Stage;
  let network: Network;
  let user: Caller;
  let stranger: Party;
  let other: Party;

  beforeAll(async () => {
    const defines = (host: (host: number) => string) => ({ STRANGER: { string: host(12) } });
    stage = await Stage.start({ build, script: 'test/support/live/wrong.cfg', defines, privateMemory: 16 });
    ({ network, user, stranger, other } = stage);
  });
  afterAll(() => stage?.stop());

  const send = (what: string, terms: RequestTerms, caller = user): string =>
    stage.send(caller, 'udp', { ...terms, headers: [`Subject: ${what}`, ...(terms.headers ?? [])] });

  const attempts = ['append', 'branch', 'relay-to', 'forward', 'buffer', 'applied', 'serial', 'refer'];

  it.each(TRANSPORTS)('fail/what the script does on the way to a stranger over %s', async (transport) => {
    const { answer } = stranger;
    const asked: [string, string][] = [];
    for (const what of attempts) {
      if (what === 'serial') stranger.answer = (text) => [answered(text, '503 Service Unavailable')];
      for (const method of METHODS) {
        const to = `<sip:${other.host}@own.example>`;
        for (const headers of [[], SECRET]) {
          const callId = send(what, { method, ruri: stranger.uri(transport), to, headers });
          if (what !== 'forward') asked.push([callId, method]);
        }
      }
      if (what === 'serial') for (const [callId, method] of asked) await user.final(callId, method);
    }
    for (const [callId, method] of asked) await user.final(callId, method);
    stranger.answer = answer;
    const last = send('plain', { ruri: stranger.uri(transport) });
    expect(statusOf(await user.final(last))).toBe(200);
    expectNowhere('secret', [...stranger.got, ...other.got]);
    for (const method of METHODS) {
      expect(network.cscf.log).toMatch(
        new RegExp(`siptrust: not sent to \\S+: ${method}, Call-ID .*P-Asserted-Identity.*SIPTRUST_OUT`),
      );
    }
  });

  it.each(TRANSPORTS)('fail/what the script adds to answers for a stranger over %s', async (transport) => {
    const caller = await stage.connect(transport);
    const claimed = transport.toUpperCase();
    for (const what of ['plain', 'serial', 'busy']) {
      network.uas.options = what === 'busy' ? { status: '486 Busy Here' } : {};
      for (const method of METHODS) {
        const callId = send(
          what,
          { method, transport: claimed, ruri: `sip:bob@${network.uas.host}:${network.uas.port}` },
          caller,
        );
        await network.uas.received(callId, method);
      }
    }
    // Answers to INVITE are repeated by timers, too (RFC 3261 §17.2.1).
    await pause(1_700);
    network.uas.options = {};
    expectNowhere('secret', caller.answers);
    expect(network.cscf.log).toMatch(/siptrust: not sent to .*append_hf/);
  });

  it.each(['rfc3325', 'ims24229'] as const)(
    'fail/nor is it for a plan that never was: added beside Privacy, where %s may let identities pass',
    async (privacy) => {
      const { standardPolicy } = network;
      await network.reload({ ...standardPolicy, defaults: { privacy } });
      network.uas.options = { extra: ['Privacy: id'] };
      for (const transport of TRANSPORTS) {
        const caller = await stage.connect(transport);
        const held = network.cscf.statistic('siptrust_not_sent');
        const ruri = `sip:bob@${network.uas.host}`;
        send('plain', { method: 'MESSAGE', transport: transport.toUpperCase(), ruri }, caller);
        const { answers } = caller;
        await eventually('it is held or sent', () => network.cscf.statistic('siptrust_not_sent') > held || answers[0]);
        expectNowhere('secret', answers);
      }
      network.uas.options = {};
      await network.reload(standardPolicy);
    },
  );

  /** A dialog with a stranger who gives our Record-Route rows back as `change` has them. */
  async function dialog(transport: Transport, change: (rows: readonly string[]) => readonly string[]) {
    const { answer } = stranger;
    stranger.answer = (text, at) => {
      const rows = change(rowsOf(text, 'Record-Route')).map((row) => `Record-Route: ${row}`);
      return [answered(text, '200 OK', [...rows, stranger.contact(at)], ['Via', 'From', 'Call-ID', 'CSeq'])];
    };
    const callId = send('plain', { ruri: stranger.uri(transport) });
    const final = await user.final(callId);
    stranger.answer = answer;
    expect(statusOf(final)).toBe(200);
    return { callId, ...inDialog(final) };
  }

  const inside = (rows: readonly string[]) => rows.find((row) => row.includes(network.host(3))) ?? '';
  const swaps: readonly [string, (rows: readonly string[]) => readonly string[]][] = [
    ['as they are', (rows) => rows],
    ['swapped', (rows) => [...rows].reverse()],
    ['both our inside', (rows) => rows.map(() => inside(rows))],
    ['the inside alone', (rows) => [inside(rows)]],
    ['none', () => []],
  ];

  it.each(swaps)('fail/G-2 Record-Route rows come back: %s', async (_name, change) => {
    for (const transport of TRANSPORTS) {
      const { callId, route, ...terms } = await dialog(transport, change);
      let cseq = 1;
      for (const method of ['ACK', 'UPDATE', 'INFO', 'INVITE', 'REFER', 'BYE']) {
        cseq += 1;
        for (const what of ['plain', 'forward'])
          send(what, { ...terms, callId, method, cseq, headers: [...route, ...SECRET] });
      }
      // Backwards: an answer with a forged identity does not come in.
      const { answer } = stranger;
      stranger.answer = (text, at) => [answered(text, '200 OK', [...privateRows('forged'), stranger.contact(at)])];
      send('plain', { ...terms, callId, method: 'UPDATE', cseq: 20, headers: route });
      await pause(150);
      stranger.answer = answer;
    }
    expectNowhere('secret', stranger.got);
    expectNowhere('forged', user.answers);
  });

  it('ok/what bears nothing private goes on', async () => {
    const bare = [];
    for (const transport of TRANSPORTS) bare.push(send('plain', { ruri: stranger.uri(transport), method: 'MESSAGE' }));
    for (const callId of bare) {
      const got = await stranger.received(callId, 'MESSAGE');
      expect(headerOf(got, 'Subject')).toBe('plain');
    }
    await eventually('it is counted', () => network.cscf.statistic('siptrust_not_sent') > 0);
  });
});
