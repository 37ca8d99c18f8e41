/** What leaves for other networks: rulebook G-3, O-1 to O-6, R-4, T-14 to T-16, T-48, T-49; design rule 7. */

import { createHash, X509Certificate } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Caller, freshCallId, inDialog, type RequestTerms, request, tlsCaller } from '../support/live/caller.js';
import type { Policy, StandardPolicy } from '../support/live/daemon.js';
import { builds } from '../support/live/kamailio.js';
import { Network } from '../support/live/network.js';
import { answered } from '../support/live/party.js';
import type { Identity } from '../support/live/pki.js';
import { eventually } from '../support/live/places.js';
import { expectNothingPrivate, expectRelayed } from '../support/live/relayed.js';
import { headerOf, methodOf, rowsOf, type SipText, startLine, statusOf } from '../support/live/sip-text.js';
import { TlsUas, Uas } from '../support/live/uas.js';

const CAROL = 'P-Asserted-Identity: "Carol" <sip:carol@own.example>';

describe.each(builds('smoke'))('outbound, Kamailio $version', (build) => {
  let network: Network;
  /** A user of our own side. */
  let user: Caller;
  let b: TlsUas;
  let liar: TlsUas;
  let otherCa: TlsUas;
  let stranger: TlsUas;
  let quiet: TlsUas;
  let fresh: TlsUas;
  /** The two places of one partner. */
  let first: TlsUas;
  let second: TlsUas;

  /** The standard agreements, and some more that are B's in all but name and place. */
  function policyOf(standard: StandardPolicy, host: (host: number) => string): Policy {
    const [a, ofB] = standard.agreements;
    const like = (name: string, domain: string, at: number, more: object = {}) => ({
      ...ofB,
      ...{ name, domains: [domain], targets: [`${host(at)}:5061`], ...more },
    });
    return {
      ...standard,
      agreements: [
        a,
        // The certificate of the partner names one of its domains.
        like('op-b', 'b.example', 10, { domains: ['b.example', 'second.example'] }),
        like('op-liar', 'liar.example', 11),
        like('op-other-ca', 'otherca.example', 12, { require_tls: true }),
        like('op-silent', 'silent.example', 14, { require_tls: true }),
        like('op-quiet', 'quiet.example', 17),
        like('op-fresh', 'fresh.example', 18),
        like('op-client', 'client.example', 22),
        // Its place is not known yet.
        like('op-later', 'later.example', 23, { targets: undefined }),
        // No socket of the proxy leads there.
        like('op-six', 'six.example', 0, { targets: ['[2001:db8::1]:5061'] }),
        like('op-two', 'two.example', 15, { targets: [`${host(15)}:5061`, `${host(16)}:5061`] }),
      ],
    };
  }

  beforeAll(async () => {
    network = await Network.start({
      build,
      // (A name that any machine finds, in place of the one in the certificate.)
      defines: (host) => ({ TRANSIT: '', OUTSIDE_TLS: `tls:${host(2)}:5061 advertise localhost:5061` }),
      policy: policyOf,
      before: async ({ host, pki, cast: { operatorA, operatorB } }) => {
        const at = (place: number, issuer: typeof operatorA, name: string) =>
          TlsUas.start(host(place), pki.certificate({ issuer, names: [`DNS:${name}`] }));
        b = await at(10, operatorB, 'b.example');
        liar = await at(11, operatorB, 'somebody.example');
        otherCa = await at(12, operatorA, 'otherca.example');
        stranger = await at(13, operatorB, 'stranger.example');
        quiet = await at(17, operatorB, 'quiet.example');
        quiet.options = { quiet: true };
        fresh = await at(18, operatorB, 'fresh.example');
        first = await at(15, operatorB, 'two.example');
        second = await at(16, operatorB, 'two.example');
      },
    });
    user = await network.ownUser();
    await proven('b.example');
  });
  afterAll(async () => {
    for (const place of [b, liar, otherCa, stranger, quiet, first, second]) place?.stop();
    await network?.stop();
  });

  /** The proxy has a connection that is proven to lead to this domain. */
  function proven(domain: string): Promise<unknown> {
    return network.proven(domain);
  }

  /** How many connections are trusted to lead to this domain. */
  function provenConnections(domain: string): number {
    return network.provenConnections(domain);
  }

  async function call(to: string, terms: RequestTerms = {}, caller = user) {
    const callId = freshCallId();
    const sent = request({
      callId,
      ruri: `sip:bob@${to}`,
      transport: 'UDP',
      headers: [CAROL, 'Subject: kept'],
      ...terms,
    });
    caller.send(sent);
    return { sent, callId, answer: await caller.final(callId) };
  }

  function reached(place: TlsUas): readonly SipText[] {
    return place.got.filter((text) => methodOf(text) !== 'OPTIONS');
  }

  it('ok/a partner is greeted before anybody calls, by its name and without anything private', async () => {
    const [greeting = ''] = b.got;
    expect(methodOf(greeting)).toBe('OPTIONS');
    expectNothingPrivate(greeting);
    expect(greeting).not.toMatch(/own\.example|carol/);
    // One connection for both domains of the place: whichever was greeted first.
    expect(['b.example', 'second.example']).toContain(b.serverNames[0]);
  });

  it('ok/of a place that no socket leads to the log says that, and not that a line of the script is missing', async () => {
    const line = 'tls:[2001:db8::1]:5061 (six.example) does not answer';
    await eventually('the place is given up', () => network.cscf.log.includes(line));
    expect(network.cscf.log).not.toContain('route(SIPTRUST_LOCAL)');
  });

  it('ok/what our users assert reaches a partner, byte for byte, over the proven connection', async () => {
    const connections = b.serverNames.length;
    const { sent, callId, answer } = await call('b.example', { headers: [CAROL, 'Privacy: id'] });
    expect(statusOf(answer)).toBe(200);
    expectRelayed(await b.received(callId, 'INVITE'), sent);
    expect(b.serverNames).toHaveLength(connections);
  });

  it.each([';cpc=ordinary', '?X=secret'])(
    'fail/the Route that led to us stays here, whatever it bears: %s',
    async (rest) => {
      const headers = [`Route: <sip:${network.host(3)}:5060;lr${rest}>`];
      const { callId, answer } = await call(`${stranger.host}:${stranger.port};transport=tls`, { headers });
      expect(statusOf(answer)).toBe(200);
      expect(rowsOf(await stranger.received(callId, 'INVITE'), 'Route')).toEqual([]);
    },
  );

  it.each(['', ';transport=tls;orig', ';transport=tls;transport=tls;gw=own', ';transport=tls?X-A=1'])(
    'ok/ACK and BYE of the call take the same way, and name the Contact of the partner as he does: %s',
    async (rest) => {
      const { callId, answer } = await call('b.example');
      const { route, ...answered } = inDialog(answer);
      // Both go to the address in the partner's Contact, which its agreement lists: by TLS, whether it says so or not (as Yate does not), or twice (as FreeSWITCH may).
      const ruri = `sip:uas@${b.host}:${b.port}${rest}`;
      const dialog = { ...answered, ruri, transport: 'UDP', headers: [...route, CAROL] };
      user.send(request({ ...dialog, method: 'ACK' }));
      user.send(request({ ...dialog, method: 'BYE', cseq: 2 }));
      const ack = await b.received(callId, 'ACK');
      expectNothingPrivate(ack);
      expect(startLine(ack)).toBe(`ACK ${ruri} SIP/2.0`);
      expect(rowsOf(await b.received(callId, 'BYE'), 'P-Asserted-Identity')).toHaveLength(1);
    },
  );

  it('ok/a stranger called by TLS whose Contact names no transport, as that of Net::SIP: ACK and BYE leave by a socket that faces him', async () => {
    const { callId, answer } = await call(`${stranger.host}:${stranger.port};transport=tls`);
    const { route, ...answered } = inDialog(answer);
    const phone = await Uas.start(stranger.host);
    try {
      const ruri = `sip:uas@${phone.host}:${phone.port}`;
      const dialog = { ...answered, ruri, transport: 'UDP', headers: [...route, CAROL] };
      user.send(request({ ...dialog, method: 'ACK' }));
      user.send(request({ ...dialog, method: 'BYE', cseq: 2 }));
      for (const method of ['ACK', 'BYE']) {
        const got = await phone.received(callId, method);
        expectNothingPrivate(got);
        expect(headerOf(got, 'Via')).toMatch(`SIP/2.0/UDP ${network.address}`);
      }
    } finally {
      phone.stop();
    }
  });

  it('ok/a Route to this proxy, as an outbound proxy is written, ends here: nobody behind it would send the call back', async () => {
    const { callId, sent, answer } = await call('b.example', { headers: [`Route: <sip:${network.host(3)}:5060;lr>`] });
    expect(statusOf(answer)).toBe(200);
    expectRelayed(await b.received(callId, 'INVITE'), sent, ['Route']);
    const from = request({ headers: [`Route: <sip:${network.address}:5061;transport=tls;lr>`] });
    b.send(from);
    expectRelayed(await network.uas.received(headerOf(from, 'Call-ID') ?? '', 'INVITE'), from, ['Route']);
  });

  it('ok/a partner that was called hangs up by the name that the socket advertises, as its TLS holds ours against that', async () => {
    const { callId, answer } = await call('b.example');
    const got = await b.received(callId, 'INVITE');
    const route = rowsOf(got, 'Record-Route').map((value) => `Route: ${value}`);
    expect(route[0]).toContain('<sip:localhost:5061;transport=tls;');
    const [from = '', to = ''] = [headerOf(answer, 'To'), headerOf(got, 'From')];
    b.send(request({ callId, method: 'BYE', ruri: `sip:carol@${user.source}`, from, to, headers: route }));
    await eventually('the BYE arrives', () =>
      user.answers.some((text) => methodOf(text) === 'BYE' && headerOf(text, 'Call-ID') === callId),
    );
  });

  it('fail/a network without agreement gets nothing private', async () => {
    const { sent, callId, answer } = await call(`${network.host(13)}:5061;transport=tls`);
    expect(statusOf(answer)).toBe(200);
    expectRelayed(await stranger.received(callId, 'INVITE'), sent, ['P-Asserted-Identity']);
  });

  it('fail/a partner over UDP gets nothing private', async () => {
    const overUdp = await Uas.start(network.host(19));
    const { sent, callId, answer } = await call(`${overUdp.host}:${overUdp.port};transport=udp`);
    expect(statusOf(answer)).toBe(200);
    expectRelayed(await overUdp.received(callId, 'INVITE'), sent, ['P-Asserted-Identity']);
    overUdp.stop();
  });

  it('ok/T-48 a second domain of the partner, at a place that its agreement names, is the partner’s, too', async () => {
    const { sent, callId, answer } = await call('second.example');
    expect(statusOf(answer)).toBe(200);
    expectRelayed(await b.received(callId, 'INVITE'), sent);
    // And the first keeps its connection.
    const after = await call('b.example');
    expectRelayed(await b.received(after.callId, 'INVITE'), after.sent);
  });

  it('fail/T-49 a server with somebody else’s name gets nothing private', async () => {
    await eventually('the liar was greeted', () => liar.got.length > 0);
    const { sent, callId, answer } = await call('liar.example');
    expect(statusOf(answer)).toBe(200);
    expectRelayed(await liar.received(callId, 'INVITE'), sent, ['P-Asserted-Identity']);
  });

  it('fail/T-14 the right name from another CA', async () => {
    const { answer } = await call('otherca.example');
    expect(statusOf(answer)).toBe(503);
    expect(reached(otherCa)).toEqual([]);
  });

  it('fail/T-8 nobody answers at a place that must be proven', async () => {
    // As phones send it that have an outbound proxy: the ACK of the refusal has the same Route, and is for the proxy alone.
    const headers = [`Route: <sip:${network.host(3)}:5060;lr>`];
    const { callId, sent, answer } = await call('silent.example', { headers });
    expect(statusOf(answer)).toBe(503);
    const branch = /;branch=([^;\r\n]+)/.exec(headerOf(sent, 'Via') ?? '')?.[1] ?? '';
    const to = headerOf(answer, 'To') ?? '';
    user.send(
      request({ callId, branch, to, ruri: 'sip:bob@silent.example', transport: 'UDP', method: 'ACK', headers }),
    );
    // It is repeated after half a second where nothing has confirmed it.
    await pause(1200);
    expect(user.answers.filter((text) => headerOf(text, 'Call-ID') === callId && statusOf(text) === 503)).toHaveLength(
      1,
    );
  });

  it('ok/a partner that answers no OPTIONS is proven by the answer to its first call, which leaves stripped', async () => {
    const before = await call('quiet.example');
    expectNothingPrivate(await quiet.received(before.callId, 'INVITE'));
    await proven('quiet.example');
    const after = await call('quiet.example');
    expectRelayed(await quiet.received(after.callId, 'INVITE'), after.sent);
  });

  it('fail/one URI with maddr does not lead others to where it goes', async () => {
    await proven('fresh.example');
    const there = `fresh.example;maddr=${network.host(13)}`;
    // Nobody is there: what matters is that the proxy has found out where it leads.
    user.send(request({ ruri: `sip:bob@${there}`, transport: 'UDP', headers: [CAROL] }));
    await eventually('the way is known', () =>
      network.cscf.rpc('htable.dump', 'siptrust_hops').includes(`maddr=${network.host(13)}`),
    );
    const { sent, callId } = await call('fresh.example');
    expectRelayed(await fresh.received(callId, 'INVITE'), sent);
  });

  /** The policy in force where only this key may stand for a partner. */
  function policyWithPin(pin: string, of = 'op-b'): Policy {
    const standard = policyOf(network.standardPolicy, network.host);
    const agreements = standard.agreements as { name: string }[];
    return {
      ...standard,
      agreements: agreements.map((one) => (one.name === of ? { ...one, pins: [`sha256/${pin}`] } : one)),
    };
  }

  it('fail/T-46 an agreement that grants no more counts no more for the next call; its connection is opened anew, once', async () => {
    const connections = b.serverNames.length;
    await network.reload(policyWithPin(`${'A'.repeat(43)}=`));
    const { sent, callId, answer } = await call('b.example');
    expect(statusOf(answer)).toBe(200);
    expectRelayed(await b.received(callId, 'INVITE'), sent, ['P-Asserted-Identity']);
    await network.reload(policyOf(network.standardPolicy, network.host));
    await proven('b.example');
    expect(b.serverNames).toHaveLength(connections + 1);
  });

  it('ok/a partner that has a new key is proven by that, though the connection of before stands', async () => {
    const renewed = network.pki.certificate({ issuer: network.cast.operatorB, names: ['DNS:b.example'] });
    const spki = new X509Certificate(renewed.pem).publicKey.export({ type: 'spki', format: 'der' });
    b.present(renewed);
    await network.reload(policyWithPin(createHash('sha256').update(spki).digest('base64')));
    await proven('b.example');
    await network.reload(policyOf(network.standardPolicy, network.host));
    await proven('b.example');
  });

  it('ok/a connection that is lost is opened again, and what leaves meanwhile leaves stripped', async () => {
    b.hangUp();
    const { callId, answer } = await call('b.example');
    if (statusOf(answer) === 200) expectNothingPrivate(await b.received(callId, 'INVITE'));
    else expect(statusOf(answer)).toBeGreaterThanOrEqual(400);
    await eventually(
      'the partner is proven again',
      async () => {
        const again = await call('b.example');
        return (
          statusOf(again.answer) === 200 &&
          rowsOf(await b.received(again.callId, 'INVITE'), 'P-Asserted-Identity').length === 1
        );
      },
      15_000,
    );
  });

  // (Before 6.1 the event of a connection that closes bears no id.)
  it.runIf(build.version >= '6.1')('ok/of a connection that has closed nothing stays', async () => {
    const connections = () => network.cscf.rpc('htable.dump', 'siptrust_servers').match(/name: \d+:\s/g)?.length ?? 0;
    const before = connections();
    const partner = await network.overTls(network.certificateOfA());
    await call('b.example', { headers: [], transport: 'TLS' }, partner);
    expect(connections()).toBe(before + 1);
    partner.close();
    await eventually('it is forgotten', () => connections() === before);
  });

  describe('a partner that calls from the port where it is called, as where it reuses ports', () => {
    async function from(
      place: number,
      domain: string,
      extendedKeyUsage = 'serverAuth,clientAuth',
      further: readonly string[] = [],
    ): Promise<Caller> {
      const issuer = network.cast.operatorB;
      const names = [domain, ...further].map((name) => `DNS:${name}`);
      const identity = network.pki.certificate({ issuer, names, extendedKeyUsage });
      // (Where nobody has answered for four seconds, others go first.)
      fresh.stop();
      const partner = await tlsCaller(network.address, 5061, identity, network.host(place), undefined, 5061);
      onTestFinished(() => partner.close());
      await callsUs(partner, domain);
      return partner;
    }

    /** Its call arrives as it was sent. */
    async function callsUs(partner: Caller, domain: string): Promise<void> {
      const headers = [`P-Asserted-Identity: <sip:dave@${domain}>`];
      const sent = request({ from: `<sip:dave@${domain}>;tag=1`, headers });
      partner.send(sent);
      expectRelayed(await network.uas.received(headerOf(sent, 'Call-ID') ?? '', 'INVITE'), sent);
    }

    /** Our call arrives over its connection as it was sent. */
    async function isCalled(partner: Caller, domain: string): Promise<void> {
      const sent = request({ ruri: `sip:bob@${domain}`, transport: 'UDP', headers: [CAROL] });
      user.send(sent);
      const callId = headerOf(sent, 'Call-ID');
      const arrived = () =>
        partner.answers.find((text) => methodOf(text) === 'INVITE' && headerOf(text, 'Call-ID') === callId);
      expectRelayed(await eventually('the call is there', arrived), sent);
    }

    /** It answers an OPTIONS, as if of ours. */
    function answersOptions(partner: Caller, domain: string): void {
      const row = (name: string) => `${name}: <sip:a@${domain}>;tag=1`;
      const rows = ['Via: SIP/2.0/TLS gone.example;branch=z9hG4bKgone', row('From'), row('To'), 'CSeq: 1 OPTIONS'];
      partner.send(['SIP/2.0 200 OK', ...rows, 'Call-ID: gone', 'Content-Length: 0', '', ''].join('\r\n'));
    }

    it('ok/is called over its connection, where the certificate is a server’s, too', async () => {
      await isCalled(await from(18, 'fresh.example'), 'fresh.example');
    });

    it('ok/and where that certificate is a long one', async () => {
      const tenants = Array.from({ length: 300 }, (_, at) => `tenant-${at}.fresh.example`);
      await isCalled(await from(18, 'fresh.example', 'serverAuth,clientAuth', tenants), 'fresh.example');
    });

    it('ok/is called so where its place is learnt after it has called', async () => {
      const partner = await from(23, 'later.example');
      const later = { ...policyOf(network.standardPolicy, network.host) };
      const agreements = later.agreements as { name: string }[];
      const targets = [`${network.host(23)}:5061`];
      await network.reload({
        ...later,
        agreements: agreements.map((one) => (one.name === 'op-later' ? { ...one, targets } : one)),
      });
      await callsUs(partner, 'later.example');
      await eventually('the place is known', () =>
        partner.answers.some((text) => methodOf(text) === 'OPTIONS' && text.includes('later.example')),
      );
      answersOptions(partner, 'later.example');
      await proven('later.example');
      await isCalled(partner, 'later.example');
      await network.reload(policyOf(network.standardPolicy, network.host));
    });

    it('fail/T-46 has outlived its key there: its connection ends with its answer to an OPTIONS, if it sends none itself', async () => {
      const partner = await from(18, 'fresh.example');
      await network.reload(policyWithPin(`${'A'.repeat(43)}=`, 'op-fresh'));
      answersOptions(partner, 'fresh.example');
      await eventually('the connection is closed', () => partner.closed);
      await network.reload(policyOf(network.standardPolicy, network.host));
    });

    it('ok/stays a partner where it is a client’s alone, whatever comes first after a reload', async () => {
      const partner = await from(22, 'client.example', 'clientAuth');
      await network.reload(policyOf(network.standardPolicy, network.host));
      answersOptions(partner, 'client.example');
      await callsUs(partner, 'client.example');
    });
  });

  describe('a partner with two places', () => {
    /** A call that ends well, and where it went. */
    async function answeredAt(): Promise<{ readonly place: TlsUas; readonly sent: SipText; readonly callId: string }> {
      const { sent, callId, answer } = await call('two.example');
      expect(statusOf(answer)).toBe(200);
      const place = [second, first].find((one) => one.find(callId, 'INVITE') !== undefined);
      if (place === undefined) throw new Error('nobody got the INVITE');
      return { place, sent, callId };
    }

    beforeAll(() => eventually('both places are proven', () => provenConnections('two.example') === 2, 10_000));

    it('ok/calls go to the first', async () => {
      const { place, sent, callId } = await answeredAt();
      expect(place).toBe(first);
      expectRelayed(await place.received(callId, 'INVITE'), sent);
    });

    it('ok/after a 503 to the second, whole again', async () => {
      first.options = { status: '503 Service Unavailable' };
      const { place, sent, callId } = await answeredAt();
      first.options = {};
      expect(place).toBe(second);
      expectRelayed(await second.received(callId, 'INVITE'), sent);
    });

    it('ok/to the second while the first is away, and back again', async () => {
      const certificate = network.pki.certificate({ issuer: network.cast.operatorB, names: ['DNS:two.example'] });
      first.stop();
      await eventually('only one place is proven', async () => (await answeredAt()).place === second, 10_000);
      first = await TlsUas.start(network.host(15), certificate);
      await eventually('the first is back', async () => (await answeredAt()).place === first, 15_000);
    });
  });

  describe('of another network, passed on', () => {
    let trusted: Caller;
    beforeAll(async () => {
      trusted = await network.overTls(network.certificateOfA());
    });
    const ALICE = 'P-Asserted-Identity: <sip:alice@a.example>';

    it('ok/what a trusted peer asserts goes on to a partner', async () => {
      const { sent, callId, answer } = await call('b.example', { headers: [ALICE], transport: 'TLS' }, trusted);
      expect(statusOf(answer)).toBe(200);
      expectRelayed(await b.received(callId, 'INVITE'), sent);
    });

    it('fail/but not to a stranger', async () => {
      const there = `${network.host(13)}:5061;transport=tls`;
      const { sent, callId } = await call(there, { headers: [ALICE], transport: 'TLS' }, trusted);
      expectRelayed(await stranger.received(callId, 'INVITE'), sent, ['P-Asserted-Identity']);
    });

    it('ok/T-12 what is rewritten on the way in goes on rewritten', async () => {
      const headers = ['P-Asserted-Identity: <sip:alice@a.example>, <sip:eve@other.example>'];
      const { callId, answer } = await call('b.example', { headers, transport: 'TLS' }, trusted);
      expect(statusOf(answer)).toBe(200);
      const got = await b.received(callId, 'INVITE');
      expect(rowsOf(got, 'P-Asserted-Identity')).toEqual(['<sip:alice@a.example>']);
    });

    it('fail/and to a stranger not at all', async () => {
      const headers = ['P-Asserted-Identity: <sip:alice@a.example>, <sip:eve@other.example>'];
      const there = `${network.host(13)}:5061;transport=tls`;
      const { callId, answer } = await call(there, { headers, transport: 'TLS' }, trusted);
      expect(statusOf(answer)).toBe(200);
      expectNothingPrivate(await stranger.received(callId, 'INVITE'));
    });
  });

  it('ok/what a partner sends over the connection that we opened is the partner’s', async () => {
    const callId = freshCallId();
    b.send(request({ callId, headers: ['P-Asserted-Identity: <sip:bob@b.example>'] }));
    const got = await network.uas.received(callId, 'INVITE');
    expect(rowsOf(got, 'P-Asserted-Identity')).toEqual(['<sip:bob@b.example>']);
  });

  it('fail/T-12 and bound to what the partner may assert', async () => {
    const callId = freshCallId();
    b.send(request({ callId, headers: ['P-Asserted-Identity: <sip:alice@a.example>'] }));
    expectNothingPrivate(await network.uas.received(callId, 'INVITE'));
  });

  it('ok/the answers of a partner keep what they assert', async () => {
    b.options = { extra: ['P-Asserted-Identity: <sip:bob@b.example>', 'Server: kept'] };
    const { answer } = await call('b.example');
    b.options = {};
    expect(rowsOf(answer, 'P-Asserted-Identity')).toEqual(['<sip:bob@b.example>']);
    expect(headerOf(answer, 'Server')).toBe('kept');
  });

  describe('the first that a connection of somebody brings is an answer to our call of a partner', () => {
    const asserted = '<sip:bob@b.example>';

    /** Our user's answer where the partner's one comes over a connection that shows this certificate. */
    async function answeredBy(identity: Identity | undefined): Promise<SipText> {
      b.options = { ringing: true };
      const callId = freshCallId();
      user.send(request({ callId, ruri: 'sip:bob@b.example', transport: 'UDP', headers: [CAROL] }));
      const invite = await b.received(callId, 'INVITE');
      b.options = {};
      const other = await tlsCaller(network.address, 5061, identity, network.host(24));
      onTestFinished(() => other.close());
      other.send(answered(invite, '200 OK', [`Contact: <sip:bob@${b.host}>`, `P-Asserted-Identity: ${asserted}`]));
      return user.final(callId);
    }

    it('ok/it is that partner: what it asserts is kept', async () => {
      const answer = await answeredBy(
        network.pki.certificate({ issuer: network.cast.operatorB, names: ['DNS:b.example'] }),
      );
      expect(rowsOf(answer, 'P-Asserted-Identity')).toEqual([asserted]);
    });

    it.each([
      ['another partner', () => network.certificateOfA()],
      ['a stranger', () => network.certificateOfA({ names: ['DNS:c.example'] })],
      ['somebody without a certificate', () => undefined],
    ])('fail/it is %s: nothing is', async (_who, identity) => {
      expectNothingPrivate(await answeredBy(identity()));
    });
  });

  it('fail/T-69 the answers of a stranger do not', async () => {
    stranger.options = { extra: ['P-Asserted-Identity: <sip:bob@b.example>', 'Server: kept'] };
    const { answer } = await call(`${network.host(13)}:5061;transport=tls`);
    stranger.options = {};
    expectNothingPrivate(answer);
    expect(headerOf(answer, 'Server')).toBe('kept');
  });
});
