import { type Policy, policyDifferencesInSteps, type SomeDifferences } from '../../policy/snapshot/index.js';
import { inSlices } from '../work/index.js';

/** `refused`: the file was no good. `renewed`: lists or pins have changed, and the policy has not. */
export type PolicyEventKind = 'start' | 'reload' | 'refused' | 'renewed';

export interface PolicyEvent {
  readonly kind: PolicyEventKind;
  /** In force from then on. */
  readonly revision: number;
  /** ms; of several the last one. */
  readonly at: number;
  /** Who asked for it: `token noc from 192.0.2.7:40222`, `SIGHUP`; empty: nobody. */
  readonly by: readonly string[];
  /** How often, where the same follows on itself. */
  readonly count: number;
  /** How many problems the file had. */
  readonly problems: number;
  readonly differences: Promise<SomeDifferences>;
}

const MOST_EVENTS = 100;
/** Differences of one reload: nobody reads more of them here. */
const MOST_DIFFERENCES = 200;
const NONE: Promise<SomeDifferences> = Promise.resolve({ rows: [], more: false });

/** What became of the policy since siptrustd started, in memory alone. */
export class PolicyHistory {
  readonly #events: PolicyEvent[] = [];

  started(revision: number, at: number): void {
    this.#add({ kind: 'start', revision, at, by: [], count: 1, problems: 0, differences: NONE });
  }

  reloaded(revision: number, at: number, by: readonly string[], before: Policy, after: Policy): void {
    const differences = inSlices(policyDifferencesInSteps(before, after, MOST_DIFFERENCES));
    this.#add({ kind: 'reload', revision, at, by, count: 1, problems: 0, differences });
  }

  /** The same file is read again and again where it is watched, or somebody tries: one row says how often. */
  refused(revision: number, at: number, by: readonly string[], problems: number): void {
    const last = this.#events.at(-1);
    const again = last?.kind === 'refused' && last.problems === problems && last.by.join() === by.join();
    if (again) this.#events.pop();
    const count = again ? last.count + 1 : 1;
    this.#add({ kind: 'refused', revision, at, by, count, problems, differences: NONE });
  }

  /** Lists come all day: they push out nothing else. */
  renewed(revision: number, at: number): void {
    const last = this.#events.at(-1);
    const again = last?.kind === 'renewed';
    if (again) this.#events.pop();
    const count = again ? last.count + 1 : 1;
    this.#add({ kind: 'renewed', revision, at, by: [], count, problems: 0, differences: NONE });
  }

  /** The newest first. */
  events(): readonly PolicyEvent[] {
    return this.#events.toReversed();
  }

  #add(event: PolicyEvent): void {
    this.#events.push(event);
    if (this.#events.length > MOST_EVENTS) this.#events.shift();
  }
}
