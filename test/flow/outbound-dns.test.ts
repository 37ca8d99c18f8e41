/** Calls that leave for where DNS says: rulebook §7, T-8, T-9, T-49, N-9, N-11; a real name server with right and wrong zones. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, request } from '../support/live/caller.js';
import type { Policy } from '../support/live/daemon.js';
import { builds } from '../support/live/kamailio.js';
import { Network } from '../support/live/network.js';
import { eventually, loopbackBlock } from '../support/live/places.js';
import { expectNothingPrivate, expectRelayed } from '../support/live/relayed.js';
import { methodOf, rowsOf, statusOf } from '../support/live/sip-text.js';
import { TlsUas, Uas } from '../support/live/uas.js';
import { type NameServer, noNameServer, startNameServer } from '../support/name-server.js';

const CAROL = 'P-Asserted-Identity: "Carol" <sip:carol@own.example>';

const missing = noNameServer();
if (missing !== undefined) console.warn(`outbound-dns.test.ts is not run: ${missing}`);

/** TLS first, as RFC 3263 §4.1 and the seed's §3 want it. */
function good(address: string): string {
  return `
@ 5 IN NAPTR 10 10 "s" "SIPS+D2T" "" _sips._tcp
@ 5 IN NAPTR 20 10 "s" "SIP+D2U" "" _sip._udp
_sips._tcp 5 IN SRV 10 0 5061 sbc
_sip._udp 5 IN SRV 10 0 5060 sbc
sbc 5 IN A ${address}`;
}

/** The same with everything gone that speaks of TLS. */
function downgraded(address: string): string {
  return good(address).replaceAll(/^.*(?:SIPS|_sips).*$/gm, '');
}

/** Addresses of those who are called. */
const at = loopbackBlock();
/** The proxy of the sample has sockets of IPv4 alone. */
const NO_SOCKET = '2001:db8::9';

describe.skipIf(missing !== undefined).each(builds('smoke'))('outbound by DNS, Kamailio $version', (build) => {
  let server: NameServer;
  let network: Network;
  /** With an agreement for late.example. */
  let withLate: Policy;
  let user: Caller;
  let b: TlsUas;
  let liar: TlsUas;
  let late: TlsUas;
  /** One machine, and an agreement for each name in its certificate. */
  let both: TlsUas;
  /** Where records without TLS lead. */
  let overUdp: Uas;

  beforeAll(async () => {
    server = await startNameServer({
      'b.example': `${good(at(1))}\nsbc 5 IN AAAA ${NO_SOCKET}`,
      'bare.example': downgraded(at(3)),
      'lie.example': good(at(2)),
      'stranger.example': downgraded(at(3)),
      'half.example': good(at(3)),
      'late.example': good(at(4)),
      'home.example': good(at(5)),
      'roams.example': good(at(5)),
    });
    network = await Network.start({
      build,
      defines: () => ({ SIPTRUST_FAMILIES: { string: ' ipv4 ' } }),
      policy: (standard) => {
        const [a, ofB] = standard.agreements;
        const like = (name: string, domain: string, more: object = {}) => ({
          ...ofB,
          name,
          domains: [domain],
          ...more,
        });
        const agreements = [
          a,
          ofB,
          like('op-bare', 'bare.example', { require_tls: true }),
          like('op-lie', 'lie.example', { require_tls: true }),
          like('op-home', 'home.example'),
          like('op-roams', 'roams.example', { interconnect: 'roaming' }),
        ];
        const daemon = { dns: { servers: [server.text] } };
        // Each message is asked for.
        const planned = like('op-late', 'late.example', { headers: { Organization: { in: 'remove' } } });
        withLate = { ...standard, agreements: [...agreements, planned], daemon };
        return { ...standard, agreements, daemon };
      },
      before: async ({ pki, cast }) => {
        const identity = (name: string) => pki.certificate({ issuer: cast.operatorB, names: [`DNS:${name}`] });
        b = await TlsUas.start(at(1), identity('b.example'));
        liar = await TlsUas.start(at(2), identity('liar.example'));
        overUdp = await Uas.start(at(3));
        late = await TlsUas.start(at(4), identity('late.example'));
        const names = ['DNS:home.example', 'DNS:roams.example'];
        both = await TlsUas.start(at(5), pki.certificate({ issuer: cast.operatorB, names }));
      },
    });
    user = await network.ownUser();
    await network.proven('b.example', 60_000);
  });
  afterAll(async () => {
    b?.stop();
    liar?.stop();
    overUdp?.stop();
    late?.stop();
    both?.stop();
    await network?.stop();
    await server?.close();
  });

  async function call(to: string) {
    const callId = freshCallId();
    const sent = request({ callId, ruri: `sip:bob@${to}`, transport: 'UDP', headers: [CAROL] });
    user.send(sent);
    return { sent, callId, answer: await user.final(callId) };
  }

  it('ok/a partner is found by NAPTR and SRV, and reached over the proven connection', async () => {
    const { sent, callId, answer } = await call('b.example');
    expect(statusOf(answer)).toBe(200);
    expectRelayed(await b.received(callId, 'INVITE'), sent);
    expect(b.serverNames[0]).toBe('b.example');
    // Where SIPTRUST_FAMILIES leaves a family out, no place of it is tried.
    expect(network.cscf.log).not.toContain(NO_SOCKET);
  });

  it.each([
    ['the address', `${at(1)}:5061;transport=tls`],
    ['the host, as its Record-Route has it,', 'sbc.b.example:5061;transport=tls'],
  ])('fail/T-37 %s is not the name of a partner; and does its connection no harm', async (_, there) => {
    const { sent, callId } = await call(there);
    expectRelayed(await b.received(callId, 'INVITE'), sent, ['P-Asserted-Identity']);
    b.options = { extra: ['P-Asserted-Identity: <sip:bob@b.example>'] };
    const { answer } = await call('b.example');
    b.options = {};
    expect(rowsOf(answer, 'P-Asserted-Identity')).toEqual(['<sip:bob@b.example>']);
  });

  it('ok/answers of a partner are planned as its own, where another name led to it before the agreement did', async () => {
    late.options = { extra: ['P-Asserted-Identity: <sip:bob@late.example>'] };
    const first = await call('sbc.late.example:5061;transport=tls');
    expect(rowsOf(first.answer, 'P-Asserted-Identity')).toEqual([]);
    await network.reload(withLate);
    await network.proven('late.example', 60_000);
    const { answer } = await call('late.example');
    expect(rowsOf(answer, 'P-Asserted-Identity')).toEqual(['<sip:bob@late.example>']);
  });

  it('ok/of two agreements of a partner at one place, its answers have what that without roaming lets through', async () => {
    await network.proven('home.example', 60_000);
    await network.proven('roams.example', 60_000);
    for (const domain of ['home.example', 'roams.example', 'home.example']) {
      const said = `<sip:bob@${domain}>`;
      both.options = { extra: [`P-Asserted-Identity: ${said}`, `P-Called-Party-ID: ${said}`] };
      const { sent, callId, answer } = await call(domain);
      expectRelayed(await both.received(callId, 'INVITE'), sent);
      expect(rowsOf(answer, 'P-Asserted-Identity')).toEqual([said]);
      expect(rowsOf(answer, 'P-Called-Party-ID')).toEqual([]);
      // What is planned, is planned by that one.
      both.options = { extra: ['Reply-To: <sip:bob@home.example;orig>'] };
      expect(rowsOf((await call(domain)).answer, 'Reply-To')).toEqual(['<sip:bob@home.example>']);
    }
  });

  it('fail/T-8 records without TLS, where the agreement requires it: nothing is sent, an alarm is raised', async () => {
    const { callId, answer } = await call('bare.example');
    expect(statusOf(answer)).toBe(503);
    expect(overUdp.find(callId, 'INVITE')).toBeUndefined();
    const hop = await network.daemon.call('hop.resolve', { domain: 'bare.example' });
    expect(hop).toMatchObject({ action: 'reject', reason: 'tls-downgrade' });
  });

  it('fail/T-49 records that lead to somebody else: nothing is sent', async () => {
    const { answer } = await call('lie.example');
    expect(statusOf(answer)).toBe(503);
    expect(liar.got.filter((text) => methodOf(text) !== 'OPTIONS')).toEqual([]);
  });

  it('ok/a network without agreement and without TLS is called, stripped', async () => {
    const { sent, callId, answer } = await call('stranger.example');
    expect(statusOf(answer)).toBe(200);
    expectRelayed(await overUdp.received(callId, 'INVITE'), sent, ['P-Asserted-Identity']);
  });

  it('fail/T-9 a network that offers TLS, which does not answer: not over UDP instead', async () => {
    const { callId, answer } = await call('half.example');
    expect(statusOf(answer)).toBeGreaterThanOrEqual(400);
    expect(overUdp.find(callId, 'INVITE')).toBeUndefined();
  });

  it('fail/N-11 the records of a partner lose TLS: an alarm, and nothing private takes the other way', async () => {
    await server.write('b.example', downgraded(at(3)));
    await eventually(
      'the daemon sees it',
      () => /alarm: tls-downgrade.*"domain":"b\.example"/.test(network.daemon.log),
      60_000,
    );
    await eventually(
      'calls take the other way',
      async () => {
        const { callId, answer } = await call('b.example');
        if (statusOf(answer) !== 200) return false;
        const got = overUdp.find(callId, 'INVITE');
        if (got !== undefined) expectNothingPrivate(got);
        return got !== undefined;
      },
      60_000,
    );
  });
});
