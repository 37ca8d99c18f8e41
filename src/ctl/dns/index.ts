/** The door of this room: `dns`: the records of a domain. */

export { dnsCommands } from './command.js';
