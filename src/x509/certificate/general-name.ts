/** GeneralNames (RFC 5280 §4.2.1.6), kept as the bytes they are: nothing is decoded, so nothing is lost or merged. */

import { DerReader, hex, hexHead, MalformedDer, oidText, TAG } from '../der/index.js';
import type { AlternativeName } from './facts.js';
import { parseName } from './name.js';

/** Context tag -> kind. Strings and octets are primitive, the others constructed. */
const KINDS: Readonly<Record<number, AlternativeName['type']>> = {
  160: 'other',
  129: 'email',
  130: 'dns',
  163: 'x400',
  164: 'directory',
  165: 'edi',
  134: 'uri',
  135: 'ip',
  136: 'rid',
};

/**
 * Reads one GeneralName.
 * @throws {MalformedDer}
 */
export function readGeneralName(reader: DerReader, field: string): AlternativeName {
  const tag = reader.any(field);
  const type = KINDS[tag];
  if (type === undefined) throw new MalformedDer(field, 'a GeneralName', `tag 0x${tag.toString(16)}`);
  if (type === 'directory') {
    // directoryName is tagged explicitly because Name is a CHOICE.
    const inner = reader.inside();
    inner.next(TAG.sequence, field);
    const bytes = inner.element();
    inner.finish(field);
    return Object.freeze({ type, bytes });
  }
  return Object.freeze({ type, bytes: reader.content() });
}

/** Reads the content of GeneralNames up to its end; an empty list is read as one (the path check refuses it). */
export function readGeneralNames(content: DerReader, field: string): readonly AlternativeName[] {
  const names: AlternativeName[] = [];
  while (!content.done) names.push(readGeneralName(content, field));
  return Object.freeze(names);
}

/** A name for people: text with everything but printable ASCII escaped, what has no text in hex; cut after `most` octets. */
export function generalNameText({ type, bytes: all }: AlternativeName, most = MOST_SHOWN): string {
  if (type === 'directory') return `directory:${directoryText(all)}`;
  if (type === 'other') return `other:${otherText(all, most)}`;
  const bytes = all.subarray(0, most);
  return `${type}:${textOf(type, bytes)}${all.length > most ? '...' : ''}`;
}

/** A message shows the beginning of a long name. */
const MOST_SHOWN = 128;
const MOST_READ = 1024;

/** As RFC 4514 writes a name; in hex what is none, or long enough that reading it would be work. */
function directoryText(bytes: Uint8Array): string {
  const read = bytes.length <= MOST_READ ? readable(() => parseName(bytes).text || '(empty name)') : undefined;
  return read ?? hexHead(bytes, MOST_SHOWN);
}

/** Kinds of otherName that are text (RFC 4985 §2, RFC 6120 §13.7.1.4, RFC 9598 §3; the login name of Microsoft). */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  '1.3.6.1.5.5.7.8.5': 'XmppAddr',
  '1.3.6.1.5.5.7.8.7': 'SRVName',
  '1.3.6.1.5.5.7.8.9': 'SmtpUTF8Mailbox',
  '1.3.6.1.4.1.311.20.2.3': 'UPN',
};

/** AnotherName (RFC 5280 §4.2.1.6): its kind, and its value. */
function otherText(bytes: Uint8Array, most: number): string {
  const read = readable(() => {
    const reader = new DerReader(bytes);
    const id = reader.oid('otherName');
    const value = reader.sequence('otherName', 0xa0);
    const name = OTHER_NAMES[id];
    if (name === undefined) return `${id} ${hexHead(reader.content(), most)}`;
    value.any(name);
    const text = value.content();
    return `${name} ${escaped(text.subarray(0, most))}${text.length > most ? '...' : ''}`;
  });
  return read ?? hexHead(bytes, most);
}

/** undefined: it cannot be read. */
function readable(read: () => string): string | undefined {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof MalformedDer) return undefined;
    throw cause;
  }
}

const escaped = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    .toString('latin1')
    .replace(/[^\x21-\x7e]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);

function textOf(type: AlternativeName['type'], bytes: Uint8Array): string {
  switch (type) {
    case 'dns':
    case 'email':
    case 'uri':
      return escaped(bytes);
    case 'ip':
      return ipText(bytes);
    case 'rid':
      return readable(() => oidText(bytes, 0, bytes.length, 'registeredID')) ?? hex(bytes);
    default:
      return hex(bytes);
  }
}

/** 4 octets as dotted quad, 16 as groups, a mask (8 or 32) after a slash, anything else in hex. */
function ipText(bytes: Uint8Array): string {
  if (bytes.length === 8 || bytes.length === 32) {
    const half = bytes.length / 2;
    return `${ipText(bytes.subarray(0, half))}/${ipText(bytes.subarray(half))}`;
  }
  if (bytes.length === 4) return bytes.join('.');
  const text = hex(bytes);
  return bytes.length === 16 ? (text.match(/.{4}/g) ?? []).join(':') : text;
}
