/** Debian's kamailio.cfg with the include: what strangers send, what they get back, and what partners keep (G-3, G-5, G-15). */

import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, inDialog, type RequestTerms, request } from '../../support/live/caller.js';
import { builds } from '../../support/live/kamailio.js';
import type { Network } from '../../support/live/network.js';
import type { Party } from '../../support/live/party.js';
import { expectNowhere, privateRows } from '../../support/live/secrets.js';
import { headerOf, methodOf, rowsOf, statusOf } from '../../support/live/sip-text.js';
import { Stage, TRANSPORTS } from '../../support/live/stage.js';
import { CHOICE, stockScript } from '../../support/live/stock-script.js';

const METHODS = ['INVITE', 'OPTIONS', 'MESSAGE', 'REFER', 'SUBSCRIBE', 'NOTIFY', 'UPDATE', 'INFO', 'PRACK', 'BYE'];
const FORGED = privateRows('forged');
const SECRET = privateRows('secret');
const KEPT = 'P-Asserted-Identity: <sip:kept@a.example>';
const OURS = 'P-Asserted-Identity: <sip:secret@own.example>';

describe.each(builds('smoke'))('the package and the include, inbound and partners, Kamailio $version', (build) => {
  let stage: Stage;
  let network: Network;
  let user: Caller;
  let stranger: Party;
  let partner: Party;

  beforeAll(async () => {
    stage = await Stage.start({
      build,
      partner: true,
      script: (directory) => stockScript(build, directory, [CHOICE]),
      privateMemory: 16,
    });
    ({ network, user, stranger, partner } = stage);
    await stage.registered('bob', `sip:uas@${network.uas.host}:${network.uas.port}`);
    await stage.registered('partner', 'sip:party@b.example');
    await stage.registered('fork', 'sip:party@b.example', stranger.uri('udp'), stranger.uri('tls'));
  });
  afterAll(() => stage?.stop());

  it.each(TRANSPORTS)(
    'fail/a stranger over %s: nothing forged comes in, nothing private goes back',
    async (transport) => {
      const caller = await stage.connect(transport);
      for (const extra of [SECRET, [...SECRET, 'Privacy: none'], [`Reason: SIP;cause=182;text="secret"`]]) {
        network.uas.options = { extra };
        const callIds = METHODS.map((method) => ({
          method,
          callId: stage.send(caller, transport, { method, headers: FORGED }),
        }));
        for (const { method, callId } of callIds) {
          await network.uas.received(callId, method);
          expect(statusOf(await caller.final(callId, method))).toBe(200);
        }
      }
      network.uas.options = { extra: SECRET };
      const callId = stage.send(caller, transport, { headers: ['Subject: bare'] });
      const { route, ...dialog } = inDialog(await caller.final(callId));
      let cseq = 1;
      for (const method of ['ACK', ...METHODS.slice(1), 'INVITE', 'PUBLISH', 'REGISTER']) {
        cseq += 1;
        stage.send(caller, transport, {
          ...dialog,
          method,
          cseq: method === 'ACK' ? 1 : cseq,
          headers: [...route, ...FORGED],
        });
        if (method !== 'ACK') await caller.final(callId, `${cseq} ${method}`);
        // A stranger's REGISTER is refused.
        if (method !== 'REGISTER') await network.uas.received(callId, method);
      }
      network.uas.options = {};
      expectNowhere('forged', network.uas.got);
      expectNowhere('secret', caller.answers);
    },
  );

  it("fail/G-5 a stranger's ACK with embedded fields", async () => {
    const caller = await network.overTls();
    const callId = stage.send(caller, 'tls', {});
    const { route, ...dialog } = inDialog(await caller.final(callId));
    const odd: readonly RequestTerms[] = [
      { ruri: `${dialog.ruri}?P-Asserted-Identity=%3Csip:forged@own.example%3E` },
      { headers: ['Refer-To: <sip:x@own.example?P-Asserted-Identity=forged>'] },
      { from: '<sip:alice@a.example;cpc=forged>;tag=alice' },
      { from: '<sip:alice@a.example;isup-oli=forged>;tag=alice' },
    ];
    for (const each of odd) {
      const headers = [...route, ...(each.headers ?? [])];
      stage.send(caller, 'tls', { ...dialog, ...each, callId: freshCallId(), method: 'ACK', headers });
      const embedded = request({ ...dialog, callId: freshCallId(), method: 'ACK', headers: route });
      caller.send(
        embedded.replace(/^Contact: .*$/m, 'Contact: <sip:a@x.example?P-Asserted-Identity=%3Csip:forged%3E>'),
      );
    }
    const last = stage.send(caller, 'tls', { ...dialog, callId: freshCallId(), method: 'ACK', headers: [...route] });
    await network.uas.received(last, 'ACK');
    await pause(200);
    expectNowhere('forged', network.uas.got);
  });

  it('ok/a partner keeps what it asserts, and sees what our side says', async () => {
    network.uas.options = { extra: [OURS] };
    const caller = await network.overTls(network.certificateOfA());
    for (const method of METHODS) {
      const callId = stage.send(caller, 'tls', { method, headers: [KEPT] });
      const got = await network.uas.received(callId, method);
      expect(rowsOf(got, 'P-Asserted-Identity'), got).toHaveLength(1);
      const answer = await caller.final(callId, method);
      expect(rowsOf(answer, 'P-Asserted-Identity'), answer).toHaveLength(1);
    }
    network.uas.options = {};
  });

  it('ok/with the one line in its branch_route: our identity reaches the partner alone', async () => {
    const before = partner.got.length;
    for (const method of METHODS) {
      const callId = stage.send(user, 'udp', { method, ruri: 'sip:partner@own.example', headers: [OURS] });
      const answer = await user.final(callId, method);
      expect(statusOf(answer), answer).toBe(200);
      const got = await partner.received(callId, method);
      expect(rowsOf(got, 'P-Asserted-Identity'), got).toHaveLength(1);
      await user.final(callId, method);
    }
    expect(partner.got.slice(before).length).toBeGreaterThanOrEqual(METHODS.length);
    const callId = stage.send(user, 'udp', { ruri: 'sip:fork@own.example', headers: SECRET });
    expect(await partner.received(callId, 'INVITE')).toContain('secret');
    // A stranger's branch is stripped and rings, too.
    expect(await stranger.received(callId, 'INVITE')).not.toContain('secret');
    await user.final(callId);
    expectNowhere('secret', stranger.got);
  });

  it('ok/ACK and BYE of that call', async () => {
    const callId = stage.send(user, 'udp', { ruri: 'sip:partner@own.example', headers: [OURS] });
    const { route, ...dialog } = inDialog(await user.final(callId));
    stage.send(user, 'udp', { ...dialog, method: 'ACK', headers: [...route, OURS] });
    stage.send(user, 'udp', { ...dialog, method: 'BYE', cseq: 2, headers: [...route, OURS] });
    await partner.received(callId, 'BYE');
    // RFC 5876 §4.1: none in ACK.
    expect(rowsOf(await partner.received(callId, 'ACK'), 'P-Asserted-Identity')).toEqual([]);
  });

  it.each(TRANSPORTS)('ok/G-15 one answer each on a new connection over %s', async (transport) => {
    const asked: readonly RequestTerms[] = [
      { method: 'OPTIONS', ruri: 'sip:own.example' },
      { ruri: 'sip:own.example' },
      { ruri: 'sip:nobody@own.example' },
      { ruri: 'sip:bob@elsewhere.example' },
      { method: 'PUBLISH' },
      { method: 'BYE', to: '<sip:bob@own.example>;tag=none' },
    ];
    for (const terms of asked) {
      const caller = await stage.connect(transport);
      const callId = stage.send(caller, transport, { ...terms, headers: FORGED });
      await caller.final(callId);
      await pause(100);
      const answers = caller.answers.filter((text) => headerOf(text, 'Call-ID') === callId);
      // Over UDP, an answer to INVITE is repeated until ACK.
      expect(new Set(answers.map(statusOf)).size, answers.join('\n')).toBe(1);
      if (transport !== 'udp') expect(answers).toHaveLength(1);
      expectNowhere('forged', answers);
    }
    expect(network.uas.got.filter((text) => methodOf(text) === 'PUBLISH' && text.includes('forged'))).toEqual([]);
  });
});
