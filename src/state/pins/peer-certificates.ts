import { LRUCache } from 'lru-cache';
import { type CertificateFacts, certificateName } from '../../x509/certificate/index.js';

/** Certificates of partners that are kept in mind: more than partners have edges. */
const MOST = 10_000;
/** After this time unseen a partner has put another certificate in its place, or does not call any more. */
const FORGET_MS = 7 * 86_400_000;
/**
 * One that lives for days is replaced in the last third of its life: what took its place came by then, and it is forgotten
 * before anybody is told that it ends (expiry/notices.ts).
 */
const FORGET_SHARE = 1 / 12;
/** A certificate may be 64 KiB of names. */
const MOST_SUBJECT = 512;

/** A certificate that a partner showed in a handshake, and under which agreement it was good. */
export interface PeerCertificate {
  readonly agreement: string;
  readonly subject: string;
  readonly notBefore: number;
  readonly notAfter: number;
}

/**
 * The certificates that partners show in good handshakes: the policy does not hold them, and the day when one ends is
 * the day when calls fail.
 */
export class PeerCertificates {
  readonly #seen: LRUCache<string, PeerCertificate>;

  constructor(clock: () => number) {
    this.#seen = new LRUCache({
      ...{ max: MOST, ttl: FORGET_MS, updateAgeOnGet: true },
      // Time is the caller's, to the millisecond.
      ...{ perf: { now: clock }, ttlResolution: 0 },
    });
  }

  observe(agreement: string, facts: CertificateFacts): void {
    const key = `${agreement} ${facts.sha256}`;
    if (this.#seen.get(key) !== undefined) return;
    const { notBefore, notAfter } = facts;
    const subject = certificateName(facts).slice(0, MOST_SUBJECT);
    const ttl = Math.max(1, Math.min(FORGET_MS, (notAfter - notBefore) * FORGET_SHARE));
    this.#seen.set(key, { agreement, subject, notBefore, notAfter }, { ttl });
  }

  list(): readonly PeerCertificate[] {
    this.#seen.purgeStale();
    return [...this.#seen.values()];
  }
}
