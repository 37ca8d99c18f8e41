/** The door of this room: from files to a snapshot: at start, on reload, in a thread of its own. */

export { type LoadedPolicy, loadPolicy, loadSettings } from './loader.js';
export type { ReadOrder, ReadResult } from './reader.js';
