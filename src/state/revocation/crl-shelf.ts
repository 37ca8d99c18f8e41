import type { Logger } from '../../log/index.js';
import { fetchTarget } from '../../net/address/index.js';
import type { RevocationSettings } from '../../policy/settings/index.js';
import type { CertificateFacts } from '../../x509/certificate/index.js';
import { type CrlFacts, type CrlTimes, crlLocations, saysTheSame } from '../../x509/revocation/index.js';
import { fetchHttp, type JobQueue, nextRefresh, othersMaxAge } from '../fetch/index.js';
import { type CrlKeeper, CrlSource } from './crl-source.js';
import { CRL_LIMITS, type CrlStore } from './crl-store.js';
import type { SharedFetches } from './shared-fetches.js';

/** What the shelf asks of the rest of siptrust. */
export interface ShelfContext {
  readonly settings: RevocationSettings;
  readonly queue: JobQueue;
  readonly log: Logger;
  readonly random: () => number;
  /** What other nodes have fetched; undefined: this daemon is alone. */
  readonly shared?: SharedFetches | undefined;
  now(): number;
  times(): CrlTimes;
  signers(name: string): readonly CertificateFacts[];
  changed(): void;
}

/**
 * URLs and octets of one issuer: one partner's certificates must not take the room of the others'. A public CA has many partners
 * below it, and spreads its certificates over as many lists (Let's Encrypt: 128 of each issuing CA).
 */
const MOST_OF_ISSUER = Object.freeze({ urls: 128, octets: CRL_LIMITS.total / 2 });
/** URLs of all CAs together that one CA of the policy has made: it can make as many as it likes. */
const MOST_BELOW = 256;

/** Who has signed a certificate, as far as that is known. */
export interface SignedBy {
  readonly issuer?: CertificateFacts | undefined;
  /** The CA of the policy above it. */
  readonly authority?: CertificateFacts | undefined;
}

/** The URLs at which lists are published, and the lists from there: in memory, and on disk over restarts. */
export class CrlShelf {
  readonly #sources = new Map<string, CrlSource>();
  readonly #context: ShelfContext;
  readonly #keeper: CrlKeeper;
  #store: CrlStore | undefined;
  #lists: readonly CrlFacts[] = [];
  #fullTold = false;

  constructor(context: ShelfContext) {
    const { settings, random } = context;
    const limits = { rules: settings, maxSize: settings.maxSize, timeoutMs: settings.timeout * 1000 };
    this.#context = context;
    this.#keeper = {
      intervalMs: settings.interval * 1000,
      random,
      now: () => context.now(),
      times: () => context.times(),
      signers: (name) => context.signers(name),
      fetch: (question, stop, maxAgeMs) => {
        const own = () => fetchHttp(question, limits, stop);
        const etag = question.headers['If-None-Match'];
        const thing = { kind: 'crl' as const, source: question.url, maxAgeMs, etag };
        return context.shared?.fetch(thing, own, stop) ?? own();
      },
      shared: async (url) => {
        const thing = {
          kind: 'crl' as const,
          source: url,
          maxAgeMs: othersMaxAge(this.#keeper, undefined),
          etag: undefined,
        };
        return context.shared?.read(thing);
      },
      full: (crl) => this.#full(crl),
      replaced: (source, crl, before) => this.#replaced(source, crl, before),
      accused: (source, crl) => this.#accused(source, crl),
    };
  }

  /** All lists at hand, each once. */
  get lists(): readonly CrlFacts[] {
    return this.#lists;
  }

  get sources(): Iterable<CrlSource> {
    return this.#sources.values();
  }

  /** Takes what the last run left on disk; what is not good any more is forgotten. */
  async restore(store: CrlStore): Promise<void> {
    this.#store = store;
    for await (const { url, der, etag, lastModified } of store.load()) {
      const target = fetchTarget(url, this.#context.settings);
      // A host that left the allow-list is not asked again, and what came from it is not counted on.
      if ('refused' in target) continue;
      const source = new CrlSource(target, this.#keeper);
      try {
        await source.restore(der);
      } catch (cause) {
        this.#context.log.info('a CRL on disk is not used', { url, why: String(cause) });
        continue;
      }
      source.etag = etag;
      source.lastModified = lastModified;
      source.nextAt = nextRefresh(this.#context.now(), source.crl?.nextUpdate, this.#keeper.intervalMs);
      this.#add(source);
      this.#gather();
    }
  }

  /**
   * Follows the lists that a certificate names; the sources of those that may be fetched.
   */
  follow(certificate: CertificateFacts, { issuer, authority }: SignedBy, kept: boolean): readonly CrlSource[] {
    return crlLocations(certificate).flatMap(({ url, issuers }) => {
      const target = fetchTarget(url, this.#context.settings);
      if ('refused' in target) return [];
      const source =
        this.#sources.get(target.url) ?? this.#open(target, certificate.issuerKeys.text, authority?.spkiSha256 ?? '');
      if (source === undefined) return [];
      for (const name of issuers) source.issuers.add(name);
      if (issuer !== undefined) source.keys.add(issuer.spkiSha256);
      // One that was kept over a restart has no owner yet.
      if (source.claimedBy === '') source.claimedBy = certificate.issuerKeys.text;
      if (source.authority === '') source.authority = authority?.spkiSha256 ?? '';
      source.seenAt = this.#context.now();
      source.kept ||= kept;
      return [source];
    });
  }

  /** Where the list comes from that another node has fetched; undefined: nobody here follows it. */
  heard(source: string): CrlSource | undefined {
    return this.#sources.get(source);
  }

  /** Another policy: what its certificates name is followed anew, and what failed is tried again. */
  restart(): void {
    for (const source of this.#sources.values()) {
      source.kept = false;
      source.retry();
    }
    this.#context.queue.wake();
  }

  /** Forgets lists that no certificate has named since `before` (ms). */
  forget(before: number): void {
    for (const source of this.#sources.values()) {
      if (source.kept || source.seenAt >= before) continue;
      this.#sources.delete(source.url);
      this.#context.queue.delete(source);
      this.#store?.remove(source.url).catch((error: unknown) => this.#storeFailed(error));
    }
    this.#gather();
  }

  async close(): Promise<void> {
    await this.#store?.close();
  }

  /**
   * @param claimedBy who wrote the URL, and has to have the room: not the cRLIssuer, whom any certificate can name
   * @param authority the key of the CA of the policy above it; empty: it is not known
   */
  #open(
    target: { readonly url: string; readonly host: string },
    claimedBy: string,
    authority: string,
  ): CrlSource | undefined {
    const all = [...this.#sources.values()];
    const ofIssuer = all.filter((each) => each.claimedBy === claimedBy).length;
    const below = all.filter((each) => each.authority === authority).length;
    if (all.length >= CRL_LIMITS.files || ofIssuer >= MOST_OF_ISSUER.urls || below >= MOST_BELOW) {
      const { url } = target;
      const most = { urls: CRL_LIMITS.files, of_one_issuer: MOST_OF_ISSUER.urls, below_one_ca: MOST_BELOW };
      if (!this.#fullTold) this.#context.log.error('too many URLs of CRLs: more are not fetched', { url, ...most });
      this.#fullTold = true;
      return undefined;
    }
    const source = new CrlSource(target, this.#keeper);
    source.claimedBy = claimedBy;
    source.authority = authority;
    this.#add(source);
    return source;
  }

  #add(source: CrlSource): void {
    this.#sources.set(source.url, source);
    this.#context.queue.add(source);
  }

  #full({ der, issuerKeys }: CrlFacts): string | undefined {
    const sum = (lists: readonly CrlFacts[]): number => lists.reduce((octets, list) => octets + list.der.length, 0);
    const ofIssuer = sum(this.#lists.filter((list) => list.issuerKeys.text === issuerKeys.text));
    if (ofIssuer + der.length > MOST_OF_ISSUER.octets) {
      return `expected at most ${MOST_OF_ISSUER.octets} octets of CRLs of one issuer, found ${ofIssuer} and this one`;
    }
    const all = sum(this.#lists);
    return all + der.length > CRL_LIMITS.total
      ? `expected at most ${CRL_LIMITS.total} octets of CRLs together, found ${all} and this one`
      : undefined;
  }

  #replaced(source: CrlSource, crl: CrlFacts, before: CrlFacts | undefined): void {
    // Nobody named it any more, and it was forgotten while it was being fetched.
    if (this.#sources.get(source.url) !== source) return;
    const now = this.#context.now();
    this.#gather();
    this.#context.log.info('a CRL was fetched', { url: source.url, issuer: crl.issuerText, entries: crl.entryCount });
    const { url, etag, lastModified } = source;
    this.#store?.save({ url, etag, lastModified, der: crl.der }).catch((error: unknown) => this.#storeFailed(error));
    // Verdicts from before hold until the nextUpdate of the list before at most: where both say the same, they stand.
    const stands = before !== undefined && (before.nextUpdate ?? 0) > now && saysTheSame(before, crl);
    if (!stands) this.#context.changed();
  }

  #accused(source: CrlSource, { issuerText, entryCount }: CrlFacts): void {
    if (this.#sources.get(source.url) !== source) return;
    this.#gather();
    const facts = { url: source.url, issuer: issuerText, entries: entryCount };
    this.#context.log.warn('a CRL was fetched that clears nobody: what it lists is revoked', facts);
    this.#context.changed();
  }

  /** The same list from two URLs counts once, and takes the room of one. */
  #gather(): void {
    const lists = new Map<string, CrlFacts>();
    const once = (crl: CrlFacts | undefined): CrlFacts | undefined => {
      const same = crl && lists.get(crl.sha256);
      if (crl !== undefined && same === undefined) lists.set(crl.sha256, crl);
      return same ?? crl;
    };
    for (const source of this.#sources.values()) {
      // Of two lists of one time the first is asked first: the one that accuses.
      source.accusing = once(source.accusing);
      source.crl = once(source.crl);
    }
    this.#lists = Object.freeze([...lists.values()]);
  }

  #storeFailed(error: unknown): void {
    this.#context.log.warn('a CRL could not be kept on disk', { error: String(error) });
  }
}
