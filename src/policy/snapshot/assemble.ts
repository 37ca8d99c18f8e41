/** The parts of a policy, each checked, become the snapshot: its look-up tables, and the seal on everything. */

import type { PrefixTable } from '../../net/address/index.js';
import { type Agreement, AuthorityTable, NameTable, type Snapshot, targetKey } from '../../trust/agreement/index.js';
import { freezeShallow } from '../reading/index.js';

/** What is made of the agreements, so that one is found without a walk over all. */
type Table = 'byName' | 'byDomain' | 'byWildcard' | 'byTarget' | 'byServerName' | 'authorities' | 'sources';

/** What a snapshot is made of; all of it frozen but for the collections themselves. */
export type SnapshotParts = Omit<Snapshot, Table> & {
  readonly sources: ReadonlyMap<string, PrefixTable<Agreement>>;
};

/** Agreements entered into the tables in one step. */
const STEP = 200;

/** The snapshot of checked parts. Yields now and then, so that a caller can let verdicts through in between. */
export function* assembleInSteps(parts: SnapshotParts): Generator<undefined, Snapshot> {
  const byName = new NameTable<Agreement>();
  const byDomain = new NameTable<Agreement>();
  const byWildcard = new NameTable<Agreement>();
  const byTarget = new NameTable<Agreement>();
  const byServerName = new NameTable<Agreement>();
  const authorities = new AuthorityTable();
  for (const [at, agreement] of parts.agreements.entries()) {
    byName.set(agreement.name, agreement);
    for (const domain of agreement.domains) byDomain.set(domain, agreement);
    for (const suffix of agreement.wildcardNames) byWildcard.set(suffix, agreement);
    for (const target of agreement.targets) byTarget.set(targetKey(target), agreement);
    for (const name of agreement.serverNames) if (!byServerName.has(name)) byServerName.set(name, agreement);
    authorities.add(agreement);
    if (at % STEP === STEP - 1) yield;
  }
  const { agreements, ownCertificates, interfaces, ownDomains, sources, ocsp } = parts;
  for (const part of [agreements, ownCertificates, interfaces, ownDomains, sources, ocsp]) freezeShallow(part);
  for (const table of [byName, byDomain, byWildcard, byTarget, byServerName, authorities]) table.seal();
  return Object.freeze({ ...parts, byName, byDomain, byWildcard, byTarget, byServerName, authorities });
}
