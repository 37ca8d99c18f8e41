import { describe, expect, test } from 'vitest';
import { filesInMemory } from '../../../../src/policy/reading/files.js';
import { expandGlob } from '../../../../src/policy/reading/paths.js';

const FILES = filesInMemory(
  Object.fromEntries(
    [
      'a.yaml',
      'b.yaml',
      'b.yml',
      '.h.yaml',
      'd/a.yaml',
      'd/x1.yaml',
      'd/e/a.yaml',
      'f/a.yaml',
      '/etc/s/o.yaml',
      'q?.y',
    ].map((path) => [path, '']),
  ),
);

describe('globs', () => {
  const cases: readonly (readonly [string, ...(readonly string[])])[] = [
    ['*.yaml', 'a.yaml', 'b.yaml'],
    ['b.y*', 'b.yaml', 'b.yml'],
    ['?.yaml', 'a.yaml', 'b.yaml'],
    ['.*.yaml', '.h.yaml'],
    ['d/*.yaml', 'd/a.yaml', 'd/x1.yaml'],
    ['./d/../d/x?.yaml', 'd/x1.yaml'],
    ['*/a.yaml', 'd/a.yaml', 'f/a.yaml'],
    ['*/*/a.yaml', 'd/e/a.yaml'],
    ['*/x1.yaml', 'd/x1.yaml'],
    ['/etc/s/*.yaml', '/etc/s/o.yaml'],
    ['/etc/*/o.yaml', '/etc/s/o.yaml'],
    ['nix/*.yaml'],
    ['q?.y', 'q?.y'],
    ['*x*'],
    ['*.*a*ml', 'a.yaml', 'b.yaml'],
  ];
  for (const [pattern, ...expected] of cases) {
    test(`ok/${pattern}`, () => expect(expandGlob(pattern, FILES)).toEqual(expected));
  }

  test('ok/many stars take no exponential time', () => {
    const files = filesInMemory({ ['a'.repeat(200)]: '' });
    expect(expandGlob(`${'*a'.repeat(60)}b`, files)).toEqual([]);
    expect(expandGlob('*a'.repeat(60), files)).toHaveLength(1);
  });
});
