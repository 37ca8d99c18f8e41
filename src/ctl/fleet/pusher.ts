/** Makes revisions: numbers them, signs them, stores them. Whoever is second is told who was first. */

import type { KeyObject } from 'node:crypto';
import {
  MOST_REVISION_OCTETS,
  type PolicyKey,
  type Revision,
  type RevisionContent,
  readRevision,
  signatureFault,
  signed,
} from '../../policy/revision/index.js';
import { type FleetDatabase, PushConflict, type StoredRevision } from '../../state/fleet/index.js';
import { Refusal } from '../terminal/index.js';

export interface PusherOptions {
  readonly database: FleetDatabase;
  /** Name of the fleet (daemon.fleet.name), and the keys that its nodes know as far as this machine knows. */
  readonly fleet: string;
  readonly policyKeys: readonly PolicyKey[];
  readonly key: KeyObject | undefined;
  readonly author: string;
  readonly clock: () => number;
}

/** Brings a policy into the store: its files first, then the revision that names them. */
export class Pusher {
  readonly #options: PusherOptions;

  constructor(options: PusherOptions) {
    this.#options = options;
  }

  /**
   * Pushes a revision.
   * @param base the revision that it was made on; undefined: there was none
   * @throws {Refusal} another one was first, or nodes would not take it
   */
  async push(
    base: StoredRevision | undefined,
    content: RevisionContent,
    comment: string,
    blobs: ReadonlyMap<string, Uint8Array> = new Map(),
  ): Promise<Revision> {
    const { database, fleet, policyKeys, key, author, clock } = this.#options;
    // Nodes never go back: in a database that was restored, numbers go on above those that are in force.
    const number = (await database.lastNumber()) + 1;
    const unsigned = { number, base: base?.revision.number ?? 0, ...content, author, comment };
    const revision = key === undefined ? unsigned : signed(fleet, unsigned, key, clock());
    // What is stored is the newest for everybody: one that nobody can read would be the last.
    const read = readRevision(revision);
    if ('problem' in read) throw new Refusal(`nothing was pushed: ${read.problem}`, 2);
    const octets = Buffer.byteLength(JSON.stringify(revision));
    if (octets > MOST_REVISION_OCTETS) {
      const expected = `expected a revision of at most ${MOST_REVISION_OCTETS} bytes, found ${octets}`;
      throw new Refusal(`nothing was pushed: ${expected} (names of agreements that are disabled)`, 2);
    }
    const fault = signatureFault(fleet, revision, policyKeys);
    if (fault !== undefined) throw new Refusal(`the nodes would not take it: ${fault} (--key FILE)`, 2);
    await database.contents.store(blobs);
    try {
      await database.push(revision);
      return revision;
    } catch (cause) {
      if (cause instanceof PushConflict) throw new Refusal(firstCame(cause.winner, base), 1, { cause });
      throw cause;
    }
  }
}

/** Who was first, and how to go on. */
export function firstCame(winner: StoredRevision, base: StoredRevision | number | undefined): string {
  const on = typeof base === 'number' ? base : (base?.revision.number ?? 0);
  const { number, author, comment } = winner.revision;
  const when = new Date(winner.at).toISOString();
  const why = comment === '' ? '' : ` (${JSON.stringify(comment)})`;
  const first = `revision ${number} by ${author} at ${when}${why} came first: yours was made on revision ${on}`;
  const see = on === 0 ? `siptrustctl policy show ${number}` : `siptrustctl policy diff ${on} ${number}`;
  return `${first}, and nothing was pushed. See what it changed (${see}), take that into yours, and push again`;
}
