/** What a policy lets strangers have (defaults.privacy), though the strictest list would not. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, inDialog, request } from '../support/live/caller.js';
import { OpensipsNetwork } from '../support/live/opensips-network.js';
import { answered, Party } from '../support/live/party.js';
import { rowsOf, statusOf } from '../support/live/sip-text.js';
import { BUILD, theBuild } from './stage.js';

describe.skipIf(BUILD === undefined).each(['rfc3325', 'ims24229'])('privacy: %s', (mode) => {
  let network: OpensipsNetwork;
  let stranger: Party;
  let user: Caller;

  beforeAll(async () => {
    network = await OpensipsNetwork.start({
      build: theBuild(),
      edit: (script, host) =>
        script.replace(
          'route[RELAY] {\n',
          (line) => `${line}\tif ($ru =~ "^urn:") {\n\t\t$du = "sip:${host(12)}:5060";\n\t}\n`,
        ),
      settings: { siptrust_stranger: `"untrusted-${mode}"` },
      policy: (standard) => ({ ...standard, defaults: { privacy: mode } }),
    });
    const identity = network.pki.certificate({ issuer: network.operatorB, names: ['DNS:stranger.example'] });
    stranger = await Party.start(network.host(12), identity);
    user = await network.user();
    await network.polled();
  });
  afterAll(async () => {
    stranger?.stop();
    await network?.stop();
  });

  async function sent(
    headers: readonly string[],
    ruri = stranger.uri('udp', 'any'),
  ): Promise<{ readonly status: number; readonly arrived: string }> {
    const callId = freshCallId();
    const terms = { callId, method: 'MESSAGE', transport: 'UDP', from: '<sip:user@own.example>;tag=1' } as const;
    user.send(request({ ...terms, ruri, headers }));
    return { status: statusOf(await user.final(callId)), arrived: stranger.find(callId, 'MESSAGE') ?? '' };
  }

  it.each(['P-Asserted-Identity: <sip:user@own.example>', 'Diversion: <sip:other@own.example>;reason=unknown'])(
    'ok/RFC 3325 §7 who wants no privacy is told to strangers: %s',
    async (row) => {
      // TS 24.229 §4.4.2: without a word of it, the identity stays here.
      const { status, arrived } = await sent([row, 'Privacy: none']);
      expect(status).toBe(200);
      expect(rowsOf(arrived, row.slice(0, row.indexOf(':')))).toHaveLength(1);
    },
  );

  it('ok/TS 24.229 §4.4.13 what a phone can do is told by ims24229 alone', async () => {
    const { status, arrived } = await sent(['Feature-Caps: *;+g.3gpp.srvcc']);
    expect(status).toBe(200);
    expect(rowsOf(arrived, 'Feature-Caps')).toHaveLength(mode === 'ims24229' ? 1 : 0);
  });

  it('fail/RFC 3323 §5 who must have what no proxy can do hears which', async () => {
    for (const [critical, phrase] of [
      ['header;critical', 'Privacy Failure: header'],
      ['session;user;critical', 'Privacy Failure: session, user'],
      ['b_c;critical', 'Privacy Failure'],
    ]) {
      const caller = await network.udp();
      const callId = freshCallId();
      caller.send(request({ callId, method: 'MESSAGE', transport: 'UDP', headers: [`Privacy: ${critical}`] }));
      expect((await caller.final(callId)).split('\r\n')[0]).toBe(`SIP/2.0 500 ${phrase}`);
      expect(network.uas.find(callId, 'MESSAGE')).toBeUndefined();
      expect(await sent([`Privacy: ${critical}`])).toEqual({ status: 500, arrived: '' });
    }
  });

  it('fail/who asks for privacy is not', async () => {
    const { status, arrived } = await sent(['P-Asserted-Identity: <sip:user@own.example>', 'Privacy: id']);
    expect(status).toBe(200);
    expect(rowsOf(arrived, 'P-Asserted-Identity')).toEqual([]);
  });

  it('ok/RFC 6442 §3.2 from where somebody calls for help is told to whoever takes the call', async () => {
    const { status, arrived } = await sent(['Geolocation: <cid:where@own.example>'], 'urn:service:sos');
    expect(status).toBe(200);
    expect(rowsOf(arrived, 'Geolocation')).toHaveLength(1);
  });

  it.each([undefined, 'urn:service:sos'])('ok/RFC 7255 §8 and by which handset, to nobody else: %s', async (ruri) => {
    const contact = '<sip:user@own.example>;+sip.instance="<urn:gsma:imei:35622410-483840-0>"';
    const { status, arrived } = await sent([`Contact: ${contact}`], ruri);
    expect(status).toBe(200);
    expect(rowsOf(arrived, 'Contact').at(-1)).toBe(ruri === undefined ? '<sip:user@own.example>' : contact);
  });

  it('fail/nor to whoever answers as urn:service:sos', async () => {
    const before = stranger.answer;
    const place = `Record-Route: <${stranger.uri('udp')};lr>\r\n`;
    stranger.answer = (text) => [
      answered(text, '200 OK', ['Contact: <urn:service:sos>']).replace('Record-Route', `${place}Record-Route`),
    ];
    const callId = freshCallId();
    const terms = { transport: 'UDP', from: '<sip:user@own.example>;tag=1' } as const;
    user.send(request({ ...terms, callId, ruri: stranger.uri('udp', 'any') }));
    const { route, ...dialog } = inDialog(await user.final(callId));
    const secret = [
      'Geolocation: <cid:secret@own.example>',
      'Contact: <sip:u@own.example>;+sip.instance="<urn:gsma:imei:secret>"',
    ];
    // (ACK last: where something is kept back, others hear so.)
    for (const method of ['UPDATE', 'BYE', 'ACK']) {
      user.send(request({ ...terms, ...dialog, callId, method, cseq: 2, headers: [...route, ...secret] }));
      if (method !== 'ACK') expect(statusOf(await user.final(callId, method))).toBe(200);
      const got = await stranger.received(callId, method);
      expect(got).toContain(`${method} urn:service:sos SIP/2.0`);
      expect(got).not.toContain('secret');
    }
    stranger.answer = before;
  });
});
