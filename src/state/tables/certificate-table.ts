/** Certificates that answers of some node were about, so that a question can be asked again on another one. */

import type { Run, SqlRow } from '../postgres/index.js';
import type { KeptCertificate, KeptLimits } from '../store/index.js';
import { MOST_ROW_OCTETS } from './bounds.js';

const KEEP = `
  INSERT INTO certificate AS known (sha256, der, last_seen, partner)
  SELECT sha256, decode(der, 'base64'), last_seen, partner
  FROM jsonb_to_recordset($1::jsonb) AS given (sha256 text, der text, last_seen timestamptz, partner boolean)
  ORDER BY sha256
  ON CONFLICT (sha256) DO UPDATE SET
    last_seen = greatest(known.last_seen, excluded.last_seen), partner = known.partner OR excluded.partner`;
const FIND = `SELECT der FROM certificate WHERE sha256 = $1 AND octets <= ${MOST_ROW_OCTETS}`;
const FORGET = 'DELETE FROM certificate WHERE last_seen < $1';
/** As in SQLite: strangers go first, of each kind the one that was seen longest ago. */
const MAKE_ROOM = `
  DELETE FROM certificate WHERE sha256 IN (
    SELECT sha256 FROM (
      SELECT sha256, sum(octets) OVER (ORDER BY partner DESC, last_seen DESC, sha256) AS together FROM certificate
    ) AS room WHERE together > $1
  )`;

/** Keeps certificates that were shown, by their SHA-256. */
export async function keepCertificates(run: Run, seen: readonly KeptCertificate[]): Promise<void> {
  const rows = seen.map(({ sha256, der, lastSeen, partner }) => ({
    ...{ sha256, der: Buffer.from(der).toString('base64'), partner },
    last_seen: new Date(lastSeen).toISOString(),
  }));
  await run(KEEP, [JSON.stringify(rows)]);
}

/** The DER of the certificate with this SHA-256 (hex); undefined: it was not kept. */
export async function findCertificate(run: Run, sha256: string): Promise<Uint8Array | undefined> {
  return (await run<SqlRow & { readonly der: Uint8Array }>(FIND, [sha256]))[0]?.der;
}

/** Makes room: what was seen longest ago goes first, strangers before partners. */
export async function tidyCertificates(run: Run, { since, octets }: KeptLimits): Promise<void> {
  await run(FORGET, [new Date(since)]);
  await run(MAKE_ROOM, [octets]);
}
