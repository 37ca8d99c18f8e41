/** Writers that keep count of what they were told is done, and a look whether all of it is there. */

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { FleetDatabase } from '../../src/state/fleet/fleet-database.js';
import type { PostgresCluster } from '../support/postgres-cluster.js';
import { auditRecord, type FleetNode, pin } from './node.js';

/** Writers of each node that add lines to the audit log at once. */
const AUDITORS = 12;
/** Pins that one operator approves at once. */
const APPROVED = 20;
/** Who was refused asks again a little later. */
const AGAIN_MS = 20;
/** Of files that nobody asks for here. */
const NO_HASH = '0'.repeat(64);

export class Ledger {
  readonly acknowledged = {
    audit: new Set<string>(),
    pin: new Set<string>(),
    token: new Set<string>(),
    revision: new Set<string>(),
  };
  refused = 0;
  readonly #writing: Promise<unknown>[] = [];
  #stopped = false;

  get count(): number {
    const { audit, pin: pins, token, revision } = this.acknowledged;
    return audit.size + pins.size + token.size + revision.size;
  }

  /** Begins to write on this node, until `stop`. */
  write(node: FleetNode): void {
    for (let each = 0; each < AUDITORS; each += 1) {
      this.#repeat('audit', async (names) => {
        await node.store.audit.add(auditRecord({ claimed: names[0] ?? '' }));
      });
    }
    this.#repeat(
      'pin',
      (names) => node.store.save({ approve: names.map((name) => pin(name, { approvedAt: 5 })) }),
      APPROVED,
    );
    this.#repeat('token', async ([name = '']) => {
      const row = { name, id: name.slice(-12), role: 'viewer', created: new Date().toISOString(), scrypt: {} };
      await node.store.addToken(row, 1_000_000);
    });
    const fleet = new FleetDatabase(node.database);
    this.#repeat('revision', async ([comment = '']) => {
      const base = (await fleet.head())?.revision.number ?? 0;
      const content = { main: 'policy.yaml', tree: NO_HASH, withdrawn: [], names: NO_HASH };
      // Who is later than another node is refused, as any operator is.
      await fleet.push({ number: base + 1, base, ...content, author: node.name, comment });
    });
  }

  /** Settles when what is under way is done, or refused. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#writing);
  }

  /** What was acknowledged and is not in this database. */
  async lost(cluster: PostgresCluster): Promise<readonly string[]> {
    const tables = {
      ...{ audit: 'audit.claimed', pin: 'pin.spki_sha256', token: 'token.name' },
      revision: 'policy_revision.comment',
    } as const;
    const lost: string[] = [];
    for (const [what, place] of Object.entries(tables)) {
      const [table, column] = place.split('.');
      const approved = table === 'pin' ? 'WHERE approved_at IS NOT NULL AND NOT gone' : '';
      const rows = await cluster.sql<{ name: string }>(`SELECT ${column} AS name FROM siptrust.${table} ${approved}`);
      const there = new Set(rows.map(({ name }) => name));
      for (const name of this.acknowledged[what as keyof typeof tables]) if (!there.has(name)) lost.push(name);
    }
    return lost;
  }

  #repeat(what: keyof Ledger['acknowledged'], write: (names: readonly string[]) => Promise<unknown>, many = 1): void {
    const work = async (): Promise<void> => {
      while (!this.#stopped) {
        const names = Array.from({ length: many }, () => `${what}-${randomUUID()}`);
        try {
          await write(names);
          for (const name of names) this.acknowledged[what].add(name);
        } catch {
          this.refused += many;
          await sleep(AGAIN_MS);
        }
      }
    };
    this.#writing.push(work());
  }
}
