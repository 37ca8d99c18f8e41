/** Whether siptrustd does what it is there for: `GET /ready`. */

import { isLoopback } from '../../net/address/index.js';
import { includesRole } from '../../policy/settings/index.js';
import { counted } from '../../printable.js';
import type { SharedStoreStatus } from '../../state/tables/index.js';
import type { Of } from '../../state/trust/index.js';
import { type HttpRoute, type Listener, READ } from '../wire/index.js';

export interface Readiness {
  readonly ready: boolean;
  /** Why not, one sentence each. */
  readonly reasons: readonly string[];
  /** The policy revision in force. */
  readonly revision: number;
  /** How the store of the fleet is, where there is one. Without it siptrustd does what it is there for all the same. */
  readonly store?: string;
}

/** @param listeners those that are open */
export function readiness(
  state: Of<'fleet' | 'pins' | 'policy' | 'store'>,
  listeners: readonly Listener[],
  stopping: boolean,
): Readiness {
  const { revision, problems } = state.policy.status();
  const reasons: string[] = [];
  if (stopping) reasons.push('siptrustd is stopping');
  if (listeners.length === 0) reasons.push('not all listeners are open yet');
  if (problems.length > 0) {
    reasons.push(
      `the policy file is not good and the last good policy is in force: ${counted(problems.length, 'problem')}`,
    );
  }
  for (const { address, problem } of listeners) {
    const text = problem?.();
    if (text !== undefined) reasons.push(`listener ${address}: ${text}`);
  }
  if (state.pins?.failing === true) reasons.push('the state file cannot be written');
  if (state.fleet?.lacksPolicy === true) reasons.push('no policy of the fleet is in force: nobody is trusted');
  const store = state.store === undefined ? {} : { store: storeText(state.store.status()) };
  return { ready: reasons.length === 0, reasons, revision, ...store };
}

function storeText({ up, since, problem, readAt }: SharedStoreStatus): string {
  if (up && problem === '') return 'ok';
  const last = readAt === undefined ? 'before this start' : new Date(readAt).toISOString();
  if (up) return `not read, last read ${last}: ${problem}`;
  return `away since ${new Date(since).toISOString()}, last read ${last}: ${problem}`;
}

/** @param now asked for each time */
export function readyRoute(now: () => Readiness): HttpRoute {
  return {
    ...{ path: '/ready', methods: READ, role: undefined },
    handle: (request, response, { role }, send) => {
      const found = now();
      const known =
        isLoopback(request.socket.remoteAddress ?? '') || (role !== undefined && includesRole(role, 'viewer'));
      // Other hosts learn whether, and not why.
      send(response, found.ready ? 200 : 503, JSON.stringify(known ? found : { ready: found.ready }));
    },
  };
}
