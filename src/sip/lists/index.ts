/** The door of this room: the table as lists that Kamailio and OpenSIPS load. */

export { KAMAILIO_FILES } from './kamailio.js';
export { opensipsInclude } from './opensips.js';
