/**
 * Bearer tokens (RFC 6750) for HTTP: `siptrust_ID_SECRET`. A token is shown once, when it is made. One that is no longer
 * in the file is no longer taken from the next request on, whoever took it out.
 */

import { createHmac, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import type { Role } from '../../policy/settings/index.js';
import { MOST_TOKENS, readTokens, type TokenRow, tokenRow, versionOf, writeTokens } from './token-file.js';

/** The tokens of a fleet; the file of this node is a copy. */
export interface SharedTokens {
  /** @throws {Error} it was not made */
  addToken(token: TokenRow, most: number): Promise<'added' | 'taken' | 'full'>;
  /** undefined: there is none. @throws {Error} it is still taken */
  revokeToken(name: string): Promise<{ readonly name: string } | undefined>;
  followTokens(told: (tokens: readonly object[]) => void): void;
}

/** As RFC 7914 and OWASP have it for an interactive login: some 50 ms and 16 MiB. */
const SCRYPT = { n: 16_384, r: 8, p: 1 } as const;
const HASH_BYTES = 32;
const SECRET_BYTES = 32;
/** Secrets that wait to be hashed: one is hashed at a time, and of more the rest is told to come back. */
const MOST_WAITING = 8;

const TOKEN = /^siptrust_([0-9a-f]{12})_([A-Za-z0-9_-]{43})$/;

export interface Token {
  readonly name: string;
  readonly role: Role;
}

export interface ListedToken extends Token {
  readonly id: string;
  readonly created: string;
}

/** A name that is taken, or one too many. */
export class TokenRefusal extends Error {}

/** The tokens that are good, of a file or of the store, looked at again when they change. */
export class Tokens {
  readonly #path: string;
  readonly #clock: () => number;
  readonly #log: { error(message: string, fields?: object): void };
  /** Of this run alone: what is remembered of a token tells nothing about it. */
  readonly #key = randomBytes(32);
  /** Tokens that were found right: the id by the keyed hash of the whole token. Empty after each change of the file. */
  readonly #verified = new Map<string, string>();
  #rows: readonly TokenRow[] = [];
  #version = '';
  #hashing: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  readonly #shared: SharedTokens | undefined;

  /** @param shared where the fleet has them; undefined: the file is all there is */
  constructor(
    path: string,
    clock: () => number,
    log: { error(message: string, fields?: object): void },
    shared?: SharedTokens,
  ) {
    this.#path = path;
    this.#clock = clock;
    this.#log = log;
    this.#shared = shared;
    shared?.followTokens((tokens) => this.#copy(tokens));
  }

  /** Whose token this is, if it is one that was looked at before. Costs one hash. */
  known(text: string): Token | undefined {
    this.#read();
    const id = this.#verified.get(this.#keyed(text));
    return this.#rows.find((row) => row.id === id);
  }

  /** Whose token this is; undefined: nobody's. `busy`: too many are being looked at. */
  async check(text: string): Promise<Token | undefined | 'busy'> {
    this.#read();
    const [, id, secret] = TOKEN.exec(text) ?? [];
    const row = this.#rows.find((each) => each.id === id);
    if (row === undefined || secret === undefined) return undefined;
    if (this.#waiting >= MOST_WAITING) return 'busy';
    this.#waiting += 1;
    const hashed = this.#hashing.then(() => derive(secret, Buffer.from(row.scrypt.salt, 'base64')));
    this.#hashing = hashed.catch(() => {});
    try {
      const expected = Buffer.from(row.scrypt.hash, 'base64');
      const found = await hashed;
      if (expected.length !== found.length || !timingSafeEqual(expected, found)) return undefined;
    } finally {
      this.#waiting -= 1;
    }
    // It may have been revoked meanwhile.
    this.#read();
    const still = this.#rows.find((each) => each.id === id);
    if (still !== undefined) this.#verified.set(this.#keyed(text), still.id);
    return still;
  }

  list(): readonly ListedToken[] {
    return readTokens(this.#path).map(({ name, role, id, created }) => ({ name, role, id, created }));
  }

  /**
   * Makes a token; the text is kept nowhere.
   * @throws {TokenRefusal | TokenFileError} nothing was made
   */
  async add(name: string, role: Role): Promise<ListedToken & { readonly token: string }> {
    const id = randomBytes(6).toString('hex');
    const secret = randomBytes(SECRET_BYTES).toString('base64url');
    const salt = randomBytes(16);
    const hash = await derive(secret, salt);
    const created = new Date(this.#clock()).toISOString();
    const scrypted = { ...SCRYPT, salt: salt.toString('base64'), hash: hash.toString('base64') };
    await this.#put({ name, role, id, created, scrypt: scrypted });
    return { name, role, id, created, token: `siptrust_${id}_${secret}` };
  }

  async #put(row: TokenRow): Promise<void> {
    const shared = await this.#shared?.addToken(row, MOST_TOKENS);
    const rows = readTokens(this.#path).filter(({ id }) => id !== row.id);
    if (shared === 'taken' || (shared === undefined && rows.some(({ name }) => name === row.name))) {
      throw new TokenRefusal(`expected a name that no token has, found "${row.name}": revoke that one first`);
    }
    if (shared === 'full' || (shared === undefined && rows.length >= MOST_TOKENS)) {
      throw new TokenRefusal(`expected at most ${MOST_TOKENS} tokens, found as many`);
    }
    this.#write([...rows, row]);
  }

  /**
   * Takes a token out; undefined: there is none of this name.
   * @throws {TokenFileError | Error} it is still there
   */
  async revoke(name: string): Promise<ListedToken | undefined> {
    const revoked = await this.#shared?.revokeToken(name);
    const rows = readTokens(this.#path);
    const found = rows.find((row) => row.name === name);
    if (found !== undefined) this.#write(rows.filter((row) => row !== found));
    const gone = found ?? (revoked === undefined ? undefined : tokenRow(revoked));
    if (gone === undefined || (this.#shared !== undefined && revoked === undefined)) return undefined;
    const { role, id, created } = gone;
    return { name, role, id, created };
  }

  /** What the fleet has is what this node takes from now on. */
  #copy(tokens: readonly object[]): void {
    const rows = tokens.flatMap((token) => {
      const row = tokenRow(token);
      if (row === undefined) this.#log.error('a token of the store is not taken: it is malformed', nameOf(token));
      return row ?? [];
    });
    try {
      const before = readTokens(this.#path);
      if (JSON.stringify(before) === JSON.stringify(rows)) return;
      const ids = new Set(rows.map(({ id }) => id));
      const gone = before.filter(({ id }) => !ids.has(id)).map(({ name }) => name);
      if (gone.length > 0) this.#log.error('tokens of this node are not in the store and are not taken', { gone });
    } catch (error) {
      this.#log.error('the copy of the tokens on this disk was no good', { error: String(error) });
    }
    this.#write(rows);
  }

  /** In a fleet the file is a copy: what the store has is done, and is copied again with the next change. */
  #write(rows: readonly TokenRow[]): void {
    try {
      writeTokens(this.#path, rows);
    } catch (error) {
      if (this.#shared === undefined) throw error;
      this.#log.error('the copy of the tokens on this disk was not written', { error: String(error) });
    }
  }

  #keyed(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('base64');
  }

  /** Follows the file. One that cannot be read grants nothing. */
  #read(): void {
    const version = versionOf(this.#path);
    if (version === this.#version) return;
    this.#version = version;
    this.#verified.clear();
    this.#rows = [];
    try {
      this.#rows = readTokens(this.#path);
    } catch (error) {
      this.#log.error('no token is taken', { error: String(error) });
    }
  }
}

function derive(secret: string, salt: Buffer): Promise<Buffer> {
  const { n: N, r, p } = SCRYPT;
  return new Promise((resolve, reject) => {
    scrypt(secret, salt, HASH_BYTES, { N, r, p }, (error, hash) => (error === null ? resolve(hash) : reject(error)));
  });
}

function nameOf(token: object): object {
  return { name: 'name' in token ? String(token.name) : '' };
}
