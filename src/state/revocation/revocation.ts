/**
 * Revocation beyond the files of agreements: lists from distribution points and statuses from OCSP responders, fetched
 * in the background from hosts that the policy lists (rulebook §8.3). A verdict takes what is at hand and never waits.
 */

import { LRUCache } from 'lru-cache';
import type { Logger } from '../../log/index.js';
import type { RevocationSettings } from '../../policy/settings/index.js';
import type { Snapshot } from '../../trust/agreement/index.js';
import type { CertificateFacts } from '../../x509/certificate/index.js';
import { atOnce } from '../../x509/der/index.js';
import type { CrlFacts, OcspAnswers } from '../../x509/revocation/index.js';
import { type Job, JobQueue } from '../fetch/index.js';
import { inSlices } from '../work/index.js';
import { Authorities } from './authorities.js';
import { CrlShelf } from './crl-shelf.js';
import { CRL_LIMITS, CrlStore } from './crl-store.js';
import { CrlWatch, type ListAtHand, policyLists } from './crl-watch.js';
import { OcspShelf } from './ocsp-shelf.js';
import { type OcspReader, ocspReader } from './ocsp-source.js';
import { listRows, policyRows, statusRows } from './revocation-rows.js';
import type { RevocationRow, RevocationSource } from './revocation-source.js';
import { makeRoom } from './room.js';
import type { FetchedThing, SharedFetches } from './shared-fetches.js';

export interface RevocationDependencies {
  readonly settings: RevocationSettings;
  readonly snapshot: Snapshot;
  readonly clock: () => number;
  readonly log: Logger;
  /** 0 to 1: spreads the load on servers. */
  readonly random: () => number;
  /** What other nodes of the fleet have fetched; undefined: this daemon is alone. */
  readonly shared?: SharedFetches | undefined;
}

/** Certificates of peers whose revocation is followed. */
const MOST_CERTIFICATES = 10_000;
/** After this time unseen a certificate, and a list that only such ones named, is forgotten. */
const FORGET_MS = 7 * 86_400_000;
const WATCH_MS = 60_000;

/** A certificate that was seen in a verdict, and what is asked for because of it. */
interface Seen {
  readonly certificate: CertificateFacts;
  /** The name of the agreement that it was seen under. */
  readonly agreement: string;
  readonly jobs: readonly (Job & { readonly pending: boolean })[];
}

/** CRLs and OCSP answers: fetched in the background, kept over restarts, asked without waiting. */
export class Revocation implements RevocationSource {
  /** Without the policy of the start: who kept it would keep it for ever. */
  readonly #deps: Omit<RevocationDependencies, 'snapshot'>;
  readonly #queue: JobQueue;
  readonly #lists: CrlShelf;
  readonly #statuses: OcspShelf | undefined;
  readonly #watch: CrlWatch;
  #watching: Promise<void> | undefined;
  readonly #seen: LRUCache<string, Seen>;
  #snapshot: Snapshot;
  #authorities: Authorities;
  #timer: NodeJS.Timeout | undefined;
  #changed = (): void => {};

  private constructor(deps: RevocationDependencies, read: OcspReader | undefined) {
    const { snapshot, ...kept } = deps;
    const { settings, clock, log, random, shared: fetches } = kept;
    this.#deps = kept;
    this.#snapshot = snapshot;
    this.#authorities = atOnce(Authorities.gather(snapshot));
    this.#queue = new JobQueue(clock);
    this.#watch = new CrlWatch(log, settings.warn * 1000);
    const common = {
      ...{ settings, queue: this.#queue, log, random, now: clock, shared: fetches },
      changed: () => this.#changed(),
    };
    this.#lists = new CrlShelf({
      ...common,
      times: () => ({ at: clock(), skew: this.#snapshot.skew, grace: this.#snapshot.crlGrace }),
      signers: (name) => this.#authorities.named(name),
    });
    if (read !== undefined) {
      const shared = { snapshot: () => this.#snapshot, crls: () => this.#lists.lists };
      this.#statuses = new OcspShelf({ ...common, ...shared, read });
    }
    this.#seen = new LRUCache({
      max: MOST_CERTIFICATES,
      dispose: ({ certificate }) => this.#forget(certificate),
      ttl: FORGET_MS,
      updateAgeOnGet: true,
      // Time is the caller's, as everywhere here.
      perf: { now: clock },
    });
  }

  /** With the lists that the last run left on disk; asks nobody before `start`. */
  static async open(deps: RevocationDependencies): Promise<Revocation> {
    const { fetch, directory, maxSize } = deps.settings;
    const revocation = new Revocation(deps, fetch ? ocspReader() : undefined);
    if (fetch && directory !== undefined) {
      try {
        await revocation.#lists.restore(await CrlStore.open(directory, { ...CRL_LIMITS, single: maxSize }));
      } catch (error) {
        deps.log.error('fetched CRLs are not kept on disk', { directory, error: String(error) });
      }
    }
    atOnce(revocation.#followPolicy());
    return revocation;
  }

  /** Begins to ask. `changed`: what is known has changed, and verdicts from before do not hold any more. */
  start(changed: () => void): void {
    this.#changed = changed;
    this.#queue.start();
    this.#deps.shared?.follow((thing) => this.#heard(thing));
    this.#look();
    this.#timer = setInterval(() => this.#look(), WATCH_MS);
    this.#timer.unref();
  }

  get crls(): readonly CrlFacts[] {
    return this.#lists.lists;
  }

  get ocsp(): OcspAnswers {
    return this.#statuses?.answers ?? NO_ANSWERS;
  }

  observe(leaf: CertificateFacts, chain: readonly CertificateFacts[], agreement: string): void {
    if (!this.#deps.settings.fetch) return;
    const known = this.#seen.get(leaf.sha256);
    if (known !== undefined) {
      this.#lists.follow(leaf, { authority: this.#authorities.authorityOver(leaf) }, false);
      return;
    }
    // Only what a CA of the policy has signed may make siptrust ask anybody.
    const above = this.#authorities.learn(chain).flatMap((certificate) => this.#follow(certificate));
    const issuer = this.#authorities.issuerOf(leaf);
    if (issuer === undefined) return;
    makeRoom(this.#seen, (seen) => seen.agreement);
    this.#seen.set(leaf.sha256, { certificate: leaf, agreement, jobs: [...this.#follow(leaf), ...above] });
  }

  /** Asks for the lists and the status of a certificate that a known CA has signed. */
  #follow(certificate: CertificateFacts) {
    const issuer = this.#authorities.issuerOf(certificate);
    const status = issuer && this.#statuses?.follow(certificate, issuer);
    const authority = this.#authorities.authorityOver(certificate);
    return [
      ...this.#lists.follow(certificate, { issuer, authority }, false),
      ...(status === undefined ? [] : [status]),
    ];
  }

  awaits(leaf: CertificateFacts): boolean {
    return this.#seen.get(leaf.sha256)?.jobs.some(({ pending }) => pending) ?? false;
  }

  async follow(snapshot: Snapshot): Promise<void> {
    this.#snapshot = snapshot;
    const authorities = await inSlices(Authorities.gather(snapshot));
    // Another policy may have come meanwhile: its own call goes on.
    if (this.#snapshot === snapshot) await inSlices(this.#followAnew(authorities));
  }

  *#followAnew(authorities: Authorities): Generator<undefined, void> {
    authorities.learn(this.#authorities.learned);
    this.#authorities = authorities;
    yield;
    for (const { certificate } of [...this.#seen.values()]) {
      if (authorities.issuerOf(certificate) === undefined) this.#seen.delete(certificate.sha256);
      yield;
    }
    const policy = new Set(authorities.intermediates.map(({ sha256 }) => sha256));
    this.#statuses?.retain(({ sha256 }) => policy.has(sha256) || this.#seen.has(sha256));
    this.#lists.restart();
    this.#statuses?.restart();
    yield;
    yield* this.#followPolicy();
    this.#look();
  }

  rows(): Promise<readonly RevocationRow[]> {
    return inSlices(this.#rows());
  }

  *#rows(): Generator<undefined, readonly RevocationRow[]> {
    const { clock, settings } = this.#deps;
    const now = clock();
    const warnMs = settings.warn * 1000;
    return [
      ...(yield* policyRows(yield* policyLists(this.#snapshot), now, warnMs)),
      ...listRows(this.#lists.sources, now, warnMs),
      ...statusRows(this.#statuses, now),
    ];
  }

  async refresh(url: string | undefined): Promise<number> {
    const sources = [...this.#lists.sources, ...(this.#statuses?.sources ?? [])];
    const asked = sources.filter((source) => url === undefined || source.url === url);
    for (const source of asked) source.anew = true;
    await Promise.all(asked.map((source) => this.#queue.hurry(source)));
    return asked.length;
  }

  /** Stops asking, and lets what is being written come to its end. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#watching;
    await this.#queue.close();
    await this.#lists.close();
  }

  /** What the certificates of the policy itself name. */
  *#followPolicy(): Generator<undefined, void> {
    if (!this.#deps.settings.fetch) return;
    for (const certificate of this.#authorities.intermediates) {
      const issuer = this.#authorities.issuerOf(certificate);
      this.#lists.follow(certificate, { issuer, authority: issuer ?? certificate }, true);
      if (issuer !== undefined) this.#statuses?.follow(certificate, issuer);
      yield;
    }
  }

  #forget(certificate: CertificateFacts): void {
    const ofPolicy = this.#authorities.intermediates.some(({ sha256 }) => sha256 === certificate.sha256);
    if (!ofPolicy) this.#statuses?.forget(certificate);
  }

  #heard({ kind, source: name }: Pick<FetchedThing, 'kind' | 'source'>): void {
    const source = kind === 'crl' ? this.#lists.heard(name) : this.#statuses?.heard(name);
    if (source === undefined) return;
    const hear = (): void => {
      source.heard();
      this.#queue.wake();
    };
    // What is under way may be older.
    if (this.#queue.isRunning(source)) void this.#queue.hurry(source).then(hear);
    else hear();
  }

  #look(): void {
    const now = this.#deps.clock();
    this.#seen.purgeStale();
    this.#lists.forget(now - FORGET_MS);
    const fetched: readonly ListAtHand[] = [...this.#lists.sources].flatMap(({ url, crl }) =>
      crl === undefined ? [] : [{ source: url, crl }],
    );
    this.#watching ??= inSlices(this.#watchLists(fetched, now)).finally(() => {
      this.#watching = undefined;
    });
  }

  *#watchLists(fetched: readonly ListAtHand[], now: number): Generator<undefined, void> {
    const files = yield* policyLists(this.#snapshot);
    yield* this.#watch.look([...files, ...fetched], now);
  }
}

const NO_ANSWERS: OcspAnswers = new Map();
