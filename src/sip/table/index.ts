/** The door of this room: the header table of TS 24.229 as data. */

export {
  BOUNDARY_RULES,
  type Column,
  canonicalName,
  effectiveRules,
  FUNDAMENTAL,
  HEADER_POLICY,
  overrideProblems,
  PRIVATE_KEYS,
  URI_FIELDS,
} from './boundary.js';
export { type ParamsGoing, type RuleInForce, type RulesInForce, rulesInForce } from './in-force.js';
export {
  EMERGENCY_URI,
  type HookProfile,
  type Inside,
  PROFILES,
  type Profile,
  type ProfileName,
  profileOf,
} from './profiles.js';
export {
  type Action,
  actionOf,
  type BoundaryRule,
  type Direction,
  type HeaderAction,
  HOOKS,
  type Hook,
  hookClass,
  hookDirection,
  type Interconnect,
  type MessageClass,
  type PrivacyMode,
  type RuleKind,
  type Stance,
  strangerStance,
} from './rules.js';
