import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DiskFiles, seenNow } from '../../../../src/policy/reading/disk-files.js';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'siptrust-disk-'));
  path = join(folder, 'a.yaml');
  writeFileSync(path, 'one', { mode: 0o640 });
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Long enough for a file not to be fresh. */
const settle = () => pause(150);

function read(files = new DiskFiles()) {
  const result = files.read(path, 1000);
  if (!('bytes' in result)) throw new Error(result.problem);
  return { text: Buffer.from(result.bytes).toString(), stamp: result.stamp };
}

test('fail/a file that is there and cannot be opened has not changed, and says why it cannot', async () => {
  // As one that its owner alone may read; the tests may read all.
  const socket = createServer().listen(join(folder, 'socket'));
  await once(socket, 'listening');
  const files = new DiskFiles();
  expect(files.read(join(folder, 'socket'), 1000)).toMatchObject({ code: 'unreadable' });
  expect(files.read(join(folder, 'missing'), 1000)).toMatchObject({ code: 'unreadable' });
  expect(files.changed()).toBeUndefined();
  chmodSync(join(folder, 'socket'), 0o600);
  expect(files.changed()).toBe(join(folder, 'socket'));
  socket.close();
});

describe('directories that everybody may write', () => {
  const warning = (at: string) => {
    const result = new DiskFiles().read(at, 1000);
    return 'bytes' in result ? result.warning : result.problem;
  };

  test('fail/the one that a link leads to, over another link', () => {
    const [shared, safe] = [join(folder, 'shared'), join(folder, 'safe')];
    for (const directory of [shared, safe]) mkdirSync(directory);
    const target = join(shared, 'b.yaml');
    writeFileSync(target, 'two', { mode: 0o640 });
    symlinkSync('../shared/b.yaml', join(safe, 'middle.yaml'));
    const link = join(folder, 'link.yaml');
    symlinkSync('safe/middle.yaml', link);
    expect(warning(link)).toBeUndefined();
    chmodSync(shared, 0o777);
    expect(warning(link)).toMatch(
      /shared: expected a directory that not everybody may write, found mode 777: .*link\.yaml can be replaced/,
    );
    chmodSync(shared, 0o755);
    chmodSync(safe, 0o777);
    expect(warning(link)).toContain(`${safe}: expected`);
    chmodSync(safe, 0o1777);
    expect(warning(link)).toBeUndefined();
  });
  test('fail/the target of a link counts from where the link really stands, behind a linked directory too', () => {
    const [data, conf] = [join(folder, 'opt', 'data'), join(folder, 'opt', 'conf')];
    for (const directory of [data, conf]) mkdirSync(directory, { recursive: true });
    writeFileSync(join(data, 'ca.pem'), 'three', { mode: 0o640 });
    symlinkSync('../data/ca.pem', join(conf, 'ca.pem'));
    symlinkSync('opt/conf', join(folder, 'etc'));
    chmodSync(data, 0o777);
    expect(warning(join(folder, 'etc', 'ca.pem'))).toContain(`${data}: expected`);
  });
});

describe('stamps of files', () => {
  test('ok/a file that stays the same keeps its stamp', async () => {
    await settle();
    const { stamp } = read();
    expect(stamp).toBeDefined();
    expect(new DiskFiles().stamp(path)).toBe(stamp);
  });

  const changes: Readonly<Record<string, () => void>> = {
    'other content of the same size': () => writeFileSync(path, 'two'),
    'other content, with its old times': () => {
      writeFileSync(path, 'two');
      utimesSync(path, new Date(0), new Date(0));
    },
    'another file in its place': () => {
      writeFileSync(`${path}.new`, 'one', { mode: 0o640 });
      renameSync(`${path}.new`, path);
    },
    'no file': () => unlinkSync(path),
  };
  for (const [name, change] of Object.entries(changes)) {
    test(`ok/${name} makes another, and is seen at the end`, async () => {
      await settle();
      const files = new DiskFiles();
      const { stamp } = read(files);
      expect(files.changed()).toBeUndefined();
      change();
      expect(new DiskFiles().stamp(path)).not.toBe(stamp);
      expect(files.changed()).toBe(path);
    });
  }

  test('ok/a directory that everybody may write from now on makes another: more is said of the file', async () => {
    await settle();
    const { stamp } = read();
    chmodSync(folder, 0o777);
    const open = read().stamp;
    expect(open).toBeDefined();
    expect(open).not.toBe(stamp);
    expect(new DiskFiles().stamp(path)).toBe(open);
    chmodSync(folder, 0o700);
    expect(new DiskFiles().stamp(path)).toBe(stamp);
  });

  test('ok/a file that was written this moment has none: it may change again under the same time', () => {
    writeFileSync(path, 'new');
    expect(read()).toEqual({ text: 'new', stamp: undefined });
  });

  test('ok/a ConfigMap: the directory behind the link is another one', async () => {
    for (const [version, text] of [
      ['v1', 'one'],
      ['v2', 'two'],
    ] as const) {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, 'p.yaml'), text, { mode: 0o640 });
    }
    symlinkSync('v1', join(folder, '..data'));
    symlinkSync('..data/p.yaml', join(folder, 'p.yaml'));
    path = join(folder, 'p.yaml');
    await settle();
    const files = new DiskFiles();
    expect(read(files).text).toBe('one');
    symlinkSync('v2', join(folder, '..new'));
    renameSync(join(folder, '..new'), join(folder, '..data'));
    expect(files.changed()).toBe(path);
    expect(read().text).toBe('two');
  });

  test('ok/a directory that has another entry', () => {
    const files = new DiskFiles();
    files.list(folder);
    expect(files.changed()).toBeUndefined();
    writeFileSync(join(folder, 'b.yaml'), '');
    expect(files.changed()).toBe(folder);
  });
});

describe('files and directories that are suspected of a change', () => {
  let other: string;
  let stamp: string | undefined;

  beforeEach(async () => {
    other = join(folder, 'b.yaml');
    writeFileSync(other, 'one', { mode: 0o640 });
    await settle();
    stamp = new DiskFiles().stamp(other);
  });

  /** As a reading does it that remembers `b.yaml` and nothing else. */
  function reading(files: DiskFiles): DiskFiles {
    files.list(folder);
    read(files);
    if (files.stamp(other) !== stamp) files.read(other, 1000);
    return files;
  }
  const suspecting = (...files: readonly string[]) => new DiskFiles({ files, directories: [folder] });

  test('ok/are looked at first, and again; one that is as the reading before found it is looked at once', () => {
    const files = reading(suspecting(path));
    // Later than the moment at which all was as it was read.
    writeFileSync(other, 'two');
    expect(files.changed()).toBeUndefined();
    writeFileSync(path, 'two');
    expect(files.changed()).toBe(path);
  });

  test('fail/one that changes between the first look and its reading', () => {
    const files = suspecting(path);
    writeFileSync(path, 'three');
    // What was read of it may be younger than what is remembered of others.
    reading(files);
    writeFileSync(other, 'two');
    expect(files.changed()).toBe(other);
  });

  test('fail/a directory that has another file after the first look', () => {
    const files = reading(suspecting(path));
    writeFileSync(join(folder, 'c.yaml'), 'new');
    expect(files.changed()).toBe(folder);
  });

  test('fail/a directory that is suspected and not listed any more is none that the reading rests on', () => {
    const [before, now] = [join(folder, 'before'), join(folder, 'now')];
    for (const directory of [before, now]) mkdirSync(directory);
    const files = new DiskFiles({ files: [], directories: [before, now] });
    files.list(now);
    writeFileSync(join(before, 'c.yaml'), 'new');
    expect(files.changed()).toBeUndefined();
    const { seen } = files;
    expect(seen).toMatchObject({ files: [], directories: [now] });
    rmSync(before, { recursive: true });
    expect(seenNow(seen)).toBe(seen.state);
  });

  test('ok/why a directory that is there cannot be listed', () => {
    const loop = join(folder, 'loop');
    symlinkSync('loop', loop);
    const files = new DiskFiles();
    expect([loop, folder, path, join(folder, 'none')].map((each) => files.unlisted(each))).toEqual([
      `${loop}: too many symbolic links`,
      ...[undefined, undefined, undefined],
    ]);
  });

  const missed: Readonly<Record<string, () => DiskFiles>> = {
    'nothing is known': () => reading(new DiskFiles()),
    'a file has changed that was not suspected': () => {
      const files = suspecting();
      return reading(files);
    },
    'a file that was remembered has changed, and was not suspected': () => {
      writeFileSync(other, 'two');
      return reading(suspecting(path));
    },
    'a directory was listed that was not suspected': () => reading(new DiskFiles({ files: [path], directories: [] })),
    'a file is not there': () => {
      const files = reading(suspecting(path));
      files.read(join(folder, 'none.yaml'), 1000);
      return files;
    },
  };
  for (const [name, make] of Object.entries(missed)) {
    test(`fail/${name}: all is looked at twice`, () => {
      const files = make();
      expect(files.changed()).toBeUndefined();
      writeFileSync(other, 'three');
      expect(files.changed()).toBe(other);
    });
  }
});
