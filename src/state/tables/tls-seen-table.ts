/** Domains of partners that some node of the fleet saw to offer TLS in DNS. */

import type { Run, SqlRow } from '../postgres/index.js';
import type { TlsSeen } from '../store/index.js';
import { PAGE_ROWS } from './bounds.js';

/** What a node whose clock is ahead has seen, it has seen by now. */
const SEE = `
  INSERT INTO tls_seen AS known (domain, seen_at)
  SELECT domain, least(seen_at, now()) FROM jsonb_to_recordset($1::jsonb) AS given (domain text, seen_at timestamptz) ORDER BY domain
  ON CONFLICT (domain) DO UPDATE SET seen_at = excluded.seen_at, changed = pg_current_xact_id()
  WHERE excluded.seen_at > known.seen_at`;
/** Of a domain name, with room for one that is written in another way (RFC 1035 §2.3.4: 255). */
const MOST_DOMAIN = 1_024;
/** What is longer was never seen in DNS. */
const READ = `
  SELECT domain, seen_at FROM tls_seen
  WHERE ($1::text IS NULL OR changed >= $1::text::xid8) AND domain > $2 AND octet_length(domain) <= ${MOST_DOMAIN}
  ORDER BY domain LIMIT ${PAGE_ROWS}`;
const FORGET = 'DELETE FROM tls_seen WHERE seen_at < $1';

/** Keeps that domains were reached by TLS, and when (ms). */
export async function seeTls(run: Run, seen: readonly TlsSeen[]): Promise<void> {
  const rows = seen.map(({ domain, seenAt }) => ({ domain, seen_at: new Date(seenAt).toISOString() }));
  await run(SEE, [JSON.stringify(rows)]);
}

/** Domains that were reached by TLS, and when (ms). */
export async function readTlsSeen(run: Run, since: string | undefined): Promise<readonly TlsSeen[]> {
  const seen: TlsSeen[] = [];
  for (;;) {
    const after = seen.at(-1)?.domain ?? '';
    const rows = await run<SqlRow & { readonly domain: string; readonly seen_at: Date }>(READ, [since ?? null, after]);
    for (const { domain, seen_at } of rows) seen.push({ domain, seenAt: seen_at.getTime() });
    if (rows.length < PAGE_ROWS) return seen;
  }
}

/** Forgets domains that were reached last before this time (ms). */
export async function tidyTlsSeen(run: Run, since: number): Promise<void> {
  await run(FORGET, [new Date(since)]);
}
