import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
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

  test('ok/a file that was written while the policy was read is named when that is done', async () => {
    changes.follow([folder]);
    writeFileSync(join(folder, 'a.yaml'), 'one');
    changes.follow([folder]);
    expect(await named(join(folder, 'a.yaml'))).toEqual([join(folder, 'a.yaml')]);
  });

  const replaced: Readonly<Record<string, (directory: string) => void>> = {
    'removed and made again': (directory) => {
      rmSync(directory, { recursive: true });
      mkdirSync(directory);
    },
    'swapped for another': (directory) => {
      mkdirSync(`${directory}.new`);
      renameSync(directory, `${directory}.old`);
      renameSync(`${directory}.new`, directory);
    },
    'in a directory that was swapped': (directory) => {
      mkdirSync(join(`${dirname(directory)}.new`, 'in'), { recursive: true });
      renameSync(dirname(directory), `${dirname(directory)}.old`);
      renameSync(`${dirname(directory)}.new`, dirname(directory));
    },
    'behind a link that was turned': (directory) => {
      const link = dirname(directory);
      renameSync(link, `${link}.old`);
      symlinkSync(`${link}.old`, link);
      changes.follow([directory]);
      mkdirSync(join(`${link}.new`, 'in'), { recursive: true });
      symlinkSync(`${link}.new`, `${link}.turned`);
      renameSync(`${link}.turned`, link);
    },
  };
  test.each(Object.entries(replaced))(
    'ok/a directory that was %s is heard from the next reading on',
    async (_, replace) => {
      const directory = join(folder, 'of', 'in');
      mkdirSync(directory, { recursive: true });
      changes.follow([directory]);
      replace(directory);
      changes.follow([directory]);
      writeFileSync(join(directory, 'a.yaml'), 'one');
      expect(await named(join(directory, 'a.yaml'))).toContain(join(directory, 'a.yaml'));
    },
  );

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
