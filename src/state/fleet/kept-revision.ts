/** Writes the last good revision of the fleet to this node's own disk (policy/fleet/local-copy.ts reads it). */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { blobPath, REVISION_FILE } from '../../policy/fleet/index.js';
import type { Revision } from '../../policy/revision/index.js';
import { makeDirectory } from '../store/index.js';

/** What the fleet's policy holds is nobody's business on this machine but ours. */
const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;

/** The copy of a revision on the disk of this node. */
export class KeptRevision {
  readonly #directory: string;
  /** Contents that are there, and are what their names say. */
  readonly #known = new Set<string>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Whether the content of this hash is there. What another run left is read once: a disk may have damaged it. */
  async has(sha256: string): Promise<boolean> {
    if (this.#known.has(sha256)) return true;
    const path = blobPath(this.#directory, sha256);
    if ((await stat(path).catch(() => undefined)) === undefined) return false;
    const sum = createHash('sha256');
    for await (const piece of createReadStream(path)) sum.update(piece);
    if (sum.digest('hex') !== sha256) return false;
    this.#known.add(sha256);
    return true;
  }

  /**
   * Keeps a content that comes in pieces.
   * @throws {Error} it is not that of the hash, or the disk does not take it
   */
  async put(sha256: string, pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
    const path = blobPath(this.#directory, sha256);
    makeDirectory(dirname(path), DIRECTORY_MODE);
    const sum = createHash('sha256');
    await written(path, async (write) => {
      for await (const piece of pieces) {
        sum.update(piece);
        await write(piece);
      }
      const found = sum.digest('hex');
      if (found !== sha256) throw new Error(`expected content of SHA-256 ${sha256}, found ${found}`);
    });
    this.#known.add(sha256);
  }

  /** A content that is there. @throws {Error} */
  read(sha256: string): Promise<Uint8Array> {
    return readFile(blobPath(this.#directory, sha256));
  }

  /**
   * From now on this is the revision that a start finds. Its contents are there already.
   * @param durable over a loss of power, too; else over the end of this process alone, which takes no time
   */
  async keep(revision: Revision, durable = true): Promise<void> {
    makeDirectory(this.#directory, DIRECTORY_MODE);
    const text = Buffer.from(`${JSON.stringify(revision)}\n`);
    await written(join(this.#directory, REVISION_FILE), (write) => write(text), durable);
    if (!durable) return;
    // Else the name may still be that of the revision before, after the machine lost its power.
    const directory = await open(this.#directory, 'r');
    await directory.sync().finally(() => directory.close());
  }

  /** Whether this disk would take the revision now; nothing that a start finds changes. */
  async hasRoom(revision: Revision): Promise<boolean> {
    const draft = join(this.#directory, `${REVISION_FILE}.room`);
    const taken = await writeFile(draft, JSON.stringify(revision), { mode: FILE_MODE, flush: true }).then(
      () => true,
      () => false,
    );
    await rm(draft, { force: true });
    return taken;
  }

  /** What is there is read before it is believed again: somebody may have damaged it since. */
  doubt(): void {
    this.#known.clear();
  }

  /** Removes contents that none of these hashes names, and what a process left that ended while it wrote. */
  async sweep(needed: ReadonlySet<string>): Promise<void> {
    const directory = dirname(blobPath(this.#directory, 'x'));
    for (const name of await readdir(directory).catch(() => [])) {
      if (needed.has(name)) continue;
      this.#known.delete(name);
      await rm(join(directory, name), { force: true });
    }
  }
}

/** Writes a file that is there whole or not at all. */
async function written(
  path: string,
  fill: (write: (octets: Uint8Array) => Promise<void>) => Promise<void>,
  durable = true,
): Promise<void> {
  const draft = `${path}.new`;
  const file = await open(draft, 'w', FILE_MODE);
  try {
    await fill(async (octets) => {
      await file.writeFile(octets);
    });
    if (durable) await file.sync();
    await file.close();
    await rename(draft, path);
  } catch (error) {
    await file.close().catch(() => {});
    await rm(draft, { force: true });
    throw error;
  }
}
