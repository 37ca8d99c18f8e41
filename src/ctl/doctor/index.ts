/** The door of this room: `doctor`: what is wrong with a site. */

export { type DoctorContext, doctorCommand } from './command.js';
