/**
 * A working copy of a header block: rows are dropped or given new values, and what changed becomes the `remove` and
 * `append` of a plan (design rule 9). Rows of a name that nothing touched stay where they are, byte for byte.
 */

import { asUtf8, type HeaderBlock, type HeaderField, inspectBytes, isControl } from '../../sip/grammar/index.js';
import { canonicalName } from '../../sip/table/index.js';

export interface DraftRow {
  readonly field: HeaderField;
  /** As received (unfolded), or as edited; latin1. */
  readonly value: string;
}

interface Entry {
  readonly field: HeaderField;
  value: string;
  dropped: boolean;
}

/** The header block on its way to the plan: fields that stay, go or are edited. */
export class Draft {
  readonly #byKey = new Map<string, Entry[]>();
  /** By the line that the row begins in. */
  readonly #byLine = new Map<number, Entry>();
  readonly #touched = new Set<string>();

  constructor({ fields }: Pick<HeaderBlock, 'fields'>) {
    for (const field of fields) {
      const entry = { field, value: field.value, dropped: false };
      this.#byLine.set(field.line, entry);
      const entries = this.#byKey.get(field.key);
      if (entries === undefined) this.#byKey.set(field.key, [entry]);
      else entries.push(entry);
    }
  }

  /** Keys of all fields that the message was received with. */
  get keys(): readonly string[] {
    return [...this.#byKey.keys()];
  }

  /** The rows of a field that are still there, in order. */
  rows(key: string): readonly DraftRow[] {
    return (this.#byKey.get(key) ?? []).filter(({ dropped }) => !dropped);
  }

  has(key: string): boolean {
    return this.rows(key).length > 0;
  }

  /** Was the field there, and is no row of it left? */
  isGone(key: string): boolean {
    return this.#byKey.has(key) && !this.has(key);
  }

  removeAll(key: string): void {
    for (const entry of this.#byKey.get(key) ?? []) this.drop(entry);
  }

  drop(row: DraftRow): void {
    const entry = this.#byLine.get(row.field.line);
    if (entry === undefined || entry.dropped) return;
    entry.dropped = true;
    this.#touched.add(entry.field.key);
  }

  /** Gives a row a new value; the empty value drops it. */
  set(row: DraftRow, value: string): void {
    const entry = this.#byLine.get(row.field.line);
    if (entry === undefined || entry.value === value) return;
    if (value === '') {
      this.drop(row);
      return;
    }
    entry.value = value;
    this.#touched.add(entry.field.key);
  }

  /** Runs an edit over each row of a field: new value, or undefined to drop the row whatever it holds. */
  edit(key: string, change: (value: string) => string | undefined): void {
    for (const row of this.rows(key)) {
      const value = change(row.value);
      if (value === undefined) this.drop(row);
      else this.set(row, value);
    }
  }

  /**
   * The edits. A row that may not be echoed is left out and reported in `unsendable`. `irregular`: keys of which a row
   * has a name that the proxy's own functions do not find, so that no list of removals reaches it.
   */
  finish(): {
    readonly remove: readonly string[];
    readonly append: readonly string[];
    readonly unsendable: readonly string[];
    readonly irregular: readonly string[];
  } {
    const remove: string[] = [];
    const append: string[] = [];
    const unsendable: string[] = [];
    const irregular: string[] = [];
    for (const [key, entries] of this.#byKey) {
      if (!this.#touched.has(key)) continue;
      const name = canonicalName(key, entries[0]?.field.name ?? key);
      if (entries.some(({ field }) => !field.regular)) irregular.push(key);
      remove.push(name);
      for (const { dropped, value: received } of entries) {
        if (dropped) continue;
        const value = asUtf8(received);
        if (isSendable(value)) append.push(`${name}: ${value}`);
        else unsendable.push(key);
      }
    }
    return { remove, append, unsendable, irregular };
  }
}

/** P-14: no CR, LF, NUL or other control byte goes into an answer, and JSON can carry nothing but UTF-8. */
export function isSendable(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (isControl(text.charCodeAt(i))) return false;
  const { invalidUtf8, unicodeLineBreak } = inspectBytes(text);
  return !invalidUtf8 && !unicodeLineBreak;
}
