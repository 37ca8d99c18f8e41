import { describe, expect, test } from 'vitest';
import { Watch } from '../../../../src/policy/loading/watch.js';

/** States as they are seen, one a second from the first; the seconds at which a reading was asked for. */
function told(read: string, states: string): readonly number[] {
  const watch = new Watch(read);
  return [...states].flatMap((state, second) => (watch.look(state, second * 1000) ? [second] : []));
}

describe('files that are watched', () => {
  const cases: readonly (readonly [string, string, readonly number[]])[] = [
    ['nothing changes', 'aaaa', []],
    ['one change: told when it rests, once', 'abbbbb', [2]],
    ['a row of changes: told after the last', 'abcdeee', [5]],
    ['a change that was taken back is none', 'abaaaa', []],
    ['two changes, each told', 'abbbccc', [2, 5]],
    ['back to what was read before is a change after a reading', 'abbaaa', [2, 4]],
    ['no rest: told after ten seconds, and again', 'abcdefghijklmnopqrstuvwxyz', [11, 22]],
  ];
  for (const [name, states, seconds] of cases) {
    test(`ok/${name}`, () => expect(told('a', states)).toEqual(seconds));
  }
});
