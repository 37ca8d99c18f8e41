/** The policy on disk as a parcel, read as one: not half of it before a change and half after. */

import { PolicyMemory } from '../agreement/index.js';
import { NO_CONTENT, type Opened, openRevision } from '../fleet/index.js';
import {
  DiskFiles,
  formatProblem,
  type PolicyFiles,
  type Problem,
  type Seen,
  type Suspects,
} from '../reading/index.js';
import type { Revision } from '../revision/index.js';
import type { DaemonSettings } from '../settings/index.js';
import { type ContentSource, type Contents, checkPolicy, Packer, type Parcel } from '../snapshot/index.js';

/** Asks for the policy at `path`. */
export interface ReadOrder {
  readonly path: string;
  readonly revision: number;
  readonly now: number;
  /** Of the policy that whoever asks has in force. */
  readonly held: Contents | undefined;
  /** Whether `seen` is to be told: it holds all paths, and who does not look at the files has no use for it. */
  readonly watched: boolean;
  /** The revision of the fleet that is to be read, whose files are there; without it the one that is kept. */
  readonly wanted?: Revision | undefined;
}

/** Where a policy of a fleet came from. */
export interface FleetOrigin {
  /** undefined: nobody has pushed any, or the one that was kept is no good. */
  readonly revision: Revision | undefined;
  /** Why the one that was kept is not the one that was read. */
  readonly refused: readonly string[];
}

/** `seen`: the files that a reading rests on, also one that failed; where that was asked for. */
export type ReadResult = { readonly seen?: Seen } & (
  | {
      readonly ok: true;
      readonly parcel: Parcel;
      /** Whether the next time is worth what is remembered for it: a policy of less is read as quickly as a whole. */
      readonly remembers: boolean;
      readonly settings: DaemonSettings;
      readonly warnings: readonly string[];
      /** undefined: the policy is that of the file itself. */
      readonly fleet?: FleetOrigin | undefined;
    }
  | { readonly ok: false; readonly problems: readonly string[] }
);

/** Beyond these the memory is worth more than the time. */
const MOST_FILES = 20_000;
/** Agreements of a policy of one file. */
const LEAST_ENTRIES = 500;

/** Times that a policy which changes while it is read is read again. */
const MOST_READS = 3;

/** Files that tell whether they are still the same. */
export interface WatchedFiles extends PolicyFiles {
  changed(): string | undefined;
  /** Directories that were listed. */
  readonly directories: readonly string[];
  readonly seen: Seen;
}

/** Reads one policy again and again; of its files only those that have changed. */
export class PolicyReader {
  readonly #packer = new Packer();
  readonly #memory = new PolicyMemory();
  readonly #open: (suspects?: Suspects) => WatchedFiles;
  #directories: readonly string[] = [];

  constructor(open = diskFiles()) {
    this.#open = open;
  }

  /** Those that the last reading listed. */
  get directories(): readonly string[] {
    return this.#directories;
  }

  /** @param suspects undefined: anything may have changed since the reading before */
  read({ path, revision, now, held, watched, wanted }: ReadOrder, suspects?: Suspects): ReadResult {
    for (let reads = 1; ; reads++) {
      const files = this.#open(reads === 1 ? suspects : undefined);
      const { checked, fleet } = readFrom(wanted, (content) =>
        checkPolicy(files, path, revision, now, this.#memory, content),
      );
      this.#memory.settle();
      // Half of an old policy and half of a new one is a policy that nobody wrote.
      const changed = files.changed();
      if (changed !== undefined && reads < MOST_READS) continue;
      this.#directories = files.directories;
      const seen = watched ? { seen: files.seen } : {};
      if (changed !== undefined)
        return { ok: false, ...seen, problems: [`${path}:1:1: error: ${changed}: ${CHANGED}`] };
      if (!checked.ok) return { ok: false, ...seen, problems: checked.problems.map(formatProblem) };
      const { parts, settings, warnings } = checked;
      const remembers =
        this.#memory.files > 1 ? this.#memory.files <= MOST_FILES : this.#memory.entries >= LEAST_ENTRIES;
      const parcel = this.#packer.pack(parts, held, remembers);
      return {
        ok: true,
        ...seen,
        parcel,
        remembers,
        settings,
        warnings: warnings.map(formatProblem),
        fleet,
      };
    }
  }
}

/** Opens the files of the disk for one reading after the other. */
function diskFiles(): (suspects?: Suspects) => WatchedFiles {
  let last: DiskFiles | undefined;
  return (suspects) => {
    last = new DiskFiles(suspects, last);
    return last;
  };
}

type Checked<T> = ({ readonly ok: true } & T) | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Checks the policy where it is, in the file or in a revision of the fleet. A revision that is kept and is no good is as if
 * there were none: nobody is trusted then, and the next one that comes is taken.
 */
export function readFrom<T>(
  wanted: Revision | undefined,
  check: (contentOf: ContentSource) => Checked<T>,
): { readonly checked: Checked<T>; readonly fleet: FleetOrigin | undefined } {
  const opened: { revision?: Opened | undefined } = {};
  const checked = check((settings) => {
    opened.revision = openRevision(settings, wanted);
    return opened.revision?.content;
  });
  const found = opened.revision;
  if (found === undefined) return { checked, fleet: undefined };
  const { revision, problem } = found;
  if (problem === undefined && (checked.ok || revision === undefined || wanted !== undefined)) {
    return { checked, fleet: { revision, refused: [] } };
  }
  const refused = problem === undefined ? (checked.ok ? [] : checked.problems.map(formatProblem)) : [problem];
  if (wanted !== undefined) return { checked: refusal(problem ?? ''), fleet: undefined };
  const without = problem === undefined ? check(({ fleet }) => (fleet.policy ? NO_CONTENT : undefined)) : checked;
  // What is wrong in the file of the node is wrong in any case.
  return { checked: without, fleet: { revision: undefined, refused } };
}

function refusal(message: string): { readonly ok: false; readonly problems: readonly Problem[] } {
  const place = { file: 'revision', line: 1, column: 1, severity: 'error', code: 'unreadable', path: '' } as const;
  return { ok: false, problems: [{ ...place, message }] };
}

const CHANGED = `changed while the policy was read, ${MOST_READS} times: reload once all files are written`;
