/** What passes no branch_route and no transaction, and what the two ways round a call hold: ACK, CANCEL, lone answers. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, inDialog, type RequestTerms, request, udpCaller } from '../support/live/caller.js';
import { OpensipsNetwork } from '../support/live/opensips-network.js';
import { answered, Party, type Transport } from '../support/live/party.js';
import { eventually } from '../support/live/places.js';
import { expectNowhere, privateRows } from '../support/live/secrets.js';
import { headerOf, methodOf, rowsOf, type SipText, statusOf } from '../support/live/sip-text.js';
import { BUILD, theBuild } from './stage.js';

const TRANSPORTS: readonly Transport[] = ['udp', 'tcp', 'tls'];
const METHODS = ['OPTIONS', 'MESSAGE', 'REFER', 'SUBSCRIBE', 'NOTIFY', 'UPDATE', 'INFO', 'PRACK', 'PUBLISH'];
const SECRET = privateRows('secret');
const HIDDEN = 'Refer-To: <sip:x@own.example?P-Asserted-Identity=secret>';

/** A second place where the first one is busy, as scripts of operators have it. */
const SECOND = (host: string) => `
failure_route[SECOND] {
	if (t_check_status("486")) {
		$ru = "sip:second@${host}:5060";
		t_relay();
	}
}
`;

describe.skipIf(BUILD === undefined)('what no branch_route sees', () => {
  let network: OpensipsNetwork;
  let stranger: Party;
  let other: Party;
  let user: Caller;

  beforeAll(async () => {
    network = await OpensipsNetwork.start({
      build: theBuild(),
      edit: (script, host) =>
        `${script.replace('route[RELAY] {\n', 'route[RELAY] {\n\tif ($rU == "busy") {\n\t\tt_on_failure("SECOND");\n\t}\n')}${SECOND(host(13))}`,
    });
    const identity = network.pki.certificate({ issuer: network.operatorB, names: ['DNS:stranger.example'] });
    stranger = await Party.start(network.host(12), identity);
    other = await Party.start(network.host(13), identity);
    user = await network.user();
  });
  afterAll(async () => {
    stranger?.stop();
    other?.stop();
    await network?.stop();
  });

  /** What has reached strangers in this test. */
  const fresh = () => [stranger, other].flatMap(({ got }, i) => got.slice(before[i]));
  let before: readonly number[] = [];
  beforeEach(() => {
    before = [stranger, other].map(({ got }) => got.length);
  });

  function send(terms: RequestTerms): string {
    const callId = terms.callId ?? freshCallId();
    user.send(request({ callId, transport: 'UDP', from: '<sip:user@own.example>;tag=1', ...terms }));
    return callId;
  }

  async function dialog(transport: Transport) {
    const callId = send({ ruri: stranger.uri(transport), headers: ['Subject: dialog'] });
    const { route, ...terms } = inDialog(await user.final(callId));
    return { callId, route, terms };
  }

  it.each(TRANSPORTS)('fail/every method of a dialog over %s, ACK too', async (transport) => {
    const { callId, route, terms } = await dialog(transport);
    let cseq = 1;
    for (const method of ['ACK', ...METHODS]) {
      cseq += 2;
      send({ ...terms, method, cseq, headers: [...route, ...SECRET, 'Subject: private'] });
      send({ ...terms, method, cseq: cseq + 1, headers: [...route, 'Subject: bare'] });
    }
    const arrived = (subject: string) =>
      stranger.got
        .filter((text) => headerOf(text, 'Call-ID') === callId && headerOf(text, 'Subject') === subject)
        .map(methodOf);
    await eventually('what bears nothing private arrives', () =>
      ['ACK', ...METHODS].every((method) => arrived('bare').includes(method)),
    );
    await eventually('so does the ACK, cleaned', () => arrived('private').includes('ACK'));
    expectNowhere('secret', fresh());
  });

  it('fail/ACK that no list can clean', async () => {
    const { route, terms } = await dialog('udp');
    const ack = (more: RequestTerms, ...headers: readonly string[]) =>
      send({ ...terms, callId: freshCallId(), method: 'ACK', headers: [...route, ...headers], ...more });
    ack({ ruri: `${terms.ruri}?P-Asserted-Identity=%3Csip:secret@own.example%3E` });
    ack({}, `${route[0]}, <sip:x@stranger.example;lr?P-Asserted-Identity=secret>`);
    const bare = [
      ack({}, HIDDEN),
      ack({}, 'History-Info: <sip:x@own.example?P-Charging-Vector=secret>;index=1'),
      ack({ from: '<sip:user@own.example;cpc=secret>;tag=1' }),
      ack({}, 'Subject: x\r\n P-Asserted-Identity: <sip:secret@own.example>'),
      ack({}, 'Subject: x\rP-Asserted-Identity: <sip:secret@own.example>', 'Content-Type: text/plain'),
      ack({}, HIDDEN, 'Ro: x\rP-Asserted-Identity: <sip:secret@own.example>'),
      ack({}, HIDDEN, 'Rou: y\r\n P-Asserted-Identity: <sip:secret@own.example>'),
      ack({ body: '--a"b' }, HIDDEN, 'Content-Type: multipart/mixed;boundary="a_b"'),
      send({
        ...terms,
        callId: freshCallId(),
        method: 'ACK',
        headers: [...route.map((each) => each.replace(';lr', ';lr;ob')), HIDDEN],
      }),
      ack({ body: 'v=0' }, HIDDEN, 'Content-Type: application/sdp'),
    ];
    await stranger.received(ack({}, 'Subject: bare'), 'ACK');
    for (const callId of bare) {
      const got = await stranger.received(callId, 'ACK');
      expect(rowsOf(got, 'From')).toEqual(['<sip:user@own.example>;tag=1']);
      expect(rowsOf(got, 'Max-Forwards')).toEqual(['69']);
    }
    expect(stranger.find(bare.at(-1) ?? '', 'ACK')).toMatch(
      /\r\nContent-Type: application\/sdp\r\n(?:.*\r\n)*\r\nv=0$/,
    );
    expectNowhere('secret', fresh());
  });

  it('ok/the ACK of a caller with parameters that no stranger gets: a partner, a stranger', async () => {
    const partner = await network.tls(network.certificateOfA());
    const outsider = await network.udp();
    for (const [caller, transport] of [
      [partner, 'TLS'],
      [outsider, 'UDP'],
    ] as const) {
      const callId = freshCallId();
      const call = { callId, transport, from: '<sip:alice@a.example;cpc=ordinary>;tag=alice' };
      caller.send(request(call));
      const { route, ...terms } = inDialog(await caller.final(callId));
      caller.send(request({ ...call, ...terms, method: 'ACK', headers: route }));
      expect(rowsOf(await network.uas.received(callId, 'ACK'), 'From')).toEqual(['<sip:alice@a.example>;tag=alice']);
    }
  });

  it('fail/CANCEL', async () => {
    const { answer } = stranger;
    stranger.answer = (text, transport) =>
      methodOf(text) === 'INVITE' ? [answered(text, '180 Ringing')] : answer(text, transport);
    for (const [from, headers] of [
      ['<sip:user@own.example>;tag=1', ['Subject: x']],
      ['<sip:user@own.example;cpc=secret>;tag=1', ['Subject: x']],
      ['<sip:user@own.example>;tag=1', ['Privacy: id', ...SECRET]],
    ] as const) {
      const branch = `z9hG4bK${freshCallId().slice(0, 12)}`;
      const callId = send({ branch, from, ruri: stranger.uri('udp'), headers });
      const gone = await Promise.race([
        stranger.received(callId, 'INVITE').then(() => true),
        user.final(callId).then(() => false),
      ]);
      if (!gone) continue;
      send({
        callId,
        branch,
        from,
        method: 'CANCEL',
        ruri: stranger.uri('udp'),
        headers: [...SECRET, 'Reason: SIP;cause=secret'],
      });
      await stranger.received(callId, 'CANCEL');
    }
    stranger.answer = answer;
    expectNowhere('secret', fresh());
  });

  it('fail/the second place after a failure', async () => {
    const { answer } = stranger;
    stranger.answer = (text, at) =>
      methodOf(text) === 'INVITE' ? [answered(text, '486 Busy Here')] : answer(text, at);
    const callId = send({ ruri: stranger.uri('udp', 'busy'), headers: SECRET });
    await other.received(callId, 'INVITE');
    stranger.answer = answer;
    expectNowhere('secret', fresh());
  });

  /** An answer that nobody waits for, through the proxy to whom the second Via names. */
  function lone(at: string, to: string, rows: readonly string[]): { readonly callId: string; readonly text: SipText } {
    const callId = freshCallId();
    const asked = request({ callId, method: 'INVITE' }).replace(
      /^Via: .*$/m,
      `Via: SIP/2.0/UDP ${at}:5060;branch=z9hG4bK${callId.slice(0, 9)}.0\r\nVia: SIP/2.0/UDP ${to};branch=z9hG4bKx`,
    );
    return { callId, text: answered(asked, '200 OK', rows) };
  }

  it('fail/an answer of our side without a transaction, to a stranger', async () => {
    const { text } = lone(network.inside, `${stranger.host}:5060`, SECRET);
    user.send(text);
    user.send(lone(network.inside, `${stranger.host}:5060`, ['Contact: <sip:x@y?P-Asserted-Identity=secret>']).text);
    const after = send({ method: 'MESSAGE', ruri: stranger.uri('udp') });
    expect(statusOf(await user.final(after))).toBe(200);
    expectNowhere('secret', fresh());
  });

  it('fail/an answer of a stranger without a transaction, to our user', async () => {
    const outsider = await udpCaller(network.address, 5060, network.host(14));
    outsider.send(lone(network.address, user.source, privateRows('forged')).text);
    outsider.send(lone(network.address, user.source, ['Contact: <sip:x@y?P-Asserted-Identity=forged>']).text);
    const after = send({ method: 'MESSAGE', ruri: stranger.uri('udp') });
    expect(statusOf(await user.final(after))).toBe(200);
    outsider.close();
    expectNowhere('forged', user.answers);
  });

  it.each(TRANSPORTS)('fail/answers of every class from a stranger over %s', async (transport) => {
    const { answer } = stranger;
    const forged = privateRows('forged');
    for (const line of [
      '183 Session Progress',
      '200 OK',
      '302 Moved',
      '401 Unauthorized',
      '486 Busy Here',
      '603 Decline',
    ]) {
      stranger.answer = (text, at) =>
        line.startsWith('1') && methodOf(text) === 'INVITE'
          ? [
              answered(text, line, [stranger.contact(at), ...forged]),
              answered(text, '200 OK', [stranger.contact(at), ...forged]),
            ]
          : [answered(text, line.startsWith('1') ? '200 OK' : line, [stranger.contact(at), ...forged])];
      for (const method of ['INVITE', 'MESSAGE']) {
        await user.final(send({ ruri: stranger.uri(transport), method, headers: ['Subject: bare'] }), method);
      }
    }
    stranger.answer = answer;
    expectNowhere('forged', user.answers);
  });

  it('ok/what a plan leaves of an answer of a stranger reaches our user once', async () => {
    const { answer } = stranger;
    stranger.answer = (text, at) => [
      answered(text, '302 Moved', [
        'Contact: <sip:moved@stranger.example?P-Asserted-Identity=forged>',
        stranger.contact(at),
      ]),
    ];
    const got = await user.final(send({ ruri: stranger.uri('udp'), headers: ['Subject: bare'] }));
    stranger.answer = answer;
    expect(statusOf(got)).toBe(302);
    expect(
      rowsOf(got, 'Contact')
        .join()
        .match(/moved@stranger.example/g),
    ).toHaveLength(1);
    expectNowhere('forged', user.answers);
  });
});
