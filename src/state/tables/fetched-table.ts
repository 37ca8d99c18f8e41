/** CRLs and OCSP answers that one node of a fleet fetched for all, and who is fetching now. */

import type { Run, SqlRow } from '../postgres/index.js';
import type { FetchedThing } from '../revocation/index.js';

/** Told of what was not there before: `KIND NODE SOURCE`, the name of the node URL-encoded. URLs are short (net/address). */
export const FETCHED = 'siptrust_fetched';

/** Who has claimed a fetch and says nothing more of it has so long; then another one tries. */
const CLAIM_SECONDS = 30;
/** Octets that are decoded in one turn. */
const PIECE = 262_144;
/** Of a header field that goes back to the server; without it all is asked for. */
const MOST_HEADER = 8_192;

const CLAIM = `
  INSERT INTO fetched AS known (kind, source, node, claimed_until)
  VALUES ($1, $2, $3, now() + interval '${CLAIM_SECONDS} seconds')
  ON CONFLICT (kind, source) DO UPDATE SET node = excluded.node, claimed_until = excluded.claimed_until
  WHERE (known.claimed_until IS NULL OR known.claimed_until < now())
    AND (known.body IS NULL OR known.fetched_at IS NULL OR known.fetched_at < now() - $4 * interval '1 millisecond')
  RETURNING node`;
const FRESH = `
  SELECT length(body) AS octets, fetched_at::text AS fetched_at,
    CASE WHEN octet_length(etag) <= ${MOST_HEADER} THEN etag END AS etag,
    CASE WHEN octet_length(last_modified) <= ${MOST_HEADER} THEN last_modified END AS last_modified
  FROM fetched
  WHERE kind = $1 AND source = $2 AND body IS NOT NULL AND fetched_at >= now() - $3 * interval '1 millisecond'`;
/** Of the same fetch: another one may come in between. */
const READ =
  'SELECT substring(body FROM $4 FOR $5) AS piece FROM fetched WHERE kind = $1 AND source = $2 AND fetched_at = $3::timestamptz';
/** What is the same as before is no news to anybody. */
const KEEP = `
  WITH before AS (SELECT body FROM fetched WHERE kind = $1 AND source = $2)
  UPDATE fetched SET body = $4, etag = $5, last_modified = $6, fetched_at = now(), claimed_until = NULL
  WHERE kind = $1 AND source = $2 AND node = $3
  RETURNING (SELECT body FROM before) IS DISTINCT FROM $4::bytea AS news`;
const RELEASE = `
  UPDATE fetched SET claimed_until = NULL,
    fetched_at = CASE WHEN $4::text IS NOT NULL AND etag = $4::text THEN now() ELSE fetched_at END
  WHERE kind = $1 AND source = $2 AND node = $3`;
const FORGET = "DELETE FROM fetched WHERE coalesce(fetched_at, claimed_until) < now() - interval '30 days'";

export interface Fetched {
  readonly body: Uint8Array;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

interface Row extends SqlRow {
  readonly octets: number;
  readonly etag: string | null;
  readonly last_modified: string | null;
  /** As text: a Date has no microseconds. */
  readonly fetched_at: string;
}

/** Whether this node is the one to fetch it now. */
export async function claimFetch(run: Run, { kind, source, maxAgeMs }: FetchedThing, node: string): Promise<boolean> {
  return (await run(CLAIM, [kind, source, node, maxAgeMs])).length > 0;
}

/** Larger lists each node fetches for itself. */
export const MOST_OCTETS = 8 * 1024 * 1024;

/** undefined: nobody has fetched it lately. */
export async function readFetched(run: Run, { kind, source, maxAgeMs }: FetchedThing): Promise<Fetched | undefined> {
  const [row] = await run<Row>(FRESH, [kind, source, maxAgeMs]);
  if (row === undefined || row.octets > MOST_OCTETS) return undefined;
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < row.octets; at += PIECE) {
    const [read] = await run<SqlRow & { piece: Uint8Array }>(READ, [kind, source, row.fetched_at, at + 1, PIECE]);
    if (read === undefined) return undefined;
    pieces.push(read.piece);
  }
  const body = Buffer.concat(pieces);
  return { body, etag: row.etag ?? undefined, lastModified: row.last_modified ?? undefined };
}

/** Keeps what a node has fetched for the others, and when; tells them once that is committed. */
export async function keepFetched(
  run: Run,
  { kind, source }: FetchedThing,
  node: string,
  { body, etag, lastModified }: Fetched,
): Promise<void> {
  const [kept] = await run<SqlRow & { news: boolean }>(KEEP, [
    ...[kind, source, node, body, etag ?? null, lastModified ?? null],
  ]);
  if (kept?.news === true) await run('SELECT pg_notify($1, $2)', [FETCHED, newsOf(kind, source, node)]);
}

/** @param etag of the list that the server says is still the latest */
export async function releaseFetch(
  run: Run,
  { kind, source }: FetchedThing,
  node: string,
  etag: string | undefined,
): Promise<void> {
  await run(RELEASE, [kind, source, node, etag ?? null]);
}

/** Takes out what was fetched more than 30 days ago. */
export async function tidyFetched(run: Run): Promise<void> {
  await run(FORGET);
}

type Kind = FetchedThing['kind'];

function newsOf(kind: Kind, source: string, node: string): string {
  return `${kind} ${encodeURIComponent(node)} ${source}`;
}

/** What a notification says; undefined: it is none of ours. */
export function readNews(
  payload: string,
): (Pick<FetchedThing, 'kind' | 'source'> & { readonly node: string }) | undefined {
  const [, kind, node = '', source = ''] = /^(crl|ocsp) (\S+) (.+)$/.exec(payload) ?? [];
  return kind === 'crl' || kind === 'ocsp' ? { kind, node, source } : undefined;
}
