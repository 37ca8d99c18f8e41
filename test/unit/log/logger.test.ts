import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { jsonLines } from '../../../src/log/logger.js';

describe('jsonLines', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'siptrust-log-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  for (const count of [0, 1, 499, 500, 501, 5000]) {
    test(`ok/${count} lines, then close: all there, in order`, async () => {
      const file = join(directory, 'decisions');
      const lines = jsonLines(file);
      for (let number = 0; number < count; number += 1) lines.write({ number, text: 'a\nb' });
      await lines.close();
      const text = readFileSync(file, 'utf8');
      const numbers = text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => (JSON.parse(line) as { number: number }).number);
      expect(numbers).toEqual(Array.from({ length: count }, (_, number) => number));
    });
  }
});
