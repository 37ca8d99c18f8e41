/** The policy on disk, read and compiled at once. */

import type { Snapshot } from '../trust/agreement.js';
import { compilePolicy } from './compile.js';
import { DiskFiles } from './disk-files.js';
import { formatProblem } from './problem.js';
import type { DaemonSettings } from './settings.js';

/** A policy, or what is wrong with it; problems and warnings read `file:line:column: error: path: message`. */
export type LoadedPolicy =
  | {
      readonly ok: true;
      readonly snapshot: Snapshot;
      readonly settings: DaemonSettings;
      readonly warnings: readonly string[];
    }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Reads and compiles the policy file at `path` under a revision, at the time `now` (ms). */
export function loadPolicy(path: string, revision: number, now: number): LoadedPolicy {
  const result = compilePolicy(new DiskFiles(), path, revision, now);
  if (!result.ok) return { ok: false, problems: result.problems.map(formatProblem) };
  return { ...result, warnings: result.warnings.map(formatProblem) };
}
