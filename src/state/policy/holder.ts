import type { LoadedPolicy } from '../../policy/loading/index.js';
import { changedSettings, type DaemonSettings, runningSettings } from '../../policy/settings/index.js';
import type { Snapshot } from '../../trust/agreement/index.js';
import { PolicyHistory } from './history.js';
import { MOST_REVISION, type RevisionFloor } from './revision-floor.js';

/** Reads and compiles the policy file under a revision. */
export type PolicyLoader = (revision: number, now: number) => LoadedPolicy | Promise<LoadedPolicy>;

export interface ReloadReport {
  readonly ok: boolean;
  readonly revision: number;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

type GoodPolicy = Extract<LoadedPolicy, { ok: true }>;

/**
 * The policy in force. A reload either replaces the snapshot as a whole or leaves the last good one and says why
 * (design.md, "The policy file"). While one is under way the policy before it is in force.
 */
export class PolicyHolder {
  #current: GoodPolicy;
  #loadedAt: number;
  #lastProblems: readonly string[] = [];
  #lastAttempt: number;
  readonly #load: PolicyLoader;
  #settings: DaemonSettings;
  #running: Promise<ReloadReport> | undefined;
  #waiting: Promise<ReloadReport> | undefined;
  #waitingBy = new Set<string>();
  #floor: RevisionFloor | undefined;
  readonly history = new PolicyHistory();
  #closed = false;

  private constructor(load: PolicyLoader, first: GoodPolicy, now: number) {
    this.#load = load;
    this.#settings = first.settings;
    this.#current = first;
    this.#loadedAt = now;
    this.#lastAttempt = now;
    this.history.started(first.snapshot.revision, now);
  }

  /** Loads the first policy at once; without a good one there is nothing to hold. */
  static open(
    load: (revision: number, now: number) => LoadedPolicy,
    now: number,
  ): PolicyHolder | { readonly problems: readonly string[] } {
    return PolicyHolder.#holding(load, load(nextRevision(0, now), now), now);
  }

  /** As `open`, with a loader that takes its time. */
  static async begin(
    load: PolicyLoader,
    now: number,
  ): Promise<PolicyHolder | { readonly problems: readonly string[] }> {
    return PolicyHolder.#holding(load, await load(nextRevision(0, now), now), now);
  }

  static #holding(load: PolicyLoader, first: LoadedPolicy, now: number) {
    return first.ok ? new PolicyHolder(load, first, now) : { problems: first.problems };
  }

  get snapshot(): Snapshot {
    return this.#current.snapshot;
  }

  /** What the daemon runs with: those that it was started with, but for what takes effect at once. */
  get settings(): DaemonSettings {
    return this.#settings;
  }

  /** From now on a later run begins above all revisions of this one. Settles when that holds for the one in force. */
  async remember(floor: RevisionFloor): Promise<void> {
    this.#floor = floor;
    await floor.given(this.snapshot.revision);
  }

  /**
   * Reads the policy again. Whoever asks while it is being read gets the reload after that one, which all share who
   * asked meanwhile: what was on disk when somebody asked is what the report is about.
   * @param by who asks, for the history
   */
  reload(clock: () => number, by = ''): Promise<ReloadReport> {
    const who = by === '' ? [] : [by];
    if (this.#running === undefined) return this.#start(clock, who);
    for (const name of who) this.#waitingBy.add(name);
    this.#waiting ??= this.#running.then(() => {
      const all = [...this.#waitingBy];
      this.#waiting = undefined;
      this.#waitingBy = new Set();
      return this.#start(clock, all);
    });
    return this.#waiting;
  }

  /** No reload takes effect any more: one that is under way or waits reports that it failed. */
  close(): void {
    this.#closed = true;
  }

  #start(clock: () => number, by: readonly string[]): Promise<ReloadReport> {
    const running = this.#reload(clock(), by).finally(() => {
      this.#running = undefined;
    });
    this.#running = running;
    return running;
  }

  async #reload(now: number, by: readonly string[]): Promise<ReloadReport> {
    this.#lastAttempt = now;
    const next = this.#closed ? STOPPING : await this.#load(this.#next(now), now);
    return this.#take(this.#closed ? STOPPING : next, now, by);
  }

  #take(next: LoadedPolicy, now: number, by: readonly string[]): ReloadReport {
    if (next.ok) {
      // A touch during the load has taken a revision of its own.
      const revision = this.#next(now);
      this.#settings = runningSettings(this.#settings, next.settings);
      const changed = changedSettings(this.#settings, next.settings);
      const snapshot = Object.freeze({ ...next.snapshot, revision });
      this.history.reloaded(revision, now, by, this.#current, next);
      this.#current = { ...next, snapshot, warnings: [...next.warnings, ...changed] };
      this.#loadedAt = now;
      void this.#floor?.given(revision);
    }
    this.#lastProblems = next.ok ? [] : next.problems;
    if (!next.ok) this.history.refused(this.snapshot.revision, now, by, next.problems.length);
    return {
      ok: next.ok,
      revision: this.snapshot.revision,
      problems: this.#lastProblems,
      warnings: this.#current.warnings,
    };
  }

  /**
   * Puts the current snapshot in force under the next revision: for what verdicts rest on besides the policy file
   * (approved pins, revocation lists). Scripts ask again about the connections that they know.
   * @param least the new revision is greater than this one too, if a script can count that far
   */
  touch(now: number, least = 0): number {
    const kept = least < MOST_REVISION ? least : 0;
    const revision = this.#next(now, kept);
    this.#current = { ...this.#current, snapshot: Object.freeze({ ...this.snapshot, revision }) };
    this.history.renewed(revision, now);
    void this.#floor?.given(revision);
    return revision;
  }

  #next(now: number, least = 0): number {
    const previous = Math.max(this.snapshot.revision, least);
    return nextRevision(previous, now, this.#floor === undefined);
  }

  status(): {
    readonly revision: number;
    readonly loadedAt: number;
    readonly lastAttempt: number;
    readonly problems: readonly string[];
    readonly warnings: readonly string[];
  } {
    return {
      revision: this.snapshot.revision,
      loadedAt: this.#loadedAt,
      lastAttempt: this.#lastAttempt,
      problems: this.#lastProblems,
      warnings: this.#current.warnings,
    };
  }
}

const STOPPING: LoadedPolicy = Object.freeze({
  ok: false,
  problems: Object.freeze(['siptrustd is stopping: the policy was not read again']),
});

/**
 * Revisions only grow, over restarts too: a script that kept a verdict of an earlier run must never take it for one
 * of the policy in force. Seconds since 1970 fit 31 bits until 2038. A clock that is past that is not believed: one
 * wrong moment of it would leave all later revisions where no script can count. Where a floor is kept the clock decides
 * at the start alone: it would leap over what is kept.
 */
function nextRevision(previous: number, now: number, byClock = true): number {
  const clock = Math.floor(now / 1000);
  const floor = clock <= MOST_REVISION ? clock : 1;
  const next = Math.max(previous + 1, byClock ? floor : 0);
  return next <= MOST_REVISION ? next : floor;
}
