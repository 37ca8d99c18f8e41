/** The header table applied to one message: what goes whole, and what is taken out of values. */

import { asciiLower, trimBlanks } from '../sip/ascii.js';
import { FUNDAMENTAL, rulesFor, URI_FIELDS } from '../sip/boundary.js';
import {
  cleanAddrs,
  cleanLoose,
  cleanRequestUri,
  type UriRules,
  withoutListParams,
  withoutParamValue,
  withoutTokens,
} from '../sip/clean.js';
import type { Privacy } from '../sip/privacy.js';
import {
  type Action,
  actionOf,
  type BoundaryRule,
  coversField,
  type Direction,
  type MessageClass,
  type RuleKind,
  type Stance,
} from '../sip/rules.js';
import type { Draft } from './draft.js';

/** One message at one hook, as far as the table asks. */
export interface StripContext {
  readonly direction: Direction;
  readonly message: MessageClass;
  readonly method: string;
  readonly stance: Stance;
  readonly emergency: boolean;
  readonly privacy: Privacy;
}

export interface RuleInForce {
  readonly rule: BoundaryRule;
  readonly action: Action;
}

/** The rows that are in force for this message, in table order. */
export function rulesInForce(context: StripContext): readonly RuleInForce[] {
  const { direction, message, method, stance } = context;
  return rulesFor(stance.overrides)
    .filter(({ applies, methods }) => applies.includes(message) && (methods.length === 0 || methods.includes(method)))
    .map((rule) => ({ rule, action: actionOf(rule, direction, stance) }));
}

/** The row that decides over a field: one for this method before the general one, a full name before a prefix. */
export function ruleOf(key: string, rules: readonly RuleInForce[]): RuleInForce | undefined {
  const covering = rules.filter(({ rule }) => rule.kind === 'header' && coversField(rule, key));
  return covering.find(({ rule }) => rule.methods.length > 0) ?? covering[0];
}

/** Removes the fields that go as a whole. */
export function stripFields(draft: Draft, rules: readonly RuleInForce[], context: StripContext): void {
  for (const key of draft.keys) {
    const found = ruleOf(key, rules);
    if (found === undefined || FUNDAMENTAL.has(key)) continue;
    const { rule, action } = found;
    if (rule.keptInEmergency && context.emergency) continue;
    const asked = rule.privacyValues.some((value) => context.privacy.values.has(value));
    if (action === 'remove' || action === 'reject' || (action === 'on-privacy' && asked)) draft.removeAll(key);
  }
}

function removedNames(rules: readonly RuleInForce[], kind: RuleKind): readonly BoundaryRule[] {
  return rules.filter(({ rule, action }) => rule.kind === kind && action === 'remove').map(({ rule }) => rule);
}

function lowerNames(rules: readonly BoundaryRule[]): ReadonlySet<string> {
  return new Set(rules.map(({ name }) => asciiLower(name)));
}

/** Embedded header fields that may stay, by the field that holds the URI (P-9). */
const EMBEDDABLE: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['refer-to', new Set(['replaces'])],
  ['referred-by', new Set(['replaces'])],
  ['history-info', new Set(['reason', 'privacy'])],
]);
const NOTHING: ReadonlySet<string> = new Set();

/** Fields that hold URIs without being lists of addresses. */
const LOOSE_FIELDS: readonly string[] = ['feature-caps', 'accept-contact'];

/**
 * Cleans the URIs of all fields that are still there. Returns the keys of the fields that cannot be cleaned: those
 * that a message can do without are dropped first.
 */
export function stripUris(draft: Draft, rules: readonly RuleInForce[]): readonly string[] {
  const params = lowerNames(removedNames(rules, 'uri-param'));
  const embedded = new Set(removedNames(rules, 'uri-headers').flatMap(({ within }) => within));
  if (params.size === 0 && embedded.size === 0) return [];
  const unclean: string[] = [];
  const run = (key: string, clean: (value: string) => { readonly value: string; readonly clean: boolean }): void => {
    for (const row of draft.rows(key)) {
      const result = clean(row.value);
      if (result.clean) draft.set(row, result.value);
      else if (FUNDAMENTAL.has(key) || key === 'refer-to') unclean.push(key);
      else draft.drop(row);
    }
  };
  for (const key of URI_FIELDS) {
    const allowed = embedded.has(key) ? (EMBEDDABLE.get(key) ?? NOTHING) : undefined;
    run(key, (value) => (value === '*' ? { value, clean: true } : cleanAddrs(value, { params, embedded: allowed })));
  }
  for (const key of LOOSE_FIELDS) run(key, (value) => cleanLoose(value, { params, embedded: undefined }));
  return unclean;
}

/** The Request-URI without what may not cross; undefined: it cannot be cleaned. */
export function stripRequestUri(ruri: string, rules: readonly RuleInForce[]): string | undefined {
  const uriRules: UriRules = {
    params: lowerNames(removedNames(rules, 'uri-param')),
    embedded: removedNames(rules, 'uri-headers').length > 0 ? NOTHING : undefined,
  };
  if (uriRules.params.size === 0 && uriRules.embedded === undefined) return ruri;
  const { value, clean } = cleanRequestUri(ruri, uriRules);
  return clean ? value : undefined;
}

/** Takes parameters and values out of the fields that the table names for them. */
export function stripValues(draft: Draft, rules: readonly RuleInForce[]): void {
  for (const [key, names] of byField(removedNames(rules, 'header-param'))) {
    for (const row of draft.rows(key)) {
      const { value, clean } = withoutListParams(row.value, names);
      if (clean) draft.set(row, value);
      else draft.drop(row);
    }
  }
  for (const [key, values] of byField(removedNames(rules, 'value'))) {
    if (key === 'call-info') draft.edit(key, (value) => withoutParamValue(value, 'purpose', values));
    else draft.edit(key, (value) => withoutTokens(value, (token) => values.has(token)));
  }
}

function byField(rules: readonly BoundaryRule[]): ReadonlyMap<string, ReadonlySet<string>> {
  const fields = new Map<string, Set<string>>();
  for (const { name, within } of rules) {
    for (const key of within) {
      const names = fields.get(key) ?? new Set<string>();
      names.add(asciiLower(name));
      fields.set(key, names);
    }
  }
  return fields;
}

/** Which removed fields make an option tag go with them (a tag that stays would ask for a field that is gone). */
const TAG_FIELDS: ReadonlyMap<string, readonly string[]> = new Map([
  ['resource-priority', ['resource-priority']],
  ['sec-agree', ['security-client', 'security-server', 'security-verify']],
]);

/** Takes out the option tags whose header field the plan removed. Runs last. */
export function stripOptionTags(draft: Draft, rules: readonly RuleInForce[]): void {
  const gone = (key: string): boolean => draft.isGone(key);
  for (const rule of removedNames(rules, 'option-tag')) {
    const drop =
      rule.name === 'privacy'
        ? !draft.has('privacy') && ['privacy', 'rpid-privacy', 'remote-party-id'].some(gone)
        : (TAG_FIELDS.get(rule.name) ?? []).some(gone);
    if (!drop) continue;
    for (const key of rule.within) {
      draft.edit(key, (value) => withoutTokens(value, (token) => token === rule.name));
    }
  }
}

/** The media types of the table that this message's body is of, with what is to be done. */
export function bodyRules(draft: Draft, rules: readonly RuleInForce[]): readonly RuleInForce[] {
  const type = asciiLower(trimBlanks((draft.rows('content-type')[0]?.value ?? '').split(';')[0] ?? ''));
  if (type === '') return [];
  return rules.filter(({ rule, action }) => {
    if (rule.kind !== 'body' || action === 'keep') return false;
    const name = asciiLower(rule.name);
    return name.endsWith('*') ? type.startsWith(name.slice(0, -1)) : type === name;
  });
}
