import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { PolicyReader } from '../../../../src/policy/loading/reader.js';
import { filesInMemory } from '../../../../src/policy/reading/files.js';
import { EntryList } from '../../../../src/policy/yaml/entry-list.js';
import { MATERIAL, NOW, tls } from '../fixtures.js';
import { Stamped } from '../stamped.js';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');
afterEach(() => vi.restoreAllMocks());

const ORDER = { path: 'p.yaml', revision: 7, now: NOW, held: undefined, watched: false };

/** A policy of which `changed` says, reading by reading, what has changed since. */
function reader(changed: readonly (string | undefined)[], texts: readonly string[] = []) {
  const read: number[] = [];
  const open = () => {
    const at = read.push(read.length) - 1;
    const files = filesInMemory({ ...MATERIAL, 'p.yaml': texts[at] ?? tls() });
    return { ...files, changed: () => changed[at], directories: [], seen: { files: [], directories: [], state: '' } };
  };
  return { reader: new PolicyReader(open), read };
}

describe('a policy that changes while it is read', () => {
  test('ok/is read again, and what was read before does not count', () => {
    const { reader: it, read } = reader(['ca.pem', undefined], ['agreements: [\n', tls()]);
    expect(it.read(ORDER)).toMatchObject({ ok: true, warnings: [] });
    expect(read).toHaveLength(2);
  });

  test('ok/after that nobody is believed who says what may have changed', () => {
    const opened: unknown[] = [];
    const files = {
      ...filesInMemory({ ...MATERIAL, 'p.yaml': tls() }),
      ...{ directories: [], seen: { files: [], directories: [], state: '' } },
    };
    const it = new PolicyReader((suspects) => {
      const times = opened.push(suspects);
      return { ...files, changed: () => (times === 1 ? 'ca.pem' : undefined) };
    });
    const suspects = { files: ['ca.pem'], directories: [] };
    expect(it.read(ORDER, suspects)).toMatchObject({ ok: true });
    expect(opened).toEqual([suspects, undefined]);
  });

  test('fail/that does not come to rest is not taken', () => {
    const { reader: it, read } = reader(['ca.pem', 'd/1.yaml', 'd/2.yaml']);
    const text = 'changed while the policy was read, 3 times: reload once all files are written';
    expect(it.read(ORDER)).toMatchObject({ ok: false, problems: [`p.yaml:1:1: error: d/2.yaml: ${text}`] });
    expect(read).toHaveLength(3);
  });

  test('ok/whoever watches is told how the files stood, also of a policy that is no good; nobody else is', () => {
    for (const text of [tls(), tls('privacy: x')]) {
      const { reader: it } = reader([undefined, undefined], [text, text]);
      expect(it.read({ ...ORDER, watched: true })).toHaveProperty('seen.files');
      expect(it.read(ORDER)).not.toHaveProperty('seen');
    }
  });

  test('fail/a mistake in one that has come to rest is said', () => {
    const { reader: it } = reader([undefined], [tls('privacy: x')]);
    expect(it.read(ORDER)).toMatchObject({ ok: false, problems: [expect.stringContaining('agreements[0].privacy')] });
  });
});

test('ok/no file of before stays, however many readings took an agreement of it over', () => {
  const COUNT = 600;
  const names = Array.from({ length: COUNT }, (_, at) => `operator-number-${at}`);
  const text = (changed: number) => {
    const entries = names.map((name, at) => {
      const terms = `    mechanism: tls\n    anchors: [ca.pem]\n    enabled: ${at >= changed}\n    # ${'-'.repeat(1000)}\n`;
      return `  - name: ${name}\n    domains: [${name}.example]\n${terms}`;
    });
    return `own_domains: [a.example]\nagreements:\n${entries.join('')}`;
  };
  const files = new Stamped(MATERIAL);
  const quiet = { changed: () => undefined, directories: [], seen: { files: [], directories: [], state: '' } };
  const it = new PolicyReader(() => Object.assign(files, quiet));
  const heap = (changed: number): number => {
    files.content['p.yaml'] = Buffer.from(text(changed)).toString();
    expect(it.read(ORDER)).toMatchObject({ ok: true });
    collect();
    return process.memoryUsage().heapUsed;
  };
  heap(1);
  const before = heap(2);
  let after = 0;
  for (let changed = 3; changed < 33; changed++) after = heap(changed);
  expect((after - before) / text(0).length).toBeLessThan(5);
});

test.each([
  [499, false],
  [500, true],
])('ok/a policy of one file with %i agreements: whether it is worth what is remembered for it: %s', (count, worth) => {
  const names = Array.from({ length: count }, (_, at) => `  - name: op-${at}\n    domains: [op-${at}.example]\n`);
  const rest = '    mechanism: tls\n    anchors: [ca.pem]\n';
  const text = `own_domains: [a.example]\nagreements:\n${names.map((name) => name + rest).join('')}`;
  const files = new Stamped({ ...MATERIAL, 'p.yaml': text });
  const quiet = { changed: () => undefined, directories: [], seen: { files: [], directories: [], state: '' } };
  const it = new PolicyReader(() => Object.assign(files, quiet));
  const first = it.read(ORDER);
  expect(first).toMatchObject({ ok: true, remembers: worth });
  files.content['p.yaml'] = text.replace('op-7.example', 'op.example');
  const made = vi.spyOn(EntryList.prototype, 'at');
  const held = first.ok ? first.parcel.contents : undefined;
  it.read({ ...ORDER, held });
  expect(made.mock.calls).toEqual([[7]]);
});
