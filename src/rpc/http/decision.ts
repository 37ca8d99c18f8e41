/** An answer as operators see it in `decision.list` and in the stream of decisions. */

import { z } from 'zod';
import { maskIdentities, maskMessageText } from '../../log/index.js';
import { shortened } from '../../printable.js';
import type { Answer } from '../../state/verdicts/index.js';
import { namesWithin } from '../../trust/agreement/index.js';
import { instant } from '../../x509/der/index.js';

/** Characters of a detail, which may quote what a peer sent. */
const MOST_DETAIL = 300;

/** Which answers somebody wants to see: those that all of these fit. */
export const DECISION_FILTER = {
  /** In any field, whatever the case. */
  match: z.string().max(200).optional(),
  verdict: z.enum(['trusted', 'untrusted', 'reject']).optional(),
  method: z.enum(['trust.peer', 'trust.message']).optional(),
  /** Empty: strangers. */
  agreement: z.string().max(200).optional(),
} as const;

const filter = z.object(DECISION_FILTER);
export type DecisionFilter = z.output<typeof filter>;

/** User parts of identities are as little seen here as in logs, where `mask` is on. */
export function decisionRow({ id, at, question, verdict, findings }: Answer, mask: boolean) {
  const first = findings[0] ?? verdict.findings[0];
  const hide = findings[0] === undefined ? maskIdentities : maskMessageText;
  // Masked before it is cut: half of a quotation does not look like one.
  const whole = mask ? hide(first?.detail ?? '') : (first?.detail ?? '');
  return {
    id,
    time: instant(at),
    method: question?.method ?? '',
    direction: question?.direction ?? '',
    agreement: verdict.agreement?.name ?? '',
    verdict: verdict.verdict,
    action: question?.action ?? verdict.action,
    reason: first?.code ?? '',
    detail: shortened(whole, MOST_DETAIL),
    source: question?.source ?? '',
    next_hop: mask ? maskIdentities(question?.nextHop ?? '') : (question?.nextHop ?? ''),
  };
}

export type DecisionRow = ReturnType<typeof decisionRow>;

/** Where `match` is looked for. */
export function wordsOf(row: DecisionRow): string {
  return Object.values(row).join('\n').toLowerCase();
}

/** Whether a decision passes a filter of the stream. */
export function fits(row: DecisionRow, { match = '', verdict, method, agreement }: DecisionFilter): boolean {
  if (verdict !== undefined && row.verdict !== verdict) return false;
  if (method !== undefined && row.method !== method) return false;
  if (agreement !== undefined && !namesWithin(row.agreement).includes(agreement)) return false;
  return match === '' || wordsOf(row).includes(match.toLowerCase());
}
