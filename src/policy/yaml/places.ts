/** Where the parts of a document stand; offsets into its text. */

import { EntryList, type EntryPlace } from './entry-list.js';

/** The keys and the values of a container; of a list the keys are its indices. */
export interface Parts {
  /** Offsets of keys; none of a list. */
  readonly keys: Map<string, number>;
  readonly values: Map<string, number>;
}

export type Places = Map<object, Parts>;

/** A document that was read with its places. */
export interface Placed {
  readonly root: object | undefined;
  readonly places: Places;
  /** An entry of a long list, and what else is learnt of its places. */
  readonly entry: (place: EntryPlace, places: Places) => unknown;
}

/** Offset of the value at a key path, or of its key; where nothing stands there, of what would hold it. */
export function locate(
  { root, places, entry }: Placed,
  path: readonly (string | number)[],
  at: 'key' | 'value',
): number {
  let node: unknown = root;
  let known = places;
  let offset = firstKey(root, places);
  for (const [index, step] of path.entries()) {
    if (node instanceof EntryList) {
      const place = node.place(Number(step));
      if (place === undefined) return offset;
      known = new Map();
      node = entry(place, known);
      offset = place.at;
      continue;
    }
    const parts = typeof node === 'object' && node !== null ? known.get(node) : undefined;
    const key = parts?.keys.get(String(step));
    if (key !== undefined && at === 'key' && index === path.length - 1) return key;
    const value = parts?.values.get(String(step));
    if (value === undefined) return offset;
    offset = value;
    node = Reflect.get(Object(node), step);
  }
  return offset;
}

function firstKey(root: object | undefined, places: Places): number {
  const [first] = (root && places.get(root)?.keys.values()) ?? [];
  return first ?? 0;
}
