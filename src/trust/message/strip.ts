/** The header table applied to one message: what goes whole, and what is taken out of values. */

import {
  type Cleaned,
  cleanAddrs,
  cleanLoose,
  cleanRequestUri,
  type UriRules,
  withoutListParams,
  withoutParamBearing,
  withoutPurposes,
  withoutTokens,
} from '../../sip/edit/index.js';
import { asciiLower, decodedKey, isPrivateName, SINGLE_FIELDS } from '../../sip/grammar/index.js';
import { FUNDAMENTAL, PRIVATE_KEYS, type RuleInForce, type RulesInForce, URI_FIELDS } from '../../sip/table/index.js';
import type { Work } from './work.js';

/** Removes the fields that go as a whole. */
export function stripFields(work: Work): void {
  const { draft, rules, privacy } = work;
  for (const key of draft.keys) {
    if (isDisguised(key)) draft.removeAll(key);
    const found = rules.ruleOf(key);
    if (found === undefined || FUNDAMENTAL.has(key) || isKept(work, key)) continue;
    const { rule, action } = found;
    const asked = rule.privacyValues.some((value) => privacy.values.has(value));
    if (action === 'remove' || action === 'reject' || (action === 'on-privacy' && asked)) draft.removeAll(key);
  }
}

/** Is this, to a reader that decodes names, a field that the boundary cares about, or a second one where there may be one? */
function isDisguised(key: string): boolean {
  const decoded = decodedKey(key);
  return decoded !== key && (isPrivateName(decoded) || PRIVATE_KEYS.has(decoded) || SINGLE_FIELDS.has(decoded));
}

/** Does an emergency call keep this field? */
function isKept({ rules, emergency }: Work, key: string): boolean {
  return emergency && rules.ruleOf(key)?.rule.keptInEmergency === true;
}

/** Embedded header fields that may stay, by the field that holds the URI (P-9). */
const EMBEDDABLE: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['refer-to', new Set(['replaces'])],
  ['referred-by', new Set(['replaces'])],
  ['history-info', new Set(['reason', 'privacy'])],
]);
const NOTHING: ReadonlySet<string> = new Set();

/** Fields that hold URIs without being lists of addresses. */
const LOOSE_FIELDS: readonly string[] = ['feature-caps', 'accept-contact', 'reject-contact'];

/**
 * Cleans the rows of a field. True: one cannot be cleaned; it stays where a message cannot do without it, an emergency call
 * not without its location, without whatever looks like what is `unwanted` (the message may not be refused); else it is dropped.
 */
function leavesUnclean(work: Work, key: string, unwanted: UriRules, clean: (value: string) => Cleaned): boolean {
  const { draft } = work;
  const stays = FUNDAMENTAL.has(key) || key === 'refer-to' || isKept(work, key);
  let unclean = false;
  for (const row of draft.rows(key)) {
    const result = clean(row.value);
    if (result.clean) draft.set(row, result.value);
    else if (stays) {
      unclean = true;
      draft.set(row, cleanLoose(row.value, unwanted).value);
    } else draft.drop(row);
  }
  return unclean;
}

/** Cleans the URIs of all fields that are still there. Returns the keys of the fields that stay and cannot be cleaned. */
export function stripUris(work: Work): readonly string[] {
  const { uriParams: params, barren } = work.rules;
  if (params.size === 0 && barren.size === 0) return [];
  const embedded = barren.size > 0 ? NOTHING : undefined;
  const addrs = [...URI_FIELDS].filter((key) => {
    const allowed = barren.has(key) ? (EMBEDDABLE.get(key) ?? NOTHING) : undefined;
    // The way to a location that an emergency call keeps is left as it is.
    return leavesUnclean(work, key, { params: isKept(work, key) ? NOTHING : params, embedded }, (value) =>
      value === '*' ? { value, clean: true } : cleanAddrs(value, { params, embedded: allowed }),
    );
  });
  const loose = LOOSE_FIELDS.filter((key) =>
    leavesUnclean(work, key, { params, embedded }, (value) => cleanLoose(value, { params, embedded })),
  );
  return [...addrs, ...loose];
}

/** The Request-URI without what may not cross; undefined: it cannot be cleaned. */
export function stripRequestUri(ruri: string, rules: RulesInForce): string | undefined {
  const uriRules: UriRules = { params: rules.uriParams, embedded: rules.barren.size > 0 ? NOTHING : undefined };
  if (uriRules.params.size === 0 && uriRules.embedded === undefined) return ruri;
  const { value, clean } = cleanRequestUri(ruri, uriRules);
  return clean ? value : undefined;
}

/**
 * Takes parameters and values out of the fields that the table names for them. Returns the keys of the fields that stay and
 * cannot be cleaned.
 */
export function stripValues(work: Work): readonly string[] {
  const { draft, rules, emergency } = work;
  const unclean: string[] = [];
  for (const { name, within, bearing, keptInEmergency } of rules.params.bearing) {
    if (keptInEmergency && emergency) continue;
    const unwanted: UriRules = { params: new Set([name]), embedded: undefined };
    unclean.push(
      ...within.filter((key) =>
        leavesUnclean(work, key, unwanted, (value) => withoutParamBearing(value, name, bearing)),
      ),
    );
  }
  for (const [key, going] of rules.params.byField) {
    const unwanted: UriRules = { params: going.named, embedded: undefined };
    const clean = (value: string): Cleaned =>
      URI_FIELDS.has(key) ? cleanAddrs(value, unwanted) : withoutListParams(value, going);
    if (leavesUnclean(work, key, unwanted, clean)) unclean.push(key);
  }
  for (const [key, values] of rules.values) {
    if (key === 'call-info') draft.edit(key, (value) => withoutPurposes(value, values));
    else draft.edit(key, (value) => withoutTokens(value, (token) => values.has(token)));
  }
  return unclean;
}

/**
 * Takes out the option tags whose header field the plan removed: one that stays would ask for a field that is gone.
 * Runs last.
 */
export function stripOptionTags({ draft, rules }: Work): undefined {
  for (const { name, within, goesWith } of rules.optionTags) {
    if (!goesWith.some((key) => draft.isGone(key)) || goesWith.some((key) => draft.has(key))) continue;
    for (const key of within) draft.edit(key, (value) => withoutTokens(value, (token) => token === name));
  }
}

/** The media types of the table that this message's body is of, with what is to be done. */
export function bodyRules({ draft, rules }: Work): readonly RuleInForce[] {
  // Blanks may stand around the slash (RFC 3261 §25.1, SLASH); which of several rows counts, readers disagree on.
  const types = draft
    .rows('content-type')
    .map(({ value }) => asciiLower(value.split(';')[0] ?? '').replace(/[ \t]/g, ''));
  return rules.bodies.filter(({ rule }) => {
    const name = asciiLower(rule.name);
    return types.some((type) => (name.endsWith('*') ? type.startsWith(name.slice(0, -1)) : type === name));
  });
}
