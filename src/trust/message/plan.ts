/** What the script must do to one message: reject it, or remove rows and append rows (design rule 9). */

import type { Finding } from '../../reasons.js';

export interface Plan {
  readonly action: 'continue' | 'reject';
  readonly code: number;
  readonly phrase: string;
  /** Field names; every row of each goes, compact forms too. Only names that the proxy's own functions can remove. */
  readonly remove: readonly string[];
  /** Whole header lines without line ends, appended after the removals. */
  readonly append: readonly string[];
  /** New Request-URI, or empty. */
  readonly ruri: string;
  readonly findings: readonly Finding[];
  /** Kebab-case remarks that ask for nothing (`none-overridden`, `needs-b2bua`, ...). */
  readonly flags: readonly string[];
  /** Where the agreement is only monitored, and the message passes as it is: the plan that it would have had. */
  readonly would?: Plan;
}

/** What a plan comes to, for counting. */
export function outcomeOf({ action, remove, append, ruri }: Plan): 'as-is' | 'edited' | 'refused' {
  if (action === 'reject') return 'refused';
  return remove.length + append.length === 0 && ruri === '' ? 'as-is' : 'edited';
}
