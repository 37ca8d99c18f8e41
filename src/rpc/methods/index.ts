/** The door of this room: the table of methods. */

export { methodTable } from './methods.js';
export { type FlatDifference, flatDifference } from './policy.js';
