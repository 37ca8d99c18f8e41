/**
 * The last good revision as a node keeps it: `revision.json`, and under `files/` what its files hold, by hash. Read at every
 * start, with the store or without; what was changed on the disk meanwhile is found by its hash.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesInMemory } from '../reading/index.js';
import { type Revision, readRevision, signatureFault } from '../revision/index.js';
import type { ContentSource, PolicyContent } from '../snapshot/index.js';
import { BundleFiles, readTree } from './bundle.js';

export const REVISION_FILE = 'revision.json';

/** Where the content with this SHA-256 (hex) lies in the copy. */
export function blobPath(directory: string, sha256: string): string {
  return join(directory, 'files', sha256);
}

/** The revision of the directory; undefined: there is none. */
export function localRevision(directory: string): Revision | undefined | { readonly problem: string } {
  const path = join(directory, REVISION_FILE);
  const text = octetsOf(path)?.toString('utf8');
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: `${path}: expected JSON` };
  }
  const read = readRevision(value);
  return 'problem' in read ? { problem: `${path}: ${read.problem}` } : read;
}

function octetsOf(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

/** The policy of a fleet that has none: nobody is trusted. The domain is nobody's (RFC 2606 §2). */
export const NO_CONTENT: PolicyContent = {
  main: 'none',
  files: filesInMemory({ none: 'own_domains: [none.invalid]\n' }),
};

/** What a node reads its policy from, and why not from the revision that it should be. */
export interface Opened {
  readonly content: PolicyContent;
  readonly revision: Revision | undefined;
  readonly problem?: string;
}

/**
 * Opens a revision whose files are in the directory.
 * @param wanted the one to open; without it, the one that the directory has
 */
export function openRevision(settings: Parameters<ContentSource>[0], wanted: Revision | undefined): Opened | undefined {
  const { fleet, policyKeys } = settings;
  if (!fleet.policy) return undefined;
  const { directory } = fleet;
  const revision = wanted ?? localRevision(directory);
  if (revision === undefined) return { content: NO_CONTENT, revision: undefined };
  if ('problem' in revision) return { content: NO_CONTENT, revision: undefined, problem: revision.problem };
  const refused = (problem: string): Opened => ({ content: NO_CONTENT, revision, problem });
  const fault = signatureFault(fleet.name, revision, policyKeys);
  if (fault !== undefined) return refused(`revision ${revision.number}: ${fault}`);
  const lists = new BundleFiles([{ path: 'list', sha256: revision.tree, octets: 0 }], (sha256) =>
    octetsOf(blobPath(directory, sha256)),
  );
  const list = lists.read('list', 0);
  if (!('bytes' in list)) return refused(`revision ${revision.number}: ${directory}: ${list.problem}`);
  const tree = readTree(list.bytes);
  if ('problem' in tree) return refused(`revision ${revision.number}: ${tree.problem}`);
  const files = new BundleFiles(tree, (sha256) => octetsOf(blobPath(directory, sha256)));
  return { content: { files, main: revision.main }, revision };
}
