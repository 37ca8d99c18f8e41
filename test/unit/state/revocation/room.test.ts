import { LRUCache } from 'lru-cache';
import { expect, test } from 'vitest';
import { makeRoom } from '../../../../src/state/revocation/room.js';

/** A full cache of these owners, oldest first, by `owner` and number. */
function full(owners: readonly string[], max = owners.length): LRUCache<string, { readonly owner: string }> {
  const cache = new LRUCache<string, { readonly owner: string }>({ max });
  for (const [at, owner] of owners.entries()) cache.set(`${owner}${at}`, { owner });
  return cache;
}

test.each([
  ['ok/the oldest of whoever holds most', ['a', 'b', 'b', 'b'], 'b1'],
  ['ok/one owner alone: its oldest', ['a', 'a', 'a'], 'a0'],
  ['ok/where two hold as many, the oldest of both', ['b', 'a', 'a', 'b'], 'b0'],
])('%s', (_name, owners, gone) => {
  const cache = full(owners);
  makeRoom(cache, ({ owner }) => owner);
  expect(cache.has(gone)).toBe(false);
  expect(cache.size).toBe(owners.length - 1);
});

test('ok/nothing goes while there is room, and what was used last stays', () => {
  const cache = full(['a', 'a'], 3);
  makeRoom(cache, ({ owner }) => owner);
  expect(cache.size).toBe(2);
  cache.set('c', { owner: 'c' });
  cache.get('a0');
  makeRoom(cache, ({ owner }) => owner);
  expect([...cache.keys()].sort()).toEqual(['a0', 'c']);
});
