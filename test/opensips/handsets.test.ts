/** The number of a handset in Contact (RFC 7255 §8): no stranger gets it, and no call of a mobile phone fails or needs a question for it. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, inDialog, type RequestTerms, request } from '../support/live/caller.js';
import { replaced } from '../support/live/opensips.js';
import { OpensipsNetwork } from '../support/live/opensips-network.js';
import { answered, Party } from '../support/live/party.js';
import { eventually } from '../support/live/places.js';
import { methodOf, rowsOf, type SipText, statusOf } from '../support/live/sip-text.js';
import { BUILD, theBuild } from './stage.js';

const IMEI = ';+sip.instance="<urn:gsma:imei:35622410-483840-0>"';
/** What a phone says of itself besides (TS 24.229 §5.1.1.2). */
const TAGS =
  ';+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service.ims.icsi.mmtel";+g.3gpp.mid-call;+g.3gpp.srvcc-alerting;audio;video';
const OWN = '<sip:user@own.example>';
const TERMS = { transport: 'UDP', from: `${OWN};tag=1` } as const;

/** The Contact of the request in place of that of every test. */
function told(terms: RequestTerms, rows: readonly string[]): SipText {
  return request(terms).replace(/^Contact: .*$/m, rows.join('\r\n'));
}

describe.skipIf(BUILD === undefined)('the number of a handset', () => {
  let network: OpensipsNetwork;
  let stranger: Party;
  let other: Party;
  let user: Caller;
  let outsider: Caller;

  beforeAll(async () => {
    network = await OpensipsNetwork.start({
      build: theBuild(),
      edit: (sample, host) =>
        replaced(sample, [
          [
            '\t# No open relay',
            `\tif ($rU == "transit") {\n\t\t$ru = "sip:any@${host(12)}:5060";\n\t\troute(RELAY);\n\t}\n\t# No open relay`,
          ],
          ['route[RELAY] {\n', 'route[RELAY] {\n\tif ($rU == "busy") {\n\t\tt_on_failure("SECOND");\n\t}\n'],
        ]).concat(
          `\nfailure_route[SECOND] {\n\troute(SIPTRUST_SHUT);\n\tif (t_check_status("486")) {\n\t\t$ru = "sip:second@${host(13)}:5060";\n\t\tt_relay();\n\t}\n}\n`,
        ),
    });
    const identity = network.pki.certificate({ issuer: network.operatorB, names: ['DNS:stranger.example'] });
    stranger = await Party.start(network.host(12), identity);
    other = await Party.start(network.host(13), identity);
    user = await network.user();
    outsider = await network.udp();
    await network.polled();
  });
  afterAll(async () => {
    stranger?.stop();
    other?.stop();
    await network?.stop();
  });

  async function called(
    method: string,
    rows: readonly string[],
    more: RequestTerms = {},
  ): Promise<{ readonly got: SipText; readonly questions: readonly string[] }> {
    const before = network.relay.questions.length;
    const callId = freshCallId();
    user.send(told({ callId, method, ruri: stranger.uri('udp', 'any'), ...TERMS, ...more }, rows));
    const answer = await user.final(callId);
    expect(statusOf(answer), answer).toBe(200);
    const got = stranger.find(callId, method) ?? '';
    expect(got.slice(0, got.indexOf('\r\n\r\n'))).not.toMatch(/gsma:imei|device-id:meid/i);
    return { got, questions: network.relay.questions.slice(before) };
  }

  it.each([
    ['alone', [`Contact: ${OWN}${IMEI}`], [OWN]],
    ['among much else', [`Contact: ${OWN}${TAGS}${TAGS}${IMEI}${TAGS}`], [OWN + TAGS + TAGS + TAGS]],
    [
      'in the first of two rows, the other one a long one',
      [`Contact: ${OWN}${IMEI}`, `m: <sip:b@own.example>;x=${'x'.repeat(900)}`],
      [OWN, `<sip:b@own.example>;x=${'x'.repeat(900)}`],
    ],
    [
      'twice, by the short name, in other letters',
      [`M : ${OWN} ; +Sip.Instance = "<URN:device-id:MEID:A0>"${IMEI};audio`],
      [`${OWN} ;audio`],
    ],
    ['before a fold', [`Contact: ${OWN}${IMEI}\r\n ${TAGS}`], [`${OWN}\r\n ${TAGS}`]],
    [
      'in a row of 30,000 bytes',
      [`Contact: ${OWN};x=${'x'.repeat(30_000)}${IMEI}`],
      [`${OWN};x=${'x'.repeat(30_000)}`],
    ],
    ['500 times', [`Contact: ${OWN}${IMEI.repeat(500)};audio`], [`${OWN};audio`]],
  ])('fail/%s: it goes by the list, and all else stays', async (_, rows, left) => {
    for (const method of ['MESSAGE', 'INVITE']) {
      const { got, questions } = await called(method, rows);
      expect(rowsOf(got, 'Contact')).toEqual(left);
      expect(questions).toEqual([]);
    }
  });

  it.each([
    ['no quotes', `Contact: ${OWN};+sip.instance=<urn:gsma:imei:1>`],
    ['an escape', `Contact: ${OWN};+sip.instance="<urn:gsma:imei:1>\\""`],
    ['an odd one of 700 bytes', `Contact: ${OWN}${TAGS.repeat(6)};+sip.instance=<urn:gsma:imei:1>`],
  ])('fail/%s: a matter for the plan', async (_, row) => {
    const callId = freshCallId();
    const before = network.relay.questions.length;
    user.send(told({ callId, method: 'MESSAGE', ruri: stranger.uri('udp', 'any'), ...TERMS }, [row]));
    await user.final(callId);
    expect(stranger.find(callId, 'MESSAGE') ?? '').not.toMatch(/imei/i);
    expect(network.relay.questions.slice(before)).toEqual(['trust.message']);
  });

  it.each([
    ['beside one in Contact', `Contact: ${OWN}${IMEI}`],
    ['and nowhere else', `Contact: ${OWN}`],
  ])('ok/what a body or another field says stays as it is, %s', async (_, row) => {
    const body = `Contact: <sip:x@own.example>${IMEI}\r\n`;
    const headers = ['Content-Type: text/plain', `Subject: x${IMEI}`];
    const { got } = await called('MESSAGE', [row], { body, headers: headers.slice(0, 1) });
    expect(got.endsWith(`\r\n\r\n${body}`), got).toBe(true);
    expect(rowsOf(got, 'Contact').join()).toBe(OWN);
    const callId = freshCallId();
    user.send(told({ callId, method: 'MESSAGE', ruri: stranger.uri('udp', 'any'), ...TERMS, headers }, [row]));
    expect(statusOf(await user.final(callId))).toBe(200);
    const arrived = stranger.find(callId, 'MESSAGE') ?? '';
    expect(rowsOf(arrived, 'Subject')).toEqual([`x${IMEI}`]);
    expect(rowsOf(arrived, 'Contact').join()).toBe(OWN);
  });

  it('fail/in the ACK and the BYE of a call', async () => {
    const callId = freshCallId();
    const contact = [`Contact: ${OWN}${TAGS}${IMEI}`];
    user.send(told({ callId, ...TERMS, ruri: stranger.uri('udp', 'any') }, contact));
    const { route, ...within } = inDialog(await user.final(callId));
    for (const [cseq, method] of [
      [1, 'ACK'],
      [2, 'BYE'],
    ] as const) {
      user.send(told({ ...within, callId, method, cseq, ...TERMS, headers: route }, contact));
      const got = await eventually(`${method} arrives`, () => stranger.find(callId, method));
      expect(rowsOf(got, 'Contact')).toEqual([OWN + TAGS]);
    }
  });

  it('fail/to a second place, where the first one is busy', async () => {
    const { answer } = stranger;
    stranger.answer = (text) => (methodOf(text) === 'INVITE' ? [answered(text, '486 Busy Here')] : []);
    const callId = freshCallId();
    user.send(told({ callId, ...TERMS, ruri: stranger.uri('udp', 'busy') }, [`Contact: ${OWN}${TAGS}${IMEI}`]));
    expect(statusOf(await user.final(callId))).toBe(200);
    stranger.answer = answer;
    for (const party of [stranger, other])
      expect(rowsOf(party.find(callId, 'INVITE') ?? '', 'Contact')).toEqual([OWN + TAGS]);
  });

  it('fail/in transit, in a request and in its answer', async () => {
    const callId = freshCallId();
    outsider.send(
      told({ callId, transport: 'UDP', ruri: 'sip:transit@own.example' }, [`Contact: <sip:a@a.example>${TAGS}${IMEI}`]),
    );
    expect(statusOf(await outsider.final(callId))).toBe(200);
    expect(rowsOf(stranger.find(callId, 'INVITE') ?? '', 'Contact')).toEqual([`<sip:a@a.example>${TAGS}`]);

    const { answer } = stranger;
    stranger.answer = (text, at) =>
      methodOf(text) === 'INVITE'
        ? [answered(text, '200 OK', [`Contact: <sip:b@b.example>${TAGS}${IMEI}`])]
        : answer(text, at);
    const second = freshCallId();
    outsider.send(request({ callId: second, transport: 'UDP', ruri: 'sip:transit@own.example' }));
    const got = await outsider.final(second);
    stranger.answer = answer;
    expect(statusOf(got)).toBe(200);
    expect(rowsOf(got, 'Contact')).toEqual([`<sip:b@b.example>${TAGS}`]);
  });

  it('fail/in the answer of our own side', async () => {
    network.uas.options = { extra: [`Contact: ${OWN}${TAGS}${IMEI}`] };
    const before = network.relay.questions.length;
    const callId = freshCallId();
    outsider.send(request({ callId, method: 'MESSAGE', transport: 'UDP' }));
    const got = await outsider.final(callId);
    network.uas.options = {};
    expect(statusOf(got)).toBe(200);
    expect(rowsOf(got, 'Contact')).toContain(OWN + TAGS);
    expect(got).not.toContain('imei');
    expect(network.relay.questions.slice(before)).toEqual([]);
  });

  it('fail/without siptrustd', async () => {
    await network.daemon.stop();
    await eventually('nobody answers', () => network.proxy.log.includes('no answer from'));
    for (const method of ['MESSAGE', 'INVITE']) {
      const { got } = await called(method, [`Contact: ${OWN}${TAGS}${IMEI}${TAGS}${TAGS}`]);
      expect(rowsOf(got, 'Contact')).toEqual([OWN + TAGS + TAGS + TAGS]);
    }
    const callId = freshCallId();
    user.send(
      told({ callId, method: 'MESSAGE', ruri: stranger.uri('udp', 'any'), ...TERMS }, [
        `Contact: ${OWN}${TAGS}${TAGS}${TAGS};+sip.instance=<urn:gsma:imei:1>`,
      ]),
    );
    expect(statusOf(await user.final(callId))).toBe(503);
  });
});
