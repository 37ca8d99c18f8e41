/** A question that was answered before, asked of another policy. */

import { type Agreement, MappedTable, type Snapshot } from '../agreement/index.js';
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
  const first = judgePeer(evidence, snapshot, at, { approved });
  const codes = first.findings.map(({ code }) => code);
  if (status === 'revoked' && !codes.includes('revoked') && looks(first.agreement)) {
    return { treatment: before, validUntil: first.validUntil };
  }
  const missed = status === 'good' && codes.includes('rev-unknown') && !codes.includes('revoked');
  const verdict = missed ? judgePeer(evidence, withoutRevocation(snapshot), at, { approved }) : first;
  return { treatment: treatmentOf(verdict, snapshot), validUntil: verdict.validUntil };
}

function looks(agreement: Agreement | undefined): boolean {
  return agreement !== undefined && agreement.revocation !== 'off';
}

/** The same policy where nobody looks at revocation: an agreement becomes another one when it is found, and not before. */
function withoutRevocation(snapshot: Snapshot): Snapshot {
  const { byName, byDomain, byWildcard, byTarget, byServerName } = snapshot;
  return {
    ...snapshot,
    byName: new MappedTable(byName, lookingAway),
    byDomain: new MappedTable(byDomain, lookingAway),
    byWildcard: new MappedTable(byWildcard, lookingAway),
    byTarget: new MappedTable(byTarget, lookingAway),
    byServerName: new MappedTable(byServerName, lookingAway),
  };
}

const withoutLooking = new WeakMap<Agreement, Agreement>();

/** One object for each agreement: checks compare them. */
function lookingAway(agreement: Agreement): Agreement {
  const known = withoutLooking.get(agreement);
  if (known !== undefined) return known;
  const made: Agreement = { ...agreement, revocation: 'off' };
  withoutLooking.set(agreement, made);
  return made;
}
