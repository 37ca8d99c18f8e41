/** Pins of a fleet. Nodes add what they see; only an operator's word approves one or takes it out. */

import { type Run, type SqlRow, STATE_CHANGED, text } from '../postgres/index.js';
import type { Pin, PinKey, PinNews } from '../store/index.js';
import { MOST_NAME, MOST_ROW_OCTETS, PAGE_OCTETS, PAGE_ROWS, type RefusedRow } from './bounds.js';

/** One node tidies at a time. */
const TIDY_LOCK = 0x73_69_70_75;
/**
 * Names as they are stored, which is asked without opening them: to open and count a million takes seconds on a busy machine.
 * Packed they are shorter than they are, by a hundred times at most.
 */
const MOST_STORED = 65_536;
const NAMES = `CASE WHEN pg_column_size(identities) > ${MOST_STORED} THEN ${MOST_ROW_OCTETS} + pg_column_size(identities)
  ELSE octet_length(array_to_string(identities, '')) + cardinality(identities) END`;

/** A page of rows, as many as together are short; of one that is too long its key and its length. */
const READ = `
  SELECT agreement, spki_sha256, not_after, first_seen, last_seen, count, approved_at, gone, octets, page,
    CASE WHEN octets <= ${MOST_ROW_OCTETS} THEN certificate_sha256 ELSE '' END AS certificate_sha256,
    CASE WHEN octets <= ${MOST_ROW_OCTETS} THEN subject ELSE '' END AS subject,
    CASE WHEN octets <= ${MOST_ROW_OCTETS} THEN identities ELSE '{}' END AS identities
  FROM (
    SELECT *, count(*) OVER () AS page, row_number() OVER keys AS place,
      sum(least(octets, ${MOST_ROW_OCTETS})) OVER keys AS together
    FROM (
      SELECT *, octet_length(agreement)::bigint + octet_length(spki_sha256) + octet_length(certificate_sha256)
        + octet_length(subject) + ${NAMES} AS octets
      FROM pin
      WHERE ($3::text IS NULL OR changed >= $3::text::xid8) AND (agreement, spki_sha256) > ($1, $2)
      ORDER BY agreement, spki_sha256 LIMIT ${PAGE_ROWS}
    ) AS read WINDOW keys AS (ORDER BY agreement, spki_sha256)
  ) AS measured
  WHERE place = 1 OR together <= ${PAGE_OCTETS}
  ORDER BY agreement, spki_sha256`;

interface Row extends SqlRow {
  readonly agreement: string;
  readonly spki_sha256: string;
  readonly certificate_sha256: string;
  readonly subject: string;
  readonly identities: readonly string[];
  readonly not_after: Date;
  readonly first_seen: Date;
  readonly last_seen: Date;
  readonly count: number;
  readonly approved_at: Date | null;
  readonly gone: boolean;
  readonly octets: number;
  /** Rows that the page would have if all were short. */
  readonly page: number;
}

/** What a node whose clock is ahead has seen, it has seen by now. */
const GIVEN = `
  SELECT agreement, spki_sha256, certificate_sha256, subject, identities, not_after, least(first_seen, now()) AS first_seen,
    least(last_seen, now()) AS last_seen, count, approved_at
  FROM jsonb_to_recordset($1::jsonb) AS given (agreement text, spki_sha256 text, certificate_sha256 text,
    subject text, identities text[], not_after timestamptz, first_seen timestamptz, last_seen timestamptz, count bigint,
    approved_at timestamptz)
  -- One order for all writers: none waits for one that waits for it.
  ORDER BY agreement, spki_sha256`;

/** Of each key what was seen last, and the most that one node has counted: a write that is tried again adds nothing. */
const SEE = `
  INSERT INTO pin AS known (agreement, spki_sha256, certificate_sha256, subject, identities, not_after, first_seen,
    last_seen, count)
  SELECT agreement, spki_sha256, certificate_sha256, subject, identities, not_after, first_seen, last_seen, count
  FROM (${GIVEN}) AS seen
  ON CONFLICT (agreement, spki_sha256) DO UPDATE SET
    certificate_sha256 = excluded.certificate_sha256,
    subject = excluded.subject,
    identities = excluded.identities,
    not_after = excluded.not_after,
    first_seen = CASE WHEN known.gone THEN excluded.first_seen ELSE least(known.first_seen, excluded.first_seen) END,
    last_seen = excluded.last_seen,
    count = CASE WHEN known.gone THEN 1 ELSE greatest(known.count, excluded.count) END,
    -- What was approved once and dropped since is not approved again by being seen.
    approved_at = CASE WHEN known.gone THEN NULL ELSE known.approved_at END,
    gone = false,
    changed = pg_current_xact_id()
  WHERE excluded.last_seen > known.last_seen`;

const APPROVE = `
  INSERT INTO pin AS known (agreement, spki_sha256, certificate_sha256, subject, identities, not_after, first_seen,
    last_seen, count, approved_at)
  ${GIVEN}
  ON CONFLICT (agreement, spki_sha256) DO UPDATE SET
    approved_at = CASE WHEN known.gone THEN excluded.approved_at ELSE coalesce(known.approved_at, excluded.approved_at) END,
    gone = false,
    changed = pg_current_xact_id()`;

/** By the clock of the database: what a node saw before, and writes later, does not bring it back. */
const DROP = `
  INSERT INTO pin AS known (agreement, spki_sha256, certificate_sha256, subject, identities, not_after, first_seen,
    last_seen, count, gone)
  SELECT agreement, spki_sha256, '', '', '{}', now(), now(), now(), 0, true
  FROM jsonb_to_recordset($1::jsonb) AS given (agreement text, spki_sha256 text)
  ORDER BY agreement, spki_sha256
  ON CONFLICT (agreement, spki_sha256) DO UPDATE SET
    approved_at = NULL, gone = true, last_seen = greatest(known.last_seen, now()), changed = pg_current_xact_id()`;

const TELL = `SELECT pg_notify('${STATE_CHANGED}', 'pin')`;

/** What nobody hears of any more, and observed pins beyond the room for them. */
const ALONE = `SELECT pg_try_advisory_xact_lock(${TIDY_LOCK}) AS alone`;
const TIDY = `
  DELETE FROM pin WHERE (gone AND last_seen < now() - interval '30 days')
    OR (NOT gone AND approved_at IS NULL AND (agreement, spki_sha256) IN (
      SELECT agreement, spki_sha256 FROM pin WHERE NOT gone AND approved_at IS NULL ORDER BY last_seen DESC OFFSET $1))`;

/** Counts pins that were observed; an approval stays. */
export async function seePins(run: Run, pins: readonly Pin[]): Promise<void> {
  await run(SEE, [given(pins)]);
}

/** Approves pins for all nodes, from the given time (ms) on. */
export async function approvePins(run: Run, pins: readonly Pin[]): Promise<void> {
  if (pins.length === 0) return;
  await run(APPROVE, [given(pins)]);
  await run(TELL);
}

/** Takes pins out for all nodes. */
export async function dropPins(run: Run, keys: readonly PinKey[]): Promise<void> {
  if (keys.length === 0) return;
  await run(DROP, [JSON.stringify(keys.map(({ agreement, spkiSha256 }) => ({ agreement, spki_sha256: spkiSha256 })))]);
  await run(TELL);
}

/** Whether nobody else is at it. The rest of the transaction is its, too. */
export async function tidyPins(run: Run, most: number): Promise<boolean> {
  const [row] = await run<SqlRow & { readonly alone: boolean }>(ALONE);
  if (row?.alone !== true) return false;
  await run(TIDY, [most]);
  return true;
}

/**
 * A row that is too long is as good as gone: what it says of a key is not known, and it is told as refused.
 * @param since as `position` gives it; undefined: all there are, and all that is still known to be gone.
 */
export async function readPins(
  run: Run,
  since: string | undefined,
): Promise<PinNews & { readonly refused: readonly RefusedRow[] }> {
  const pins: Pin[] = [];
  const removed: PinKey[] = [];
  const refused: RefusedRow[] = [];
  let after: readonly [string, string] = ['', ''];
  for (;;) {
    const rows = await run<Row>(READ, [...after, since ?? null]);
    for (const row of rows) {
      const { agreement, spki_sha256, octets, gone } = row;
      if (octets > MOST_ROW_OCTETS) refused.push({ row: `${agreement} ${spki_sha256}`.slice(0, MOST_NAME), octets });
      if (gone || octets > MOST_ROW_OCTETS) removed.push({ agreement, spkiSha256: spki_sha256 });
      else pins.push(toPin(row));
    }
    const last = rows.at(-1);
    if (last === undefined || (rows.length === last.page && last.page < PAGE_ROWS)) return { pins, removed, refused };
    after = [last.agreement, last.spki_sha256];
  }
}

/** Of an array of PostgreSQL (MAXDIM). */
const MOST_DIMENSIONS = 6;

function toPin(row: Row): Pin {
  return {
    agreement: row.agreement,
    spkiSha256: row.spki_sha256,
    certificateSha256: row.certificate_sha256,
    subject: row.subject,
    // Who writes rows by hand can nest arrays, and put NULL into them.
    identities: row.identities.flat(MOST_DIMENSIONS).filter((name) => typeof name === 'string'),
    notAfter: row.not_after.getTime(),
    firstSeen: row.first_seen.getTime(),
    lastSeen: row.last_seen.getTime(),
    count: row.count,
    approvedAt: row.approved_at?.getTime(),
  };
}

function given(pins: readonly Pin[]): string {
  const time = (ms: number): string => new Date(ms).toISOString();
  return JSON.stringify(
    pins.map((pin) => ({
      agreement: pin.agreement,
      spki_sha256: pin.spkiSha256,
      certificate_sha256: pin.certificateSha256,
      subject: text(pin.subject),
      identities: pin.identities.map(text),
      not_after: time(pin.notAfter),
      first_seen: time(pin.firstSeen),
      last_seen: time(pin.lastSeen),
      count: pin.count,
      approved_at: pin.approvedAt === undefined ? null : time(pin.approvedAt),
    })),
  );
}
