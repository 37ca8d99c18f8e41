/** The door of this room: the header table of TS 24.229 as data. */

export { BOUNDARY_RULES, HEADER_POLICY } from './boundary.js';
export { actionsAt, type Column, effectiveRules, overrideProblems, type RowAction } from './effective.js';
export { canonicalName, FUNDAMENTAL, PRIVATE_KEYS } from './fields.js';
export { type ParamsGoing, type RuleInForce, type RulesInForce, rulesInForce } from './in-force.js';
export {
  type Bearing,
  EMERGENCY_URI,
  type HookProfile,
  type Inside,
  isForPlan,
  type LineRules,
  PROFILES,
  type Profile,
  type ProfileName,
  profileOf,
  STRICTEST,
  UNTRUSTED,
} from './profiles.js';
export { URI_FIELDS } from './row.js';
export {
  actionOf,
  type BoundaryRule,
  type Direction,
  type HeaderAction,
  HOOKS,
  type Hook,
  hookClass,
  hookDirection,
  INTERCONNECTS,
  type Interconnect,
  type MessageClass,
  PRIVACY_MODES,
  type PrivacyMode,
  type RuleKind,
  type Stance,
  strangerStance,
} from './rules.js';
