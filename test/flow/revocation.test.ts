/**
 * Revocation as calls meet it (rulebook §8, T-19 to T-23), and connections that stay up while what they rest on ends
 * (T-46): lists in files and over HTTP, real `openssl ocsp` responders, real handshakes.
 */

import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readPem } from '../../src/x509/der/pem.js';
import { HttpServer } from '../support/http-server.js';
import { type Caller, freshCallId, request } from '../support/live/caller.js';
import type { Child } from '../support/live/child.js';
import type { Decision, Policy } from '../support/live/daemon.js';
import { builds } from '../support/live/kamailio.js';
import { Network } from '../support/live/network.js';
import type { Authority, Identity, ListTerms } from '../support/live/pki.js';
import { eventually, freePort } from '../support/live/places.js';
import { headerOf, rowsOf, statusOf } from '../support/live/sip-text.js';
import { DAY } from '../support/ocsp.js';
import { type Entity, OpensslCa } from '../support/openssl-ocsp.js';

const PAI = 'P-Asserted-Identity: <sip:alice@a.example>';

/** What became of one call. */
type Outcome = 'kept' | 'stripped' | 'refused';

async function call(network: Network, caller: Caller): Promise<Outcome> {
  const callId = freshCallId();
  caller.send(request({ callId, headers: [PAI] }));
  // A revoked peer is answered, and its connection closed, which may overtake the answer.
  const status = await eventually('an answer, or the end of the connection', () => {
    const answer = caller.answers.find((text) => statusOf(text) >= 200 && headerOf(text, 'Call-ID') === callId);
    return answer === undefined ? caller.closed && 403 : statusOf(answer);
  });
  if (status === 403) {
    expect(network.uas.find(callId, 'INVITE')).toBeUndefined();
    return 'refused';
  }
  const got = await network.uas.received(callId, 'INVITE');
  return rowsOf(got, 'P-Asserted-Identity').length > 0 ? 'kept' : 'stripped';
}

async function decisionOn(network: Network, caller: Caller): Promise<Decision> {
  const [decision] = await network.daemon.decisionsOn(caller.source);
  if (decision === undefined) throw new Error('no decision');
  return decision;
}

/** The agreement with partner A alone; `more` is what a test is about. */
function policyOfA(network: Network, more: object): Policy {
  const [opA] = network.standardPolicy.agreements;
  return { ...network.standardPolicy, agreements: [{ ...opA, ...more }] };
}

describe.each(builds('full'))('lists in files, Kamailio $version', (build) => {
  let network: Network;
  /** Our own Interconnection CA: the anchor. It has cross-certified the CA of partner A, and of partner B. */
  let interconnection: Authority;
  let crossA: Authority;
  let crossB: Authority;
  let peer: Identity;

  beforeAll(async () => {
    network = await Network.start({ build });
    const { pki, cast } = network;
    interconnection = cast.own;
    const cross = (name: string, { key }: Authority) => pki.authority(name, { issuer: interconnection, key });
    crossA = cross('Operator A', cast.operatorA);
    crossB = cross('Operator B', cast.operatorB);
    peer = network.certificateOfA();
  });
  afterAll(() => network?.stop());

  interface Case {
    readonly id: string;
    readonly what: string;
    readonly revocation: 'hard' | 'soft';
    /** Lists of partner A's CA, and of the Interconnection CA. */
    readonly lists: () => readonly string[];
    readonly outcome: Outcome;
    readonly reasons: readonly string[];
  }
  const ofA = (revoked: readonly Identity[] = [], terms: ListTerms = {}) =>
    network.pki.list(network.cast.operatorA, revoked, terms);
  const ofUs = (revoked: readonly Authority[] = []) => network.pki.list(interconnection, revoked);

  const CASES: readonly Case[] = [
    {
      id: 'T-19',
      what: 'nobody is revoked',
      revocation: 'hard',
      lists: () => [ofA(), ofUs()],
      outcome: 'kept',
      reasons: ['agreement-covers'],
    },
    {
      id: 'T-19',
      what: 'a revoked certificate',
      revocation: 'hard',
      lists: () => [ofA([peer]), ofUs()],
      outcome: 'refused',
      reasons: ['revoked'],
    },
    {
      id: 'T-19',
      what: 'a revoked certificate, where unknown would do',
      revocation: 'soft',
      lists: () => [ofA([peer])],
      outcome: 'refused',
      reasons: ['revoked'],
    },
    {
      id: 'T-19',
      what: 'a revoked cross-certificate: the agreement has been terminated',
      revocation: 'hard',
      lists: () => [ofA(), ofUs([crossA])],
      outcome: 'refused',
      reasons: ['revoked'],
    },
    {
      id: 'T-19',
      what: 'another partner was revoked',
      revocation: 'hard',
      lists: () => [ofA([network.certificateOfA()]), ofUs([crossB])],
      outcome: 'kept',
      reasons: ['agreement-covers'],
    },
    {
      id: 'T-20',
      what: 'nothing is known, hard',
      revocation: 'hard',
      lists: () => [],
      outcome: 'stripped',
      reasons: ['rev-unknown'],
    },
    {
      id: 'T-20',
      what: 'nothing is known, soft: trusted, and flagged',
      revocation: 'soft',
      lists: () => [],
      outcome: 'kept',
      reasons: ['agreement-covers', 'rev-unknown'],
    },
    {
      id: 'T-20',
      what: 'nothing is known of the cross-certificate',
      revocation: 'hard',
      lists: () => [ofA()],
      outcome: 'stripped',
      reasons: ['rev-unknown'],
    },
    {
      id: 'T-21',
      what: 'a list in the right name by another key',
      revocation: 'hard',
      lists: () => [ofA([], { key: network.cast.operatorB.key }), ofUs()],
      outcome: 'stripped',
      reasons: ['rev-unknown', 'crl-scope'],
    },
    {
      id: 'T-21',
      what: 'a revocation by another key',
      revocation: 'hard',
      lists: () => [ofA([peer], { key: network.cast.operatorB.key }), ofUs()],
      outcome: 'stripped',
      reasons: ['rev-unknown', 'crl-scope'],
    },
    {
      id: 'T-21',
      what: 'an expired list',
      revocation: 'hard',
      lists: () => [ofA([], { from: -30, until: -1 }), ofUs()],
      outcome: 'stripped',
      reasons: ['rev-unknown', 'crl-scope'],
    },
    {
      id: 'T-21',
      what: 'a list for certificates of CAs only',
      revocation: 'hard',
      lists: () => [ofA([], { scope: ['onlyCA=TRUE'] }), ofUs()],
      outcome: 'stripped',
      reasons: ['rev-unknown', 'crl-scope'],
    },
    {
      id: 'T-21',
      what: 'a list for end entities only',
      revocation: 'hard',
      lists: () => [ofA([], { scope: ['onlyuser=TRUE'] }), ofUs()],
      outcome: 'kept',
      reasons: ['agreement-covers'],
    },
  ];

  it.each(CASES)('$id $what, $revocation: $outcome', async ({ revocation, lists, outcome, reasons }) => {
    const anchors = [interconnection.certificate];
    await network.daemon.reload(
      policyOfA(network, { anchors, intermediates: [crossA.certificate], revocation, crls: lists() }),
    );
    const caller = await network.overTls(peer);
    expect(await call(network, caller)).toBe(outcome);
    const decision = await decisionOn(network, caller);
    expect(decision.reasons).toEqual(expect.arrayContaining([...reasons]));
    // A peer whose certificate is revoked is not talked to any more.
    if (outcome === 'refused') await eventually('the connection is closed', () => caller.closed);
  });

  it('fail/T-46 a certificate that ends while its connection is up', async () => {
    await network.daemon.reload({ ...policyOfA(network, {}), defaults: { skew: 0 } });
    // Long enough for the first call on a machine that is busy.
    const caller = await network.overTls(network.certificateOfA({ until: 10 / 86_400 }));
    expect(await call(network, caller)).toBe('kept');
    await eventually('it is not trusted any more', async () => (await call(network, caller)) === 'stripped', 40_000);
    const after = await network.daemon.decisionsOn(caller.source, ({ verdict }) => verdict === 'untrusted');
    expect(after.find(({ verdict }) => verdict === 'untrusted')?.reasons).toContain('cert-time');
    expect(caller.closed).toBe(false);
    // The partner may have the next one already: it shows that on the connection after this one. (Calls that ring then lose their answer.)
    await eventually('the connection is closed behind the answer to an OPTIONS', async () => {
      const callId = freshCallId();
      caller.send(request({ callId, method: 'OPTIONS' }));
      expect(statusOf(await caller.final(callId))).toBe(200);
      await pause(300);
      return caller.closed;
    });
  });
});

describe.each(builds('smoke'))('lists over HTTP, Kamailio $version', (build) => {
  let network: Network | undefined;
  let server: HttpServer | undefined;
  afterEach(async () => {
    await network?.stop();
    await server?.close();
  });

  it('fail/T-46 a certificate that is revoked while its connection is up', async () => {
    const http = await HttpServer.start();
    server = http;
    const url = http.url('/a.crl');
    const stage = await Network.start({
      build,
      policy: (standard) => ({
        ...standard,
        agreements: standard.agreements.map((each) => ({ ...each, revocation: 'hard' })),
        daemon: { revocation: { fetch: 'on', hosts: [`127.0.0.1:${http.port}`], interval: 1 } },
      }),
    });
    network = stage;
    const { pki, cast } = stage;
    let lists = 0;
    const publish = (revoked: readonly Identity[]) => {
      lists += 1;
      // A newer list begins later.
      http.serve('/a.crl', readList(pki.list(cast.operatorA, revoked, { from: lists - 10 })));
    };
    publish([]);
    const peer = stage.certificateOfA({ extensions: [`crlDistributionPoints=URI:${url}`] });
    const caller = await stage.overTls(peer);
    // The first call finds nothing at hand yet.
    await eventually('the list has arrived', async () => (await call(stage, caller)) === 'kept', 20_000);
    expect(caller.closed).toBe(false);
    publish([peer]);
    await eventually('a call is refused', async () => (await call(stage, caller)) === 'refused', 20_000);
    await eventually('the connection is closed', () => caller.closed);
    const decisions = await stage.daemon.decisionsOn(caller.source, ({ verdict }) => verdict === 'reject');
    const refusal = decisions.find(({ verdict }) => verdict === 'reject');
    expect(refusal).toMatchObject({ agreement: 'op-a', reasons: expect.arrayContaining(['revoked']) });
    // Others of the same partner go on.
    const other = await stage.overTls(stage.certificateOfA({ extensions: [`crlDistributionPoints=URI:${url}`] }));
    expect(await call(stage, other)).toBe('kept');
  });
});

describe.each(builds('smoke'))('OCSP responders, Kamailio $version', (build) => {
  const ca = new OpensslCa('/O=Operator A/CN=Operator A OCSP CA');
  const stranger = new OpensslCa('/O=Stranger/CN=Stranger CA');
  const responders: Child[] = [];
  let network: Network;
  let replays: HttpServer;
  const peers = new Map<string, Entity>();

  /** A certificate of a.example that names this responder. */
  const issue = (url: string): Entity =>
    ca.issue('/O=Operator A/CN=a.example', [
      ...['subjectAltName=DNS:a.example', 'keyUsage=critical,digitalSignature'],
      ...['extendedKeyUsage=serverAuth,clientAuth', `authorityInfoAccess=OCSP;URI:${url}`],
    ]);

  beforeAll(async () => {
    const delegate = (extensions: readonly string[], by = ca.ca) =>
      ca.issue('/O=Operator A/CN=Responder', ['keyUsage=critical,digitalSignature', ...extensions], by);
    const signing = 'extendedKeyUsage=OCSPSigning';
    const signers: Readonly<Record<string, Entity>> = {
      issuer: ca.ca,
      delegated: delegate([signing]),
      unauthorised: delegate(['extendedKeyUsage=serverAuth']),
      elsewhere: delegate([signing], stranger.ca),
      revoking: ca.ca,
    };
    replays = await HttpServer.start();
    const ports: number[] = [replays.port];
    // What is asked about stands in the index before the responder reads it, and its port in the certificate.
    for (const [name, signer] of Object.entries(signers)) {
      const port = await freePort();
      const peer = issue(`http://127.0.0.1:${port}/`);
      peers.set(name, peer);
      ca.tell([[peer, name === 'revoking' ? 'revoked' : 'good']]);
      responders.push((await ca.listen(signer, ['-nmin', '60'], port)).child);
      ports.push(port);
    }
    for (const [path, times] of [
      ['stale', { thisUpdate: -10 * DAY, nextUpdate: -3 * DAY }],
      ['future', { thisUpdate: 2 * DAY, nextUpdate: 9 * DAY }],
    ] as const) {
      const peer = issue(replays.url(`/${path}`));
      peers.set(path, peer);
      const answer = ca.answer(peer, Date.now() + times.thisUpdate, Date.now() + times.nextUpdate);
      replays.on(`/${path}`, (response) => {
        response.writeHead(200, { 'Content-Type': 'application/ocsp-response' });
        response.end(answer);
      });
    }
    network = await Network.start({
      build,
      authorities: [ca.ca.certificate],
      policy: (standard) => ({
        ...standard,
        agreements: [
          {
            ...{ name: 'op-a', domains: ['a.example'], mechanism: 'tls', anchors: [ca.ca.certificate] },
            revocation: 'hard',
          },
        ],
        daemon: { revocation: { fetch: 'on', hosts: ports.map((port) => `127.0.0.1:${port}`), interval: 1 } },
      }),
    });
  });
  afterAll(async () => {
    await network?.stop();
    for (const child of responders) await child.stop();
    await replays?.close();
    ca.close();
    stranger.close();
  });

  const CASES: readonly (readonly [id: string, what: string, responder: string, outcome: Outcome, reason: string])[] = [
    ['ok/T-19', 'the CA itself answers: good', 'issuer', 'kept', 'agreement-covers'],
    ['fail/T-19', 'the CA itself answers: revoked', 'revoking', 'refused', 'revoked'],
    ['ok/T-22', 'a responder that the CA delegated', 'delegated', 'kept', 'agreement-covers'],
    ['fail/T-22', 'one without id-kp-OCSPSigning', 'unauthorised', 'stripped', 'ocsp-signer'],
    ['fail/T-22', 'one that another CA delegated', 'elsewhere', 'stripped', 'ocsp-signer'],
    ['fail/T-23', 'an old good answer, replayed', 'stale', 'stripped', 'ocsp-time'],
    ['fail/T-23', 'an answer that speaks of the future', 'future', 'stripped', 'ocsp-time'],
  ];
  it.each(CASES)('%s %s', async (_, __, responder, outcome, reason) => {
    const peer = peers.get(responder);
    if (peer === undefined) throw new Error(`no peer for ${responder}`);
    const caller = await network.overTls({ ...peer, pem: '' });
    // Nothing is known at first, and the status comes in the background: maybe between a request and its answer.
    const seen = await eventually(
      `a call that is ${outcome} for the reason ${reason}`,
      async () => {
        const became = await call(network, caller);
        const decisions = await network.daemon.decisionsOn(caller.source);
        const reasons = decisions.at(-1)?.reasons as readonly string[] | undefined;
        return reasons?.includes(reason) === true && became === outcome && decisions[0];
      },
      20_000,
    );
    expect(seen.verdict).not.toBe('trusted');
    if (outcome === 'refused') await eventually('the connection is closed', () => caller.closed);
  });
});

/** A list as servers give it out (RFC 5280 §4.2.1.13: DER). */
function readList(path: string): Uint8Array {
  const [der] = readPem(readFileSync(path, 'latin1'), 'X509 CRL');
  if (der === undefined) throw new Error(`${path} holds no list`);
  return der;
}
