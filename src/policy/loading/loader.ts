/** The policy on disk, read and compiled at once. */

import type { Snapshot } from '../../trust/agreement/index.js';
import { atOnce } from '../../x509/der/index.js';
import { PolicyMemory } from '../agreement/index.js';
import { NO_CONTENT, withdrawInSteps } from '../fleet/index.js';
import { DiskFiles, deepFreeze, formatProblem } from '../reading/index.js';
import type { Revision } from '../revision/index.js';
import type { DaemonSettings } from '../settings/index.js';
import { checkPolicy, snapshotOf } from '../snapshot/index.js';
import { type FleetOrigin, readFrom } from './reader.js';

/** A policy, or what is wrong with it; problems and warnings read `file:line:column: error: path: message`. */
export type LoadedPolicy =
  | {
      readonly ok: true;
      readonly snapshot: Snapshot;
      readonly settings: DaemonSettings;
      readonly warnings: readonly string[];
      /** undefined: the policy is that of the file itself. */
      readonly fleet?: FleetOrigin | undefined;
    }
  | { readonly ok: false; readonly problems: readonly string[] };

/** What a policy file says of the daemon itself. Its policy is neither read nor checked. */
export function loadSettings(path: string, now: number): DaemonSettings | { readonly problems: readonly string[] } {
  const checked = checkPolicy(new DiskFiles(), path, 1, now, new PolicyMemory(), () => NO_CONTENT);
  return checked.ok ? checked.settings : { problems: checked.problems.map(formatProblem) };
}

/**
 * Reads and compiles the policy file at `path` under a revision, at the time `now` (ms). Where it says that the policy
 * comes from the store, that is the revision that this node has kept.
 */
export function loadPolicy(path: string, revision: number, now: number): LoadedPolicy {
  const loaded = readPolicy(path, revision, now);
  if (!loaded.ok || loaded.fleet === undefined) return loaded;
  const { revision: kept, refused } = loaded.fleet;
  const snapshot = atOnce(withdrawInSteps(loaded.snapshot, kept?.withdrawn ?? []));
  return { ...loaded, snapshot, warnings: [...loaded.warnings, ...refused] };
}

/** As `loadPolicy`, but as the files say it, with nothing withdrawn. @param wanted this revision, not the one that is kept */
export function readPolicy(path: string, revision: number, now: number, wanted?: Revision): LoadedPolicy {
  const files = new DiskFiles();
  const { checked, fleet } = readFrom(wanted, (contentOf) =>
    checkPolicy(files, path, revision, now, new PolicyMemory(), contentOf),
  );
  if (!checked.ok) return { ok: false, problems: checked.problems.map(formatProblem) };
  const { parts, settings, warnings } = checked;
  const snapshot = snapshotOf(deepFreeze(parts));
  return { ok: true, snapshot, settings, warnings: warnings.map(formatProblem), fleet };
}
