/** File descriptors. Where none is left the system closes each new connection before Node hears of it, and nobody is told. */

import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import type { Logger } from './log/index.js';

/** A connection that asks nothing is closed after five seconds: those who hold us up by them are seen before. */
const LOOK_MS = 3_000;
/** From this share on it is told, and from less on that it is over. */
const FULL = 0.9;
const ROOM = 0.8;

/** Tells where they run short, and where there is room again. The answer ends that. */
export function watchOpenFiles(log: Logger): () => void {
  const most = limit();
  let short = false;
  const look = async (): Promise<void> => {
    const open = await openFiles(most);
    if (!short && open >= most * FULL) {
      short = true;
      const next = 'LimitNOFILE= of the unit, ulimit -n, or fewer daemon.access.connections';
      log.error('file descriptors run short: new connections are closed unanswered', { open, most, next });
    } else if (short && open <= most * ROOM) {
      short = false;
      log.info('there is room for file descriptors again', { open, most });
    }
  };
  const looking = setInterval(() => void look(), LOOK_MS);
  return () => clearInterval(looking);
}

/** The soft limit, which Node raises to the hard one at its start; none is known where there is no proc(5). */
function limit(): number {
  try {
    return Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1] ?? Infinity);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** To count them takes one. */
async function openFiles(most: number): Promise<number> {
  try {
    return (await readdir('/proc/self/fd')).length;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EMFILE' ? most : 0;
  }
}
