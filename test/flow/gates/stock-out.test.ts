/** Debian's kamailio.cfg with the include alone: nothing private reaches a stranger, whatever the script relays (G-1, G-3). */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, inDialog, type RequestTerms } from '../../support/live/caller.js';
import { builds } from '../../support/live/kamailio.js';
import type { Network } from '../../support/live/network.js';
import { answered, type Party } from '../../support/live/party.js';
import { eventually } from '../../support/live/places.js';
import { expectNowhere, privateRows } from '../../support/live/secrets.js';
import { headerOf, methodOf, rowsOf, type SipText, statusOf } from '../../support/live/sip-text.js';
import { Stage, TRANSPORTS } from '../../support/live/stage.js';
import { stockScript } from '../../support/live/stock-script.js';

/** What the stock script relays to a registered contact. */
const INITIAL = ['INVITE', 'OPTIONS', 'MESSAGE', 'REFER', 'SUBSCRIBE', 'NOTIFY', 'UPDATE', 'INFO', 'PRACK', 'BYE'];
const IN_DIALOG = [...INITIAL.slice(1), 'INVITE', 'ACK', 'PUBLISH', 'REGISTER'];
const SECRET = privateRows('secret');

describe.each(builds('smoke'))('the package and the include alone, outbound, Kamailio $version', (build) => {
  let stage: Stage;
  let network: Network;
  let user: Caller;
  let stranger: Party;
  let other: Party;

  beforeAll(async () => {
    stage = await Stage.start({
      build,
      script: (directory) => stockScript(build, directory),
      privateMemory: 16,
      defines: () => ({ WITH_VOICEMAIL: '1' }),
    });
    ({ network, user, stranger, other } = stage);
    for (const transport of TRANSPORTS) await stage.registered(`at-${transport}`, stranger.uri(transport));
    const { host, port } = network.uas;
    await stage.registered('fork', stranger.uri('udp'), `sip:uas@${host}:${port}`, other.uri('tcp'));
    network.cscf.rpc('cfg.sets', 'voicemail', 'srv_ip', other.host);
    network.cscf.rpc('cfg.sets', 'voicemail', 'srv_port', '5060');
  });
  afterAll(() => stage?.stop());

  /** Sends a request of our user, and gives its Call-ID. */
  const send = (terms: RequestTerms): string => stage.send(user, 'udp', { to: '<sip:at@own.example>', ...terms });

  const named = (method: string) => new RegExp(`siptrust: (?:not sent to \\S+: |.*is not sent.*)${method}`);

  it.each(TRANSPORTS)('fail/G-3 first requests of each method over %s', async (transport) => {
    const ruri = `sip:at-${transport}@own.example`;
    const sent = INITIAL.map((method) => ({
      method,
      bare: send({ method, ruri, headers: ['Subject: bare'] }),
      private: send({ method, ruri, headers: [...SECRET, 'Subject: private'] }),
    }));
    for (const each of sent) {
      await stranger.received(each.bare, each.method);
      const status = statusOf(await user.final(each.private, each.method));
      // It has gone on stripped, or it has not been sent and the log says so.
      if (stranger.find(each.private, each.method) === undefined) {
        expect(status).toBeGreaterThan(399);
        expect(network.cscf.log).toMatch(named(each.method));
      } else expect(status).toBe(200);
    }
    expectNowhere('secret', stranger.got);
  });

  it.each(TRANSPORTS)('fail/G-3 requests of a dialog of each method over %s, ACK too', async (transport) => {
    const callId = send({ ruri: `sip:at-${transport}@own.example`, headers: ['Subject: dialog'] });
    const { route, ...dialog } = inDialog(await user.final(callId));
    const terms = (method: string, cseq: number, headers: readonly string[]) => ({
      ...dialog,
      method,
      cseq,
      headers: [...route, ...headers],
    });
    let cseq = 1;
    for (const method of IN_DIALOG) {
      cseq += 2;
      send(terms(method, cseq, [...SECRET, 'Subject: private']));
      send(terms(method, cseq + 1, ['Subject: bare']));
    }
    const arrived = (subject: string) =>
      stranger.got.filter((text) => headerOf(text, 'Call-ID') === callId && headerOf(text, 'Subject') === subject);
    const missing = () => {
      const methods = new Set(arrived('bare').map(methodOf));
      return IN_DIALOG.filter((method) => !methods.has(method));
    };
    await eventually('what bears nothing private arrives', () => missing().length === 0, 8_000).catch(() => {});
    expect(missing()).toEqual([]);
    const untold = () => {
      const stripped = new Set(arrived('private').map(methodOf));
      return IN_DIALOG.filter((method) => !stripped.has(method) && !named(method).test(network.cscf.log));
    };
    // What is not sent stands in the log.
    await eventually('all are told of', () => untold().length === 0, 8_000).catch(() => {});
    expect(untold()).toEqual([]);
    expect(arrived('private').map(methodOf)).toContain('ACK');
    expectNowhere('secret', stranger.got);
  });

  it('fail/G-5 ACK with embedded fields, and ACK that no transaction belongs to', async () => {
    const callId = send({ ruri: 'sip:at-udp@own.example', headers: ['Subject: dialog'] });
    const { route, ...dialog } = inDialog(await user.final(callId));
    const target = dialog.ruri ?? '';
    const ack = (ruri: string, ...headers: readonly string[]) => {
      const sent = freshCallId();
      send({ ...dialog, callId: sent, ruri, method: 'ACK', headers: [...route, ...headers] });
      return sent;
    };
    ack(`${target}?P-Asserted-Identity=%3Csip:secret@own.example%3E`);
    ack(target, 'Refer-To: <sip:x@own.example?P-Asserted-Identity=secret>');
    ack(target, 'History-Info: <sip:x@own.example?P-Charging-Vector=secret>;index=1');
    send({
      ...dialog,
      callId: freshCallId(),
      method: 'ACK',
      headers: route,
      from: '<sip:alice@own.example;cpc=secret>;tag=alice',
    });
    const last = ack(target, 'Subject: bare');
    await stranger.received(last, 'ACK');
    expectNowhere('secret', stranger.got);
  });

  it('fail/G-1 CANCEL, and the second place after a failure', async () => {
    const { answer } = stranger;
    stranger.answer = (text, transport) =>
      methodOf(text) === 'INVITE' ? [answered(text, '486 Busy Here')] : answer(text, transport);
    for (const transport of TRANSPORTS) {
      const bare = send({ ruri: `sip:at-${transport}@own.example`, headers: ['Subject: bare'] });
      await other.received(bare, 'INVITE');
      const callId = send({ ruri: `sip:at-${transport}@own.example`, headers: [...SECRET] });
      await user.final(callId);
    }
    stranger.answer = (text, transport) =>
      methodOf(text) === 'INVITE' ? [answered(text, '180 Ringing')] : answer(text, transport);
    const branch = 'z9hG4bKcancelled';
    const callId = send({ branch, ruri: 'sip:at-udp@own.example', headers: ['Subject: bare'] });
    await stranger.received(callId, 'INVITE');
    send({ callId, branch, method: 'CANCEL', ruri: 'sip:at-udp@own.example', headers: SECRET });
    await stranger.received(callId, 'CANCEL');
    stranger.answer = answer;
    expectNowhere('secret', [...stranger.got, ...other.got]);
  });

  it('fail/G-1 forked to our side and to two strangers: only our side sees it', async () => {
    const callId = send({ ruri: 'sip:fork@own.example', headers: SECRET });
    expect(await network.uas.received(callId, 'INVITE')).toContain('secret');
    expect(statusOf(await user.final(callId))).toBe(200);
    const plain = send({ ruri: 'sip:fork@own.example', method: 'MESSAGE', headers: SECRET });
    expect(await network.uas.received(plain, 'MESSAGE')).toContain('secret');
    await user.final(plain);
    expectNowhere('secret', [...stranger.got, ...other.got]);
  });

  it('ok/forked to more strangers than there are decimal digits: each gets it, stripped', async () => {
    const places = Array.from({ length: 12 }, (_, at) => stranger.uri('udp', `place-${at}`));
    await stage.registered('many', ...places);
    // This passes as something that was cleaned alone.
    const headers = [...SECRET, 'Refer-To: <sip:x@own.example?Replaces=1>'];
    const callId = send({ ruri: 'sip:many@own.example', method: 'MESSAGE', headers });
    const reached = () =>
      new Set(stranger.got.filter((text) => headerOf(text, 'Call-ID') === callId).map((text) => text.split(' ')[1]))
        .size;
    await eventually('all of them', () => reached() === places.length, 8_000);
    expectNowhere('secret', stranger.got);
  });

  it.each(TRANSPORTS)(
    'ok/folded rows, and names that end as a scheme does, to a stranger over %s',
    async (transport) => {
      const rows = ['Organization: a\r\n <b>: c', 'Hotel: d', 'Refer-To: \r\n <sip:x@own.example>'];
      const to = '"at"\r\n <sip:at@own.example>';
      const callId = send({ ruri: `sip:at-${transport}@own.example`, to, headers: rows });
      expect(statusOf(await user.final(callId))).toBe(200);
      expect(rowsOf(await stranger.received(callId, 'INVITE'), 'Hotel')).toEqual(['d']);
    },
  );

  it.each(TRANSPORTS)('fail/what strangers answer over %s: nothing forged comes in', async (transport) => {
    const { answer } = stranger;
    const forged = privateRows('forged');
    for (const line of ['183 Session Progress', '200 OK', '302 Moved', '486 Busy Here', '603 Decline']) {
      stranger.answer = (text, at) => {
        const rows = [stranger.contact(at), ...forged];
        // After a provisional answer the call goes on.
        return line.startsWith('1') && methodOf(text) === 'INVITE'
          ? [answered(text, line, rows), answered(text, '200 OK', rows)]
          : [answered(text, line, rows)];
      };
      for (const method of INITIAL) {
        const callId = send({ ruri: `sip:at-${transport}@own.example`, method, headers: ['Subject: bare'] });
        await stranger.received(callId, method);
        // In a request other than INVITE a provisional answer alone would hold it.
        if (!line.startsWith('1') || method === 'INVITE') await user.final(callId, method);
      }
    }
    stranger.answer = answer;
    expectNowhere('forged', user.answers as SipText[]);
  });
});
