/**
 * What a row of the header policy is, and which of its actions is in force on a hop.
 *
 * The rows themselves are data: boundary.ts.
 */

import { asciiLower } from '../grammar/index.js';

export type Direction = 'in' | 'out';
export type MessageClass = 'request' | 'response';
/** Rulebook H-1: the peer of the hook decides, not the direction of the call. */
export type Hook = 'request-in' | 'request-out' | 'response-in' | 'response-out';
export const HOOKS: readonly Hook[] = ['request-in', 'request-out', 'response-in', 'response-out'];

export const INTERCONNECTS = ['non-roaming', 'roaming', 'loopback', 'enterprise', 'internet'] as const;
export type Interconnect = (typeof INTERCONNECTS)[number];

export const PRIVACY_MODES = ['strict33203', 'rfc3325', 'ims24229'] as const;
export type PrivacyMode = (typeof PRIVACY_MODES)[number];

/** What a policy file may say of one row in one direction. */
export type HeaderAction = 'keep' | 'remove' | 'anonymise';

/**
 * - `keep`: stays as it is.
 * - `remove`: every instance goes.
 * - `anonymise`: entries of our own domains are anonymised where privacy is asked for (rulebook §5.3).
 * - `by-privacy`: goes, unless the privacy mode and the Privacy header let it stay (§5.5).
 * - `on-privacy`: stays, unless the Privacy header asks for its removal (§5.2).
 * - `screen`: each value is held against the agreement (§5.6, RFC 7316 §6.2).
 * - `reject`: the request is refused; in a response, or where refusing is not possible, as `remove`.
 * - `flag`: stays, and the plan says that it was there.
 */
export type Action = HeaderAction | 'by-privacy' | 'on-privacy' | 'screen' | 'reject' | 'flag';

/** What the row speaks of. `uri-headers` are the `?name=value` behind a URI (P-9). */
export type RuleKind = 'header' | 'uri-param' | 'uri-headers' | 'header-param' | 'value' | 'option-tag' | 'body';

export type ByMode = Action | Readonly<Record<PrivacyMode, Action>>;
export type ByInterconnect = Action | Readonly<Record<Interconnect, Action>>;

/** V: read in the primary text. V2: in a secondary source. M: from memory. D: a decision of this policy. */
export type Confidence = 'V' | 'V2' | 'M' | 'D';

export interface BoundaryRule {
  /** Header field in canonical spelling (`P-*` means every field of that prefix), or parameter, value, option tag. */
  readonly name: string;
  readonly kind: RuleKind;
  /** For all kinds but `header`: the fields that it is looked for in, lower case; empty: every field that holds a URI. */
  readonly within: readonly string[];
  /** Message classes in which the row is in force. A header of the wrong class is stripped alike (P-11). */
  readonly applies: readonly MessageClass[];
  /** Methods that the row is limited to; empty: all. */
  readonly methods: readonly string[];
  /** Not removed from an emergency call. */
  readonly keptInEmergency: boolean;
  /** Methods whose answers a plan removes it from not; a list knows no methods. */
  readonly keptInAnswersTo: readonly string[];
  /** For `on-privacy`: the priv-values that ask for the removal. */
  readonly privacyValues: readonly string[];
  /** For option tags: the fields that it speaks of. It goes when one of them was there and none is left. */
  readonly goesWith: readonly string[];
  /** For header parameters: not empty, the row speaks of every parameter but these (lower case), by its name of none. */
  readonly allBut: readonly string[];
  /** For header parameters: not empty, the row speaks of it where its value names one of these (lower case). */
  readonly bearing: readonly string[];
  /** From and to a peer that is not trusted. */
  readonly in: ByMode;
  readonly out: ByMode;
  /** From and to a trusted peer. */
  readonly trustedIn: ByInterconnect;
  readonly trustedOut: ByInterconnect;
  readonly condition: string;
  readonly clause: string;
  /** Number of the row in the rulebook's header table. */
  readonly row: string;
  readonly confidence: Confidence;
}

/** Overrides of an agreement, keyed by the lower-case name of the row. */
export type Overrides = ReadonlyMap<string, { readonly in?: HeaderAction; readonly out?: HeaderAction }>;

/** All that decides which of a row's actions is in force. */
export interface Stance {
  readonly trusted: boolean;
  readonly interconnect: Interconnect;
  readonly mode: PrivacyMode;
  readonly overrides: Overrides;
}

const NO_OVERRIDES: Overrides = new Map();

/** Towards a peer that nothing is known of. */
export function strangerStance(mode: PrivacyMode): Stance {
  return { trusted: false, interconnect: 'internet', mode, overrides: NO_OVERRIDES };
}

/** Most private first; an override never weakens what holds towards an untrusted peer. */
const STRICTNESS: Readonly<Record<Action, number>> = {
  reject: 4,
  remove: 3,
  'by-privacy': 2,
  anonymise: 1,
  screen: 1,
  'on-privacy': 1,
  flag: 0,
  keep: 0,
};

/** Fields whose entries can be anonymised; elsewhere an override `anonymise` removes. */
const ANONYMISABLE: ReadonlySet<string> = new Set(['history-info', 'diversion']);

/** The action of a row towards a peer, overrides included. */
export function actionOf(rule: BoundaryRule, direction: Direction, stance: Stance): Action {
  const base = baseAction(rule, direction, stance);
  const key = asciiLower(rule.name);
  const wanted = stance.overrides.get(key)?.[direction];
  if (wanted === undefined) return base;
  const override: Action = wanted === 'anonymise' && !ANONYMISABLE.has(key) ? 'remove' : wanted;
  // Screening is what makes a kept assertion credible: "keep" keeps what passes it (rulebook §5.6).
  if (base === 'screen' && override === 'keep') return base;
  // An agreement speaks for a peer that is trusted under it. Towards any other it may only narrow.
  if (!stance.trusted && STRICTNESS[override] < STRICTNESS[base]) return base;
  return isFixed(rule) ? base : override;
}

/** What a method may not bear, or has no place at any external border, no agreement can let through (rulebook §4.5). */
export function isFixed(rule: BoundaryRule): boolean {
  const never = rule.kind === 'header' && rule.trustedIn === 'remove' && rule.trustedOut === 'remove';
  return never || rule.methods.length > 0;
}

function baseAction(rule: BoundaryRule, direction: Direction, stance: Stance): Action {
  if (stance.trusted) {
    const by = direction === 'in' ? rule.trustedIn : rule.trustedOut;
    return typeof by === 'string' ? by : by[stance.interconnect];
  }
  const by = direction === 'in' ? rule.in : rule.out;
  return typeof by === 'string' ? by : by[stance.mode];
}

/** Does a `header` row speak of the field with this key? */
export function coversField(rule: BoundaryRule, key: string): boolean {
  const name = asciiLower(rule.name);
  return name.endsWith('*') ? key.startsWith(name.slice(0, -1)) : key === name;
}

/** Whether messages at this hook come in or go out. */
export function hookDirection(hook: Hook): Direction {
  return hook === 'request-in' || hook === 'response-in' ? 'in' : 'out';
}

/** Whether messages at this hook are requests or responses. */
export function hookClass(hook: Hook): MessageClass {
  return hook === 'request-in' || hook === 'request-out' ? 'request' : 'response';
}
