import { describe, expect, test } from 'vitest';
import { PolicyMemory } from '../../../../src/policy/agreement/memory.js';
import { BundleFiles, bundleOf, RecordingFiles, readTree } from '../../../../src/policy/fleet/bundle.js';
import { filesInMemory } from '../../../../src/policy/reading/files.js';
import { checkPolicy } from '../../../../src/policy/snapshot/compile.js';
import { CA_PEM, NOW } from '../fixtures.js';

const MAIN = `own_domains: [a.example]
include: [more/*.yaml, /abs/one.yaml]
agreements:
  - {name: op-b, domains: [b.example], mechanism: tls, anchors: [../ca/b.pem]}
`;
const more = (name: string, anchor: string) =>
  `agreements: [{name: op-${name}, domains: [${name}.example], mechanism: tls, anchors: [${anchor}]}]\n`;

/** Of a disk: what the policy names, and what it does not. */
const DISK = filesInMemory({
  '/etc/trust/policy.yaml': MAIN,
  '/etc/trust/more/c.yaml': more('c', '../../ca/b.pem'),
  '/etc/trust/more/.hidden.yaml': 'broken',
  '/etc/trust/more/notes.txt': 'not named',
  '/etc/ca/b.pem': CA_PEM,
  '/abs/one.yaml': more('d', 'own.pem'),
  '/abs/own.pem': CA_PEM,
});

function names(files: Parameters<typeof checkPolicy>[0]): readonly string[] {
  const checked = checkPolicy(files, 'policy.yaml', 1, NOW, new PolicyMemory());
  if (!checked.ok) throw new Error(JSON.stringify(checked.problems));
  return Array.from(checked.parts.agreements, ({ name }) => name);
}

describe('a bundle', () => {
  test('ok/holds what the policy names, and is the same policy without the disk', () => {
    const recording = new RecordingFiles(DISK, '/etc/trust');
    expect(names(recording)).toEqual(['op-b', 'op-d', 'op-c']);
    const { files, blobs, list } = bundleOf(recording.contents);
    const paths = ['../ca/b.pem', '/abs/one.yaml', '/abs/own.pem', 'more/c.yaml', 'policy.yaml'];
    expect(files.map(({ path }) => path)).toEqual(paths);
    expect(readTree(list)).toEqual(files);
    expect(names(new BundleFiles(files, (sha256) => blobs.get(sha256)))).toEqual(['op-b', 'op-d', 'op-c']);
  });

  test('ok/is named by what it holds, whatever was read first', () => {
    const contents = [
      ['a', Buffer.from('1')],
      ['b', Buffer.from('1')],
    ] as const;
    const [one, other] = [bundleOf(new Map(contents)), bundleOf(new Map([...contents].reverse()))];
    expect(one.tree).toBe(other.tree);
    expect(one.blobs.size).toBe(2);
  });

  test('fail/content that is not what its hash says is no file', () => {
    const { files } = bundleOf(new Map([['policy.yaml', Buffer.from(MAIN)]]));
    const read = new BundleFiles(files, () => Buffer.from('own_domains: []')).read('policy.yaml', 1000);
    expect(read).toMatchObject({ code: 'unreadable', problem: expect.stringContaining('expected content of SHA-256') });
  });

  test.each([
    ['no JSON', 'x'],
    ['a hash that is a path', '["a","../../etc/passwd",1]'],
    ['a size that is none', `["a","${'a'.repeat(64)}",-1]`],
    ['no list', '{"path":"a"}'],
    ['no path', `["","${'a'.repeat(64)}",1]`],
    ['more than a fleet takes', `["a","${'a'.repeat(64)}",600000000]`],
  ])('fail/a list with %s', (_, line) => {
    expect(readTree(Buffer.from(`${line}\n`))).toHaveProperty('problem');
  });
});
