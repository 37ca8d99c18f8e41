/** The door of this room: `enrol`: certificates by CMP, installed. */

export { enrolCommands } from './command.js';
export type { EnrolContext } from './options.js';
