/** The door of this room: what a certificate has to be for what it is used for, rule by rule. */

export { checkPinned } from './pinned.js';
export type { Place } from './rule.js';
export { brokenRules, type Level } from './rules.js';
export {
  acceptedPurposes,
  allows,
  checkUsage,
  EKU_POLICIES,
  type EkuPolicy,
  otherRoleHint,
  PURPOSE,
  purposeText,
  type Role,
  rolePurpose,
} from './usage.js';
