/** The header table through the live proxy: what a stranger sends, and what leaves for one (rulebook §10.3, T-51 to T-77). */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, type RequestTerms, request } from '../support/live/caller.js';
import { builds } from '../support/live/kamailio.js';
import { Network } from '../support/live/network.js';
import { headerOf, rowsOf, type SipText, startLine, statusOf } from '../support/live/sip-text.js';
import { Uas } from '../support/live/uas.js';

describe.each(builds('smoke'))('the boundary, Kamailio $version', (build) => {
  let network: Network;
  let trusted: Caller;
  let stranger: Caller;
  let user: Caller;
  /** A called party outside, over UDP. */
  let outside: Uas;

  beforeAll(async () => {
    network = await Network.start({
      build,
      policy: (standard) => ({ ...standard, defaults: { privacy: 'ims24229' } }),
    });
    trusted = await network.overTls(network.certificateOfA());
    stranger = await network.overTls(network.certificateOfA({ names: ['DNS:c.example'] }));
    user = await network.ownUser();
    outside = await Uas.start(network.host(12));
  });
  afterAll(async () => {
    outside?.stop();
    await network?.stop();
  });

  async function call(caller: Caller, terms: RequestTerms): Promise<{ callId: string; answer: SipText }> {
    const callId = freshCallId();
    caller.send(request({ callId, transport: caller === user ? 'UDP' : 'TLS', ...terms }));
    return { callId, answer: await caller.final(callId) };
  }

  /** What our own side gets of a call that must succeed. */
  async function arrives(caller: Caller, terms: RequestTerms): Promise<SipText> {
    const { callId, answer } = await call(caller, terms);
    expect(statusOf(answer)).toBe(200);
    return network.uas.received(callId, terms.method ?? 'INVITE');
  }

  /** What a called party outside gets of a call of our own user. */
  async function leaves(terms: RequestTerms): Promise<SipText> {
    const ruri = `sip:bob@${network.host(12)}:5060;transport=udp`;
    const { callId, answer } = await call(user, { ruri, ...terms });
    expect(statusOf(answer)).toBe(200);
    return outside.received(callId, 'INVITE');
  }

  it('ok/T-51 of a trusted peer’s identities the first SIP and the first tel URI stay', async () => {
    const headers = [
      'P-Asserted-Identity: <sip:alice@a.example>, <sip:second@a.example>, <tel:+49301234>',
      'P-Asserted-Identity: <mailto:alice@a.example>, <sips:alice@a.example>',
    ];
    const got = await arrives(trusted, { headers });
    expect(rowsOf(got, 'P-Asserted-Identity').join(', ')).toBe('<sip:alice@a.example>, <tel:+49301234>');
  });

  it('fail/T-68 a private network that the agreement does not name', async () => {
    const got = await arrives(trusted, { headers: ['P-Private-Network-Indication: other.example'] });
    expect(rowsOf(got, 'P-Private-Network-Indication')).toEqual([]);
  });

  /** What a stranger sends, what must not arrive of it, and what must. */
  const FROM_STRANGERS: readonly (readonly [id: string, terms: RequestTerms, gone: RegExp, kept: RegExp])[] = [
    [
      'T-52 an identity embedded in Refer-To',
      {
        method: 'REFER',
        headers: ['Refer-To: <sip:carol@own.example?P-Asserted-Identity=%3Csip%3Ax%40a.example%3E&Replaces=1>'],
      },
      /P-Asserted-Identity/i,
      /Refer-To:[^\r]*sip:carol@own\.example/,
    ],
    [
      'T-55 compact forms are what they stand for',
      {
        headers: [
          'y: signed;info=<https://cert.example/1>',
          'k: histinfo, timer',
          'P-Asserted-Identity: <sip:x@a.example>',
        ],
      },
      /P-Asserted-Identity/i,
      /\r\n(y|Identity): signed/,
    ],
    [
      'T-61 orig in the Request-URI',
      { ruri: 'sip:bob@own.example;orig', headers: ['Subject: kept'] },
      /;orig/,
      /Subject: kept/,
    ],
    ['T-61 iotl in the Request-URI', { ruri: 'sip:bob@own.example;iotl=homea-homeb' }, /iotl/, /^INVITE/],
    [
      'T-62 cpc in the user part, and after the host',
      { from: '<sip:+4930123;cpc=operator@a.example;user=phone;cpc=test>;tag=alice' },
      /cpc/,
      /From:[^\r]*\+4930123/,
    ],
    [
      'T-63 verstat in three places',
      {
        from: '<sip:+4930123;verstat=TN-Validation-Passed@a.example;user=phone;verstat=TN-Validation-Passed>;verstat=TN-Validation-Passed;tag=alice',
      },
      /verstat/i,
      /tag=alice/,
    ],
    [
      'RFC 4694 §7, RFC 4904 §8: what chooses the way of a call, and who pays',
      {
        ruri: 'sip:+1202;npdi;rn=+1900;cic=+1-6789;tgrp=free;trunk-context=gw.own.example@own.example;user=phone;dtg=free',
        from: '<sip:+4930123;rn=+1900;otg=TG1@a.example;user=phone>;tag=alice',
        to: '<tel:+1202;enumdi;cic=+1-6789>',
        headers: ['Contact: <sip:+4930123;tgrp=free;trunk-context=a.example@sbc.a.example>'],
      },
      /;(?:npdi|rn|cic|enumdi|tgrp|trunk-context|[od]tg)\b/,
      /^INVITE sip:\+1202@own\.example;user=phone /,
    ],
    ['T-64 Priority psap-callback', { headers: ['Priority: psap-callback'] }, /psap-callback/, /^INVITE/],
    ['T-64 Priority urgent stays', { headers: ['Priority: urgent'] }, /^$/, /Priority: urgent/],
    [
      'T-65 Resource-Priority with its option tag',
      { headers: ['Resource-Priority: ets.0', 'Require: resource-priority'] },
      /resource-priority/i,
      /^INVITE/,
    ],
    [
      'T-66 the claim of an authentication that somebody else has done',
      {
        headers: [
          'Authorization: Digest username="a@a.example",realm="a",integrity-protected="auth-done",nonce="1",uri="sip:a",response="1"',
        ],
      },
      /integrity-protected/,
      /Digest username/,
    ],
    [
      'T-67 what only our own network sets',
      {
        headers: [
          'P-Served-User: <sip:x@own.example>',
          'P-Profile-Key: <sip:x@own.example>',
          'P-Charging-Vector: icid-value=1',
        ],
      },
      /P-(Served|Profile|Charging)/i,
      /^INVITE/,
    ],
  ];
  it.each(FROM_STRANGERS)('fail/%s', async (_id, terms, gone, kept) => {
    const got = await arrives(stranger, terms);
    expect(got).not.toMatch(gone);
    expect(got).toMatch(kept);
  });

  it('fail/T-73 breaking into calls is refused', async () => {
    const { callId, answer } = await call(stranger, { headers: ['P-DCS-OSPS: BLV'] });
    expect(statusOf(answer)).toBe(403);
    expect(network.uas.find(callId, 'INVITE')).toBeUndefined();
  });

  it('ok/T-54 an identity in a body is passed on, not believed', async () => {
    const body = 'SIP/2.0 200 OK\r\nP-Asserted-Identity: <sip:x@a.example>\r\n';
    const headers = ['Content-Type: message/sipfrag', 'P-Asserted-Identity: <sip:x@a.example>'];
    const got = await arrives(stranger, { method: 'NOTIFY', headers, body });
    expect(rowsOf(got, 'P-Asserted-Identity')).toEqual([]);
    expect(got.endsWith(body)).toBe(true);
  });

  // Over TLS Kamailio takes some 16 KB in one piece, and drops the connection where there is more.
  it.each([
    ['200 rows', Array.from({ length: 200 }, (_, at) => `P-Asserted-Identity: <sip:x${at}@a.example>`)],
    [
      '700 values in a row',
      [`P-Asserted-Identity: ${Array.from({ length: 700 }, () => '<sip:x@a.example>').join(',')}`],
    ],
  ])('fail/T-75 %s: answered, and none of them arrives', async (_what, headers) => {
    const { callId, answer } = await call(stranger, { headers });
    expect([200, 400, 513]).toContain(statusOf(answer));
    const got = network.uas.find(callId, 'INVITE');
    if (got !== undefined) expect(rowsOf(got, 'P-Asserted-Identity')).toEqual([]);
  });

  it('fail/T-52 an identity embedded in the Contact of a redirection by a stranger', async () => {
    outside.options = {
      status: '302 Moved Temporarily',
      provisional: [],
      extra: ['Contact: <sip:carol@d.example?P-Asserted-Identity=%3Csip%3Ax%40a.example%3E>'],
    };
    const { answer } = await call(user, { ruri: `sip:bob@${network.host(12)}:5060;transport=udp` });
    outside.options = {};
    expect(startLine(answer)).toContain('302');
    expect(answer).not.toMatch(/P-Asserted-Identity/i);
    expect(answer).toContain('sip:carol@d.example');
  });

  it('ok/what gateways of ours say of the way of a call leaves, and comes in from a partner (RFC 4904 §8)', async () => {
    const from = '<sip:+4930123;rn=+4930;tgrp=one@own.example;user=phone>;tag=1';
    expect(headerOf(await leaves({ from }), 'From')).toBe(from);
    const theirs = from.replace('own', 'a');
    expect(headerOf(await arrives(trusted, { from: theirs }), 'From')).toBe(theirs);
  });

  it.each(['request', 'answer'])('ok/Privacy: user: what tells of the user leaves in no %s', async (what) => {
    const headers = [
      'Privacy: user',
      'Server: secret/1',
      'Warning: 399 secret.own.example "x"',
      'Referred-By: <sip:secret@own.example>',
    ];
    let got: SipText;
    if (what === 'request') got = await leaves({ headers });
    else {
      network.uas.options = { extra: headers };
      got = (await call(stranger, {})).answer;
      network.uas.options = {};
    }
    expect(rowsOf(got, 'Privacy')).toEqual(['user']);
    expect(got).not.toContain('secret');
  });

  it.each(['application/QSIG;version=iso', 'application/gtd'])('fail/%s of a stranger', async (type) => {
    const { callId, answer } = await call(stranger, { headers: [`Content-Type: ${type}`], body: 'x' });
    expect(statusOf(answer)).toBe(415);
    expect(network.uas.find(callId, 'INVITE')).toBeUndefined();
  });

  /** A body of parts, each given by its header lines and what it holds. */
  const ofParts = (...parts: readonly (readonly [head: string, text: string])[]): string =>
    `${parts.map(([head, text]) => `--part\r\n${head}\r\n\r\n${text}\r\n`).join('')}--part--\r\n`;
  const SDP = ['Content-Type: application/sdp', 'v=0\r\n'] as const;
  const PARTS = ['Content-Type: multipart/mixed;boundary=part'];

  it.each([
    ['ISUP', 'Content-Type: application/ISUP;base=itu-t92+'],
    ['a folded line', 'c:\r\n application/\r\n isup'],
    ['a part of a part', `Content-Type: multipart/mixed;boundary=in\r\n\r\n--in\r\nContent-Type:application/qsig`],
    ['3GPP', 'Content-Type: application/vnd.3gpp.sms'],
  ])('ok/RFC 3204: nobody takes for signalling what a stranger brings as a part of a body: %s', async (_what, head) => {
    const body = ofParts([head, '\0\x01forged'], SDP);
    // By the expressions, by the list, and by a plan.
    for (const row of [
      'Subject: kept',
      'P-Asserted-Identity: <sip:x@a.example>',
      'Reply-To: <sip:x@a.example;cpc=1>',
    ]) {
      const got = await arrives(stranger, { headers: [...PARTS, row], body });
      expect(got).not.toMatch(/application\/\s*(?:isup|qsig|vnd)/i);
      expect(got).toContain('application/x-untrusted');
      expect(got.endsWith(ofParts(SDP))).toBe(true);
      expect(Number(headerOf(got, 'Content-Length'))).toBe(got.split('\r\n\r\n').slice(1).join('\r\n\r\n').length);
    }
    const theirs = await arrives(trusted, { headers: PARTS, body });
    expect(theirs.endsWith(body)).toBe(true);
  });

  it.each([
    ['behind a NUL', ofParts(['Content-Type: image/x', '\0'], ['Content-Type: application/isup', 'forged'])],
    ['nine times', ofParts(...Array.from({ length: 9 }, () => ['Content-Type: application/isup', 'forged'] as const))],
  ])('fail/nor where Kamailio does not take it out: %s', async (_where, body) => {
    const { callId, answer } = await call(stranger, { headers: PARTS, body });
    expect(statusOf(answer)).toBe(415);
    expect(network.uas.find(callId, 'INVITE')).toBeUndefined();
  });

  it('ok/nor is anything taken out of what our own side acknowledges', async () => {
    const ruri = `sip:bob@${network.host(12)}:5060;transport=udp`;
    const { callId, answer } = await call(user, { ruri });
    expect(statusOf(answer)).toBe(200);
    const headers = [
      ...[...rowsOf(answer, 'Record-Route')].reverse().map((row) => `Route: ${row}`),
      ...PARTS,
      'P-Asserted-Identity: <sip:c@own.example>',
    ];
    const body = ofParts(SDP, ['Content-Type: application/isup', 'one\0'], ['Content-Type: application/isup', 'two']);
    const to = headerOf(answer, 'To') ?? '';
    user.send(request({ callId, method: 'ACK', ruri, to, transport: 'UDP', headers, body }));
    const got = await outside.received(callId, 'ACK');
    expect(rowsOf(got, 'P-Asserted-Identity')).toEqual([]);
    expect(got.endsWith(body)).toBe(true);
  });

  it('ok/T-60 of the history, what our own users want hidden does not leave', async () => {
    const got = await leaves({
      headers: [
        'History-Info: <sip:secret@own.example?Privacy=history>;index=1, <sip:open@d.example?Privacy=history>;index=1.1',
      ],
    });
    const history = rowsOf(got, 'History-Info').join(', ');
    expect(history).toContain('anonymous.invalid');
    expect(history).toContain('sip:open@d.example');
    expect(history).not.toMatch(/secret|Privacy/);
  });

  it('ok/T-77 a signed identity leaves, whatever privacy is asked for', async () => {
    const got = await leaves({
      headers: [
        'Identity: signed;info=<https://cert.example/1>',
        'Privacy: id',
        'P-Asserted-Identity: <sip:c@own.example>',
      ],
    });
    expect(rowsOf(got, 'Identity')).toHaveLength(1);
    expect(rowsOf(got, 'P-Asserted-Identity')).toEqual([]);
    expect(rowsOf(got, 'Privacy')).toEqual(['id']);
  });
});
