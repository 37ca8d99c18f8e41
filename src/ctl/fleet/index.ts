/** The door of this room: `fleet` and `store`: the policy and the database of a fleet. */

export { fleetCommands, fleetDifferences, isRevisionNumber } from './commands.js';
export { storeCommands } from './store.js';
