import { type Finding, ranked } from '../reasons.js';
import type { Agreement } from './agreement.js';
import type { CoverContext } from './covers.js';
import type { Assurance, Verdict, VerdictScope } from './verdict.js';

/** What the checks came to, before it is put into the words of a verdict. */
export interface Outcome {
  /** What the trust rests on; undefined: there is none. */
  readonly grant: Finding | undefined;
  readonly assurance: Assurance;
  readonly agreement: Agreement | undefined;
  readonly domains: readonly string[];
  /** `close`: nothing may be sent over this connection, or nothing more be heard from it. */
  readonly action: 'continue' | 'close';
  readonly validUntil: number;
  /** Agreements for which the certificate may be recorded as a pin that was observed; absent: none. */
  readonly observes?: readonly string[];
}

export function untrusted(agreement?: Agreement, validUntil: number = Number.POSITIVE_INFINITY): Outcome {
  return { grant: undefined, assurance: 'none', agreement, domains: [], action: 'continue', validUntil };
}

/** SIP answers for a request that meets a refused connection (RFC 3261 §21.4.4, §21.5.4). */
const REFUSED = {
  in: { code: 403, phrase: 'Peer Not Trusted' },
  out: { code: 503, phrase: 'Next Hop Not Trusted' },
} as const;

/** The verdict of an outcome: its words, its findings in rank order, its trail. */
export function decided(outcome: Outcome, per: VerdictScope, { direction, snapshot, trail }: CoverContext): Verdict {
  const notes = ranked(trail.notes);
  const trusted = outcome.grant !== undefined;
  const answer = outcome.action === 'close' ? REFUSED[direction] : { code: 0, phrase: '' };
  return {
    verdict: trusted ? 'trusted' : outcome.action === 'close' ? 'reject' : 'untrusted',
    assurance: outcome.assurance,
    agreement: outcome.agreement,
    domains: outcome.domains,
    findings: outcome.grant === undefined ? [...ranked(trail.failures), ...notes] : [outcome.grant, ...notes],
    action: outcome.action,
    ...answer,
    validUntil: outcome.validUntil,
    revision: snapshot.revision,
    per,
    checks: trail.checks,
    ...(outcome.observes === undefined || outcome.observes.length === 0 ? {} : { observes: outcome.observes }),
  };
}
