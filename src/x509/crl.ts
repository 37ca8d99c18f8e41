/**
 * Certificate revocation lists (RFC 5280 §5): DER -> CrlFacts, and the look-up of a serial number.
 *
 * A list may hold a hundred thousand entries, so the entries stay in the DER: only an index of hashes and offsets, 8
 * octets an entry, is made beside it. What a list settles for a certificate is the business of revocation.ts.
 */

import { createHash } from 'node:crypto';
import { readAlgorithm, wholeOctets } from './certificate.js';
import { DerReader, hex, MalformedDer, sameOctets, TAG } from './der.js';
import { EXTENSION, EXTENSION_NAMES, readDistributionPointName, readReasons } from './extensions.js';
import type {
  AlgorithmFacts,
  AlternativeName,
  DistributionPointName,
  Extension,
  NameKeys,
  RevocationReason,
} from './facts.js';
import { readGeneralNames } from './general-name.js';
import { parseName, readName } from './name.js';
import { readTime } from './time.js';

/** RFC 5280 §5.2.5 */
export interface IssuingDistributionPoint {
  readonly name: DistributionPointName | undefined;
  readonly onlyContainsUserCerts: boolean;
  readonly onlyContainsCaCerts: boolean;
  readonly onlySomeReasons: ReadonlySet<RevocationReason> | undefined;
  readonly indirectCrl: boolean;
  readonly onlyContainsAttributeCerts: boolean;
  /** The extension value as it stands: a delta and its base have the same (RFC 5280 §6.3.3 (c)(2)). */
  readonly value: Uint8Array;
}

export interface CrlFacts {
  readonly der: Uint8Array;
  readonly sha256: string;
  readonly version: 1 | 2;
  readonly issuerText: string;
  readonly issuerKeys: NameKeys;
  /** Milliseconds since 1970; a CRL without nextUpdate is unusable (rulebook K-2). */
  readonly thisUpdate: number;
  readonly nextUpdate: number | undefined;
  /** Whether either time was written as GeneralizedTime although before 2050 (RFC 5280 §5.1.2.4). */
  readonly earlyGeneralizedTime: boolean;
  readonly tbs: Uint8Array;
  readonly signatureAlgorithm: AlgorithmFacts;
  readonly signature: Uint8Array;
  readonly extensions: readonly Extension[];
  /** Content octets of the INTEGERs. */
  readonly crlNumber: Uint8Array | undefined;
  readonly baseCrlNumber: Uint8Array | undefined;
  readonly authorityKeyIdentifier: Uint8Array | undefined;
  readonly issuingDistributionPoint: IssuingDistributionPoint | undefined;
  /** A critical extension, of the list or of any entry, that is not understood: the list is unusable (§5.2, §5.3). */
  readonly unknownCritical: string | undefined;
  /** A serial number stands twice in a list that is not indirect. */
  readonly duplicateSerial: boolean;
  readonly entryCount: number;
  readonly entries: CrlEntries;
}

/** What a list says of one certificate. */
export interface CrlEntry {
  /** Milliseconds since 1970. */
  readonly revocationDate: number;
  /** RFC 5280 §5.3.1; `unspecified` where the entry gives none. */
  readonly reason: CrlReason;
}

const CRL_REASONS = {
  0: 'unspecified',
  1: 'keyCompromise',
  2: 'cACompromise',
  3: 'affiliationChanged',
  4: 'superseded',
  5: 'cessationOfOperation',
  6: 'certificateHold',
  8: 'removeFromCRL',
  9: 'privilegeWithdrawn',
  10: 'aACompromise',
} as const;

export type CrlReason = (typeof CRL_REASONS)[keyof typeof CRL_REASONS];

const REASON_CODE = '2.5.29.21';
const INVALIDITY_DATE = '2.5.29.24';

/** Extensions of a list that siptrust understands (RFC 5280 §5.2). */
const KNOWN_EXTENSIONS: readonly string[] = [
  EXTENSION.authorityKeyIdentifier,
  EXTENSION.issuerAltName,
  EXTENSION.cRLNumber,
  EXTENSION.deltaCRLIndicator,
  EXTENSION.issuingDistributionPoint,
  EXTENSION.freshestCRL,
  EXTENSION.authorityInfoAccess,
];
const KNOWN_ENTRY_EXTENSIONS: readonly string[] = [REASON_CODE, INVALIDITY_DATE, EXTENSION.certificateIssuer];

/** The bytes are no CRL in DER. */
export class MalformedCrl extends Error {
  override readonly name = 'MalformedCrl';
  constructor(
    readonly field: string,
    readonly expected: string,
    readonly found: string,
    options?: ErrorOptions,
  ) {
    super(`${field}: expected ${expected}, found ${found}`, options);
  }
}

/** Largest list that is read. */
export const MAX_CRL_OCTETS = 64 * 1024 * 1024;

/** Entries read before `parseCrlInSteps` lets others work. */
const STEP_ENTRIES = 4096;

/** Reads one CRL. Throws MalformedCrl. 100,000 entries take some tens of milliseconds. */
export function parseCrl(der: Uint8Array): CrlFacts {
  const steps = parseCrlInSteps(der);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** Reads one CRL like `parseCrl`, and yields now and then, so that a caller can let verdicts through in between. */
export function* parseCrlInSteps(der: Uint8Array): Generator<undefined, CrlFacts> {
  try {
    if (der.length > MAX_CRL_OCTETS) {
      throw new MalformedDer('CertificateList', `at most ${MAX_CRL_OCTETS} octets`, `${der.length}`);
    }
    return yield* readCrl(new Uint8Array(der));
  } catch (cause) {
    if (!(cause instanceof MalformedDer)) throw cause;
    throw new MalformedCrl(cause.field, cause.expected, cause.found, { cause });
  }
}

function* readCrl(der: Uint8Array): Generator<undefined, CrlFacts> {
  const file = new DerReader(der);
  const outer = file.sequence('CertificateList');
  file.finish('CertificateList');
  const tbsReader = outer.sequence('tbsCertList');
  const tbs = outer.element();
  outer.next(TAG.sequence, 'signatureAlgorithm');
  const algorithmDer = outer.element();
  const signatureAlgorithm = readAlgorithm(outer.inside(), 'signatureAlgorithm');
  const signature = wholeOctets(outer, 'signatureValue');
  outer.finish('CertificateList');

  let version: 1 | 2 = 1;
  if (tbsReader.peek() === TAG.integer) {
    const value = tbsReader.count('version');
    if (value !== 1) throw new MalformedDer('version', '1 (v2)', `${value}`);
    version = 2;
  }
  tbsReader.next(TAG.sequence, 'signature');
  if (!sameOctets(tbsReader.element(), algorithmDer)) {
    throw new MalformedDer('signature', `${hex(algorithmDer)} as in signatureAlgorithm`, hex(tbsReader.element()));
  }
  const issuer = readName(tbsReader, 'issuer');
  const thisUpdate = readTime(tbsReader, 'thisUpdate');
  const next = tbsReader.peek();
  const nextUpdate =
    next === TAG.utcTime || next === TAG.generalizedTime ? readTime(tbsReader, 'nextUpdate') : undefined;
  const revoked = tbsReader.optional(TAG.sequence, 'revokedCertificates') ? tbsReader.inside() : undefined;
  const values: ListValues = { extensions: [], unknownCritical: undefined };
  if (!tbsReader.done) {
    const wrapper = tbsReader.sequence('crlExtensions', 0xa0);
    tbsReader.finish('tbsCertList');
    if (version !== 2) throw new MalformedDer('version', '2 with extensions', '1');
    readListExtensions(wrapper, values);
  }
  const indirect = values.issuingDistributionPoint?.indirectCrl ?? false;
  const entries = new CrlEntries(der, indirect);
  if (revoked !== undefined) yield* entries.index(revoked, version);
  yield;
  return Object.freeze({
    der,
    sha256: createHash('sha256').update(der).digest('hex'),
    version,
    issuerText: issuer.text,
    issuerKeys: issuer.keys,
    thisUpdate: thisUpdate.time,
    nextUpdate: nextUpdate?.time,
    earlyGeneralizedTime: [thisUpdate, nextUpdate].some((t) => t?.generalized && t.time < Date.UTC(2050, 0, 1)),
    tbs,
    signatureAlgorithm,
    signature,
    extensions: Object.freeze(values.extensions),
    crlNumber: values.crlNumber,
    baseCrlNumber: values.baseCrlNumber,
    authorityKeyIdentifier: values.authorityKeyIdentifier,
    issuingDistributionPoint: values.issuingDistributionPoint,
    unknownCritical: values.unknownCritical ?? entries.unknownCritical,
    duplicateSerial: entries.duplicateSerial,
    entryCount: entries.size,
    entries,
  });
}

interface ListValues {
  readonly extensions: Extension[];
  unknownCritical: string | undefined;
  crlNumber?: Uint8Array;
  baseCrlNumber?: Uint8Array;
  authorityKeyIdentifier?: Uint8Array | undefined;
  issuingDistributionPoint?: IssuingDistributionPoint;
}

function readListExtensions(wrapper: DerReader, values: ListValues): void {
  const items = wrapper.sequence('crlExtensions');
  wrapper.finish('crlExtensions');
  const seen = new Set<string>();
  while (!items.done) {
    const { oid, critical, value } = readExtensionItem(items, 'crlExtension');
    const name = EXTENSION_NAMES[oid] ?? oid;
    if (seen.has(oid)) throw new MalformedDer(name, 'one extension of a kind', 'two');
    seen.add(oid);
    values.extensions.push(Object.freeze({ oid, critical, value }));
    if (critical && !KNOWN_EXTENSIONS.includes(oid)) values.unknownCritical ??= oid;
    const reader = new DerReader(value);
    if (oid === EXTENSION.cRLNumber) values.crlNumber = reader.integer(name);
    else if (oid === EXTENSION.deltaCRLIndicator) values.baseCrlNumber = reader.integer(name);
    else if (oid === EXTENSION.issuingDistributionPoint) values.issuingDistributionPoint = readScope(reader, value);
    else if (oid === EXTENSION.authorityKeyIdentifier) {
      const content = reader.sequence(name);
      if (content.optional(0x80, name)) values.authorityKeyIdentifier = content.content();
    } else continue;
    reader.finish(name);
  }
}

function readExtensionItem(items: DerReader, field: string): Extension {
  const item = items.sequence(field);
  const oid = item.oid(field);
  const critical = item.peek() === TAG.boolean ? item.boolean(field) : false;
  const value = item.next(TAG.octetString, field).content();
  item.finish(field);
  return { oid, critical, value };
}

/** IssuingDistributionPoint (RFC 5280 §5.2.5). */
function readScope(reader: DerReader, value: Uint8Array): IssuingDistributionPoint {
  const field = 'issuingDistributionPoint';
  const content = reader.sequence(field);
  const name = content.optional(0xa0, field) ? readDistributionPointName(content.inside(), field) : undefined;
  const flag = (tag: number): boolean => (content.peek() === tag ? content.boolean(field, tag) : false);
  const onlyContainsUserCerts = flag(0x81);
  const onlyContainsCaCerts = flag(0x82);
  const onlySomeReasons = content.peek() === 0x83 ? readReasons(content, field, 0x83) : undefined;
  const indirectCrl = flag(0x84);
  const onlyContainsAttributeCerts = flag(0x85);
  content.finish(field);
  return Object.freeze({
    name,
    onlyContainsUserCerts,
    onlyContainsCaCerts,
    onlySomeReasons,
    indirectCrl,
    onlyContainsAttributeCerts,
    value,
  });
}

/** An index key is hash * POSITIONS + offset: 26 bits of each (MAX_CRL_OCTETS is 2^26), exact in a double. */
const POSITIONS = 2 ** 26;
const HASH_BITS = 26;

/** The entries of one list: read once for form, then found by serial number in the DER. */
export class CrlEntries {
  /** Sorted hash of the serial * POSITIONS + offset of the entry. */
  private keys = new Float64Array(0);
  /** Indirect lists: offsets at which an entry names another certificate issuer, and that issuer. */
  private readonly issuers: { readonly from: number; readonly keys: readonly string[] }[] = [];
  unknownCritical: string | undefined;
  duplicateSerial = false;

  constructor(
    private readonly der: Uint8Array,
    private readonly indirect: boolean,
  ) {}

  get size(): number {
    return this.keys.length;
  }

  /** Reads all entries; yields between steps. */
  *index(entries: DerReader, version: 1 | 2): Generator<undefined, void> {
    const found: number[] = [];
    const { der } = this;
    while (!entries.done) {
      const entry = entries.sequence('revokedCertificate');
      const start = entries.start;
      entry.integer('userCertificate');
      found.push(hashOf(der, entry.from, entry.to) * POSITIONS + start);
      readTime(entry, 'revocationDate');
      if (!entry.done) {
        if (version !== 2) throw new MalformedDer('version', '2 with entry extensions', '1');
        this.readEntryExtensions(entry.sequence('crlEntryExtensions'), start);
        entry.finish('revokedCertificate');
      }
      if (found.length % STEP_ENTRIES === 0) yield;
    }
    yield;
    // An empty list should be absent (§5.1.2.6), but says the same.
    this.keys = Float64Array.from(found).sort();
    yield;
    if (!this.indirect) this.duplicateSerial = this.findDuplicate();
  }

  private readEntryExtensions(items: DerReader, start: number): void {
    while (!items.done) {
      const { oid, critical, value } = readExtensionItem(items, 'crlEntryExtension');
      if (critical && !KNOWN_ENTRY_EXTENSIONS.includes(oid)) this.unknownCritical ??= oid;
      if (oid === REASON_CODE) readReason(value);
      if (oid === EXTENSION.certificateIssuer) {
        const reader = new DerReader(value);
        const names = readGeneralNames(reader.sequence('certificateIssuer'), 'certificateIssuer');
        reader.finish('certificateIssuer');
        this.issuers.push({ from: start, keys: directoryTexts(names) });
        // In a list that is not indirect the extension has no meaning, and ignoring it could clear a certificate.
        if (!this.indirect) this.unknownCritical ??= oid;
      }
    }
  }

  private findDuplicate(): boolean {
    const { keys } = this;
    let run = new Set<string>();
    for (let i = 1; i < keys.length; i++) {
      const same = Math.floor((keys[i] as number) / POSITIONS) === Math.floor((keys[i - 1] as number) / POSITIONS);
      if (!same) {
        if (run.size > 0) run = new Set();
        continue;
      }
      if (run.size === 0) run.add(hex(this.serialAt(i - 1)));
      const serial = hex(this.serialAt(i));
      if (run.has(serial)) return true;
      run.add(serial);
    }
    return false;
  }

  private serialAt(index: number): Uint8Array {
    return this.entryAt(index).integer('userCertificate');
  }

  private entryAt(index: number): DerReader {
    return new DerReader(this.der, (this.keys[index] as number) % POSITIONS).sequence('revokedCertificate');
  }

  /**
   * The entry for a certificate: `serial` as the content octets of its INTEGER, `certificateIssuer` and `crlIssuer` as
   * key texts (they differ only in indirect lists).
   */
  find(serial: Uint8Array, certificateIssuer: string, crlIssuer: string): CrlEntry | undefined {
    const hash = hashOf(serial, 0, serial.length);
    const { keys } = this;
    let low = 0;
    let high = keys.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((keys[middle] as number) < hash * POSITIONS) low = middle + 1;
      else high = middle;
    }
    for (let i = low; i < keys.length && Math.floor((keys[i] as number) / POSITIONS) === hash; i++) {
      const entry = this.entryAt(i);
      if (!sameOctets(entry.integer('userCertificate'), serial)) continue;
      if (!this.issuersAt((keys[i] as number) % POSITIONS, crlIssuer).includes(certificateIssuer)) continue;
      return this.readEntry(entry);
    }
    return undefined;
  }

  /** RFC 5280 §5.3.3: the issuer named by this entry or the nearest one before it; else the issuer of the list. */
  private issuersAt(offset: number, crlIssuer: string): readonly string[] {
    let low = 0;
    let high = this.issuers.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.issuers[middle]?.from ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    return this.issuers[low - 1]?.keys ?? [crlIssuer];
  }

  private readEntry(entry: DerReader): CrlEntry {
    const { time } = readTime(entry, 'revocationDate');
    let reason: CrlReason = 'unspecified';
    if (!entry.done) {
      const items = entry.sequence('crlEntryExtensions');
      while (!items.done) {
        const { oid, value } = readExtensionItem(items, 'crlEntryExtension');
        if (oid === REASON_CODE) reason = readReason(value);
      }
    }
    return { revocationDate: time, reason };
  }
}

function readReason(value: Uint8Array): CrlReason {
  const reader = new DerReader(value);
  const code = reader.count('reasonCode', TAG.enumerated);
  reader.finish('reasonCode');
  const reason = CRL_REASONS[code as keyof typeof CRL_REASONS];
  if (reason === undefined) throw new MalformedDer('reasonCode', 'a code of RFC 5280 §5.3.1', `${code}`);
  return reason;
}

/** Key texts of the directory names among some names. */
export function directoryTexts(names: readonly AlternativeName[]): readonly string[] {
  return names.flatMap(({ type, bytes }) =>
    type === 'directory' ? [parseName(bytes, 'directoryName').keys.text] : [],
  );
}

/** FNV-1a, folded to HASH_BITS. Collisions only cost comparisons. */
function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  return (hash ^ (hash >>> HASH_BITS)) & (2 ** HASH_BITS - 1);
}
