/** What the thread of a program did, by its own processor time (turns.mjs is loaded into it). */

import { existsSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { eventually } from '../support/live/places.js';

interface Turn {
  readonly ran: number;
  readonly waited: number;
  readonly took: number;
}

export interface Turns {
  /** The longest, the longest first: milliseconds with a processor, ready without one, and by the clock. */
  readonly turns: readonly Turn[];
  /** The longest by the clock but for what it was ready without a processor: it also waits for the collector's threads. */
  readonly held: readonly (Turn & { readonly own: number })[];
  /** Of the collector, by kind; milliseconds by the clock. */
  readonly collections: Readonly<
    Record<string, { readonly count: number; readonly longest: number; readonly together: number }>
  >;
  readonly ran: number;
  readonly waited: number;
}

/** The environment of a program that is to be measured. */
export function measured(file: string): Readonly<Record<string, string>> {
  const preload = new URL('./turns.mjs', import.meta.url).href;
  return { NODE_OPTIONS: `--import=${preload}`, SIPTRUST_TURNS: file };
}

/** What was found since the last time. */
export async function takeTurns(pid: number, file: string): Promise<Turns> {
  rmSync(file, { force: true });
  process.kill(pid, 'SIGUSR2');
  await eventually(`${fileURLToPath(new URL(`file://${file}`))} is written`, () => existsSync(file), 60_000);
  return JSON.parse(readFileSync(file, 'utf8')) as Turns;
}

/** `longest turn 12 ms of processor (9, 8); collector: 40 minor of 4 ms at most, 1 major of 20 ms`. */
export function turnsText({ turns, held, collections }: Turns): string {
  const [longest = 0, ...others] = turns.map(({ ran }) => Number(ran.toFixed(1)));
  const [withThreads = 0, ...next] = held.map(({ own }) => Number(own.toFixed(1)));
  const kinds = Object.entries(collections).map(
    ([kind, { count, longest: most }]) => `${count} ${kind} of ${most.toFixed(1)} ms at most`,
  );
  const collector = kinds.length === 0 ? '' : `; collector: ${kinds.join(', ')}`;
  const waiting = `with what it waited for threads of its own ${withThreads} ms (${next.slice(0, 3).join(', ')})`;
  return `longest turn ${longest} ms of processor (${others.slice(0, 3).join(', ')}), ${waiting}${collector}`;
}
