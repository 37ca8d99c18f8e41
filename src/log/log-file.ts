import { closeSync, constants, openSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

/** Octets that wait for a slow disk; what comes when they are used up is lost. */
const MOST_WAITING = 64 * 1024 * 1024;
const MODE = 0o640;
/**
 * Nobody is waited for: to open a FIFO that nobody reads would hold up the start for ever, and later one of the four threads
 * that Node has for files, names and scrypt (fifo(7): ENXIO). Of a regular file it changes nothing.
 */
export const TO_APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;

/** A reader of a FIFO that has fallen behind is waited for, by nobody but the lines themselves. */
const PATIENCE = { pauseMs: 20, pauses: 50 } as const;

/** Lines that could not be written, and why the last of them was not. */
export type OnLost = (lines: number, why: string) => void;

/** A log in a file that can be moved away (log rotation). */
export interface Reopening {
  /** Whatever the file was moved to, a new one is written from now on. Rejects: it cannot be opened, and is tried at each line. */
  reopen(): Promise<void>;
}

interface Waiting {
  readonly text: string;
  readonly lines: number;
}

/**
 * A log that lines are appended to. What a full disk does not take is lost and told, line by line; writing goes on as
 * soon as the disk takes lines again, and closing always settles.
 */
export class LogFile implements Reopening {
  readonly #path: string;
  readonly #onLost: OnLost;
  #handle: FileHandle | undefined;
  #waiting: Waiting[] = [];
  #octets = 0;
  #working: Promise<void> | undefined;
  /** The file was moved away. */
  #stale = false;
  /** The last write ended within a line. */
  #torn = false;

  /** @throws {Error} the file cannot be opened */
  constructor(path: string, onLost: OnLost) {
    this.#path = path;
    this.#onLost = onLost;
    // A log that cannot be opened is an error at the start, not at the first line.
    closeSync(openSync(path, TO_APPEND, MODE));
  }

  /** Appends a text of so many whole lines, in its turn. */
  write(text: string, lines = 1): void {
    if (this.#octets + text.length > MOST_WAITING) {
      this.#onLost(lines, `expected at most ${MOST_WAITING} octets that wait for the disk, found more`);
      return;
    }
    this.#octets += text.length;
    this.#waiting.push({ text, lines });
    this.#working ??= this.#work();
  }

  async reopen(): Promise<void> {
    this.#stale = true;
    this.#working ??= this.#work();
    await this.#working;
    // Who rotates hears now that no line will be written, and not from the first line.
    await (await open(this.#path, TO_APPEND, MODE)).close();
  }

  /** Settles when everything is written or lost. */
  async close(): Promise<void> {
    while (this.#working !== undefined) await this.#working;
    await this.#shut();
  }

  async #work(): Promise<void> {
    // Lines of one turn of the event loop are written together.
    await Promise.resolve();
    while (this.#waiting.length > 0 || this.#stale) {
      if (this.#stale) await this.#shut();
      const taken = this.#waiting;
      this.#waiting = [];
      const lines = taken.reduce((sum, each) => sum + each.lines, 0);
      if (taken.length === 0) break;
      try {
        await this.#append(taken.map(({ text }) => text).join(''));
      } catch (error) {
        this.#onLost(lines, error instanceof Error ? error.message : String(error));
      }
      this.#octets -= taken.reduce((sum, { text }) => sum + text.length, 0);
    }
    this.#working = undefined;
  }

  async #append(text: string): Promise<void> {
    this.#handle ??= await open(this.#path, TO_APPEND, MODE);
    // Half a line is ended, so that the next one can be read.
    const bytes = Buffer.from(this.#torn ? `\n${text}` : text);
    let written = 0;
    try {
      let pauses = 0;
      while (written < bytes.length) {
        const taken = await this.#handle.write(bytes, written).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== 'EAGAIN' || pauses === PATIENCE.pauses) throw error;
          return undefined;
        });
        written += taken?.bytesWritten ?? 0;
        pauses = taken === undefined ? pauses + 1 : 0;
        if (taken === undefined) await pause(PATIENCE.pauseMs);
      }
      this.#torn = false;
    } catch (error) {
      if (written > 0) this.#torn = bytes[written - 1] !== 0x0a;
      throw error;
    }
  }

  async #shut(): Promise<void> {
    this.#stale = false;
    const handle = this.#handle;
    this.#handle = undefined;
    // The system may only now tell that a write was lost; nobody can do anything about it.
    await handle?.close().catch(() => {});
  }
}
