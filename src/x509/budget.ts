/**
 * The work one verification may cost. A certificate collection that an attacker chose (cross-certificates in a mesh,
 * thousands of names under thousands of constraints) must end in an answer, not in a hang.
 */

/** What is counted, and how much of it one call may use. */
export interface BudgetLimits {
  /** Public-key operations. */
  readonly signatures: number;
  /** Certificates tried as the next issuer of a path. */
  readonly steps: number;
  /** One name compared with one name constraint. */
  readonly comparisons: number;
}

/** Far above any real path (a mesh of ten cross-certified CAs takes dozens), a few tens of milliseconds at most. */
export const DEFAULT_BUDGET: BudgetLimits = { signatures: 120, steps: 20_000, comparisons: 250_000 };

/** Thrown by `spend`, caught by verifyPath, which turns it into the reason `path-budget`. */
export class BudgetExhausted extends Error {
  override readonly name = 'BudgetExhausted';
  constructor(
    readonly kind: keyof BudgetLimits,
    readonly limit: number,
  ) {
    super(`more than ${limit} ${kind}`);
  }
}

export class Budget {
  private readonly used: Record<keyof BudgetLimits, number> = { signatures: 0, steps: 0, comparisons: 0 };

  constructor(private readonly limits: BudgetLimits = DEFAULT_BUDGET) {}

  spend(kind: keyof BudgetLimits, amount = 1): void {
    this.used[kind] += amount;
    if (this.used[kind] > this.limits[kind]) throw new BudgetExhausted(kind, this.limits[kind]);
  }
}
