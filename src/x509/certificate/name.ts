/** Distinguished names: reading, comparing (RFC 5280 §7.1) and showing them (RFC 4514). */

import { shortened } from '../../printable.js';
import { type DerReader, hex, MalformedDer, DerReader as Reader, TAG } from '../der/index.js';
import type { NameAttribute, NameKeys } from './facts.js';

/** Short names of the attribute types in use (RFC 4519, RFC 2985, and the rest of RFC 5280 appendix A). */
const ATTRIBUTE_TYPES: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.4': 'SN',
  '2.5.4.5': 'serialNumber',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'street',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.12': 'title',
  '2.5.4.15': 'businessCategory',
  '2.5.4.17': 'postalCode',
  '2.5.4.41': 'name',
  '2.5.4.42': 'givenName',
  '2.5.4.43': 'initials',
  '2.5.4.44': 'generationQualifier',
  '2.5.4.46': 'dnQualifier',
  '2.5.4.65': 'pseudonym',
  '2.5.4.97': 'organizationIdentifier',
  '0.9.2342.19200300.100.1.1': 'UID',
  '0.9.2342.19200300.100.1.25': 'DC',
  '1.2.840.113549.1.9.1': 'emailAddress',
};

/** OID of emailAddress: name constraints look at it where a subject bears it (RFC 5280 §4.2.1.10). */
export const EMAIL_ADDRESS = '1.2.840.113549.1.9.1';

/** A name as read from one place of a certificate. */
export interface ReadName {
  readonly der: Uint8Array;
  readonly attributes: readonly NameAttribute[];
  readonly keys: NameKeys;
  readonly text: string;
}

/** How many octets of one kind a string type uses per character; absent: not a string type. */
type Decode = (octets: Uint8Array, field: string) => string;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const latin1: Decode = (octets) => Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1');

const STRING_TYPES: Readonly<Record<number, Decode>> = {
  [TAG.utf8String]: (octets, field) => {
    try {
      return utf8.decode(octets);
    } catch {
      throw new MalformedDer(field, 'UTF-8', hex(octets.subarray(0, 40)));
    }
  },
  // Characters outside the repertoire (an `*` or `@` in PrintableString) are common and harmless: they stand as they are.
  [TAG.printableString]: latin1,
  [TAG.numericString]: latin1,
  [TAG.visibleString]: latin1,
  [TAG.ia5String]: latin1,
  [TAG.teletexString]: latin1,
  [TAG.bmpString]: (octets, field) => {
    if (octets.length % 2 !== 0) throw new MalformedDer(field, 'an even number of octets', `${octets.length}`);
    return Buffer.from(octets).swap16().toString('utf16le');
  },
  [TAG.universalString]: (octets, field) => {
    if (octets.length % 4 !== 0) throw new MalformedDer(field, 'a multiple of 4 octets', `${octets.length}`);
    const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
    let text = '';
    for (let at = 0; at < octets.length; at += 4) {
      const point = view.getUint32(at);
      if (point > 0x10ffff) throw new MalformedDer(field, 'Unicode characters', `0x${point.toString(16)}`);
      text += String.fromCodePoint(point);
    }
    return text;
  },
};

/** X.520 DirectoryString has the first of these, and IA5String is what some CAs write. */
const STRING_TYPE_NAMES: Readonly<Record<number, string>> = {
  [TAG.utf8String]: 'UTF8String',
  [TAG.printableString]: 'PrintableString',
  [TAG.teletexString]: 'TeletexString',
  [TAG.universalString]: 'UniversalString',
  [TAG.bmpString]: 'BMPString',
  [TAG.ia5String]: 'IA5String',
  [TAG.numericString]: 'NumericString',
  [TAG.visibleString]: 'VisibleString',
};

/** The type of an attribute value for people. */
export function stringTypeName(tag: number): string {
  return STRING_TYPE_NAMES[tag] ?? `a value of tag ${tag}`;
}

/** Reads a Name element (RFC 5280 §4.1.2.4); an empty one is a name without attributes. */
export function readName(reader: DerReader, field: string): ReadName {
  reader.next(TAG.sequence, field);
  const der = reader.element();
  const rdns = reader.inside();
  const attributes: NameAttribute[] = [];
  const keys: string[] = [];
  const shown: string[] = [];
  while (!rdns.done) {
    const before = attributes.length;
    keys.push(readRelativeName(rdns.sequence(field, TAG.set), field, attributes));
    shown.push(attributes.slice(before).map(attributeText).join('+'));
  }
  return {
    der,
    attributes: Object.freeze(attributes),
    keys: Object.freeze({ rdns: Object.freeze(keys), text: keys.join('\n') }),
    // RFC 4514 §2.1: the last relative name comes first.
    text: shortened(shown.reverse().join(','), MOST_TEXT),
  };
}

/** Longest name that is shown: it stands in each message about its certificate. */
const MOST_TEXT = 400;

/**
 * Reads a Name element that stands alone: the directoryName of a GeneralName.
 * @throws {MalformedDer}
 */
export function parseName(der: Uint8Array): ReadName {
  const field = 'directoryName';
  const reader = new Reader(der);
  const name = readName(reader, field);
  reader.finish(field);
  return name;
}

/**
 * Longest attribute value that is read. RFC 5280 appendix A.1 bounds those in use at 64 to 255 characters; what
 * normalisation costs grows faster than the text (long runs of combining characters).
 */
const MOST_VALUE_OCTETS = 2048;

/** Reads the content of one RelativeDistinguishedName and answers its key. */
function readRelativeName(set: DerReader, field: string, attributes: NameAttribute[]): string {
  const keys: string[] = [];
  if (set.done) throw new MalformedDer(field, 'an attribute in each relative name', 'none');
  while (!set.done) {
    const pair = set.sequence(field);
    const oid = pair.oid(field);
    const tag = pair.any(field);
    const decode = STRING_TYPES[tag];
    if (pair.to - pair.from > MOST_VALUE_OCTETS) {
      throw new MalformedDer(field, `attributes of at most ${MOST_VALUE_OCTETS} octets`, `${pair.to - pair.from}`);
    }
    const value = decode === undefined ? `#${hex(pair.element())}` : decode(pair.content(), field);
    pair.finish(field);
    attributes.push(Object.freeze({ oid, type: ATTRIBUTE_TYPES[oid] ?? oid, value, tag }));
    // Strings compare whatever their type (RFC 5280 §7.1); what is no string compares octet by octet.
    keys.push(`${oid}=${decode === undefined ? value : quoted(prepared(value))}`);
  }
  return keys.sort().join('+');
}

/**
 * The key of a RelativeDistinguishedName element, for names relative to a CRL issuer (RFC 5280 §4.2.1.13).
 * @throws {MalformedDer}
 */
export function relativeNameKey(der: Uint8Array): string {
  const field = 'nameRelativeToCRLIssuer';
  const reader = new Reader(der);
  const key = readRelativeName(reader.sequence(field, TAG.set), field, []);
  reader.finish(field);
  return key;
}

/** Characters that RFC 4518 §2.2 maps to a space, and those that it maps to nothing (controls, format characters). */
const TO_SPACE = /[\t\n\v\f\r\x85\p{Zs}\p{Zl}\p{Zp}]/gu;
const TO_NOTHING = /\p{Cc}|\p{Cf}|\p{Variation_Selector}|\u034f|\u1806|\ufffc/gu;

/**
 * A string as RFC 4518 §2 prepares it for comparison: invisible characters gone, case and compatibility forms folded,
 * outer spaces gone, inner runs of spaces one. What looks the same must not slip past an excluded subtree.
 */
function prepared(value: string): string {
  const plain = /^[\x20-\x7e]*$/.test(value);
  const folded = plain ? value : value.replace(TO_SPACE, ' ').replace(TO_NOTHING, '').toLowerCase().normalize('NFKC');
  // Inner runs first: ` +$` would look at a long run once from each of its spaces.
  const single = folded.toLowerCase().replace(/ {2,}/g, ' ');
  return single.slice(single.startsWith(' ') ? 1 : 0, single.length > 1 && single.endsWith(' ') ? -1 : undefined);
}

/** Keeps the separators of a key out of its values. */
function quoted(value: string): string {
  return /[\n+=%]/.test(value) ? value.replace(/[\n+=%]/g, (c) => `%${c.charCodeAt(0).toString(16)}`) : value;
}

/** `CN=value` with the escapes of RFC 4514 §2.4; control characters are escaped too, the text goes into logs. */
function attributeText({ type, value, tag }: NameAttribute): string {
  if (STRING_TYPES[tag] === undefined) return `${type}=${value}`;
  const escaped = value
    .replace(/[\\"+,;<>]/g, '\\$&')
    .replace(/^[ #]/, '\\$&')
    .replace(/ $/, '\\ ')
    .replace(/[\x00-\x1f\x7f-\x9f]/g, (c) => `\\${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return `${type}=${escaped}`;
}
