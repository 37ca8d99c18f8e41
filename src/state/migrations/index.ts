/** The door of this room: the schema of the store of a fleet, version by version. */

export { MIGRATIONS } from './migrations.js';
