import type { Logger } from '../../log/index.js';
import type { ExpiryKind, ExpiryRow } from './expiry.js';
import { noticeOf } from './notices.js';

/** Observed pins are the certificates of partners again, and old ones among them; CRLs have a watch of their own. */
const TOLD_ELSEWHERE: ReadonlySet<ExpiryKind> = new Set(['pin-observed', 'crl']);

/**
 * Tells the operator of what ends while there is time to do something about it: once at each notice, and once when it
 * has ended.
 */
export class ExpiryWatch {
  readonly #log: Pick<Logger, 'warn' | 'error'>;
  /** What was told of last, by what it was told of. */
  readonly #told = new Map<string, number>();

  constructor(log: Pick<Logger, 'warn' | 'error'>) {
    this.#log = log;
  }

  /** Yields after each row: a policy of thousands may end on one day. @param rows what ends within the longest notice */
  *look(rows: readonly ExpiryRow[], now: number): Generator<undefined, void> {
    const present = new Set<string>();
    for (const row of rows) {
      yield;
      if (TOLD_ELSEWHERE.has(row.what)) continue;
      const { what, agreement, subject, ends, days, state } = row;
      const reached = noticeOf(row, now);
      if (reached === undefined) continue;
      // On the last day once more, and when it has ended.
      const notice = state === 'ended' ? -1 : reached === 1 && days === 0 ? 0 : reached;
      const key = [what, agreement, subject, ends].join('\n');
      if (present.has(key)) continue;
      present.add(key);
      if (notice >= (this.#told.get(key) ?? Number.POSITIVE_INFINITY)) continue;
      this.#told.set(key, notice);
      const facts = { what, agreement, subject, ends: new Date(ends).toISOString(), days };
      if (state === 'ended') this.#log.error('something that trust rests on has ended', facts);
      else this.#log.warn('something that trust rests on ends soon', facts);
    }
    for (const key of this.#told.keys()) if (!present.has(key)) this.#told.delete(key);
  }
}
