import type { StoredRevision } from './fleet-database.js';

/** Characters of a key's hash that tell it from others. */
const KEY_SHOWN = 16;

/** A revision as people are shown it, by siptrustctl and on the page. */
export function revisionRow({ revision, at }: StoredRevision) {
  const { number, base, author, comment, withdrawn, signature } = revision;
  return {
    revision: number,
    base,
    at: new Date(at).toISOString(),
    author,
    comment,
    disabled: withdrawn,
    signed_by: signature?.key.slice(0, KEY_SHOWN) ?? '',
  };
}
