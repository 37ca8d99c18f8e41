/**
 * The agreements of a policy in memory that threads share: of each a text of what it has to itself, once what many have
 * alike, and the tables by which they are found. A collector meets none of it.
 */

import { serialize } from 'node:v8';
import { PrefixList, type PrefixTable, type PrefixTableParts } from '../../net/address/index.js';
import { type Agreement, authoritiesOf, type Material, type Terms, targetKey } from '../../trust/agreement/index.js';
import { present } from '../../typed.js';
import { type NameIndex, NameIndexWriter } from './name-index.js';
import { type Numbers, numbersOf, type Rows, RowsWriter, rowAt } from './rows.js';

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

/** An agreement in octets and texts; equal ones give equal ones. */
interface Written {
  readonly own: Uint8Array;
  readonly terms: string;
  readonly material: string;
  readonly sources: Uint8Array;
}

const NO_OCTETS = new Uint8Array();

/** @throws {TypeError} its prefixes are no PrefixList */
function writtenOf(agreement: Agreement): Written {
  const { valid, migrationUntil, sources, anchors, intermediates, crls } = agreement;
  if (!(sources instanceof PrefixList)) throw new TypeError(`agreement ${agreement.name}: expected a list of prefixes`);
  const times = [valid.from, valid.until, migrationUntil].map(String);
  const names = [anchors.client, anchors.server, intermediates, crls].map((all) => all.map(({ sha256 }) => sha256));
  return {
    own: Buffer.from(JSON.stringify([OWN.map((key) => agreement[key]), ...times])),
    terms: termsText(agreement),
    material: JSON.stringify(names),
    sources: sources.length > 0 ? serialize(sources.parts) : NO_OCTETS,
  };
}

/** Terms as they are packed. */
export function termsText(terms: Terms): string {
  const said: Said<PlainTerms> = { ...terms, ...BLANK };
  return JSON.stringify([said, [...terms.headers]]);
}

class ColumnWriter {
  readonly #known = new Map<string, number>();
  readonly #texts = new RowsWriter();
  readonly #places: number[] = [];

  /** The number of the text. */
  add(text: string): number {
    let place = this.#known.get(text);
    if (place === undefined) {
      place = this.#known.size;
      this.#known.set(text, place);
      this.#texts.add(Buffer.from(text));
    }
    this.#places.push(place);
    return place;
  }

  written(): { readonly column: Column; readonly texts: readonly string[] } {
    const column = { texts: this.#texts.written(), places: numbersOf(this.#places) };
    return { column, texts: [...this.#known.keys()] };
  }
}

/** Agreements of a reading as they were packed: those that stay are copied from it. */
interface Before {
  readonly numbers: ReadonlyMap<Agreement, number>;
  readonly packed: PackedAgreements;
  readonly terms: readonly string[];
  readonly material: readonly string[];
}

/** Packs the agreements of one reading after the other. */
export class AgreementPacker {
  #before: Before | undefined;

  /**
   * @param sources the agreements by path, by interface
   * @param named told of what agreements name, once of what many have alike
   * @param again whether some of these agreements, as objects, may be packed another time
   */
  pack(
    agreements: readonly Agreement[],
    sources: ReadonlyMap<string, PrefixTable<Agreement>>,
    named: (material: Material) => void,
    again: boolean,
  ): PackedAgreements {
    const [own, prefixes, terms, material] = [
      new RowsWriter(),
      new RowsWriter(),
      new ColumnWriter(),
      new ColumnWriter(),
    ];
    const names = new NamesWriter();
    const authorities = new AuthoritiesWriter();
    for (const [number, agreement] of agreements.entries()) {
      const written = this.#known(agreement) ?? writtenOf(agreement);
      own.add(written.own);
      prefixes.add(written.sources);
      terms.add(written.terms);
      names.add(agreement, number);
      if (authorities.add(agreement, number, material.add(written.material))) named(agreement);
    }
    const { column: ofTerms, texts: termsTexts } = terms.written();
    const { column: ofMaterial, texts: materialTexts } = material.written();
    // Most policies have none, and most readings are not remembered.
    const numbers = new Map(again || sources.size > 0 ? agreements.map((each, number) => [each, number]) : []);
    const packed = {
      own: own.written(),
      terms: ofTerms,
      material: ofMaterial,
      sources: prefixes.written(),
      names: names.written(),
      authorities: authorities.written(),
      tables: [...sources].map(([name, { parts, values }]) => ({
        interface: name,
        parts,
        values: values.map((value) => present(numbers.get(value), 'an agreement of the policy')),
      })),
    };
    this.#before = again ? { numbers, packed, terms: termsTexts, material: materialTexts } : undefined;
    return packed;
  }

  #known(agreement: Agreement): Written | undefined {
    const number = this.#before?.numbers.get(agreement);
    if (this.#before === undefined || number === undefined) return undefined;
    const { packed, terms, material } = this.#before;
    return {
      own: rowAt(packed.own, number),
      terms: present(terms[packed.terms.places[number] ?? NONE], 'the terms of an agreement'),
      material: present(material[packed.material.places[number] ?? NONE], 'what an agreement names'),
      sources: rowAt(packed.sources, number),
    };
  }
}

class NamesWriter {
  readonly #byName = new NameIndexWriter();
  readonly #byDomain = new NameIndexWriter();
  readonly #byWildcard = new NameIndexWriter();
  readonly #byTarget = new NameIndexWriter();
  readonly #byServerName = new NameIndexWriter();

  add({ name, domains, wildcardNames, targets, serverNames }: Agreement, number: number): void {
    this.#byName.add(name, number);
    for (const domain of domains) this.#byDomain.add(domain, number);
    for (const suffix of wildcardNames) this.#byWildcard.add(suffix, number);
    for (const target of targets) this.#byTarget.add(targetKey(target), number);
    // Several agreements may have one: the first one in the policy counts.
    for (const server of serverNames) this.#byServerName.addFirst(server, number);
  }

  written(): Names {
    return {
      byName: this.#byName.written(),
      byDomain: this.#byDomain.written(),
      byWildcard: this.#byWildcard.written(),
      byTarget: this.#byTarget.written(),
      byServerName: this.#byServerName.written(),
    };
  }
}

class AuthoritiesWriter {
  readonly #bySubject = new NameIndexWriter();
  /** By SHA-256, the first two agreements that name it. */
  readonly #known = new Map<string, number[]>();
  /** How many agreements have each material: of the third and those after it nothing new is to be learned. */
  readonly #uses: number[] = [];

  /** Whether this agreement is the first one with its material. */
  add(agreement: Agreement, number: number, material: number): boolean {
    const uses = (this.#uses[material] ?? 0) + 1;
    this.#uses[material] = uses;
    for (const { sha256, subjectKeys } of uses <= 2 ? authoritiesOf(agreement) : []) {
      const known = this.#known.get(sha256);
      if (known === undefined) {
        this.#bySubject.add(subjectKeys.text, this.#known.size);
        this.#known.set(sha256, [number]);
      } else if (known.length < 2 && known[0] !== number) known.push(number);
    }
    return uses === 1;
  }

  written(): PackedAuthorities {
    const certificates = new RowsWriter();
    for (const sha256 of this.#known.keys()) certificates.add(Buffer.from(sha256));
    const agreements = [...this.#known.values()].flatMap(([first = NONE, second = NONE]) => [first, second]);
    return {
      bySubject: this.#bySubject.written(),
      certificates: certificates.written(),
      agreements: numbersOf(agreements),
    };
  }
}
