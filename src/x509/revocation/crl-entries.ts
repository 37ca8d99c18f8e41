/**
 * The entries of a CRL (RFC 5280 §5.1.2.6, §5.3): they stay in the DER, and an index of hashes and offsets finds one.
 */

import { isKeyOf } from '../../typed.js';
import { type AlternativeName, EXTENSION, type Extension, parseName, readGeneralNames } from '../certificate/index.js';
import { DerReader, hex, MalformedDer, readTime, sameOctets, sortInSteps, TAG } from '../der/index.js';

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

/** A reason code for people. */
export function reasonText(code: number): string {
  return isKeyOf(CRL_REASONS, code) ? CRL_REASONS[code] : `reason ${code}`;
}

const REASON_CODE = '2.5.29.21';
const INVALIDITY_DATE = '2.5.29.24';

const KNOWN_ENTRY_EXTENSIONS: readonly string[] = [REASON_CODE, INVALIDITY_DATE, EXTENSION.certificateIssuer];

/** Largest list that is read. */
export const MAX_CRL_OCTETS = 64 * 1024 * 1024;

/** Octets of entries read before `index` lets others work: a millisecond, or some where each entry names an issuer. */
const STEP_OCTETS = 2 ** 15;

/** Longest entry that is read: a serial number, two times, a reason and the name of an issuer. */
const MOST_ENTRY_OCTETS = 2 ** 14;

/** Shortest entry: an INTEGER of one octet, and a UTCTime. */
const LEAST_ENTRY_OCTETS = 20;

/** Entries under one hash. By chance there are two or three; more are made, so that looking one up takes long. */
const MOST_COLLISIONS = 256;

/** An index key is hash * POSITIONS + offset: 26 bits of each (MAX_CRL_OCTETS is 2^26), exact in a double. */
const POSITIONS = 2 ** 26;
/** 2^12 entries are looked at in one step for duplicates. */
const STEP_BITS = 12;
const HASH_BITS = 26;

/** The entries of one list: read once for form, then found by serial number in the DER. */
export class CrlEntries {
  readonly #der: Uint8Array;
  readonly #indirect: boolean;

  /** Sorted hash of the serial * POSITIONS + offset of the entry. */
  #keys = new Float64Array(0);
  /** Indirect lists: offsets at which an entry names another certificate issuer, and that issuer. */
  readonly #issuers: { readonly from: number; readonly keys: readonly string[] }[] = [];
  unknownCritical: string | undefined;
  /** What is wrong with the form of an entry that still revokes its certificate. */
  oddity: string | undefined;

  constructor(der: Uint8Array, indirect: boolean) {
    this.#der = der;
    this.#indirect = indirect;
  }

  get size(): number {
    return this.#keys.length;
  }

  /** Reads all entries; yields between steps. */
  *index(entries: DerReader, version: 1 | 2): Generator<undefined, void> {
    const der = this.#der;
    const found = new Float64Array(Math.ceil(entries.left / LEAST_ENTRY_OCTETS));
    let count = 0;
    let step = 0;
    while (!entries.done) {
      const entry = entries.sequence('revokedCertificate');
      const { start, to } = entries;
      if (to - start > MOST_ENTRY_OCTETS) {
        throw new MalformedDer('revokedCertificate', `at most ${MOST_ENTRY_OCTETS} octets`, `${to - start}`);
      }
      entry.integer('userCertificate');
      found[count++] = hashOf(der, entry.from, entry.to) * POSITIONS + start;
      readTime(entry, 'revocationDate');
      if (!entry.done) {
        if (version !== 2) throw new MalformedDer('version', '2 with entry extensions', '1');
        this.#readEntryExtensions(entry.sequence('crlEntryExtensions'), start);
        entry.finish('revokedCertificate');
      }
      step += to - start;
      if (step < STEP_OCTETS) continue;
      step = 0;
      yield;
    }
    yield;
    // An empty list should be absent (§5.1.2.6), but says the same.
    this.#keys = yield* sortInSteps(found.slice(0, count));
    yield;
    yield* this.#findDuplicate();
  }

  #readEntryExtensions(items: DerReader, start: number): void {
    let reasons = 0;
    while (!items.done) {
      const { oid, critical, value } = readExtensionItem(items, 'crlEntryExtension');
      if (oid === REASON_CODE && ++reasons > 1) this.oddity ??= 'two reason codes in an entry';
      if (critical && !KNOWN_ENTRY_EXTENSIONS.includes(oid)) this.unknownCritical ??= oid;
      if (oid === REASON_CODE && readReason(value) === undefined) this.oddity ??= 'a reason code of no meaning';
      if (oid === EXTENSION.certificateIssuer) {
        const reader = new DerReader(value);
        const names = readGeneralNames(reader.sequence('certificateIssuer'), 'certificateIssuer');
        reader.finish('certificateIssuer');
        this.#issuers.push({ from: start, keys: directoryTexts(names) });
        // In a list that is not indirect the extension has no meaning, and ignoring it could clear a certificate.
        if (!this.#indirect) this.unknownCritical ??= oid;
      }
    }
  }

  /** Whether a serial number stands twice, which in an indirect list may be of two issuers. */
  *#findDuplicate(): Generator<undefined, void> {
    const keys = this.#keys;
    const hashAt = (index: number): number => Math.floor((keys[index] as number) / POSITIONS);
    for (let first = 0; first < keys.length; ) {
      let next = first + 1;
      while (next < keys.length && hashAt(next) === hashAt(first)) next++;
      const run = next - first;
      if (run > MOST_COLLISIONS) {
        throw new MalformedDer('revokedCertificates', 'serial numbers that differ', `${run} of one hash`);
      }
      if (run > 1 && !this.#indirect && this.oddity === undefined) {
        const serials = new Set(Array.from({ length: run }, (_, i) => hex(this.#serialAt(first + i))));
        if (serials.size < run) this.oddity = 'a serial number twice';
      }
      if (next >> STEP_BITS !== first >> STEP_BITS) yield;
      first = next;
    }
  }

  #serialAt(index: number): Uint8Array {
    return this.#entryAt(index).integer('userCertificate');
  }

  #entryAt(index: number): DerReader {
    return new DerReader(this.#der, (this.#keys[index] as number) % POSITIONS).sequence('revokedCertificate');
  }

  /**
   * The entry for a certificate, of several the one that revokes: `serial` as the content octets of its INTEGER, `certificateIssuer` and `crlIssuer` as
   * key texts (they differ only in indirect lists).
   */
  find(serial: Uint8Array, certificateIssuer: string, crlIssuer: string): CrlEntry | undefined {
    const hash = hashOf(serial, 0, serial.length);
    const keys = this.#keys;
    let low = 0;
    let high = keys.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((keys[middle] as number) < hash * POSITIONS) low = middle + 1;
      else high = middle;
    }
    let found: CrlEntry | undefined;
    for (let i = low; i < keys.length && Math.floor((keys[i] as number) / POSITIONS) === hash; i++) {
      const entry = this.#entryAt(i);
      if (!sameOctets(entry.integer('userCertificate'), serial)) continue;
      if (!this.#issuersAt((keys[i] as number) % POSITIONS, crlIssuer).includes(certificateIssuer)) continue;
      found = this.#readEntry(entry);
      if (found.reason !== 'removeFromCRL') break;
    }
    return found;
  }

  /** RFC 5280 §5.3.3: the issuer named by this entry or the nearest one before it; else the issuer of the list. */
  #issuersAt(offset: number, crlIssuer: string): readonly string[] {
    let low = 0;
    let high = this.#issuers.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#issuers[middle]?.from ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    return this.#issuers[low - 1]?.keys ?? [crlIssuer];
  }

  #readEntry(entry: DerReader): CrlEntry {
    const { time } = readTime(entry, 'revocationDate');
    let reason: CrlReason = 'unspecified';
    let told = false;
    if (!entry.done) {
      const items = entry.sequence('crlEntryExtensions');
      while (!items.done) {
        const { oid, value } = readExtensionItem(items, 'crlEntryExtension');
        if (oid !== REASON_CODE) continue;
        const said = readReason(value) ?? 'unspecified';
        // An entry that says two things takes nobody off a list.
        if (told && said !== reason) return { revocationDate: time, reason: 'unspecified' };
        reason = said;
        told = true;
      }
    }
    return { revocationDate: time, reason };
  }
}

/** undefined: a code that RFC 5280 §5.3.1 does not have. */
function readReason(value: Uint8Array): CrlReason | undefined {
  const reader = new DerReader(value);
  const code = reader.count('reasonCode', TAG.enumerated);
  reader.finish('reasonCode');
  return isKeyOf(CRL_REASONS, code) ? CRL_REASONS[code] : undefined;
}

/** Key texts of the directory names among some names. */
export function directoryTexts(names: readonly AlternativeName[]): readonly string[] {
  return names.flatMap(({ type, bytes }) => (type === 'directory' ? [parseName(bytes).keys.text] : []));
}

/** FNV-1a, folded to HASH_BITS. Collisions only cost comparisons. */
function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  return (hash ^ (hash >>> HASH_BITS)) & (2 ** HASH_BITS - 1);
}

/** One extension of a list or an entry. */
export function readExtensionItem(items: DerReader, field: string): Extension {
  const item = items.sequence(field);
  const oid = item.oid(field);
  const critical = item.peek() === TAG.boolean ? item.boolean(field) : false;
  const value = item.next(TAG.octetString, field).content();
  item.finish(field);
  return { oid, critical, value };
}
