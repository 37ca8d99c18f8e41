/**
 * Header profiles: what a routing script can do by itself.
 *
 * A profile gives, for each of the four hooks, the fields that go unseen (a static list), and the triggers: patterns
 * over the message that show that the list cannot settle it and `trust.message` has to be asked. All of it follows
 * from the header table; nothing here names a header that the table does not.
 */

import { asciiLower, spellings } from '../grammar/index.js';
import { actionsAt, type HeaderTerms, type RowAction } from './effective.js';
import {
  type Action,
  type BoundaryRule,
  coversField,
  type Hook,
  hookDirection,
  type PrivacyMode,
  type RuleKind,
  type Stance,
  strangerStance,
} from './rules.js';

export type ProfileName =
  | 'strict'
  | 'untrusted'
  | 'untrusted-rfc3325'
  | 'untrusted-ims24229'
  | 'trusted'
  | 'trusted-roaming'
  | 'trusted-enterprise'
  | 'ask';

export interface HookProfile {
  /** Fields of which every row goes; `P-*` stands for a prefix. Canonical spelling, then compact forms. */
  readonly remove: readonly string[];
  /** Fields that stay, though a prefix of `remove` has their names, too. */
  readonly kept: readonly string[];
  /** Those of `remove` that a plan may let stay, or rewrite. */
  readonly judged: readonly string[];
  /** As `remove`, but they stay in an emergency call. */
  readonly removeUnlessEmergency: readonly string[];
  /** Ask for every message. */
  readonly always: boolean;
  /** The peer's assertions are held against its agreement: ask unless the script can see that they pass. */
  readonly screens: boolean;
  /** What a line that stays may hold. */
  readonly lines: LineRules;
}

/** Names that are looked for inside certain fields. All names in lower case, compact forms of fields besides. */
export interface Inside {
  readonly fields: readonly string[];
  readonly names: readonly string[];
  /** The names are those that may stand there; every other goes. */
  readonly allBut: boolean;
}

/** A parameter that goes out of a field (by all its names) where its value bears one of these names. */
export interface Bearing {
  readonly fields: readonly string[];
  /** Does the list take it out? Else the message is asked about. */
  readonly listed: boolean;
  readonly param: string;
  readonly names: readonly string[];
}

/**
 * What may stand in the lines of a message that no plan is needed for: the triggers the other way round. A matcher that
 * finds each line to keep to these has settled the message, and one that fails has not (fail closed).
 */
export interface LineRules {
  /** Names of URI parameters that stand in no line. */
  readonly uriParams: readonly string[];
  /** Is a URI kept from embedding header fields? */
  readonly barren: boolean;
  readonly params: readonly Inside[];
  /** In an emergency call they stay. */
  readonly bearing: readonly Bearing[];
  readonly values: readonly Inside[];
  readonly optionTags: readonly Inside[];
  /** Media types of bodies; `*` stands for any rest. */
  readonly bodies: readonly string[];
  /** May a part of the body be of a type that no body may be of? The list takes it out. */
  readonly parts: boolean;
  /** Fields whose values only a plan can judge, canonical spelling, then compact forms. */
  readonly looked: readonly string[];
  /** What Privacy may say: anything, nothing critical, or what the list carries out by itself. */
  readonly privacy: 'any' | 'not-critical' | 'listed';
}

export interface Profile {
  readonly name: ProfileName;
  readonly about: string;
  readonly stance: Stance;
  readonly hooks: Readonly<Record<Hook, HookProfile>>;
}

/** A Request-URI of an emergency call (RFC 5031). Where a host stands behind it, Kamailio sends it there: whoever redirects calls may write that. */
export const EMERGENCY_URI = '^urn:service:sos([.][^@]*)?$';

/** All names under which a field of the table may stand in a message, canonical first. */
function fieldNames(rule: BoundaryRule): readonly string[] {
  return [rule.name, ...spellings(asciiLower(rule.name)).slice(1)];
}

/** Actions that a static list takes on whole; the finer ones are left to the plan. */
const LISTED: ReadonlySet<Action> = new Set<Action>(['remove', 'reject', 'by-privacy', 'anonymise']);

function listed(rows: readonly RowAction[], strictest: boolean): readonly BoundaryRule[] {
  const out: BoundaryRule[] = [];
  for (const { rule, action } of rows) {
    if (rule.kind === 'header' && rule.methods.length === 0) {
      if (LISTED.has(action) || (strictest && action === 'on-privacy')) out.push(rule);
    }
    // The strictest list drops the field whose value it cannot look into, but where the field itself has to stay.
    if (strictest && rule.kind === 'value' && (action === 'remove' || action === 'on-privacy')) {
      for (const key of rule.within) {
        const whole = rows.find((row) => row.rule.kind === 'header' && asciiLower(row.rule.name) === key)?.rule;
        const name = key.replace(/(^|-)[a-z]/g, (c) => c.toUpperCase());
        out.push({ ...rule, name, keptInEmergency: whole?.keptInEmergency === true });
      }
    }
  }
  return out;
}

function namesOf(rules: readonly BoundaryRule[]): readonly string[] {
  return [...new Set(rules.flatMap(fieldNames))];
}

function removed(rows: readonly RowAction[], kind: RuleKind): readonly BoundaryRule[] {
  return rows.filter(({ rule, action }) => rule.kind === kind && action === 'remove').map(({ rule }) => rule);
}

function lineRules(hook: Hook, stance: Stance, strictest: boolean): LineRules {
  const rows = actionsAt(hook, stance);
  // What may stay in an emergency call is looked into there.
  const gone = new Set(
    listed(rows, strictest)
      .filter(({ keptInEmergency }) => !keptInEmergency)
      .map(({ name }) => asciiLower(name)),
  );
  const staying = (kind: RuleKind): readonly BoundaryRule[] =>
    removed(rows, kind)
      .map((rule) => ({ ...rule, within: rule.within.filter((field) => !gone.has(field)) }))
      .filter(({ within }) => within.length > 0);
  const inside = (kind: RuleKind): readonly Inside[] =>
    staying(kind)
      .filter(({ bearing }) => bearing.length === 0)
      .map(({ name, within, allBut }) => ({
        fields: within.flatMap(spellings),
        names: allBut.length > 0 ? allBut : [asciiLower(name)],
        allBut: allBut.length > 0,
      }));
  const looked = rows.filter(isForPlan);
  const out = hookDirection(hook) === 'out';
  const critical = !stance.trusted && (out || hook === 'request-in');
  return {
    uriParams: removed(rows, 'uri-param').map(({ name }) => asciiLower(name)),
    barren: removed(rows, 'uri-headers').length > 0,
    params: inside('header-param'),
    bearing: bearings(staying('header-param').filter(({ bearing }) => bearing.length > 0)),
    values: inside('value'),
    optionTags: inside('option-tag'),
    // Without a plan all that belongs to calls goes on.
    bodies: rows
      .filter(
        ({ rule, action }) => rule.kind === 'body' && action === 'reject' && (!strictest || rule.methods.length > 0),
      )
      .map(({ rule }) => rule.name),
    parts: hook === 'request-in' && rows.some(({ rule, action }) => rule.kind === 'body' && action === 'reject'),
    // What the strictest list takes out whole needs no look.
    looked: looked
      .filter(({ rule }) => !gone.has(asciiLower(rule.name)) || !strictest)
      .flatMap(({ rule }) => fieldNames(rule)),
    privacy: critical ? (out && !strictest ? 'listed' : 'not-critical') : 'any',
  };
}

/** The field that many messages bear: other fields are rare, and each that a list looks at costs every message. */
const LISTED_PARAMS = 'contact';

/**
 * A field is looked through for names, wherever they stand, and fields are looked through together: one look for the same
 * names is enough, and each costs every message.
 */
function bearings(rules: readonly BoundaryRule[]): readonly Bearing[] {
  const found = new Map<string, Bearing>();
  for (const { name: param, within, bearing: names } of rules) {
    for (const field of within) {
      const listed = field === LISTED_PARAMS;
      const key = `${listed} ${names}`;
      const fields = new Set([...(found.get(key)?.fields ?? []), ...spellings(field)]);
      found.set(key, { param, listed, names, ...found.get(key), fields: [...fields] });
    }
  }
  return [...found.values()];
}

/** Is this the row of a field whose values the plan has to see? What the script screens by itself is no such field. */
export function isForPlan({ rule, action }: RowAction): boolean {
  if (rule.kind !== 'header' || rule.methods.length > 0) return false;
  if (action === 'screen') return !SCREENED_BY_SCRIPT.has(rule.name);
  return action === 'by-privacy' || action === 'anonymise' || action === 'reject';
}

const SCREENED_BY_SCRIPT: ReadonlySet<string> = new Set(['P-Asserted-Identity', 'From']);

function hookProfile(hook: Hook, stance: Stance, name: ProfileName): HookProfile {
  const strictest = name === 'strict' || name === 'ask';
  const rows = actionsAt(hook, stance);
  const rules = listed(rows, strictest);
  const judged = rows.filter(({ action }) => action === 'by-privacy' || action === 'anonymise').map(({ rule }) => rule);
  return {
    judged: namesOf(rules.filter((rule) => judged.includes(rule))),
    remove: namesOf(rules.filter(({ keptInEmergency }) => !keptInEmergency)),
    kept: keptUnder(rules, rows),
    removeUnlessEmergency: namesOf(rules.filter(({ keptInEmergency }) => keptInEmergency)),
    always: name === 'ask',
    screens: stance.trusted && hookDirection(hook) === 'in',
    lines: lineRules(hook, stance, strictest),
  };
}

/** The fields that no rule removes but one for a prefix of their names, where a row says that they stay. */
function keptUnder(gone: readonly BoundaryRule[], rows: readonly RowAction[]): readonly string[] {
  const prefixes = gone.filter(({ name }) => name.endsWith('*'));
  const staying = rows.filter(({ rule, action }) => rule.kind === 'header' && action === 'keep');
  return namesOf(
    staying.map(({ rule }) => rule).filter(({ name }) => prefixes.some((rule) => coversField(rule, asciiLower(name)))),
  );
}

function profile(name: ProfileName, about: string, stance: Stance): Profile {
  return {
    name,
    about,
    stance,
    hooks: {
      'request-in': hookProfile('request-in', stance, name),
      'request-out': hookProfile('request-out', stance, name),
      'response-in': hookProfile('response-in', stance, name),
      'response-out': hookProfile('response-out', stance, name),
    },
  };
}

const stranger = strangerStance('strict33203');

/** What an unknown or missing name means. */
export const STRICTEST = profile('strict', 'nothing is known of the peer, or a question stayed unanswered', stranger);
export const UNTRUSTED = profile('untrusted', 'not trusted, TS 33.203 §5.4 to the letter', stranger);

/** All profiles. */
export const PROFILES: readonly Profile[] = [
  STRICTEST,
  UNTRUSTED,
  profile('untrusted-rfc3325', 'not trusted, identities go out as RFC 3325 §7 says', strangerStance('rfc3325')),
  profile('untrusted-ims24229', 'not trusted, identities go out as TS 24.229 §4.4.2 says', strangerStance('ims24229')),
  profile('trusted', 'trusted, non-roaming interconnect', { ...stranger, trusted: true, interconnect: 'non-roaming' }),
  profile('trusted-roaming', 'trusted, roaming or loopback interconnect', {
    ...stranger,
    trusted: true,
    interconnect: 'roaming',
  }),
  profile('trusted-enterprise', 'trusted, enterprise or internet peer', {
    ...stranger,
    trusted: true,
    interconnect: 'enterprise',
  }),
  profile('ask', 'an agreement with header overrides or number prefixes: each message is asked for', stranger),
];

/** What of a verdict decides the profile. */
export interface ProfileTerms {
  readonly verdict: 'trusted' | 'untrusted' | 'reject';
  readonly agreement: (HeaderTerms & { readonly asserts: { readonly numbers: 'any' | readonly string[] } }) | undefined;
}

const BY_PRIVACY_MODE: Readonly<Record<PrivacyMode, ProfileName>> = {
  strict33203: 'untrusted',
  rfc3325: 'untrusted-rfc3325',
  ims24229: 'untrusted-ims24229',
};

/** The profile by which a script treats this peer. `strangerMode`: the privacy mode towards peers without an agreement. */
export function profileOf(verdict: ProfileTerms, strangerMode: PrivacyMode = 'strict33203'): ProfileName {
  const { agreement } = verdict;
  if (verdict.verdict !== 'trusted') {
    // Towards an untrusted peer an override only narrows; one that keeps changes nothing.
    const narrowed = [...(agreement?.headers.values() ?? [])].flatMap((each) => [each.in, each.out]);
    if (narrowed.includes('remove') || narrowed.includes('anonymise')) return 'ask';
    return BY_PRIVACY_MODE[agreement?.privacy ?? strangerMode];
  }
  if (agreement === undefined) return 'strict';
  if (agreement.headers.size > 0 || agreement.asserts.numbers !== 'any') return 'ask';
  if (agreement.interconnect === 'roaming' || agreement.interconnect === 'loopback') return 'trusted-roaming';
  return agreement.interconnect === 'non-roaming' ? 'trusted' : 'trusted-enterprise';
}
