/** Bearer tokens of a fleet: whom each was made for, and the hash of its secret. */

import { type Run, type SqlRow, STATE_CHANGED } from '../postgres/index.js';
import { MOST_NAME, PAGE_ROWS, type RefusedRow } from './bounds.js';

/** As the file of tokens has it; who reads it checks it. */
export interface StoredToken {
  readonly name: string;
  readonly id: string;
  readonly role: string;
  readonly created: string;
  readonly scrypt: object;
}

/** One that does not fit is none of ours, and nobody's. */
const MOST_OCTETS = 4_096;
const COLUMNS = 'name, id, role, created_at, scrypt';
/** JSON as it is stored: written as text it is looked at octet by octet. */
const OCTETS = '(octet_length(name)::bigint + octet_length(id) + octet_length(role) + pg_column_size(scrypt))';
const FITS = `${OCTETS} <= ${MOST_OCTETS}`;
const READ = `SELECT ${COLUMNS} FROM token WHERE ${FITS} ORDER BY created_at, name LIMIT ${PAGE_ROWS}`;
const REFUSED = `
  SELECT left(name, ${MOST_NAME}) AS row, ${OCTETS} AS octets
  FROM token WHERE NOT (${FITS}) ORDER BY name LIMIT ${PAGE_ROWS}`;
const COUNT = 'SELECT count(*) AS count FROM token';
const ADD = `
  INSERT INTO token (name, id, role, created_at, scrypt) VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (name) DO NOTHING RETURNING name`;
const REVOKE = `
  DELETE FROM token WHERE name = $1
  RETURNING left(name, ${MOST_OCTETS}) AS name, left(id, ${MOST_OCTETS}) AS id, left(role, ${MOST_OCTETS}) AS role, created_at,
    CASE WHEN ${FITS} THEN scrypt ELSE '{}' END AS scrypt`;
const TELL = `SELECT pg_notify('${STATE_CHANGED}', 'token')`;

interface Row extends SqlRow {
  readonly name: string;
  readonly id: string;
  readonly role: string;
  readonly created_at: Date;
  readonly scrypt: object;
}

/** All tokens of the fleet; what is malformed is left out. */
export async function readTokens(
  run: Run,
): Promise<{ readonly tokens: readonly StoredToken[]; readonly refused: readonly RefusedRow[] }> {
  const tokens = (await run<Row>(READ)).map(toToken);
  const refused = await run<SqlRow & RefusedRow>(REFUSED);
  return { tokens, refused };
}

/** `taken`: another token has the name; `full`: there are so many already. */
export async function addToken(run: Run, token: StoredToken, most: number): Promise<'added' | 'taken' | 'full'> {
  const [row] = await run<SqlRow & { readonly count: number }>(COUNT);
  if ((row?.count ?? 0) >= most) return 'full';
  const { name, id, role, created, scrypt } = token;
  const added = await run(ADD, [name, id, role, created, JSON.stringify(scrypt)]);
  if (added.length === 0) return 'taken';
  await run(TELL);
  return 'added';
}

/** undefined: there is none of this name. */
export async function revokeToken(run: Run, name: string): Promise<StoredToken | undefined> {
  const [row] = await run<Row>(REVOKE, [name]);
  if (row === undefined) return undefined;
  await run(TELL);
  return toToken(row);
}

function toToken({ name, id, role, created_at, scrypt }: Row): StoredToken {
  return { name, id, role, created: created_at.toISOString(), scrypt };
}
