import { randomUUID } from 'node:crypto';
import type { AuditRecord, Logger, SharedAudit } from '../../log/index.js';
import { coalesced, type Database, isRefused } from '../postgres/index.js';
import { StoreError, type WaitingLine, type WaitingLines } from '../store/index.js';
import { type AuditLine, addAuditLines } from './audit-table.js';

const MOST_LINES = 200;
/** Lines of a database that stays away for good. */
const MOST_WAITING = 100_000;

/**
 * The audit log in the store. A line is on this disk before it is sent, and goes from there once the store has it: an
 * operator who was answered finds it in one of the two.
 */
export class StoredAudit implements SharedAudit {
  readonly #database: Database;
  readonly #waiting: WaitingLines;
  readonly #node: string;
  readonly #log: Pick<Logger, 'error'>;
  readonly #send = coalesced(() => this.#sendAll());
  #count = 0;

  constructor(database: Database, waiting: WaitingLines, node: string, log: Pick<Logger, 'error'>) {
    this.#database = database;
    this.#waiting = waiting;
    this.#node = node;
    this.#log = log;
    database.onStatus((up) => {
      if (up) void this.#send();
    });
  }

  /** Takes up what an earlier run has left. @throws {StoreError} */
  async open(): Promise<void> {
    this.#count = (await this.#waiting.loadWaiting(MOST_WAITING)).length;
  }

  /** Lines that the store does not have yet. */
  get waiting(): number {
    return this.#count;
  }

  async add(record: AuditRecord): Promise<void> {
    const line: AuditLine = { ...record, id: randomUUID(), node: this.#node };
    try {
      if (this.#count >= MOST_WAITING) throw new StoreError('state file', `${MOST_WAITING} lines wait for the store`);
      await this.#waiting.addWaiting({ id: line.id, text: JSON.stringify(line) });
      this.#count += 1;
    } catch (error) {
      this.#log.error('a line of the audit log is not on this disk', { error: String(error), line });
      await this.#database.transaction((run) => addAuditLines(run, [line]));
      return;
    }
    if (this.#database.status.up) await this.#send();
  }

  /** Tries again what waits. */
  async send(): Promise<void> {
    if (this.#count > 0) await this.#send();
  }

  /** Never rejects: what could not be sent waits. */
  async #sendAll(): Promise<void> {
    try {
      while (this.#database.status.up) {
        const lines = await this.#waiting.loadWaiting(MOST_LINES);
        if (lines.length === 0) return;
        await this.#sendSome(lines);
        await this.#waiting.dropWaiting(lines.map(({ id }) => id));
        this.#count = Math.max(0, this.#count - lines.length);
      }
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      if (this.#database.status.up) this.#log.error('lines of the audit log wait', { error: error.message });
    }
  }

  /** One that the database does not take for itself must not hold up the others. */
  async #sendSome(lines: readonly WaitingLine[]): Promise<void> {
    const read = lines.map(({ text }) => JSON.parse(text) as AuditLine);
    try {
      await this.#database.transaction((run) => addAuditLines(run, read));
      return;
    } catch (error) {
      if (!isRefused(error)) throw error;
    }
    for (const line of read) {
      try {
        await this.#database.transaction((run) => addAuditLines(run, [line]));
      } catch (error) {
        if (!isRefused(error)) throw error;
        this.#log.error('the store does not take a line of the audit log', { error: String(error), line });
      }
    }
  }
}
