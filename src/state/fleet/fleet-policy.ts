/**
 * The policy of a node, wherever it comes from: the file, or the revision of the fleet that is kept on this disk. A newer
 * revision is checked, kept and put in force, in this order: whoever dies in between starts again with one of the two.
 */

import { withdrawInSteps } from '../../policy/fleet/index.js';
import type { LoadedPolicy } from '../../policy/loading/index.js';
import { type Revision, sameFiles, signatureFault } from '../../policy/revision/index.js';
import type { DaemonSettings } from '../../policy/settings/index.js';
import { inSlices } from '../work/index.js';
import { KeptRevision } from './kept-revision.js';

type GoodPolicy = Extract<LoadedPolicy, { ok: true }>;

/** Reads the policy, or this revision of it. */
export type ReadPolicy = (revision: number, now: number, wanted?: Revision) => Promise<LoadedPolicy>;

/** Puts a revision on this disk: once it is settled, a start finds it. */
export type KeepRevision = (settings: DaemonSettings, revision: Revision, durable: boolean) => Promise<void>;

/** Which revision of the fleet this node reads its policy from. */
export class FleetPolicy {
  readonly #read: ReadPolicy;
  readonly #keep: KeepRevision;
  #unkept = false;
  /** A revision that does not do here: whom it takes out is out all the same, until one of its number or a later one is in force. */
  #narrower: Revision | undefined;
  /** As read, with nothing withdrawn. */
  #files: GoodPolicy | undefined;
  #inForce: Revision | undefined;
  #wanted: Revision | undefined;
  #refused: readonly string[] = [];
  /** The revision that was wanted and did not do, and why. */
  #unfit: { readonly revision: Revision; readonly problems: readonly string[] } | undefined;

  constructor(read: ReadPolicy, keep: KeepRevision = keepOnDisk) {
    this.#read = read;
    this.#keep = keep;
  }

  /** The revision in force; undefined: none is. */
  get inForce(): Revision | undefined {
    return this.#inForce;
  }

  /** Agreements that the fleet has disabled here, by the revision in force or a later one. */
  get withdrawn(): readonly string[] {
    return this.#out(this.#inForce);
  }

  /** Why the revision that was kept is not in force since the start, as long as none is. */
  get refused(): readonly string[] {
    return this.#inForce === undefined ? this.#refused : [];
  }

  /** Why the revision that is wanted is not in force. */
  get unfit(): readonly string[] {
    return this.#unfit?.problems ?? [];
  }

  /** Whether that one is good, and this disk did not take it. */
  get unkept(): boolean {
    return this.#unkept;
  }

  /** The next load is that of this revision, whose files are on this disk; undefined: of the one that is kept. */
  want(revision: Revision | undefined): void {
    this.#wanted = revision;
    this.#unfit = undefined;
    this.#unkept = false;
  }

  /** For PolicyHolder: what it gives is in force at once, and kept on this disk already. */
  async load(revision: number, now: number): Promise<LoadedPolicy> {
    const wanted = this.#wanted;
    const loaded = await this.#load(revision, now, wanted);
    if (wanted !== this.#wanted || wanted === undefined) return loaded;
    if (loaded.ok) {
      this.want(undefined);
      return loaded;
    }
    const again = this.#unfit?.revision === wanted;
    this.#unfit = { revision: wanted, problems: loaded.problems };
    if (!again) return (await this.#narrowed(wanted, loaded.problems)) ?? loaded;
    // It was tried once more, and does not keep what this node's own file says out of force.
    const without = await this.#load(revision, now, undefined);
    return without.ok ? { ...without, warnings: [...without.warnings, ...loaded.problems] } : loaded;
  }

  async #load(revision: number, now: number, wanted: Revision | undefined): Promise<LoadedPolicy> {
    const loaded = await this.#policyOf(revision, now, wanted);
    if (!loaded.ok) return loaded;
    const { fleet, settings } = loaded;
    if (fleet === undefined) {
      this.#files = loaded;
      return loaded;
    }
    // The one in force is better than none.
    if (fleet.refused.length > 0 && this.#files !== undefined) return { ok: false, problems: fleet.refused };
    const next = wanted ?? fleet.revision;
    const snapshot = await inSlices(withdrawInSteps(loaded.snapshot, this.#out(next)));
    if (wanted !== undefined) {
      try {
        await this.#keep(settings, wanted, !onlyWithdraws(wanted, this.#inForce));
      } catch (cause) {
        // In force and not kept, a start would go back to the one before.
        const why = cause instanceof Error ? cause.message : String(cause);
        this.#unkept = true;
        return { ok: false, problems: [`revision ${wanted.number} cannot be kept on this node's disk: ${why}`] };
      }
    }
    this.#files = loaded;
    this.#inForce = next;
    this.#refused = fleet.refused;
    return { ...loaded, snapshot, warnings: [...loaded.warnings, ...fleet.refused] };
  }

  /**
   * The files in force, without whom this revision takes out, which does not do here itself: that only narrows whom this node
   * trusts, and is in memory alone. undefined: it changes nothing, or nobody who may says so.
   */
  async #narrowed(wanted: Revision, problems: readonly string[]): Promise<GoodPolicy | undefined> {
    const [files, inForce] = [this.#files, this.#inForce];
    if (files === undefined || inForce === undefined) return undefined;
    const { fleet, policyKeys } = files.settings;
    if (signatureFault(fleet.name, wanted, policyKeys) !== undefined) return undefined;
    const before = this.#out(inForce).join('\n');
    this.#narrower = wanted;
    const out = this.#out(inForce);
    if (out.join('\n') === before) return undefined;
    const snapshot = await inSlices(withdrawInSteps(files.snapshot, out));
    return { ...files, snapshot, warnings: [...files.warnings, ...problems] };
  }

  /** Whom a policy of this revision is without. */
  #out(revision: Revision | undefined): readonly string[] {
    const more =
      this.#narrower !== undefined && this.#narrower.number > (revision?.number ?? 0) ? this.#narrower.withdrawn : [];
    return [...new Set([...(revision?.withdrawn ?? []), ...more])].sort();
  }

  /** Reads files only where they are others. */
  async #policyOf(revision: number, now: number, wanted: Revision | undefined): Promise<LoadedPolicy> {
    const [files, inForce] = [this.#files, this.#inForce];
    if (wanted === undefined || files === undefined || inForce === undefined || !sameFiles(wanted, inForce)) {
      return this.#read(revision, now, wanted);
    }
    const { fleet, policyKeys } = files.settings;
    const fault = signatureFault(fleet.name, wanted, policyKeys);
    if (fault !== undefined) return { ok: false, problems: [`revision ${wanted.number}: ${fault}`] };
    return { ...files, fleet: { revision: wanted, refused: [] } };
  }
}

function keepOnDisk({ fleet }: DaemonSettings, revision: Revision, durable: boolean): Promise<void> {
  return new KeptRevision(fleet.directory).keep(revision, durable);
}

/**
 * Whether a revision does nothing but take partners out. It is in force before the disk has made sure of it, which may
 * take a busy one half a second: the follower has that done right after.
 */
export function onlyWithdraws(wanted: Revision, inForce: Revision | undefined): boolean {
  if (inForce === undefined || !sameFiles(wanted, inForce)) return false;
  const out = new Set(wanted.withdrawn);
  return inForce.withdrawn.every((name) => out.has(name));
}
