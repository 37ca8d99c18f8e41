/**
 * Certificate revocation lists (RFC 5280 §5): DER -> CrlFacts, and the look-up of a serial number.
 *
 * A list may hold a hundred thousand entries, so the entries stay in the DER: only an index of hashes and offsets, 8
 * octets an entry, is made beside it. What a list settles for a certificate is the business of revocation.ts.
 */

import {
  type AlgorithmFacts,
  type DistributionPointName,
  EXTENSION,
  EXTENSION_NAMES,
  type Extension,
  type NameKeys,
  type RevocationReason,
  readDistributionPointName,
  readName,
  readReasons,
  readSigned,
  sameAlgorithmInside,
} from '../certificate/index.js';
import { atOnce, copyInSteps, DerReader, MalformedDer, readTime, sha256InSteps, TAG } from '../der/index.js';
import { CrlEntries, MAX_CRL_OCTETS, readExtensionItem } from './crl-entries.js';

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
  /** What is wrong with the form of an entry (a serial number twice): a conforming CA has not written the list. */
  readonly oddity: string | undefined;
  readonly entryCount: number;
  readonly entries: CrlEntries;
}

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

/** Reads one CRL. Throws MalformedCrl. 100,000 entries take some tens of milliseconds. */
export function parseCrl(der: Uint8Array): CrlFacts {
  return atOnce(parseCrlInSteps(der));
}

/**
 * Reads one CRL like `parseCrl`, and yields now and then, so that a caller can let verdicts through in between.
 * @throws {MalformedCrl}
 */
export function* parseCrlInSteps(der: Uint8Array): Generator<undefined, CrlFacts> {
  try {
    if (der.length > MAX_CRL_OCTETS) {
      throw new MalformedDer('CertificateList', `at most ${MAX_CRL_OCTETS} octets`, `${der.length}`);
    }
    return yield* readCrl(yield* copyInSteps(der));
  } catch (cause) {
    if (!(cause instanceof MalformedDer)) throw cause;
    throw new MalformedCrl(cause.field, cause.expected, cause.found, { cause });
  }
}

function* readCrl(der: Uint8Array): Generator<undefined, CrlFacts> {
  const { tbs, tbsReader, algorithmDer, signatureAlgorithm, signature } = readSigned(
    der,
    'CertificateList',
    'tbsCertList',
  );

  limitHead(tbsReader);
  let version: 1 | 2 = 1;
  if (tbsReader.peek() === TAG.integer) {
    const value = tbsReader.count('version');
    if (value !== 1) throw new MalformedDer('version', '1 (v2)', `${value}`);
    version = 2;
  }
  sameAlgorithmInside(tbsReader, algorithmDer);
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
    sha256: yield* sha256InSteps(der),
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
    oddity: entries.oddity,
    entryCount: entries.size,
    entries,
  });
}

/** Octets of a list without its entries: names and extensions, which are read in one step. */
const MOST_HEAD_OCTETS = 2 ** 16;
/** Fields of tbsCertList (RFC 5280 §5.1). */
const MOST_FIELDS = 7;

/** Refuses a list that is large, but not by its entries: those are the SEQUENCE after the times. */
function limitHead(tbs: DerReader): void {
  let head = tbs.left;
  const fields = tbs.rest();
  let timed = false;
  for (let field = 0; !fields.done && field < MOST_FIELDS; field++) {
    const tag = fields.any('tbsCertList');
    if (timed && tag === TAG.sequence) head -= fields.to - fields.from;
    timed = tag === TAG.utcTime || tag === TAG.generalizedTime;
  }
  if (head > MOST_HEAD_OCTETS) {
    throw new MalformedDer('tbsCertList', `at most ${MOST_HEAD_OCTETS} octets beside the entries`, `${head}`);
  }
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
