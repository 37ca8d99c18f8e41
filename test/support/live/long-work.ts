/**
 * Work of minutes that starts programs: demo, soak, measurements. It says how far it is, and ends at any moment: whatever
 * was started and whatever lies in a temporary directory goes with it.
 */

import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Progress, Stop, type Words } from '../../../src/ctl/long-work/index.js';
import { ended, environment, family, processes } from './processes.js';

/** What has not gone by then is not asked again, but ended. */
const GRACE_MS = 5_000;
const LOOK_MS = 100;

/** 128 and SIGPIPE. */
const NOBODY_READS = 141;

/**
 * Does the work, and ends this process: with what it gives (0 if nothing), 1 where it fails, 130 or 143 where it is stopped, 141
 * where nobody reads what it prints any more (`| head`).
 * @param what named in each line of progress
 * @param total what `progress.at` counts up to
 */
export async function longWork(
  what: string,
  total: number | undefined,
  work: (progress: Progress) => Promise<number | undefined>,
): Promise<never> {
  const stop = Stop.listen();
  // Everything that anybody makes from here on, children too, lies in here.
  const directory = mkdtempSync(join(tmpdir(), 'siptrust-work-'));
  // PostgreSQL does not run as root.
  chmodSync(directory, 0o755);
  process.env.TMPDIR = directory;
  const progress = new Told(what, total);
  const stopped = new Promise<undefined>((resolve) => {
    stop.signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  const unread = new Promise<number>((resolve) => {
    process.stdout.on('error', () => resolve(NOBODY_READS));
  });
  process.stderr.on('error', () => {});
  let code: number;
  try {
    code = (await Promise.race([work(progress), stopped, unread])) ?? 0;
    progress.clear();
  } catch (error) {
    progress.clear();
    code = 1;
    if (stop.by === undefined) process.stderr.write(`${what}: ${error instanceof Error ? error.stack : error}\n`);
  }
  if (stop.by !== undefined) {
    process.stderr.write(`${what}: stopped by ${stop.by}${progress.last === '' ? '' : ` at "${progress.last}"`}\n`);
    code = stop.exitCode ?? 1;
  }
  await endAll(directory);
  rmSync(directory, { recursive: true, force: true });
  process.exit(code);
}

/** Remembers where the work was. */
class Told extends Progress {
  last = '';

  constructor(what: string, total: number | undefined) {
    super({ what, total, steps: true });
  }

  override at(done: number, doing: Words): void {
    this.last = typeof doing === 'string' ? doing : doing();
    super.at(done, doing);
  }
}

/**
 * Ends all that was started, and what is started meanwhile by work that has not noticed yet. This process must end in the
 * same turn.
 */
async function endAll(directory: string): Promise<void> {
  const until = Date.now() + GRACE_MS;
  const asked = new Set<number>();
  for (;;) {
    const alive = started(directory);
    if (alive.length === 0) return;
    if (Date.now() >= until) signal(alive, 'SIGKILL');
    else {
      signal(
        alive.filter((pid) => !asked.has(pid)),
        'SIGTERM',
      );
    }
    for (const pid of alive) asked.add(pid);
    await pause(LOOK_MS);
  }
}

/** What descends from this process, or did so before its parent ended: it has our directory for temporary files. */
function started(directory: string): readonly number[] {
  const ours = processes().filter((pid) => environment(pid).includes(`TMPDIR=${directory}\0`));
  return [...new Set([...family(process.pid), ...ours])].filter((pid) => pid !== process.pid && !ended(pid));
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch {
      // It has ended by itself.
    }
  }
}
