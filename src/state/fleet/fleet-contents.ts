/** What the files of policies hold, as the database of a fleet has it: each content once, by its SHA-256. */

import type { BundledFile } from '../../policy/fleet/index.js';
import { present } from '../../typed.js';
import { StoreError } from '../store/index.js';
import type { FleetConnection } from './fleet-connection.js';

/** Octets that are asked for at once: what comes is decoded in one turn. */
const PIECE = 262_144;
/** As large as a policy file may be (daemon.limits.file), and more than any list of 250,000 files. */
const MOST_CONTENT = 256 * 1024 * 1024;
/** Octets on their way: pg knows no binary form, and PostgreSQL's own text has two digits for each. */
const sent = (octets: string) => `encode(${octets}, 'base64')`;

/** What the files of policies hold, by SHA-256, in the store of a fleet. */
export class FleetContents {
  readonly #connection: FleetConnection;

  constructor(connection: FleetConnection) {
    this.#connection = connection;
  }

  /**
   * Contents of files by their hash; small ones, all of which come at once. One that has more octets than any of the files is not
   * what its name says, and does not come. @throws {StoreError}
   */
  async together(files: readonly BundledFile[]): Promise<ReadonlyMap<string, Uint8Array>> {
    const hashes = files.map(({ sha256 }) => sha256);
    const most = Math.max(...files.map(({ octets }) => octets));
    const rows = await this.#connection.query<{ sha256: string; content: string }>(
      `SELECT sha256, ${sent('content')} AS content FROM policy_file WHERE sha256 = ANY($1) AND octets <= $2`,
      [hashes, most],
    );
    return new Map(rows.map(({ sha256, content }) => [sha256, Buffer.from(content, 'base64')]));
  }

  /**
   * A content in pieces.
   * @param most octets that it may have: nobody fills the disk of a node
   * @throws {StoreError}
   */
  async *pieces(sha256: string, most = MOST_CONTENT): AsyncGenerator<Uint8Array> {
    for (let at = 1; ; at += PIECE) {
      const [row] = await this.#connection.query<{ piece: string; octets: string }>(
        `SELECT ${sent('substring(content FROM $2 FOR $3)')} AS piece, octets FROM policy_file WHERE sha256 = $1`,
        [sha256, at, PIECE],
      );
      if (row === undefined) throw new StoreError(this.#connection.name, `${sha256}: expected a content, found none`);
      if (Number(row.octets) > most) {
        throw new StoreError(this.#connection.name, `${sha256}: expected at most ${most} bytes, found ${row.octets}`);
      }
      yield Buffer.from(row.piece, 'base64');
      if (at + PIECE > Number(row.octets)) return;
    }
  }

  /** All of a content. @throws {StoreError} */
  async whole(sha256: string): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    for await (const piece of this.pieces(sha256)) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  /** The contents that are not there yet; each is stored by itself, and used by nobody before its revision is. */
  async store(blobs: ReadonlyMap<string, Uint8Array>): Promise<void> {
    for (const sha256 of await this.#missing([...blobs.keys()])) {
      const content = present(blobs.get(sha256), 'a content that was asked for');
      await this.#connection.query(
        'INSERT INTO policy_file (sha256, octets, content) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
        [sha256, content.length, content],
      );
    }
  }

  /** Which of these contents are not there. @throws {StoreError} also where one is there that its name does not fit: no node takes it */
  async #missing(hashes: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await this.#connection.query<{ sha256: string; found: string }>(
      "SELECT sha256, encode(sha256(content), 'hex') AS found FROM policy_file WHERE sha256 = ANY($1)",
      [hashes],
    );
    for (const { sha256, found } of rows) {
      if (found === sha256) continue;
      const what = `policy_file ${sha256}: expected the content of this SHA-256, found one of ${found}`;
      throw new StoreError(
        this.#connection.name,
        `${what}; next: delete that row as the owner of the database, and push again`,
      );
    }
    const there = new Set(rows.map(({ sha256 }) => sha256));
    return new Set(hashes.filter((sha256) => !there.has(sha256)));
  }
}
