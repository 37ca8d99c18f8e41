import { type Finding, ranked, reason } from '../../reasons.js';
import type { Agreement } from '../agreement/index.js';
import type { Trail } from './trail.js';
import type { Assurance, Check, Verdict, VerdictScope } from './verdict.js';

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
  /** The peer is who it says, whether or not it is trusted; absent: no more than `grant` says. */
  readonly proven?: boolean;
  /** Agreements for which the certificate may be recorded as a pin that was observed; absent: none. */
  readonly observes?: readonly string[];
}

/** Nobody to trust, and nothing refused. */
export function untrusted(agreement?: Agreement, validUntil: number = Number.POSITIVE_INFINITY): Outcome {
  return { grant: undefined, assurance: 'none', agreement, domains: [], action: 'continue', validUntil };
}

/** SIP answers for a request that meets a refused connection (RFC 3261 §21.4.4, §21.5.4). */
const REFUSED = {
  in: { code: 403, phrase: 'Peer Not Trusted' },
  out: { code: 503, phrase: 'Next Hop Not Trusted' },
} as const;

/** Of the decision that an outcome belongs to. */
interface Decision {
  readonly direction: 'in' | 'out';
  readonly snapshot: { readonly revision: number };
  readonly trail: Trail;
}

/** The verdict of an outcome: its words, its findings in rank order, its trail. */
export function decided(outcome: Outcome, per: VerdictScope, { direction, snapshot, trail }: Decision): Verdict {
  const notes = ranked(trail.notes);
  const trusted = outcome.grant !== undefined;
  const answer = outcome.action === 'close' ? REFUSED[direction] : { code: 0, phrase: '' };
  const verdict: Verdict = {
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
  return outcome.agreement?.enforcement === 'monitor'
    ? monitored(verdict, outcome.agreement, trusted || outcome.proven === true)
    : verdict;
}

/**
 * What is only monitored changes no call: nothing is refused, closed or taken out of the messages of a peer that proved
 * to be the partner. Who only claims its name is a stranger, as it would be without the agreement: otherwise anybody
 * could get past the boundary by the name of a network that is being tried out.
 */
function monitored(verdict: Verdict, { name }: Agreement, passes: boolean): Verdict {
  const [first] = verdict.findings;
  const { action, code, phrase } = verdict;
  const would = { verdict: verdict.verdict, action, code, phrase };
  const trusted = verdict.verdict === 'trusted';
  const outcome = trusted
    ? 'would be trusted'
    : `would be ${verdict.verdict}${first === undefined ? '' : ` (${first.code})`}`;
  const effect = passes ? 'its messages pass as they are' : 'it did not prove to be this network and is a stranger';
  const finding: Finding = {
    code: 'monitor-only',
    detail: `agreement ${name}, enforcement: monitor: the peer ${outcome}; ${effect}`,
  };
  const check: Check = {
    name: 'enforcement',
    compared: finding.detail,
    outcome: trusted ? 'fail' : 'note',
    clause: reason('monitor-only').clause,
  };
  return {
    ...verdict,
    ...{ verdict: 'untrusted', assurance: 'none', domains: [], action: 'continue', code: 0, phrase: '' },
    findings: trusted ? [finding, ...verdict.findings.slice(1)] : [...verdict.findings, finding],
    checks: [...verdict.checks, check],
    would: { ...would, reason: first?.code, passes },
  };
}
