import { appendFileSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { jsonLines, onceAMinute, operatorLog } from '../../../src/log/logger.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'siptrust-log-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function numbersIn(file: string): number[] {
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  return lines.map((line) => (JSON.parse(line) as { number: number }).number);
}
const upTo = (count: number): number[] => Array.from({ length: count }, (_, number) => number);
const none = (): never => {
  throw new Error('a line was lost');
};

describe('jsonLines', () => {
  for (const count of [0, 1, 499, 500, 501, 5000]) {
    test(`ok/${count} lines, then close: all there, in order`, async () => {
      const file = join(directory, 'decisions');
      const lines = jsonLines(file, none);
      for (let number = 0; number < count; number += 1) lines.write({ number, text: 'a\nb' });
      await lines.close();
      expect(numbersIn(file)).toEqual(upTo(count));
    });
  }

  test('fail/a full disk: every line that is lost is told, and closing settles', async () => {
    const told: [number, string][] = [];
    const lines = jsonLines('/dev/full', (count, why) => told.push([count, why]));
    for (let number = 0; number < 1203; number += 1) lines.write({ number });
    await lines.close();
    expect(told.reduce((sum, [count]) => sum + count, 0)).toBe(1203);
    expect(told[0]?.[1]).toMatch(/no space left/);
  });

  test('fail/a file that cannot be opened is an error at once', () => {
    expect(() => jsonLines(join(directory, 'missing', 'decisions'), none)).toThrow(/ENOENT/);
  });

  test('ok/a file that was moved away gets no more lines; a new one does', async () => {
    const file = join(directory, 'decisions');
    const lines = jsonLines(file, none);
    lines.write({ number: 0 });
    await new Promise((resolve) => setTimeout(resolve, 50));
    renameSync(file, `${file}.1`);
    lines.write({ number: 1 });
    await lines.reopen();
    lines.write({ number: 2 });
    await lines.close();
    expect([...numbersIn(`${file}.1`), ...numbersIn(file)]).toEqual([0, 1, 2]);
    expect(numbersIn(file)).toContain(2);
    expect(statSync(file).mode & 0o007).toBe(0);
  });

  test('ok/lines of before stay', async () => {
    const file = join(directory, 'decisions');
    appendFileSync(file, '{"number":0}\n');
    const lines = jsonLines(file, none);
    lines.write({ number: 1 });
    await lines.close();
    expect(numbersIn(file)).toEqual([0, 1]);
  });
});

describe('operatorLog', () => {
  test('ok/writes lines in order, and a new file after it was reopened', async () => {
    const file = join(directory, 'log');
    const log = operatorLog(file, 'info');
    log.info('first', { a: 1 });
    log.debug('unseen');
    await new Promise((resolve) => setTimeout(resolve, 50));
    renameSync(file, `${file}.1`);
    await log.reopen();
    log.warn('second\nline');
    await log.close();
    expect(readFileSync(`${file}.1`, 'utf8')).toMatch(/^\S+ info first \{"a":1\}\n$/);
    expect(readFileSync(file, 'utf8')).toMatch(/^\S+ warn second line\n$/);
  });
  test('ok/a full disk does not keep it from closing', async () => {
    const log = operatorLog('/dev/full', 'info');
    log.info('lost');
    await log.close();
  });
});

describe('onceAMinute', () => {
  test('ok/the first loss at once, further ones together', () => {
    let now = 0;
    const told: [number, string][] = [];
    const lost = onceAMinute(
      (count, why) => void told.push([count, why]),
      () => now,
    );
    lost(3, 'a');
    now = 59_000;
    lost(4, 'b');
    now = 60_000;
    lost(5, 'c');
    expect(told).toEqual([
      [3, 'a'],
      [9, 'c'],
    ]);
  });
});
