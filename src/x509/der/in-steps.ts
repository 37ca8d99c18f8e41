/** Work on millions of octets or numbers that lets others work in between: each step takes a few milliseconds. */

import { createHash } from 'node:crypto';

/** Runs steps to their end at once, for those who hold up nobody. */
export function atOnce<T>(steps: Generator<undefined, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

const STEP_OCTETS = 2 ** 20;
/** Numbers sorted, or merged, in one step. */
const STEP_NUMBERS = 2 ** 16;

/** A copy of some octets. */
export function* copyInSteps(octets: Uint8Array): Generator<undefined, Uint8Array> {
  const copy = new Uint8Array(octets.length);
  for (let at = 0; at < octets.length; at += STEP_OCTETS) {
    copy.set(octets.subarray(at, at + STEP_OCTETS), at);
    yield;
  }
  return copy;
}

/** Lower-case hex of the SHA-256 of some octets. */
export function* sha256InSteps(octets: Uint8Array): Generator<undefined, string> {
  const hash = createHash('sha256');
  for (let at = 0; at < octets.length; at += STEP_OCTETS) {
    hash.update(octets.subarray(at, at + STEP_OCTETS));
    yield;
  }
  return hash.digest('hex');
}

/**
 * The numbers in ascending order: runs of one step each, merged in pairs until one is left. What is given is sorted in
 * place or used as room; only what is answered holds the numbers in order.
 */
export function* sortInSteps(numbers: Float64Array<ArrayBuffer>): Generator<undefined, Float64Array<ArrayBuffer>> {
  let from = numbers;
  const { length } = from;
  for (let at = 0; at < length; at += STEP_NUMBERS) {
    from.subarray(at, at + STEP_NUMBERS).sort();
    yield;
  }
  if (length <= STEP_NUMBERS) return from;
  let to = new Float64Array(length);
  for (let run = STEP_NUMBERS; run < length; run *= 2) {
    for (let at = 0; at < length; at += 2 * run) {
      yield* merge(from, to, at, Math.min(at + run, length), Math.min(at + 2 * run, length));
    }
    [from, to] = [to, from];
  }
  return from;
}

/** Merges the sorted runs [left, middle) and [middle, right) of `from` into `to`. */
function* merge(
  from: Float64Array,
  to: Float64Array,
  left: number,
  middle: number,
  right: number,
): Generator<undefined, void> {
  let a = left;
  let b = middle;
  for (let at = left; at < right; at++) {
    // No entryAt: this is done millions of times, and each index is within what is read.
    const takeLeft = b >= right || (a < middle && Number(from[a]) <= Number(from[b]));
    to[at] = Number(from[takeLeft ? a++ : b++]);
    if ((at & (STEP_NUMBERS - 1)) === 0) yield;
  }
}
