/** The door of this room: parts of views. */

export { Action, Explain, Problem, Table, Verdict, When } from './parts.js';
