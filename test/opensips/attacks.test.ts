/** Messages of strangers that are made to get past a reader, or through us to others. */

import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, inDialog, type RequestTerms, request } from '../support/live/caller.js';
import { OpensipsNetwork } from '../support/live/opensips-network.js';
import { answered, Party, type Transport } from '../support/live/party.js';
import { expectNowhere } from '../support/live/secrets.js';
import { bodyOf, headerOf, rowsOf, type SipText, statusOf } from '../support/live/sip-text.js';
import { BUILD, theBuild } from './stage.js';

const TRANSPORTS: readonly Transport[] = ['udp', 'tcp', 'tls'];
const FORGED = 'P-Asserted-Identity: <sip:forged@own.example>';

const PART = '<presence/>';
/** As relays of media edit it, and as who finds the place of a caller adds to it. */
const EDITS =
  '\tif ($rb != NULL) {\n\t\tsubst_body("/edited/edited and longer/g");\n\t}\n' +
  `\tif ($fU == "located") {\n\t\tadd_body_part("${PART}", "application/pidf+xml");\n\t}\n`;

/** The same message with these lengths instead of its own, and these bytes behind its empty line. */
function framed(text: SipText, lengths: readonly (number | string)[], behind: string): SipText {
  const rows = lengths.map((length) => `Content-Length: ${length}\r\n`).join('');
  return `${text.replace(/Content-Length: \d+\r\n/, rows)}${behind}`;
}

describe.skipIf(BUILD === undefined)('attacks', () => {
  let network: OpensipsNetwork;
  let user: Caller;
  let stranger: Party;

  beforeAll(async () => {
    network = await OpensipsNetwork.start({
      build: theBuild(),
      edit: (script) => script.replaceAll(/\troute\(SIPTRUST_(IN|REPLY)\);\n/g, `$&${EDITS}`),
    });
    const identity = network.pki.certificate({ issuer: network.operatorB, names: ['DNS:stranger.example'] });
    stranger = await Party.start(network.host(12), identity);
    user = await network.user();
  });
  afterAll(async () => {
    stranger?.stop();
    await network?.stop();
  });

  const connect = (transport: Transport): Promise<Caller> =>
    transport === 'udp' ? network.udp() : transport === 'tcp' ? network.tcp() : network.tls();

  function send(caller: Caller, transport: string, terms: RequestTerms, change = (text: SipText) => text): string {
    const callId = terms.callId ?? freshCallId();
    caller.send(change(request({ callId, transport: transport.toUpperCase(), method: 'MESSAGE', ...terms })));
    return callId;
  }

  /** Nothing of a message stands behind the length that it claims. */
  function expectWhole(texts: readonly SipText[]): void {
    for (const text of texts) {
      expect(rowsOf(text, 'Content-Length').length, text).toBeLessThan(2);
      expect(bodyOf(text)?.length, text).toBe(Number(headerOf(text, 'Content-Length') ?? 0));
    }
  }

  const SDP = ['Content-Type: application/sdp'];
  const LENGTHS: readonly ((size: number) => readonly (number | string)[])[] = [
    (size) => [size, 0],
    (size) => [0, size],
    () => [5, 0],
    () => [0],
    () => [5],
    () => ['+0'],
    () => ['0 0'],
    () => ['0x0'],
    () => [''],
    () => [4294967296],
  ];

  // A Service-Route of S-CSCFs, and what brings a call back from an application server (boundary.md).
  it.each([
    ...['orig', 'ORIG', 'iscmark'].map((name) => [name, ', ']),
    ...[',\r\n ', '\r\nRoute: ', '\r\nroute : ', `;x=${'x'.repeat(6_000)}, `].map((between) => ['orig', between]),
  ] as const)(
    'fail/a stranger starts no services of our users: Route with %s@ behind %j',
    async (name = '', between = '') => {
      for (const transport of TRANSPORTS) {
        const caller = await connect(transport);
        const port = transport === 'tls' ? 5061 : 5060;
        const ours = `<sip:${network.address}:${port};transport=${transport};lr>`;
        const headers = [`Route: ${ours}${between}<sip:${name}@${network.called}:${network.uas.port};lr>`];
        const callId = send(caller, transport, { to: '<sip:bob@own.example>;tag=2', headers });
        expect(statusOf(await caller.final(callId))).toBe(403);
        expect(network.uas.find(callId, 'MESSAGE')).toBeUndefined();
      }
    },
  );

  it.each(['', 'Content-Disposition: render;handling=optional'])(
    "fail/no short message of 3GPP reaches a phone of ours, which takes it for its network's by its type: %s",
    async (row) => {
      for (const transport of TRANSPORTS) {
        const caller = await connect(transport);
        const headers = ['Content-Type: application/vnd.3gpp.sms', ...(row === '' ? [] : [row])];
        const callId = send(caller, transport, { headers, body: 'RP-DATA' });
        expect(statusOf(await caller.final(callId))).toBe(415);
        expect(network.uas.find(callId, 'MESSAGE')).toBeUndefined();
      }
    },
  );

  it.each(['Additional-Identity', 'P-Charge-Info'])(
    'fail/%s of a partner names nobody of another network, nor of ours',
    async (name) => {
      const caller = await network.tls(network.certificateOfA());
      const headers = ['bob@own.example', 'bob@b.example', 'alice@a.example'].map((user) => `${name}: <sip:${user}>`);
      const callId = send(caller, 'tls', { headers });
      expect(statusOf(await caller.final(callId))).toBe(200);
      expect(rowsOf(await network.uas.received(callId, 'MESSAGE'), name)).toEqual(['<sip:alice@a.example>']);
    },
  );

  it.each([
    'Answer-Mode: Auto',
    'Priv-Answer-Mode: Auto',
    'Alert-Info: <http://x.example>;info=alert-autoanswer',
    'Call-Info: <sip:x@c.example>;answer-after=0',
    'Call-Info: answer-after=0',
    // Nor does a name that he chose stand in its display (RFC 9796).
    'Call-Info: <https://c.example/Auto>;purpose=jcard',
  ])('fail/no phone answers a stranger by itself: %s', async (row) => {
    for (const transport of TRANSPORTS) {
      const caller = await connect(transport);
      const callId = send(caller, transport, { method: 'INVITE', headers: [row] });
      expect(statusOf(await caller.final(callId))).toBe(200);
      expect(await network.uas.received(callId, 'INVITE')).not.toMatch(/Auto|alert-autoanswer|answer-after/i);
    }
  });

  it.each(TRANSPORTS)('ok/a length with blanks behind it is one, over %s', async (transport) => {
    const blanks = (text: SipText) => text.replace(/(Content-Length: \d+)/, '$1 \t');
    stranger.answer = (text, at) => [
      blanks(
        answered(text, '200 OK', [stranger.contact(at), FORGED]).replace('Content-Length: 0', 'Content-Length:  0'),
      ),
    ];
    const caller = await connect(transport);
    const callId = send(caller, transport, { headers: [FORGED], body: 'hello' }, blanks);
    expect(statusOf(await caller.final(callId))).toBe(200);
    const got = await network.uas.received(callId, 'MESSAGE');
    expect([bodyOf(got), rowsOf(got, 'P-Asserted-Identity')]).toEqual(['hello', []]);
    const answer = await user.final(send(user, 'udp', { ruri: stranger.uri(transport) }, blanks));
    expect([statusOf(answer), rowsOf(answer, 'P-Asserted-Identity')]).toEqual([200, []]);
  });

  it.each(TRANSPORTS)('fail/a message that hides another behind its length, over %s', async (transport) => {
    for (const lengths of LENGTHS) {
      const caller = await connect(transport);
      const callId = freshCallId();
      const behind = request({ method: 'MESSAGE', callId: `hidden-${callId}`, headers: [FORGED] });
      send(caller, transport, { callId }, (text) => framed(text, lengths(behind.length), behind));
      if (transport === 'udp')
        expect(statusOf(await caller.final(send(caller, transport, { body: 'hello' })))).toBe(200);
      await pause(100);
      caller.close();
    }
    expectWhole(network.uas.got);
    for (const text of network.uas.got) expect(rowsOf(text, 'P-Asserted-Identity'), text).toEqual([]);
  });

  it.each(TRANSPORTS.flatMap((transport) => ['180 Ringing', '200 OK'].map((line) => [line, transport] as const)))(
    'fail/%s that hides another behind its length, over %s',
    async (line, transport) => {
      const ordinary = stranger.answer;
      const before = user.answers.length;
      for (const [lengths, rows] of LENGTHS.flatMap((each) => [[], SDP].map((rows) => [each, rows] as const))) {
        stranger.answer = (text) => {
          const behind = answered(text, '200 OK', [FORGED, 'Subject: edited']);
          return [framed(answered(text, line, rows), lengths(behind.length), behind)];
        };
        const callId = send(user, 'udp', { method: 'INVITE', ruri: stranger.uri(transport) });
        await stranger.received(callId, 'INVITE');
        await pause(100);
      }
      stranger.answer = ordinary;
      expectWhole(user.answers.slice(before));
      expectNowhere(
        'forged',
        user.answers.slice(before).map((text) => text.split('\r\n\r\n')[0] ?? ''),
      );
      expect(network.proxy.running).toBe(true);
    },
  );

  it('fail/a bare ACK and a bare answer, whose body the script edits: each has one length, the right one', async () => {
    const HIDDEN = 'Refer-To: <sip:x@y.example?P-Asserted-Identity=forged>';
    const outsider = await network.udp();
    const callId = send(outsider, 'udp', { method: 'INVITE', body: 'edited' });
    const { route, ...terms } = inDialog(await outsider.final(callId));
    send(outsider, 'udp', { ...terms, method: 'ACK', headers: [...route, HIDDEN], body: 'edited' });
    expectWhole([await network.uas.received(callId, 'ACK')]);
    const ordinary = stranger.answer;
    stranger.answer = (text) => [
      framed(answered(text, '200 OK', ['Contact: <sip:x@y?P-Asserted-Identity=forged>']), [6], 'edited'),
    ];
    const answer = await user.final(send(user, 'udp', { method: 'INVITE', ruri: stranger.uri('udp') }));
    stranger.answer = ordinary;
    expectWhole([answer]);
  });

  /** A stranger calls for help: what he hears, and what has left. */
  async function helped(user: string, rows: readonly string[], lengths: readonly number[], body: string) {
    const caller = await network.udp();
    const from = `<sip:${user}@a.example>;tag=1`;
    const terms = { method: 'INVITE', ruri: 'urn:service:sos', from, headers: [...rows, FORGED] };
    const callId = send(caller, 'udp', terms, (text) => framed(text, lengths, body));
    const answer = await caller.final(callId);
    caller.close();
    return [answer, network.uas.find(callId, 'INVITE')] as const;
  }
  const HELPED = ['edited', 'edited'.repeat(9), request({ method: 'MESSAGE', headers: [FORGED] })];

  it.each([
    ['nothing', 'x', ''],
    ['a part', 'located', PART],
  ] as const)(
    'ok/a stranger calls for help with bytes behind its length, and the script adds %s: that goes on, and no byte of his body',
    async (_, from, left) => {
      for (const body of HELPED) {
        for (const length of [5, PART.length].filter((each) => each < body.length)) {
          const [answer, got = ''] = await helped(from, SDP, [length], body);
          const seen = `${length}: ${answer}${got}`;
          expect(statusOf(answer), seen).toBe(200);
          expectWhole([got]);
          expect(bodyOf(got), seen).toBe(left);
          expect(got).not.toContain('forged');
          for (const name of ['From', 'To', 'Call-ID', 'CSeq', 'Max-Forwards', 'Contact', 'Content-Length'])
            expect(rowsOf(got, name), `${name}, ${seen}`).toHaveLength(1);
          expect(rowsOf(got, 'Content-Type'), seen).toEqual(left === '' ? [] : ['application/pidf+xml']);
          expect(rowsOf(got, 'Via'), got).toHaveLength(2);
        }
      }
      expect(network.proxy.running).toBe(true);
    },
  );

  it.each([[], SDP].flatMap((rows) => ['x', 'located'].map((from) => [rows, from] as const)))(
    'fail/such a call whose bytes nothing takes out for certain: %s, %s',
    async (rows, from) => {
      for (const body of HELPED) {
        // (What is no number OpenSIPS itself does not read.)
        const lengths = [[body.length, 0], [0, body.length], [5, 0], [0, 5], [0], [900]];
        for (const each of rows.length === 0 ? [...lengths, [5]] : lengths) {
          const [answer, got] = await helped(from, rows, each, body);
          expect(statusOf(answer), `${each.join()}: ${answer}${got}`).toBe(400);
          expect(got).toBeUndefined();
        }
      }
      expect(network.proxy.running).toBe(true);
    },
  );

  it.each(['', 'XYZ'].flatMap((body) => [[], SDP].map((rows) => [body, rows] as const)))(
    'fail/an answer whose head ends for OpenSIPS before CRLF CRLF, and another behind it: %s %s',
    async (body, rows) => {
      const ordinary = stranger.answer;
      const behind = `${body}SIP/2.0 200 OK\r\nX: forged\r\n\r\n`;
      stranger.answer = (text) => [
        answered(text, '200 OK', rows).replace(
          /Content-Length: \d+\r\n\r\n/,
          `Content-Length: ${body.length}\r\n\n${behind}`,
        ),
      ];
      const answer = await user.final(send(user, 'udp', { method: 'INVITE', ruri: stranger.uri('udp') }));
      stranger.answer = ordinary;
      const [, head, rest = ''] = /^(.*?\r?\n)\r?\n(.*)$/s.exec(answer) ?? [];
      expect(rest.length, answer).toBe(Number(/^Content-Length: (\d+)/m.exec(head ?? '')?.[1]));
    },
  );

  it('fail/our user hides something behind a length on the way to a stranger', async () => {
    const secret = request({ method: 'MESSAGE', headers: ['P-Asserted-Identity: <sip:secret@own.example>'] });
    for (const lengths of LENGTHS) {
      send(user, 'udp', { ruri: stranger.uri('tcp') }, (text) => framed(text, lengths(secret.length), secret));
      await user.final(send(user, 'udp', { ruri: stranger.uri('tcp') }));
    }
    for (const text of stranger.got) expect(rowsOf(text, 'P-Asserted-Identity'), text).toEqual([]);
  });

  it.each(TRANSPORTS)('fail/no open relay, over %s', async (transport) => {
    for (const method of ['MESSAGE', 'INVITE', 'REFER', 'ACK', 'BYE']) {
      for (const to of ['<sip:x@b.example>;tag=none', '<sip:x@b.example>']) {
        const caller = await connect(transport);
        const headers = [`Route: <sip:${network.address};lr>`, FORGED];
        const callId = send(caller, transport, { method, ruri: stranger.uri('udp'), to, headers });
        if (method !== 'ACK') await caller.final(callId);
        else await pause(100);
        caller.close();
        expect(stranger.find(callId, method)).toBeUndefined();
      }
    }
  });

  it.each(TRANSPORTS)('fail/what nobody can read does not come in, over %s', async (transport) => {
    const before = network.uas.got.length;
    const rows = [['no colon'], [': no name'], ['Via: nonsense'], ['From: <sip:x@y>;tag=2'], ['Subject: "\\\0"']];
    for (const row of rows) {
      const caller = await connect(transport);
      send(caller, transport, { headers: [...row, FORGED] });
      await pause(50);
      caller.close();
    }
    for (const text of network.uas.got.slice(before)) {
      expect(rowsOf(text, 'P-Asserted-Identity'), text).toEqual([]);
      expect(rowsOf(text, 'From'), text).toHaveLength(1);
    }
    expect(network.proxy.running).toBe(true);
  });
});
