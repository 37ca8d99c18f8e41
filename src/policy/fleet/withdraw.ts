/** Agreements that the fleet has disabled: the policy of the same files, but for these. */

import { PrefixTable } from '../../net/address/index.js';
import type { Agreement, Snapshot } from '../../trust/agreement/index.js';
import { freezeShallow } from '../reading/index.js';
import { assembleInSteps } from '../snapshot/index.js';

/**
 * The snapshot in which the agreements of these names are disabled. Nothing is read or checked again, so that it takes
 * milliseconds whatever the size of the policy; yields now and then.
 */
export function* withdrawInSteps(snapshot: Snapshot, names: readonly string[]): Generator<undefined, Snapshot> {
  const named = new Set(names);
  const disabled = new Map<Agreement, Agreement>();
  for (const agreement of snapshot.agreements) {
    if (!agreement.enabled || !named.has(agreement.name)) continue;
    disabled.set(agreement, Object.freeze({ ...agreement, enabled: false }));
  }
  if (disabled.size === 0) return snapshot;
  yield;
  const instead = (agreement: Agreement): Agreement => disabled.get(agreement) ?? agreement;
  const sources = new Map<string, PrefixTable<Agreement>>();
  for (const [name, table] of snapshot.sources) {
    if (!(table instanceof PrefixTable)) throw new TypeError(`interface ${name}: expected a table of prefixes`);
    const owners = table.values.map(instead);
    freezeShallow(owners);
    const restored = PrefixTable.restore(table.parts, owners);
    Object.freeze(restored);
    sources.set(name, restored);
    yield;
  }
  return yield* assembleInSteps({ ...snapshot, sources, agreements: snapshot.agreements.map(instead) }, snapshot);
}
