/** Files of this machine: reads what the checks ask for, refuses what others may have written. */

import { hash } from 'node:crypto';
import { constants, lstatSync, readdirSync, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { FileRead, PolicyFiles } from './files.js';
import { isAbsent, type RegularRead, readRegular, systemProblem } from './regular-file.js';

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

/** What may have changed since the reading before. Whoever says so may be wrong: then a reading takes longer. */
export type Suspects = Pick<Seen, 'files' | 'directories'>;

/** How the same files and directories stand now. */
export function seenNow({ files, directories }: Pick<Seen, 'files' | 'directories'>): string {
  return stateOf(
    files.map((path) => look(path).stamp),
    directories.map((directory) => listed(listDirectory(directory))),
  );
}

function stateOf(stamps: readonly (string | undefined)[], lists: readonly string[]): string {
  return hash('sha256', [...stamps.map((stamp) => stamp ?? ''), ...lists].join('\n'));
}

/** The files as one reading of the policy sees them, and whether they are still the same after it. */
export class DiskFiles implements PolicyFiles {
  readonly #looks = new Map<string, Look>();
  /** Of the reading before: what is as it was then is the same object. */
  readonly #before: ReadonlyMap<string, Look>;
  readonly #lists = new Map<string, readonly string[] | undefined>();
  /** Directories that were listed before all others, whether they are asked for or not. */
  readonly #firstLists: ReadonlyMap<string, readonly string[] | undefined>;
  readonly #warnings = new Map<string, string | undefined>();
  /** Files that were looked at before all others. */
  readonly #first: ReadonlyMap<string, Look>;
  /** Something was read that was not looked at first: nothing but a second look at everything shows a moment common to all. */
  #late: boolean;
  /** The directory that was asked about last: files come in their order. */
  #last: { readonly prefix: string; readonly open: string | undefined } | undefined;

  /** @param suspects are looked at before all others; without them everything is looked at twice */
  constructor(suspects?: Suspects, before?: DiskFiles) {
    this.#late = suspects === undefined;
    this.#before = before === undefined ? new Map() : before.#looks;
    this.#first = new Map(suspects?.files.map((path) => [path, look(path)]));
    this.#firstLists = new Map(suspects?.directories.map((directory) => [directory, listDirectory(directory)]));
  }

  read(path: string, most: number): FileRead {
    for (let reads = 1; ; reads++) {
      const read = this.#readOnce(path, most);
      if (read !== 'changed') return read;
      if (reads === MOST_READS) return { code: 'unreadable', problem: `${path}: changed each time it was read` };
    }
  }

  stamp(path: string): string | undefined {
    const found = look(path, this.#before.get(path));
    this.#looks.set(path, found);
    return found.stamp && asRead(found.stamp, this.#directoryWarning(path, found.linked));
  }

  list(directory: string): readonly string[] | undefined {
    if (this.#lists.has(directory)) return this.#lists.get(directory);
    const first = this.#firstLists.has(directory);
    const names = first ? this.#firstLists.get(directory) : listDirectory(directory);
    if (!first) this.#late = true;
    this.#lists.set(directory, names);
    return names;
  }

  unlisted(directory: string): string | undefined {
    try {
      readdirSync(directory);
      return undefined;
    } catch (cause) {
      return isAbsent(cause) ? undefined : `${directory}: ${systemProblem(cause)}`;
    }
  }

  /**
   * A file or directory that is no more what it was when it was looked at. A file that is as the reading before found it was so
   * when all that was looked at first had been: where nothing else was read, that is looked at again, and no more.
   */
  changed(): string | undefined {
    for (const [path, found] of this.#late ? this.#looks : this.#first) {
      if (look(path, found).stamp !== found.stamp) return path;
    }
    for (const [path, names] of this.#lists) if (!sameList(listDirectory(path), names)) return path;
    return undefined;
  }

  get directories(): readonly string[] {
    return [...this.#lists.keys()];
  }

  get seen(): Seen {
    const stamps = Array.from(this.#looks.values(), ({ stamp }) => stamp);
    const state = stateOf(stamps, [...this.#lists.values()].map(listed));
    return { files: [...this.#looks.keys()], directories: this.directories, state };
  }

  #readOnce(path: string, most: number): FileRead | 'changed' {
    let read: RegularRead;
    try {
      read = readRegular(path, most, { bits: constants.S_IWOTH, expected: 'a file that not everybody may write' });
    } catch (cause) {
      this.#late = true;
      // One that is there stays as it is, whoever may open it.
      this.#looks.set(path, isAbsent(cause) ? NOTHING : look(path));
      return { code: 'unreadable', problem: `${path}: ${systemProblem(cause)}` };
    }
    const { stats } = read;
    const found = lookOf(stats, true);
    const { stamp } = found;
    this.#looks.set(path, found);
    if (this.#first.get(path)?.stamp !== stamp) this.#late = true;
    if ('problem' in read) return { code: read.code, problem: `${path}: ${read.problem}` };
    const { bytes, after } = read;
    if (lookOf(after, true).stamp !== stamp || bytes.length !== stats.size) return 'changed';
    const warning = this.#directoryWarning(path, true);
    const fresh = Math.abs(Date.now() - Math.max(stats.mtimeMs, stats.ctimeMs)) < FRESH_MS;
    return {
      bytes,
      ...(fresh ? {} : { stamp: asRead(stamp, warning) }),
      ...(warning === undefined ? {} : { warning }),
    };
  }

  /**
   * Who may write the directory may put another file in the place of this one, unless the sticky bit forbids it; so may he
   * who may write the directory that a link leads to.
   * @param linked whether it may be a symbolic link
   */
  #directoryWarning(path: string, linked: boolean): string | undefined {
    for (const file of linked ? throughLinks(path) : [path]) {
      const open = this.#openDirectory(file);
      if (open !== undefined) return `${open}: ${path} can be replaced`;
    }
    return undefined;
  }

  #openDirectory(file: string): string | undefined {
    const end = file.lastIndexOf('/') + 1;
    const last = this.#last;
    if (last !== undefined && end === last.prefix.length && file.startsWith(last.prefix)) return last.open;
    const directory = dirname(file);
    if (!this.#warnings.has(directory)) this.#warnings.set(directory, openTo(directory));
    const open = this.#warnings.get(directory);
    this.#last = { prefix: file.slice(0, end), open };
    return open;
  }
}

/** What is said of a file is that of its directory too, whose rights change by themselves. */
function asRead(stamp: string, warning: string | undefined): string {
  return warning === undefined ? stamp : `${stamp} ${warning}`;
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
      // A target is relative to where the link really stands.
      at = resolve(realpathSync(dirname(at)), readlinkSync(at));
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

/** Another file, other content, or other rights differ in one of these; the time of change (ctime) cannot be set back. */
type Stamped = Pick<Stats, 'dev' | 'ino' | 'mode' | 'size' | 'mtimeMs' | 'ctimeMs'>;

/** What was seen of a file: its stamp, undefined where there is none to be read, and whether its path may be a symbolic link. */
type Look = Found | typeof NOTHING;

interface Found {
  readonly stamp: string;
  readonly linked: boolean;
  readonly stats: Stamped;
}

const NOTHING = { stamp: undefined, linked: false, stats: undefined } as const;

/** Looks at a file; where that is none of a symbolic link the system is asked once. @param before is given back if all is as it was then */
function look(path: string, before?: Look): Look {
  try {
    const own = lstatSync(path, { throwIfNoEntry: false });
    if (own === undefined) return NOTHING;
    if (!own.isSymbolicLink()) return lookOf(own, false, before);
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats ? lookOf(stats, true, before) : NOTHING;
  } catch {
    return NOTHING;
  }
}

function lookOf({ dev, ino, mode, size, mtimeMs, ctimeMs }: Stats, linked: boolean, before?: Look): Found {
  if (before?.stats !== undefined && before.linked === linked) {
    const { stats: old } = before;
    const sameFile = old.dev === dev && old.ino === ino && old.mode === mode && old.size === size;
    if (sameFile && old.mtimeMs === mtimeMs && old.ctimeMs === ctimeMs) return before;
  }
  const stamp = `${dev} ${ino} ${mode} ${size} ${mtimeMs} ${ctimeMs}`;
  return { stamp, linked, stats: { dev, ino, mode, size, mtimeMs, ctimeMs } };
}

function listDirectory(directory: string): readonly string[] | undefined {
  try {
    return readdirSync(directory);
  } catch {
    return undefined;
  }
}

/** Whether a directory holds the same, in whatever order the file system has it, which mostly is the same. */
export function sameList(now: readonly string[] | undefined, before: readonly string[] | undefined): boolean {
  if (now?.length === before?.length && now?.every((name, at) => name === before?.[at])) return true;
  return listed(now) === listed(before);
}

function listed(names: readonly string[] | undefined): string {
  return names === undefined ? '' : [...names].sort().join('/');
}
