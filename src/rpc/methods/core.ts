import { z } from 'zod';
import { LOG_LEVELS, type OperatorLog } from '../../log/index.js';
import { includesRole } from '../../policy/settings/index.js';
import { profileOf } from '../../sip/table/index.js';
import type { Of } from '../../state/trust/index.js';
import type { Snapshot } from '../../trust/agreement/index.js';
import { VERSION } from '../../version.js';
import { instant } from '../../x509/der/index.js';
import { defineMethod, type Method } from '../dispatch/index.js';
import { fleetSummary } from './fleet.js';

const none = z.strictObject({});

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}

/** The sockets of NDS/IP interfaces, as a script writes the socket of a message: `udp:10.0.0.1:5062`, IPv6 without brackets. */
function pathSockets({ interfaces }: Snapshot): readonly string[] {
  return interfaces.flatMap(({ address, port }) =>
    ['udp', 'tcp', 'sctp'].map((transport) => `${transport}:${address}:${port}`),
  );
}

/** The store of the fleet: `degraded` is what it said last. */
function storeOf({ store }: Of<'store'>): object {
  if (store === undefined) return {};
  const { up, host, since, problem, readAt, waiting } = store.status();
  return {
    store: {
      state: up && problem === '' ? 'ok' : 'degraded',
      host,
      since: instant(since),
      read_at: instant(readAt),
      waiting,
      problem,
    },
  };
}

/** The daemon itself: what it is, how it does, what it counts. */
export function coreMethods(
  state: Of<'caches' | 'changes' | 'counters' | 'ends' | 'fleet' | 'hops' | 'now' | 'policy' | 'store' | 'uptime'>,
  log: OperatorLog,
): Method[] {
  return [
    defineMethod({
      name: 'core.version',
      role: 'viewer',
      doc: 'Name and version of the daemon',
      params: none,
      handler: () => ({ name: 'siptrust', version: VERSION, node: process.versions.node }),
    }),
    defineMethod({
      name: 'core.uptime',
      role: 'viewer',
      doc: 'Start and present time, and the seconds in between',
      params: none,
      handler: () => {
        const [now, uptime] = [state.now(), state.uptime()];
        return { now: instant(now), up_since: instant(now - uptime), uptime: seconds(uptime) };
      },
    }),
    defineMethod({
      name: 'core.whoami',
      role: 'script',
      doc: 'The role of whoever asks, and the credential that it comes from',
      params: none,
      handler: (_, { role, credential = '' }) => ({ role, credential }),
    }),
    defineMethod({
      name: 'core.status',
      role: 'script',
      doc: 'The policy in force, what is wrong with the last one that was read, sizes of the caches, what ends soon',
      params: none,
      handler: (_, { role }) => {
        const { revision, loadedAt, lastAttempt, problems, warnings } = state.policy.status();
        const inForce = {
          status: state.fleet?.lacksPolicy === true ? 'no-policy' : problems.length === 0 ? 'ok' : 'stale-policy',
          revision,
          version: VERSION,
          // What only the policy knows, so that nobody writes it twice: how strangers are treated, and which sockets stand for a
          // path (TS 33.203 §5.4).
          stranger: profileOf({ verdict: 'untrusted', agreement: undefined }, state.policy.snapshot.privacy),
          sockets: pathSockets(state.policy.snapshot),
        };
        // The poll of a script needs no more, and asks twice a second.
        if (!includesRole(role, 'viewer')) return inForce;
        const { fleet } = state;
        return state.ends.summary().then((expiry) => ({
          ...inForce,
          agreements: state.policy.snapshot.agreements.length,
          loaded_at: instant(loadedAt),
          last_reload: instant(lastAttempt),
          problems,
          warnings,
          uptime: seconds(state.uptime()),
          sizes: state.caches.sizes(),
          expiry,
          ...storeOf(state),
          memory: process.memoryUsage().rss,
          ...(fleet === undefined
            ? {}
            : { fleet: { ...fleetSummary(fleet.status()), store: fleet.status().store.up } }),
        }));
      },
    }),
    defineMethod({
      name: 'stats.fetch',
      role: 'viewer',
      doc: 'Counters since the start: answers by verdict, plans by hook and outcome, first reasons, cache hits and misses',
      params: none,
      handler: () => state.counters.all(),
    }),
    defineMethod({
      name: 'cache.stats',
      role: 'viewer',
      doc: 'Entries, hits and misses of the caches',
      params: none,
      handler: () => {
        const { certificates, verdicts } = state.counters;
        const sizes = state.caches.sizes();
        const octets = state.caches.octets();
        return {
          certificates: { entries: sizes.certificates, octets: octets.certificates, ...certificates },
          verdicts: { entries: sizes.verdicts, octets: octets.verdicts, ...verdicts },
          connections: { entries: sizes.connections, octets: octets.connections },
          dns: { entries: state.hops.answers },
        };
      },
    }),
    defineMethod({
      name: 'cache.flush',
      role: 'operator',
      doc: 'Empties the caches of certificate facts, verdicts and DNS answers; answers how many entries went',
      params: none,
      handler: () => {
        const gone = { ...state.caches.flush(), dns: state.hops.flush() };
        // Under the next revision scripts ask about their connections again.
        state.changes.touch();
        return gone;
      },
    }),
    defineMethod({
      name: 'log.level',
      role: 'operator',
      doc: 'The level of the operator log; with a level given, sets it first',
      params: z.strictObject({ level: z.literal(LOG_LEVELS).optional() }),
      positional: ['level'],
      handler: ({ level }) => {
        if (level !== undefined) log.setLevel(level);
        return { level: log.level() };
      },
    }),
  ];
}
