/** Packed agreements as answers find them: each is made of its octets when it is asked for. */

import { deserialize } from 'node:v8';
import { type Address, PrefixList, PrefixTable } from '../../net/address/index.js';
import {
  type Agreement,
  type Agreements,
  type AgreementTable,
  type Authority,
  authoritiesOf,
  type Material,
  type Snapshot,
  type Terms,
} from '../../trust/agreement/index.js';
import { entryAt, present } from '../../typed.js';
import type { CertificateFacts } from '../../x509/certificate/index.js';
import { atOnce } from '../../x509/der/index.js';
import type { CrlFacts } from '../../x509/revocation/index.js';
import { freezeShallow } from '../reading/index.js';
import { allOf, firstOf, type NameIndex, namesIn } from './name-index.js';
import {
  BLANK,
  type Column,
  type MaterialRow,
  NONE,
  OWN,
  type OwnRow,
  type PackedAgreements,
  type PlainTerms,
  type TermsRow,
  termsText,
} from './packed-agreements.js';
import { eachRow, numbersOf, type Rows, rowAt, rowsWith } from './rows.js';

/** By their SHA-256. */
export interface KnownMaterial {
  readonly certificates: ReadonlyMap<string, CertificateFacts>;
  readonly crls: ReadonlyMap<string, CrlFacts>;
}

/** Shared texts opened in one step. */
const STEP = 20;
/** Objects that were made and may be gone, before they are looked through. */
const MOST_MADE = 1024;

/** The agreements of a snapshot: octets, of which an object is made when somebody asks for it, and let go again. */
export class AgreementList implements Agreements {
  readonly #packed: PackedAgreements;
  /** By the numbers of their texts. */
  readonly #terms: readonly Terms[];
  readonly #material: readonly Material[];
  /** Those that somebody may hold: whoever asks gets the same, since checks compare agreements as objects. */
  readonly #made = new Map<number, WeakRef<Agreement>>();
  #mostMade = MOST_MADE;

  private constructor(packed: PackedAgreements, terms: readonly Terms[], material: readonly Material[]) {
    this.#packed = packed;
    this.#terms = terms;
    this.#material = material;
    Object.freeze(this);
  }

  /** Yields now and then. @throws {Error} something is not there that they count on */
  static *open(packed: PackedAgreements, known: KnownMaterial): Generator<undefined, AgreementList> {
    const terms = yield* opened(packed.terms.texts, openTerms);
    const material = yield* opened(packed.material.texts, (text) => openMaterial(text, known));
    return new AgreementList(packed, terms, material);
  }

  /** Agreements where they were packed. @param material by the numbers of its texts */
  static of(packed: Omit<PackedAgreements, 'tables'>, material: readonly Material[]): AgreementList {
    return new AgreementList({ ...packed, tables: [] }, atOnce(opened(packed.terms.texts, openTerms)), material);
  }

  /** What it was made of. */
  get made(): { readonly packed: PackedAgreements; readonly material: readonly Material[] } {
    return { packed: this.#packed, material: this.#material };
  }

  get length(): number {
    return this.#packed.own.ends.length;
  }

  at(number: number): Agreement | undefined {
    if (number < 0 || number >= this.length) return undefined;
    const known = this.#made.get(number)?.deref();
    if (known !== undefined) return known;
    const made = this.#make(number);
    this.#made.set(number, new WeakRef(made));
    if (this.#made.size > this.#mostMade) this.#forget();
    return made;
  }

  /** As `at`, but made anew and held by nobody. */
  anew(number: number): Agreement {
    return this.#make(number);
  }

  slice(from: number, to: number): readonly Agreement[] {
    const found: Agreement[] = [];
    for (let at = from; at < Math.min(to, this.length); at++) found.push(this.#passing(at));
    return found;
  }

  *[Symbol.iterator](): Generator<Agreement, undefined> {
    for (let at = 0; at < this.length; at++) yield this.#passing(at);
    return undefined;
  }

  *shared(): Generator<readonly [Terms, Material], undefined> {
    for (let at = 0; at < this.length; at++) yield [this.termsOf(at), this.#materialOf(at)];
    return undefined;
  }

  *where(holds: (terms: Terms, material: Material) => boolean): Generator<Agreement, undefined> {
    for (let at = 0; at < this.length; at++) {
      if (holds(this.termsOf(at), this.#materialOf(at))) yield this.#passing(at);
    }
    return undefined;
  }

  termsOf(number: number): Terms {
    return entryAt(this.#terms, entryAt(this.#packed.terms.places, number));
  }

  numberOf(name: string): number | undefined {
    return firstOf(this.#packed.names.byName, name);
  }

  nameOf(number: number): string {
    // No two have one name, and names are numbered as they came.
    return rowAt(this.#packed.names.byName.names, number).toString();
  }

  same(number: number, other: Agreements, otherNumber: number): boolean {
    if (!(other instanceof AgreementList)) return false;
    const [ours, theirs] = [this.#packed, other.#packed];
    return (
      rowAt(ours.own, number).equals(rowAt(theirs.own, otherNumber)) &&
      rowAt(ours.sources, number).equals(rowAt(theirs.sources, otherNumber)) &&
      textAt(ours.terms, number).equals(textAt(theirs.terms, otherNumber)) &&
      textAt(ours.material, number).equals(textAt(theirs.material, otherNumber))
    );
  }

  /** The same agreements, of which these are disabled. */
  without(numbers: Iterable<number>): AgreementList {
    const { terms } = this.#packed;
    const places = numbersOf(terms.places);
    const disabled = new Map<number, number>();
    const more: Terms[] = [];
    for (const number of numbers) {
      const place = entryAt(places, number);
      let other = disabled.get(place);
      if (other === undefined) {
        other = this.#terms.length + more.length;
        disabled.set(place, other);
        more.push(Object.freeze({ ...entryAt(this.#terms, place), enabled: false }));
      }
      places[number] = other;
    }
    const texts = rowsWith(
      terms.texts,
      more.map((each) => Buffer.from(termsText(each))),
    );
    return new AgreementList({ ...this.#packed, terms: { texts, places } }, [...this.#terms, ...more], this.#material);
  }

  /** The tables of the snapshot. */
  get tables(): AgreementTables {
    const { names, tables } = this.#packed;
    const table = (index: NameIndex): AgreementTable => new NamedAgreements(index, this);
    const sources = tables.map(({ interface: name, parts, values }) => {
      const found = PrefixTable.restore(parts, values);
      const lookup = (address: Address) => this.#numbered(found.lookup(address));
      return [name, Object.freeze({ lookup })] as const;
    });
    return {
      byName: table(names.byName),
      byDomain: table(names.byDomain),
      byWildcard: table(names.byWildcard),
      byTarget: table(names.byTarget),
      byServerName: table(names.byServerName),
      sources: freezeShallow(new Map(sources)),
      authorities: Object.freeze({ named: (name: string) => this.#authorities(name) }),
    };
  }

  *#authorities(name: string): Generator<Authority, undefined> {
    const { bySubject, certificates, agreements } = this.#packed.authorities;
    for (const authority of allOf(bySubject, name)) {
      const [first = NONE, second = NONE] = agreements.subarray(2 * authority, 2 * authority + 2);
      const sha256 = rowAt(certificates, authority).toString();
      const certificate = authoritiesOf(this.#materialOf(first)).find((each) => each.sha256 === sha256);
      yield {
        certificate: present(certificate, `certificate ${sha256}`),
        agreements: [first, second].flatMap((number) => this.#numbered(number) ?? []),
      };
    }
    return undefined;
  }

  /** None where a table has none. */
  #numbered(number: number | undefined): Agreement | undefined {
    return number === undefined ? undefined : this.at(number);
  }

  #materialOf(number: number): Material {
    return entryAt(this.#material, entryAt(this.#packed.material.places, number));
  }

  /** One that whoever walks over all looks at and lets go. */
  #passing(number: number): Agreement {
    return this.#made.get(number)?.deref() ?? this.#make(number);
  }

  #make(number: number): Agreement {
    const [own, from, until, migrationUntil] = read<OwnRow>(rowAt(this.#packed.own, number));
    // As a literal with `...` each would get a shape of its own in V8, of 800 octets.
    const made: Record<string, unknown> = Object.assign({}, this.termsOf(number), this.#materialOf(number));
    for (const [at, key] of OWN.entries()) made[key] = frozen(own[at]);
    made.valid = Object.freeze({ from: Number(from), until: Number(until) });
    made.migrationUntil = migrationUntil === 'undefined' ? undefined : Number(migrationUntil);
    const sources = rowAt(this.#packed.sources, number);
    made.sources = sources.length > 0 ? PrefixList.restore(deserialize(sources)) : PrefixList.of([]);
    return Object.freeze(made) as unknown as Agreement;
  }

  #forget(): void {
    for (const [number, made] of this.#made) if (made.deref() === undefined) this.#made.delete(number);
    this.#mostMade = Math.max(MOST_MADE, 2 * this.#made.size);
  }
}

type AgreementTables = Pick<
  Snapshot,
  'byName' | 'byDomain' | 'byWildcard' | 'byTarget' | 'byServerName' | 'sources' | 'authorities'
>;

class NamedAgreements implements AgreementTable {
  readonly #index: NameIndex;
  readonly #agreements: AgreementList;

  constructor(index: NameIndex, agreements: AgreementList) {
    this.#index = index;
    this.#agreements = agreements;
    Object.freeze(this);
  }

  get size(): number {
    return namesIn(this.#index);
  }

  get(name: string): Agreement | undefined {
    const number = firstOf(this.#index, name);
    return number === undefined ? undefined : this.#agreements.at(number);
  }

  has(name: string): boolean {
    return firstOf(this.#index, name) !== undefined;
  }
}

function textAt({ texts, places }: Column, number: number): Buffer {
  return rowAt(texts, entryAt(places, number));
}

function* opened<T>(texts: Rows, open: (text: Buffer) => T): Generator<undefined, readonly T[]> {
  const values: T[] = [];
  for (const text of eachRow(texts)) {
    values.push(open(text));
    if (values.length % STEP === 0) yield;
  }
  return values;
}

function openTerms(text: Buffer): Terms {
  const [terms, headers] = read<TermsRow>(text);
  const entries = headers.map(([name, rules]) => [name, frozen(rules)] as const);
  const map = headers.length === 0 ? NO_HEADERS : freezeShallow(new Map(entries));
  return Object.freeze({ ...BLANK, ...(frozen(terms) as PlainTerms), headers: map as Terms['headers'] });
}

function openMaterial(text: Buffer, { certificates, crls }: KnownMaterial): Material {
  const [client = [], server = [], intermediates = [], lists = []] = read<MaterialRow>(text);
  const named = (all: readonly string[]) =>
    frozenList(all.map((sha256) => present(certificates.get(sha256), `certificate ${sha256}`)));
  return Object.freeze({
    anchors: Object.freeze({ client: named(client), server: named(server) }),
    intermediates: named(intermediates),
    crls: frozenList(lists.map((sha256) => present(crls.get(sha256), `CRL ${sha256}`))),
  });
}

/** What this room has written. */
function read<T>(text: Buffer): T {
  return JSON.parse(text.toString()) as T;
}

const NO_ENTRIES: readonly never[] = Object.freeze([]);
const NO_KEYS = Object.freeze({});
const NO_HEADERS: ReadonlyMap<unknown, unknown> = freezeShallow(new Map());

function frozenList<T>(list: readonly T[]): readonly T[] {
  return list.length === 0 ? NO_ENTRIES : Object.freeze(list);
}

/** Frozen through and through; of what is empty one for all. What is frozen already, it takes as it is. */
function frozen(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  if (Array.isArray(value)) {
    for (const each of value) frozen(each);
    return frozenList(value);
  }
  const parts = Object.values(value);
  if (parts.length === 0) return NO_KEYS;
  for (const each of parts) frozen(each);
  return Object.freeze(value);
}
