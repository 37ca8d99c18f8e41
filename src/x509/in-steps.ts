/** Work on millions of octets or numbers that lets others work in between: each step takes a few milliseconds. */

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

/** The numbers in ascending order: runs of one step each, merged in pairs until one is left. */
export function* sortInSteps(numbers: readonly number[]): Generator<undefined, Float64Array<ArrayBuffer>> {
  let from = Float64Array.from(numbers);
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
    const takeLeft = b >= right || (a < middle && (from[a] as number) <= (from[b] as number));
    to[at] = from[takeLeft ? a++ : b++] as number;
    if ((at & (STEP_NUMBERS - 1)) === 0) yield;
  }
}
