import { z } from 'zod';
import { maskIdentities, maskMessageText } from '../../log/index.js';
import { includesRole } from '../../policy/settings/index.js';
import type { Of } from '../../state/trust/index.js';
import { type Answer, MAX_RECENT, RepeatedParams } from '../../state/verdicts/index.js';
import type { Evidence } from '../../trust/evidence/index.js';
import { outcomeOf, planMessage } from '../../trust/message/index.js';
import { explain, lacksLink, unknownConnection, type Verdict } from '../../trust/verdict/index.js';
import { defineMethod, halfAnswer, type Method, messageAnswer, peerAnswer, RpcError } from '../dispatch/index.js';
import {
  type EvidenceParams,
  foldByteParams,
  isResumed,
  keepsLinks,
  type MessageParams,
  messageEvidence,
  messageParams,
  namedHop,
  peerParams,
  toEvidence,
  toMessage,
} from '../params/index.js';

/** More connections than a proxy can close between two messages to us. */
const MOST_CLOSED = 10_000;
const conid = z.union([z.string(), z.number()]).transform((id) => String(id).trim());

/** Connection ids: a list, or with commas between them, since routing scripts have no lists. */
const closedParams = z.preprocess(
  (params) => foldByteParams(params),
  z.strictObject({
    conids: z.preprocess(
      (value) => (typeof value === 'string' || typeof value === 'number' ? String(value).split(',') : value),
      z.array(conid).max(MOST_CLOSED),
    ),
  }),
);

/** Evidence with the chain that the same certificate came with before, where a message brings less of it. All else is its own. */
function withChainOf(known: Evidence | undefined, own: Evidence): Evidence {
  const [leaf, before] = [own.tls?.certificate, known?.tls?.certificate];
  const same = leaf && before && 'sha256' in leaf && 'sha256' in before && leaf.sha256 === before.sha256;
  return same && own.tls && known?.tls?.chain ? { ...own, tls: { ...own.tls, chain: known.tls.chain } } : own;
}

/** What was asked of another siptrustd, of an earlier run, or too long ago. */
function unknownId(id: string): string {
  return `no recent answer has the id "${id}": expected one of the latest ${MAX_RECENT} of this siptrustd since its start; daemon.log.decisions has all`;
}

/** As the decision log has it: of users as little is seen here. */
function masked({ verdict, findings, ...rest }: Answer): Answer {
  return {
    ...rest,
    findings: findings.map((finding) => ({ ...finding, detail: maskMessageText(finding.detail) })),
    verdict: {
      ...verdict,
      findings: verdict.findings.map((finding) => ({ ...finding, detail: maskIdentities(finding.detail) })),
      checks: verdict.checks.map((check) => ({ ...check, compared: maskIdentities(check.compared) })),
    },
  };
}

/** The two questions, and why they were answered as they were. */
export function trustMethods(state: Of<'answers' | 'caches' | 'counters' | 'forget' | 'judge' | 'policy'>): Method[] {
  const { cache } = state.policy.settings;
  const read = (text: string) => state.caches.certificates.read(text);

  /** What a resumed session lacks, its handshake brought. */
  const whole = (params: Pick<EvidenceParams, 'tls'>, own: Evidence): Evidence =>
    isResumed(params, own) ? state.caches.whole(own) : own;

  /** What the connection that the message names was judged by. */
  const known = ({ conid, src_ip, src_port }: MessageParams) =>
    conid === undefined ? undefined : state.caches.connections.find(conid, src_ip, src_port);

  /** The evidence behind a message: its own, or that of the connection it names. */
  function judged(params: MessageParams): { evidence: Evidence; verdict: Verdict } {
    const brought = messageEvidence(params, read);
    const own = brought && whole(params, brought);
    const evidence =
      own === undefined ? known(params) : keepsLinks(params, own) ? withChainOf(known(params), own) : own;
    if (evidence !== undefined) return { evidence, verdict: state.judge.verdict(evidence) };
    return unknownConnection(namedHop(params), state.policy.snapshot);
  }

  return [
    defineMethod({
      name: 'trust.peer',
      role: 'script',
      doc: 'Who is at the other end of this connection, under which agreement, and is the path protected as agreed?',
      params: peerParams,
      repeated: new RepeatedParams<EvidenceParams>({ entries: cache.verdicts, octets: Math.floor(cache.memory / 8) }),
      handler: (params) => {
        const evidence = whole(params, toEvidence(params, read));
        const verdict = state.judge.verdict(evidence);
        state.caches.remember(evidence, verdict);
        // No answer yet: the proxy asks again, and that is what was decided.
        const told = evidence.tls?.chain?.certificates ?? [];
        if (keepsLinks(params, evidence) && lacksLink(verdict, told)) return halfAnswer(verdict, state.policy.snapshot);
        const { id, at } = state.answers.record('trust.peer', evidence, verdict);
        return peerAnswer(id, verdict, state.policy.snapshot, at);
      },
    }),
    defineMethod({
      name: 'trust.message',
      role: 'script',
      doc: 'What must happen to this message at this boundary, in this direction?',
      params: messageParams,
      handler: (params) => {
        const { evidence, verdict } = judged(params);
        const { snapshot } = state.policy;
        const plan = planMessage({ ...toMessage(params), transport: evidence.transport, verdict, snapshot });
        const { id } = state.answers.record('trust.message', evidence, verdict, plan);
        state.counters.add(`plan.${params.message}-${params.direction}.${outcomeOf(plan)}`);
        return messageAnswer(id, verdict, plan);
      },
    }),
    defineMethod({
      name: 'trust.closed',
      role: 'script',
      doc: 'These connections are closed: what is known of them is forgotten; answers how many were known',
      params: closedParams,
      positional: ['conids'],
      handler: ({ conids }) => ({ dropped: conids.filter((conid) => state.forget(conid)).length }),
    }),
    defineMethod({
      name: 'trust.explain',
      role: 'script',
      doc: 'Each check behind a recent answer (by its id) or behind the evidence given: compared, outcome, clause',
      params: z.union([z.strictObject({ id: z.string() }), peerParams]),
      positional: ['id'],
      handler: (params, { role }) => {
        if ('id' in params) {
          // Ids are easy to guess: an answer that somebody else got is not for every program of this machine.
          if (!includesRole(role, 'viewer')) throw new RpcError('forbidden');
          const answer = state.answers.recent.find(params.id);
          if (answer === undefined) throw new RpcError('not-found', unknownId(params.id));
          const { verdict, findings, question } = state.policy.settings.log.mask ? masked(answer) : answer;
          const refused = question?.method === 'trust.message' && question.action === 'reject';
          return { id: answer.id, ...explain(verdict, findings, refused) };
        }
        return { id: '', ...explain(state.judge.verdict(whole(params, toEvidence(params, read)))) };
      },
    }),
  ];
}
