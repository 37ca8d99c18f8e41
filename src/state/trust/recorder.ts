import { type DecisionLog, maskIdentities, maskMessageText } from '../../log/index.js';
import { reason } from '../../reasons.js';
import { namesWithin, type Snapshot } from '../../trust/agreement/index.js';
import type { Evidence } from '../../trust/evidence/index.js';
import { outcomeOf, type Plan } from '../../trust/message/index.js';
import { treatmentOf, type Verdict } from '../../trust/verdict/index.js';
import { PeerCertificates, type Pins, sentAuthority } from '../pins/index.js';
import type { KeptCertificates } from '../store/index.js';
import {
  type Alarmed,
  Alarms,
  type Answer,
  type Counters,
  Partners,
  type Question,
  questionOf,
  RecentAnswers,
} from '../verdicts/index.js';
import type { CandidateSlot } from './candidate-slot.js';

/** Who is told of each answer. */
export interface Listeners {
  readonly policy: { readonly snapshot: Snapshot };
  readonly counters: Counters;
  readonly decisions: Pick<DecisionLog, 'write'>;
  readonly candidate: Pick<CandidateSlot, 'observe'>;
  readonly pins: Pick<Pins, 'observe'> | undefined;
  /** undefined: certificates are not kept. */
  readonly kept: Pick<KeptCertificates, 'observe'> | undefined;
  readonly now: () => number;
}

/** Answers get an id, are counted, and are told to whoever has to hear of them. */
export class Recorder {
  readonly recent = new RecentAnswers();
  readonly partners = new Partners();
  readonly peers: PeerCertificates;
  readonly alarms: Alarms;
  readonly #to: Listeners;

  constructor(to: Listeners) {
    this.#to = to;
    this.peers = new PeerCertificates(to.now);
    this.alarms = new Alarms(to.now);
  }

  /** Gives an answer its id, counts it and writes it to the decision log. */
  record(method: 'trust.peer' | 'trust.message', evidence: Evidence, verdict: Verdict, plan?: Plan): Answer {
    const { decisions, candidate, policy, now } = this.#to;
    const question = questionOf(method, evidence, plan ?? verdict);
    const answer = this.recent.add(now(), verdict, plan, question);
    this.partners.observe(question, answer, evidence.connectionId);
    this.#count(method, evidence, verdict, plan);
    const whom = () => alarmed(answer.id, question, verdict);
    this.alarms.tell(verdict.findings, whom);
    if (plan !== undefined) this.alarms.tell((plan.would ?? plan).findings, whom, maskMessageText);
    const treatment = method === 'trust.peer' ? treatmentOf(verdict, policy.snapshot) : undefined;
    const decision = { method, id: answer.id, at: answer.at, evidence, verdict, plan, treatment };
    decisions.write(decision);
    if (treatment !== undefined) candidate.observe({ ...decision, treatment });
    this.#showCertificates(evidence, verdict);
    return answer;
  }

  #count(method: string, { direction }: Evidence, verdict: Verdict, plan: Plan | undefined): void {
    const { counters } = this.#to;
    const { agreement, findings, would } = verdict;
    counters.add(`${method}.${verdict.verdict}`);
    const partners = agreement === undefined ? [undefined] : namesWithin(agreement.name);
    for (const partner of partners) counters.verdictCounts.add(partner, direction, verdict.verdict, findings[0]?.code);
    const first = (plan?.findings[0] ?? findings[0])?.code;
    if (first !== undefined) counters.add(`reason.${first}`);
    if (would !== undefined) counters.add(`monitor.${method}.${would.verdict}`);
    if (plan?.would !== undefined) counters.add(`monitor.plan.${outcomeOf(plan.would)}`);
    const judged = plan?.would ?? plan;
    // What was found in a message stands in its order there: whoever writes something lesser in front hides nothing.
    const alarm = judged?.findings.find(({ code }) => reason(code).severity === 'alarm');
    if (judged !== undefined && alarm !== undefined) {
      for (const partner of partners) counters.messageAlarms.add(partner, direction, outcomeOf(judged), alarm.code);
    }
  }

  #showCertificates({ tls, direction }: Evidence, { agreement, observes }: Verdict): void {
    const { kept, pins } = this.#to;
    const certificate = tls?.certificate;
    if (certificate === undefined || !('sha256' in certificate)) return;
    const sent = tls?.chain?.certificates ?? [];
    kept?.observe([certificate, ...sent], agreement !== undefined);
    const { anchors, intermediates = [] } = agreement ?? {};
    const named = [...(anchors?.client ?? []), ...(anchors?.server ?? []), ...intermediates];
    for (const observing of observes ?? []) {
      this.peers.observe(observing, direction, certificate, sentAuthority(certificate, sent, named));
      pins?.observe(observing, certificate);
    }
  }
}

/** The peer of an answer: where it calls from, or whom we call. */
function alarmed(id: string, { direction, source, nextHop }: Question, { agreement }: Verdict): Alarmed {
  const peer = (direction === 'out' ? maskIdentities(nextHop) : '') || source || 'unknown';
  return { peer, agreement: agreement?.name ?? '', id };
}
