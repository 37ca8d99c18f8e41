import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Changes } from '../../../../src/policy/loading/changes.js';

let folder: string;
let changes: Changes;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'siptrust-changes-'));
  changes = new Changes();
});
afterEach(() => {
  changes.close();
  rmSync(folder, { recursive: true });
});

/** Files that were named until `wanted` was. */
async function named(wanted: string): Promise<readonly string[]> {
  const found = new Set<string>();
  await expect
    .poll(() => {
      for (const file of changes.take()?.files ?? []) found.add(file);
      return found.has(wanted);
    })
    .toBe(true);
  return [...found];
}

describe('what the system says of directories', () => {
  test('ok/a file that is written is named by its path, once', async () => {
    changes.follow([folder]);
    writeFileSync(join(folder, 'a.yaml'), 'one');
    expect(await named(join(folder, 'a.yaml'))).toEqual([join(folder, 'a.yaml')]);
  });

  test('fail/of directories that are not followed, or no more, nothing is known', () => {
    expect(changes.take()).toBeUndefined();
    changes.follow([folder]);
    expect(changes.take()).toEqual({ files: [], directories: [folder] });
    changes.follow([join(folder, 'none')]);
    expect(changes.take()).toBeUndefined();
  });

  test('fail/of more directories than are worth it nothing is known', () => {
    const many = Array.from({ length: 65 }, (_, at) => join(folder, `${at}`));
    for (const directory of many) mkdirSync(directory);
    changes.follow(many);
    expect(changes.take()).toBeUndefined();
    changes.follow(many.slice(1));
    expect(changes.take()?.directories).toHaveLength(64);
  });
});
