/** The sidecar is dead, slow, frozen or lying (rulebook T-78): no private header leaks, no call is lost. */

import { afterEach, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, request } from '../support/live/caller.js';
import { Daemon, type Policy, type StandardPolicy, withPartnerB } from '../support/live/daemon.js';
import { type Answer, FakeSidecar, lineOf } from '../support/live/fake-sidecar.js';
import { builds } from '../support/live/kamailio.js';
import { Network, type NetworkOptions } from '../support/live/network.js';
import type { Identity } from '../support/live/pki.js';
import { eventually } from '../support/live/places.js';
import { expectNothingPrivate, expectRelayed } from '../support/live/relayed.js';
import { headerOf, methodOf, rowsOf, statusOf } from '../support/live/sip-text.js';
import { startSipp } from '../support/live/sipp.js';
import { AT_ONCE, TlsUas } from '../support/live/uas.js';

const PAI = 'P-Asserted-Identity: "Alice" <sip:alice@a.example>';

describe.each(builds('full'))('the sidecar, Kamailio $version', (build) => {
  const open: { stop(): unknown }[] = [];
  let network: Network;

  async function stage(options: Partial<NetworkOptions> = {}): Promise<void> {
    network = await Network.start({ build, ...options });
    open.push(network);
  }
  afterEach(async () => {
    for (const each of open.splice(0).reverse()) await each.stop();
  });

  /** One call that must succeed; whether its assertion arrived. */
  async function keeps(caller: Caller): Promise<boolean> {
    const callId = freshCallId();
    const sent = request({ callId, headers: [PAI, 'Subject: hello'] });
    caller.send(sent);
    expect(statusOf(await caller.final(callId))).toBe(200);
    const got = await network.uas.received(callId, 'INVITE');
    const kept = rowsOf(got, 'P-Asserted-Identity').length > 0;
    expectRelayed(got, sent, kept ? [] : ['P-Asserted-Identity']);
    return kept;
  }

  /** Lines that the script itself has logged. */
  function complaints(): readonly string[] {
    return network.cscf.log.split('\n').filter((line) => line.includes('siptrust:'));
  }

  it('fail/T-78 killed, started again and frozen under load', { timeout: 120_000 }, async () => {
    await stage({ memory: 512, uas: AT_ONCE });
    const rate = 40;
    const calls = 480;
    const edges: readonly (readonly [string, Identity])[] = [
      ['partner', network.certificateOfA()],
      ['stranger', network.certificateOfA({ names: ['DNS:c.example'] })],
    ];
    const runs = [];
    for (const [index, [subject, identity]] of edges.entries()) {
      const { host } = await network.edge(identity);
      const headers = [PAI, `Subject: ${subject}`];
      const source = network.host(60 + index);
      runs.push(startSipp({ directory: network.directory, target: `${host}:5060`, source, rate, calls, headers }));
    }
    const count = (): number => network.uas.got.filter((text) => methodOf(text) === 'INVITE').length;
    const reached = (share: number): Promise<unknown> =>
      eventually(`${share} of the calls`, () => count() > share * 2 * calls, 60_000);
    await reached(0.15);
    await network.daemon.stop('SIGKILL');
    await reached(0.35);
    await network.daemon.start();
    await reached(0.6);
    network.daemon.signal('SIGSTOP');
    await reached(0.8);
    network.daemon.signal('SIGCONT');
    for (const { result } of runs) expect(await result).toMatchObject({ succeeded: calls, failed: 0 });
    const of = (subject: string): readonly string[] =>
      network.uas.got.filter((text) => headerOf(text, 'Subject') === subject);
    // (On a busy machine some come twice, RFC 3261 §17.1.1.2.)
    const callsOf = (subject: string): number => new Set(of(subject).map((text) => headerOf(text, 'Call-ID'))).size;
    expect(callsOf('stranger')).toBe(calls);
    for (const text of of('stranger')) expectNothingPrivate(text);
    expect(callsOf('partner')).toBe(calls);
    expect(of('partner').filter((text) => rowsOf(text, 'P-Asserted-Identity').length > 0).length).toBeGreaterThan(0);
    // What it is all for, afterwards as before.
    const caller = await network.overTls(network.certificateOfA());
    await eventually('a partner is trusted again', () => keeps(caller), 10_000);
  });

  it('fail/dead: strangers and partners alike are stripped at once, with one line in the log', async () => {
    await stage();
    await network.daemon.stop('SIGKILL');
    const identity = network.certificateOfA();
    for (let call = 0; call < 20; call += 1) {
      const caller = await network.overTls(identity);
      expect(await keeps(caller)).toBe(false);
      caller.close();
    }
    expect(complaints().length).toBe(1);
    expect(network.cscf.statistic('siptrust_unanswered')).toBeGreaterThanOrEqual(20);
  });

  it('fail/dead: no short message of a stranger reaches a phone of ours; ok/what belongs to a call goes on', async () => {
    await stage();
    await network.daemon.stop('SIGKILL');
    const caller = await network.overTls();
    for (const [method, type, code] of [
      ['MESSAGE', 'APPLICATION/vnd.3gpp.SMS', 503],
      ['INFO', 'application/isup', 200],
    ] as const) {
      const callId = freshCallId();
      caller.send(request({ callId, method, headers: [`Content-Type: ${type}`], body: 'x' }));
      expect(statusOf(await caller.final(callId))).toBe(code);
      expect(network.uas.find(callId, method) === undefined).toBe(code === 503);
    }
  });

  it('ok/dead: a partner whose place the policy alone knows is called there, stripped; fail/with require_tls not at all', async () => {
    const places: TlsUas[] = [];
    await stage({
      defines: () => ({ SIPTRUST_GRACE: '1' }),
      policy: (standard, host) => {
        const [a, b] = standard.agreements;
        const required = { name: 'op-r', domains: ['r.example'], targets: [`${host(11)}:5061`], require_tls: true };
        return { ...standard, agreements: [a, { ...b, targets: [`${host(10)}:5061`] }, { ...b, ...required }] };
      },
      before: async ({ host, pki, cast }) => {
        for (const [at, domain] of [
          [10, 'b.example'],
          [11, 'r.example'],
        ] as const) {
          const identity = pki.certificate({ issuer: cast.operatorB, names: [`DNS:${domain}`] });
          const place = await TlsUas.start(host(at), identity);
          open.push(place);
          places.push(place);
        }
      },
    });
    const user = await network.ownUser();
    const call = async (domain: string) => {
      const callId = freshCallId();
      const sent = request({ callId, ruri: `sip:bob@${domain};user=phone`, transport: 'UDP', headers: [PAI] });
      user.send(sent);
      const answer = await user.final(callId);
      return { sent, status: statusOf(answer), got: places.map((place) => place.find(callId, 'INVITE')) };
    };
    for (const domain of ['b.example', 'r.example']) {
      await network.proven(domain);
      const { sent, status, got } = await call(domain);
      expect(status, domain).toBe(200);
      expectRelayed(got.find((text) => text !== undefined) ?? '', sent);
    }
    // By host, port, transport and maddr: whoever calls makes up the other parameters.
    for (const made of ['x=1', 'x=2;y']) expect((await call(`b.example;${made}`)).status).toBe(200);
    const remembered = () =>
      [...network.cscf.rpc('htable.dump', 'siptrust_alive').matchAll(/name: ([^;\s]+);/g)]
        .map(([, name]) => name)
        .sort();
    expect(remembered()).toEqual(['b.example', 'r.example']);
    await network.daemon.stop('SIGKILL');
    await eventually('nothing counts that it has said', () => network.knownRevision() === 0);
    const { sent, status, got } = await call('b.example');
    expect(status).toBe(200);
    expectRelayed(got[0] ?? '', sent, ['P-Asserted-Identity']);
    expect(await call('r.example')).toMatchObject({ status: 503, got: [undefined, undefined] });
  });

  it('ok/a next hop that no agreement names any more is not remembered', async () => {
    const listed = (standard: StandardPolicy, ...agreements: readonly object[]): Policy => {
      return { ...standard, agreements: [standard.agreements[0], ...agreements] };
    };
    const partner = (standard: StandardPolicy, host: (at: number) => string) => {
      const b = standard.agreements[1];
      return { ...b, targets: [`${host(10)}:5061`] };
    };
    await stage({ policy: (standard, host) => listed(standard, partner(standard, host)) });
    const user = await network.ownUser();
    const remembers = async () => {
      const callId = freshCallId();
      user.send(request({ callId, ruri: 'sip:bob@b.example', transport: 'UDP' }));
      await user.final(callId);
      return network.cscf.rpc('htable.dump', 'siptrust_alive').includes('name: b.example;');
    };
    expect(await remembers()).toBe(true);
    await network.reload(listed(network.standardPolicy));
    expect(await remembers()).toBe(false);
  });

  it('ok/dead: known verdicts count for a while, then no more', async () => {
    await stage({ defines: () => ({ SIPTRUST_GRACE: '2' }) });
    const caller = await network.overTls(network.certificateOfA());
    expect(await keeps(caller)).toBe(true);
    await network.daemon.stop('SIGKILL');
    expect(await keeps(caller)).toBe(true);
    await eventually('the verdict no longer counts', async () => !(await keeps(caller)), 6_000);
    await network.daemon.start();
    await eventually('it is asked for again', () => keeps(caller), 10_000);
  });

  const good = {
    verdict: 'trusted',
    trusted: 1,
    profile: 'trusted',
    per: 'connection',
    agreement: 'op-a',
    reason: 'agreement-covers',
    asserts: ['a.example'],
    action: 'continue',
    code: 0,
    phrase: '',
    ttl: 60,
    revision: 4711,
    id: 'x-1',
  };

  describe('with a second one', () => {
    let second: Daemon;

    async function twoSidecars(before?: NetworkOptions['before']): Promise<void> {
      await stage({
        ...(before === undefined ? {} : { before }),
        policy: (standard, host) => withPartnerB(standard, { targets: [`${host(10)}:5061`] }),
        defines: (host) => ({
          SIPTRUST_HTTP_2: { string: `siptrust2=>http://${host(9)}:7061/rpc` },
          SIPTRUST_GRACE: '60',
        }),
      });
      second = new Daemon(network.host(9), network.directory, 'second');
      second.write(network.standardPolicy);
      await second.start();
      open.push(second);
      await eventually('the proxy knows the second', () => !network.sidecarIsDown(2));
    }

    it.each(['SIGSTOP', 'SIGKILL'] as const)('ok/the first has got %s: the second is asked', async (signal) => {
      await twoSidecars();
      if (signal === 'SIGKILL') await network.daemon.stop(signal);
      else network.daemon.signal(signal);
      const callers = [
        await network.overTls(network.certificateOfA()),
        await network.overTls(network.certificateOfA()),
      ];
      for (const caller of callers) {
        expect(await keeps(caller)).toBe(true);
        expect(await second.decisionsOn(caller.source)).toHaveLength(1);
      }
    });

    it.each(['SIGTERM', 'SIGKILL', 'SIGSTOP'] as const)(
      'ok/the first gets %s while a partner’s calls ring, and comes back: who answers is told each time',
      async (signal) => {
        await twoSidecars();
        const caller = await network.overTls(network.certificateOfA());
        const said = 'P-Asserted-Identity: <sip:bob@own.example>';
        const answered = async (happen: () => unknown) => {
          network.uas.options = { extra: [said], ringing: true };
          const callId = freshCallId();
          caller.send(request({ callId, headers: [PAI] }));
          await eventually('it rings', () => caller.answers.some((text) => headerOf(text, 'Call-ID') === callId));
          await happen();
          network.uas.pickUp();
          expect(rowsOf(await caller.final(callId, 'INVITE'), 'P-Asserted-Identity')).toHaveLength(1);
        };
        await answered(async () => {
          if (signal === 'SIGSTOP') network.daemon.signal(signal);
          else await network.daemon.stop(signal);
          await eventually('the proxy knows', () => network.sidecarIsDown());
        });
        await answered(async () => {
          if (signal === 'SIGSTOP') network.daemon.signal('SIGCONT');
          else await network.daemon.start();
          await eventually('the proxy knows', () => !network.sidecarIsDown());
        });
      },
    );

    it('ok/both are dead: one verdict that is asked for in vain does not end the others', async () => {
      await twoSidecars(async ({ host, pki, cast }) => {
        const identity = pki.certificate({ issuer: cast.operatorB, names: ['DNS:b.example'] });
        open.push(await TlsUas.start(host(10), identity));
      });
      await network.proven('b.example');
      const caller = await network.overTls(network.certificateOfA());
      const user = await network.ownUser();
      const calls = async () => {
        const callId = freshCallId();
        user.send(request({ callId, ruri: 'sip:bob@b.example', transport: 'UDP' }));
        expect(statusOf(await user.final(callId))).toBe(200);
      };
      expect(await keeps(caller)).toBe(true);
      for (let call = 0; call < 8; call += 1) await calls();
      await Promise.all([network.daemon.stop('SIGKILL'), second.stop('SIGKILL')]);
      await eventually('the proxy knows', () => network.sidecarIsDown(1) && network.sidecarIsDown(2));
      // As its time ends it.
      for (const table of ['siptrust_proven', 'siptrust_lately']) network.cscf.rpc('htable.flush', table);
      for (let call = 0; call < 8; call += 1) await calls();
      expect(await keeps(caller)).toBe(true);
    });

    it.each([
      ['lower', 4710],
      ['the same', 4711],
      ['higher', 4712],
    ])(
      'fail/the second was asked for once, and trusts more (revision: %s): the first counts again',
      async (_, revision) => {
        await stage({ defines: (host) => ({ SIPTRUST_HTTP_2: { string: `siptrust2=>http://${host(9)}:7061/rpc` } }) });
        await network.daemon.stop();
        const first = await FakeSidecar.start(network.daemon.host);
        const other = await FakeSidecar.start(network.host(9));
        open.push(first, other);
        other.status = { result: { revision, stranger: 'untrusted', sockets: [] } };
        other.answer = () => ({ result: { ...good, revision } });
        await eventually('both are heard', () => network.knownRevision() === 4711 && !network.sidecarIsDown(2));
        const caller = await network.overTls(network.certificateOfA());
        expect(await keeps(caller)).toBe(true);
        first.answer = () => ({ result: { ...good, verdict: 'untrusted', trusted: 0, profile: 'untrusted' } });
        await eventually('what the first says counts', async () => !(await keeps(caller)), 10_000);
        expect(network.knownRevision()).toBe(4711);
      },
    );
  });

  describe('that talks nonsense', () => {
    const right = lineOf('trust.peer', good);
    const nonsense: readonly (readonly [string, Answer, boolean])[] = [
      ['ok/the right answer', { result: good }, true],
      ['fail/a profile that does not exist', { result: { ...good, profile: 'all' } }, false],
      ['fail/trusted is 0', { result: { ...good, trusted: 0 } }, false],
      ['fail/trusted is "yes"', { result: { ...good, trusted: 'yes' } }, false],
      ['fail/the verdict says otherwise', { result: { ...good, verdict: 'untrusted' } }, false],
      ['fail/the action says otherwise', { result: { ...good, action: 'cuddle' } }, false],
      ['fail/nothing but an action', { result: { action: 'continue' } }, false],
      ['fail/an empty result', { result: {} }, false],
      ['fail/a list', { result: [good] }, false],
      ['fail/null', { result: null }, false],
      ['fail/an error', { bytes: 'error;-32601' }, false],
      [
        'fail/script variables for values',
        { bytes: right.replace('op-a', '$(ru{s.len})').replace(';trusted;', ';$avp(x);') },
        false,
      ],
      ['fail/JSON', { bytes: JSON.stringify({ jsonrpc: '2.0', id: 1, result: good }) }, false],
      ['fail/rubbish', { bytes: '\x00\xff\xffhello\r\n\r\n' }, false],
      ['fail/a line that is cut off', { bytes: right.slice(0, -1) }, false],
      ['fail/a line and its end', { bytes: `${right}\n` }, false],
      ['fail/the answer to another question', { bytes: 'core.status;4711;0;2;untrusted;;.' }, false],
      ['fail/3 MB', { bytes: `${right.slice(0, -1)}${'a.example,'.repeat(300_000)};.` }, false],
      ['fail/silence', 'none', false],
    ];

    it('fail/all of it', { timeout: 120_000 }, async () => {
      await stage();
      await network.daemon.stop();
      const fake = await FakeSidecar.start(network.daemon.host);
      open.push(fake);
      const identity = network.certificateOfA();
      for (const [what, answer, trusted] of nonsense) {
        fake.answer = () => ({ result: good });
        // A sidecar that was silent is asked again when the poll has heard it.
        await eventually(
          `the sidecar is asked again before: ${what}`,
          async () => keeps(await network.overTls(identity)),
          15_000,
        );
        fake.answer = () => answer;
        expect(await keeps(await network.overTls(identity)), what).toBe(trusted);
      }
      expect(network.cscf.running).toBe(true);
    });
  });
});
