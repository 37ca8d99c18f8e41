/** The parts of a policy, each checked, become the snapshot: its look-up tables, and the seal on everything. */

import type { PrefixTable } from '../../net/address/index.js';
import {
  type Agreement,
  AuthorityTable,
  authoritiesOf,
  NameTable,
  type Snapshot,
  targetKey,
} from '../../trust/agreement/index.js';
import { entryAt } from '../../typed.js';
import { freezeShallow } from '../reading/index.js';

/** What is made of the agreements, so that one is found without a walk over all. */
type Table = 'byName' | 'byDomain' | 'byWildcard' | 'byTarget' | 'byServerName' | 'authorities' | 'sources';

/** What a snapshot is made of; all of it frozen but for the collections themselves. */
export type SnapshotParts = Omit<Snapshot, Table> & {
  readonly sources: ReadonlyMap<string, PrefixTable<Agreement>>;
};

/** Agreements entered into the tables, or compared, in one step. */
const STEP = 200;

/** The tables by name, not sealed yet. */
interface Tables {
  readonly byName: NameTable<Agreement>;
  readonly byDomain: NameTable<Agreement>;
  readonly byWildcard: NameTable<Agreement>;
  readonly byTarget: NameTable<Agreement>;
  readonly byServerName: NameTable<Agreement>;
  readonly authorities: AuthorityTable;
}

/**
 * The snapshot of checked parts. Yields now and then, so that a caller can let verdicts through in between.
 * @param before of which the tables are taken as they are, but for what agreements that came or went have in them
 */
export function* assembleInSteps(parts: SnapshotParts, before?: Snapshot): Generator<undefined, Snapshot> {
  const change = before && (yield* changeInSteps(before, parts.agreements));
  const tables =
    (before && change && (yield* changedTables(before, change, parts.agreements))) ??
    (yield* newTables(parts.agreements));
  const { agreements, ownCertificates, interfaces, ownDomains, sources, ocsp } = parts;
  for (const part of [agreements, ownCertificates, interfaces, ownDomains, sources, ocsp]) freezeShallow(part);
  for (const table of Object.values(tables)) table.seal();
  return Object.freeze({ ...parts, ...tables });
}

function* newTables(agreements: readonly Agreement[]): Generator<undefined, Tables> {
  const tables: Tables = {
    byName: NameTable.empty(),
    byDomain: NameTable.empty(),
    byWildcard: NameTable.empty(),
    byTarget: NameTable.empty(),
    byServerName: NameTable.empty(),
    authorities: AuthorityTable.empty(),
  };
  for (const [at, agreement] of agreements.entries()) {
    enterOwn(agreement, tables);
    enterShared(agreement, tables);
    if (at % STEP === STEP - 1) yield;
  }
  return tables;
}

/** What belongs to one agreement alone. */
function enterOwn(agreement: Agreement, { byName, byDomain, byWildcard, byTarget }: Tables): void {
  byName.set(agreement.name, agreement);
  for (const domain of agreement.domains) byDomain.set(domain, agreement);
  for (const suffix of agreement.wildcardNames) byWildcard.set(suffix, agreement);
  for (const target of agreement.targets) byTarget.set(targetKey(target), agreement);
}

/** What several agreements may have: the first ones in the policy count. */
function enterShared(agreement: Agreement, { byServerName, authorities }: Tables, only?: Shared): void {
  for (const name of agreement.serverNames) {
    if ((only === undefined || only.serverNames.has(name)) && !byServerName.has(name))
      byServerName.set(name, agreement);
  }
  authorities.add(agreement, only?.authorities);
}

/** @param before which has the same of it, in the same place of the policy */
function replaceShared(before: Agreement, after: Agreement, { byServerName, authorities }: Tables): void {
  for (const name of after.serverNames) if (byServerName.get(name) === before) byServerName.set(name, after);
  authorities.replace(before, after);
}

interface Shared {
  readonly serverNames: ReadonlySet<string>;
  readonly authorities: ReadonlySet<string>;
}

/** Agreements that are in one policy and not in the other. */
interface Change {
  readonly gone: readonly Agreement[];
  readonly come: readonly Agreement[];
}

/** Changes of more than one agreement in so many: to enter all anew is as quick. */
const MOST_CHANGED = 4;

/**
 * What has changed, by the objects; undefined where that is much, or those that stayed stand in another order. Both lists are
 * walked once beside each other: a Map of all agreements takes a long turn each time that it grows.
 */
function* changeInSteps(
  { agreements: before, byName }: Snapshot,
  after: readonly Agreement[],
): Generator<undefined, Change | undefined> {
  const [gone, come]: [Agreement[], Agreement[]] = [[], []];
  const most = after.length / MOST_CHANGED;
  let at = 0;
  let rounds = 0;
  for (let place = 0; place < before.length || at < after.length; ) {
    const [old, next] = [before[place], after[at]];
    if (old === next) {
      place += 1;
      at += 1;
    } else if (next !== undefined && byName.get(next.name) !== next) {
      come.push(next);
      at += 1;
    } else if (old !== undefined) {
      // It is gone, or stands further below now: then that one is met when all of the policy before is passed.
      gone.push(old);
      place += 1;
    } else return undefined;
    if (come.length > most || gone.length > most) return undefined;
    rounds += 1;
    if (rounds % STEP === 0) yield;
  }
  return { gone, come };
}

/** Of more that have changed each place is sought too long. */
const MOST_IN_PLACE = 16;

/**
 * Whether each agreement that came stands where one was that had the same server names and CAs, as where an operator changes
 * its terms: then which agreements are the first ones to have them stays, and the others need not be looked through for it.
 */
function inPlace(before: readonly Agreement[], { gone, come }: Change, after: readonly Agreement[]): boolean {
  if (gone.length !== come.length || gone.length > MOST_IN_PLACE || before.length !== after.length) return false;
  return come.every((agreement, at) => {
    const old = entryAt(gone, at);
    return sharedText(old) === sharedText(agreement) && before.indexOf(old) === after.indexOf(agreement);
  });
}

function sharedText(agreement: Agreement): string {
  return JSON.stringify([agreement.serverNames, authoritiesOf(agreement).map(({ sha256 }) => sha256)]);
}

/** The tables of a policy before with the change entered; undefined where they are no tables of ours. */
function* changedTables(
  before: Snapshot,
  change: Change,
  agreements: readonly Agreement[],
): Generator<undefined, Tables | undefined> {
  const { gone, come } = change;
  const { byName, byDomain, byWildcard, byTarget, byServerName } = before;
  if (!(byName instanceof NameTable && byDomain instanceof NameTable && byWildcard instanceof NameTable))
    return undefined;
  if (!(byTarget instanceof NameTable && byServerName instanceof NameTable)) return undefined;
  const sameShared = inPlace(before.agreements, change, agreements);
  const both = sameShared ? [] : [...gone, ...come];
  const shared = {
    serverNames: new Set(both.flatMap(({ serverNames }) => serverNames)),
    authorities: new Set(both.flatMap(authoritiesOf).map(({ subjectKeys }) => subjectKeys.text)),
  };
  const tables: Tables = {
    byName: NameTable.from(byName),
    byDomain: NameTable.from(byDomain),
    byWildcard: NameTable.from(byWildcard),
    byTarget: NameTable.from(byTarget),
    byServerName: NameTable.from(byServerName),
    authorities: AuthorityTable.without(before.authorities, shared.authorities),
  };
  for (const agreement of gone) {
    tables.byName.delete(agreement.name);
    for (const domain of agreement.domains) tables.byDomain.delete(domain);
    for (const suffix of agreement.wildcardNames) tables.byWildcard.delete(suffix);
    for (const target of agreement.targets) tables.byTarget.delete(targetKey(target));
  }
  for (const name of shared.serverNames) tables.byServerName.delete(name);
  for (const agreement of come) enterOwn(agreement, tables);
  for (const [at, agreement] of sameShared ? come.entries() : []) replaceShared(entryAt(gone, at), agreement, tables);
  if (shared.serverNames.size + shared.authorities.size === 0) return tables;
  for (const [at, agreement] of agreements.entries()) {
    enterShared(agreement, tables, shared);
    if (at % STEP === STEP - 1) yield;
  }
  return tables;
}
