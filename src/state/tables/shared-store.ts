/**
 * The store of a fleet: PostgreSQL for all, and on each node a copy in SQLite, which is what serves while the database is
 * away. What an operator is told was done is in the database; what a node sees goes there when it can.
 */

import { hasPassed } from '../../elapsed.js';
import type { Logger } from '../../log/index.js';
import {
  type Cursor,
  coalesced,
  type Database,
  type DatabaseStatus,
  position,
  type Run,
  STATE_CHANGED,
  spaced,
  Turns,
} from '../postgres/index.js';
import {
  type CertificateStore,
  type KeptCertificate,
  type KeptLimits,
  type Pin,
  type PinNews,
  type Store,
  type StoreChanges,
  type Stored,
  StoreError,
  type TimelineStore,
  type TlsSeen,
  type TlsSeenStore,
  type WaitingLines,
} from '../store/index.js';
import type { RefusedRow } from './bounds.js';
import { tidyCertificates } from './certificate-table.js';
import { tidyFetched } from './fetched-table.js';
import { Outbox } from './outbox.js';
import { approvePins, dropPins, readPins, tidyPins } from './pin-table.js';
import { StoredAudit } from './stored-audit.js';
import { StoredFetches } from './stored-fetches.js';
import { readTlsSeen, tidyTlsSeen } from './tls-seen-table.js';
import { addToken, readTokens, revokeToken, type StoredToken } from './token-table.js';

/** How long a lost notification goes unnoticed; of tokens four times as long, where notifications arrive. */
const POLL_MS = 15_000;
const TOKEN_POLLS = 4;
const TIDY_MS = 3_600_000;
/** Rows that one look names in the log. */
const MOST_REFUSED = 20;

export type LocalStore = Store & TlsSeenStore & CertificateStore & WaitingLines & TimelineStore;

export interface SharedStoreOptions {
  readonly database: Database;
  readonly local: LocalStore;
  readonly node: string;
  /** Observed pins that there is room for. */
  readonly pins: number;
  readonly clock: () => number;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
}

export interface SharedStoreStatus extends DatabaseStatus {
  /** When this node last knew all that the store says; undefined: not in this run. */
  readonly readAt: number | undefined;
  /** What the store does not know yet. */
  readonly waiting: number;
}

/** The store of a fleet behind the interfaces of a local one: the local file is its copy for when it is away. */
export class SharedStore implements Store, TlsSeenStore, CertificateStore {
  readonly audit: StoredAudit;
  readonly fetches: StoredFetches;
  readonly #options: SharedStoreOptions;
  readonly #outbox: Outbox;
  /** An approval and a look at what others have approved never overtake each other. */
  readonly #turns = new Turns();
  readonly #look = coalesced(() => this.#turns.take(() => this.#read()));
  readonly #pinFollowers: ((news: PinNews) => void)[] = [];
  readonly #tlsFollowers: ((seen: readonly TlsSeen[]) => void)[] = [];
  #tokenFollower: ((tokens: readonly StoredToken[]) => void) | undefined;
  #tokensAreOld = true;
  #cursor: Cursor | undefined;
  #readAt: number | undefined;
  /** Why the last look failed while the database was there; empty: it did not. */
  #unread = '';
  #polls = 0;
  #timer: NodeJS.Timeout | undefined;
  #tidiedAt = Number.NEGATIVE_INFINITY;
  #closing: Promise<void> | undefined;
  #limits: KeptLimits | undefined;
  #tlsSince = 0;

  constructor(options: SharedStoreOptions) {
    const { database, local, node, log } = options;
    this.#options = options;
    this.#outbox = new Outbox(database, log);
    this.fetches = new StoredFetches(database, node, log);
    this.audit = new StoredAudit(database, local, node, log);
    const look = spaced(() => void this.#look());
    database.listen(STATE_CHANGED, (payload) => {
      if (payload !== 'pin') this.#tokensAreOld = true;
      look();
    });
  }

  /** Begins to follow the database. Settles when it has been read, or is known to be away. */
  async start(): Promise<void> {
    await this.audit.open();
    await this.#options.database.start();
    if (this.#options.database.status.up) await this.#look();
    this.#timer = setInterval(() => {
      this.#polls += 1;
      if (this.#polls % TOKEN_POLLS === 0 || !this.#options.database.status.hears) this.#tokensAreOld = true;
      void this.#look();
      this.#outbox.retry();
      void this.audit.send();
      void this.#tidy();
    }, POLL_MS);
    this.#timer.unref();
  }

  status(): SharedStoreStatus {
    const { status } = this.#options.database;
    const problem = status.up ? this.#unread : status.problem;
    return { ...status, problem, readAt: this.#readAt, waiting: this.#outbox.size + this.audit.waiting };
  }

  load(): Promise<Stored> {
    return this.#turns.take(() => this.#options.local.load());
  }

  async save(changes: StoreChanges): Promise<void> {
    const { approve = [], remove = [], put = [] } = changes;
    const { database, local } = this.#options;
    if (approve.length + remove.length === 0) {
      await local.save(changes);
      this.#outbox.addPins(put);
      return;
    }
    await this.#turns.take(async () => {
      await database.transaction(async (run) => {
        await approvePins(run, approve);
        await dropPins(run, remove);
      });
      await this.#copied(local.save(changes));
    });
  }

  followPins(told: (news: PinNews) => void): void {
    this.#pinFollowers.push(told);
  }

  loadTlsSeen(): Promise<readonly TlsSeen[]> {
    return this.#options.local.loadTlsSeen();
  }

  async saveTlsSeen(seen: readonly TlsSeen[], since: number): Promise<void> {
    this.#tlsSince = since;
    await this.#options.local.saveTlsSeen(seen, since);
    this.#outbox.addTls(seen);
  }

  followTlsSeen(told: (seen: readonly TlsSeen[]) => void): void {
    this.#tlsFollowers.push(told);
  }

  async saveCertificates(seen: readonly KeptCertificate[], limits: KeptLimits): Promise<void> {
    this.#limits = limits;
    await this.#options.local.saveCertificates(seen, limits);
    this.#outbox.addCertificates(seen);
  }

  /** @throws {StoreError} it was not made */
  addToken(token: StoredToken, most: number): Promise<'added' | 'taken' | 'full'> {
    return this.#turns.take(() => this.#options.database.transaction((run) => addToken(run, token, most)));
  }

  /** @throws {StoreError} it is still taken */
  revokeToken(name: string): Promise<StoredToken | undefined> {
    return this.#turns.take(() => this.#options.database.transaction((run) => revokeToken(run, name)));
  }

  /** @param told of all tokens there are, first when they are read next */
  followTokens(told: (tokens: readonly StoredToken[]) => void): void {
    this.#tokenFollower = told;
    this.#tokensAreOld = true;
    if (this.#options.database.status.up) void this.#look();
  }

  /** Sends what it can; the copy stays. The database is closed by whoever opened it. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#outbox.close();
    await this.audit.send();
    await this.#turns.take(() => this.#options.local.close());
  }

  /** Takes over what the database says. Never rejects: while it is away, what it said last stays in force. */
  async #read(): Promise<void> {
    const { database, clock, log } = this.#options;
    if (!database.status.up || this.#closing !== undefined) return;
    const run: Run = (text, values) => database.query(text, values);
    const now = clock();
    try {
      // Who has lost a token is kept out, whatever is wrong with the rest.
      if (this.#tokensAreOld && this.#tokenFollower !== undefined) {
        const { tokens, refused } = await readTokens(run);
        this.#refused('token', refused);
        this.#tokensAreOld = false;
        this.#tokenFollower(tokens);
      }
      const { cursor, since } = await position(run, this.#cursor, now);
      const { refused, ...news } = await readPins(run, since);
      this.#refused('pin', refused);
      const seen = await readTlsSeen(run, since);
      this.#cursor = cursor;
      await this.#adopt(since === undefined ? await this.#completed(news) : news, seen);
      this.#readAt = now;
      this.#unread = '';
    } catch (error) {
      // The next look reads everything.
      this.#cursor = undefined;
      // Whatever it was: one row that nobody foresaw must not end every daemon of the fleet.
      if (database.status.up || !(error instanceof StoreError)) {
        this.#unread = error instanceof Error ? error.message : String(error);
        log.error('the store could not be read', { error: this.#unread });
      }
    }
  }

  #refused(table: string, refused: readonly RefusedRow[]): void {
    for (const { row, octets } of refused.slice(0, MOST_REFUSED)) {
      this.#options.log.error(`a row of the store is too long, and counts as if it were not there`, {
        table,
        row,
        octets,
      });
    }
  }

  async #adopt(news: PinNews, seen: readonly TlsSeen[]): Promise<void> {
    const { local } = this.#options;
    for (const told of this.#pinFollowers) told(news);
    for (const told of this.#tlsFollowers) told(seen);
    if (news.pins.length + news.removed.length > 0) {
      await this.#copied(local.save({ put: news.pins, remove: news.removed }));
    }
    if (seen.length > 0) await this.#copied(local.saveTlsSeen(seen, this.#tlsSince));
  }

  /** All there is in the database, and what becomes of what this node alone knows. */
  async #completed(news: PinNews): Promise<PinNews> {
    const known = new Set(
      [...news.pins, ...news.removed].map(({ agreement, spkiSha256 }) => `${agreement} ${spkiSha256}`),
    );
    const alone = (await this.#options.local.load()).pins.filter(
      ({ agreement, spkiSha256 }) => !known.has(`${agreement} ${spkiSha256}`),
    );
    this.#outbox.addPins(alone);
    const approved = alone.filter(({ approvedAt }) => approvedAt !== undefined);
    if (approved.length === 0) return news;
    // The database says whom to trust, and it does not know of these: fail closed, and say so.
    this.#options.log.error('approvals of this node are not in the store and do not hold (siptrustctl store import)', {
      pins: approved.map(({ agreement, spkiSha256 }) => `${agreement} sha256/${spkiSha256}`).slice(0, 20),
      count: approved.length,
    });
    const pins: readonly Pin[] = approved.map((pin) => ({ ...pin, approvedAt: undefined }));
    return { pins: [...news.pins, ...pins], removed: news.removed };
  }

  /** What the database has and the copy has not is read again, all of it. */
  async #copied(copy: Promise<void>): Promise<void> {
    try {
      await copy;
    } catch (error) {
      this.#cursor = undefined;
      this.#options.log.error('the copy of the store on this disk was not written', { error: String(error) });
    }
  }

  /** Each node does it: what one has forgotten the next finds gone. */
  async #tidy(): Promise<void> {
    const { database, clock, pins } = this.#options;
    const now = clock();
    if (!database.status.up || !hasPassed(this.#tidiedAt, TIDY_MS, now)) return;
    this.#tidiedAt = now;
    try {
      await database.transaction(async (run) => {
        if (!(await tidyPins(run, pins))) return;
        if (this.#tlsSince > 0) await tidyTlsSeen(run, this.#tlsSince);
        await tidyFetched(run);
        if (this.#limits !== undefined) await tidyCertificates(run, this.#limits);
      });
    } catch (error) {
      if (database.status.up) this.#options.log.warn('the store was not tidied', { error: String(error) });
    }
  }
}
