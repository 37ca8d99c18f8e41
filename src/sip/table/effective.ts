/** The header table under one agreement, with its overrides: which can be made, and what comes of them. */

import { asciiLower } from '../grammar/index.js';
import { BOUNDARY_RULES } from './boundary.js';
import { FUNDAMENTAL } from './fields.js';
import { header, keep } from './row.js';
import {
  type Action,
  actionOf,
  type BoundaryRule,
  coversField,
  type Hook,
  hookClass,
  hookDirection,
  type Interconnect,
  isFixed,
  type Overrides,
  type PrivacyMode,
  type Stance,
  strangerStance,
} from './rules.js';

/** One row as it stands for one agreement (or for a stranger), for showing. */
export interface EffectiveRule {
  readonly rule: BoundaryRule;
  readonly in: Action;
  readonly out: Action;
  /** undefined: there is no agreement, so nobody is trusted. */
  readonly trustedIn: Action | undefined;
  readonly trustedOut: Action | undefined;
  /** Which of the four an override of the agreement has changed. */
  readonly overridden: readonly Column[];
}

export type Column = 'in' | 'out' | 'trustedIn' | 'trustedOut';

/** What of an agreement bears on the table. */
export interface HeaderTerms {
  readonly interconnect: Interconnect;
  readonly privacy: PrivacyMode;
  readonly headers: Overrides;
}

/** The table with rows for names that an agreement speaks of and the table does not. */
export function rulesFor(overrides: Overrides): readonly BoundaryRule[] {
  const known = new Set(BOUNDARY_RULES.map(({ name }) => asciiLower(name)));
  const added = [...overrides.keys()].filter((name) => !known.has(name)).map(addedRule);
  // Before the prefix rows: the first row that covers a name decides.
  return added.length === 0 ? BOUNDARY_RULES : [...added, ...BOUNDARY_RULES];
}

function addedRule(name: string): BoundaryRule {
  const prefix = BOUNDARY_RULES.find(
    (row) => row.name.endsWith('*') && row.kind === 'header' && coversField(row, name),
  );
  return { ...(prefix ?? header('-', name, 'D', '', keep)), name, row: '-', clause: 'operator policy' };
}

/** The table as it is in force under an agreement, or towards strangers in the given mode. */
export function effectiveRules(
  agreement: HeaderTerms | undefined,
  strangerMode: PrivacyMode = 'strict33203',
): readonly EffectiveRule[] {
  const overrides: Overrides = agreement?.headers ?? new Map();
  const { overrides: none, ...stranger } = strangerStance(strangerMode);
  const stance =
    agreement === undefined ? stranger : { ...stranger, interconnect: agreement.interconnect, mode: agreement.privacy };
  const columns = (row: BoundaryRule, by: Overrides) => {
    const untrusted = { ...stance, trusted: false, overrides: by };
    const trusted = { ...untrusted, trusted: true };
    return {
      in: actionOf(row, 'in', untrusted),
      out: actionOf(row, 'out', untrusted),
      trustedIn: agreement === undefined ? undefined : actionOf(row, 'in', trusted),
      trustedOut: agreement === undefined ? undefined : actionOf(row, 'out', trusted),
    };
  };
  return rulesFor(overrides).map((row) => {
    const now = columns(row, overrides);
    const without = columns(row, none);
    return { rule: row, ...now, overridden: COLUMNS.filter((column) => now[column] !== without[column]) };
  });
}

const COLUMNS: readonly Column[] = ['in', 'out', 'trustedIn', 'trustedOut'];

/** What is wrong with the overrides of an agreement, for the check of the policy file; empty: nothing. */
export function overrideProblems(overrides: Overrides): readonly { readonly name: string; readonly problem: string }[] {
  const problems: { name: string; problem: string }[] = [];
  for (const [name, { in: inbound, out }] of overrides) {
    const rows = BOUNDARY_RULES.filter((row) => asciiLower(row.name) === name);
    if (name === 'p-asserted-identity' && (inbound === 'keep' || out === 'keep')) {
      problems.push({ name, problem: 'P-Asserted-Identity is kept by trust and Privacy alone, never by an override' });
    }
    if ((inbound === 'anonymise' || out === 'anonymise') && name !== 'history-info' && name !== 'diversion') {
      problems.push({ name, problem: 'only History-Info and Diversion can be anonymised' });
    }
    if (FUNDAMENTAL.has(name) && (inbound === 'remove' || out === 'remove')) {
      problems.push({ name, problem: 'a message without this header field is no SIP message' });
    }
    if (name !== 'p-asserted-identity' && rows.some(isFixed) && (inbound === 'keep' || out === 'keep')) {
      problems.push({ name, problem: 'expected remove: this header field has no place at any external border' });
    }
  }
  return problems;
}

/** A row, and what it does at one hook. */
export interface RowAction {
  readonly rule: BoundaryRule;
  readonly action: Action;
}

/** The rows that apply to messages at this hook, in their order. */
export function actionsAt(hook: Hook, stance: Stance): readonly RowAction[] {
  return BOUNDARY_RULES.filter(({ applies }) => applies.includes(hookClass(hook))).map((rule) => ({
    rule,
    action: actionOf(rule, hookDirection(hook), stance),
  }));
}
