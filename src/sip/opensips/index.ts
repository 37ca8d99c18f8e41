/** The door of this room: the file of the plugin for OpenSIPS that is made of the header table. */

export { opensipsInclude } from './headers.js';
