/** The file of tokens: whom each was made for, its role, and the scrypt hash of its secret. */

import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { CREDENTIAL_NAME } from '../../policy/kinds/index.js';
import { ROLES } from '../../policy/settings/index.js';
import { readSecret } from '../../state/store/index.js';

export const MOST_TOKENS = 1000;
const MOST_BYTES = 1024 * 1024;
/** Nobody but the daemon has to read it. */
const MODE = 0o600;

const base64 = z.string().regex(/^[A-Za-z0-9+/]+={0,2}$/);
const rowSchema = z.strictObject({
  name: z.string().regex(CREDENTIAL_NAME),
  role: z.enum(ROLES),
  id: z.string().regex(/^[0-9a-f]{12}$/),
  created: z.iso.datetime(),
  scrypt: z.strictObject({
    // What a check may cost is not for the file to say: 128 * N * r octets, and time in proportion.
    n: z.literal(16_384),
    r: z.literal(8),
    p: z.literal(1),
    salt: base64,
    hash: base64,
  }),
});
const fileSchema = z.strictObject({ tokens: z.array(rowSchema).max(MOST_TOKENS) });

export type TokenRow = z.infer<typeof rowSchema>;

/** A token as others have written it; undefined: it is malformed. */
export function tokenRow(token: object): TokenRow | undefined {
  const read = rowSchema.safeParse(token);
  return read.success ? read.data : undefined;
}

/** The file of tokens cannot be read or written; the message names it. */
export class TokenFileError extends Error {
  constructor(path: string, problem: string, options?: ErrorOptions) {
    super(`${path}: ${problem}`, options);
    this.name = 'TokenFileError';
  }
}

/** What tells one version of the file from the next; a file that is not there is a version, too. */
export function versionOf(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stats === undefined ? 'none' : `${stats.dev} ${stats.ino} ${stats.size} ${stats.mtimeNs} ${stats.ctimeNs}`;
}

/**
 * The rows of the file; none where there is no file.
 * @throws {TokenFileError} others may read it, or it is damaged
 */
export function readTokens(path: string): readonly TokenRow[] {
  const text = tokenText(path);
  if (text === undefined) return [];
  try {
    return fileSchema.parse(JSON.parse(text)).tokens;
  } catch (cause) {
    throw new TokenFileError(path, 'expected a file that siptrustctl token add wrote, found something else', { cause });
  }
}

function tokenText(path: string): string | undefined {
  try {
    const read = readSecret(path, MOST_BYTES);
    if ('problem' in read) throw new TokenFileError(path, read.problem);
    return read.text;
  } catch (cause) {
    if (cause instanceof TokenFileError) throw cause;
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new TokenFileError(path, String(cause), { cause });
  }
}

/**
 * Puts these rows in the place of the file, at once and durably.
 * @throws {TokenFileError} the file is as it was
 */
export function writeTokens(path: string, tokens: readonly TokenRow[]): void {
  const draft = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const descriptor = openSync(draft, 'wx', MODE);
    try {
      // Until all of it is written: a disk that fills up takes a part of it first (write(2)).
      writeFileSync(descriptor, `${JSON.stringify({ tokens }, null, 2)}\n`);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(draft, path);
    const directory = openSync(dirname(path), 'r');
    try {
      fsyncSync(directory);
    } finally {
      closeSync(directory);
    }
  } catch (cause) {
    throw new TokenFileError(path, `it could not be written: ${String(cause)}`, { cause });
  } finally {
    rmSync(draft, { force: true });
  }
}
