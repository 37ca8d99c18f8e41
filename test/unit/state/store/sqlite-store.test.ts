import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { openSqliteStore, readSqliteStore } from '../../../../src/state/store/sqlite-store.js';
import { type Pin, type Store, StoreError } from '../../../../src/state/store/store.js';

const directory = mkdtempSync(join(tmpdir(), 'siptrust-store-'));
const open: Store[] = [];
let count = 0;

function path(): string {
  count += 1;
  return join(directory, `${count}`, 'state.db');
}

function opened(file: string): ReturnType<typeof openSqliteStore> {
  const store = openSqliteStore(file);
  open.push(store);
  return store;
}

/** A file that a store has been in. */
async function used(pins: readonly Pin[] = [pin()]): Promise<string> {
  const file = path();
  const store = openSqliteStore(file);
  await store.save({ put: pins });
  await store.close();
  return file;
}

function pin(over: Partial<Pin> = {}): Pin {
  return {
    agreement: 'op-b',
    spkiSha256: '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
    certificateSha256: 'ab'.repeat(32),
    subject: `CN=it's "b" \u{1f511}\n;--`,
    identities: ['b.example', 'sip.b.example'],
    notAfter: Date.UTC(9999, 11, 31, 23, 59, 59),
    firstSeen: 1_795_000_000_001,
    lastSeen: 1_795_000_000_002,
    count: 3,
    approvedAt: undefined,
    ...over,
  };
}

afterEach(async () => {
  for (const store of open.splice(0)) await store.close();
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('the store in SQLite', () => {
  test('ok/a new one is empty, for nobody else to read, and made with its directory', async () => {
    const file = path();
    expect(await opened(file).load()).toEqual({ pins: [], revision: 0 });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(file, '..')).mode & 0o777).toBe(0o700);
  });
  test('ok/a write that waits for somebody else holds nobody up', async () => {
    const file = path();
    const store = opened(file);
    await store.save({ put: [pin()] });
    const other = new Database(file);
    other.exec('BEGIN IMMEDIATE');
    let written = false;
    const saved = store.save({ put: [pin({ agreement: 'op-c' })] }).then(() => {
      written = true;
    });
    for (let turn = 0; turn < 1000; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(written).toBe(false);
    other.exec('COMMIT');
    other.close();
    await saved;
    expect((await store.load()).pins).toHaveLength(2);
  });
  test('ok/a time that somebody wrote by hand, and no date can say, counts as what is next to it', async () => {
    const file = await used([pin({ approvedAt: 1_795_000_000_003 })]);
    const other = new Database(file);
    other.exec('UPDATE pin SET not_after = 9e18, first_seen = -9e18, last_seen = 9e15, approved_at = 9e15');
    other.close();
    const [found] = (await opened(file).load()).pins;
    const last = '9999-12-31T23:59:59.999Z';
    const { notAfter = 0, firstSeen = 0, lastSeen = 0, approvedAt = 0 } = found ?? {};
    expect([notAfter, firstSeen, lastSeen, approvedAt].map((time) => new Date(time).toISOString())).toEqual([
      last,
      '1970-01-01T00:00:00.000Z',
      last,
      last,
    ]);
  });
  test('fail/a file that its group may write, and a directory that everybody may, are warned of', async () => {
    const file = await used();
    chmodSync(file, 0o660);
    chmodSync(join(file, '..'), 0o777);
    const warnings: string[] = [];
    open.push(openSqliteStore(file, (text) => void warnings.push(text)));
    expect(warnings).toEqual([
      `${file}: expected a file that siptrustd alone may write, found mode 0660`,
      `${join(file, '..')}: expected a directory that not everybody may write, found mode 0777: ${file} can be replaced`,
    ]);
  });
  test('ok/what is saved is there again, the pin seen longest ago first', async () => {
    const late = pin({ agreement: 'op-c', lastSeen: 9, approvedAt: 10, identities: [] });
    const early = pin({ lastSeen: 1 });
    const file = await used([late, early]);
    expect(await opened(file).load()).toEqual({ pins: [early, late], revision: 0 });
  });
  test('ok/a pin is replaced by its agreement and key, and removed', async () => {
    const store = opened(path());
    const other = pin({ spkiSha256: 'x' });
    await store.save({ put: [pin(), other] });
    await store.save({ put: [pin({ count: 4, approvedAt: 5 })], remove: [other] });
    await store.save({ remove: [pin({ agreement: 'op-x' })] });
    expect((await store.load()).pins).toEqual([pin({ count: 4, approvedAt: 5 })]);
  });
  test('ok/the timeline of a database is kept, by database, and never goes back', async () => {
    const file = path();
    const store = opened(file);
    expect(await store.loadTimeline('71')).toBe(0);
    for (const timeline of [2, 3, 1]) await store.saveTimeline('71', timeline);
    await store.saveTimeline('72', 1);
    await store.close();
    const again = opened(file);
    expect([await again.loadTimeline('71'), await again.loadTimeline('72'), await again.loadTimeline('7')]).toEqual([
      3, 1, 0,
    ]);
    expect((await again.load()).revision).toBe(0);
  });
  test('ok/the revision never goes back', async () => {
    const store = opened(path());
    for (const revision of [5, 9, 7]) await store.save({ revision });
    expect((await store.load()).revision).toBe(9);
  });
  test('fail/of a change that fails nothing is kept', async () => {
    const store = opened(path());
    const broken = pin({ agreement: 'op-c', count: 1.5 });
    await expect(store.save({ put: [pin(), broken], revision: 3 })).rejects.toBeInstanceOf(StoreError);
    expect(await store.load()).toEqual({ pins: [], revision: 0 });
  });
  test('ok/it has a write-ahead log, and people can read the state', async () => {
    const file = path();
    await opened(file).save({ put: [pin(), pin({ agreement: 'op-c', approvedAt: 1 })] });
    expect(existsSync(`${file}-wal`)).toBe(true);
    const reader = new Database(file, { readonly: true });
    expect(reader.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(reader.prepare('SELECT agreement, state FROM pin ORDER BY 1').raw().all()).toEqual([
      ['op-b', 'observed'],
      ['op-c', 'approved'],
    ]);
    reader.close();
  });

  test('fail/a second daemon on one file', async () => {
    const file = path();
    const store = openSqliteStore(file);
    expect(() => openSqliteStore(file)).toThrow(
      `${file}: expected a file of its own, found one that another siptrustd`,
    );
    await store.close();
    expect(await opened(file).load()).toEqual({ pins: [], revision: 0 });
  });
  test('fail/one that another daemon has open by another name', async () => {
    const file = await used();
    opened(file);
    const link = path();
    mkdirSync(join(link, '..'));
    symlinkSync(file, link);
    expect(() => openSqliteStore(link)).toThrow('found one that another siptrustd has open');
  });
  test('ok/others may read it meanwhile', async () => {
    const file = path();
    expect(readSqliteStore(file)).toBeUndefined();
    await opened(file).save({ put: [pin()], revision: 8 });
    expect(readSqliteStore(file)).toEqual({ pins: [pin()], revision: 8 });
  });
  test('ok/others may read it when no daemon runs, and change nothing', async () => {
    const file = await used();
    const before = readFileSync(file);
    expect(readSqliteStore(file)?.pins).toEqual([pin()]);
    expect(readFileSync(file)).toEqual(before);
  });

  const refused: Readonly<Record<string, [(file: string) => void, RegExp]>> = {
    'no database': [
      (file) => writeFileSync(file, 'x'.repeat(5000)),
      /expected a SQLite database, found something else .*; next: put the last good copy in its place/,
    ],
    'a database of another program': [
      (file) => {
        rmSync(file);
        const other = new Database(file);
        other.exec('CREATE TABLE t (x)');
        other.close();
        chmodSync(file, 0o600);
      },
      /expected a database of siptrust, found one of another program/,
    ],
    'a later version': [
      (file) => {
        const later = new Database(file);
        later.pragma('user_version = 2');
        later.close();
      },
      /expected version 1 of the database, found 2; next: the siptrustd that wrote it, or the copy from before/,
    ],
    'a damaged page': [
      (file) => {
        const bytes = readFileSync(file);
        bytes.fill(0xff, 4096, 4096 + 64);
        writeFileSync(file, bytes);
      },
      /expected a sound database, found a damaged one .*; next: put the last good copy in its place/,
    ],
    'a file cut short': [
      (file) => writeFileSync(file, readFileSync(file).subarray(0, 4096 + 100)),
      /expected a (sound database, found a damaged one|SQLite database)/,
    ],
    'one of which a power failure left no octet: pins are not lost silently': [
      (file) => writeFileSync(file, ''),
      /expected a database of siptrust, found an empty file; next: put the last good copy in its place/,
    ],
    'a file that everybody may write': [
      (file) => chmodSync(file, 0o666),
      /expected a file that not everybody may write, found mode 0666; next: chmod 600/,
    ],
    'a directory in its place': [
      (file) => {
        rmSync(file);
        mkdirSync(file);
      },
      /expected a regular file/,
    ],
  };
  test('fail/a link that leads nowhere, to the file or to its directory', () => {
    const own = join(directory, 'links');
    mkdirSync(own);
    const [target, file, linked] = [join(own, 'unmounted'), join(own, 'linked.db'), join(own, 'linked')];
    symlinkSync(target, file);
    expect(() => openSqliteStore(file)).toThrow(
      `${file}: expected a file, or none yet, found a symbolic link to ${target}, where nothing is`,
    );
    symlinkSync(target, linked);
    expect(() => openSqliteStore(join(linked, 'state.db'))).toThrow(
      `${linked}: expected a directory, or none yet, found a symbolic link to ${target}, where nothing is`,
    );
  });
  for (const [name, [spoil, expected]] of Object.entries(refused)) {
    test(`fail/${name}`, async () => {
      const file = await used();
      spoil(file);
      for (const attempt of [() => openSqliteStore(file), () => readSqliteStore(file)]) {
        expect(attempt).toThrow(StoreError);
        expect(attempt).toThrow(expected);
        expect(attempt).toThrow(file);
      }
    });
  }
  test('ok/a start that was killed while it made the first database is no obstacle to the next one', () => {
    const file = path();
    mkdirSync(join(file, '..'));
    const begun = join(file, '../.state.db.begun');
    writeFileSync(begun, 'begun');
    opened(file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(existsSync(begun)).toBe(false);
  });
  test('fail/what the log of a file that was taken away holds does not come back in the next one', async () => {
    const [running, file] = [path(), path()];
    await opened(running).save({ put: [pin()] });
    mkdirSync(join(file, '..'));
    // As a daemon leaves them that is killed.
    for (const end of ['-wal', '-shm']) copyFileSync(`${running}${end}`, `${file}${end}`);
    expect((await opened(file).load()).pins).toEqual([]);
  });
  test('fail/of two that begin one file at once the second does not touch it', () => {
    const file = path();
    mkdirSync(join(file, '..'));
    const first = new Database(`${file}.lock`);
    first.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    const begun = join(file, '../.state.db.begun');
    writeFileSync(begun, 'of the first');
    expect(() => openSqliteStore(file)).toThrow('found one that another siptrustd has open');
    expect(readFileSync(begun, 'utf8')).toBe('of the first');
    first.close();
  });
  test('fail/a directory where nobody can make a file: what to look at', () => {
    expect(() => openSqliteStore('/proc/siptrust.db')).toThrow(
      /^\/proc\/siptrust\.db: expected a directory where this user may make files; next: look at its owner and mode/,
    );
  });
  test('fail/a directory that cannot be', () => {
    const file = join(path(), 'state.db');
    mkdirSync(join(file, '../..'), { recursive: true });
    writeFileSync(join(file, '..'), '');
    expect(() => openSqliteStore(file)).toThrow(StoreError);
  });
});
