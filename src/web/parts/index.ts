/** The door of this room: parts of views. */

export { Action, Explain, fieldText, Problem, Table, Verdict, When } from './parts.js';
