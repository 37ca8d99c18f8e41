/** The files of a policy as they travel: each by the hash of what it holds, listed under the path by which the policy names it. */

import { hash } from 'node:crypto';
import { posix } from 'node:path';
import { isList } from '../../typed.js';
import { atOnce } from '../../x509/der/index.js';
import { type FileRead, type PolicyFiles, tooLarge } from '../reading/index.js';

export interface BundledFile {
  /** As the main file would find it: relative to its directory, or absolute. */
  readonly path: string;
  readonly sha256: string;
  readonly octets: number;
}

export const BUNDLE_LIMITS = { files: 250_000, octets: 512 * 1024 * 1024, tree: 64 * 1024 * 1024 } as const;

/** Reads files from a directory as if it were the root of relative paths, and keeps what was read. */
export class RecordingFiles implements PolicyFiles {
  readonly #files: PolicyFiles;
  readonly #root: string;
  readonly #read = new Map<string, Uint8Array>();

  constructor(files: PolicyFiles, root: string) {
    this.#files = files;
    this.#root = root;
  }

  read(path: string, most: number): FileRead {
    const read = this.#files.read(this.#real(path), most);
    if ('bytes' in read) this.#read.set(path, read.bytes);
    return read;
  }

  list(directory: string): readonly string[] | undefined {
    return this.#files.list(this.#real(directory));
  }

  unlisted(directory: string): string | undefined {
    return this.#files.unlisted?.(this.#real(directory));
  }

  /** Contents of all files that were read, by path. */
  get contents(): ReadonlyMap<string, Uint8Array> {
    return this.#read;
  }

  #real(path: string): string {
    return posix.isAbsolute(path) ? path : posix.join(this.#root, path);
  }
}

/** Lines read in one step. */
const STEP = 1000;

export interface Bundle {
  readonly files: readonly BundledFile[];
  /** The list as octets, and its hash, by which a revision names it. */
  readonly list: Uint8Array;
  readonly tree: string;
  /** What the files hold, by hash; the list itself is among it. */
  readonly blobs: ReadonlyMap<string, Uint8Array>;
}

/** @throws {RangeError} more than a fleet takes */
export function bundleOf(contents: ReadonlyMap<string, Uint8Array>): Bundle {
  const blobs = new Map<string, Uint8Array>();
  const files = [...contents]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, bytes]): BundledFile => {
      const sha256 = hash('sha256', bytes);
      blobs.set(sha256, bytes);
      return { path, sha256, octets: bytes.length };
    });
  const list = Buffer.from(
    files.map(({ path, sha256, octets }) => `${JSON.stringify([path, sha256, octets])}\n`).join(''),
  );
  const fault = limitFault(files, list);
  if (fault !== undefined) throw new RangeError(fault);
  const tree = hash('sha256', list);
  blobs.set(tree, list);
  return { files, list, tree, blobs };
}

type Tree = readonly BundledFile[] | { readonly problem: string };

/** Reads the list of a bundle; in words what is wrong with it. */
export function readTree(list: Uint8Array): Tree {
  return atOnce(treeInSteps(list));
}

/** As `readTree`; yields now and then: a policy may consist of 100,000 files. */
export function* treeInSteps(list: Uint8Array): Generator<undefined, Tree> {
  const files: BundledFile[] = [];
  for (const line of Buffer.from(list).toString('utf8').split('\n')) {
    if (line === '') continue;
    const file = readLine(line);
    if (file === undefined) return { problem: `expected [path, sha256, octets], found ${line.slice(0, 80)}` };
    files.push(file);
    if (files.length % STEP === 0) yield;
  }
  const fault = limitFault(files, list);
  return fault === undefined ? files : { problem: fault };
}

function readLine(line: string): BundledFile | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isList(value)) return undefined;
  const [path, sha256, octets] = value;
  if (typeof path !== 'string' || typeof sha256 !== 'string' || typeof octets !== 'number') return undefined;
  // The hash becomes the name of a file.
  if (path === '' || !/^[0-9a-f]{64}$/.test(sha256) || !Number.isSafeInteger(octets) || octets < 0) return undefined;
  return { path, sha256, octets };
}

function limitFault(files: readonly BundledFile[], list: Uint8Array): string | undefined {
  const octets = files.reduce((sum, file) => sum + file.octets, 0);
  const { files: most, octets: mostOctets, tree } = BUNDLE_LIMITS;
  if (files.length > most) return `expected at most ${most} files, found ${files.length}`;
  if (octets > mostOctets) return `expected at most ${mostOctets} octets in all files, found ${octets}`;
  return list.length > tree ? `expected at most ${tree} octets of paths, found ${list.length}` : undefined;
}

/** The files of a bundle, for whoever checks the policy in it. */
export class BundleFiles implements PolicyFiles {
  readonly #files: ReadonlyMap<string, BundledFile>;
  readonly #names = new Map<string, Set<string>>();
  readonly #blob: (sha256: string) => Uint8Array | undefined;

  /** @param blob what a file of this hash holds; undefined where it cannot be had */
  constructor(files: readonly BundledFile[], blob: (sha256: string) => Uint8Array | undefined) {
    this.#files = new Map(files.map((file) => [file.path, file]));
    this.#blob = blob;
    for (const { path } of files) this.#enter(path);
  }

  read(path: string, most: number): FileRead {
    const file = this.#files.get(path);
    if (file === undefined) return { code: 'unreadable', problem: `${path}: no such file in the revision` };
    if (file.octets > most) return tooLarge(path, file.octets, most);
    const bytes = this.#blob(file.sha256);
    if (bytes === undefined) return { code: 'unreadable', problem: `${path}: ${file.sha256}: no such content` };
    const found = hash('sha256', bytes);
    if (found === file.sha256) return { bytes, stamp: found };
    return { code: 'unreadable', problem: `${path}: expected content of SHA-256 ${file.sha256}, found ${found}` };
  }

  stamp(path: string): string | undefined {
    return this.#files.get(path)?.sha256;
  }

  list(directory: string): readonly string[] | undefined {
    const names = this.#names.get(directory);
    return names && [...names];
  }

  /** A bundle does not change. */
  changed(): undefined {
    return undefined;
  }

  #enter(path: string): void {
    const directory = posix.dirname(path);
    const names = this.#names.get(directory);
    if (names !== undefined) {
      names.add(posix.basename(path));
      return;
    }
    this.#names.set(directory, new Set([posix.basename(path)]));
    if (directory !== path) this.#enter(directory);
  }
}
