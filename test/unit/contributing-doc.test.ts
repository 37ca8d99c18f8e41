/** CONTRIBUTING.md, "One more row": what its diffs go beside stands where they say. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const page = readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8');

/** Each file of each diff, with its lines. */
const changes = [...page.matchAll(/^```diff\n([\s\S]*?)^```$/gm)].flatMap(([, diff = '']) =>
  diff.split(/^\+\+\+ b\//m).flatMap((part) => {
    const [file = '', ...lines] = part.split('\n');
    return file === '' ? [] : [{ file, lines: lines.filter((line) => line !== '' && !line.startsWith('@@')) }];
  }),
);

describe('a row that CONTRIBUTING.md adds', () => {
  test('ok/there are some of each kind', () => expect(changes.length).toBeGreaterThan(10));

  test.each(changes.map((change) => [change.file, change] as const))('ok/%s', (file, { lines }) => {
    expect(existsSync(join(ROOT, file))).toBe(true);
    const there = readFileSync(join(ROOT, file), 'utf8')
      .split('\n')
      .map((line) => line.trimEnd());
    const around = lines.filter((line) => line.startsWith(' ')).map((line) => line.slice(1).trimEnd());
    const added = lines.filter((line) => line.startsWith('+')).map((line) => line.slice(1).trimEnd());
    expect(around.length).toBeGreaterThan(0);
    expect(added.length).toBeGreaterThan(0);
    for (const line of around) {
      // Long rows of tables end in `...` on the page.
      const start = line.endsWith('...') ? line.slice(0, -3).trimEnd() : undefined;
      const found = there.some((each) => (start === undefined ? each === line : each.startsWith(start)));
      expect(found, `${file}: expected the line ${line}`).toBe(true);
    }
    // Of several lines one may stand there anyway, as a closing bracket does.
    expect(added.every((line) => there.includes(line))).toBe(false);
  });
});
