/** Whether the nodes of the fleet are where they should be, and who is not and why. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { FleetDatabase, NodeRow } from '../../state/fleet/index.js';

const LOOK_MS = 100;

export interface NodeState {
  readonly node: string;
  readonly revision: number;
  /** `lost`: was heard of while somebody waited for it, and is silent now with a revision of before. */
  readonly state: 'there' | 'behind' | 'refused' | 'silent' | 'lost';
  readonly problem: string;
}

/** How a node stands to a revision. */
export function nodeState({ name, revision, wanted, problem, alive, silent }: NodeRow, number: number): NodeState {
  const row = { node: name, revision };
  if (!alive) return { ...row, state: 'silent', problem: `not heard of for ${Math.round(silent)} s` };
  // One that is ahead of the newest, or has another one of that number, says so: the store was restored.
  const astray = problem !== '' && wanted <= revision;
  if (revision >= number && !astray) return { ...row, state: 'there', problem: '' };
  if (problem !== '' && (wanted >= number || revision >= number)) return { ...row, state: 'refused', problem };
  return { ...row, state: 'behind', problem };
}

/** Whether somebody is there, and nobody is missed: of the silent ones only where all that are known are asked for. */
export function allThere(states: readonly NodeState[], all: boolean): boolean {
  const there = states.filter(({ state }) => state === 'there').length;
  return there > 0 && states.every(({ state }) => state === 'there' || (!all && state === 'silent'));
}

export interface Waiting {
  readonly seconds: number;
  readonly all: boolean;
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
  /** Is told each time how they stand. */
  readonly look?: (states: readonly NodeState[]) => void;
}

/**
 * Waits until the nodes have this revision in force, or a greater one.
 * @param all also those that were not heard of
 * @returns how they stand at the end; not all are there where the time has run out, a signal came, or one was lost
 */
export async function waitForNodes(
  database: Pick<FleetDatabase, 'nodes'>,
  number: number,
  { seconds, all, signal, look }: Waiting,
): Promise<readonly NodeState[]> {
  const end = performance.now() + seconds * 1000;
  const heard = new Set<string>();
  for (;;) {
    const states = (await database.nodes()).map((node) => {
      const state = nodeState(node, number);
      if (node.alive) heard.add(node.name);
      // Cut off from the store it may carry calls by the policy of before.
      return !node.alive && heard.has(node.name) && node.revision < number
        ? { ...state, state: 'lost' as const }
        : state;
    });
    // One that has refused will not change its mind; one that was lost may come back.
    const settled = states.every(
      ({ state }) => state === 'there' || state === 'refused' || (state === 'silent' && !all),
    );
    look?.(states);
    if (settled || performance.now() >= end || signal?.aborted === true) return states;
    // An end of the wait by the signal is seen above.
    await sleep(LOOK_MS, undefined, signal && { signal }).catch(() => {});
  }
}
