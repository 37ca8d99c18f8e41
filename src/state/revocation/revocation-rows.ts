/** What is known of revocation, row by row, for operators. */

import { certificateName } from '../../x509/certificate/index.js';
import { ocspEntry } from '../../x509/revocation/index.js';
import type { CrlSource } from './crl-source.js';
import { crlCondition, type ListAtHand } from './crl-watch.js';
import type { OcspShelf } from './ocsp-shelf.js';
import type { OcspSource } from './ocsp-source.js';
import type { RevocationRow } from './revocation-source.js';

/** Lists in files of the policy. */
export function* policyRows(
  lists: readonly ListAtHand[],
  now: number,
  warnMs: number,
): Generator<undefined, readonly RevocationRow[]> {
  const rows: RevocationRow[] = [];
  for (const { source, crl } of lists) {
    yield;
    rows.push({
      ...NOTHING,
      kind: 'crl',
      source,
      issuer: crl.issuerText,
      thisUpdate: crl.thisUpdate,
      nextUpdate: crl.nextUpdate,
      entries: crl.entryCount,
      state: crlCondition(crl, now, warnMs),
    });
  }
  return rows;
}

const NOTHING = {
  issuer: '',
  certificate: '',
  thisUpdate: undefined,
  nextUpdate: undefined,
  entries: undefined,
  checkedAt: undefined,
  nextAt: undefined,
  error: '',
} as const;

/** Lists from distribution points. */
export function listRows(sources: Iterable<CrlSource>, now: number, warnMs: number): readonly RevocationRow[] {
  return [...sources].map(({ url, crl, pending, checkedAt, nextAt, error }) => ({
    ...NOTHING,
    kind: 'crl',
    source: url,
    issuer: crl?.issuerText ?? '',
    thisUpdate: crl?.thisUpdate,
    nextUpdate: crl?.nextUpdate,
    entries: crl?.entryCount,
    state: crl === undefined ? (pending ? 'pending' : 'none') : crlCondition(crl, now, warnMs),
    checkedAt,
    nextAt,
    error,
  }));
}

/** Statuses from responders. */
export function statusRows(shelf: OcspShelf | undefined, now: number): readonly RevocationRow[] {
  return [...(shelf?.sources ?? [])].map((source) => ({ ...statusRow(source), ...statusState(source, shelf, now) }));
}

function statusRow({ url, certificate, issuer, checkedAt, nextAt, error }: OcspSource): Omit<RevocationRow, 'state'> {
  return {
    ...NOTHING,
    kind: 'ocsp',
    source: url,
    issuer: issuer.subjectText,
    certificate: `${certificateName(certificate)}, serial ${certificate.serial}`,
    checkedAt,
    nextAt,
    error,
  };
}

function statusState(
  { certificate, issuer, answer, pending }: OcspSource,
  shelf: OcspShelf | undefined,
  now: number,
): Pick<RevocationRow, 'state' | 'thisUpdate' | 'nextUpdate'> {
  if (answer === undefined)
    return { state: pending ? 'pending' : 'none', thisUpdate: undefined, nextUpdate: undefined };
  const entry = ocspEntry(certificate, issuer, answer.response);
  const status = shelf?.status(certificate, issuer, answer).status ?? 'unknown';
  const stale = entry?.nextUpdate !== undefined && entry.nextUpdate <= now;
  return {
    state: status === 'unknown' ? (stale ? 'stale' : 'none') : status,
    thisUpdate: entry?.thisUpdate,
    nextUpdate: entry?.nextUpdate,
  };
}
