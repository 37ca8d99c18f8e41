/** GeneralNames (RFC 5280 §4.2.1.6), kept as the bytes they are: nothing is decoded, so nothing is lost or merged. */

import { type DerReader, MalformedDer, TAG } from '../der/index.js';
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

/** Reads one GeneralName. */
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

/** A name for people: text kinds with everything but printable ASCII escaped, the others in hex. */
export function generalNameText({ type, bytes: all }: AlternativeName): string {
  if (type === 'directory') return `directory:${directoryText(all)}`;
  const bytes = all.subarray(0, MOST_SHOWN);
  const more = all.length > MOST_SHOWN ? '...' : '';
  return `${textOf(type, bytes)}${more}`;
}

/** A message shows the beginning of a long name. */
const MOST_SHOWN = 128;
const MOST_READ = 1024;

/** As RFC 4514 writes a name; in hex what is none, or long enough that reading it would be work. */
function directoryText(bytes: Uint8Array): string {
  try {
    if (bytes.length <= MOST_READ) return parseName(bytes, 'directoryName').text || '(empty name)';
  } catch (cause) {
    if (!(cause instanceof MalformedDer)) throw cause;
  }
  return `${Buffer.from(bytes.subarray(0, MOST_SHOWN)).toString('hex')}${bytes.length > MOST_SHOWN ? '...' : ''}`;
}

function textOf(type: AlternativeName['type'], bytes: Uint8Array): string {
  const octets = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  switch (type) {
    case 'dns':
    case 'email':
    case 'uri':
      return `${type}:${octets.toString('latin1').replace(/[^\x21-\x7e]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)}`;
    case 'ip':
      return `ip:${ipText(bytes)}`;
    default:
      return `${type}:${octets.toString('hex')}`;
  }
}

/** 4 octets as dotted quad, 16 as groups, a mask (8 or 32) after a slash, anything else in hex. */
function ipText(bytes: Uint8Array): string {
  if (bytes.length === 8 || bytes.length === 32) {
    const half = bytes.length / 2;
    return `${ipText(bytes.subarray(0, half))}/${ipText(bytes.subarray(half))}`;
  }
  if (bytes.length === 4) return bytes.join('.');
  const text = Buffer.from(bytes).toString('hex');
  return bytes.length === 16 ? (text.match(/.{4}/g) ?? []).join(':') : text;
}
