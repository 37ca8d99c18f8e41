/** The door of this room: a running daemon is asked; the table of such commands. */

export { askDaemon, type DaemonAddress, daemonAnswers, errorWording } from './ask.js';
export { DAEMON_COMMANDS, paramsOf } from './commands.js';
