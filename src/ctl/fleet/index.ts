/** The door of this room: `fleet` and `store`: the policy and the database of a fleet. */

export { fleetCommands } from './commands.js';
export { fleetDifferences, isRevisionNumber } from './fleet-store.js';
export { storeCommands } from './store.js';
