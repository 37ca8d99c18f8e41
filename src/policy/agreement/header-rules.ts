/** Header overrides of an agreement: which ones can be made at all is said by the header table (sip/table/boundary.ts). */

import { z } from 'zod';
import { fieldKey, isToken } from '../../sip/grammar/index.js';
import { overrideProblems } from '../../sip/table/index.js';
import type { HeaderAction } from '../../trust/agreement/index.js';
import type { Site } from '../reading/index.js';

const ACTION = z.enum(['keep', 'remove', 'anonymise']);

export const HEADERS = z
  .record(z.string(), z.strictObject({ in: ACTION.optional(), out: ACTION.optional() }))
  .describe('a mapping from header field to {in, out}');

type HeaderRules = ReadonlyMap<string, { readonly in?: HeaderAction; readonly out?: HeaderAction }>;

/** The overrides of one agreement, keyed by lower-case long field name. */
export function readHeaders(given: z.infer<typeof HEADERS> | undefined, site: Site): HeaderRules {
  const rules = new Map<string, { in?: HeaderAction; out?: HeaderAction }>();
  for (const [name, actions] of Object.entries(given ?? {})) {
    const key = fieldKey(name);
    const here = site.at(name);
    if (!isToken(name)) {
      here.report('header-rule', 'expected the name of a header field (RFC 3261 §7.3.1)', 'key');
    } else if (rules.has(key)) {
      here.report('duplicate-key', `expected one rule for ${key}, found a second under another spelling`, 'key');
    }
    const rule: { in?: HeaderAction; out?: HeaderAction } = {};
    for (const direction of ['in', 'out'] as const) {
      const action = actions[direction];
      if (action === undefined) continue;
      rule[direction] = action;
      const fault = ruleFault(key, direction, action);
      if (fault !== undefined) here.at(direction).report('header-rule', `${fault}; found ${action}`);
    }
    if (rule.in === undefined && rule.out === undefined) {
      here.report('missing-key', 'expected in, out or both, found neither', 'key');
    }
    rules.set(key, rule);
  }
  return rules;
}

function ruleFault(key: string, direction: 'in' | 'out', action: HeaderAction): string | undefined {
  // Who takes the Privacy header off in front of the next network makes it keep P-Asserted-Identity against the wish
  // of the user: the rule that rulebook §5.5 wants to be unreachable, by the back door.
  if (key === 'privacy' && action !== 'keep') {
    return 'expected keep: without it the next network keeps P-Asserted-Identity against "Privacy: id" (RFC 3323 §5)';
  }
  return overrideProblems(new Map([[key, { [direction]: action }]]))[0]?.problem;
}
