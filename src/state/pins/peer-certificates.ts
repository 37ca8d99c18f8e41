import { LRUCache } from 'lru-cache';
import type { Direction } from '../../trust/agreement/index.js';
import { type CertificateFacts, certificateName } from '../../x509/certificate/index.js';

/** Certificates of partners that are kept in mind: more than partners have edges. */
const MOST = 10_000;
/** So long after its end it is still told of. */
const ENDED_MS = 7 * 86_400_000;
/**
 * Silence says nothing: partners sleep at night, and what lives for days ends within a long weekend. A certificate was
 * replaced once one that ends later is seen in its place, so long after it was seen last (of what lives for less than a
 * day: after such a share of its life). Edges that each have their own are seen in between.
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
  readonly sha256: string;
  /** `in`: the partner called, `out`: it was called. It may show another certificate in each role. */
  readonly role: Direction;
  lastSeen: number;
}

/**
 * The certificates that partners show in good handshakes: the policy does not hold them, and the day when one ends is
 * the day when calls fail.
 */
export class PeerCertificates {
  readonly #seen = new LRUCache<string, Seen>({ max: MOST });
  readonly #clock: () => number;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  observe(agreement: string, role: Direction, facts: CertificateFacts): void {
    const key = `${agreement} ${role} ${facts.sha256}`;
    const lastSeen = this.#clock();
    const known = this.#seen.get(key);
    if (known !== undefined) {
      known.lastSeen = lastSeen;
      return;
    }
    const { sha256, notBefore, notAfter } = facts;
    const subject = certificateName(facts).slice(0, MOST_SUBJECT);
    this.#seen.set(key, { agreement, role, sha256, subject, notBefore, notAfter, lastSeen });
  }

  /** Each once, in whatever roles it was shown. */
  list(): readonly PeerCertificate[] {
    const now = this.#clock();
    const latest = new Map<string, number>();
    const found = new Map<string, PeerCertificate>();
    for (const [key, seen] of [...this.#seen.entries()].sort(([, a], [, b]) => b.notAfter - a.notAfter)) {
      const { agreement, role, sha256, subject, notBefore, notAfter, lastSeen } = seen;
      const place = `${agreement} ${role}`;
      const later = latest.get(place) ?? Number.NEGATIVE_INFINITY;
      latest.set(place, Math.max(later, lastSeen));
      const silence = Math.min(REPLACED_MS, (notAfter - notBefore) * REPLACED_SHARE);
      if (later >= lastSeen + silence || now > notAfter + ENDED_MS) this.#seen.delete(key);
      else found.set(`${agreement} ${sha256}`, { agreement, subject, notBefore, notAfter });
    }
    return [...found.values()];
  }
}
