/** The door of this room: YAML as plain values, each with its place; long lists entry by entry. */

export { type PolicyDocument, readDocument } from './document.js';
export { type Entries, EntryList, isEntries } from './entry-list.js';
