/** Where a certificate says that its lists are, and for which reasons (RFC 5280 §4.2.1.13), as §6.3.3 compares it. */

import {
  type AlternativeName,
  type CertificateFacts,
  type DistributionPoint,
  type DistributionPointName,
  generalNameText,
  parseName,
  REASON_BITS,
  type RevocationReason,
  relativeNameKey,
} from '../certificate/index.js';
import { hex, MalformedDer } from '../der/index.js';
import type { IssuingDistributionPoint } from './crl.js';
import { directoryTexts } from './crl-entries.js';

/** All reasons that lists must cover between them; `unused` is no reason (RFC 5280 §4.2.1.13). */
export const ALL_REASONS: readonly RevocationReason[] = REASON_BITS.filter((reason) => reason !== 'unused');

/** A distribution point with the names it stands for, as the comparisons of §6.3.3 need them. */
export interface Point {
  readonly reasons: ReadonlySet<RevocationReason> | undefined;
  /** Key texts of cRLIssuer; undefined: the certificate issuer publishes the list itself. */
  readonly crlIssuers: readonly string[] | undefined;
  /** Comparable names; undefined: the point gives none. */
  readonly names: ReadonlySet<string> | undefined;
  /** It names only what locates a list: URIs and directory names. */
  readonly plain: boolean;
}

/** Distribution points of a certificate that are looked at: real ones have one or two. */
const MOST_POINTS = 64;

/** The points of the certificate, then the one that §6.3.3 assumes for lists found elsewhere. */
export function pointsOf(certificate: CertificateFacts): readonly Point[] {
  const assumed: Point = {
    reasons: undefined,
    crlIssuers: undefined,
    names: new Set([`directory:${certificate.issuerKeys.text}`]),
    plain: true,
  };
  // Further points of so many say where else to look, and nothing else about what was found.
  const points = (certificate.crlDistributionPoints ?? []).slice(0, MOST_POINTS).flatMap((point) => {
    try {
      return [readPoint(point, certificate)];
    } catch (cause) {
      // A name in it cannot be read: the point locates nothing.
      if (cause instanceof MalformedDer) return [];
      throw cause;
    }
  });
  return [...points, assumed];
}

function readPoint({ name, reasons, crlIssuer }: DistributionPoint, certificate: CertificateFacts): Point {
  const crlIssuers = crlIssuer === undefined ? undefined : directoryTexts(crlIssuer);
  const base = crlIssuers?.[0] ?? certificate.issuerKeys.text;
  return {
    reasons,
    crlIssuers,
    names: name === undefined ? undefined : comparableNames(name, base),
    plain: isPlain(name),
  };
}

export const isPlain = (name: DistributionPointName | undefined): boolean =>
  name?.full?.every(({ type }) => type === 'uri' || type === 'directory') ?? true;

/** Names as strings that are equal if and only if the names match: URIs octet by octet, directory names by §7.1. */
export function comparableNames({ full, relative }: DistributionPointName, base: string): ReadonlySet<string> {
  if (relative !== undefined) {
    const own = relativeNameKey(relative);
    return new Set([`directory:${base === '' ? own : `${base}\n${own}`}`]);
  }
  return new Set((full ?? []).map(comparable));
}

/** Of many names of one list the first ones say which it is. */
const MOST_SHOWN = 3;

/** A distribution point for people. */
export function pointText({ full = [] }: DistributionPointName): string {
  const names = full.slice(0, MOST_SHOWN).map((name) => generalNameText(name));
  return names.join(', ') || 'a name relative to its issuer';
}

function comparable({ type, bytes }: AlternativeName): string {
  return type === 'directory' ? `directory:${parseName(bytes).keys.text}` : `${type}:${hex(bytes)}`;
}

/** §6.3.3 (d): the interim reasons mask. */
export function reasonsOf(
  { reasons }: Point,
  scope: IssuingDistributionPoint | undefined,
): readonly RevocationReason[] {
  return ALL_REASONS.filter(
    (reason) => (reasons?.has(reason) ?? true) && (scope?.onlySomeReasons?.has(reason) ?? true),
  );
}
