/** The door of this room: PostgreSQL behind the store: one database for many nodes. */

export { type Cursor, position, STATE_CHANGED } from './changes.js';
export { isRefused, type Run, type SqlRow, type SqlValue } from './client.js';
export { Database, type DatabaseStatus } from './database.js';
export { migrate } from './migrate.js';
export { text } from './text.js';
export { coalesced, spaced, Turns } from './turns.js';
