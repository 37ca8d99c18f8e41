import { chmodSync, mkdirSync, readdirSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CrlStore, type StoredCrl, type StoreLimits } from '../../../../src/state/revocation/crl-store.js';
import { temporaryDirectory } from '../../../support/revocation-stage.js';

let directory: ReturnType<typeof temporaryDirectory>;
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => directory.remove());

const LIMITS: StoreLimits = { files: 3, total: 1000, single: 500 };
const open = (limits: Partial<StoreLimits> = {}) =>
  CrlStore.open(join(directory.path, 'lists'), { ...LIMITS, ...limits });

const list = (name: string, size = 10, more: Partial<StoredCrl> = {}): StoredCrl => ({
  url: `http://b.example/${name}`,
  etag: `"${name}"`,
  lastModified: undefined,
  der: new Uint8Array(size).fill(name.charCodeAt(0)),
  ...more,
});

async function loaded(limits: Partial<StoreLimits> = {}): Promise<readonly StoredCrl[]> {
  const all: StoredCrl[] = [];
  for await (const each of (await open(limits)).load()) all.push(each);
  return all;
}

/** Makes a list the newest on disk, by the clock of the file system. */
function age(seconds: number): void {
  for (const file of readdirSync(join(directory.path, 'lists'))) {
    const path = join(directory.path, 'lists', file);
    const { mtimeMs } = statSync(path);
    utimesSync(path, mtimeMs / 1000 - seconds, mtimeMs / 1000 - seconds);
  }
}

describe('CrlStore', () => {
  test('ok/what was saved is loaded, newest first', async () => {
    const store = await open();
    await store.save(list('a'));
    age(10);
    await store.save(list('b', 20, { lastModified: 'yesterday', etag: undefined }));
    const [first, second] = await loaded();
    expect(first).toMatchObject({ url: 'http://b.example/b', lastModified: 'yesterday', etag: undefined });
    expect(first?.der).toHaveLength(20);
    expect(second).toMatchObject({ url: 'http://b.example/a', etag: '"a"' });
  });
  test('ok/a newer list takes the place of the one before', async () => {
    const store = await open();
    await store.save(list('a'));
    await store.save(list('a', 30));
    expect((await loaded()).map(({ der }) => der.length)).toEqual([30]);
  });
  test('ok/saves at once come one after the other', async () => {
    const store = await open();
    await Promise.all([10, 20, 30].map((size) => store.save(list('a', size))));
    await store.close();
    expect((await loaded()).map(({ der }) => der.length)).toEqual([30]);
  });
  test('ok/removed', async () => {
    const store = await open();
    await store.save(list('a'));
    await store.remove('http://b.example/a');
    expect(readdirSync(join(directory.path, 'lists'))).toEqual([]);
  });
  const limits: readonly (readonly [name: string, limits: Partial<StoreLimits>, kept: number])[] = [
    ['number', { files: 2 }, 2],
    ['octets together', { total: 25 }, 2],
    ['octets of one', { single: 9 }, 0],
  ];
  for (const [name, over, kept] of limits) {
    test(`ok/beyond the ${name} the oldest go`, async () => {
      const store = await open();
      for (const each of ['a', 'b', 'c']) {
        await store.save(list(each));
        age(10);
      }
      expect((await loaded(over)).map(({ url }) => url.at(-1))).toEqual(['c', 'b', 'a'].slice(0, kept));
      expect(readdirSync(join(directory.path, 'lists'))).toHaveLength(2 * kept);
    });
  }
  test('fail/a directory that everybody may write', async () => {
    mkdirSync(join(directory.path, 'lists'));
    chmodSync(join(directory.path, 'lists'), 0o777);
    await expect(open()).rejects.toThrow(/not everybody may write/);
  });
  test('ok/nobody else may read or write there', async () => {
    await (await open()).save(list('a'));
    expect(statSync(join(directory.path, 'lists')).mode & 0o777).toBe(0o700);
    for (const file of readdirSync(join(directory.path, 'lists'))) {
      expect(statSync(join(directory.path, 'lists', file)).mode & 0o777).toBe(0o600);
    }
  });
});
