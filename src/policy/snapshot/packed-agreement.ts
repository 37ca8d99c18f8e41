/**
 * Agreements on their way between threads. What many have alike is sent once and is one object on the other side: of
 * thousands there is less to make, and to keep.
 */

import { hash } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';
import { PrefixList } from '../../net/address/index.js';
import type { Agreement } from '../../trust/agreement/index.js';
import { present } from '../../typed.js';
import type { CertificateFacts } from '../../x509/certificate/index.js';
import type { CrlFacts } from '../../x509/revocation/index.js';
import { freezeShallow } from '../reading/index.js';
import { each, type Pieces, PieceWriter } from './pieces.js';

/** What an agreement has to itself. */
const OWN = [
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
const OTHER = [
  'anchors',
  'intermediates',
  'crls',
  'valid',
  'migrationUntil',
  'headers',
  'sources',
] as const satisfies readonly (keyof Agreement)[];
/** All else: what many agreements have alike. */
type Terms = Omit<Agreement, (typeof OWN | typeof OTHER)[number]>;

type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json };
/** Each key of another type stands in an error: it belongs into OTHER. */
type Said<T> = { readonly [Key in keyof T]: T[Key] extends Json | undefined ? T[Key] : never };

/** Keeps the place of each key: what is made has its keys in one order, whatever is known of it first. */
const BLANK = Object.freeze(Object.fromEntries([...OWN, ...OTHER].map((key) => [key, undefined])));

type Row = readonly [own: readonly unknown[], from: string, until: string, migrationUntil: string, hasSources: boolean];
type Names = readonly (readonly string[])[];

/** An agreement as it is sent; equal ones give equal texts. */
export interface AgreementTexts {
  readonly own: string;
  readonly terms: string;
  readonly material: string;
  /** undefined: it has no prefixes, as most. */
  readonly sources: Uint8Array | undefined;
}

/** @throws {TypeError} its prefixes are no PrefixList */
export function textsOf(agreement: Agreement): AgreementTexts {
  const { valid, migrationUntil, sources, headers, anchors, intermediates, crls } = agreement;
  if (!(sources instanceof PrefixList)) throw new TypeError(`agreement ${agreement.name}: expected a list of prefixes`);
  const times = [valid.from, valid.until, migrationUntil].map(String);
  const terms: Said<Terms> = { ...agreement, ...BLANK };
  const names = [anchors.client, anchors.server, intermediates, crls].map((all) => all.map(({ sha256 }) => sha256));
  return {
    own: JSON.stringify([OWN.map((key) => agreement[key]), ...times, sources.length > 0]),
    terms: JSON.stringify([terms, [...headers]]),
    material: JSON.stringify(names),
    sources: sources.length > 0 ? serialize(sources.parts) : undefined,
  };
}

/** SHA-256 of what is sent, a character for each octet: of thousands that is made many times as fast as hexadecimal digits. */
export function hashOf({ own, terms, material, sources }: AgreementTexts): string {
  const texts = `${own}\n${terms}\n${material}\n`;
  return hash('sha256', sources === undefined ? texts : Buffer.concat([Buffer.from(texts), sources]), 'binary');
}

/** Texts that many agreements have alike. */
interface Shared {
  readonly texts: Pieces[];
  /** For each agreement the index of its own. */
  readonly places: Uint32Array<ArrayBuffer>;
}

/** Whoever opens it empties the lists of pieces: what is opened is let go. */
export interface PackedAgreements {
  readonly own: Pieces[];
  readonly terms: Shared;
  readonly material: Shared;
  /** Of those that have prefixes. */
  readonly sources: Pieces[];
}

class SharedWriter {
  readonly #known = new Map<string, number>();
  readonly #texts = new PieceWriter();
  readonly #places: number[] = [];

  add(text: string): void {
    let place = this.#known.get(text);
    if (place === undefined) {
      place = this.#known.size;
      this.#known.set(text, place);
      this.#texts.add(Buffer.from(text));
    }
    this.#places.push(place);
  }

  written(): Shared {
    return { texts: this.#texts.written(), places: Uint32Array.from(this.#places) };
  }
}

/** Packs agreements one by one: what many have alike once. */
export class AgreementWriter {
  readonly #own = new PieceWriter();
  readonly #terms = new SharedWriter();
  readonly #material = new SharedWriter();
  readonly #sources = new PieceWriter();

  add({ own, terms, material, sources }: AgreementTexts): void {
    this.#own.add(Buffer.from(own));
    this.#terms.add(terms);
    this.#material.add(material);
    if (sources !== undefined) this.#sources.add(sources);
  }

  written(): PackedAgreements {
    return {
      own: this.#own.written(),
      terms: this.#terms.written(),
      material: this.#material.written(),
      sources: this.#sources.written(),
    };
  }
}

/** All that changes threads with packed agreements. */
export function piecesOf({ own, terms, material, sources }: PackedAgreements): {
  readonly pieces: readonly Pieces[];
  readonly places: readonly Uint32Array<ArrayBuffer>[];
} {
  return { pieces: [own, terms.texts, material.texts, sources].flat(), places: [terms.places, material.places] };
}

export interface Known {
  readonly certificates: ReadonlyMap<string, CertificateFacts>;
  readonly crls: ReadonlyMap<string, CrlFacts>;
}

/** Shared texts opened in one step. */
const STEP = 20;

/** The agreements one after the other. @throws {Error} more are asked for than there are, or something is not there that they count on */
export function* openAgreements(packed: PackedAgreements, known: Known): Generator<undefined, () => Agreement> {
  const termsOf = yield* openShared(packed.terms, openTerms);
  const materialOf = yield* openShared(packed.material, (text) => openMaterial(text, known));
  const [rows, sources] = [each(packed.own), each(packed.sources)];
  let next = 0;
  return () => {
    const [own, from, until, migrationUntil, hasSources] = read<Row>(
      present(rows.next().value, 'an agreement that it counts'),
    );
    // As a literal with `...` each would get a shape of its own in V8, of 800 octets.
    const made: Record<string, unknown> = Object.assign({}, termsOf(next), materialOf(next));
    next += 1;
    for (const [at, key] of OWN.entries()) made[key] = frozen(own[at]);
    made.valid = Object.freeze({ from: Number(from), until: Number(until) });
    made.migrationUntil = migrationUntil === 'undefined' ? undefined : Number(migrationUntil);
    made.sources = hasSources
      ? PrefixList.restore(deserialize(present(sources.next().value, 'prefixes that it counts')))
      : PrefixList.of([]);
    return Object.freeze(made) as unknown as Agreement;
  };
}

function* openShared<T>(shared: Shared, open: (text: Uint8Array) => T): Generator<undefined, (at: number) => T> {
  const values: T[] = [];
  for (const text of each(shared.texts)) {
    values.push(open(text));
    if (values.length % STEP === 0) yield;
  }
  return (at) => present(values[shared.places[at] ?? -1], `what agreement ${at} that is sent has with others`);
}

function openTerms(text: Uint8Array): Record<string, unknown> {
  const [terms, headers] = read<readonly [Terms, readonly (readonly [string, unknown])[]]>(text);
  const entries = headers.map(([name, rules]) => [name, frozen(rules)] as const);
  const map = headers.length === 0 ? NO_HEADERS : freezeShallow(new Map(entries));
  return { ...BLANK, ...(frozen(terms) as Terms), headers: map };
}

function openMaterial(text: Uint8Array, { certificates, crls }: Known): Record<string, unknown> {
  const [client = [], server = [], intermediates = [], lists = []] = read<Names>(text);
  const named = (all: readonly string[]) =>
    frozen(all.map((sha256) => present(certificates.get(sha256), `certificate ${sha256}`)));
  const anchors = Object.freeze({ client: named(client), server: named(server) });
  const found = frozen(lists.map((sha256) => present(crls.get(sha256), `CRL ${sha256}`)));
  return { anchors, intermediates: named(intermediates), crls: found };
}

/** What this room has written. */
function read<T>(text: Uint8Array): T {
  return JSON.parse(Buffer.from(text.buffer, text.byteOffset, text.length).toString()) as T;
}

const NO_ENTRIES: readonly never[] = Object.freeze([]);
const NO_KEYS = Object.freeze({});
const NO_HEADERS: ReadonlyMap<unknown, unknown> = freezeShallow(new Map());

/** Frozen through and through; of what is empty one for all. What is frozen already, it takes as it is. */
function frozen(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  const parts = value as Record<string, unknown>;
  const keys = Object.keys(parts);
  if (keys.length === 0) return Array.isArray(value) ? NO_ENTRIES : NO_KEYS;
  for (const key of keys) parts[key] = frozen(parts[key]);
  return Object.freeze(value);
}
