/** What work costs, in processor time: a busy machine does not lengthen it as it does the time of the clock. */

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
