/** A question that was answered before, asked of another policy. */

import { type Agreement, NameTable, type Snapshot } from '../agreement/index.js';
import type { ApprovedPins } from '../cover/index.js';
import type { Evidence } from '../evidence/index.js';
import { type Treatment, treatmentOf } from '../verdict/index.js';
import { judgePeer } from './peer.js';

/** What the answer of then says of revocation: lists and OCSP answers that were fetched are kept nowhere. */
export type KnownStatus = 'good' | 'revoked' | 'unknown';

export interface AskedAgain {
  readonly evidence: Evidence;
  /** When the question was asked (ms): it is judged at that time. */
  readonly at: number;
  readonly status: KnownStatus;
  readonly before: Treatment;
}

export interface AnsweredAgain {
  readonly treatment: Treatment;
  /** Instant (ms) up to which the same question gets the same answer. */
  readonly validUntil: number;
}

/** The answer of this policy, at the time of the question and with what was known of revocation then. */
export function askAgain(
  { evidence, at, status, before }: AskedAgain,
  snapshot: Snapshot,
  approved: ApprovedPins,
): AnsweredAgain {
  const first = judgePeer(evidence, snapshot, at, [], undefined, approved);
  const codes = first.findings.map(({ code }) => code);
  if (status === 'revoked' && !codes.includes('revoked') && looks(first.agreement)) {
    return { treatment: before, validUntil: first.validUntil };
  }
  const missed = status === 'good' && codes.includes('rev-unknown') && !codes.includes('revoked');
  const verdict = missed ? judgePeer(evidence, withoutRevocation(snapshot), at, [], undefined, approved) : first;
  return { treatment: treatmentOf(verdict, snapshot), validUntil: verdict.validUntil };
}

function looks(agreement: Agreement | undefined): boolean {
  return agreement !== undefined && agreement.revocation !== 'off';
}

const withoutLooking = new WeakMap<Snapshot, Snapshot>();

/** The same policy where nobody looks at revocation. */
function withoutRevocation(snapshot: Snapshot): Snapshot {
  const known = withoutLooking.get(snapshot);
  if (known !== undefined) return known;
  const agreements = snapshot.agreements.map((each): Agreement => ({ ...each, revocation: 'off' }));
  const byName = NameTable.of(agreements.map((each) => [each.name, each] as const));
  const byDomain = NameTable.of(agreements.flatMap((each) => each.domains.map((domain) => [domain, each] as const)));
  const made: Snapshot = { ...snapshot, agreements, byName, byDomain };
  withoutLooking.set(snapshot, made);
  return made;
}
