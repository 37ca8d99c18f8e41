/**
 * PEM as RFC 7468 §3 (strict on labels and base64, lax on blanks and line length, which every tool breaks).
 *
 * One pass over the characters, whatever they are: a text that comes over the network must not cost more than its
 * length, and nothing is read of one that is beyond its limits.
 */

import { shortened } from '../../printable.js';

/** What is wrong with a PEM text: where, what was expected, what was found. */
export class MalformedPem extends Error {
  override readonly name = 'MalformedPem';
}

export type PemLabel = 'CERTIFICATE' | 'X509 CRL';

/** How much of a text is read. */
export interface PemLimits {
  /** Characters of the whole text. */
  readonly characters: number;
  readonly blocks: number;
}

interface Form {
  /** Labels under which the same thing travels: the second is its old name (RFC 7468 §5.1). */
  readonly labels: readonly string[];
  readonly limits: PemLimits;
}

const MIB = 2 ** 20;

/** Far above what anybody keeps in one file: all roots of a browser are 150 certificates in 250 KiB. */
const FORMS: Readonly<Record<PemLabel, Form>> = {
  CERTIFICATE: { labels: ['CERTIFICATE', 'X509 CERTIFICATE'], limits: { characters: 8 * MIB, blocks: 3_000 } },
  'X509 CRL': { labels: ['X509 CRL', 'CRL'], limits: { characters: 88 * MIB, blocks: 1_000 } },
};

const DASHES = '-----';
const BOUNDARY = /^-----(BEGIN|END) ([!-,.-~]+(?:[ -][!-,.-~]+)*)-----[ \t]*$/;
/** A longer line is no boundary. */
const MOST_BOUNDARY = 120;

/** What a character is in a block. */
const OTHER = 0;
const BASE64 = 1;
const PADDING = 2;
const BLANK = 3;

const CLASSES = new Uint8Array(256).fill(OTHER);
for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/') {
  CLASSES[character.charCodeAt(0)] = BASE64;
}
for (const character of ' \t\n\r') CLASSES[character.charCodeAt(0)] = BLANK;
CLASSES['='.charCodeAt(0)] = PADDING;

const LF = 0x0a;
const CR = 0x0d;
const DASH = 0x2d;

/**
 * The certificates (or, with `label`, the lists) of a PEM text, in its order. Other blocks are refused.
 * @throws {MalformedPem}
 */
export function readPem(
  text: string,
  label: PemLabel = 'CERTIFICATE',
  limits: PemLimits = FORMS[label].limits,
): Uint8Array[] {
  if (text.length > limits.characters) {
    throw new MalformedPem(`expected at most ${limits.characters} characters of PEM, found ${text.length}`);
  }
  const blocks: Uint8Array[] = [];
  const scan = new Scan(text, label);
  for (let from = scan.begin(0); from !== undefined; from = scan.begin(from)) {
    if (blocks.length === limits.blocks) scan.fail(from, `at most ${limits.blocks} PEM blocks`, 'more');
    const { octets, next } = scan.block(from);
    blocks.push(octets);
    from = next;
  }
  if (blocks.length === 0) throw new MalformedPem(`expected -----BEGIN ${label}-----, found ${scan.insteadOfBlocks()}`);
  return blocks;
}

class Scan {
  readonly #text: string;
  readonly #label: PemLabel;
  /** Label of the block that `begin` found. */
  #open = '';

  constructor(text: string, label: PemLabel) {
    this.#text = text;
    this.#label = label;
  }

  /** Goes on from the start of a line to the next BEGIN; answers where its line ends. undefined: there is none. */
  begin(from: number): number | undefined {
    const text = this.#text;
    const label = this.#label;
    for (let at = from; at < text.length; at = this.#nextLine(at)) {
      // Text between blocks explains them (RFC 7468 §2); a line that only looks like a boundary does not.
      if (text.charCodeAt(at) !== DASH || !text.startsWith(DASHES, at)) continue;
      const [, kind, name = ''] = BOUNDARY.exec(this.#line(at)) ?? [];
      if (kind !== 'BEGIN') {
        const mark = this.#byteOrderMark();
        const alone = text.startsWith(`${DASHES}BEGIN `, at) ? ' alone on its line' : '';
        const found = mark ?? `${quote(this.#line(at))}${this.#begunBefore(at)}`;
        this.fail(mark === undefined ? at : 0, `-----BEGIN ${label}-----${alone}`, found);
      }
      if (!FORMS[label].labels.includes(name)) this.fail(at, `a block labelled ${label}`, quote(name));
      this.#open = name;
      return this.#nextLine(at);
    }
    return undefined;
  }

  /** The block whose first line begins at `from`, and where the line after its END begins. */
  block(from: number): { readonly octets: Uint8Array; readonly next: number } {
    const text = this.#text;
    let digits = 0;
    let padding = 0;
    let lineStart = from;
    let at = from;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      const kind = code < 256 ? CLASSES[code] : OTHER;
      if (kind === BASE64) {
        if (padding > 0) this.#failLine(at, `-----END ${this.#open}----- after the padding`);
        digits++;
      } else if (kind === PADDING) padding++;
      else if (kind === BLANK) {
        if (code === LF || code === CR) lineStart = at + 1;
      } else if (code === DASH && at === lineStart && text.startsWith(DASHES, at)) break;
      else this.#failLine(at, 'base64');
    }
    if (at >= text.length) this.fail(text.length, `-----END ${this.#open}-----`, 'the end');
    const [, kind, name] = BOUNDARY.exec(this.#line(at)) ?? [];
    if (kind !== 'END' || name !== this.#open) {
      this.fail(at, `-----END ${this.#open}-----`, kind === 'BEGIN' ? 'another BEGIN' : quote(this.#line(at)));
    }
    // Node skips what is no base64, and ends where it ends: that it was whole is seen here (RFC 4648 §3.5 stray bits too).
    const octets = new Uint8Array(Buffer.from(text.slice(from, at), 'base64'));
    const whole = padding <= 2 && digits > 0 && (digits + padding) % 4 === 0 && octets.length === (digits * 3) >> 2;
    if (!whole || strayBits(octets, text, at, padding)) {
      this.fail(at, 'padded base64 above', `${digits + padding} characters that are not`);
    }
    return { octets, next: this.#nextLine(at) };
  }

  fail(at: number, expected: string, found: string): never {
    throw new MalformedPem(`line ${this.#lineNumber(at)}: expected ${expected}, found ${found}`);
  }

  /** What stands where no block does, in the words of somebody who looks at the file in an editor. */
  insteadOfBlocks(): string {
    const at = this.#text.indexOf(`${DASHES}BEGIN `);
    if (this.#text.trim() === '') return 'nothing';
    const inside = at < 0 ? 'no PEM block' : `it in the middle of line ${this.#lineNumber(at)}: it must begin the line`;
    return this.#byteOrderMark() ?? inside;
  }

  /** An END without a block above it: quotes or a key (`Cert="-----BEGIN ...`) stand in front of its beginning. */
  #begunBefore(at: number): string {
    const begun = this.#text.slice(0, at).lastIndexOf(`${DASHES}BEGIN `);
    return begun < 0
      ? ''
      : `, and a beginning in the middle of line ${this.#lineNumber(begun)}: it must begin the line`;
  }

  /** As a character, or as the octets of a file. */
  #byteOrderMark(): string | undefined {
    const head = this.#text.slice(0, 3);
    if (head.startsWith('\ufeff') || head === '\xef\xbb\xbf') {
      return 'a byte-order mark in front of it (EF BB BF): save the text without one';
    }
    return head.startsWith('\xff\xfe') || head.startsWith('\xfe\xff') ? 'UTF-16 (a byte-order mark)' : undefined;
  }

  #failLine(at: number, expected: string): never {
    const start = Math.max(this.#text.lastIndexOf('\n', at), this.#text.lastIndexOf('\r', at)) + 1;
    this.fail(at, expected, quote(this.#line(start)));
  }

  /** The line that begins here, cut where it is too long for a boundary. */
  #line(start: number): string {
    const text = this.#text.slice(start, start + MOST_BOUNDARY);
    return /^[^\r\n]*/.exec(text)?.[0] ?? '';
  }

  /** Where the next line begins; both CR and LF end one, together and alone. */
  #nextLine(from: number): number {
    const text = this.#text;
    let at = from;
    while (at < text.length && text.charCodeAt(at) !== LF && text.charCodeAt(at) !== CR) at++;
    return text.charCodeAt(at) === CR && text.charCodeAt(at + 1) === LF ? at + 2 : at + 1;
  }

  /** Counts lines only once something is wrong. */
  #lineNumber(at: number): number {
    let line = 1;
    for (let start = this.#nextLine(0); start <= at && start < this.#text.length; start = this.#nextLine(start)) line++;
    return line;
  }
}

/** Whether the last digit holds bits that belong to no octet. */
function strayBits(octets: Uint8Array, text: string, end: number, padding: number): boolean {
  if (padding === 0) return false;
  const tail = Buffer.from(octets.subarray(octets.length - ((octets.length - 1) % 3) - 1)).toString('base64');
  const last = tail.at(-1 - padding) ?? '';
  for (let at = end - 1; at >= 0; at--) {
    if (CLASSES[text.charCodeAt(at)] === BASE64) return text[at] !== last;
  }
  return true;
}

function quote(text: string): string {
  return JSON.stringify(shortened(text));
}

/** PEM text of one DER value. */
export function writePem(der: Uint8Array, label = 'CERTIFICATE'): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
