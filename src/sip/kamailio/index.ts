/** The door of this room: the files of the plugin for Kamailio that are made of the header table. */

export { KAMAILIO_FILES } from './headers.js';
