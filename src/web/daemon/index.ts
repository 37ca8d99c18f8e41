/** The door of this room: what the page asks the daemon, and what it answers. */

export type {
  AuditLine,
  Candidate,
  Decision,
  Explanation,
  HeaderRow,
  Partner,
  PartnerList,
  PartnerRow,
  Pin,
  PolicyEvent,
  RevocationRow,
  Status,
  WhoAmI,
} from './answers.js';
export { ask, onRefused, token } from './rpc.js';
export { read } from './stream.js';
export { messageOf, useAnswer } from './use-answer.js';
