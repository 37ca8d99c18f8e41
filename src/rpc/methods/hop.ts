import type { Of } from '../../state/trust/index.js';
import { defineMethod, type Method } from '../dispatch/index.js';
import { hopAnswer, hopListParams, hopParams, hopRow, toAbility, toQuestion } from '../params/index.js';

const DEFAULT_LIMIT = 200;

/** Where requests go next. */
export function hopMethods(state: Of<'answers' | 'counters' | 'hops' | 'policy'>): Method[] {
  return [
    defineMethod({
      name: 'hop.resolve',
      role: 'script',
      doc: 'Where does a request with this URI go next, whom must the certificate there name, and is TLS a must?',
      params: hopParams,
      handler: (params) => {
        const question = toQuestion(params);
        const ability = toAbility(params);
        const told = (hop: ReturnType<typeof state.hops.find>) => {
          state.counters.add(`hop.resolve.${hop.status}`);
          const [first] = hop.findings;
          if (first !== undefined) state.counters.add(`reason.${first.code}`);
          const { domain: peer, agreement, findings } = hop;
          state.answers.alarms.tell(findings, () => ({ peer, agreement: agreement?.name ?? '', id: '' }));
          return hopAnswer(hop);
        };
        const { wait_ms: wait = 0 } = params;
        if (wait === 0) return told(state.hops.find(question, ability, state.policy.snapshot));
        return state.hops.wait(question, ability, () => state.policy.snapshot, wait).then(told);
      },
    }),
    defineMethod({
      name: 'hop.list',
      role: 'script',
      doc: 'The next hops of all domains that agreements in force cover by TLS in direction out, as far as they are known',
      params: hopListParams,
      positional: ['limit'],
      handler: async (params) => {
        const { limit = DEFAULT_LIMIT, wait_ms: wait = 0 } = params;
        const hops = await state.hops.list(limit, toAbility(params), () => state.policy.snapshot, wait);
        const { revision } = state.policy.snapshot;
        return { revision, hops: hops.map(hopRow), count: hops.length };
      },
    }),
  ];
}
