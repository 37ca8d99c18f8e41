/** The words of an SQL dump, as mysqldump, pg_dump and sqlite3 write them. */

export type SqlToken =
  /** A bare word, a number or a quoted identifier. */
  | { readonly kind: 'word'; readonly text: string; readonly line: number; readonly quoted: boolean }
  | { readonly kind: 'string'; readonly text: string; readonly line: number }
  | { readonly kind: 'mark'; readonly text: string; readonly line: number };

const WORD = /[A-Za-z0-9_$.+-]+/y;
/** What MySQL writes after a backslash, where it is not the character itself. */
const MYSQL_ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', '0': '\0', Z: '\x1a' };

/** Walks over a dump, one character after the other and none twice. */
export class SqlLexer {
  readonly #text: string;
  readonly #backslashes: boolean;
  #at = 0;
  #line = 1;

  /** @param backslashes whether a backslash in a string escapes what follows, as in MySQL */
  constructor(text: string, backslashes: boolean) {
    this.#text = text;
    this.#backslashes = backslashes;
  }

  get line(): number {
    return this.#line;
  }

  /** The next token; undefined at the end. */
  next(): SqlToken | undefined {
    for (;;) {
      const char = this.#text[this.#at];
      if (char === undefined) return undefined;
      if (char === '\n') this.#line++;
      if (/\s/.test(char)) this.#at++;
      else if (this.#comment()) continue;
      else return this.#token(char);
    }
  }

  /** The rest of this line is left, and the lines up to `\.` are given: the rows of COPY. */
  *copyRows(): Generator<{ readonly line: number; readonly text: string }> {
    this.#skipTo('\n');
    for (;;) {
      if (this.#at >= this.#text.length) return;
      const end = this.#text.indexOf('\n', this.#at);
      const stop = end < 0 ? this.#text.length : end;
      const text = this.#text.slice(this.#at, stop).replace(/\r$/, '');
      const line = this.#line;
      this.#at = stop + 1;
      this.#line++;
      if (text === '\\.') return;
      yield { line, text };
    }
  }

  /** Leaves out what stands up to the end of the statement. */
  skipStatement(): void {
    for (let token = this.next(); token !== undefined; token = this.next()) {
      if (token.kind === 'mark' && token.text === ';') return;
    }
  }

  #comment(): boolean {
    const first = this.#text[this.#at];
    const second = this.#text[this.#at + 1];
    if ((first === '-' && second === '-') || (first === '#' && this.#backslashes)) this.#skipTo('\n');
    else if (first === '/' && second === '*') this.#skipTo('*/');
    else return false;
    return true;
  }

  /** Behind the next `mark`, or at the end. */
  #skipTo(mark: string): void {
    const found = this.#text.indexOf(mark, this.#at);
    const end = found < 0 ? this.#text.length : found + mark.length;
    this.#countLines(this.#at, end);
    this.#at = end;
  }

  #countLines(from: number, to: number): void {
    // Not by indexOf(): where no line ends any more it would look through the rest of the text each time.
    for (let at = from; at < to; at++) if (this.#text.charCodeAt(at) === 0x0a) this.#line++;
  }

  #token(char: string): SqlToken {
    const line = this.#line;
    if (char === "'") return { kind: 'string', text: this.#string(this.#backslashes), line };
    // PostgreSQL: E'...' has backslashes whatever the setting is.
    if ((char === 'E' || char === 'e') && this.#text[this.#at + 1] === "'") {
      this.#at++;
      return { kind: 'string', text: this.#string(true), line };
    }
    if (char === '`' || char === '"') return { kind: 'word', text: this.#quotedName(char), line, quoted: true };
    WORD.lastIndex = this.#at;
    const text = WORD.exec(this.#text)?.[0];
    this.#at += (text ?? char).length;
    return text === undefined ? { kind: 'mark', text: char, line } : { kind: 'word', text, line, quoted: false };
  }

  #quotedName(quote: string): string {
    const end = this.#text.indexOf(quote, this.#at + 1);
    const stop = end < 0 ? this.#text.length : end;
    const name = this.#text.slice(this.#at + 1, stop);
    this.#countLines(this.#at, stop);
    this.#at = stop + 1;
    return name;
  }

  #string(backslashes: boolean): string {
    const parts: string[] = [];
    let from = ++this.#at;
    for (;;) {
      const char = this.#text[this.#at];
      if (char === '\n') this.#line++;
      if (char === undefined) break;
      if (char === "'" && this.#text[this.#at + 1] !== "'") break;
      if (char === "'" || (char === '\\' && backslashes)) {
        const escaped = this.#text[this.#at + 1] ?? '';
        parts.push(this.#text.slice(from, this.#at), char === "'" ? "'" : (MYSQL_ESCAPES[escaped] ?? escaped));
        this.#at += 2;
        from = this.#at;
      } else this.#at++;
    }
    parts.push(this.#text.slice(from, this.#at));
    this.#at++;
    return parts.join('');
  }
}
