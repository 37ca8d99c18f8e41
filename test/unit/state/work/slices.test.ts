import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { inSlices } from '../../../../src/state/work/slices.js';

/** Longer than a slice. */
function busy(): void {
  for (const end = performance.now() + 6; performance.now() < end; );
}

describe('work in slices', () => {
  test('ok/of several works one has a turn of the event loop', async () => {
    let turn = 0;
    let counting = true;
    const count = (async () => {
      for (; counting; turn += 1) await nextTurn();
    })();
    const turns: number[][] = [[], [], []];
    function* work(at: number): Generator<undefined, number> {
      for (let step = 0; step < 5; step += 1) {
        busy();
        turns[at]?.push(turn);
        yield;
      }
      return at;
    }
    expect(await Promise.all([0, 1, 2].map((at) => inSlices(work(at))))).toEqual([0, 1, 2]);
    counting = false;
    await count;
    // The first slice of each is done where it is asked for.
    const later = turns.flatMap((each) => each.slice(1));
    expect(new Set(later).size).toBe(12);
  });

  test('fail/what a work throws comes to whoever asked for it, and holds up no other', async () => {
    function* broken(): Generator<undefined, never> {
      busy();
      yield;
      throw new Error('broken');
    }
    function* whole(): Generator<undefined, string> {
      busy();
      yield;
      busy();
      yield;
      return 'whole';
    }
    const settled = await Promise.allSettled([inSlices(broken()), inSlices(whole())]);
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  });
});
