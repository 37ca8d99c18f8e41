import type { LRUCache } from 'lru-cache';

/**
 * Frees a place in a cache that is full: of the owner who holds most of it, the one that was not used for the longest time. So
 * one owner, however many it brings, takes nothing from the others.
 */
export function makeRoom<T extends object>(cache: LRUCache<string, T>, owner: (value: T) => string): void {
  if (cache.size < cache.max) return;
  const held = new Map<string, number>();
  for (const value of cache.values()) held.set(owner(value), (held.get(owner(value)) ?? 0) + 1);
  const most = Math.max(...held.values());
  for (const key of cache.rkeys()) {
    const value = cache.peek(key);
    if (value === undefined || held.get(owner(value)) !== most) continue;
    cache.delete(key);
    return;
  }
}
