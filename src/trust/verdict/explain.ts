/** Every answer can be explained: the checks in order, what was compared, the outcome, the clause (design rule 10). */

import { type Finding, reason } from '../../reasons.js';
import type { Check, Verdict } from './verdict.js';

export interface Explanation {
  /** One line: the verdict, the code of the most telling reason and what it means. Its detail stands in a check. */
  readonly summary: string;
  readonly checks: readonly (Check & { readonly step: number })[];
  readonly reasons: readonly {
    readonly code: string;
    readonly text: string;
    readonly detail: string;
    readonly clause: string;
  }[];
}

/**
 * The explanation of a verdict, with the findings of a message plan first where there is one.
 * @param refused whether that plan refuses the message, whoever sent it
 */
export function explain(verdict: Verdict, planFindings: readonly Finding[] = [], refused = false): Explanation {
  const findings = [...planFindings, ...verdict.findings];
  const first = findings[0];
  const because = first === undefined ? '' : `: ${first.code}, ${reason(first.code).text}`;
  const { would } = verdict;
  const monitored = would === undefined ? '' : `; the agreement is only monitored, and would say ${would.verdict}`;
  return {
    summary: `${verdict.verdict}${refused ? ', and the message is refused' : ''}${because}${monitored}`,
    checks: [...verdict.checks, ...planFindings.map((finding, at) => messageCheck(finding, refused && at === 0))].map(
      (check, index) => ({
        step: index + 1,
        ...check,
      }),
    ),
    reasons: findings.map(({ code, detail }) => {
      const { text, clause } = reason(code);
      return { code, text, detail, clause };
    }),
  };
}

/** What was found in the message itself, behind the checks of who sent it. */
function messageCheck({ code, detail }: Finding, refuses: boolean): Check {
  const { clause, severity } = reason(code);
  const outcome = severity === 'info' && !refuses ? 'note' : 'fail';
  return { name: `message, ${code}`, compared: detail, outcome, clause };
}
