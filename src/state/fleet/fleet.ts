/** This node as one of a fleet: what it follows, and what it knows of the others. */

import type { DatabaseStatus } from '../postgres/index.js';
import type { FleetDatabase, NodeRow, StoredRevision } from './fleet-database.js';
import type { Follower, FollowerStatus } from './follower.js';

export interface FleetStatus extends FollowerStatus {
  readonly node: string;
  /** Whether the policy comes from the store. */
  readonly follows: boolean;
  /** Agreements that the fleet has disabled. */
  readonly withdrawn: readonly string[];
  readonly store: DatabaseStatus;
}

export interface FleetOptions {
  readonly node: string;
  readonly follows: boolean;
  readonly database: FleetDatabase;
  readonly store: () => DatabaseStatus;
  readonly follower: Follower;
  readonly withdrawn: () => readonly string[];
}

/** What this node knows of its fleet, for methods and metrics. */
export class Fleet {
  readonly #options: FleetOptions;

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  status(): FleetStatus {
    const { node, follows, follower, store, withdrawn } = this.#options;
    return { ...follower.status, node, follows, store: store(), withdrawn: withdrawn() };
  }

  /** Whether the policy comes from the store, and none came: nobody is trusted. */
  get lacksPolicy(): boolean {
    const { follows, follower } = this.#options;
    return follows && follower.status.revision === 0;
  }

  /** @throws {StoreError} the store is away */
  nodes(): Promise<readonly NodeRow[]> {
    return this.#options.database.nodes();
  }

  /** The newest first. @throws {StoreError} the store is away */
  revisions(limit: number): Promise<readonly StoredRevision[]> {
    return this.#options.database.revisions(limit);
  }
}
