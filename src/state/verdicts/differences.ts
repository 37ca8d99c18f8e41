import type { Direction } from '../../trust/agreement/index.js';
import { headerEdits, type Treatment, treatsOtherwise } from '../../trust/verdict/index.js';

/** One kind of difference between two policies, and how often it was met. */
export interface DifferenceRow {
  /** The agreement before, or else after; empty: a stranger. */
  readonly partner: string;
  readonly direction: Direction;
  readonly before: Treatment;
  readonly after: Treatment;
  /** Fields that the static lists take out from now on, and those that they leave from now on. */
  readonly removed: readonly string[];
  readonly kept: readonly string[];
  readonly count: number;
  /** Ids and times (ms) of the first and the last answer. */
  readonly first: { readonly id: string; readonly at: number };
  readonly last: { readonly id: string; readonly at: number };
}

type Counted = { -readonly [Key in keyof DifferenceRow]: DifferenceRow[Key] };

/** Kinds that are told apart; what comes beyond is counted alone. */
const MOST_ROWS = 10_000;

/** What a candidate policy would change, by partner and kind, bounded in rows. */
export class Differences {
  readonly #rows = new Map<string, Counted>();
  #asked = 0;
  #changed = 0;
  #untold = 0;

  /** Counts one question that both policies answered; whether they differ. */
  add(id: string, at: number, direction: Direction, before: Treatment, after: Treatment): boolean {
    this.#asked += 1;
    if (!treatsOtherwise(before, after)) return false;
    this.#changed += 1;
    const key = JSON.stringify([direction, before, after]);
    const known = this.#rows.get(key);
    if (known !== undefined) {
      known.count += 1;
      known.last = { id, at };
      return true;
    }
    if (this.#rows.size >= MOST_ROWS) {
      this.#untold += 1;
      return true;
    }
    const edits = headerEdits(before.profile, after.profile, direction);
    const seen = { count: 1, first: { id, at }, last: { id, at } };
    this.#rows.set(key, { partner: before.agreement || after.agreement, direction, before, after, ...edits, ...seen });
    return true;
  }

  /** Questions, those that are answered otherwise, and those of them that have no row. */
  get counts(): { readonly asked: number; readonly changed: number; readonly untold: number } {
    return { asked: this.#asked, changed: this.#changed, untold: this.#untold };
  }

  /** By partner, the most frequent first; strangers last. */
  rows(): readonly DifferenceRow[] {
    const name = ({ partner }: DifferenceRow) => partner || '\uffff';
    return [...this.#rows.values()]
      .map((row) => ({ ...row }))
      .sort((a, b) => (name(a) === name(b) ? b.count - a.count : name(a) < name(b) ? -1 : 1));
  }
}
