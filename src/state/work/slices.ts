/** Milliseconds of work in one turn of the event loop: verdicts wait little longer than that. */
import { entryAt } from '../../typed.js';

const SLICE_MS = 4;

/** Works that wait for a turn of their own. */
const waiting: (() => void)[] = [];

/** One work a turn: three at a time would hold a verdict up three times as long. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) setImmediate(giveTurn);
  });
}

function giveTurn(): void {
  waiting.shift()?.();
  if (waiting.length > 0) setImmediate(giveTurn);
}

/** Runs work that yields to its end, over as many turns of the event loop as it takes. */
export async function inSlices<T>(work: Generator<undefined, T>): Promise<T> {
  let began = performance.now();
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    if (performance.now() - began < SLICE_MS) continue;
    await nextTurn();
    began = performance.now();
  }
}

const STEP_VALUES = 1000;

/** The values in order; equal ones stay as they came. Runs of one step each are sorted, and merged in pairs. */
export function* sortedInSteps<T>(values: readonly T[], compare: (a: T, b: T) => number): Generator<undefined, T[]> {
  let runs: T[][] = [];
  for (let at = 0; at < values.length; at += STEP_VALUES) {
    runs.push(values.slice(at, at + STEP_VALUES).sort(compare));
    yield;
  }
  while (runs.length > 1) {
    const merged: T[][] = [];
    for (let at = 0; at < runs.length; at += 2) merged.push(yield* merge(runs[at] ?? [], runs[at + 1] ?? [], compare));
    runs = merged;
  }
  return runs[0] ?? [];
}

function* merge<T>(a: readonly T[], b: readonly T[], compare: (a: T, b: T) => number): Generator<undefined, T[]> {
  const merged: T[] = [];
  let [left, right] = [0, 0];
  while (left < a.length || right < b.length) {
    const takeLeft = right >= b.length || (left < a.length && compare(entryAt(a, left), entryAt(b, right)) <= 0);
    merged.push(takeLeft ? entryAt(a, left++) : entryAt(b, right++));
    if (merged.length % STEP_VALUES === 0) yield;
  }
  return merged;
}
