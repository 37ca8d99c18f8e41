/**
 * The FIFO dialect of Kamailio's jsonrpcs module, which kamctl speaks: a request is written into our FIFO and names
 * the FIFO that waits for the answer, `"reply_name": "kamailio_receiver_4711"`, by its file name in /tmp.
 */

import { execFile } from 'node:child_process';
import { close as closeFd, constants, fstatSync, lstatSync, open, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { isList, isRecord } from '../../typed.js';
import type { CallContext, Dispatch } from '../dispatch/index.js';
import { createFifoFraming } from './fifo-framing.js';
import { DEFAULT_GRACE_MS, type Listener, type WireLog } from './listener.js';

/** Only the user of the daemon; 0o660 lets its group in too. */
export const DEFAULT_FIFO_MODE = 0o600;
/** Where kamctl makes its reply FIFO. */
export const DEFAULT_REPLY_DIR = '/tmp';

export interface FifoOptions {
  readonly dispatch: Dispatch;
  readonly path: string;
  readonly mode?: number;
  readonly replyDir?: string;
  readonly timeouts?: Partial<FifoTimeouts>;
  readonly log?: WireLog;
}

export interface FifoTimeouts {
  /** ms without a byte after which an open request counts as broken. */
  readonly idleMs: number;
  /** ms for somebody to open the reply FIFO for reading; kamctl starts its reader and its writer at once. */
  readonly openMs: number;
  /** ms for the reader of the reply FIFO to take the answer. */
  readonly writeMs: number;
}

export const DEFAULT_FIFO_TIMEOUTS: FifoTimeouts = { idleMs: 500, openMs: 2_000, writeMs: 5_000 };

/** A plain file name: the answer is written to whatever it names in a directory that everybody may write to. */
const REPLY_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/;
/** The same in text that is no JSON. */
const REPLY_NAME_IN_TEXT = /"reply_name"\s*:\s*"([A-Za-z0-9_][A-Za-z0-9_.-]{0,63})"/g;

/** Requests answered at a time; more wait unread. */
const MAX_IN_FLIGHT = 64;
const OPEN_RETRY_MS = 20;
/** How often it is looked whether the FIFO is still there. */
const LOOK_MS = 1_000;

/**
 * Makes the FIFO and serves it; one that a dead process left behind is replaced.
 * @throws {Error} a live process reads from the FIFO, something else than a FIFO lies there, or mkfifo fails
 */
export async function listenFifo(options: FifoOptions): Promise<Listener> {
  const { dispatch, path, mode = DEFAULT_FIFO_MODE, replyDir = DEFAULT_REPLY_DIR, log = () => {} } = options;
  const timeouts = { ...DEFAULT_FIFO_TIMEOUTS, ...options.timeouts };
  let fifo = served(await makeFifo(path, mode));
  const context: CallContext = { wire: 'fifo', peer: path, role: 'operator' };
  const framing = createFifoFraming();
  const pending = new Set<Promise<void>>();
  let idleTimer: NodeJS.Timeout | undefined;
  let problem: string | undefined;

  function onRequest(text: string): void {
    const work = answer(text).catch((error: unknown) => log('reply-failed', { peer: path, error: String(error) }));
    pending.add(work);
    if (pending.size >= MAX_IN_FLIGHT) fifo.input.pause();
    void work.then(() => {
      pending.delete(work);
      if (fifo.input.isPaused()) fifo.input.resume();
    });
  }

  async function answer(request: string): Promise<void> {
    const name = replyName(request);
    if (name !== undefined && !REPLY_NAME.test(name)) {
      // Nobody can be told, so nothing is done either.
      log('reply-name-refused', { peer: path, name: name.slice(0, 60) });
      return;
    }
    const text = await dispatch(request, context);
    if (name === undefined) return;
    // A reader waits even where the protocol has no answer (a notification): it gets the end of the file.
    await writeReply(join(replyDir, name), text === undefined ? '' : pretty(text), timeouts);
  }

  function served(fd: number): { readonly input: Socket; readonly inode: number } {
    const input = new Socket({ fd, readable: true, writable: false });
    input.setEncoding('utf8');
    input.on('data', (chunk: string) => {
      clearTimeout(idleTimer);
      framing.push(chunk, onRequest);
      if (framing.partial) idleTimer = setTimeout(() => framing.flush(onRequest), timeouts.idleMs);
    });
    input.on('error', (error) => {
      lost(error.message);
    });
    return { input, inode: fstatSync(fd).ino };
  }

  function lost(why: string): void {
    problem = `the FIFO was lost: ${why}`;
    log('fifo-lost', { peer: path, error: why });
  }

  /** What is lost, or was taken away by whoever cleans the directory, is made again: kamctl would wait for ever. */
  async function look(): Promise<void> {
    const there = lstatSync(path, { throwIfNoEntry: false })?.ino === fifo.inode;
    if (there && problem === undefined) return;
    if (problem === undefined) lost('expected our FIFO there, found that it is gone');
    await ended(fifo.input);
    fifo = served(await makeFifo(path, mode));
    problem = undefined;
    log('fifo-back', { peer: path });
  }
  let looking: Promise<void> = Promise.resolve();
  const lookTimer = setInterval(() => {
    // A failure is one of this second: the next look tries again.
    looking = looking.then(look).catch(() => {});
  }, LOOK_MS);
  lookTimer.unref();

  return {
    address: path,
    problem: () => problem,
    close: async (graceMs = DEFAULT_GRACE_MS) => {
      clearTimeout(idleTimer);
      clearInterval(lookTimer);
      await looking;
      await ended(fifo.input);
      if (lstatSync(path, { throwIfNoEntry: false })?.ino === fifo.inode) rmSync(path, { force: true });
      const grace = new AbortController();
      await Promise.race([Promise.all(pending), delay(graceMs, undefined, { signal: grace.signal }).catch(() => {})]);
      grace.abort();
    },
  };
}

async function ended(input: Socket): Promise<void> {
  if (input.closed) return;
  const closed = new Promise((resolve) => input.once('close', resolve));
  input.destroy();
  await closed;
}

/** Makes a fresh FIFO and opens it for reading and writing: so it never ends, and opening never waits for a writer. */
async function makeFifo(path: string, mode: number): Promise<number> {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats !== undefined) {
    if (!stats.isFIFO()) throw new Error(`fifo ${path}: expected a FIFO or nothing, found another file`);
    if (await hasReader(path)) throw new Error(`fifo ${path}: expected nobody there, found a process that reads`);
    rmSync(path);
  }
  try {
    await promisify(execFile)('mkfifo', ['-m', mode.toString(8).padStart(4, '0'), '--', path]);
  } catch (cause) {
    throw new Error(`fifo ${path}: mkfifo in ${dirname(path)} failed`, { cause });
  }
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  if (!fstatSync(fd).isFIFO()) throw new Error(`fifo ${path}: expected the FIFO just made, found another file`);
  return fd;
}

async function hasReader(path: string): Promise<boolean> {
  const fd = await openForWriting(path);
  if (fd === undefined) return false;
  closeFd(fd);
  return true;
}

/** Opens a FIFO without waiting; undefined: nobody has it open for reading. */
function openForWriting(path: string): Promise<number | undefined> {
  const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
  return new Promise((resolve, reject) => {
    open(path, flags, (error, fd) => {
      if (error === null) resolve(fd);
      else if (error.code === 'ENXIO') resolve(undefined);
      else reject(error);
    });
  });
}

async function writeReply(path: string, text: string, timeouts: FifoTimeouts): Promise<void> {
  const deadline = performance.now() + timeouts.openMs;
  let fd = await openForWriting(path);
  while (fd === undefined) {
    if (performance.now() > deadline) throw new Error(`${path}: expected a reader, found none`);
    await delay(OPEN_RETRY_MS);
    fd = await openForWriting(path);
  }
  // Somebody may have laid a file of the daemon's user there.
  if (!fstatSync(fd).isFIFO()) {
    closeFd(fd);
    throw new Error(`${path}: expected a FIFO, found another file`);
  }
  await endWith(new Socket({ fd, readable: false, writable: true }), text, timeouts.writeMs);
}

function endWith(output: Socket, text: string, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => output.destroy(new Error('expected a reader that reads, found none')), timeoutMs);
    output.on('error', reject);
    output.on('close', () => {
      clearTimeout(timer);
      resolve();
    });
    output.end(text, () => output.destroy());
  });
}

/** Of the request, or of the first request of a batch that has one; by pattern where the text is no JSON. */
function replyName(text: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    for (const request of isList(parsed) ? parsed : [parsed]) {
      const name = isRecord(request) ? request.reply_name : undefined;
      if (name !== undefined) return String(name);
    }
    return undefined;
  } catch {
    return [...text.matchAll(REPLY_NAME_IN_TEXT)].at(-1)?.[1];
  }
}

/** As jsonrpcs prints it by default, which kamctl's filter and its users expect: one member a line. */
function pretty(text: string): string {
  return `${JSON.stringify(JSON.parse(text), null, '\t')}\n`;
}
