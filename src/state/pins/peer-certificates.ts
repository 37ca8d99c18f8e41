import { LRUCache } from 'lru-cache';
import type { Direction } from '../../trust/agreement/index.js';
import { type CertificateFacts, certificateName } from '../../x509/certificate/index.js';
import { startOf } from './start-of.js';

/** Certificates of partners that are kept in mind: more than partners have edges. */
const MOST = 10_000;
/** Of one agreement: whoever shows another certificate in each handshake takes no room of the others. */
const MOST_OF_ONE = 100;
/** So long after its end it is still told of. */
export const ENDED_MS = 7 * 86_400_000;
/**
 * Silence says nothing: partners sleep at night, and what lives for days ends within a long weekend. A certificate was
 * replaced once one that ends later is seen in its place, so long after it was seen last in any role (of what lives for less
 * than a day: after such a share of its life). Edges that each have their own are seen in between. What was shown in both
 * roles is replaced in both: a partner that nobody calls any more shows its next one in one of them only.
 */
const REPLACED_MS = 3_600_000;
const REPLACED_SHARE = 1 / 24;
/** A certificate may be 64 KiB of names. */
const MOST_SUBJECT = 512;

/** A certificate that a partner showed in a handshake, and under which agreement it was good. */
export interface PeerCertificate {
  readonly agreement: string;
  readonly subject: string;
  readonly notBefore: number;
  readonly notAfter: number;
}

interface Seen extends PeerCertificate {
  /** `in`: the partner called, `out`: it was called. It may show another certificate in each role. */
  readonly lastSeen: Map<Direction, number>;
  /** The CA that came with it last, and ends before it does. */
  sent: Pick<PeerCertificate, 'subject' | 'notAfter'> | undefined;
}

/**
 * The certificates that partners show in good handshakes: the policy does not hold them, and the day when one ends is
 * the day when calls fail.
 */
export class PeerCertificates {
  readonly #seen = new LRUCache<string, Seen>({
    max: MOST,
    dispose: ({ agreement }, key) => this.#forget(agreement, key),
  });
  /** The keys of each agreement, what was seen last at the end. */
  readonly #keys = new Map<string, Set<string>>();
  readonly #clock: () => number;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** @param sent the CA that came with it and ends before it does */
  observe(agreement: string, role: Direction, facts: CertificateFacts, sent?: CertificateFacts): void {
    const key = `${agreement} ${facts.sha256}`;
    const known = this.#seen.get(key);
    if (known === undefined) this.#makeRoom(agreement);
    this.#remember(agreement, key);
    const above = sent && {
      subject: startOf(`${certificateName(sent)}, sent with ${certificateName(facts)}`, MOST_SUBJECT),
      notAfter: sent.notAfter,
    };
    if (known !== undefined) {
      known.lastSeen.set(role, this.#clock());
      known.sent = above;
      return;
    }
    const subject = startOf(certificateName(facts), MOST_SUBJECT);
    const { notBefore, notAfter } = facts;
    const lastSeen = new Map([[role, this.#clock()]]);
    this.#seen.set(key, { agreement, subject, notBefore, notAfter, lastSeen, sent: above });
  }

  /** Each once, in whatever roles it was shown. */
  list(): readonly PeerCertificate[] {
    const now = this.#clock();
    const latest = new Map<string, number>();
    const found: PeerCertificate[] = [];
    for (const [key, seen] of [...this.#seen.entries()].sort(([, a], [, b]) => b.notAfter - a.notAfter)) {
      const { agreement, subject, notBefore, notAfter, lastSeen, sent } = seen;
      let next = Number.NEGATIVE_INFINITY;
      for (const [role, at] of lastSeen) {
        const place = `${agreement} ${role}`;
        const later = latest.get(place) ?? Number.NEGATIVE_INFINITY;
        latest.set(place, Math.max(later, at));
        next = Math.max(next, later);
      }
      const silence = Math.min(REPLACED_MS, (notAfter - notBefore) * REPLACED_SHARE);
      if (next >= Math.max(...lastSeen.values()) + silence || now > notAfter + ENDED_MS) this.#seen.delete(key);
      else found.push({ agreement, subject, notBefore, notAfter, ...sent });
    }
    return found;
  }

  /** What was seen longest ago goes. */
  #makeRoom(agreement: string): void {
    const keys = this.#keys.get(agreement);
    if (keys === undefined || keys.size < MOST_OF_ONE) return;
    const [oldest] = keys;
    if (oldest !== undefined) this.#seen.delete(oldest);
  }

  #remember(agreement: string, key: string): void {
    const keys = this.#keys.get(agreement) ?? new Set();
    keys.delete(key);
    this.#keys.set(agreement, keys.add(key));
  }

  #forget(agreement: string, key: string): void {
    const keys = this.#keys.get(agreement);
    keys?.delete(key);
    if (keys?.size === 0) this.#keys.delete(agreement);
  }
}
