/** Bodies of several parts: what nobody may bring who is not trusted (RFC 3204) reaches nobody as a part, either. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, inDialog, request } from '../support/live/caller.js';
import { OpensipsNetwork } from '../support/live/opensips-network.js';
import { bodyOf, rowsOf, statusOf } from '../support/live/sip-text.js';
import { BUILD, theBuild } from './stage.js';

const SDP = 'v=0\r\no=- 1 1 IN IP4 10.1.1.1\r\n';
const OF_PARTS = 'Content-Type: multipart/mixed;boundary=part';
const FIELDS = ['Subject: kept', 'P-Asserted-Identity: <sip:forged@a.example>', 'Reply-To: <sip:x@a.example;cpc=1>'];

/** A body of parts, each given by its header lines and what it holds. */
const ofParts = (...parts: readonly (readonly [head: string, text: string])[]): string =>
  `${parts.map(([head, text]) => `--part\r\n${head}\r\n\r\n${text}\r\n`).join('')}--part--\r\n`;
const OFFER = ['Content-Type: application/sdp', SDP] as const;

/** What a script may do with a body, by who calls. */
const EDITS = {
  replaced: 'replace_body("IN", "OUT");',
  all: 'replace_body_all("1", "22");',
  substituted: 'subst_body("/10/11/g");',
  codecs: 'codec_delete("PCMU");',
  streams: 'stream_delete("audio");',
  removed: 'remove_body_part();',
  sdp: 'remove_body_part("application/sdp");',
  others: 'remove_body_part("application/sdp", "revert");',
  added: 'add_body_part("x", "text/plain");',
  appended: 'search_append_body("v=0", "x");',
};
const EDITED = Object.entries(EDITS)
  .map(([from, line]) => `\tif ($fU == "${from}") {\n\t\t${line}\n\t}\n`)
  .join('');

describe.skipIf(BUILD === undefined)('a body of parts', () => {
  let network: OpensipsNetwork;
  let outsider: Caller;
  beforeAll(async () => {
    network = await OpensipsNetwork.start({
      build: theBuild(),
      uas: { provisional: [] },
      edit: (sample) => sample.replace('\troute(SIPTRUST_IN);\n', (line) => line + EDITED),
    });
    outsider = await network.udp();
  });
  afterAll(() => network?.stop());

  async function called(caller: Caller, body: string, row: string, terms: object = {}) {
    const callId = freshCallId();
    caller.send(request({ callId, method: 'INVITE', headers: [OF_PARTS, row], body, ...terms }));
    const answer = await caller.final(callId);
    return { answer, got: network.uas.find(callId, 'INVITE') ?? '' };
  }
  const expectWhole = (got: string) => expect(rowsOf(got, 'Content-Length')).toEqual([`${bodyOf(got)?.length ?? 0}`]);

  it.each([
    ['ISUP', 'Content-Type: application/ISUP;base=itu-t92+', '\x01forged'],
    [
      'ISUP behind a NUL',
      'Content-Type: image/x\r\n\r\n\0\r\n--part\r\nContent-Type: application/isup',
      '\0\x01forged',
    ],
    [
      'a part of a part',
      'Content-Type: multipart/mixed;boundary=in\r\n\r\n--in\r\nContent-Type:application/qsig',
      'forged',
    ],
    ['3GPP', 'Content-Type: application/vnd.3gpp.sms', 'forged'],
    ['IMS', 'Content-Type: application/3gpp-ims+xml', 'forged'],
  ])(
    'ok/nobody takes for signalling what a stranger brings in one: %s; the offer goes on',
    async (_what, head, text) => {
      for (const body of [ofParts(OFFER, [head, text]), ofParts([head, text], OFFER)]) {
        for (const row of FIELDS) {
          const { answer, got } = await called(outsider, body, row);
          expect(statusOf(answer), answer).toBe(200);
          expect(got).not.toMatch(/application\/\s*(?:isup|qsig|vnd|3gpp)|forged/i);
          expect(rowsOf(got, 'Content-Type')).toEqual(['application/sdp']);
          expect(bodyOf(got)).toBe(SDP);
          expectWhole(got);
        }
      }
      expect(network.proxy.running).toBe(true);
    },
  );

  it('ok/nor in a body that is longer than what OpenSIPS writes in hexadecimal digits', async () => {
    const long = 'forged'.repeat(6_000);
    const body = ofParts(OFFER, ['Content-Type: application/isup', long]);
    const { answer, got } = await called(outsider, body, 'Subject: kept');
    expect(statusOf(answer), answer).toBe(200);
    expect(bodyOf(got)).toBe(SDP);
    expectWhole(got);
  });

  it.each([
    [[OF_PARTS, 'Content-Type: application/sdp']],
    [[OF_PARTS, 'c: application/sdp']],
    [['Content-Type: application/sdp', OF_PARTS.replace('Content-Type', 'c')]],
  ])('fail/nor by the one of two types that another reader goes by: %s', async (headers) => {
    const callId = freshCallId();
    const body = ofParts(OFFER, ['Content-Type: application/isup', 'forged']);
    outsider.send(request({ callId, method: 'INVITE', headers, body }));
    expect(statusOf(await outsider.final(callId))).toBe(415);
    expect(network.uas.find(callId, 'INVITE')).toBeUndefined();
  });

  it('ok/nor where there is no offer, or the part that bears it has other fields', async () => {
    const isup = ['Content-Type: application/isup', 'forged'] as const;
    for (const [body, left] of [
      [ofParts(isup), undefined],
      [ofParts(isup, ['P-Asserted-Identity: <sip:forged@own.example>\r\nContent-Type: application/sdp', SDP]), SDP],
      [ofParts(['Content-Type: application/isup\r\nContent-Type: application/sdp', SDP]), SDP],
    ] as const) {
      const { answer, got } = await called(outsider, body, 'Subject: kept');
      expect(statusOf(answer), answer).toBe(200);
      expect(got).not.toMatch(/isup|forged/i);
      expect(bodyOf(got) ?? '').toBe(left ?? '');
      expectWhole(got);
    }
  });

  it.each([
    [
      'boundaries of another name',
      ofParts(['Content-Type: application/isup', 'forged']).replaceAll('--part', '--other'),
    ],
    ['a folded line', ofParts(OFFER, ['c:\r\n application/\r\n isup', 'forged'])],
  ])('fail/nor where OpenSIPS cannot tell the parts: %s', async (_what, body) => {
    const { answer, got } = await called(outsider, body, 'Subject: kept');
    // (3.4 takes all of it out.)
    expect(statusOf(answer)).toBe(theBuild().version.startsWith('3.4') ? 200 : 415);
    expect(got).not.toMatch(/isup|forged/i);
  });

  it.each(Object.keys(EDITS))('ok/nor is anything wrong where the script edits what is left: %s', async (from) => {
    const body = ofParts(['Content-Type: application/isup', '\0forged'], OFFER);
    const { answer, got } = await called(outsider, body, 'Subject: kept', { from: `<sip:${from}@a.example>;tag=1` });
    expect(statusOf(answer), answer).toBe(200);
    expect(got).not.toMatch(/isup|forged/i);
    expectWhole(got);
    expect(network.proxy.running).toBe(true);
  });

  it('ok/other parts go on as they came, and so does what a partner brings', async () => {
    const harmless = ofParts(OFFER, ['Content-Type: application/pidf+xml', '<x/>'], ['Content-Type: image/x', '\0']);
    expect(bodyOf((await called(outsider, harmless, 'Subject: kept')).got)).toBe(harmless);
    const theirs = ofParts(OFFER, ['Content-Type: application/isup', '\0\x01kept']);
    const partner = await network.tls(network.certificateOfA());
    expect(bodyOf((await called(partner, theirs, 'Subject: kept')).got)).toBe(theirs);
  });

  it('ok/nor in a call for help, or in an ACK', async () => {
    const body = ofParts(['Content-Type: application/isup', 'forged'], OFFER);
    for (const row of [...FIELDS, 'Contact: <sip:x@y.example?P-Asserted-Identity=forged>']) {
      const { answer, got } = await called(outsider, body, row, { ruri: 'urn:service:sos' });
      expect(statusOf(answer), answer).toBe(200);
      expect(got).not.toMatch(/isup|forged/i);
      expect(rowsOf(got, 'Content-Type')).toEqual(['application/sdp']);
      expect(bodyOf(got)).toBe(SDP);
      expectWhole(got);
    }
    for (const row of [...FIELDS, 'Refer-To: <sip:x@y.example?P-Asserted-Identity=forged>']) {
      const { answer } = await called(outsider, SDP, 'Content-Type: application/sdp');
      const { route, ...terms } = inDialog(answer);
      const ack = request({ ...terms, transport: 'UDP', method: 'ACK', headers: [...route, OF_PARTS, row], body });
      outsider.send(ack);
      const got = await network.uas.received(terms.callId ?? '', 'ACK');
      expect(got).not.toMatch(/isup|forged/i);
      expect(rowsOf(got, 'Content-Type')).toEqual(['application/sdp']);
      expect(bodyOf(got)).toBe(SDP);
      expectWhole(got);
    }
  });
});
