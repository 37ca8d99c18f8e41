/** A next hop that the script has chosen, whatever the Request-URI says: T-79, RFC 3263 §4.3, design rule 7. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, type RequestTerms, request } from '../support/live/caller.js';
import type { Policy, StandardPolicy } from '../support/live/daemon.js';
import { type Answer, FakeSidecar, type Question } from '../support/live/fake-sidecar.js';
import { builds } from '../support/live/kamailio.js';
import { Network, type NetworkOptions } from '../support/live/network.js';
import { eventually } from '../support/live/places.js';
import { expectNothingPrivate, expectRelayed } from '../support/live/relayed.js';
import { statusOf } from '../support/live/sip-text.js';
import { TlsUas } from '../support/live/uas.js';

const CAROL = 'P-Asserted-Identity: "Carol" <sip:carol@own.example>';

describe.each(builds('smoke'))('a chosen next hop, Kamailio $version', (build) => {
  let network: Network;
  /** A user of our own side. */
  let user: Caller;

  async function start(options: Partial<NetworkOptions> = {}): Promise<void> {
    network = await Network.start({ build, script: 'test/support/live/fork.cfg', ...options });
    user = await network.ownUser();
  }

  /** A place of operator B in another network. */
  function place(stage: Network, host: number, name: string, issuer = stage.cast.operatorB): Promise<TlsUas> {
    return TlsUas.start(stage.host(host), stage.pki.certificate({ issuer, names: [`DNS:${name}`] }));
  }

  async function call(to: string, terms: RequestTerms = {}) {
    const callId = freshCallId();
    const headers = [CAROL, 'Subject: kept', `X-Next-Hop: sip:${to}`];
    const sent = request({ callId, transport: 'UDP', headers, ...terms });
    user.send(sent);
    return { sent, callId, answer: await user.final(callId) };
  }

  describe('with siptrustd', () => {
    let impostor: TlsUas;
    let first: TlsUas;
    let second: TlsUas;

    beforeAll(async () => {
      const policy = (standard: StandardPolicy, host: (host: number) => string): Policy => {
        const [a, b] = standard.agreements;
        const like = (name: string, domain: string, ...places: readonly number[]) => ({
          ...b,
          ...{ name, domains: [domain], targets: places.map((at) => `${host(at)}:5061`), require_tls: true },
        });
        return {
          ...standard,
          agreements: [a, like('op-other', 'other.example', 10), like('op-two', 'two.example', 11, 12)],
        };
      };
      const before = async (stage: Network): Promise<void> => {
        impostor = await place(stage, 10, 'other.example', stage.cast.operatorA);
        first = await place(stage, 11, 'two.example');
        second = await place(stage, 12, 'two.example');
      };
      await start({ policy, before });
      await eventually(
        'both places of the partner are proven',
        () => network.provenConnections('two.example') === 2,
        10_000,
      );
      await eventually('the impostor is known', () => bad().includes('other.example'));
    });
    afterAll(async () => {
      for (const each of [impostor, first, second]) each?.stop();
      await network?.stop();
    });

    function bad(): string {
      return network.cscf.rpc('htable.dump', 'siptrust_bad');
    }

    const there = (of: TlsUas) => `${of.host}:${of.port};transport=tls`;

    it('fail/T-14 a place that shows a certificate of somebody else: the call is refused', async () => {
      const { callId, answer } = await call(there(impostor));
      expect(statusOf(answer)).toBe(503);
      expect(impostor.find(callId, 'INVITE')).toBeUndefined();
    });

    it.each(['urn:service:sos', 'urn:service:sos.fire'])(
      'ok/T-79 an emergency call goes there, stripped: %s',
      async (ruri) => {
        const { sent, callId, answer } = await call(there(impostor), { ruri });
        expect(statusOf(answer)).toBe(200);
        expectRelayed(await impostor.received(callId, 'INVITE'), sent, ['P-Asserted-Identity', 'X-Next-Hop']);
      },
    );

    it('fail/what only begins like one is refused', async () => {
      const { answer } = await call(there(impostor), { ruri: 'urn:service:sosrandom' });
      expect(statusOf(answer)).toBe(503);
    });

    it('ok/an emergency call to a partner keeps what it says', async () => {
      const { sent, callId, answer } = await call(there(first), { ruri: 'urn:service:sos' });
      expect(statusOf(answer)).toBe(200);
      expectRelayed(await first.received(callId, 'INVITE'), sent, ['X-Next-Hop']);
    });

    it('ok/ringing that ends by time is the called party’s affair: the place stays good', async () => {
      first.options = { ringing: true };
      const { callId, answer } = await call(there(first));
      expect(statusOf(answer)).toBe(408);
      await first.received(callId, 'CANCEL');
      expect(second.find(callId, 'INVITE')).toBeUndefined();
      first.options = {};
      const after = await call(there(first));
      expectRelayed(await first.received(after.callId, 'INVITE'), after.sent, ['X-Next-Hop']);
    });
  });

  describe('where next hops of strangers must be public (daemon.dns.strangers)', () => {
    let stranger: TlsUas;

    beforeAll(async () => {
      const dns = { strangers: 'public' };
      const policy = (standard: StandardPolicy): Policy => ({
        ...standard,
        daemon: { ...(standard.daemon as object), dns },
      });
      await start({ policy });
      stranger = await place(network, 10, 'stranger.example');
    });
    afterAll(async () => {
      stranger?.stop();
      await network?.stop();
    });

    it.each([
      ['as it is', (host: string) => host, 'tls'],
      ['with a zero before an octet', (host: string) => host.replace(/[.](\d+)$/, '.0$1'), 'tls'],
      ['with an octet beyond 255', (host: string) => host.replace(/^127/, '383'), 'tls'],
      ['with a transport that nobody knows', (host: string) => host, 'foo'],
    ])('fail/an address of loopback, %s: nothing arrives', async (_, spelled, transport) => {
      const { callId, answer } = await call(`${spelled(stranger.host)}:${stranger.port};transport=${transport}`);
      expect(['403', '503']).toContain(String(statusOf(answer)));
      expect(stranger.find(callId, 'INVITE')).toBeUndefined();
    });

    it('ok/an emergency call goes there', async () => {
      const { callId, answer } = await call(`${stranger.host}:${stranger.port};transport=tls`, {
        ruri: 'urn:service:sos',
      });
      expect(statusOf(answer)).toBe(200);
      expectNothingPrivate(await stranger.received(callId, 'INVITE'));
    });
  });

  describe('with a sidecar that contradicts itself', () => {
    let fake: FakeSidecar;
    let partner: TlsUas;

    beforeAll(async () => {
      await start();
      await network.daemon.stop();
      fake = await FakeSidecar.start(network.daemon.host);
      partner = await place(network, 10, 'b.example');
    });
    afterAll(async () => {
      fake?.stop();
      partner?.stop();
      await network?.stop();
    });

    /** A sidecar that says `trusted` of the partner's connection, and of each message that it may leave as it is. */
    function saying(trusted: 0 | 1): (question: Question) => Answer {
      const revision = 4711;
      const hop = { domain: 'b.example', agreement: 'op-b', require_tls: 0, action: 'continue', ttl: 60, revision };
      const peer = {
        trusted,
        verdict: trusted === 1 ? 'trusted' : 'untrusted',
        profile: 'ask',
        action: 'continue',
        code: 0,
        agreement: 'op-b',
        reason: 'agreement-covers',
        revision,
      };
      const plan = { trusted: 1, action: 'continue', remove: [], append: [], revision };
      return ({ method }) => {
        if (method === 'hop.resolve') return { result: { ...hop, targets: [`tls:${partner.host}:${partner.port}`] } };
        return { result: method === 'trust.peer' ? { ...peer, per: 'connection', ttl: 1, asserts: ['*'] } : plan };
      };
    }

    it.each([
      ['ok/what is trusted leaves by its plan', 1, ['X-Next-Hop']],
      [
        'fail/a plan of trust does not count on a connection that is not trusted',
        0,
        ['X-Next-Hop', 'P-Asserted-Identity', 'Subject'],
      ],
    ] as const)('%s', async (_, trusted, gone) => {
      fake.answer = saying(trusted);
      // The numbers of the profile that asks about each message, trusted and not (siptrust-headers.cfg).
      const kept = new RegExp(`name: \\d+:b[.]example\\s+value: ${trusted === 1 ? 9 : 5}`);
      await eventually(
        'the connection is judged so',
        async () => {
          await call(`${partner.host}:${partner.port};transport=tls`);
          return kept.test(network.cscf.rpc('htable.dump', 'siptrust_proven'));
        },
        15_000,
      );
      const { sent, callId, answer } = await call(`${partner.host}:${partner.port};transport=tls`);
      expect(statusOf(answer)).toBe(200);
      const got = await partner.received(callId, 'INVITE');
      expectRelayed(got, sent, gone);
      if (trusted === 0) expectNothingPrivate(got);
      expect(fake.questions.some(({ method }) => method === 'trust.message')).toBe(true);
    });
  });
});
