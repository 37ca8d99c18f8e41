/**
 * The agreements of a policy in memory that threads share: of each a text of what it has to itself, once what many have
 * alike, and the tables by which they are found. A collector meets none of it.
 */

import type { PrefixTableParts } from '../../net/address/index.js';
import type { Agreement, Terms } from '../../trust/agreement/index.js';
import type { NameIndex } from './name-index.js';
import type { Numbers, Rows } from './rows.js';

/** What an agreement has to itself, as JSON says it. */
export const OWN = [
  'name',
  'domains',
  'serverNames',
  'wildcardNames',
  'subject',
  'issuer',
  'attributeIssuers',
  'asserts',
  'pins',
  'targets',
] as const satisfies readonly (keyof Agreement)[];
/** What JSON cannot say as it is: certificates and lists, infinite times, a Map, and octets. */
export const OTHER = [
  'anchors',
  'intermediates',
  'crls',
  'valid',
  'migrationUntil',
  'headers',
  'sources',
] as const satisfies readonly (keyof Agreement)[];

type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json };
/** Each key of another type stands in an error: it belongs into OTHER. */
type Said<T> = { readonly [Key in keyof T]: T[Key] extends Json | undefined ? T[Key] : never };
export type PlainTerms = Omit<Terms, 'headers'>;

/** Keeps the place of each key: what is made has its keys in one order, whatever is known of it first. */
export const BLANK = Object.freeze(Object.fromEntries([...OWN, ...OTHER].map((key) => [key, undefined])));

/** What stands in a row of `own`. */
export type OwnRow = readonly [own: readonly unknown[], from: string, until: string, migrationUntil: string];
/** What stands in a text of `terms`. */
export type TermsRow = readonly [terms: PlainTerms, headers: readonly (readonly [string, unknown])[]];
/** What stands in a text of `material`: SHA-256 of client anchors, server anchors, intermediates, CRLs. */
export type MaterialRow = readonly (readonly string[])[];

/** Texts that many agreements have alike. */
export interface Column {
  readonly texts: Rows;
  /** For each agreement the number of its own. */
  readonly places: Numbers;
}

/** By what an agreement is found, each with the tables of the snapshot. */
export type Names = Readonly<Record<'byName' | 'byDomain' | 'byWildcard' | 'byTarget' | 'byServerName', NameIndex>>;

export interface PackedAuthorities {
  /** Numbers of CAs by the key texts of their names. */
  readonly bySubject: NameIndex;
  /** SHA-256 of each, in hexadecimal digits. */
  readonly certificates: Rows;
  /** The first agreements that name each, two for each CA; NONE where there is no second one. */
  readonly agreements: Numbers;
}

/** In place of the number of an agreement. */
export const NONE = 0xffff_ffff;

interface PackedSources {
  readonly interface: string;
  readonly parts: PrefixTableParts;
  /** Numbers of agreements. */
  readonly values: readonly number[];
}

export interface PackedAgreements {
  readonly own: Rows;
  readonly terms: Column;
  readonly material: Column;
  /** Prefixes of each; empty: it has none, as most. */
  readonly sources: Rows;
  readonly names: Names;
  readonly authorities: PackedAuthorities;
  readonly tables: readonly PackedSources[];
}

/** Terms as they are packed. */
export function termsText(terms: Terms): string {
  const said: Said<PlainTerms> = { ...terms, ...BLANK };
  return JSON.stringify([said, [...terms.headers]]);
}
