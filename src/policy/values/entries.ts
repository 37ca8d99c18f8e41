/** Finds an entry of a list again by what it means; entries that were refused or repeated make indexes differ. */

import type { Site } from '../reading/index.js';

const indexes = new WeakMap<readonly string[], ReadonlyMap<string, number>>();

/** The site of the first entry of the list at `site` that means `wanted`; `meaning` is what one entry means. */
export function entrySite(
  site: Site,
  texts: readonly string[],
  wanted: string,
  meaning: (text: string) => string | undefined,
): Site {
  let index = indexes.get(texts);
  if (!index) {
    const found = new Map<string, number>();
    for (const [at, text] of texts.entries()) {
      const key = meaning(text);
      if (key !== undefined && !found.has(key)) found.set(key, at);
    }
    index = found;
    indexes.set(texts, index);
  }
  return site.at(index.get(wanted) ?? 0);
}
