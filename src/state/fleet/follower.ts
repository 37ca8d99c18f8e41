/**
 * Follows the policy of the fleet: hears of a revision, fetches what it lacks of it, has it checked and put in force, and
 * says so. Only forward: a smaller number never follows a greater one on this node.
 */

import { BUNDLE_LIMITS, type BundledFile, treeInSteps } from '../../policy/fleet/index.js';
import { contentHash, type Revision, sameFiles, signatureFault } from '../../policy/revision/index.js';
import type { DaemonSettings } from '../../policy/settings/index.js';
import type { ReloadReport } from '../policy/index.js';
import { spaced } from '../postgres/index.js';
import { inSlices } from '../work/index.js';
import { batches } from './batches.js';
import { type FleetDatabase, type NodeCounts, type NodeReport, twinName } from './fleet-database.js';
import { type FleetPolicy, onlyWithdraws } from './fleet-policy.js';
import type { KeptRevision } from './kept-revision.js';

/** How often a node says that it is there, and asks whether it has missed something. */
export const REPORT_MS = 5_000;
/** A revision that this node could not use may fit it later: a day begins, a file that was lost is back. Reading it takes its time. */
export const AGAIN_MS = 600_000;
/** Files that are written at once: a disk that has to be sure takes its time for each. */
const WRITERS = 32;

const TWICE = 'another node uses the name of this one (daemon.node)';

export interface FollowerOptions {
  /** Whether the policy of this node is that of the fleet; else it only says that it is there. */
  readonly follows: boolean;
  readonly database: FleetDatabase;
  readonly policy: FleetPolicy;
  readonly kept: KeptRevision;
  /** Has the policy read again; what it says is in force then. */
  readonly reload: (by: string) => Promise<ReloadReport>;
  readonly settings: () => DaemonSettings;
  readonly node: Pick<NodeReport, 'name' | 'instance' | 'version' | 'startedAt'>;
  readonly scriptRevision: () => number;
  readonly clock: () => number;
  readonly log: {
    info(message: string, fields?: object): void;
    warn(message: string, fields?: object): void;
    error(message: string, fields?: object): void;
  };
}

export interface FollowerStatus {
  /** The revision in force; 0: none. */
  readonly revision: number;
  /** The newest that this node knows of. */
  readonly wanted: number;
  readonly problem: string;
  /** When the store was heard of last; undefined: not since the start. */
  readonly heardAt: number | undefined;
  /** Seconds since the first revision was stored that is not in force here, as the store said last. */
  readonly lag: number;
  /** Nodes of the fleet, as the store said last; undefined: not since the start. */
  readonly nodes: NodeCounts | undefined;
}

/** Brings the revision that the store has in force onto this node, and reports what came of it. */
export class Follower {
  readonly #options: FollowerOptions;
  #looking: Promise<void> | undefined;
  #again = false;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #wanted = 0;
  #problem = '';
  /** A revision that this node did not take, by these settings: not tried again before one of both is another, or for long. */
  #refused:
    | { readonly revision: Revision; readonly why: string; readonly by: DaemonSettings; readonly at: number }
    | undefined;
  #heardAt: number | undefined;
  #lag = 0;
  #nodes: NodeCounts | undefined;
  #reported = false;
  /** Another node that is alive has the name of this one. */
  #displaced = false;
  /** There are two of this name. */
  #twice = false;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#wanted = options.policy.inForce?.number ?? 0;
  }

  /** Settles after the first look. */
  async start(): Promise<void> {
    const { database, follows, node } = this.#options;
    if (follows)
      database.onChange(
        spaced(() => void this.look()),
        node.name,
      );
    await this.#tick();
    await this.#looking;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#looking;
    const { database, node } = this.#options;
    if (this.#displaced) await database.forget(twinName(node)).catch(() => {});
  }

  get status(): FollowerStatus {
    const { policy } = this.#options;
    return {
      revision: policy.inForce?.number ?? 0,
      wanted: this.#wanted,
      problem: this.#problem || (this.#twice ? TWICE : ''),
      heardAt: this.#heardAt,
      lag: this.#lag,
      nodes: this.#nodes,
    };
  }

  /** Looks for a newer revision, now or after the look that is under way. */
  look(): Promise<void> {
    this.#again = true;
    this.#looking ??= this.#looks().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #looks(): Promise<void> {
    while (this.#again && !this.#closed) {
      this.#again = false;
      try {
        await this.#look();
      } catch (error) {
        // The store is away, or this disk is full: the next look is at most REPORT_MS away.
        const why = error instanceof Error ? error.message : String(error);
        if (why !== this.#problem) this.#options.log.warn('the policy of the fleet could not be looked at', { why });
        this.#problem = why;
      }
    }
  }

  /** Says that this node is there; a notification that was lost is made up for here. */
  async #tick(): Promise<void> {
    try {
      const newest = await this.#report();
      // It may copy for minutes, and is there all the while.
      if (this.#options.follows && (newest !== this.#wanted || this.#problem !== '')) void this.look();
    } catch {
      // It is away: that is said by who looks for it (postgres/database.ts).
    }
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#tick(), REPORT_MS);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    const { database, policy } = this.#options;
    const head = (await database.head())?.revision;
    this.#heardAt = this.#options.clock();
    const inForce = policy.inForce;
    const fault = backwards(head, inForce);
    if (fault !== '' || head === undefined || head.number === inForce?.number) {
      this.#wanted = head?.number ?? 0;
      policy.want(undefined);
      await this.#say(fault);
      return;
    }
    // What was wrong with the one before says nothing of this one, which is not here yet.
    if (head.number !== this.#wanted) this.#problem = '';
    this.#wanted = head.number;
    const why = this.#refusal(head) ?? (await this.#takeWithRoom(head));
    await this.#say(why);
  }

  /** Why it was not taken, as long as nothing has changed since; undefined: it has to be tried. */
  #refusal(head: Revision): string | undefined {
    if (this.#refused === undefined) return undefined;
    const { revision, why, by, at } = this.#refused;
    const same = sameRevision(revision, head) && by === this.#options.settings() && performance.now() < at + AGAIN_MS;
    return same ? why : undefined;
  }

  /** As `#take`. A disk that was full is asked first: no policy is read that cannot be kept. */
  async #takeWithRoom(revision: Revision): Promise<string> {
    const { policy, kept, settings } = this.#options;
    if (policy.unkept && !(await kept.hasRoom(revision))) return policy.unfit.join('\n');
    const by = settings();
    const why = await this.#take(revision);
    this.#refused = why === '' || policy.unkept ? undefined : { revision, why, by, at: performance.now() };
    return why;
  }

  /** @returns why it was not taken; empty: it is in force */
  async #take(revision: Revision): Promise<string> {
    const { policy, kept, reload, settings, log } = this.#options;
    const { fleet, policyKeys } = settings();
    const { number, author, comment } = revision;
    // Before anything is fetched: it is for nobody else to fill this disk.
    const fault = signatureFault(fleet.name, revision, policyKeys);
    if (fault !== undefined) {
      this.#tell(revision, `revision ${number}: ${fault}`);
      return `revision ${number}: ${fault}`;
    }
    const { inForce } = policy;
    const quick = onlyWithdraws(revision, inForce);
    // Of the same files nothing is lacking: a partner who is to go does not wait for a look at each of them.
    const same = inForce !== undefined && sameFiles(revision, inForce);
    const needed = same ? undefined : await this.#fetch(revision);
    policy.want(revision);
    const report = await reload(`${author} (revision ${number} of the fleet)`);
    if (policy.inForce?.number !== number) {
      const why = (report.ok ? policy.unfit : report.problems).join('\n') || 'it was not put in force';
      // A file of it may be damaged here since it was fetched.
      kept.doubt();
      this.#tell(revision, why);
      return why;
    }
    log.info('a revision of the fleet is in force', { number, author, comment, revision: report.revision });
    if (quick) await kept.keep(revision);
    if (needed !== undefined) await kept.sweep(needed);
    return '';
  }

  /** Once for each cause: it is tried again and again. */
  #tell({ number, author }: Revision, why: string): void {
    if (why !== this.#problem)
      this.#options.log.error('a revision of the fleet was not taken', { number, author, why });
  }

  /** Fetches what is not on this disk yet. The hashes of all that the revision consists of. */
  async #fetch({ number, tree }: Revision): Promise<ReadonlySet<string>> {
    const { database, kept } = this.#options;
    if (!(await kept.has(tree))) await kept.put(tree, database.contents.pieces(tree, BUNDLE_LIMITS.tree));
    const files = await inSlices(treeInSteps(await kept.read(tree)));
    if ('problem' in files) throw new Error(`revision ${number}: ${files.problem}`);
    const lacking = new Map<string, BundledFile>();
    for (const file of files) {
      if (!lacking.has(file.sha256) && !(await kept.has(file.sha256))) lacking.set(file.sha256, file);
    }
    for (const batch of batches([...lacking.values()])) {
      const [first] = batch;
      if (batch.length === 1 && first !== undefined) {
        await kept.put(first.sha256, database.contents.pieces(first.sha256, first.octets));
        continue;
      }
      const contents = [...(await database.contents.together(batch))];
      if (contents.length < batch.length) throw new Error(`revision ${number}: the store lacks some of its files`);
      for (let at = 0; at < contents.length; at += WRITERS) {
        const some = contents.slice(at, at + WRITERS);
        await Promise.all(some.map(([sha256, content]) => kept.put(sha256, [content])));
      }
    }
    return new Set([tree, ...files.map(({ sha256 }) => sha256)]);
  }

  async #say(problem: string): Promise<void> {
    const news = problem !== this.#problem;
    this.#problem = problem;
    if (news && problem !== '')
      this.#options.log.warn('the policy of the fleet is not in force here', { why: problem });
    await this.#report();
  }

  /** @returns the number of the newest revision */
  async #report(): Promise<number> {
    const { database, node, scriptRevision, clock, log } = this.#options;
    const { revision, wanted } = this.status;
    const said = { ...node, revision, wanted, problem: this.#problem, scriptRevision: scriptRevision() };
    const { newest, taken, twin, lag, nodes } = await database.report(said, !this.#reported);
    this.#lag = lag;
    this.#nodes = nodes;
    this.#reported = true;
    // Each of the two is seen: whoever waits for nodes must not take one for the other.
    if (!taken) await database.report({ ...said, name: twinName(node) }, true);
    else if (this.#displaced) await database.forget(twinName(node));
    this.#displaced = !taken;
    this.#heardAt = clock();
    const twice = !taken || twin;
    if (twice && !this.#twice) {
      const shown = taken ? node.name : twinName(node);
      log.error('two nodes use one name (daemon.node): the fleet shows one of them under another', {
        node: node.name,
        shown,
      });
    }
    this.#twice = twice;
    return newest;
  }
}

/** Why the newest revision of the store is none for a node that has this one in force; empty: it is. */
function backwards(head: Revision | undefined, inForce: Revision | undefined): string {
  if (inForce === undefined) return '';
  const { number } = inForce;
  const next = 'the next push is taken again';
  if (head === undefined) return `revision ${number} is in force here, and the store has none: it was emptied; ${next}`;
  if (head.number < number) {
    return `revision ${number} is in force here, and the newest of the store is ${head.number}: it was restored; ${next}`;
  }
  if (head.number > number || contentHash(head) === contentHash(inForce)) return '';
  return `revision ${number} of the store is another one than that in force here: it was restored; ${next}`;
}

function sameRevision(a: Revision, b: Revision): boolean {
  return a.number === b.number && contentHash(a) === contentHash(b) && a.signature?.value === b.signature?.value;
}
