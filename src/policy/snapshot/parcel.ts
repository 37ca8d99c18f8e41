/**
 * A checked policy on its way from the thread that read it to the one that decides by it: octets that change threads
 * without being copied, and that the other side opens in steps of its own choice. What that side has in force
 * already, certificates, CRLs and whole agreements, is named and not sent.
 */

import { hash } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';
import { PrefixList, PrefixTable, type PrefixTableParts } from '../../net/address/index.js';
import type { Agreement, Interface, Snapshot } from '../../trust/agreement/index.js';
import { present } from '../../typed.js';
import { type CertificateFacts, parseCertificate } from '../../x509/certificate/index.js';
import { type CrlFacts, parseCrlInSteps } from '../../x509/revocation/index.js';
import { deepFreeze, freezeShallow } from '../reading/index.js';
import { assembleInSteps, type SnapshotParts } from './assemble.js';
import { each, type Pieces, PieceWriter } from './pieces.js';

/** SHA-256 hashes, one after the other, in memory that threads share: those of 100,000 agreements are not copied with each order. */
type Hashes = Uint8Array<SharedArrayBuffer>;

/** What a policy consists of, by hashes: whoever has one in force tells by it what need not be sent again. */
export interface Contents {
  readonly certificates: Hashes;
  readonly crls: Hashes;
  /** Of what each agreement says, in the order of the policy. */
  readonly agreements: Hashes;
}

export interface Parcel {
  readonly contents: Contents;
  /** DER of what the other side does not have. Whoever opens a parcel empties these lists: what is opened is let go. */
  readonly certificates: Pieces[];
  readonly crls: Pieces[];
  /** For each agreement its index in the policy before, where it is the same there; else -1, and it is sent. */
  readonly same: Int32Array<ArrayBuffer>;
  readonly agreements: Pieces[];
  readonly interfaces: readonly Interface[];
  readonly ownDomains: readonly string[];
  readonly ownCertificates: readonly string[];
  readonly tables: readonly PackedTable[];
  readonly rest: Omit<SnapshotParts, 'agreements' | 'interfaces' | 'ownDomains' | 'ownCertificates' | 'sources'>;
}

interface PackedTable {
  readonly interface: string;
  readonly parts: PrefixTableParts;
  /** Indexes of agreements. */
  readonly values: Uint32Array<ArrayBuffer>;
}

/** The hash of what an agreement says, and the certificates and lists that it names. */
interface KnownAgreement {
  /** A character for each octet: of thousands that is made many times as fast as hexadecimal digits are. */
  readonly hash: string;
  readonly material: readonly (CertificateFacts | CrlFacts)[];
}

/** Makes parcels. What it knows of agreements it keeps with them: those of unchanged files stay the same objects. */
export class Packer {
  readonly #known = new WeakMap<Agreement, KnownAgreement>();

  /**
   * A parcel for somebody who has a policy of the contents `before` in force.
   * @param again whether some of these agreements, as objects, may be packed another time
   */
  pack(checked: SnapshotParts, before: Contents | undefined, again = true): Parcel {
    const { agreements, interfaces, ownDomains, ownCertificates, sources, ...rest } = checked;
    const certificates = new Map(ownCertificates.map((facts) => [facts.sha256, facts]));
    const crls = new Map<string, CrlFacts>();
    const known = indexes(before?.agreements);
    const same = new Int32Array(agreements.length);
    const pieces = new PieceWriter();
    const hashes: string[] = [];
    for (const [at, agreement] of agreements.entries()) {
      const { hash, material, octets } = this.#look(agreement, again);
      hashes.push(hash);
      for (const facts of material) {
        if (isCertificate(facts)) certificates.set(facts.sha256, facts);
        else crls.set(facts.sha256, facts);
      }
      same[at] = known.get(hash) ?? -1;
      if (same[at] === -1) pieces.add(octets ?? serialize(plain(agreement)));
    }
    // Most policies have none.
    const places = new Map(sources.size === 0 ? [] : agreements.map((agreement, at) => [agreement, at]));
    const tables = [...sources].map(([name, { parts, values }]): PackedTable => {
      return {
        interface: name,
        parts,
        values: Uint32Array.from(values, (value) => present(places.get(value), 'an agreement of the policy')),
      };
    });
    return {
      contents: {
        certificates: ofHexes([...certificates.keys()]),
        crls: ofHexes([...crls.keys()]),
        agreements: shared(Buffer.from(hashes.join(''), 'latin1')),
      },
      certificates: missing(certificates, before?.certificates),
      crls: missing(crls, before?.crls),
      same,
      agreements: pieces.written(),
      interfaces,
      ownDomains: [...ownDomains],
      ownCertificates: ownCertificates.map(({ sha256 }) => sha256),
      tables,
      rest,
    };
  }

  #look(agreement: Agreement, again: boolean): KnownAgreement & { readonly octets?: Uint8Array } {
    const known = this.#known.get(agreement);
    if (known !== undefined) return known;
    const octets = serialize(plain(agreement));
    const looked = { hash: hash('sha256', octets, 'binary'), material: materialOf(agreement) };
    if (again) this.#known.set(agreement, looked);
    return { ...looked, octets };
  }
}

/** What changes hands with a parcel instead of being copied. */
export function octetsOf({ certificates, crls, same, agreements, tables }: Parcel): ArrayBuffer[] {
  const pieces = [certificates, crls, agreements].flat().flatMap(({ octets, ends }) => [octets, ends]);
  const arrays = tables.flatMap(({ parts: { four, six }, values }) => [
    values,
    ...[four, six].flatMap(({ owners, intervals: { starts, entries, lengths } }) => [owners, starts, entries, lengths]),
  ]);
  return [...pieces, same, ...arrays].map(({ buffer }) => buffer as ArrayBuffer);
}

/** What a policy in force was made of, for the next parcel to refer to. */
export interface Held {
  readonly contents: Contents;
  readonly snapshot: Snapshot;
  readonly certificates: ReadonlyMap<string, CertificateFacts>;
  readonly crls: ReadonlyMap<string, CrlFacts>;
}

/** Agreements opened in one step. */
const STEP = 20;

/**
 * Opens a parcel that was made in the knowledge that `held` is in force. Yields now and then, so that a caller can let
 * verdicts through in between.
 */
export function* unpack(parcel: Parcel, held: Held | undefined): Generator<undefined, Held> {
  const { contents } = parcel;
  const certificates = yield* unpackMaterial(
    contents.certificates,
    parcel.certificates,
    held?.certificates,
    readInStep,
  );
  const crls = yield* unpackMaterial(contents.crls, parcel.crls, held?.crls, parseCrlInSteps);
  const agreements: Agreement[] = [];
  const known: Known = { certificates, crls, words: new Map() };
  const pieces = each(parcel.agreements);
  for (const [at, index] of parcel.same.entries()) {
    agreements.push(
      index === -1
        ? sentAgreement(pieces.next().value, known)
        : present(held?.snapshot.agreements[index], `agreement ${index} of the policy before`),
    );
    if (at % STEP === STEP - 1) yield;
  }
  const tables: [string, PrefixTable<Agreement>][] = [];
  for (const { interface: name, parts, values } of parcel.tables) {
    const owners = Array.from(values, (index) => present(agreements[index], `agreement ${index}`));
    freezeShallow(owners);
    tables.push([name, frozenTable(PrefixTable.restore(parts, owners))]);
    yield;
  }
  const parts = {
    ...parcel.rest,
    agreements,
    interfaces: deepFreeze(parcel.interfaces),
    ownDomains: new Set(parcel.ownDomains),
    ownCertificates: parcel.ownCertificates.map((sha256) => present(certificates.get(sha256), `certificate ${sha256}`)),
    sources: new Map(tables),
  };
  const snapshot = yield* assembleInSteps(parts, held?.snapshot);
  return { contents, snapshot, certificates, crls };
}

/** What the other side counts on and is not here: to go on without it would be another policy. */
function sentAgreement(octets: Uint8Array | undefined, known: Known): Agreement {
  return restore(deserialize(present(octets, 'an agreement that it counts')), known) as Agreement;
}

/** A table whose values are frozen and whose arrays of numbers cannot be. */
function frozenTable(table: PrefixTable<Agreement>): PrefixTable<Agreement> {
  for (const { intervals } of [table.parts.four, table.parts.six]) Object.freeze(intervals);
  Object.freeze(table.parts.four);
  Object.freeze(table.parts.six);
  Object.freeze(table.parts);
  Object.freeze(table);
  return table;
}

function* readInStep(der: Uint8Array): Generator<undefined, CertificateFacts> {
  yield;
  return deepFreeze(parseCertificate(der));
}

function materialOf(agreement: Agreement): readonly (CertificateFacts | CrlFacts)[] {
  const found = new Set<CertificateFacts | CrlFacts>();
  const take = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || value instanceof PrefixList || ArrayBuffer.isView(value)) return;
    if (isCertificate(value) || isCrl(value)) found.add(value);
    else for (const part of Object.values(value)) take(part);
  };
  take(agreement);
  return [...found];
}

function missing(facts: ReadonlyMap<string, { readonly der: Uint8Array }>, before: Hashes | undefined): Pieces[] {
  const known = new Set(hexes(before));
  const pieces = new PieceWriter();
  for (const [sha256, { der }] of facts) if (!known.has(sha256)) pieces.add(der);
  return pieces.written();
}

function* unpackMaterial<T extends { readonly sha256: string }>(
  named: Hashes,
  sent: Pieces[],
  held: ReadonlyMap<string, T> | undefined,
  parse: (der: Uint8Array) => Generator<undefined, T>,
): Generator<undefined, ReadonlyMap<string, T>> {
  const facts = new Map<string, T>();
  for (const der of each(sent)) {
    const parsed = yield* parse(der);
    facts.set(parsed.sha256, parsed);
  }
  for (let at = 0; at < named.length; at += HASH_OCTETS) {
    const sha256 = hexAt(named, at);
    // What is in force stays in use: one object of each, whatever was sent.
    const known = held?.get(sha256);
    if (known !== undefined) facts.set(sha256, known);
    if (at % (1000 * HASH_OCTETS) === 0) yield;
  }
  return facts;
}

const HASH_OCTETS = 32;

function hexAt(hashes: Hashes, at: number): string {
  return Buffer.from(hashes.buffer, hashes.byteOffset + at, HASH_OCTETS).toString('hex');
}

function hexes(hashes: Hashes | undefined): readonly string[] {
  if (hashes === undefined) return [];
  return Array.from({ length: hashes.length / HASH_OCTETS }, (_, index) => hexAt(hashes, index * HASH_OCTETS));
}

/** The place of each hash, by its octets as characters. */
function indexes(hashes: Hashes | undefined): ReadonlyMap<string, number> {
  const all =
    hashes === undefined ? '' : Buffer.from(hashes.buffer, hashes.byteOffset, hashes.length).toString('latin1');
  const found = new Map<string, number>();
  for (let at = 0; at * HASH_OCTETS < all.length; at++) {
    found.set(all.slice(at * HASH_OCTETS, (at + 1) * HASH_OCTETS), at);
  }
  return found;
}

function ofHexes(texts: readonly string[]): Hashes {
  return shared(Buffer.from(texts.join(''), 'hex'));
}

function shared(octets: Uint8Array): Hashes {
  const hashes = new Uint8Array(new SharedArrayBuffer(octets.length));
  hashes.set(octets);
  return hashes;
}

/** Stands for a certificate or CRL that is sent, or known, by itself. */
interface Reference {
  readonly $: 'certificate' | 'crl';
  readonly sha256: string;
}

interface PackedPrefixes {
  readonly $: 'prefixes';
  /** undefined: there are none, as with most agreements. */
  readonly parts: PrefixList['parts'] | undefined;
}

function isCertificate(value: object): value is CertificateFacts {
  return 'spkiSha256' in value && 'tbs' in value;
}

function isCrl(value: object): value is CrlFacts {
  return 'thisUpdate' in value && 'tbs' in value;
}

/** A copy that is written the same each time: what `map` makes may count as an array with holes, which is written otherwise. */
function packed(list: readonly unknown[]): unknown[] {
  const copy: unknown[] = [];
  for (const each of list) copy.push(plain(each));
  return copy;
}

/** An agreement as structured clone takes it, with references in the place of what is sent by itself. */
function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  if (isCertificate(value)) return { $: 'certificate', sha256: value.sha256 } satisfies Reference;
  if (isCrl(value)) return { $: 'crl', sha256: value.sha256 } satisfies Reference;
  if (value instanceof PrefixList) return packedPrefixes(value);
  if (Array.isArray(value)) return packed(value);
  if (value instanceof Map) return new Map([...value].map(([key, held]) => [key, plain(held)]));
  if (value instanceof Set) return new Set(value);
  return Object.fromEntries(Object.entries(value).map(([key, held]) => [key, plain(held)]));
}

function packedPrefixes({ length, parts }: PrefixList): PackedPrefixes {
  return { $: 'prefixes', parts: length === 0 ? undefined : parts };
}

interface Known {
  readonly certificates: ReadonlyMap<string, CertificateFacts>;
  readonly crls: ReadonlyMap<string, CrlFacts>;
  /** Short texts that stand in many agreements, each once in memory. */
  readonly words: Map<string, string>;
}

const MOST_WORDS = 256;
const LONGEST_WORD = 16;
const NO_ENTRIES: readonly never[] = Object.freeze([]);
const EMPTY_MAP: ReadonlyMap<unknown, unknown> = freezeShallow(new Map());

/** The frozen value that `plain` was given. */
function restore(value: unknown, known: Known): unknown {
  if (typeof value === 'string') return word(value, known.words);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  if (Array.isArray(value)) {
    return value.length === 0 ? NO_ENTRIES : Object.freeze(value.map((part) => restore(part, known)));
  }
  if (value instanceof Map) {
    if (value.size === 0) return EMPTY_MAP;
    return freezeShallow(new Map([...value].map(([key, held]) => [key, restore(held, known)])));
  }
  if (value instanceof Set) return freezeShallow(value);
  if ('$' in value) return referred(value as Reference | PackedPrefixes, known);
  const object = value as Record<string, unknown>;
  for (const key of Object.keys(object)) object[key] = restore(object[key], known);
  return Object.freeze(object);
}

function referred(value: Reference | PackedPrefixes, { certificates, crls }: Known): unknown {
  if (value.$ === 'prefixes') {
    return Object.freeze(value.parts === undefined ? PrefixList.of([]) : PrefixList.restore(value.parts));
  }
  return present((value.$ === 'certificate' ? certificates : crls).get(value.sha256), `${value.$} ${value.sha256}`);
}

function word(text: string, words: Map<string, string>): string {
  if (text.length > LONGEST_WORD) return text;
  const known = words.get(text);
  if (known !== undefined) return known;
  if (words.size < MOST_WORDS) words.set(text, text);
  return text;
}
