/**
 * A checked policy on its way from the thread that read it to the one that decides by it: octets that both
 * share. Certificates and CRLs that the other side has in force already are named and not sent.
 */

import type { PrefixTable } from '../../net/address/index.js';
import {
  type Agreement,
  authoritiesOf,
  type Interface,
  type Material,
  type Snapshot,
} from '../../trust/agreement/index.js';
import { present } from '../../typed.js';
import { type CertificateFacts, parseCertificate } from '../../x509/certificate/index.js';
import { atOnce } from '../../x509/der/index.js';
import { type CrlFacts, parseCrlInSteps } from '../../x509/revocation/index.js';
import { deepFreeze, freezeShallow } from '../reading/index.js';
import { AgreementList, type KnownMaterial } from './agreement-list.js';
import { AgreementPacker } from './agreement-packer.js';
import type { PackedAgreements } from './packed-agreements.js';
import { eachRow, type Rows, RowsWriter } from './rows.js';

/** What is made of the agreements, so that one is found without a walk over all. */
type Table = 'byName' | 'byDomain' | 'byWildcard' | 'byTarget' | 'byServerName' | 'authorities' | 'sources';
type Rest = Omit<Snapshot, Table | 'agreements'>;

/** What a snapshot is made of; all of it frozen but for the collections themselves. */
export type SnapshotParts = Rest & {
  readonly agreements: readonly Agreement[] | AgreementList;
  /** The numbers of agreements by path, by interface. */
  readonly sources: ReadonlyMap<string, PrefixTable<number>>;
};

/** What a policy names, by hashes: whoever has one in force tells by it what need not be sent again. */
export interface Contents {
  readonly certificates: Rows;
  readonly crls: Rows;
}

export interface Parcel {
  readonly contents: Contents;
  /** DER of what the other side does not have. */
  readonly certificates: Rows;
  readonly crls: Rows;
  readonly agreements: PackedAgreements;
  readonly interfaces: readonly Interface[];
  readonly ownDomains: readonly string[];
  readonly ownCertificates: readonly string[];
  readonly rest: Omit<Rest, 'interfaces' | 'ownDomains' | 'ownCertificates'>;
}

/** Makes parcels. What it has packed of agreements it copies: those of unchanged files stay the same objects. */
export class Packer {
  readonly #packer = new AgreementPacker();

  /**
   * A parcel for somebody who has a policy of the contents `before` in force.
   * @param again whether some of these agreements, as objects, may be packed another time
   */
  pack(checked: SnapshotParts, before: Contents | undefined, again = true): Parcel {
    const { agreements, interfaces, ownDomains, ownCertificates, sources, ...rest } = checked;
    const named = new NamedMaterial(ownCertificates);
    const packed = this.#packer.pack(agreements, sources, (material) => named.add(material), again);
    const { certificates, crls } = named;
    return {
      contents: { certificates: hashes(certificates), crls: hashes(crls) },
      certificates: missing(certificates, before?.certificates),
      crls: missing(crls, before?.crls),
      agreements: packed,
      interfaces,
      ownDomains: [...ownDomains],
      ownCertificates: ownCertificates.map(({ sha256 }) => sha256),
      rest,
    };
  }
}

/** What agreements name, each once. */
class NamedMaterial implements KnownMaterial {
  readonly certificates: Map<string, CertificateFacts>;
  readonly crls = new Map<string, CrlFacts>();

  constructor(own: readonly CertificateFacts[]) {
    this.certificates = new Map(own.map((facts) => [facts.sha256, facts]));
  }

  add(material: Material): void {
    for (const facts of authoritiesOf(material)) this.certificates.set(facts.sha256, facts);
    for (const list of material.crls) this.crls.set(list.sha256, list);
  }
}

/** The snapshot of checked parts, where they were read. */
export function snapshotOf(parts: SnapshotParts): Snapshot {
  const { agreements, sources, ...rest } = parts;
  const named = new NamedMaterial([]);
  const packed = new AgreementPacker().pack(agreements, sources, (material) => named.add(deepFreeze(material)), false);
  return snapshotWith(atOnce(AgreementList.open(packed, named)), rest);
}

/** The snapshot of these agreements. @param rest frozen but for the collections themselves */
export function snapshotWith(agreements: AgreementList, rest: Rest): Snapshot {
  for (const part of [rest.ownCertificates, rest.interfaces, rest.ownDomains, rest.ocsp]) freezeShallow(part);
  return Object.freeze({ ...rest, agreements, ...agreements.tables });
}

/** What a policy in force was made of, for the next parcel to refer to. */
export interface Held extends KnownMaterial {
  readonly contents: Contents;
  readonly snapshot: Snapshot;
}

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
  const agreements = yield* AgreementList.open(parcel.agreements, { certificates, crls });
  const snapshot = snapshotWith(agreements, {
    ...parcel.rest,
    interfaces: deepFreeze(parcel.interfaces),
    ownDomains: new Set(parcel.ownDomains),
    ownCertificates: parcel.ownCertificates.map((sha256) => present(certificates.get(sha256), `certificate ${sha256}`)),
  });
  return { contents, snapshot, certificates, crls };
}

function* readInStep(der: Uint8Array): Generator<undefined, CertificateFacts> {
  yield;
  return deepFreeze(parseCertificate(der));
}

function missing(facts: ReadonlyMap<string, { readonly der: Uint8Array }>, before: Rows | undefined): Rows {
  const known = new Set(before === undefined ? [] : [...eachRow(before)].map(String));
  const rows = new RowsWriter();
  for (const [sha256, { der }] of facts) if (!known.has(sha256)) rows.add(der);
  return rows.written();
}

function* unpackMaterial<T extends { readonly sha256: string }>(
  named: Rows,
  sent: Rows,
  held: ReadonlyMap<string, T> | undefined,
  parse: (der: Uint8Array) => Generator<undefined, T>,
): Generator<undefined, ReadonlyMap<string, T>> {
  const facts = new Map<string, T>();
  for (const der of eachRow(sent)) {
    const parsed = yield* parse(der);
    facts.set(parsed.sha256, parsed);
  }
  let looked = 0;
  for (const row of eachRow(named)) {
    const sha256 = row.toString();
    // What is in force stays in use: one object of each, whatever was sent.
    const known = held?.get(sha256);
    if (known !== undefined) facts.set(sha256, known);
    looked += 1;
    if (looked % 1000 === 0) yield;
  }
  return facts;
}

function hashes(facts: ReadonlyMap<string, unknown>): Rows {
  const rows = new RowsWriter();
  for (const sha256 of facts.keys()) rows.add(Buffer.from(sha256));
  return rows.written();
}
