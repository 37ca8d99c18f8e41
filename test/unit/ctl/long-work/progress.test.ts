import { describe, expect, test } from 'vitest';
import { Progress, type ProgressOptions } from '../../../../src/ctl/long-work/progress.js';

const CLEAR = '\r\u001b[K';

/** A progress with a clock of its own, and what it writes. */
function told(options: Partial<ProgressOptions>, { isTTY = false, columns = 80 } = {}) {
  const written: string[] = [];
  const stream = { isTTY, columns, write: (text: string) => void written.push(text) };
  const clock = { ms: 0 };
  const progress = new Progress({ what: 'replay', stream, now: () => clock.ms, ...options });
  return { progress, written, clock };
}

describe('progress of work that counts', () => {
  test('ok/work of less than a second says nothing', () => {
    const { progress, written, clock } = told({ total: 100 }, { isTTY: true });
    for (clock.ms = 0; clock.ms < 1000; clock.ms += 10) progress.at(clock.ms / 10, 'lines');
    progress.clear();
    expect(written).toEqual([]);
  });

  test('ok/on a terminal one line, written anew ten times a second at most, and gone at the end', () => {
    const { progress, written, clock } = told({ total: 400 }, { isTTY: true });
    for (clock.ms = 0; clock.ms < 2000; clock.ms += 5) progress.at(clock.ms / 5, () => `${clock.ms / 5} lines`);
    progress.clear();
    expect(written.length).toBe(11);
    expect(written[0]).toBe(`${CLEAR}replay: 50 %, 200 lines`);
    expect(written[9]).toBe(`${CLEAR}replay: 95 %, 380 lines`);
    expect(written[10]).toBe(CLEAR);
  });

  test('ok/elsewhere plain lines, one in ten seconds', () => {
    const { progress, written, clock } = told({ total: 3000 });
    for (clock.ms = 0; clock.ms < 30_000; clock.ms += 10) progress.at(clock.ms / 10, 'lines');
    progress.clear();
    expect(written).toEqual(['replay: 3 %, lines\n', 'replay: 36 %, lines\n', 'replay: 70 %, lines\n']);
  });

  test('ok/without a total, no percent; words are not asked for where they are not written', () => {
    const { progress, written, clock } = told({});
    progress.at(1, () => {
      throw new Error('nobody reads it');
    });
    clock.ms = 5000;
    progress.at(2, 'two');
    expect(written).toEqual(['replay: two\n']);
  });

  test('ok/more than the total is all of it', () => {
    const { progress, written, clock } = told({ total: 10 });
    clock.ms = 5000;
    progress.at(12, 'a log that grew meanwhile');
    expect(written).toEqual(['replay: 100 %, a log that grew meanwhile\n']);
  });
});

describe('progress of work in steps', () => {
  test('ok/each step is told at once', () => {
    const { progress, written } = told({ what: 'bench', total: 2, steps: true });
    progress.at(0, 'answers');
    progress.at(1, 'calls');
    expect(written).toEqual(['bench: 0 %, answers\n', 'bench: 50 %, calls\n']);
  });
});

describe('what is written on a terminal', () => {
  test('ok/no more than fits on a line', () => {
    const { progress, written } = told({ what: 'demo', steps: true }, { isTTY: true, columns: 20 });
    progress.at(0, 'x'.repeat(100));
    expect(written).toEqual([`${CLEAR}demo: ${'x'.repeat(13)}`]);
  });
  test('ok/no control characters of what is worked on', () => {
    const { progress, written } = told({ what: 'demo', steps: true });
    progress.at(0, 'a\u001b[2Jb\nc');
    expect(written).toEqual(['demo: a\\x1b[2Jb\\x0ac\n']);
  });
});
