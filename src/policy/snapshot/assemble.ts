/** The parts of a policy, each checked, become the snapshot: its look-up tables, and the seal on everything. */

import type { PrefixTable } from '../../net/address/index.js';
import { type Agreement, type Snapshot, targetKey } from '../../trust/agreement/index.js';
import { freezeShallow } from '../reading/index.js';

/** What a snapshot is made of; all of it frozen but for the collections themselves. */
export type SnapshotParts = Omit<Snapshot, 'byDomain' | 'byWildcard' | 'byTarget' | 'sources'> & {
  readonly sources: ReadonlyMap<string, PrefixTable<Agreement>>;
};

/** Agreements entered into the tables in one step. */
const STEP = 1000;

/** The snapshot of checked parts. Yields now and then, so that a caller can let verdicts through in between. */
export function* assembleInSteps(parts: SnapshotParts): Generator<undefined, Snapshot> {
  const byDomain = new Map<string, Agreement>();
  const byWildcard = new Map<string, Agreement>();
  const byTarget = new Map<string, Agreement>();
  for (const [at, agreement] of parts.agreements.entries()) {
    for (const domain of agreement.domains) byDomain.set(domain, agreement);
    for (const suffix of agreement.wildcardNames) byWildcard.set(suffix, agreement);
    for (const target of agreement.targets) byTarget.set(targetKey(target), agreement);
    if (at % STEP === STEP - 1) yield;
  }
  const { agreements, ownCertificates, interfaces, ownDomains, sources, ocsp } = parts;
  for (const part of [agreements, ownCertificates, interfaces, ownDomains, sources, ocsp]) freezeShallow(part);
  for (const table of [byDomain, byWildcard, byTarget]) freezeShallow(table);
  return Object.freeze({ ...parts, byDomain, byWildcard, byTarget });
}
