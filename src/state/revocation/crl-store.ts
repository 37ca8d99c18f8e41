import { createHash } from 'node:crypto';
import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isRecord } from '../../typed.js';
import { makeDirectory } from '../store/index.js';

/** A fetched list as it lies on disk. */
export interface StoredCrl {
  readonly url: string;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  readonly der: Uint8Array;
}

export interface StoreLimits {
  readonly files: number;
  /** Octets of all lists together, and of one. */
  readonly total: number;
  readonly single: number;
}

/** The most lists that are kept, in memory and on disk. */
export const CRL_LIMITS = Object.freeze({ files: 1000, total: 256 * 1024 * 1024 });

const NAME = /^[0-9a-f]{64}$/;
const MOST_NOTE_OCTETS = 8192;

/**
 * Fetched lists in a directory of their own: `HASH.crl` is the list, which speaks for itself, `HASH.json` where it came
 * from and how to ask for a newer one; HASH is the SHA-256 of the URL. What is there is whole: files are written beside
 * and renamed. Nothing here is trusted: lists are judged when they are loaded like when they were fetched.
 */
export class CrlStore {
  readonly #directory: string;
  readonly #limits: StoreLimits;
  /** One write at a time, in the order they were asked for. */
  #writing: Promise<void> = Promise.resolve();

  private constructor(directory: string, limits: StoreLimits) {
    this.#directory = directory;
    this.#limits = limits;
  }

  /** @throws where the directory cannot be made, or everybody may write it */
  static async open(directory: string, limits: StoreLimits): Promise<CrlStore> {
    makeDirectory(directory, 0o700);
    // A signature does not show that a list is not the newest: others must not put an old one back.
    const { mode } = await stat(directory);
    if ((mode & 0o002) !== 0) throw new Error(`${directory}: expected a directory that not everybody may write`);
    return new CrlStore(directory, limits);
  }

  /** The stored lists, newest first; what is broken or beyond the limits is removed. */
  async *load(): AsyncGenerator<StoredCrl> {
    let total = 0;
    let count = 0;
    for (const { name, size } of await this.#files()) {
      const fits = size <= this.#limits.single && total + size <= this.#limits.total && count < this.#limits.files;
      const stored = fits ? await this.#read(name) : undefined;
      if (stored === undefined) {
        await this.#drop(name);
        continue;
      }
      total += size;
      count += 1;
      yield stored;
    }
  }

  /** Keeps a list in the place of the one before. Settles when it is on disk. @throws where it cannot be written */
  save(list: StoredCrl): Promise<void> {
    return this.#next(async () => {
      const name = nameOf(list.url);
      const { url, etag, lastModified, der } = list;
      await this.#write(`${name}.crl`, der);
      const sha256 = createHash('sha256').update(der).digest('hex');
      await this.#write(`${name}.json`, Buffer.from(`${JSON.stringify({ url, sha256, etag, lastModified })}\n`));
    });
  }

  /** Forgets the list of a URL. */
  remove(url: string): Promise<void> {
    return this.#next(() => this.#drop(nameOf(url)));
  }

  /** Settles when everything asked for so far is on disk, or has failed. */
  async close(): Promise<void> {
    await this.#writing;
  }

  #next(write: () => Promise<void>): Promise<void> {
    const done = this.#writing.then(write);
    this.#writing = done.catch(() => {});
    return done;
  }

  /** Names of the lists with their sizes, newest first. Leftovers of an interrupted write go. */
  async #files(): Promise<readonly { readonly name: string; readonly size: number }[]> {
    const found: { name: string; size: number; at: number }[] = [];
    for (const file of await readdir(this.#directory)) {
      const [name = '', ending] = file.split('.', 2);
      if (!NAME.test(name)) continue;
      if (file.endsWith('.new')) await rm(join(this.#directory, file), { force: true });
      if (file !== `${name}.crl` || ending !== 'crl') continue;
      const { size, mtimeMs } = await stat(join(this.#directory, file));
      found.push({ name, size, at: mtimeMs });
    }
    return found.sort((a, b) => b.at - a.at);
  }

  async #read(name: string): Promise<StoredCrl | undefined> {
    try {
      const note = await readFile(join(this.#directory, `${name}.json`));
      if (note.length > MOST_NOTE_OCTETS) return undefined;
      const said: unknown = JSON.parse(note.toString('utf8'));
      if (!isRecord(said)) return undefined;
      const { url, sha256, etag, lastModified } = said;
      if (typeof url !== 'string' || nameOf(url) !== name) return undefined;
      const der = await readFile(join(this.#directory, `${name}.crl`));
      // A crash between the two files leaves the note of the list before: its validators are not those of this one.
      const same = createHash('sha256').update(der).digest('hex') === sha256;
      const validator = (value: unknown): string | undefined => (same && typeof value === 'string' ? value : undefined);
      return { url, der, etag: validator(etag), lastModified: validator(lastModified) };
    } catch {
      return undefined;
    }
  }

  async #drop(name: string): Promise<void> {
    for (const ending of ['crl', 'json']) await rm(join(this.#directory, `${name}.${ending}`), { force: true });
  }

  async #write(file: string, octets: Uint8Array): Promise<void> {
    const path = join(this.#directory, file);
    const handle = await open(`${path}.new`, 'w', 0o600);
    try {
      await handle.writeFile(octets);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(`${path}.new`, path);
  }
}

function nameOf(url: string): string {
  return createHash('sha256').update(url).digest('hex');
}
