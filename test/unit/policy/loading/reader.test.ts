import { describe, expect, test } from 'vitest';
import { PolicyReader } from '../../../../src/policy/loading/reader.js';
import { filesInMemory } from '../../../../src/policy/reading/files.js';
import { MATERIAL, NOW, tls } from '../fixtures.js';

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

test.each([
  [499, false],
  [500, true],
])('ok/a policy of one file with %i agreements: whether it is worth what is remembered for it: %s', (count, worth) => {
  const names = Array.from({ length: count }, (_, at) => `  - name: op-${at}\n    domains: [op-${at}.example]\n`);
  const rest = '    mechanism: tls\n    anchors: [ca.pem]\n';
  const text = `own_domains: [a.example]\nagreements:\n${names.map((name) => name + rest).join('')}`;
  // In memory nothing has a stamp: the lines alone tell what is the same.
  const { reader: it } = reader([undefined, undefined], [text, text.replace('op-7.example', 'op.example')]);
  const first = it.read(ORDER);
  expect(first).toMatchObject({ ok: true, remembers: worth });
  const held = first.ok ? first.parcel.contents : undefined;
  const second = it.read({ ...ORDER, held });
  expect(second.ok && [...second.parcel.same].filter((place) => place === -1)).toHaveLength(1);
});
