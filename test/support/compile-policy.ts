import { deepFreeze, type PolicyFiles } from '../../src/policy/reading/index.js';
import { checkPolicy, snapshotOf } from '../../src/policy/snapshot/index.js';

/** A policy, compiled at once and in this thread. */
export function compilePolicy(files: PolicyFiles, main: string, revision: number, now: number) {
  const checked = checkPolicy(files, main, revision, now);
  if (!checked.ok) return checked;
  const { parts, settings, warnings } = checked;
  return { ok: true, parts, snapshot: snapshotOf(deepFreeze(parts)), settings, warnings } as const;
}

export type PolicyResult = ReturnType<typeof compilePolicy>;
