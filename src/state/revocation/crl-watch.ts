import type { Logger } from '../../log/index.js';
import type { Agreement, Snapshot } from '../../trust/agreement/index.js';
import { hex, instant } from '../../x509/der/index.js';
import type { CrlFacts } from '../../x509/revocation/index.js';
import { NameTable } from './name-table.js';

export type CrlCondition = 'current' | 'ending' | 'stale';

/** How a list stands at `now`: past nextUpdate, or close to it (`warnMs`, at most a quarter of its life). */
export function crlCondition({ thisUpdate, nextUpdate }: CrlFacts, now: number, warnMs: number): CrlCondition {
  if (nextUpdate === undefined || nextUpdate <= now) return 'stale';
  return nextUpdate - now <= Math.min(warnMs, (nextUpdate - thisUpdate) / 4) ? 'ending' : 'current';
}

/** A list as it is at hand: where from, and what it is. */
export interface ListAtHand {
  readonly source: string;
  readonly crl: CrlFacts;
}

/** The lists in files of the policy, each with the agreement that names it; yields now and then. */
export function* policyLists({ agreements }: Pick<Snapshot, 'agreements'>): Generator<undefined, ListAtHand[]> {
  const lists: ListAtHand[] = [];
  for (const agreement of agreements.where((_, { crls }) => crls.length > 0)) {
    lists.push(...listsOf(agreement));
    yield;
  }
  return lists;
}

/** The lists in files of one agreement. */
export function listsOf({ name, enabled, revocation, crls }: Agreement): readonly ListAtHand[] {
  return enabled && revocation !== 'off' ? crls.map((crl) => ({ source: `agreement ${name}`, crl })) : [];
}

/** Tells the operator once when a list ends soon, once when it has ended, and when all is well again. */
export class CrlWatch {
  readonly #log: Logger;
  readonly #warnMs: number;
  readonly #told = new Map<string, CrlCondition>();

  constructor(log: Logger, warnMs: number) {
    this.#log = log;
    this.#warnMs = warnMs;
  }

  /** Yields now and then: each of many agreements may have a list of its own. */
  *look(lists: readonly ListAtHand[], now: number): Generator<undefined, void> {
    const newest = yield* newestOfScope(lists);
    for (const [scope, { source, crl }] of newest) {
      yield;
      const condition = crlCondition(crl, now, this.#warnMs);
      const before = this.#told.get(scope) ?? 'current';
      if (condition === before) continue;
      this.#told.set(scope, condition);
      const facts = { source, issuer: crl.issuerText, next_update: instant(crl.nextUpdate, 'none') };
      if (condition === 'stale')
        this.#log.error('a CRL is stale: it clears nobody any more, and revokes what it lists', facts);
      else if (condition === 'ending') this.#log.warn('a CRL ends soon, and there is no newer one', facts);
      else this.#log.info('a CRL is current again', facts);
    }
    for (const scope of this.#told.keys()) if (!newest.has(scope)) this.#told.delete(scope);
  }
}

/** Of lists of one issuer and scope the newest counts, wherever it came from. Yields now and then. */
export function* newestOfScope(lists: readonly ListAtHand[]): Generator<undefined, NameTable<ListAtHand>> {
  const newest = new NameTable<ListAtHand>();
  const looked = new Set<CrlFacts>();
  for (const list of lists) {
    yield;
    // Many agreements name one list.
    if (looked.has(list.crl)) continue;
    looked.add(list.crl);
    const { issuerKeys, issuingDistributionPoint } = list.crl;
    const scope = `${issuerKeys.text}\n${issuingDistributionPoint === undefined ? '' : hex(issuingDistributionPoint.value)}`;
    const other = newest.get(scope);
    if (other === undefined || other.crl.thisUpdate < list.crl.thisUpdate) newest.set(scope, list);
  }
  return newest;
}
