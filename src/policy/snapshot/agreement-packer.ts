/** Packs agreements: those that were packed before and have not changed are copied, and so are the tables of their names. */

import { serialize } from 'node:v8';
import { PrefixList, type PrefixTable } from '../../net/address/index.js';
import { type Agreement, authoritiesOf, type Material, targetKey } from '../../trust/agreement/index.js';
import { entryAt } from '../../typed.js';
import { AgreementList } from './agreement-list.js';
import { NameIndexWriter } from './name-index.js';
import {
  type Column,
  type Names,
  NONE,
  OWN,
  type PackedAgreements,
  type PackedAuthorities,
  termsText,
} from './packed-agreements.js';
import { numbersOf, RowsWriter, rowAt, rowsReplaced } from './rows.js';

/** An agreement in octets and texts; equal ones give equal ones. */
interface Row {
  readonly own: Uint8Array;
  readonly terms: string;
  readonly material: string;
  readonly sources: Uint8Array;
}

const NO_OCTETS = new Uint8Array();

/** @throws {TypeError} its prefixes are no PrefixList */
function rowOf(agreement: Agreement): Row {
  const { valid, migrationUntil, sources } = agreement;
  if (!(sources instanceof PrefixList)) throw new TypeError(`agreement ${agreement.name}: expected a list of prefixes`);
  const times = [valid.from, valid.until, migrationUntil].map(String);
  return {
    own: Buffer.from(JSON.stringify([OWN.map((key) => agreement[key]), ...times])),
    terms: termsText(agreement),
    material: materialText(agreement),
    sources: sources.length > 0 ? serialize(sources.parts) : NO_OCTETS,
  };
}

function materialText({ anchors, intermediates, crls }: Material): string {
  const lists = [anchors.client, anchors.server, intermediates, crls];
  return JSON.stringify(lists.map((all) => all.map(({ sha256 }) => sha256)));
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
  readonly agreements: readonly Agreement[];
  readonly packed: PackedAgreements;
  readonly terms: readonly string[];
  readonly material: readonly string[];
  /** By the numbers of their texts. */
  readonly named: readonly Material[];
}

/** Of so many agreements one may have changed, and not more: else all are packed as if nothing were known. */
const FEW = 8;

/** Packs the agreements of one reading after the other. */
export class AgreementPacker {
  #before: Before | undefined;

  /**
   * @param agreements objects, or what is in octets already
   * @param sources the numbers of agreements by path, by interface
   * @param named told of what agreements name, once of what many have alike
   * @param again whether some of these agreements, as objects, may be packed another time
   */
  pack(
    agreements: readonly Agreement[] | AgreementList,
    sources: ReadonlyMap<string, PrefixTable<number>>,
    named: (material: Material) => void,
    again: boolean,
  ): PackedAgreements {
    const tables = [...sources].map(([name, { parts, values }]) => ({ interface: name, parts, values }));
    const before = this.#before;
    this.#before = undefined;
    if (agreements instanceof AgreementList) {
      const { packed, material } = agreements.made;
      for (const each of material) named(each);
      return { ...packed, tables };
    }
    const changed = before && changedInPlace(before, agreements);
    const made = before && changed ? replaced(before, agreements, changed) : whole(before, agreements);
    for (const each of made.named) named(each);
    const packed = { ...made.packed, tables };
    if (again) this.#before = { ...made, packed };
    return packed;
  }
}

/** All of a reading but for its tables of prefixes. */
type Packed = Omit<Before, 'packed'> & { readonly packed: Omit<PackedAgreements, 'tables'> };

/** The numbers of those that have changed, where they are few, and stand where they stood, with the names and the material of before. */
function changedInPlace(before: Before, agreements: readonly Agreement[]): readonly number[] | undefined {
  if (before.agreements.length !== agreements.length) return undefined;
  const changed: number[] = [];
  for (const [number, agreement] of agreements.entries()) {
    const old = entryAt(before.agreements, number);
    if (old === agreement) continue;
    changed.push(number);
    const few = changed.length * FEW <= agreements.length;
    if (!few || !sameNames(old, agreement) || materialText(old) !== materialText(agreement)) return undefined;
  }
  return changed;
}

/** As it was packed, but for these. What they have to themselves is packed anew; of the rest nothing but their terms can differ. */
function replaced(before: Before, agreements: readonly Agreement[], changed: readonly number[]): Packed {
  const written = new Map(changed.map((number) => [number, rowOf(entryAt(agreements, number))]));
  const terms = new ColumnWriter();
  for (const [number, place] of before.packed.terms.places.entries()) {
    terms.add(written.get(number)?.terms ?? entryAt(before.terms, place));
  }
  const { column, texts } = terms.written();
  const rows = (key: 'own' | 'sources') => {
    const rowsBefore = before.packed[key];
    const other = [...written].filter(([number, row]) => !rowAt(rowsBefore, number).equals(row[key]));
    return rowsReplaced(rowsBefore, new Map(other.map(([number, row]) => [number, row[key]])));
  };
  const packed = { ...before.packed, own: rows('own'), sources: rows('sources'), terms: column };
  return { ...before, agreements, packed, terms: texts };
}

/** All anew; the octets of those that stay the same objects are copied, wherever they stood. */
function whole(before: Before | undefined, agreements: readonly Agreement[]): Packed {
  const writer = new AgreementsWriter();
  const known = new Map(before?.agreements.map((agreement, number) => [agreement, number]));
  for (const agreement of agreements) writer.add(agreement, rowsOf(before, known.get(agreement)));
  return { agreements, ...writer.written() };
}

/** Packs one agreement after the other, and holds none of them. */
export class AgreementsWriter {
  readonly #own = new RowsWriter();
  readonly #sources = new RowsWriter();
  readonly #terms = new ColumnWriter();
  readonly #material = new ColumnWriter();
  readonly #names = new NamesWriter();
  readonly #authorities = new AuthoritiesWriter();
  readonly #named: Material[] = [];
  #count = 0;

  add(agreement: Agreement, { own, sources, terms, material } = rowOf(agreement)): void {
    const number = this.#count++;
    this.#own.add(own);
    this.#sources.add(sources);
    this.#terms.add(terms);
    this.#names.add(agreement, number);
    const { anchors, intermediates, crls } = agreement;
    const first = this.#authorities.add(agreement, number, this.#material.add(material));
    if (first) this.#named.push({ anchors, intermediates, crls });
  }

  written(): Omit<Packed, 'agreements'> {
    const { column: terms, texts: termsTexts } = this.#terms.written();
    const { column: material, texts: materialTexts } = this.#material.written();
    const packed = {
      own: this.#own.written(),
      terms,
      material,
      sources: this.#sources.written(),
      names: this.#names.written(),
      authorities: this.#authorities.written(),
    };
    return { packed, terms: termsTexts, material: materialTexts, named: this.#named };
  }
}

function rowsOf(before: Before | undefined, number: number | undefined): Row | undefined {
  if (before === undefined || number === undefined) return undefined;
  const { packed, terms, material } = before;
  return {
    own: rowAt(packed.own, number),
    terms: entryAt(terms, entryAt(packed.terms.places, number)),
    material: entryAt(material, entryAt(packed.material.places, number)),
    sources: rowAt(packed.sources, number),
  };
}

/** Whether both are found by the same names. */
function sameNames(a: Agreement, b: Agreement): boolean {
  return (
    a.name === b.name &&
    sameTexts(a.domains, b.domains) &&
    sameTexts(a.wildcardNames, b.wildcardNames) &&
    sameTexts(a.targets.map(targetKey), b.targets.map(targetKey)) &&
    sameTexts(a.serverNames, b.serverNames)
  );
}

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, at) => text === b[at]);
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
