/** What work costs, in processor time: a busy machine does not lengthen it as it does the time of the clock. */

import { readdirSync, readFileSync } from 'node:fs';

/** Milliseconds of this process; the least of several runs, so that compilation and collections do not count. */
export function cpuTime(work: () => unknown, runs = 3): number {
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < runs; run++) {
    const begun = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(begun);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

/** Whether `measure` gives a number up to `most` in one of some attempts; the last one where it never does. */
export function reaches(most: number, measure: () => number, attempts = 6): number {
  let found = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < attempts && found > most; attempt++) found = measure();
  return found;
}

/** Processor time so far, in nanoseconds, of a process and its children by their ids (Linux: /proc/PID/schedstat). */
export function sharesOf(pid: number): ReadonlyMap<number, number> {
  const shares = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const parent = Number(/^\d+ \(.*\) \S (\d+)/s.exec(readFileSync(`/proc/${name}/stat`, 'latin1'))?.[1]);
      if (parent !== pid && Number(name) !== pid) continue;
      shares.set(Number(name), Number(readFileSync(`/proc/${name}/schedstat`, 'latin1').split(' ')[0]));
    } catch {
      // It has ended meanwhile.
    }
  }
  return shares;
}

/** The most that one of these processes has worked from the one to the other. */
export function longestShare(before: ReadonlyMap<number, number>, after: ReadonlyMap<number, number>): number {
  return Math.max(...[...after].map(([pid, time]) => time - (before.get(pid) ?? 0)));
}
