import type { Snapshot } from '../../trust/agreement/index.js';
import type { ApprovedPins } from '../../trust/cover/index.js';
import type { Evidence } from '../../trust/evidence/index.js';
import { judgePeer } from '../../trust/peer/index.js';
import type { Verdict } from '../../trust/verdict/index.js';
import type { RevocationSource } from '../revocation/index.js';
import type { VerdictCache } from '../verdicts/index.js';

/** How long a verdict holds that waits for a revocation status (rulebook §8.3: not trusted, retry). */
const PENDING_MS = 2_000;

/** What verdicts rest on besides the evidence. */
export interface Grounds {
  readonly policy: { readonly snapshot: Snapshot };
  readonly revocation: Pick<RevocationSource, 'crls' | 'ocsp' | 'observe' | 'awaits'>;
  readonly pins: { readonly approved: ApprovedPins } | undefined;
  readonly now: () => number;
}

/** Verdicts, each given once as long as what it rests on holds. */
export class Judge {
  readonly #grounds: Grounds;
  readonly #verdicts: VerdictCache;

  constructor(grounds: Grounds, verdicts: VerdictCache) {
    this.#grounds = grounds;
    this.#verdicts = verdicts;
  }

  /** The verdict on this evidence under the policy in force. */
  verdict(evidence: Evidence): Verdict {
    const now = this.#grounds.now();
    const { snapshot } = this.#grounds.policy;
    return this.#verdicts.get(evidence, snapshot, now, () => this.#decide(evidence, snapshot, now));
  }

  /** The verdict under any policy, with the lists, statuses and approved pins of now; nothing is remembered. */
  under(evidence: Evidence, snapshot: Snapshot, now: number): Verdict {
    const { crls, ocsp } = this.#grounds.revocation;
    return judgePeer(evidence, snapshot, now, { crls, ocsp, approved: this.#grounds.pins?.approved });
  }

  #decide(evidence: Evidence, snapshot: Snapshot, now: number): Verdict {
    const verdict = this.under(evidence, snapshot, now);
    const { revocation } = this.#grounds;
    const leaf = evidence.tls?.certificate;
    if (leaf === undefined || 'malformed' in leaf || verdict.agreement === undefined) return verdict;
    revocation.observe(leaf, evidence.tls?.chain?.certificates ?? [], verdict.agreement.name);
    const waits = verdict.findings.some(({ code }) => code === 'rev-unknown') && revocation.awaits(leaf);
    return waits ? { ...verdict, validUntil: Math.min(verdict.validUntil, now + PENDING_MS) } : verdict;
  }
}
