/** Partners as they come: their chains, the names of their machines, addresses in what they assert, and trials. */

import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, type RequestTerms, request } from '../support/live/caller.js';
import { Child } from '../support/live/child.js';
import { builds } from '../support/live/kamailio.js';
import type { Network } from '../support/live/network.js';
import { ASSERTED_HOST, type PartnerStage, startPartners } from '../support/live/partners.js';
import type { Identity } from '../support/live/pki.js';
import { eventually } from '../support/live/places.js';
import { expectRelayed } from '../support/live/relayed.js';
import { headerOf, methodOf, rowsOf, statusOf } from '../support/live/sip-text.js';
import type { TlsUas } from '../support/live/uas.js';
import { noNameServer } from '../support/name-server.js';

const CAROL = 'P-Asserted-Identity: "Carol" <sip:carol@own.example>';
const SIPTRUSTCTL = fileURLToPath(new URL('../../dist/ctl/main.js', import.meta.url));

const missing = noNameServer();
if (missing !== undefined) console.warn(`partners.test.ts is not run: ${missing}`);

describe.skipIf(missing !== undefined).each(builds('smoke'))('partners, Kamailio $version', (build) => {
  let stage: PartnerStage;
  let network: Network;
  /** A user of our own side. */
  let user: Caller;

  beforeAll(async () => {
    stage = await startPartners(build);
    network = stage.network;
    user = await network.ownUser();
  }, 60_000);
  afterAll(() => stage?.stop());

  /** A call from another network, which bears an identity of its domain; what the decision log says about the peer. */
  async function from(identity: Identity, host: string, headers: readonly string[] = []) {
    const caller = await network.overTls(identity);
    const callId = freshCallId();
    const sent = request({
      callId,
      headers: [`P-Asserted-Identity: <sip:alice@${host}>`, ...headers, 'Subject: kept'],
    });
    caller.send(sent);
    expect(statusOf(await caller.final(callId))).toBe(200);
    const [decision = {}] = await network.daemon.decisionsOn(caller.source);
    return { caller, sent, decision, got: await network.uas.received(callId, 'INVITE') };
  }

  async function call(to: string, terms: RequestTerms = {}) {
    const callId = freshCallId();
    const sent = request({
      callId,
      ruri: `sip:bob@${to}`,
      transport: 'UDP',
      headers: [CAROL, 'Subject: kept'],
      ...terms,
    });
    user.send(sent);
    return { sent, callId, status: statusOf(await user.final(callId)) };
  }

  /** The proxy has judged its connection to the place of this domain, and keeps this number of a profile. */
  async function judged(domain: string): Promise<number> {
    const row = new RegExp(`name: \\d+:${domain.replaceAll('.', '[.]')}\\s+value: (\\d+)`);
    return eventually(`the connection to ${domain} is judged`, () => {
      const value = row.exec(network.cscf.rpc('htable.dump', 'siptrust_proven'))?.[1];
      return value !== undefined && Number(value);
    });
  }

  /** Calls after the connection is judged: all arrive, with `gone` left out. */
  async function expectCalls(to: string, place: TlsUas, gone: readonly string[], times = 3): Promise<void> {
    for (let i = 0; i < times; i += 1) {
      const { sent, callId, status } = await call(to);
      expect(status).toBe(200);
      expectRelayed(await place.received(callId, 'INVITE'), sent, gone);
    }
  }

  const GONE = ['P-Asserted-Identity'];

  describe('chains', () => {
    it('ok/P-1 the root of a public CA is the anchor, and the partner sends its intermediate', async () => {
      const { sent, got, decision } = await from(stage.certificate('c.example'), 'c.example');
      expect(decision).toMatchObject({ verdict: 'trusted', agreement: 'op-c', verified: true });
      expectRelayed(got, sent);
    });

    it('ok/P-1 it renews under another intermediate of the same root', async () => {
      const { sent, got, decision } = await from(stage.certificate('c.example', 'second'), 'c.example');
      expect(decision).toMatchObject({ verdict: 'trusted', agreement: 'op-c' });
      expectRelayed(got, sent);
    });

    it('ok/P-1 its certificate bears the name of the CA that signed it, but for the unit', async () => {
      const issuer = stage.intermediates.first;
      const subject = `/O=${issuer.name}/OU=SBC/CN=${issuer.name}`;
      const leaf = network.pki.certificate({ issuer, names: ['DNS:c.example'], subject });
      const { sent, got, decision } = await from(network.pki.chained(leaf, [issuer]), 'c.example');
      expect(decision).toMatchObject({ verdict: 'trusted', agreement: 'op-c' });
      expectRelayed(got, sent);
    });

    it('ok/P-1 behind two intermediates: one decision for a connection, and plans on the whole chain', async () => {
      const odd = 'P-Charging-Vector: icid-value=1;unheard-of=2';
      const { sent, got, decision, caller } = await from(stage.certificate('c.example', 'third'), 'c.example', [odd]);
      expect(decision).toMatchObject({ verdict: 'trusted', agreement: 'op-c' });
      expect(headerOf(got, 'P-Charging-Vector')).toBe('icid-value=1');
      expectRelayed(got.replace('P-Charging-Vector: icid-value=1\r\n', ''), sent, ['P-Charging-Vector']);
      const decided = network.daemon.decisions().filter(({ src }) => src === caller.source);
      expect(decided.map(({ method, verdict }) => [method, verdict])).toEqual([
        ['trust.peer', 'trusted'],
        ['trust.message', 'trusted'],
      ]);
    });

    it('ok/P-1 its session is resumed (.NET and Java do that), which brings no chain: the one of its handshake counts', async () => {
      const identity = stage.certificate('c.example', 'third');
      expect((await from(identity, 'c.example')).decision).toMatchObject({ verdict: 'trusted' });
      const caller = await network.resuming(identity);
      const callId = freshCallId();
      const sent = request({ callId, headers: ['P-Asserted-Identity: <sip:alice@c.example>', 'Subject: kept'] });
      caller.send(sent);
      expect(statusOf(await caller.final(callId))).toBe(200);
      expectRelayed(await network.uas.received(callId, 'INVITE'), sent);
      const decided = await network.daemon.decisionsOn(caller.source);
      expect(decided.filter(({ verdict }) => verdict !== 'trusted')).toEqual([]);
    });

    it('ok/P-1 a next hop behind two intermediates: identities leave, and those of its answers come in', async () => {
      expect(await judged('k.example')).toBe(6);
      const { sent, callId, status } = await call('k.example');
      expect(status).toBe(200);
      expectRelayed(await stage.places.deep.received(callId, 'INVITE'), sent);
      const answer = user.answers.find((text) => statusOf(text) === 200 && headerOf(text, 'Call-ID') === callId);
      expect(headerOf(answer ?? '', 'P-Asserted-Identity')).toBe('<sip:bob@k.example>');
      const decided = network.daemon.decisions().filter(({ next_hop }) => next_hop === 'k.example');
      expect(decided.filter(({ verdict }) => verdict !== 'trusted')).toEqual([]);
    });

    it('fail/P-1 it does not send its intermediate: the call goes on stripped, and it is no alarm', async () => {
      const leaf = network.pki.certificate({ issuer: stage.intermediates.first, names: ['DNS:c.example'] });
      const { caller, sent, got, decision } = await from(leaf, 'c.example');
      expect(decision).toMatchObject({ verdict: 'untrusted', verified: false });
      expect(decision.reasons).toContain('missing-intermediate');
      expect(decision.reasons).not.toContain('anchor-mismatch');
      expectRelayed(got, sent, GONE);
      expect(caller.closed).toBe(false);
      expect(network.daemon.log).not.toMatch(new RegExp(`alarm.*${String(decision.id)}`));
    });

    it('fail/P-9 a chain to the root of somebody else: an alarm for the operator, and the id in the log of Kamailio', async () => {
      const { sent, got, decision } = await from(stage.certificate('c.example', 'foreign'), 'c.example');
      expect(decision).toMatchObject({ verdict: 'untrusted', verified: true });
      expect(decision.reasons).toContain('anchor-mismatch');
      expectRelayed(got, sent, GONE);
      await eventually('the alarm is in the log of the operator', () =>
        network.daemon.log.split('\n').some((line) => /alarm anchor-mismatch/.test(line)),
      );
      expect(network.cscf.log).toMatch(new RegExp(`is not trusted: .* id ${String(decision.id)}`));
    });
  });

  describe('names', () => {
    it('ok/P-3 the certificate names the machine, and the agreement lists it', async () => {
      expect(await judged('d.example')).toBeGreaterThanOrEqual(6);
      await expectCalls('d.example', stage.places.machine, []);
    });

    it('fail/P-3 the agreement does not list it: every call leaves stripped, none is refused', async () => {
      expect(await judged('e.example')).toBeLessThan(6);
      const connections = stage.places.unlisted.serverNames.length;
      await expectCalls('e.example', stage.places.unlisted, GONE);
      expect(stage.places.unlisted.serverNames).toHaveLength(connections);
    });

    it('fail/P-3 nor where it requires TLS: 503, and nothing is sent', async () => {
      expect((await call('r.example')).status).toBe(503);
      expect((await call('r.example')).status).toBe(503);
      expect(stage.places.required.got.filter((text) => methodOf(text) !== 'OPTIONS')).toEqual([]);
    });

    it.each([
      ['anybody', 'of a CA that no agreement names'],
      ['somebody', 'of a partner'],
    ] as const)(
      'ok/P-3 no agreement names %s.example, and its certificate is %s: stripped, and never refused',
      async (who, _what) => {
        const place = stage.places[who];
        const domain = `${who}.example`;
        await expectCalls(domain, place, GONE, 4);
        // After it was judged, and after the poll has seen it, too.
        await judged(domain);
        await expectCalls(domain, place, GONE, 4);
        expect(place.serverNames).toHaveLength(1);
      },
    );

    it('ok/P-6 a wildcard that the agreement accepts, out', async () => {
      // The connection is there, for another domain, and is judged for this one while the call waits.
      expect((await call('acme.pstn.w.example')).status).toBe(200);
      expect(await judged('acme.pstn.w.example')).toBeGreaterThanOrEqual(6);
      await expectCalls('acme.pstn.w.example', stage.places.wildcard, []);
    });

    it('fail/P-6 one that it does not accept, out: stripped', async () => {
      expect(await judged('v.example')).toBeLessThan(6);
      await expectCalls('v.example', stage.places.refusedWildcard, GONE);
    });

    it('P-6 both, in', async () => {
      const accepted = await from(stage.certificate('*.pstn.w.example'), 'w.example');
      expect(accepted.decision).toMatchObject({ verdict: 'trusted', agreement: 'op-w' });
      expectRelayed(accepted.got, accepted.sent);
      const refused = await from(stage.certificate('*.v.example'), 'v.example');
      expect(refused.decision).toMatchObject({ verdict: 'untrusted' });
      expect(refused.decision.reasons).toContain('wildcard');
      expectRelayed(refused.got, refused.sent, GONE);
    });

    it('ok/P-5 a call to the address of a partner, whose certificate bears the second of its domains', async () => {
      expect(await judged('two.example')).toBeGreaterThanOrEqual(6);
      await call(`${stage.places.second.host}:5061;transport=tls`);
      await expectCalls(`${stage.places.second.host}:5061;transport=tls`, stage.places.second, []);
    });
  });

  describe('a partner on trial', () => {
    /** What the decision log says that the agreement would have come to for this next hop. */
    function wouldHave(domain: string): Promise<unknown> {
      return eventually(
        `a decision about ${domain}`,
        () => network.daemon.decisions().findLast(({ next_hop }) => next_hop === domain)?.would,
      );
    }

    it('ok/P-4 whose certificate holds calls: as if siptrust were not there', async () => {
      const { sent, got, decision } = await from(stage.certificate('m.example'), 'other.example');
      expect(decision).toMatchObject({ verdict: 'untrusted', would: { verdict: 'trusted' } });
      expect(decision.reasons).toContain('monitor-only');
      expectRelayed(got, sent);
    });

    it('ok/P-4 the same behind two intermediates', async () => {
      const { sent, got, decision } = await from(stage.certificate('m.example', 'third'), 'other.example');
      expect(decision).toMatchObject({ verdict: 'untrusted', would: { verdict: 'trusted' } });
      expectRelayed(got, sent);
    });

    it('fail/P-4 who writes tables of this Kamailio (KDMQ): nobody outside may', async () => {
      const caller = await network.overTls(stage.certificate('m.example'));
      const callId = freshCallId();
      caller.send(request({ callId, method: 'KDMQ' }));
      expect(statusOf(await caller.final(callId))).toBe(403);
    });

    it('fail/P-4 who only claims to be it calls: a stranger', async () => {
      const claims = network.pki.certificate({ issuer: network.cast.operatorB, names: ['DNS:m.example'] });
      const { sent, got, decision } = await from(claims, 'm.example');
      expect(decision).toMatchObject({ verdict: 'untrusted', would: { verdict: 'untrusted' } });
      expect(decision.would).toMatchObject({ reason: 'anchor-mismatch' });
      expectRelayed(got, sent, GONE);
    });

    it('ok/P-4 whose certificate holds is called: nothing is taken out', async () => {
      await call('m.example');
      expect(await judged('m.example')).toBe(21);
      expect(await wouldHave('m.example')).toMatchObject({ verdict: 'trusted' });
      await expectCalls('m.example', stage.places.trial, []);
    });

    it('fail/P-4 whose certificate does not hold is called: as a stranger is, and never refused', async () => {
      await expectCalls('n.example', stage.places.failedTrial, GONE);
      expect(await judged('n.example')).toBeLessThan(6);
      await expectCalls('n.example', stage.places.failedTrial, GONE, 4);
      expect(stage.places.failedTrial.serverNames).toHaveLength(1);
      expect(await wouldHave('n.example')).toMatchObject({ verdict: 'reject', reason: 'anchor-mismatch' });
    });
  });

  it('ok/P-7 an address in what a partner asserts stays, and costs no question per call', async () => {
    const identity = stage.certificate('h.example');
    const { caller, sent, got, decision } = await from(identity, ASSERTED_HOST);
    expect(decision).toMatchObject({ verdict: 'trusted', agreement: 'op-h' });
    expectRelayed(got, sent);
    const asked = network.cscf.statistic('siptrust_asked_message');
    for (let i = 0; i < 5; i += 1) {
      const callId = freshCallId();
      const next = request({
        callId,
        from: '<sip:alice@h.example>;tag=alice',
        headers: [`P-Asserted-Identity: <sip:+493012345@${ASSERTED_HOST}>`],
      });
      caller.send(next);
      expectRelayed(await network.uas.received(callId, 'INVITE'), next);
    }
    expect(network.cscf.statistic('siptrust_asked_message')).toBe(asked);
    const other = await from(identity, '192.0.2.8');
    expect(rowsOf(other.got, 'P-Asserted-Identity')).toEqual([]);
  });

  it('P-1 siptrustctl probe: chain, names and a verdict in each direction', async () => {
    const child = new Child('node', [
      ...[SIPTRUSTCTL, 'probe', `${network.address}:5061`, '--domain', 'own.example'],
      ...['--socket', network.daemon.socket, '--authorities', network.cast.own.certificate],
    ]);
    // Nobody is a partner of his own: the proxy's certificate is a stranger's, and the command says so.
    expect(await child.exit()).toBe(1);
    expect(child.output).toMatch(/without a certificate +accepted +TLSv1\.3/);
    expect(child.output).toMatch(/leaf +CN=sbc,O=sbc +CN=Own Operator,O=Own Operator/);
    expect(child.output).toMatch(/own\.example, sbc\.own\.example/);
    expect(child.output).toMatch(/out \(we connect to it\): untrusted\n +not-listed:/);
    expect(child.output).toMatch(/in \(it connects to us with this certificate\): untrusted\n +not-listed:/);
    expect(child.output).toMatch(/anchors: \[own-operator-[0-9a-f]+\.pem\]/);
  });
});
