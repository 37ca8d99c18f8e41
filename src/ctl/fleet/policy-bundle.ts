/** A policy file with all that it names, checked and ready to be pushed; and what a revision consists of, read back. */

import { hash } from 'node:crypto';
import { posix, resolve } from 'node:path';
import { PolicyMemory } from '../../policy/agreement/index.js';
import {
  type BundledFile,
  BundleFiles,
  bundleOf,
  RecordingFiles,
  readTree,
  withdrawInSteps,
} from '../../policy/fleet/index.js';
import {
  DiskFiles,
  deepFreeze,
  filesInMemory,
  formatProblem,
  type PolicyFiles,
  type Problem,
} from '../../policy/reading/index.js';
import type { RevisionContent } from '../../policy/revision/index.js';
import { MOST_OF_POLICY } from '../../policy/settings/index.js';
import {
  checkPolicy,
  type Policy,
  snapshotOf as packedSnapshot,
  type SnapshotParts,
} from '../../policy/snapshot/index.js';
import { batches, type FleetDatabase } from '../../state/fleet/index.js';
import { atOnce } from '../../x509/der/index.js';
import { Refusal } from '../terminal/index.js';

/**
 * What nodes have of their own: all of them keep state, which agreements with `pinned` need, and may fetch what those with
 * `revocation: hard` need; each judges by its own limits.
 */
const NODE = filesInMemory({
  node: JSON.stringify({
    daemon: {
      state: { file: '/node/state.db' },
      limits: MOST_OF_POLICY,
      revocation: { fetch: 'on', hosts: ['node.invalid'] },
    },
  }),
});

export interface PreparedPolicy {
  readonly content: Omit<RevisionContent, 'withdrawn'>;
  readonly blobs: ReadonlyMap<string, Uint8Array>;
  readonly agreements: readonly string[];
  readonly files: number;
  readonly warnings: readonly string[];
}

/**
 * Checks a policy file as a node would, and takes all that it names into a bundle.
 * @throws {Refusal} it has an error, or changed meanwhile
 */
export function preparePolicy(file: string, now: number): PreparedPolicy {
  const path = resolve(file);
  const [root, main] = [posix.dirname(path), posix.basename(path)];
  const disk = new DiskFiles();
  const recording = new RecordingFiles(disk, root);
  const checked = check(recording, main, now);
  const shown = (problem: Problem): string =>
    formatProblem({ ...problem, file: posix.isAbsolute(problem.file) ? problem.file : posix.join(root, problem.file) });
  if (!checked.ok) throw new Refusal(`the policy is not good\n${checked.problems.map(shown).join('\n')}`, 2);
  const changed = disk.changed();
  if (changed !== undefined) {
    throw new Refusal(`${changed}: changed while the policy was read: push once all files are written`, 2);
  }
  const agreements = Array.from(checked.parts.agreements, ({ name }) => name);
  try {
    const { tree, blobs, files } = bundleOf(recording.contents);
    const list = Buffer.from(agreements.map((name) => `${JSON.stringify(name)}\n`).join(''));
    const names = hash('sha256', list);
    return {
      content: { main, tree, names },
      blobs: new Map([...blobs, [names, list]]),
      agreements,
      files: files.length,
      warnings: checked.warnings.map(shown),
    };
  } catch (cause) {
    if (cause instanceof RangeError) throw new Refusal(`${file}: ${cause.message}`, 2, { cause });
    throw cause;
  }
}

function check(files: PolicyFiles, main: string, now: number) {
  return checkPolicy(NODE, 'node', 1, now, new PolicyMemory(), () => ({ files, main }));
}

/** What the store has of a revision. */
export interface FetchedPolicy {
  readonly files: readonly BundledFile[];
  readonly blobs: ReadonlyMap<string, Uint8Array>;
}

/** @throws {Refusal} the store lacks some of it */
export async function fetchPolicy(
  { tree }: Pick<RevisionContent, 'tree'>,
  database: Pick<FleetDatabase, 'contents'>,
): Promise<FetchedPolicy> {
  const files = readTree(await database.contents.whole(tree));
  if ('problem' in files) throw new Refusal(files.problem, 2);
  const blobs = new Map<string, Uint8Array>();
  for (const batch of batches(files)) {
    const [first] = batch;
    if (batch.length === 1 && first !== undefined) blobs.set(first.sha256, await database.contents.whole(first.sha256));
    else for (const [sha256, content] of await database.contents.together(batch)) blobs.set(sha256, content);
  }
  const lacking = files.find(({ sha256 }) => !blobs.has(sha256));
  if (lacking !== undefined) throw new Refusal(`${lacking.path}: the store lacks its content ${lacking.sha256}`, 2);
  return { files, blobs };
}

/** The policy that nodes make of a revision. @throws {Refusal} none, by the checks of this version */
export function policyOf({ main, withdrawn }: RevisionContent, { files, blobs }: FetchedPolicy, now: number): Policy {
  const checked = check(new BundleFiles(files, (sha256) => blobs.get(sha256)), main, now);
  if (!checked.ok) throw new Refusal(`the policy is not good\n${checked.problems.map(formatProblem).join('\n')}`, 2);
  return { settings: checked.settings, snapshot: snapshotOf(checked.parts, withdrawn) };
}

/** The policy of a file, as nodes would have it. @throws {Refusal} it has an error */
export function policyOfFile(file: string, now: number): Policy {
  const prepared = preparePolicy(file, now);
  const files = readTree(prepared.blobs.get(prepared.content.tree) ?? new Uint8Array());
  if ('problem' in files) throw new Refusal(files.problem, 2);
  return policyOf({ ...prepared.content, withdrawn: [] }, { files, blobs: prepared.blobs }, now);
}

function snapshotOf(parts: SnapshotParts, withdrawn: readonly string[]) {
  return atOnce(withdrawInSteps(packedSnapshot(deepFreeze(parts)), withdrawn));
}
