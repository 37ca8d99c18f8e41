/** Users who roam, through the border of their home network and through that of the network where they are (TS 24.229 §5.2.2, §5.10). */

import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, request } from '../support/live/caller.js';
import { builds } from '../support/live/kamailio.js';
import { answered, Party } from '../support/live/party.js';
import { headerOf, rowsOf, type SipText, statusOf } from '../support/live/sip-text.js';
import { Stage } from '../support/live/stage.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The sample border, which takes registrations: gives its path below the repository. */
function border(directory: string): string {
  const text = readFileSync(join(ROOT, 'kamailio-cfg/cscf.cfg'), 'utf8')
    .replace('../plugin/', () => join(ROOT, 'plugin/'))
    .replace(/^\tif \(is_method\("REGISTER"\)\) \{.*?^\t\}\n/ms, '');
  writeFileSync(join(directory, 'border.cfg'), text);
  return relative(ROOT, join(directory, 'border.cfg'));
}

const KEYS = 'ck="43434343434343434343434343434343", ik="49494949494949494949494949494949"';
const CHALLENGE = `Digest realm="own.example", nonce="AAECAwQFBgcICQ==", algorithm=AKAv1-MD5, ${KEYS}, qop="auth"`;
/** What an S-CSCF says to a user who is registered. */
const REGISTERED = [
  'Path: <sip:term@pcscf.a.example;lr>',
  'P-Associated-URI: <sip:alice@own.example>, <tel:+493012398>',
  'Service-Route: <sip:orig@scscf.own.example;lr>',
];
/** What a P-CSCF says of a user who registers. */
const REGISTERS = [
  'Path: <sip:term@pcscf.a.example;lr>',
  'Require: path',
  'P-Visited-Network-ID: "Visited a.example"',
  'P-Access-Network-Info: 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=26201000100000a',
  'P-Charging-Vector: icid-value="AyretyU0dm+6O2IrT5tAFrbHLso=023551024";orig-ioi="Type 1a.example"',
  'Authorization: Digest username="alice@own.example",realm="own.example",nonce="",uri="sip:own.example",response="",integrity-protected="no"',
];

describe.each(builds('full'))('users who roam, Kamailio $version', (build) => {
  let stage: Stage;
  let registrar: Party;
  let visited: Caller;

  beforeAll(async () => {
    stage = await Stage.start({
      build,
      partner: true,
      script: border,
      // The routes that take registrations stand in that script.
      lua: false,
      policy: (standard) => {
        const agreements = standard.agreements;
        const roaming = { interconnect: 'roaming', asserts: { transit: true } };
        const other = { name: 'op-n', domains: ['n.example'], asserts: { domains: ['n.example'] } };
        return {
          ...standard,
          agreements: [...agreements.map((each) => ({ ...each, ...roaming })), { ...agreements[0], ...other }],
        };
      },
      defines: (host) => ({
        NEXT_HOP: { string: `sip:${host(5)}:5060` },
        // As where the script loads ims_auth.
        ...{ SIPTRUST_REGISTRAR: '1', MOD_ims_auth: '1' },
      }),
    });
    const { network } = stage;
    registrar = await Party.start(network.host(5), network.ownCertificate());
    visited = await network.overTls(network.certificateOfA());
  });
  afterAll(async () => {
    registrar?.stop();
    await stage?.stop();
  });

  /** Sends a request of a user of ours, and gives what came of it. */
  async function sends(
    caller: Caller,
    method: string,
    ruri: string,
    headers: readonly string[],
  ): Promise<{ readonly callId: string; readonly answer: SipText }> {
    const callId = freshCallId();
    const user = '<sip:alice@own.example>';
    const transport = caller === stage.user ? 'UDP' : 'TLS';
    caller.send(request({ method, callId, ruri, from: `${user};tag=1`, to: user, headers, transport }));
    return { callId, answer: await caller.final(callId) };
  }

  it('ok/a user of ours is challenged elsewhere: the P-CSCF there gets the keys', async () => {
    const ours = 'P-Charging-Function-Addresses: ccf=secret.own.example';
    registrar.answer = (got) => [answered(got, '401 Unauthorized', [`WWW-Authenticate: ${CHALLENGE}`, ours])];
    const { callId, answer } = await sends(visited, 'REGISTER', 'sip:own.example', REGISTERS);
    expect(statusOf(answer)).toBe(401);
    expect(rowsOf(answer, 'WWW-Authenticate')).toEqual([CHALLENGE]);
    expect(answer).not.toContain('secret');
    const got = await registrar.received(callId, 'REGISTER');
    for (const row of REGISTERS) expect(got).toContain(`\r\n${row}\r\n`);
  });

  it('ok/and registers: what the network there needs arrives', async () => {
    registrar.answer = (got) => [answered(got, '200 OK', REGISTERED)];
    const { answer } = await sends(visited, 'REGISTER', 'sip:own.example', REGISTERS);
    expect(statusOf(answer)).toBe(200);
    for (const row of REGISTERED) expect(answer).toContain(`\r\n${row}\r\n`);
  });

  it('ok/and calls: by the identity that we gave', async () => {
    registrar.answer = (got) => [answered(got, '200 OK')];
    const identity = '<sip:alice@own.example>';
    const headers = [`P-Asserted-Identity: ${identity}`, 'P-Preferred-Identity: <sip:x@own.example>'];
    const { callId, answer } = await sends(visited, 'INVITE', 'sip:bob@own.example', headers);
    expect(statusOf(answer)).toBe(200);
    const got = await registrar.received(callId, 'INVITE');
    expect(rowsOf(got, 'P-Asserted-Identity')).toEqual([identity]);
    expect(rowsOf(got, 'P-Preferred-Identity')).toEqual([]);
  });

  it('ok/a user of a partner registers from here: the keys of its challenge arrive', async () => {
    stage.partner.answer = (got) => [answered(got, '401 Unauthorized', [`WWW-Authenticate: ${CHALLENGE}`])];
    const { callId, answer } = await sends(stage.user, 'REGISTER', 'sip:b.example', REGISTERS);
    expect(statusOf(answer)).toBe(401);
    expect(headerOf(answer, 'WWW-Authenticate')).toBe(CHALLENGE);
    const got = await stage.partner.received(callId, 'REGISTER');
    for (const row of REGISTERS) expect(got).toContain(`\r\n${row}\r\n`);
  });

  it('ok/a user of a partner, who is here, is called by others: with who calls, and whom', async () => {
    const home = await stage.network.overTls(stage.network.certificateOfA());
    const rows = [
      'P-Asserted-Identity: <sip:carol@c.example>, <tel:+4930123>',
      'P-Called-Party-ID: <sip:alice@a.example>',
    ];
    registrar.answer = (got) => [answered(got, '200 OK')];
    const { callId, answer } = await sends(home, 'INVITE', 'sip:alice@own.example', rows);
    expect(statusOf(answer)).toBe(200);
    const got = await registrar.received(callId, 'INVITE');
    for (const row of rows) expect(got).toContain(`\r\n${row}\r\n`);
  });

  /** Within a call, by the border, a Route that starts services of our users at an S-CSCF of Kamailio (ims_registrar_scscf, ims_isc). */
  async function originates(caller: Caller, user: string, between = ', ') {
    const callId = freshCallId();
    const { host, address } = stage.network;
    const route = `<sip:${user}@${host(5)}:5060;lr>`;
    const headers = [`Route: <sip:${address}:5061;transport=tls;lr>${between}${route}`];
    const terms = {
      callId,
      method: 'UPDATE',
      from: '<sip:alice@own.example>;tag=1',
      to: '<sip:bob@own.example>;tag=2',
    };
    registrar.answer = (got) => [answered(got, '200 OK')];
    caller.send(request({ ...terms, headers }));
    return { status: statusOf(await caller.final(callId)), got: registrar.find(callId, 'UPDATE'), route };
  }

  it('ok/a user of ours calls by the Service-Route that we gave', async () => {
    const { status, got, route } = await originates(visited, 'orig');
    expect(status).toBe(200);
    expect(rowsOf(got ?? '', 'Route')).toEqual([route]);
  });

  it.each([
    ...['orig', 'ORIG', 'iscmark', 'x:orig'].map((user) => [user, ', ']),
    ...[',\r\n ', '\r\nRoute: ', '\r\nroute : ', `;x=${'x'.repeat(12_000)}, `].map((between) => ['orig', between]),
  ] as const)(
    'fail/a stranger starts no services of our users: Route with %s@ behind %j',
    async (user = '', between = '') => {
      const { status, got } = await originates(await stage.network.overTls(), user, between);
      expect([status, got]).toEqual([404, undefined]);
    },
  );
  it('fail/nor does a partner where none of them roams', async () => {
    const partner = await stage.network.overTls(stage.network.certificateOfA({ names: ['DNS:n.example'] }));
    const { status, got } = await originates(partner, 'orig');
    expect([status, got]).toEqual([404, undefined]);
  });

  it('fail/no stranger registers with an S-CSCF, whose own challenge no gate sees: SIPTRUST_REGISTRAR does not count', async () => {
    const { callId, answer } = await sends(await stage.network.overTls(), 'REGISTER', 'sip:own.example', []);
    expect(answer).toMatch(/^SIP\/2[.]0 403 Registration Not Allowed/);
    expect(registrar.find(callId, 'REGISTER')).toBeUndefined();
  });

  it('fail/a stranger gets no key, nor do we from one', async () => {
    registrar.answer = (got) => [answered(got, '401 Unauthorized', [`WWW-Authenticate: ${CHALLENGE}`])];
    const stranger = await stage.network.overTls();
    const { answer } = await sends(stranger, 'INVITE', 'sip:bob@own.example', []);
    expect(rowsOf(answer, 'WWW-Authenticate')).toEqual([CHALLENGE.replace(` ${KEYS},`, '')]);
    stage.stranger.answer = (got) => [answered(got, '401 Unauthorized', [`WWW-Authenticate: ${CHALLENGE}`])];
    const back = await sends(stage.user, 'INVITE', stage.stranger.uri('udp'), []);
    expect(rowsOf(back.answer, 'WWW-Authenticate')).toEqual([CHALLENGE.replace(` ${KEYS},`, '')]);
  });
});
