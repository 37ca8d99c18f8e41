/** Files of this machine: reads what the checks ask for, refuses what others may have written. */

import { hash } from 'node:crypto';
import { constants, lstatSync, readdirSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { FileRead, PolicyFiles } from './files.js';
import { type RegularRead, readRegular, systemProblem } from './regular-file.js';

/** Times that a file which changes while it is read is read again. */
const MOST_READS = 3;
/** A file that was changed so shortly before may change again under the same times: its stamp tells nothing. */
const FRESH_MS = 100;

/** Which files and directories a reading looked at, and how they stood. */
export interface Seen {
  readonly files: readonly string[];
  readonly directories: readonly string[];
  readonly state: string;
}

/** How the same files and directories stand now. */
export function seenNow({ files, directories }: Pick<Seen, 'files' | 'directories'>): string {
  return stateOf(
    files.map(stampOf),
    directories.map((directory) => listed(listDirectory(directory))),
  );
}

function stateOf(stamps: readonly (string | undefined)[], lists: readonly string[]): string {
  return hash('sha256', [...stamps.map((stamp) => stamp ?? ''), ...lists].join('\n'));
}

/** The files as one reading of the policy sees them, and whether they are still the same after it. */
export class DiskFiles implements PolicyFiles {
  /** What was seen of each file: its stamp, undefined where there is none to be read. */
  readonly #stamps = new Map<string, string | undefined>();
  readonly #lists = new Map<string, string>();
  readonly #warnings = new Map<string, string | undefined>();

  read(path: string, most: number): FileRead {
    for (let reads = 1; ; reads++) {
      const read = this.#readOnce(path, most);
      if (read !== 'changed') return read;
      if (reads === MOST_READS) return { code: 'unreadable', problem: `${path}: changed each time it was read` };
    }
  }

  stamp(path: string): string | undefined {
    const stamp = stampOf(path);
    this.#stamps.set(path, stamp);
    return stamp && this.#asRead(stamp, path);
  }

  list(directory: string): readonly string[] | undefined {
    const names = listDirectory(directory);
    this.#lists.set(directory, listed(names));
    return names;
  }

  /** A file or directory that is no more what it was when it was looked at. */
  changed(): string | undefined {
    for (const [path, stamp] of this.#stamps) if (stampOf(path) !== stamp) return path;
    for (const [path, names] of this.#lists) if (listed(listDirectory(path)) !== names) return path;
    return undefined;
  }

  get seen(): Seen {
    const state = stateOf([...this.#stamps.values()], [...this.#lists.values()]);
    return { files: [...this.#stamps.keys()], directories: [...this.#lists.keys()], state };
  }

  #readOnce(path: string, most: number): FileRead | 'changed' {
    let read: RegularRead;
    try {
      read = readRegular(path, most, { bits: constants.S_IWOTH, expected: 'a file that not everybody may write' });
    } catch (cause) {
      this.#stamps.set(path, undefined);
      return { code: 'unreadable', problem: `${path}: ${systemProblem(cause)}` };
    }
    const { stats } = read;
    const stamp = stampOfStats(stats);
    this.#stamps.set(path, stamp);
    if ('problem' in read) return { code: read.code, problem: `${path}: ${read.problem}` };
    const { bytes, after } = read;
    if (stampOfStats(after) !== stamp || bytes.length !== stats.size) return 'changed';
    const warning = this.#directoryWarning(path);
    const fresh = Math.abs(Date.now() - Math.max(stats.mtimeMs, stats.ctimeMs)) < FRESH_MS;
    return {
      bytes,
      ...(fresh ? {} : { stamp: this.#asRead(stamp, path) }),
      ...(warning === undefined ? {} : { warning }),
    };
  }

  /** What is said of a file is that of its directory too, whose rights change by themselves. */
  #asRead(stamp: string, path: string): string {
    return `${stamp} ${this.#directoryWarning(path) ?? ''}`;
  }

  /**
   * Who may write the directory may put another file in the place of this one, unless the sticky bit forbids it; so may he
   * who may write the directory that a link leads to.
   */
  #directoryWarning(path: string): string | undefined {
    for (const file of throughLinks(path)) {
      const directory = dirname(file);
      if (!this.#warnings.has(directory)) this.#warnings.set(directory, openTo(directory));
      const open = this.#warnings.get(directory);
      if (open !== undefined) return `${open}: ${path} can be replaced`;
    }
    return undefined;
  }
}

/** As many as the system follows. */
const MOST_LINKS = 40;

/** The file, and what the symbolic links lead to that stand in its place, one after the other. */
function* throughLinks(path: string): Generator<string> {
  let at = path;
  for (let links = 0; links <= MOST_LINKS; links++) {
    yield at;
    try {
      if (!lstatSync(at).isSymbolicLink()) return;
      at = resolve(dirname(at), readlinkSync(at));
    } catch {
      return;
    }
  }
}

function openTo(directory: string): string | undefined {
  const mode = statSync(directory, { throwIfNoEntry: false })?.mode ?? 0;
  if ((mode & constants.S_IWOTH) === 0 || (mode & 0o1000) !== 0) return undefined;
  const found = (mode & 0o777).toString(8);
  return `${directory}: expected a directory that not everybody may write, found mode ${found}`;
}

function stampOf(path: string): string | undefined {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats && stampOfStats(stats);
  } catch {
    return undefined;
  }
}

/** Another file, other content, or other rights make another stamp; the time of change (ctime) cannot be set back. */
function stampOfStats({ dev, ino, mode, size, mtimeMs, ctimeMs }: Stats): string {
  return `${dev} ${ino} ${mode} ${size} ${mtimeMs} ${ctimeMs}`;
}

function listDirectory(directory: string): readonly string[] | undefined {
  try {
    return readdirSync(directory);
  } catch {
    return undefined;
  }
}

function listed(names: readonly string[] | undefined): string {
  return names === undefined ? '' : [...names].sort().join('/');
}
