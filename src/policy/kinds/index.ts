/** The door of this room: what may stand behind a key of the policy file, and how docs/policy.md tells of it. */

export type { DocLine } from './doc-line.js';
export { type Kind, kind } from './kind.js';
export {
  CREDENTIAL_NAME,
  choice,
  count,
  entries,
  listener,
  milliseconds,
  mode,
  NAME_VALUES,
  name,
  octets,
  onOff,
  optional,
  path,
  pathOr,
  seconds,
  yesNo,
} from './kinds.js';
