/**
 * Messages of strangers that are made to get past a reader: G-4, G-7, G-8, G-11 to G-14; and what must go on all the same:
 * a partner's only place (G-10), a path that the policy alone knows (P-10), the first request after a restart (G-17).
 */

import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bearsAssertion, SPELLINGS } from '../../support/header-spellings.js';
import { type Caller, freshCallId, type RequestTerms, request } from '../../support/live/caller.js';
import { builds } from '../../support/live/kamailio.js';
import type { Network } from '../../support/live/network.js';
import { answered, type Party, type Transport } from '../../support/live/party.js';
import { eventually } from '../../support/live/places.js';
import { expectNowhere } from '../../support/live/secrets.js';
import { bodyOf, headerOf, methodOf, rowsOf, type SipText, startLine, statusOf } from '../../support/live/sip-text.js';
import { Stage, TRANSPORTS } from '../../support/live/stage.js';

const FORGED = 'P-Asserted-Identity: <sip:forged@own.example>';
const OURS = 'P-Asserted-Identity: <sip:carol@own.example>';
/** A user of the network behind the path. */
const C = '<sip:alice@c.example>;tag=alice';
const EMBEDDED = '?P-Asserted-Identity=%3Csip%3Aforged%40own.example%3E';

/** The same message with these lengths instead of its own, and these bytes behind its empty line. */
function framed(text: SipText, lengths: readonly (number | string)[], behind: string): SipText {
  const rows = lengths.map((length) => `Content-Length: ${length}\r\n`).join('');
  return `${text.replace(/Content-Length: \d+\r\n/, rows)}${behind}`;
}

describe.each(builds('full'))('attacks, Kamailio $version', (build) => {
  let stage: Stage;
  let network: Network;
  let user: Caller;
  let stranger: Party;
  let partner: Party;

  beforeAll(async () => {
    stage = await Stage.start({
      build,
      partner: true,
      policy: (standard, host) => {
        const path = { name: 'op-c', domains: ['c.example'], mechanism: 'nds-ip', interface: 'za' };
        return {
          ...standard,
          interfaces: [{ name: 'za', listen: `${host(2)}:5060`, mechanism: 'nds-ip', implicit_trust: true }],
          agreements: [...standard.agreements, { ...path, sources: [`${host(30)}/32`] }],
        };
      },
    });
    ({ network, user, stranger, partner } = stage);
  });
  afterAll(() => stage?.stop());

  /** An INVITE over a connection of its own: its final answer. */
  async function invite(transport: Transport, terms: RequestTerms, change = (text: SipText) => text) {
    const caller = await stage.connect(transport);
    const callId = stage.send(caller, transport, terms, change);
    const answer = await caller.final(callId);
    caller.close();
    return { callId, answer, got: network.uas.find(callId, terms.method ?? 'INVITE') };
  }

  /** What our user gets from the stranger, who answers INVITE so. */
  async function redirected(transport: Transport, answer: (text: SipText) => SipText): Promise<readonly SipText[]> {
    const ordinary = stranger.answer;
    stranger.answer = (text) => [answer(text)];
    const callId = stage.send(user, 'udp', { ruri: stranger.uri(transport), headers: ['Subject: bare'] });
    await stranger.received(callId, 'INVITE');
    await pause(150);
    stranger.answer = ordinary;
    return user.answers.filter((text) => headerOf(text, 'Call-ID') === callId);
  }

  /** Nothing of a message stands behind the length that it claims. */
  function expectWhole(texts: readonly SipText[]): void {
    for (const text of texts) {
      expect(rowsOf(text, 'Content-Length').length, text).toBeLessThan(2);
      expect(bodyOf(text)?.length, text).toBe(Number(headerOf(text, 'Content-Length') ?? 0));
    }
  }

  describe.each(TRANSPORTS)('over %s', (transport) => {
    it('fail/G-7 a message of two lengths, and one that hides another', async () => {
      const hidden = (callId: string) => request({ callId: `hidden-${callId}`, headers: [FORGED] });
      const caller = await stage.connect(transport);
      for (const lengths of [(size: number) => [size, 0], (size: number) => [0, size], () => [5, 0], () => [0]]) {
        const callId = freshCallId();
        const behind = hidden(callId);
        stage.send(caller, transport, { callId, method: 'MESSAGE' }, (text) =>
          framed(text, lengths(behind.length), behind),
        );
      }
      const honest = stage.send(caller, transport, { method: 'MESSAGE', body: 'hello' });
      // Over TCP and TLS the peer may have said where no message ends: whatever it says then is its own loss.
      if (transport === 'udp') expect(statusOf(await caller.final(honest))).toBe(200);
      await pause(200);
      caller.close();
      expectWhole(network.uas.got);
      for (const text of network.uas.got) expect(rowsOf(text, 'P-Asserted-Identity'), text).toEqual([]);
      // The same in answers.
      for (const lengths of [(size: number) => [size, 0], (size: number) => [0, size], () => [0]]) {
        const answers = await redirected(transport, (text) => {
          const behind = answered(text, '200 OK', [FORGED]);
          return framed(answered(text, '180 Ringing'), lengths(behind.length), behind);
        });
        expectWhole(answers);
        expectNowhere('forged', answers);
      }
    });

    it.each([...SPELLINGS])('fail/spelled: %s', async (_name, row) => {
      const { answer, got } = await invite(transport, { headers: [row, 'Subject: last'] });
      expect([200, 400]).toContain(statusOf(answer));
      expect(got !== undefined).toBe(statusOf(answer) === 200);
      if (got === undefined) return;
      expect(rowsOf(got, 'P-Asserted-Identity')).toEqual([]);
      // A folded line is a piece of the value before it.
      if (!/^[ \t]/.test(row)) expect(bearsAssertion(got), got).toBe(false);
    });

    it.each(['\rX: HTTP/1.1', ' \rX HTTP/1.0', '\r\r HTTP/1.1', '\t\r HTTP/1.1'])(
      'fail/a first line of SIP is none of HTTP, whatever stands behind it: %j',
      async (behind) => {
        const caller = await stage.connect(transport);
        const callId = stage.send(caller, transport, { headers: [FORGED] }, (text) =>
          text.replace(' SIP/2.0\r\n', ` SIP/2.0${behind}\r\n`),
        );
        const last = stage.send(caller, transport, { method: 'OPTIONS' });
        await caller.final(last);
        expect(statusOf(await caller.final(callId))).toBe(400);
        expect(network.uas.find(callId, 'INVITE')).toBeUndefined();
        caller.close();
      },
    );

    it('fail/a message without a row that it must have ends no process, whatever else is wrong with it', async () => {
      const wrong = [
        'Subject: plain',
        'Subject: a\0b',
        `Subject: a\r${FORGED}`,
        'no colon',
        'Subject: a\r\n b',
        FORGED,
      ];
      const many = [...wrong.slice(1, 4), ...Array.from({ length: 400 }, () => 'A: 0123456789')];
      const other = await stage.connect(transport);
      for (const row of ['Via', 'From', 'To', 'Call-ID', 'CSeq']) {
        // (Over TCP and TLS the proxy may close it.)
        const caller = await stage.connect(transport);
        const without = (text: SipText) => text.replace(new RegExp(`^${row}: .*\\r\\n`, 'm'), '');
        for (const method of ['INVITE', 'REGISTER', 'KDMQ', 'ACK']) {
          for (const headers of [...wrong.map((each) => [each]), many]) {
            stage.send(caller, transport, { method, headers }, without);
            stage.send(caller, transport, { method, headers, ruri: 'urn:service:sos' }, without);
          }
        }
        stage.send(caller, transport, { headers: ['no colon'] }, (text) => text.replace('Via:', 'v:'));
        stage.send(caller, transport, {}, (text) => without(answered(text, '200 OK', [FORGED, 'Subject: a\0b'])));
        const callId = freshCallId();
        const answer = await eventually('an answer', () => {
          stage.send(other, transport, { method: 'OPTIONS', callId });
          return other.answers.find((text) => headerOf(text, 'Call-ID') === callId);
        });
        expect(statusOf(answer)).toBe(200);
        caller.close();
      }
      expect(network.cscf.log).not.toContain('exited by a signal');
      other.close();
    });

    it('fail/a call for help goes on with what all readers take alike, or is answered 400', async () => {
      const behindCr = 'Subject: x\rP-Asserted-Identity: <sip:forged@stranger.example>';
      const more = [
        `${'A: b\r\n'.repeat(300)}${behindCr}`,
        `A: ${'b'.repeat(9000)}\r\n${behindCr}`,
        `A: \0\r\n${behindCr}`,
      ];
      for (const row of [...SPELLINGS.values(), ...more]) {
        const { answer, got } = await invite(transport, { ruri: 'urn:service:sos', headers: [row, 'Subject: last'] });
        expect([200, 400], row).toContain(statusOf(answer));
        expect(got !== undefined, row).toBe(statusOf(answer) === 200);
        expect(got ?? '', row).not.toMatch(/(?:^|[^ -~])[^ -~]*p-asserted-identity[^!-~]*:/i);
      }
    });

    it.each(['bob@own.example', 'urn:service:sos'])(
      'fail/a bracket that never closes makes no fields of the body to whoever looks for its end there: %s',
      async (called) => {
        const ruri = called.startsWith('urn:') ? called : `sip:${called}`;
        for (const row of [
          'Record-Route: <sip:[',
          'Reply-To: "[x]" <sip:a@[',
          'Via: SIP/2.0/UDP [',
          'v: SIP/2.0/UDP a (',
        ]) {
          const body = `)]>\r\n${FORGED}\r\n`;
          const { answer, got } = await invite(transport, { ruri, body }, (text) =>
            text.replace('\r\n\r\n', `\r\n${row}\r\n\r\n`),
          );
          expect(statusOf(answer), row).toBe(400);
          expect(got, row).toBeUndefined();
        }
        const { answer, got } = await invite(transport, {
          ruri,
          headers: ['Reply-To: "[x" <sip:a@[::1]>', 'P%2dFoo: forged'],
        });
        expect(statusOf(answer)).toBe(200);
        expect(got).toContain('"[x" <sip:a@[::1]>');
        expectNowhere('forged', [got ?? '']);
      },
    );

    it('fail/G-14 what nobody can read is answered, however long it is', async () => {
      const long = `Subject: ${'x'.repeat(14_500)}`;
      const rows = [['no colon'], [': no name'], ['Content-Length: 1'], ['Via: nonsense'], ['From: <sip:x@y>;tag=2']];
      for (const row of rows) {
        for (const headers of [
          [...row, FORGED],
          [long, ...row, FORGED],
        ]) {
          const { answer, got } = await invite(transport, { headers, body: 'x' });
          expect(startLine(answer)).toContain('400');
          expect(got).toBeUndefined();
        }
      }
    });

    it('ok/G-12 what is folded as RFC 3261 §7.3.1 allows arrives on one line, in requests and in answers', async () => {
      const folds = [
        'Subject: Ticket 5\r\n Priority: high',
        'Reason: SIP;cause=200\r\n\t;text="a"',
        'Path: <sip:x@y.example>,\r\n <sip:z@y.example>',
      ];
      for (const fold of folds) {
        const one = fold.replace(/\r\n[ \t]+/, ' ');
        const { answer, got } = await invite(transport, { headers: [fold, FORGED], body: 'v=0' });
        expect(statusOf(answer), answer).toBe(200);
        // (A stranger's Path goes.)
        if (!one.startsWith('Path')) expect(got).toContain(one);
        expect(bodyOf(got ?? '')).toBe('v=0');
        expectNowhere('forged', [got ?? '']);
        const answers = await redirected(transport, (text) => answered(text, '486 Busy Here', [fold, FORGED]));
        expect(answers.map(statusOf)).toContain(486);
        if (!one.startsWith('Path')) expect(answers.join('')).toContain(one);
        expectNowhere('forged', answers);
      }
    });

    it('ok/G-13 NUL in a quoted string: the request is refused, and an answer bears its code alone', async () => {
      const from = '"NUL\\\0" <sip:alice@a.example>;tag=alice';
      expect(statusOf((await invite(transport, { from })).answer)).toBe(400);
      const answers = await redirected(transport, (text) => answered(text, '486 Busy', [`Subject: "\\\0"`, FORGED]));
      expect(answers.map(statusOf)).toEqual([486]);
      expect(answers.join('')).not.toMatch(/subject|forged/i);
    });

    it('fail/G-4 a redirection with a header field in Contact, or a parameter that is ours to say', async () => {
      const contacts = [`Contact: <sip:carol@d.example${EMBEDDED}>`, 'Contact: <sip:carol@d.example;verstat=forged>'];
      // (More than 16 KB at a time is no message of Kamailio's over TLS, nor over TCP.)
      const pads = transport === 'udp' ? ['', 'x'.repeat(42_000)] : ['', 'x'.repeat(9_000)];
      for (const contact of contacts) {
        for (const pad of pads) {
          const rows = [contact, ...(pad === '' ? [] : [`Subject: ${pad}`])];
          const answers = await redirected(transport, (text) => answered(text, '302 Moved Temporarily', rows));
          expectNowhere('forged', answers);
          // With a plan it goes on.
          if (pad.length < 40_000) expect(answers.map(statusOf)).toContain(302);
        }
      }
    });
  });

  it('fail/G-8 no open relay: a request of no call of ours', async () => {
    for (const transport of TRANSPORTS) {
      for (const method of ['MESSAGE', 'INVITE', 'REFER', 'ACK']) {
        for (const ruri of [partner.uri('tls'), 'sip:party@b.example', stranger.uri('udp')]) {
          const caller = await stage.connect(transport);
          const headers = [`Route: <sip:${network.address};lr>`, FORGED];
          const callId = stage.send(caller, transport, { method, ruri, to: '<sip:x@b.example>;tag=none', headers });
          if (method !== 'ACK') expect(statusOf(await caller.final(callId))).toBe(403);
          caller.close();
          for (const place of [partner, stranger]) expect(place.find(callId, method)).toBeUndefined();
        }
      }
    }
  });

  it('fail/an answer of nobody’s transaction, from inside to a stranger and back', async () => {
    const own = `Via: SIP/2.0/UDP ${network.host(3)};branch=z9hG4bKnone.0`;
    const there = `Via: SIP/2.0/UDP ${stranger.host}:5060;branch=z9hG4bKthere`;
    const row = (mark: string) => `P-Asserted-Identity: <sip:${mark}@own.example>`;
    const stray = (via: readonly string[], subject: string, ...rows: readonly string[]) =>
      [
        'SIP/2.0 200 OK',
        ...via,
        'From: <sip:a@own.example>;tag=1',
        'To: <sip:b@c.example>;tag=2',
        `Call-ID: ${freshCallId()}`,
        'CSeq: 1 INVITE',
        `Subject: ${subject}`,
        ...rows,
        'Content-Length: 0\r\n\r\n',
      ].join('\r\n');
    user.send(stray([own, there], 'private', row('secret')));
    user.send(stray([own, there], 'bare'));
    await eventually('what bears nothing goes on', () => stranger.got.some((text) => /^Subject: bare/m.test(text)));
    expectNowhere('secret', stranger.got);
    const caller = await network.overUdp();
    const inside = `Via: SIP/2.0/UDP ${network.uas.host}:5060;branch=z9hG4bKinside`;
    const outside = `Via: SIP/2.0/UDP ${network.address};branch=z9hG4bKnone.0`;
    caller.send(stray([outside, inside], 'stray', row('forged')));
    await eventually('it comes in', () => network.uas.got.some((text) => /^Subject: stray/m.test(text)));
    expectNowhere(
      'forged',
      network.uas.got.filter((text) => statusOf(text) > 0),
    );
  });

  it('ok/P-10 a path that the policy names is trusted, and defined nowhere else', async () => {
    const caller = await network.overUdp(network.host(30));
    const callId = stage.send(caller, 'udp', { headers: ['P-Asserted-Identity: <sip:kept@c.example>'], from: C });
    expect(statusOf(await caller.final(callId))).toBe(200);
    expect(rowsOf(await network.uas.received(callId, 'INVITE'), 'P-Asserted-Identity')).toEqual([
      '<sip:kept@c.example>',
    ]);
    const { answer, got } = await invite('udp', { headers: ['P-Asserted-Identity: <sip:forged@c.example>'], from: C });
    expect(statusOf(answer)).toBe(200);
    expect(rowsOf(got ?? '', 'P-Asserted-Identity')).toEqual([]);
    // Nothing of TLS is asked about there: each look would be an error in the log.
    expect(network.cscf.log).not.toContain('Transport protocol is not TLS');
  });

  it('ok/G-10 a partner that answers late, or never, keeps its only place', async () => {
    network.cscf.rpc('cfg.set_now_int', 'tm', 'fr_timer', '700');
    network.cscf.rpc('cfg.set_now_int', 'tm', 'fr_inv_timer', '1500');
    const { answer } = partner;
    const called = (method: string) =>
      stage.send(user, 'udp', { method, ruri: 'sip:party@b.example', headers: [OURS] });
    partner.answer = (text, transport) => (methodOf(text) === 'OPTIONS' ? answer(text, transport) : []);
    const late = ['MESSAGE', 'INVITE', 'INVITE', 'MESSAGE'].map((method) => [called(method), method] as const);
    for (const [callId, method] of late) expect(statusOf(await user.final(callId, method))).toBe(408);
    partner.answer = (text) => [answered(text, '503 Service Unavailable')];
    expect(statusOf(await user.final(called('MESSAGE'), 'MESSAGE'))).toBeGreaterThan(499);
    partner.answer = answer;
    for (let call = 0; call < 3; call += 1) {
      const callId = called('INVITE');
      expect(statusOf(await user.final(callId))).toBe(200);
      expect(rowsOf(await partner.received(callId, 'INVITE'), 'P-Asserted-Identity')).toHaveLength(1);
    }
  });

  it('ok/G-17 the first request on a new connection after a restart of siptrustd is trusted', async () => {
    await network.daemon.stop();
    await network.daemon.start();
    await eventually('the proxy has heard it', () => !network.sidecarIsDown());
    const caller = await network.overTls(network.certificateOfA());
    const callId = stage.send(caller, 'tls', { headers: ['P-Asserted-Identity: <sip:first@a.example>'] });
    await caller.final(callId);
    expect(rowsOf(await network.uas.received(callId, 'INVITE'), 'P-Asserted-Identity')).toHaveLength(1);
  });

  // The last: nobody answers our proxy from here on.
  it('ok/G-11, fail/G-4 the sidecar is dead: what the strictest list makes safe goes on, the rest does not', async () => {
    await network.daemon.stop('SIGKILL');
    await eventually('the proxy knows', () => network.sidecarIsDown());
    for (const transport of TRANSPORTS) {
      for (const row of [
        'History-Info: <sip:forged@own.example?Reason=SIP%3Bcause%3D302>;index=1',
        'Refer-To: <sip:carol@own.example?Replaces=forged>',
      ]) {
        const { answer, got } = await invite(transport, { headers: [row, FORGED, 'Subject: kept'] });
        expect(statusOf(answer), `${transport} ${row} ${answer}`).toBe(200);
        expectNowhere('p-asserted', [got ?? '']);
        expect(headerOf(got ?? '', 'Subject')).toBe('kept');
      }
      for (const contact of [
        `Contact: <sip:carol@d.example${EMBEDDED}>`,
        'Contact: <sip:c@d.example;verstat=forged>',
      ]) {
        const answers = await redirected(transport, (text) => answered(text, '302 Moved Temporarily', [contact]));
        expectNowhere('forged', answers);
      }
    }
  });
});
