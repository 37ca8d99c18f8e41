/** The door of this room: `enrol`: certificates by CMP, installed. */

export { type EnrolContext, enrolCommands } from './command.js';
