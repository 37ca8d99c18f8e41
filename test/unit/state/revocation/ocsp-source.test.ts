import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HttpAnswer } from '../../../../src/state/fetch/http-client.js';
import type { FetchedThing, SharedFetches } from '../../../../src/state/revocation/shared-fetches.js';
import { DAY, type Issued } from '../../../support/certificates.js';
import { der } from '../../../support/der.js';
import { HttpServer } from '../../../support/http-server.js';
import { eventually } from '../../../support/live/places.js';
import { ocspDer, type SingleSpec } from '../../../support/ocsp.js';
import { now, partner, SECOND, Stage, type StageOptions } from '../../../support/revocation-stage.js';

const b = partner();
let server: HttpServer;
const open: Stage[] = [];

beforeEach(async () => {
  server = await HttpServer.start();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((stage) => stage.close()));
  await server.close();
});

/** Nobody asks but by `refresh`, and for the first question. */
async function stageWith(options: StageOptions = {}): Promise<Stage> {
  const stage = await Stage.open(b, server, { ...options, settings: { interval: 3600, ...options.settings } });
  open.push(stage);
  return stage;
}

const peerAt = (...paths: readonly string[]) => b.peer({ ocsp: paths.map((path) => server.url(path)) });
const both = () => peerAt('/first', '/second');
const REVOKED = { status: { revoked: now() - DAY } } as const;
/** What the responder at a path says from now on. */
const says = (path: string, certificate: Issued, single: Partial<SingleSpec> = {}) => {
  const times = { thisUpdate: now() - SECOND, nextUpdate: now() + DAY };
  const answer = ocspDer([{ certificate, issuer: b.ca, ...times, ...single }], { signer: b.ca });
  server.on(path, (response) => response.end(answer));
};
const dies = (path: string) =>
  server.on(path, (response) => {
    response.statusCode = 503;
    response.end();
  });
const LATER = der.seq(der.enumerated(3));
const asked = () => [server.count('/first'), server.count('/second')];
const becomes = (stage: Stage, certificate: Issued, told: string) =>
  eventually(`the verdict ${told}, instead of ${stage.told(certificate)}`, () => stage.told(certificate) === told);
const SOFT = { agreement: { revocation: 'soft' } } as const;

/** What the nodes of a fleet share: what was fetched is there for all, under its name. */
class Store implements SharedFetches {
  readonly kept = new Map<string, { readonly at: number; readonly answer: HttpAnswer }>();

  async fetch(thing: FetchedThing, own: () => Promise<HttpAnswer>): Promise<HttpAnswer> {
    const found = await this.read(thing);
    if (found !== undefined) return found;
    const answer = await own();
    this.kept.set(thing.source, { at: now(), answer });
    return answer;
  }

  async read({ source, maxAgeMs }: FetchedThing): Promise<HttpAnswer | undefined> {
    const found = this.kept.get(source);
    return found !== undefined && now() - found.at < maxAgeMs ? { ...found.answer, shared: true } : undefined;
  }

  follow(): void {}

  /** The paths of the responders whose answers are there. */
  get paths(): readonly string[] {
    return [...this.kept.keys()].map((source) => new URL(source.split(' ')[0] ?? '').pathname);
  }

  /** All of it was fetched so long ago. */
  age(ms: number): void {
    for (const [source, { at, answer }] of this.kept) this.kept.set(source, { at: at - ms, answer });
  }
}

describe('several OCSP responders in one certificate', () => {
  test('fail/the first is dead, and the second says that the certificate is revoked', async () => {
    const peer = both();
    says('/second', peer, REVOKED);
    const stage = await stageWith(SOFT);
    stage.ask(peer);
    await becomes(stage, peer, 'reject revoked');
  });

  test.each<readonly [string, (peer: Issued) => void]>([
    ['is dead', () => {}],
    ['asks to try later', () => server.on('/first', (response) => response.end(LATER))],
    ['does not know the certificate', (peer) => says('/first', peer, { status: 'unknown' })],
    ['is a captive portal', () => server.on('/first', (response) => response.end('<html>log in</html>'))],
  ])('ok/the first %s: the second clears it, and the first is asked again in each round', async (_, first) => {
    const peer = both();
    first(peer);
    says('/second', peer);
    const stage = await stageWith();
    stage.ask(peer);
    await becomes(stage, peer, 'trusted agreement-covers');
    await stage.revocation.refresh(undefined);
    expect(asked()).toEqual([2, 2]);
    says('/first', peer);
    await stage.revocation.refresh(undefined);
    expect(asked()).toEqual([3, 2]);
    expect(await stage.errors()).toEqual(['']);
  });

  test('fail/neither answers: what came of each is told', async () => {
    const stage = await stageWith();
    stage.ask(both());
    await stage.revocation.refresh(undefined);
    const found = 'expected status 200, found 404';
    expect(await stage.errors()).toEqual([`${server.url('/first')}: ${found}; ${server.url('/second')}: ${found}`]);
  });

  test('fail/no more than three are asked', async () => {
    const stage = await stageWith();
    stage.ask(peerAt('/first', '/second', '/third', '/fourth'));
    await eventually('three were asked', () => server.count('/third') > 0);
    await stage.revocation.refresh(undefined);
    expect(server.count('/fourth')).toBe(0);
  });

  test('fail/all of them together have the time of one', async () => {
    for (const path of ['/first', '/second', '/third']) server.on(path, () => {});
    const stage = await stageWith({ settings: { timeout: 1 } });
    stage.ask(peerAt('/first', '/second', '/third'));
    await stage.revocation.refresh(undefined);
    const [error] = await stage.errors();
    expect(error?.match(/[0-9]+ ms/g)).toEqual(['500 ms', '250 ms', '250 ms']);
  });

  test('ok/the first that hangs leaves time to the second', async () => {
    const peer = both();
    server.on('/first', () => {});
    says('/second', peer);
    const stage = await stageWith({ settings: { timeout: 4 } });
    stage.ask(peer);
    await becomes(stage, peer, 'trusted agreement-covers');
  });
});

describe('what one responder has revoked no other one clears', () => {
  test('fail/the first has revoked it and dies; the second lags behind and says good', async () => {
    const peer = both();
    says('/first', peer, { ...REVOKED, thisUpdate: now() - 60 * SECOND });
    says('/second', peer);
    const stage = await stageWith();
    stage.ask(peer);
    await becomes(stage, peer, 'reject revoked');
    dies('/first');
    await stage.revocation.refresh(undefined);
    expect(stage.told(peer)).toBe('reject revoked');
    expect(await stage.errors()).toEqual([`${server.url('/first')}: expected status 200, found 503`]);
    says('/first', peer, { ...REVOKED, thisUpdate: now() - 60 * SECOND });
    await stage.revocation.refresh(undefined);
    expect(stage.told(peer)).toBe('reject revoked');
    expect(await stage.errors()).toEqual(['']);
    expect(asked()).toEqual([3, 1]);
  });

  test('fail/the first has said good and dies; the second revokes it in an answer that is older', async () => {
    const peer = both();
    says('/first', peer);
    says('/second', peer, { ...REVOKED, thisUpdate: now() - 60 * SECOND });
    const stage = await stageWith();
    stage.ask(peer);
    await becomes(stage, peer, 'trusted agreement-covers');
    dies('/first');
    await stage.revocation.refresh(undefined);
    expect(stage.told(peer)).toBe('reject revoked');
  });

  test('ok/the second is asked in each round until it takes its revocation back itself', async () => {
    const peer = both();
    says('/second', peer, REVOKED);
    const stage = await stageWith();
    stage.ask(peer);
    await becomes(stage, peer, 'reject revoked');
    says('/first', peer);
    await stage.revocation.refresh(undefined);
    expect(stage.told(peer)).toBe('reject revoked');
    dies('/second');
    await stage.revocation.refresh(undefined);
    expect(stage.told(peer)).toBe('reject revoked');
    expect(await stage.errors()).toEqual([`${server.url('/second')}: expected status 200, found 503`]);
    says('/second', peer);
    await stage.revocation.refresh(undefined);
    expect(stage.told(peer)).toBe('trusted agreement-covers');
    await stage.revocation.refresh(undefined);
    expect(asked()).toEqual([5, 4]);
  });

  test('ok/a good answer of the second that is older than the one of the first counts', async () => {
    const peer = both();
    says('/first', peer);
    says('/second', peer, { thisUpdate: now() - 60 * SECOND });
    const stage = await stageWith();
    stage.ask(peer);
    await becomes(stage, peer, 'trusted agreement-covers');
    dies('/first');
    await stage.revocation.refresh(undefined);
    expect(await stage.errors()).toEqual(['']);
  });

  test('ok/two that know nothing, each for its own reason, disturb nobody twice', async () => {
    const peer = both();
    says('/first', peer, { status: 'unknown' });
    says('/second', peer, { nextUpdate: now() - SECOND });
    const stage = await stageWith();
    stage.ask(peer);
    await stage.revocation.refresh(undefined);
    // Changes are told once a second at most.
    await pause(1500);
    const { revision } = stage.state.policy.snapshot;
    await stage.revocation.refresh(undefined);
    await pause(1500);
    expect(stage.state.policy.snapshot.revision).toBe(revision);
  });
});

describe('several responders in a fleet', () => {
  test.each([
    ['asks to try later', LATER],
    ['is a captive portal', Buffer.from('<html>log in</html>')],
  ])('fail/the first %s: the second is asked itself, and what it revokes is known to all', async (_, octets) => {
    const peer = both();
    server.on('/first', (response) => response.end(octets));
    says('/second', peer, REVOKED);
    const shared = new Store();
    const stage = await stageWith({ ...SOFT, shared });
    stage.ask(peer);
    await becomes(stage, peer, 'reject revoked');
    expect(shared.paths).toEqual(['/second']);
    const other = await stageWith({ ...SOFT, shared });
    other.ask(peer);
    await becomes(other, peer, 'reject revoked');
    expect(server.count('/second')).toBe(1);
  });

  test('fail/an answer that does not count replaces none that does', async () => {
    const peer = both();
    says('/first', peer);
    const shared = new Store();
    const stage = await stageWith({ shared });
    stage.ask(peer);
    await becomes(stage, peer, 'trusted agreement-covers');
    const before = [...shared.kept.values()];
    server.on('/first', (response) => response.end(LATER));
    await stage.revocation.refresh(undefined);
    expect([...shared.kept.values()]).toEqual(before);
  });

  test.each([
    ['first', '/first', '/second'],
    ['second', '/second', '/first'],
  ])('fail/a node that starts anew knows what the %s has revoked hours ago', async (_, revokes, clears) => {
    const peer = both();
    says(revokes, peer, REVOKED);
    const shared = new Store();
    const before = await stageWith({ shared });
    before.ask(peer);
    await becomes(before, peer, 'reject revoked');
    shared.age(5 * 3600 * SECOND);
    dies(revokes);
    says(clears, peer);
    const stage = await stageWith({ shared });
    stage.ask(peer);
    await stage.revocation.refresh(undefined);
    expect(stage.told(peer)).toBe('reject revoked');
    says(revokes, peer);
    await stage.revocation.refresh(undefined);
    expect(stage.told(peer)).toBe('trusted agreement-covers');
  });

  test('fail/what another node was told long ago clears nobody', async () => {
    const peer = both();
    says('/first', peer);
    const shared = new Store();
    const before = await stageWith({ shared });
    before.ask(peer);
    await becomes(before, peer, 'trusted agreement-covers');
    shared.age(5 * 3600 * SECOND);
    for (const path of ['/first', '/second']) dies(path);
    const stage = await stageWith({ shared });
    stage.ask(peer);
    await stage.revocation.refresh(undefined);
    expect(stage.told(peer)).toBe('untrusted rev-unknown');
  });
});
