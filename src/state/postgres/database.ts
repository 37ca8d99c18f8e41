/** The database of a fleet: found, lost, found again. Nothing that judges calls waits for it. */

import { hasPassed } from '../../elapsed.js';
import type { Logger } from '../../log/index.js';
import type { StoreSettings } from '../../policy/settings/index.js';
import { StoreError, type TimelineStore } from '../store/index.js';
import { HostConnections, isLost, nameOf, type Run, SCHEMA, type SqlRow, type SqlValue } from './client.js';
import { checkSchema } from './migrate.js';

/** How long until a host is tried again: doubled from the first to the last. */
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;
/** How often a host that says nothing is asked whether it is there, and still takes writes. */
const HEARTBEAT_MS = 2_000;
const TELL_MS = 60_000;

export interface DatabaseOptions {
  readonly settings: StoreSettings;
  /** How this program calls itself: `siptrustd NODE`, `siptrustctl`. */
  readonly name: string;
  readonly log: Pick<Logger, 'info' | 'error'>;
  readonly clock: () => number;
  /** 0 to 1: nodes that lost the same database do not come back in one instant. */
  readonly random: () => number;
  /** Whether the schema has to be the one that this program knows; `store migrate` makes it so. */
  readonly checked?: boolean;
  /** How far the history of the database went in earlier runs; undefined: nobody knows. */
  readonly history?: TimelineStore;
}

export interface DatabaseStatus {
  readonly up: boolean;
  /** Since when, in milliseconds since 1970. */
  readonly since: number;
  /** Why it is away; empty where it is not. */
  readonly problem: string;
  /** `HOST:PORT`; empty where it is away. */
  readonly host: string;
  /** Whether notifications arrive; news is found by looking alone where not. */
  readonly hears: boolean;
}

/** A host that takes writes. */
interface Found {
  readonly connections: HostConnections;
  readonly timeline: number;
  readonly system: string;
}

/** A host says whether it takes writes, and how often its line of history was taken over by a standby. */
const WRITABLE = `
  SELECT pg_is_in_recovery() AS standby, current_setting('transaction_read_only') AS read_only`;
/** What the server, or a pooler before it, made of what a connection asks for (client.ts). */
const GIVEN = `
  SELECT current_setting('server_encoding') AS encoding, current_setting('search_path') AS search_path,
    split_part(current_setting('datestyle'), ',', 1) AS datestyle`;
/** Without these nothing is found, and times are others. */
const NEEDED = Object.freeze({ search_path: SCHEMA, datestyle: 'ISO' });
/** Names of partners have any letters: SQL_ASCII keeps the octets as they come. */
const ENCODINGS: ReadonlySet<unknown> = new Set(['UTF8', 'SQL_ASCII']);

/** Why a host is none to write to; empty: it is one. */
function writeFault(row: SqlRow | undefined): string {
  if (row?.standby !== false) return 'expected a host that takes writes, found a standby';
  if (row.read_only === 'off') return '';
  return 'expected a host that takes writes, found default_transaction_read_only = on (of the role, the database or the server)';
}

function givenFault(row: SqlRow | undefined): string {
  if (!ENCODINGS.has(row?.encoding)) return `expected a database of encoding UTF8, found ${row?.encoding}`;
  for (const [name, expected] of Object.entries(NEEDED)) {
    const found = row?.[name];
    if (found === expected) continue;
    return `expected ${name} = ${expected}, found ${found}: a pooler between drops what connections ask for (ALTER ROLE ... SET)`;
  }
  return '';
}
const TIMELINE = "SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int AS timeline";
/** Timelines of one database can be compared, not those of two. */
const SYSTEM = 'SELECT system_identifier::text AS system FROM pg_control_system()';

/** A connection to the store that comes and goes: statements fail at once while it is away. */
export class Database {
  readonly #options: DatabaseOptions;
  readonly #listening = new Map<string, ((payload: string | undefined) => void)[]>();
  readonly #upOrDown: ((up: boolean) => void)[] = [];
  #connections: HostConnections | undefined;
  #status: DatabaseStatus;
  #timeline = 0;
  #failures = 0;
  #toldAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #searching: Promise<void> | undefined;
  #closed = false;

  constructor(options: DatabaseOptions) {
    this.#options = options;
    this.#status = { up: false, since: options.clock(), problem: 'not asked yet', host: '', hears: false };
  }

  get status(): DatabaseStatus {
    return this.#status;
  }

  /** Where the store stands in messages. */
  get name(): string {
    return `store ${this.#options.settings.hosts.map((each) => nameOf(each).slice('store '.length)).join(',')}`;
  }

  /** Begins to look for the database, and goes on for as long as it is open. Settles after the first look. */
  start(): Promise<void> {
    this.#search();
    return this.#searching ?? Promise.resolve();
  }

  /**
   * As `start`, for whoever can do nothing without it.
   * @throws {StoreError} it is away
   */
  async connect(): Promise<void> {
    await this.start();
    if (!this.#status.up) throw new StoreError(this.name, this.#status.problem);
  }

  /**
   * @param told with the payload of each notification; with undefined when some may have been missed: after each
   *   connection, the first one too
   */
  listen(channel: string, told: (payload: string | undefined) => void): void {
    const known = this.#listening.get(channel);
    if (known !== undefined) {
      known.push(told);
      return;
    }
    this.#listening.set(channel, [told]);
    const connections = this.#connections;
    if (connections === undefined) return;
    connections.listen(channel).then(
      () => told(undefined),
      (error: unknown) => this.#lost(connections, error),
    );
  }

  /** @param told when it has come (after those that listen), and when it has gone */
  onStatus(told: (up: boolean) => void): void {
    this.#upOrDown.push(told);
  }

  /** One statement, which is a transaction of its own. @throws {StoreError} */
  query<Row extends SqlRow = SqlRow>(text: string, values?: readonly SqlValue[]): Promise<readonly Row[]> {
    return this.#with((connections) => connections.query<Row>(text, values));
  }

  /**
   * Statements that are done all or none. Once it is settled they outlive the host. Where it is not, they were not
   * done, or nobody knows whether: they have to be such that they can be asked for again.
   * @throws {StoreError}
   */
  transaction<T>(work: (run: Run) => Promise<T>): Promise<T> {
    return this.#with((connections) => connections.transaction(work));
  }

  /** Ends all connections and looks for none; what is under way fails. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#connections?.destroy();
    this.#connections = undefined;
    await this.#searching;
  }

  async #with<T>(work: (connections: HostConnections) => Promise<T>): Promise<T> {
    const connections = this.#connections;
    if (connections === undefined) {
      const { since, problem } = this.#status;
      throw new StoreError(this.name, `it is away since ${new Date(since).toISOString()}: ${problem}`);
    }
    try {
      return await work(connections);
    } catch (error) {
      if (isLost(error)) this.#lost(connections, error);
      throw error;
    }
  }

  #search(): void {
    if (this.#closed || this.#searching !== undefined || this.#connections !== undefined) return;
    this.#searching = this.#look().finally(() => {
      this.#searching = undefined;
      if (this.#connections === undefined) this.#searchLater();
    });
  }

  #searchLater(): void {
    if (this.#closed) return;
    const { random } = this.#options;
    const delay = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#failures, 10));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#search(), delay * (0.5 + random() / 2));
    this.#timer.unref();
  }

  /** Asks all hosts at once: of those that take writes the one whose history is the latest is the database. */
  async #look(): Promise<void> {
    const found = await Promise.all(this.#options.settings.hosts.map((host) => this.#try(host)));
    const open = found.flatMap((each) => ('connections' in each ? [each] : []));
    open.sort((a, b) => b.timeline - a.timeline);
    const [best, ...others] = open;
    for (const { connections } of others) connections.destroy();
    if (best === undefined || this.#closed) {
      best?.connections.destroy();
      this.#down(found.flatMap((each) => ('problem' in each ? [each.problem] : [])).join('; '));
      return;
    }
    try {
      await this.#takeUp(best);
    } catch (error) {
      best.connections.destroy();
      this.#down(error instanceof Error ? error.message : String(error));
    }
  }

  async #try(host: StoreSettings['hosts'][number]): Promise<Found | { problem: string }> {
    const { settings, name } = this.#options;
    let connections: HostConnections | undefined;
    try {
      connections = await HostConnections.open(settings, host, name, (error) => {
        if (connections !== undefined) this.#lost(connections, error);
      });
      const fault = writeFault((await connections.ask(WRITABLE))[0]) || givenFault((await connections.ask(GIVEN))[0]);
      if (fault !== '') throw new StoreError(nameOf(host), fault);
      const timeline = Number((await connections.ask(TIMELINE))[0]?.timeline);
      const system = await this.#systemOf(connections);
      const known = Math.max(this.#timeline, await this.#knownOf(system));
      if (timeline < known) {
        const expected = `expected timeline ${known} or later`;
        throw new StoreError(nameOf(host), `${expected}, found ${timeline}: a primary of before a failover is back`);
      }
      return { connections, timeline, system };
    } catch (error) {
      connections?.destroy();
      return { problem: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Empty where the role may not ask for it. */
  async #systemOf(connections: HostConnections): Promise<string> {
    try {
      return String((await connections.ask(SYSTEM))[0]?.system ?? '');
    } catch (error) {
      if (isLost(error)) throw error;
      return '';
    }
  }

  async #knownOf(system: string): Promise<number> {
    return (system === '' ? undefined : await this.#options.history?.loadTimeline(system)) ?? 0;
  }

  /** A later run must not follow a primary that was taken over from: this one has seen the takeover. */
  async #remember({ system, timeline }: Found): Promise<void> {
    const { history, log } = this.#options;
    if (history === undefined || system === '' || (await this.#knownOf(system)) >= timeline) return;
    try {
      await history.saveTimeline(system, timeline);
    } catch (error) {
      log.error('the timeline of the store was not written', { timeline, error: String(error) });
    }
  }

  async #takeUp(found: Found): Promise<void> {
    const { connections, timeline } = found;
    const { log, clock, checked = true } = this.#options;
    if (checked) await checkSchema((text) => connections.ask(text));
    const { heard } = await connections.probe();
    await this.#remember(found);
    connections.onNotice((channel, payload) => {
      for (const told of this.#listening.get(channel) ?? []) told(payload);
    });
    for (const channel of this.#listening.keys()) await connections.listen(channel);
    this.#timeline = timeline;
    this.#connections = connections;
    const { problem, since } = this.#status;
    const host = nameOf(connections.host).slice('store '.length);
    this.#status = { up: true, since: clock(), problem: '', host, hears: true };
    if (this.#failures > 0) log.info('the store is back', { store: host, away_ms: clock() - since, problem });
    void heard.then((hears) => {
      if (hears || this.#connections !== connections) return;
      this.#status = { ...this.#status, hears };
      log.error('notifications of the store do not arrive: news is found by looking alone', { store: host });
    });
    this.#beat(connections);
    for (const listeners of this.#listening.values()) for (const told of listeners) told(undefined);
    for (const told of this.#upOrDown) told(true);
  }

  #beat(connections: HostConnections): void {
    this.#timer = setTimeout(() => {
      connections.ask(WRITABLE).then(
        ([row]) => {
          if (this.#connections !== connections) return;
          if (writeFault(row) !== '') {
            this.#lost(connections, new StoreError(this.name, 'the host takes no writes any more'));
            return;
          }
          // It has lasted: one that comes and goes at once is looked for ever more seldom, and told once a minute.
          this.#failures = 0;
          this.#toldAt = Number.NEGATIVE_INFINITY;
          this.#beat(connections);
        },
        (error: unknown) => this.#lost(connections, error),
      );
    }, HEARTBEAT_MS);
    this.#timer.unref();
  }

  #lost(connections: HostConnections, error: unknown): void {
    if (this.#connections !== connections) return;
    this.#connections = undefined;
    clearTimeout(this.#timer);
    connections.destroy();
    this.#down(error instanceof Error ? error.message : String(error));
    this.#searchLater();
    for (const told of this.#upOrDown) told(false);
  }

  /** Says so at once, and once a minute for as long as it lasts. */
  #down(problem: string): void {
    const { clock, log } = this.#options;
    const { up, since } = this.#status;
    const now = clock();
    // Whoever says it names the store.
    const own = `${this.name}: `;
    const text = problem.startsWith(own) ? problem.slice(own.length) : problem;
    this.#status = {
      up: false,
      since: up || this.#failures === 0 ? now : since,
      problem: text,
      host: '',
      hears: false,
    };
    this.#failures += 1;
    if (this.#closed || !hasPassed(this.#toldAt, TELL_MS, now)) return;
    this.#toldAt = now;
    log.error('the store is away: what it said last stays in force', { store: this.name, problem });
  }
}
