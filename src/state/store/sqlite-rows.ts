/** What is written into a store and read from it, as SQL and as rows. */

import type { Connection } from './sqlite-file.js';
import type { WriteStep } from './sqlite-writer.js';
import { boundedTime, type Pin, type Stored } from './store.js';

export const READ_TLS_SEEN = 'SELECT domain, seen_at AS seenAt FROM tls_seen ORDER BY domain';
export const PUT_TLS_SEEN = 'INSERT OR REPLACE INTO tls_seen VALUES (?, ?)';
export const FORGET_TLS_SEEN = 'DELETE FROM tls_seen WHERE seen_at < ?';

/** Who once named a partner stays a partner's; the time only grows. */
export const PUT_CERTIFICATE = `
  INSERT INTO certificate (sha256, der, last_seen, partner) VALUES (?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET last_seen = max(last_seen, excluded.last_seen), partner = max(partner, excluded.partner)`;
export const READ_CERTIFICATE = 'SELECT der FROM certificate WHERE sha256 = ?';
export const FORGET_CERTIFICATES = 'DELETE FROM certificate WHERE last_seen < ? AND partner IN (0, 1)';
/** Beyond so many octets strangers go first, of each kind the one that was seen longest ago. */
export const MAKE_CERTIFICATE_ROOM = `
  DELETE FROM certificate WHERE sha256 IN (
    SELECT sha256 FROM (
      SELECT sha256, sum(octets) OVER (ORDER BY partner DESC, last_seen DESC, sha256) AS together FROM certificate
    ) WHERE together > ?
  )`;

export const READ_WAITING = 'SELECT id, line AS text FROM waiting ORDER BY number LIMIT ?';
export const ADD_WAITING = 'INSERT OR IGNORE INTO waiting (id, line) VALUES (?, ?)';
export const DROP_WAITING = 'DELETE FROM waiting WHERE id = ?';

export const READ_PINS = `
  SELECT agreement, spki_sha256, certificate_sha256, subject, identities, not_after, first_seen, last_seen, count,
    approved_at
  FROM pin ORDER BY last_seen, first_seen`;
export const PUT_PIN = `
  INSERT OR REPLACE INTO pin (agreement, spki_sha256, certificate_sha256, subject, identities, not_after, first_seen,
    last_seen, count, approved_at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
export const REMOVE_PIN = 'DELETE FROM pin WHERE agreement = ? AND spki_sha256 = ?';
export const READ_REVISION = "SELECT value FROM highest WHERE name = 'revision'";
export const PUT_REVISION = `
  INSERT INTO highest VALUES ('revision', ?)
  ON CONFLICT DO UPDATE SET value = iif(value > 2147483647, excluded.value, max(value, excluded.value))`;

export const READ_HIGHEST = 'SELECT value FROM highest WHERE name = ?';
export const PUT_HIGHEST = `
  INSERT INTO highest VALUES (?, ?) ON CONFLICT DO UPDATE SET value = max(value, excluded.value)`;

/** As READ_PINS gives it: the columns of a STRICT table. */
type Row = readonly [string, string, string, string, string, number, number, number, number, number | null];

/** Pins and the highest revision that was given out. */
export function stored(database: Connection): Stored {
  const rows = database.prepare<[], Row>(READ_PINS).raw().all() as unknown as Row[];
  const revision = database.prepare<[], number>(READ_REVISION).pluck().get() as unknown as number | undefined;
  return { pins: rows.map(toPin), revision: revision ?? 0 };
}

function toPin(row: Row): Pin {
  const [agreement, spkiSha256, certificateSha256, subject, identities, notAfter, firstSeen, lastSeen, count, at] = row;
  return {
    agreement,
    spkiSha256,
    certificateSha256,
    subject,
    identities: identities === '' ? [] : identities.split(' '),
    notAfter: boundedTime(notAfter),
    firstSeen: boundedTime(firstSeen),
    lastSeen: boundedTime(lastSeen),
    count,
    approvedAt: at === null ? undefined : boundedTime(at),
  };
}

/** As PUT_PIN takes it. */
export function toRow(pin: Pin): WriteStep['rows'][number] {
  const { agreement, spkiSha256, certificateSha256, subject, identities } = pin;
  const { notAfter, firstSeen, lastSeen, count, approvedAt = null } = pin;
  const names = identities.join(' ');
  return [agreement, spkiSha256, certificateSha256, subject, names, notAfter, firstSeen, lastSeen, count, approvedAt];
}
