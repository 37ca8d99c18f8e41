import { type DecisionLog, NO_DECISION_LOG } from '../../log/index.js';
import { Ends } from '../expiry/index.js';
import type { Fleet } from '../fleet/index.js';
import { hopsWithoutDns, type NextHops } from '../hops/index.js';
import type { Pins } from '../pins/index.js';
import type { PolicyHolder } from '../policy/index.js';
import { NO_REVOCATION_SOURCE, type RevocationSource } from '../revocation/index.js';
import type { KeptCertificates } from '../store/index.js';
import type { SharedStore } from '../tables/index.js';
import { Counters } from '../verdicts/index.js';
import { Caches } from './caches.js';
import { CandidateSlot } from './candidate-slot.js';
import { Changes } from './changes.js';
import { Judge } from './judge.js';
import { Recorder } from './recorder.js';

/** What was opened for a daemon; without a part nothing of its kind is known or kept. */
export interface TrustParts {
  readonly policy: PolicyHolder;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly decisions?: DecisionLog | undefined;
  readonly revocation?: RevocationSource | undefined;
  readonly pins?: Pins | undefined;
  readonly hops?: NextHops | undefined;
  readonly kept?: KeptCertificates | undefined;
  readonly counters?: Counters | undefined;
  readonly store?: SharedStore | undefined;
}

/** The mutable part of siptrust, part by part: whoever asks for it names the parts that it needs. */
export interface TrustState {
  readonly now: () => number;
  /** ms since the start, whatever was done to the clock meanwhile. */
  readonly uptime: () => number;
  /** In force, with its snapshot. */
  readonly policy: PolicyHolder;
  readonly judge: Judge;
  readonly caches: Caches;
  readonly answers: Recorder;
  readonly candidate: CandidateSlot;
  readonly changes: Changes;
  readonly ends: Ends;
  readonly counters: Counters;
  readonly revocation: RevocationSource;
  /** undefined: none are kept (daemon.state.file is off). */
  readonly pins: Pins | undefined;
  readonly hops: NextHops;
  /** The store of the fleet; undefined: this daemon is alone. */
  readonly store: SharedStore | undefined;
  /** The connection is closed; whether it was known. */
  readonly forget: (connectionId: string) => boolean;
  /** undefined: this daemon is alone, or has not joined yet. */
  fleet: Fleet | undefined;
}

/** Some parts of it: what a question takes. */
export type Of<Part extends keyof TrustState> = Pick<TrustState, Part>;

/** Puts the parts together; the policy gets a revision that no approval of pins is ahead of. */
export function trustState(parts: TrustParts): TrustState {
  const { policy, clock: now, pins, store, kept, decisions = NO_DECISION_LOG } = parts;
  const { revocation = NO_REVOCATION_SOURCE, hops = hopsWithoutDns(now), counters = new Counters() } = parts;
  const { settings, snapshot } = policy;
  const begun = performance.now();
  const caches = new Caches(settings.cache, snapshot.verdictTtl, counters, now);
  const judge = new Judge({ policy, revocation, pins, now }, caches.verdicts);
  const candidate = new CandidateSlot({
    judge: (evidence, candidate, at) => judge.under(evidence, candidate, at),
    later: (work) => void setImmediate(work),
    count: (what) => counters.add(`candidate.${what}`),
  });
  const answers = new Recorder({ policy, counters, decisions, candidate, pins, kept, now });
  const changes = new Changes({ policy, revocation, verdicts: [caches.verdicts, candidate], now });
  const ends = new Ends(
    () => ({
      snapshot: policy.snapshot,
      access: policy.settings.access.certificates.map(({ name, notBefore, notAfter }) => {
        return { what: 'client-certificate', subject: name, notBefore, notAfter };
      }),
      pins: pins?.list() ?? [],
      peers: answers.peers.list(),
      fetched: revocation.crls,
      crlWarnMs: policy.settings.revocation.warn * 1000,
    }),
    now,
  );
  hops.start(counters);
  pins?.start(counters, () => changes.touch());
  if (pins !== undefined && pins.revisionFloor >= snapshot.revision) policy.touch(now(), pins.revisionFloor);
  const forget = (connectionId: string): boolean => {
    answers.partners.closed(connectionId);
    return caches.connections.forget(connectionId);
  };
  const made = { judge, caches, answers, candidate, changes, ends, forget };
  const uptime = (): number => performance.now() - begun;
  return { now, uptime, policy, ...made, counters, revocation, pins, hops, store, fleet: undefined };
}
