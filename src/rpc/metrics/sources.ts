/** What the metrics are read from, when somebody asks: nothing here costs a question anything. */

import { REASONS } from '../../reasons.js';
import type { FleetStatus } from '../../state/fleet/index.js';
import type { RevocationRow } from '../../state/revocation/index.js';
import type { SharedStoreStatus } from '../../state/tables/index.js';
import type { Of, TrustState } from '../../state/trust/index.js';
import { OTHER } from '../../state/verdicts/index.js';
import { inSlices } from '../../state/work/index.js';
import type { Agreements } from '../../trust/agreement/index.js';
import { VERSION } from '../../version.js';
import type { Readiness } from '../http/index.js';
import { ExpirySamples } from './expiry-samples.js';
import { MOST_SERIES, type Sample } from './sample.js';
import type { MetricKey } from './table.js';

export interface Sources {
  readonly state: TrustState;
  readonly readiness: () => Readiness;
  /** How late the event loop was since this was asked last, in seconds: median, p99, max. */
  readonly eventLoop: () => readonly Sample[];
}

/** The alarms, and with which outcome each has a series before the first one. */
const ALARMS: ReadonlyMap<string, 'refused' | ''> = new Map(
  REASONS.filter(({ severity }) => severity === 'alarm').map(({ code, refuses }) => [code, refuses ? 'refused' : '']),
);
/** Agreements looked at in one step. */
const STEP_AGREEMENTS = 2000;
/** Agreements whose alarms are there before the first one: each has as many series as there are alarms. */
const MOST_AT_ZERO = Math.floor(MOST_SERIES / ALARMS.size);

/** By metric, what gives its samples. The questions and their duration are counted as they come (metrics.ts). */
export function samples({ state, readiness, eventLoop }: Sources): {
  readonly [key in Exclude<MetricKey, 'questions' | 'duration'>]: () => readonly Sample[] | Promise<readonly Sample[]>;
} {
  const expiry = new ExpirySamples(state);
  const one = (value: number): readonly Sample[] => [[[], value]];
  const seconds = (ms: number): number => Math.round(ms / 1000);
  /** Counters of the state whose names begin so; what follows, by dots, are the labels. */
  const counted = (prefix: string, ...labels: readonly (readonly string[])[]): readonly Sample[] => {
    const found = new Map(labels.map((values) => [values.join('.'), 0]));
    for (const [name, count] of Object.entries(state.counters.all())) {
      if (name.startsWith(`${prefix}.`)) found.set(name.slice(prefix.length + 1), count);
    }
    return [...found].map(([rest, count]) => [rest.split('.'), count]);
  };
  const counter = (name: string): readonly Sample[] => one(state.counters.all()[name] ?? 0);
  /** Nothing where this daemon is alone. */
  const fleet = (of: (status: FleetStatus) => number | undefined): readonly Sample[] => {
    const value = state.fleet && of(state.fleet.status());
    return value === undefined ? [] : one(value);
  };
  const status = () => state.policy.status();
  const stored = (value: (store: SharedStoreStatus) => number): readonly Sample[] =>
    state.store === undefined ? [] : one(value(state.store.status()));
  /** Of which agreements how many are enabled: the same ones stay in force for hours. */
  const enabled = new WeakMap<Agreements, number>();
  async function agreements(): Promise<readonly Sample[]> {
    const all = state.policy.snapshot.agreements;
    const known = enabled.get(all) ?? (await inSlices(enabledInSteps(all)));
    enabled.set(all, known);
    return [
      [['enabled'], known],
      [['disabled'], all.length - known],
    ];
  }

  return {
    info: () => [[[VERSION, process.versions.node], 1]],
    ready: () => one(Number(readiness().ready)),
    verdicts: () =>
      [...state.counters.verdictCounts].map(({ agreement, direction, verdict, reason, count }) => [
        [agreement, direction, verdict, reason],
        count,
      ]),
    alarms: () => alarms(state),
    plans: () =>
      counted('plan').map(([[hook = '', outcome = ''], count]) => {
        const [message = '', direction = ''] = hook.split('-');
        return [[message, direction, outcome], count];
      }),
    cacheEntries: () => {
      const { certificates, verdicts, connections } = state.caches.sizes();
      const all = { certificates, verdicts, connections, dns: state.hops.answers };
      return Object.entries(all).map(([cache, entries]) => [[cache], entries]);
    },
    cacheRequests: () =>
      (['certificates', 'verdicts'] as const).flatMap((cache): readonly Sample[] => [
        [[cache, 'hit'], state.counters[cache].hits],
        [[cache, 'miss'], state.counters[cache].misses],
      ]),
    policyRevision: () => one(status().revision),
    policyLoaded: () => one(seconds(status().loadedAt)),
    policyAttempt: () => one(seconds(status().lastAttempt)),
    policyProblems: () => one(status().problems.length),
    policyWarnings: () => one(status().warnings.length),
    candidate: () => one(Number(state.candidate.current !== undefined)),
    candidateAsked: () => counter('candidate.asked'),
    candidateChanged: () => counter('candidate.changed'),
    candidateChanges: () => candidateChanges(state),
    agreements,
    expiry: async () => (await expiry.ending()).ends,
    expiryNotice: async () => (await expiry.ending()).notices,
    revocationItems: async () => revocationItems(await state.revocation.rows()),
    revocationThis: async () => oldest(await state.revocation.rows(), ({ thisUpdate }) => thisUpdate),
    revocationNext: async () => oldest(await state.revocation.rows(), ({ nextUpdate }) => nextUpdate),
    pins: () => Object.entries(state.pins?.sizes() ?? {}).map(([name, count]) => [[name], count]),
    pinsWaiting: async () => one(await pinsWaiting(state)),
    storeUp: () => stored((store) => Number(store.up)),
    storeLag: () =>
      stored(({ readAt }) => (readAt === undefined ? state.uptime() : Math.max(0, state.now() - readAt)) / 1000),
    storeWaiting: () => stored(({ waiting }) => waiting),
    hops: () => counted('hop.resolve', ['ready'], ['pending'], ['failed']),
    dnsQuestions: () => counter('dns.questions'),
    dnsFailures: () => counter('dns.answers.failed'),
    dnsAlarms: () => counter('dns.alarms'),
    fleetRevision: () => fleet(({ revision }) => revision),
    fleetNewest: () => fleet(({ wanted }) => wanted),
    fleetProblem: () => fleet(({ problem }) => Number(problem !== '')),
    fleetLag: () => fleet(({ follows, lag }) => (follows ? lag : undefined)),
    fleetNodes: () =>
      Object.entries(state.fleet?.status().nodes ?? {}).map(([nodeState, count]) => [[nodeState], count] as const),
    fleetDisabled: () => fleet(({ withdrawn }) => withdrawn.length),
    fleetContact: () => fleet(({ heardAt }) => heardAt && seconds(heardAt)),
    decisionsLost: () => counter('decisions.lost'),
    refusedCredentials: () => counted('credential-refused', ['token'], ['scheme'], ['certificate'], ['rate']),
    refusedRequests: () => counted('http-refused', ['401'], ['403'], ['429']),
    forbidden: () => counted('forbidden', ['tcp'], ['http']),
    eventLoop,
  };
}

/** A series that begins with its first alarm has not grown in the eyes of Prometheus: that one would page nobody. */
function alarms({ policy: { snapshot }, counters }: Of<'policy' | 'counters'>): readonly Sample[] {
  const found = new Map<string, [readonly string[], number]>();
  const add = (agreement: string, reason: string, outcome: string, count: number): void => {
    const key = `${agreement} ${reason} ${outcome}`;
    const known = found.get(key);
    if (known === undefined) found.set(key, [[agreement, reason, outcome], count]);
    else known[1] += count;
  };
  for (const name of [OTHER, ...firstEnabled(snapshot.agreements)]) {
    for (const [reason, outcome] of ALARMS) add(name, reason, outcome, 0);
  }
  for (const { agreement, reason, count } of counters.verdictCounts) {
    if (ALARMS.has(reason)) add(agreement, reason, '', count);
  }
  for (const { agreement, reason, verdict, count } of counters.messageAlarms) add(agreement, reason, verdict, count);
  return [...found.values()];
}

/** Names of the first agreements that are enabled. */
function firstEnabled(agreements: Agreements): readonly string[] {
  const names: string[] = [];
  for (const { name } of agreements.where(({ enabled }) => enabled)) {
    names.push(name);
    if (names.length === MOST_AT_ZERO) break;
  }
  return names;
}

function* enabledInSteps(agreements: Agreements): Generator<undefined, number> {
  let [found, looked] = [0, 0];
  for (const [{ enabled }] of agreements.shared()) {
    found += Number(enabled);
    looked += 1;
    if (looked % STEP_AGREEMENTS === 0) yield;
  }
  return found;
}

function candidateChanges({ candidate }: Of<'candidate'>): readonly Sample[] {
  const found = new Map<string, number>();
  for (const { partner, count } of candidate.current?.status().rows ?? []) {
    const name = partner !== '' && (found.size < MOST_SERIES || found.has(partner)) ? partner : OTHER;
    found.set(name, (found.get(name) ?? 0) + count);
  }
  return [...found].map(([agreement, count]) => [[agreement], count]);
}

function revocationItems(rows: readonly RevocationRow[]): readonly Sample[] {
  const found = new Map<string, number>();
  for (const { kind, state } of rows) found.set(`${kind} ${state}`, (found.get(`${kind} ${state}`) ?? 0) + 1);
  return [...found].map(([name, count]) => [name.split(' '), count]);
}

/** The first instant of all rows of one kind and source, in seconds since 1970. */
function oldest(rows: readonly RevocationRow[], of: (row: RevocationRow) => number | undefined): readonly Sample[] {
  const found = new Map<string, { readonly labels: readonly string[]; at: number }>();
  for (const row of rows) {
    const at = of(row);
    if (at === undefined || at === 0) continue;
    const key = `${row.kind} ${row.source}`;
    const known = found.get(key);
    if (known === undefined) found.set(key, { labels: [row.kind, row.source], at });
    else if (at < known.at) known.at = at;
  }
  return [...found.values()]
    .sort((a, b) => a.at - b.at)
    .slice(0, MOST_SERIES)
    .map(({ labels, at }) => [labels, Math.round(at / 1000)]);
}

async function pinsWaiting({ pins, policy }: Of<'pins' | 'policy'>): Promise<number> {
  const { agreements } = policy.snapshot;
  const asks = (name: string): boolean => {
    const number = agreements.numberOf(name);
    return number !== undefined && agreements.termsOf(number).pinned;
  };
  return pins === undefined ? 0 : inSlices(pins.waitingInSteps(asks));
}
