/**
 * A checked policy on its way from the thread that read it to the one that decides by it: octets that change threads
 * without being copied, and that the other side opens in steps of its own choice. What that side has in force
 * already, certificates, CRLs and whole agreements, is named and not sent.
 */

import { PrefixTable, type PrefixTableParts } from '../../net/address/index.js';
import type { Agreement, Interface, Snapshot } from '../../trust/agreement/index.js';
import { present } from '../../typed.js';
import { type CertificateFacts, parseCertificate } from '../../x509/certificate/index.js';
import { type CrlFacts, parseCrlInSteps } from '../../x509/revocation/index.js';
import { deepFreeze, freezeShallow } from '../reading/index.js';
import { assembleInSteps, type SnapshotParts } from './assemble.js';
import {
  type AgreementTexts,
  AgreementWriter,
  hashOf,
  openAgreements,
  type PackedAgreements,
  piecesOf,
  textsOf,
} from './packed-agreement.js';
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
  readonly agreements: PackedAgreements;
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
    const places = new Places(before?.agreements);
    const same = new Int32Array(agreements.length);
    const writer = new AgreementWriter();
    const hashes: string[] = [];
    for (const [at, agreement] of agreements.entries()) {
      const { hash, material, texts } = this.#look(agreement, again);
      hashes.push(hash);
      for (const facts of material) {
        if (isCertificate(facts)) certificates.set(facts.sha256, facts);
        else crls.set(facts.sha256, facts);
      }
      same[at] = places.of(hash);
      if (same[at] === -1) writer.add(texts ?? textsOf(agreement));
    }
    // Most policies have none.
    const indexes = new Map(sources.size === 0 ? [] : agreements.map((agreement, at) => [agreement, at]));
    const tables = [...sources].map(([name, { parts, values }]): PackedTable => {
      return {
        interface: name,
        parts,
        values: Uint32Array.from(values, (value) => present(indexes.get(value), 'an agreement of the policy')),
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
      agreements: writer.written(),
      interfaces,
      ownDomains: [...ownDomains],
      ownCertificates: ownCertificates.map(({ sha256 }) => sha256),
      tables,
      rest,
    };
  }

  #look(agreement: Agreement, again: boolean): KnownAgreement & { readonly texts?: AgreementTexts } {
    const known = this.#known.get(agreement);
    if (known !== undefined) return known;
    const texts = textsOf(agreement);
    const looked = { hash: hashOf(texts), material: materialOf(agreement) };
    if (again) this.#known.set(agreement, looked);
    return { ...looked, texts };
  }
}

/** What changes hands with a parcel instead of being copied. */
export function octetsOf({ certificates, crls, same, agreements, tables }: Parcel): ArrayBuffer[] {
  const { pieces: ofAgreements, places } = piecesOf(agreements);
  const pieces = [certificates, crls, ofAgreements].flat().flatMap(({ octets, ends }) => [octets, ends]);
  const arrays = tables.flatMap(({ parts: { four, six }, values }) => [
    values,
    ...[four, six].flatMap(({ owners, intervals: { starts, entries, lengths } }) => [owners, starts, entries, lengths]),
  ]);
  return [...pieces, ...places, same, ...arrays].map(({ buffer }) => buffer as ArrayBuffer);
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
  const sent = yield* openAgreements(parcel.agreements, { certificates, crls });
  for (const [at, index] of parcel.same.entries()) {
    agreements.push(
      index === -1 ? sent() : present(held?.snapshot.agreements[index], `agreement ${index} of the policy before`),
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

function materialOf({ anchors, intermediates, crls }: Agreement): readonly (CertificateFacts | CrlFacts)[] {
  return [...anchors.client, ...anchors.server, ...intermediates, ...crls];
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

/** Hashes that stand nowhere near, and are sought in all. Of more there is a table, which costs as much as some dozens. */
const MOST_SOUGHT = 16;

/** Where hashes stand, asked in about their order; each by its octets as characters. */
class Places {
  readonly #all: string;
  /** Where the next one stands if nothing has changed. */
  #next = 0;
  #sought = 0;
  #table: ReadonlyMap<string, number> | undefined;

  constructor(hashes: Hashes | undefined) {
    this.#all =
      hashes === undefined ? '' : Buffer.from(hashes.buffer, hashes.byteOffset, hashes.length).toString('latin1');
  }

  /** -1 where it is none of them. */
  of(hash: string): number {
    // Behind one that has changed, or is gone, stands the next but one.
    const near = [this.#next, this.#next + 1].find((place) => this.#all.startsWith(hash, place * HASH_OCTETS));
    const place = near ?? this.#seek(hash);
    if (place !== -1) this.#next = place + 1;
    return place;
  }

  #seek(hash: string): number {
    this.#sought += 1;
    if (this.#sought > MOST_SOUGHT) {
      this.#table ??= this.#entered();
      return this.#table.get(hash) ?? -1;
    }
    let at = this.#all.indexOf(hash);
    while (at % HASH_OCTETS > 0) at = this.#all.indexOf(hash, at + 1);
    return at === -1 ? -1 : at / HASH_OCTETS;
  }

  #entered(): ReadonlyMap<string, number> {
    const table = new Map<string, number>();
    for (let at = 0; at * HASH_OCTETS < this.#all.length; at++) {
      table.set(this.#all.slice(at * HASH_OCTETS, (at + 1) * HASH_OCTETS), at);
    }
    return table;
  }
}

function ofHexes(texts: readonly string[]): Hashes {
  return shared(Buffer.from(texts.join(''), 'hex'));
}

function shared(octets: Uint8Array): Hashes {
  const hashes = new Uint8Array(new SharedArrayBuffer(octets.length));
  hashes.set(octets);
  return hashes;
}

function isCertificate(value: object): value is CertificateFacts {
  return 'spkiSha256' in value && 'tbs' in value;
}
