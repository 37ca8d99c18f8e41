/** A place in a text that goes forward line by line, as the quick reader of YAML sees lines. */

const SPACE = 32;
const LINE = 10;
const HASH = 35;
const DASH = 45;

/** Thrown where a text is not plain; caught by readPlainYaml(). */
export class NotPlain extends Error {}

/** @throws {NotPlain} */
export function fail(): never {
  throw new NotPlain();
}

export class Cursor {
  readonly text: string;
  /** Offset into the text. */
  at: number;
  /** Of the line that `at` is in. */
  lineStart: number;

  constructor(text: string, at = 0, lineStart = 0) {
    this.text = text;
    this.at = at;
    this.lineStart = lineStart;
  }

  /** Of the character at hand; NaN at the end. */
  get code(): number {
    return this.text.charCodeAt(this.at);
  }

  /** Whether nothing but a comment stands here up to the end of the line. */
  get isAtLineEnd(): boolean {
    const { code } = this;
    return code === LINE || code === HASH || this.indent === -1;
  }

  skipBlanks(): void {
    const { text } = this;
    let { at } = this;
    while (text.charCodeAt(at) === SPACE) at++;
    this.at = at;
  }

  /** Indentation of what stands here, or -1 at the end. */
  get indent(): number {
    return this.at >= this.text.length ? -1 : this.at - this.lineStart;
  }

  /** Whether an entry of a block list begins here. */
  get isAtDash(): boolean {
    return this.code === DASH && this.text.charCodeAt(this.at + 1) === SPACE;
  }

  /** Goes to what stands behind a dash. */
  skipDash(): void {
    this.at++;
    this.skipBlanks();
  }

  /** Goes to the next line that holds more than a comment; its indentation, or -1 at the end. */
  nextLine(): number {
    for (;;) {
      this.lineStart = this.at;
      this.skipBlanks();
      const { indent } = this;
      if (indent === -1 || !this.isAtLineEnd) return indent;
      this.#skipLine();
    }
  }

  /**
   * Nothing but blanks and a comment stand until the end of the line; goes to the next one that holds something.
   * @throws {NotPlain}
   */
  endOfLine(): number {
    this.skipBlanks();
    const isGlued = this.code === HASH && this.text.charCodeAt(this.at - 1) !== SPACE;
    if (!this.isAtLineEnd || isGlued) fail();
    this.#skipLine();
    return this.nextLine();
  }

  #skipLine(): void {
    const end = this.text.indexOf('\n', this.at);
    this.at = end === -1 ? this.text.length : end + 1;
  }
}
