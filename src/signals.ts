/**
 * The signals of siptrustd. Loaded before everything else: until somebody listens, SIGHUP and SIGUSR2 end a process, and
 * SIGUSR1 opens a debugger.
 */

const CHANGES = ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;
const STOPS = ['SIGTERM', 'SIGINT'] as const;
type Change = (typeof CHANGES)[number];

/** Came during the start; each is done once, when there is somebody to do it. */
const early = new Set<Change>();
let handlers: Readonly<Record<Change, () => void>> | undefined;

for (const signal of CHANGES) {
  process.on(signal, () => {
    if (handlers === undefined) early.add(signal);
    else handlers[signal]();
  });
}

/** Settles with the first signal that asks the daemon to stop, whenever it came. */
export const stopped = new Promise<string>((resolve) => {
  for (const signal of STOPS) process.on(signal, () => resolve(signal));
});

/** What the signals do from now on. */
export function handle(given: Readonly<Record<Change, () => void>>): void {
  handlers = given;
  for (const signal of early) given[signal]();
  early.clear();
}
