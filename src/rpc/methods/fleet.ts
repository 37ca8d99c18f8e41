import { z } from 'zod';
import { type Fleet, type FleetStatus, type NodeRow, revisionRow } from '../../state/fleet/index.js';
import { StoreError } from '../../state/store/index.js';
import type { Of } from '../../state/trust/index.js';
import { instant } from '../../x509/der/index.js';
import { defineMethod, type Method, RpcError } from '../dispatch/index.js';
import { wholeNumber } from '../params/index.js';

/** The nodes of the fleet, and which revision of the policy is in force where. */
export function fleetMethods(state: Of<'fleet'>): Method[] {
  return [
    defineMethod({
      name: 'fleet.list',
      role: 'viewer',
      doc: 'The nodes of the fleet: revision in force, how far behind, last contact; and the database',
      params: z.strictObject({}),
      handler: async () => {
        const { fleet } = state;
        if (fleet === undefined) return { fleet: 'none' };
        const { up, host, since, problem } = fleet.status().store;
        const store = {
          store: up ? 'up' : 'away',
          store_host: host,
          store_since: instant(since),
          store_problem: problem,
        };
        return { ...fleetSummary(fleet.status()), ...store, nodes: (await known(fleet)) ?? [] };
      },
    }),
    defineMethod({
      name: 'fleet.revisions',
      role: 'viewer',
      doc: 'The newest policy revisions of the fleet: number, author, comment, time, and the nodes that have it in force',
      params: z.strictObject({ limit: wholeNumber(1, 100).optional() }),
      positional: ['limit'],
      handler: async ({ limit = 20 }) => {
        const { fleet } = state;
        if (fleet === undefined) return { fleet: 'none' };
        return { node: fleet.status().node, revisions: await revisions(fleet, limit) };
      },
    }),
  ];
}

/** @throws {RpcError} the store is away */
async function revisions(fleet: Fleet, limit: number) {
  try {
    const [stored, nodes] = await Promise.all([fleet.revisions(limit), fleet.nodes()]);
    return stored.map((each) => ({
      ...revisionRow(each),
      nodes: nodes.filter(({ revision }) => revision === each.revision.number).map(({ name }) => name),
    }));
  } catch (error) {
    if (error instanceof StoreError) throw new RpcError('unavailable', error.message);
    throw error;
  }
}

/** All nodes; undefined: the store does not say. */
async function known(fleet: Fleet) {
  try {
    return (await fleet.nodes()).map(flatNode);
  } catch (error) {
    if (error instanceof StoreError) return undefined;
    throw error;
  }
}

function flatNode(node: NodeRow) {
  const { name, alive, revision, wanted, problem, lag, silent, scriptRevision, version, startedAt } = node;
  return {
    node: name,
    state: !alive ? 'silent' : problem !== '' ? 'problem' : lag > 0 ? 'behind' : 'ok',
    revision,
    newest: wanted,
    lag: Math.round(lag * 1000) / 1000,
    last_contact: Math.round(silent * 10) / 10,
    problem,
    script_revision: scriptRevision,
    version,
    up_since: instant(startedAt),
  };
}

/** This node in the fleet, for those who look at one daemon. */
export function fleetSummary({ node, follows, revision, wanted, problem, heardAt, withdrawn }: FleetStatus) {
  return {
    node,
    policy: follows ? 'store' : 'file',
    revision,
    newest: wanted,
    problem,
    disabled: withdrawn,
    last_contact: instant(heardAt),
  };
}
