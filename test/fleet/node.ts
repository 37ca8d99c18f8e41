/** A node of a fleet in this process: its copy of the store, its pins, what it saw in DNS, its tokens and its audit log. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditRecord } from '../../src/log/audit.js';
import type { StoreSettings } from '../../src/policy/settings/store-settings.js';
import { Tokens } from '../../src/rpc/access/tokens.js';
import { TlsMemory } from '../../src/state/hops/tls-memory.js';
import { Pins } from '../../src/state/pins/pins.js';
import { Database } from '../../src/state/postgres/database.js';
import { migrate } from '../../src/state/postgres/migrate.js';
import { openSqliteStore } from '../../src/state/store/sqlite-store.js';
import type { Pin } from '../../src/state/store/store.js';
import { SharedStore } from '../../src/state/tables/shared-store.js';
import { Counters } from '../../src/state/verdicts/counters.js';
import type { CertificateFacts } from '../../src/x509/certificate/facts.js';
import { leaf, NOW, root } from '../support/certificates.js';
import { keptLog } from '../support/kept-log.js';
import type { PostgresCluster } from '../support/postgres-cluster.js';

const peer = leaf(root({ subject: 'O=Operator B,CN=B CA' })).facts;

/** The certificate of a partner with this key; keys are slow to make. */
export function certificate(key: string, dns = 'b.example'): CertificateFacts {
  return { ...peer, spkiSha256: key, sha256: `certificate of ${key}`, subjectText: `CN=${dns}` };
}

export function pin(key: string, over: Partial<Pin> = {}): Pin {
  return {
    ...{ agreement: 'op-b', spkiSha256: key, certificateSha256: `certificate of ${key}`, subject: 'CN=b.example' },
    ...{ identities: ['b.example'], notAfter: NOW, firstSeen: NOW, lastSeen: NOW, count: 1, approvedAt: undefined },
    ...over,
  };
}

export function auditRecord(over: Partial<AuditRecord> = {}): AuditRecord {
  return {
    ...{ at: Date.now(), method: 'pin.approve', params: { agreement: 'op-b' }, wire: 'unix', peer: 'test' },
    ...{ credential: '', claimed: 'noc', outcome: 'done', revisionBefore: 1, revisionAfter: 2 },
    ...over,
  };
}

export async function migrated(cluster: PostgresCluster): Promise<void> {
  const settings = cluster.settings([], { queryTimeout: 60_000 });
  const common = { log: keptLog(), clock: Date.now, random: Math.random, checked: false };
  const database = new Database({ settings, name: 'siptrustctl', ...common });
  await database.connect();
  await migrate(database);
  await database.close();
}

export class FleetNode {
  readonly name: string;
  readonly directory: string;
  readonly log = keptLog();
  readonly database: Database;
  readonly store: SharedStore;
  readonly #clock: () => number;
  /** How often what is approved changed. */
  changes = 0;
  pins!: Pins;
  tls!: TlsMemory;
  tokens!: Tokens;

  private constructor(name: string, settings: StoreSettings, directory: string, clock: () => number) {
    this.name = name;
    this.directory = directory;
    this.#clock = clock;
    const local = openSqliteStore(join(directory, 'state.db'));
    const common = { log: this.log, clock };
    this.database = new Database({
      settings,
      name: `siptrustd ${name}`,
      random: Math.random,
      history: local,
      ...common,
    });
    this.store = new SharedStore({ database: this.database, local, node: name, pins: 10_000, ...common });
  }

  /** @param directory of an earlier run */
  static async start(name: string, settings: StoreSettings, directory?: string, clock = Date.now): Promise<FleetNode> {
    const made = directory ?? mkdtempSync(join(tmpdir(), `siptrust-node-${name}-`));
    const node = new FleetNode(name, settings, made, clock);
    await node.store.start();
    node.pins = await Pins.open(node.store, { most: 10_000, clock, log: node.log });
    node.pins.start(new Counters(), () => {
      node.changes += 1;
      return 1;
    });
    node.tls = new TlsMemory({ clock, log: node.log, store: node.store });
    await node.tls.load();
    node.tokens = new Tokens(join(made, 'tokens.json'), clock, node.log, node.store);
    return node;
  }

  /** Keys and what they are: `approved`, `observed`. */
  states(): Readonly<Record<string, string>> {
    const of = (each: Pin) => (each.approvedAt === undefined ? 'observed' : 'approved');
    return Object.fromEntries(this.pins.list().map((each) => [each.spkiSha256, of(each)]));
  }

  /** Waits until the database is there, as seen from here. */
  async up(): Promise<void> {
    while (!this.database.status.up) await sleep(20);
  }

  async stop(remove = true): Promise<void> {
    await this.tls.close();
    await this.pins.close();
    await this.store.close();
    await this.database.close();
    if (remove) rmSync(this.directory, { recursive: true, force: true });
  }

  now(): number {
    return this.#clock();
  }
}
