/** The policy on disk as a parcel, read as one: not half of it before a change and half after. */

import { checkPolicy } from './compile.js';
import { DiskFiles, type Seen } from './disk-files.js';
import type { PolicyFiles } from './files.js';
import { PolicyMemory } from './memory.js';
import { type Contents, Packer, type Parcel } from './parcel.js';
import { formatProblem } from './problem.js';
import type { DaemonSettings } from './settings.js';

/** Asks for the policy at `path`. */
export interface ReadOrder {
  readonly path: string;
  readonly revision: number;
  readonly now: number;
  /** Of the policy that whoever asks has in force. */
  readonly held: Contents | undefined;
}

/** `seen`: the files that a reading rests on, also one that failed. */
export type ReadResult = { readonly seen?: Seen } & (
  | {
      readonly ok: true;
      readonly parcel: Parcel;
      /** Policy files that the thread remembers for the next time. */
      readonly files: number;
      readonly settings: DaemonSettings;
      readonly warnings: readonly string[];
    }
  | { readonly ok: false; readonly problems: readonly string[] }
);

/** Times that a policy which changes while it is read is read again. */
const MOST_READS = 3;

/** Files that tell whether they are still the same. */
export interface WatchedFiles extends PolicyFiles {
  changed(): string | undefined;
  readonly seen: Seen;
}

/** Reads one policy again and again; of its files only those that have changed. */
export class PolicyReader {
  readonly #packer = new Packer();
  readonly #memory = new PolicyMemory();
  readonly #open: () => WatchedFiles;

  constructor(open: () => WatchedFiles = () => new DiskFiles()) {
    this.#open = open;
  }

  read({ path, revision, now, held }: ReadOrder): ReadResult {
    for (let reads = 1; ; reads++) {
      const files = this.#open();
      const checked = checkPolicy(files, path, revision, now, this.#memory);
      this.#memory.settle();
      // Half of an old policy and half of a new one is a policy that nobody wrote.
      const changed = files.changed();
      const { seen } = files;
      if (changed !== undefined && reads < MOST_READS) continue;
      if (changed !== undefined) return { ok: false, seen, problems: [`${path}:1:1: error: ${changed}: ${CHANGED}`] };
      if (!checked.ok) return { ok: false, seen, problems: checked.problems.map(formatProblem) };
      const { parts, settings, warnings } = checked;
      const parcel = this.#packer.pack(parts, held);
      return {
        ok: true,
        seen,
        parcel,
        files: this.#memory.count('policy'),
        settings,
        warnings: warnings.map(formatProblem),
      };
    }
  }
}

const CHANGED = `changed while the policy was read, ${MOST_READS} times: reload once all files are written`;
