/** A fleet in one process: a database of its own, nodes that follow its policy, operators who push. */

import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { readPolicy } from '../../src/policy/loading/loader.js';
import type { StoreSettings } from '../../src/policy/settings/store-settings.js';
import { FleetDatabase } from '../../src/state/fleet/fleet-database.js';
import { FleetPolicy } from '../../src/state/fleet/fleet-policy.js';
import { Follower } from '../../src/state/fleet/follower.js';
import { KeptRevision } from '../../src/state/fleet/kept-revision.js';
import { PolicyHolder } from '../../src/state/policy/holder.js';
import { Database } from '../../src/state/postgres/database.js';
import { migrate } from '../../src/state/postgres/migrate.js';
import { type Outcome, siptrustctl } from './command-line.js';
import { keptLog } from './kept-log.js';
import { PostgresCluster } from './postgres-cluster.js';

export interface NodeOptions {
  /** Milliseconds by which the clock of this node is ahead. */
  readonly skew?: number;
  readonly store?: Partial<StoreSettings>;
  /** Instead of keeping a revision on the disk. */
  readonly keep?: ConstructorParameters<typeof FleetPolicy>[1];
  /** Whether it hears notifications. */
  readonly deaf?: boolean;
  /** Its name in the fleet, where it is not that of its directory. */
  readonly called?: string;
}

export class FleetNode {
  readonly log = keptLog();
  readonly holder: PolicyHolder;
  readonly source: FleetPolicy;
  readonly follower: Follower;
  readonly database: FleetDatabase;
  readonly connection: Database;
  /** Revisions that scripts were shown, in order. */
  readonly shown: number[] = [];

  private constructor(
    name: string,
    config: string,
    store: StoreSettings,
    options: NodeOptions,
    holder: PolicyHolder,
    source: FleetPolicy,
  ) {
    const clock = () => Date.now() + (options.skew ?? 0);
    const { log } = this;
    this.holder = holder;
    this.source = source;
    this.connection = new Database({ settings: store, name: `siptrustd ${name}`, log, clock, random: Math.random });
    this.database = new FleetDatabase(this.connection);
    if (options.deaf === true) this.database.onChange = () => {};
    this.shown.push(holder.snapshot.revision);
    this.follower = new Follower({
      ...{ follows: true, database: this.database, policy: source, clock, log },
      kept: new KeptRevision(join(dirname(config), 'kept')),
      reload: async () => {
        const report = await holder.reload(clock);
        this.shown.push(holder.snapshot.revision);
        return report;
      },
      settings: () => holder.settings,
      node: { name: options.called ?? name, instance: randomUUID(), version: 'test', startedAt: clock() },
      scriptRevision: () => holder.snapshot.revision,
    });
  }

  static async start(
    name: string,
    config: string,
    store: StoreSettings,
    options: NodeOptions = {},
  ): Promise<FleetNode> {
    const source = new FleetPolicy(
      async (revision, now, wanted) => readPolicy(config, revision, now, wanted),
      ...(options.keep === undefined ? [] : [options.keep]),
    );
    const now = Date.now() + (options.skew ?? 0);
    const holder = await PolicyHolder.begin((revision, at) => source.load(revision, at), now);
    if ('problems' in holder) throw new Error(holder.problems.join('\n'));
    const node = new FleetNode(name, config, { ...store, ...options.store }, options, holder, source);
    await node.connection.start();
    await node.follower.start();
    return node;
  }

  /** The fleet's number of the revision in force; 0: none. */
  get number(): number {
    return this.source.inForce?.number ?? 0;
  }

  enabled(agreement: string): boolean | undefined {
    return [...this.holder.snapshot.agreements].find(({ name }) => name === agreement)?.enabled;
  }

  async stop(): Promise<void> {
    await this.follower.close();
    await this.connection.close();
  }
}

export class FleetStage {
  readonly directory = mkdtempSync(join(tmpdir(), 'siptrust-fleet-'));
  readonly cluster: PostgresCluster;
  readonly #nodes: FleetNode[] = [];

  private constructor(cluster: PostgresCluster) {
    this.cluster = cluster;
  }

  static async start(): Promise<FleetStage> {
    const stage = new FleetStage(await PostgresCluster.start());
    const settings = stage.cluster.settings([], { queryTimeout: 60_000 });
    const options = { name: 'migrate', log: keptLog(), clock: Date.now, random: Math.random, checked: false };
    const database = new Database({ settings, ...options });
    await database.connect();
    await migrate(database);
    await database.close();
    // On a machine that is busy an operator waits.
    stage.config('operator', { store_timeout: 20_000 });
    return stage;
  }

  /** Writes the file of a node; of an operator, too. */
  config(name: string, daemon: object = {}): string {
    const path = this.file(name, 'siptrust.yaml');
    const { directory = 'kept', ...fleet } = ((daemon as { fleet?: object }).fleet ?? {}) as { directory?: string };
    const own = {
      ...{ node: name, store: this.cluster.url(), store_password_file: this.cluster.passwordFile },
      ...{ state: { file: 'state.db' }, ...daemon, fleet: { policy: 'on', directory, ...fleet } },
    };
    writeFileSync(path, stringify({ daemon: own }), { mode: 0o600 });
    return path;
  }

  /** A file of this stage, whose directory is there. */
  file(...parts: readonly string[]): string {
    const path = join(this.directory, ...parts);
    mkdirSync(dirname(path), { recursive: true });
    return path;
  }

  /** Writes a policy with its files. The path of its main file. */
  policy(name: string, main: object, files: Readonly<Record<string, string>> = {}): string {
    for (const [path, text] of Object.entries(files)) writeFileSync(this.file(name, path), text, { mode: 0o644 });
    const path = this.file(name, 'policy.yaml');
    writeFileSync(path, stringify(main), { mode: 0o644 });
    return path;
  }

  async node(name: string, options: NodeOptions & { readonly daemon?: object } = {}): Promise<FleetNode> {
    const config = this.config(name, options.daemon);
    const node = await FleetNode.start(name, config, this.cluster.settings(), options);
    this.#nodes.push(node);
    return node;
  }

  /** siptrustctl of an operator. */
  ctl(...args: readonly string[]): Promise<Outcome> {
    return siptrustctl(['--json', ...args, '--config', join(this.directory, 'operator', 'siptrust.yaml')]);
  }

  /** As `ctl`, for what has to be answered; what was printed. */
  async done(...args: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
    const outcome = await this.ctl(...args);
    if (outcome.error !== '' || outcome.output === '') throw new Error(`${args.join(' ')}: ${outcome.error}`);
    return JSON.parse(outcome.output) as Readonly<Record<string, unknown>>;
  }

  async stop(): Promise<void> {
    for (const node of this.#nodes) await node.stop();
    await this.cluster.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
