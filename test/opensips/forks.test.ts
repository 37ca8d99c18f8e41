/** A call that goes to several at once, or to one after the other, of whom some are trusted and some are not. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, request } from '../support/live/caller.js';
import { replaced } from '../support/live/opensips.js';
import type { OpensipsNetwork } from '../support/live/opensips-network.js';
import { answered, type Party } from '../support/live/party.js';
import { eventually } from '../support/live/places.js';
import { privateRows } from '../support/live/secrets.js';
import { methodOf, rowsOf, type SipText, statusOf } from '../support/live/sip-text.js';
import { answerTo, apart, BUILD, type CastWithPartner, castWithPartner } from './stage.js';

const SECRET = privateRows('secret');
const FORGED = privateRows('forged');
/** What no list takes out, and a plan does. */
const CPC = 'To: <sip:bob@own.example;cpc=forged>';
const OURS = 'P-Asserted-Identity: <sip:user@own.example>';

type Place = 'S' | 'O' | 'P' | 'I';
const ORDERS = ['SO', 'SP', 'PS', 'SOP', 'PSO', 'SPI', 'IPS', 'PIS', 'ISP'];

/** By the user part: at once, and one after the other, . */
function choices(uri: (place: Place) => string): string {
  return ORDERS.map((order) => {
    const [first = '', ...more] = [...order].map((place) => uri(place as Place));
    const all = `$ru = "${first}";\n${more.map((each) => `\t\t$branch = "${each}";\n`).join('')}`;
    return [
      ['par', `t_on_failure("NONE"); ${all}`],
      ['ser', `t_on_failure("NEXT"); ${all} serialize_branches(1, 1); next_branches();`],
    ]
      .map(([how, lines]) => `\tif ($rU == "${how}${order}" && !has_totag()) {\n\t\t${lines}\n\t\troute(RELAY);\n\t}\n`)
      .join('');
  }).join('');
}
const ROUTES = `
failure_route[NONE] {
	route(SIPTRUST_SHUT);
}

failure_route[NEXT] {
	route(SIPTRUST_SHUT);
	if (next_branches()) {
		t_on_failure("NEXT");
		t_relay();
	}
}
`;

describe.skipIf(BUILD === undefined)('forks', () => {
  let network: OpensipsNetwork;
  let stranger: Party;
  let other: Party;
  let partner: Party;
  let user: Caller;
  let outsider: Caller;
  let all: CastWithPartner | undefined;
  const clean = apart(
    () => [stranger, other, outsider],
    () => [network.uas, user],
  );

  beforeAll(async () => {
    all = await castWithPartner({
      settings: { siptrust_keepalive: '1' },
      edit: (sample, host) => {
        const at = { S: 12, O: 13, P: 5, I: 3 };
        const uri = (place: Place) => `sip:x@${host(at[place])}:${place === 'P' ? '5061;transport=tls' : '5060'}`;
        return replaced(sample, [['\t# No open relay', `${choices(uri)}\t# No open relay`]]).concat(ROUTES);
      },
    });
    ({ network, stranger, other, partner, user, outsider } = all);
    for (const party of [stranger, other, partner]) {
      const rows = party === partner ? [] : FORGED;
      party.answer = (text) => [
        methodOf(text) === 'INVITE' ? answered(text, '486 Busy', rows) : answered(text, '200 OK'),
      ];
    }
    network.uas.options = { status: '486 Busy', extra: SECRET };
    await eventually('the partner is proven', () => partner.got.length > 3);
  });
  afterAll(() => all?.stop());
  const own = '<sip:user@own.example>;tag=1';

  const CASES = ORDERS.flatMap((order) => ['par', 'ser'].map((how) => [how, order] as const));

  it.each(CASES)('ok/our user, %s%s', async (how, order) => {
    const callId = freshCallId();
    const headers = [...SECRET.slice(1), OURS];
    const answer = await answerTo(user, { callId, ruri: `sip:${how}${order}@own.example`, from: own, headers });
    expect(statusOf(answer), answer).toBe(486);
    const told = (who: Party) => {
      const got = who.find(callId, 'INVITE');
      return got && rowsOf(got, 'P-Asserted-Identity').includes('<sip:user@own.example>');
    };
    if (order.includes('P')) expect(told(partner)).toBe(true);
    if (order.includes('S')) expect(told(stranger)).toBe(false);
    if (order.includes('O')) expect(told(other)).toBe(false);
    if (order.includes('I'))
      expect(rowsOf(network.uas.find(callId, 'INVITE') ?? '', 'P-Charging-Vector')).toHaveLength(1);
    clean();
  });

  it.each(CASES)('ok/a partner calls, %s%s', async (how, order) => {
    const caller = await network.tls(network.certificateOfA());
    const callId = freshCallId();
    const asserted = 'P-Asserted-Identity: <sip:alice@a.example>';
    const terms = { callId, ruri: `sip:${how}${order}@own.example`, headers: [asserted, 'Privacy: none'] };
    const answer = await answerTo(caller, { ...terms, transport: 'TLS' });
    expect(statusOf(answer), answer).toBe(486);
    const told = (who: { find(callId: string, method: string): string | undefined }) => {
      const got = who.find(callId, 'INVITE');
      return got === undefined ? got : rowsOf(got, 'P-Asserted-Identity').length;
    };
    if (order.includes('P')) expect(told(partner)).toBe(1);
    if (order.includes('S')) expect(told(stranger)).toBe(0);
    if (order.includes('I')) expect(told(network.uas)).toBe(1);
    caller.close();
  });

  it.each(CASES.flatMap(([how, order]) => ['', ';cpc=forged'].map((tail) => [how, order, tail] as const)))(
    'fail/a stranger calls, %s%s, From with "%s"',
    async (how, order, tail) => {
      const callId = freshCallId();
      const from = `<sip:alice@a.example${tail}>;tag=1`;
      const ruri = `sip:${how}${order}@own.example`;
      const answer = await answerTo(outsider, { callId, from, ruri, headers: FORGED });
      expect(statusOf(answer), answer).toBe(486);
      clean();
      const got = partner.find(callId, 'INVITE');
      expect(got === undefined).toBe(!order.includes('P'));
      expect(got ?? '').not.toContain('forged');
      const outside = stranger.find(callId, 'INVITE') ?? '';
      if (order.includes('S')) expect(rowsOf(outside, 'From')).toEqual(['<sip:alice@a.example>;tag=1']);
      expect(outside).not.toContain('forged');
    },
  );

  /** The answer to a call of a stranger with these rows, some of them in place of its own, to another one. */
  function toStranger(callId: string, rows: readonly string[], tail = ''): Promise<SipText> {
    const own = (row: string) => /^(To|Contact):/.test(row);
    const text = request({
      ...{ callId, method: 'INVITE', transport: 'UDP', ruri: `sip:serSO@own.example${tail}` },
      headers: rows.filter((row) => !own(row)),
    });
    const put = (held: string, row: string) => held.replace(new RegExp(`^${row.split(':', 1)[0]}: .*$`, 'm'), row);
    outsider.send(rows.filter(own).reduce(put, text));
    return outsider.final(callId);
  }

  it.each([
    ['a push token', 'Contact: <sip:x@y.example;pn-provider=apns;pn-prid=forged>'],
    ['a push token, written otherwise', 'Contact: <sip:x@y.example;P%6E%2dprid=forged>'],
    ['an IMEI beside Contact', 'Accept-Contact: *;+sip.instance="<urn:gsma:imei:forged>"'],
    ['an IMEI in odd words', 'Contact: <sip:x@y.example>;+sip.instance = "\\<urn:gsma:imei:forged>"'],
  ])('fail/a stranger calls a stranger, and a plan of the way in has left %s', async (_, row) => {
    const callId = freshCallId();
    const answer = await toStranger(callId, [CPC, row]);
    expect(statusOf(answer), answer).toBe(503);
    expect(stranger.find(callId, 'INVITE')).toBeUndefined();
  });

  it('fail/a partner who is only monitored calls a stranger: what its plan has left does not', async () => {
    const { agreements, ...rest } = network.standardPolicy;
    const monitored = { ...rest, agreements: agreements.map((each) => ({ ...each, enforcement: 'monitor' })) };
    await network.daemon.reload(monitored);
    await network.polled();
    const caller = await network.tls(network.certificateOfA());
    const callId = freshCallId();
    const from = '<sip:alice@a.example;cpc=forged>;tag=1';
    const answer = await answerTo(caller, { callId, from, ruri: 'sip:serSO@own.example', transport: 'TLS' });
    await network.daemon.reload(network.standardPolicy);
    await network.polled();
    caller.close();
    expect(stranger.find(callId, 'INVITE') ?? '').not.toContain('forged');
    expect(statusOf(answer), answer).toBe(503);
  });

  it.each([
    ['To', [CPC], ''],
    ['Contact', ['Contact: <sip:x@y.example;cpc=forged>'], ''],
    ['Require', ['Require: histinfo', 'Supported: histinfo, timer'], ''],
    ['the Request-URI', [], ';cpc=forged'],
    [
      'To, beside a Contact with an IMEI',
      [CPC, 'Contact: <sip:x@y.example>;+sip.instance="<urn:gsma:imei:forged>"'],
      '',
    ],
  ] as readonly (readonly [string, readonly string[], string])[])(
    'ok/a stranger calls a stranger: what a plan has taken out of %s stays out, and the call goes on',
    async (_, rows, tail) => {
      const callId = freshCallId();
      const answer = await toStranger(callId, rows, tail);
      expect(statusOf(answer), answer).toBe(486);
      const got = stranger.find(callId, 'INVITE') ?? '';
      expect(got).not.toContain('forged');
      for (const name of ['From', 'To', 'Contact', 'Call-ID', 'CSeq']) expect(rowsOf(got, name), got).toHaveLength(1);
    },
  );
});
