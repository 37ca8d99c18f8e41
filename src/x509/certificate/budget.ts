/**
 * The work one verification may cost. A certificate collection that an attacker chose (cross-certificates in a mesh,
 * thousands of CAs of one name, names under constraints) must end in an answer, not in a hang.
 *
 * Work is counted in microseconds that each operation was measured to take, not by the clock: one input has one answer,
 * on a busy machine and on the second time too, when much is remembered.
 */

import { keysOf } from '../../typed.js';

/** What work is spent on. */
export type WorkKind = 'signatures' | 'issuers' | 'names' | 'policies' | 'revocation';

/** Far above any real path (a mesh of ten cross-certified CAs takes a tenth), and as long as a question may wait. */
export const DEFAULT_BUDGET = 50_000;

/** Thrown by `spend`, caught by verifyPath, which turns it into the reason `path-budget`. */
export class BudgetExhausted extends Error {
  override readonly name = 'BudgetExhausted';
  constructor(
    readonly limit: number,
    /** On what most of it was spent. */
    readonly kind: WorkKind,
  ) {
    super(`more than ${limit / 1000} ms of work, most of it on ${kind}`);
  }
}

/** What one question may cost, counted by kind of work in microseconds; spent, it throws BudgetExhausted. */
export class Budget {
  readonly #limit: number;

  readonly #used: Record<WorkKind, number> = { signatures: 0, issuers: 0, names: 0, policies: 0, revocation: 0 };
  #sum = 0;
  readonly #done = new WeakMap<object, Set<string>>();

  /** `limit`: microseconds of work. */
  constructor(limit: number = DEFAULT_BUDGET) {
    this.#limit = limit;
  }

  spend(kind: WorkKind, microseconds: number): void {
    this.#used[kind] += microseconds;
    this.#sum += microseconds;
    if (this.#sum <= this.#limit) return;
    const most = keysOf(this.#used).reduce((a, b) => (this.#used[b] > this.#used[a] ? b : a));
    throw new BudgetExhausted(this.#limit, most);
  }

  /** Spends for work that is done once in a verification, however often its outcome is asked for. */
  spendOnce(kind: WorkKind, on: object, what: string, microseconds: () => number): void {
    const known = this.#done.get(on);
    if (known?.has(what)) return;
    this.spend(kind, microseconds());
    if (known === undefined) this.#done.set(on, new Set([what]));
    else known.add(what);
  }
}
