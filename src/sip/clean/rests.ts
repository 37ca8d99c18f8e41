/** The rest of a line behind the colon of a field, by what the rules say of what stands in it. */

import { literal } from '../script/index.js';
import type { Bearing, Inside, LineRules } from '../table/index.js';
import { EMERGENCY } from './marks.js';
import { nameOf } from './name-tree.js';
import type { Leniency } from './purpose.js';
import { BEYOND, BLANKS, END, heads, NAME_END, TOKEN } from './values.js';

const QUOTED = '"(?:[^"\\\\\\r]++|\\\\[^\\r])*+"';
const BRACKETED = `${BLANKS}(?:${QUOTED}${BLANKS}|[^":;<\\r]*+)<[^<>\\r]*+>(?:[^<"\\r]++|${QUOTED})*+`;
const BARE = '[^<@;?\\r]*+(?:@[^<@;?\\r]*+)?+(?:;[^<@?\\r]*+)?+';
/** The rest of a line in which every reader finds one and the same URI: whom a partner calls himself is held against his domains. */
export const NAMED = `(?=(?:${BRACKETED}|${BARE})\\r)`;

/** A value none of whose words is a forbidden name; a word starts behind a blank, a separator or a quote, and holds neither an escape nor
 * a byte that one reader or another takes for a blank. */
export function words(rules: readonly Inside[]): string {
  const wide = rules.find(({ allBut }) => allBut);
  if (wide !== undefined) {
    const name = nameOf(wide.names);
    const value = `${BLANKS}(?:=${BLANKS}(?:"[^"\\\\${BEYOND}]*+"|[^;,"${BEYOND}]*+))?+`;
    const plain = `(?:${name}=[^;,"${BEYOND}]*+[;,]*+${BLANKS})*+`;
    return `${BLANKS}${plain}(?:[ \\t;,]*+${name}${NAME_END}${value})*+[ \\t;,]*+`;
  }
  const names = rules.flatMap((rule) => rule.names);
  return `(?:[;,=" <>\\t]*+(?!${nameOf(names)}${NAME_END})[^;,=" <>\\\\${BEYOND}]++)*+[;,=" <>\\t]*+`;
}

/**
 * The rest of a line in which no parameter, behind an escaped semicolon neither, has one of these names, escaped neither; nor what
 * stands in the place of a URI.
 */
export function hasNone(rules: readonly Inside[]): string {
  if (rules.length === 0) return '';
  const names = nameOf(rules.flatMap((rule) => rule.names));
  const other = `(?![ \\t<]*+(?:%|${names}(?![${TOKEN.replace('%', '')}])))`;
  const text = '[^,;%\\r]*+';
  return `(?=${other}${text}(?:(?:(?:[,;]|%3b)${other}|%(?!3b))${text})*+\\r)`;
}

/** How most lines of these fields go on where none but certain names may stand: the first of them, and then others. */
export function onlyNames(rules: readonly Inside[], fields: readonly string[]): string | undefined {
  const wide = rules.find((each) => each.allBut && each.fields.some((field) => fields.includes(field)));
  const [first] = wide?.names ?? [];
  if (wide === undefined || first === undefined) return undefined;
  const value = `=[^;,"${BEYOND}]*+`;
  return `:[ ]${literal(first)}${value}(?:;${nameOf(wide.names)}${value})*+${END}`;
}

/** All rules on what stands in the values of single fields. */
export function insides({ params, values, optionTags }: LineRules): readonly Inside[] {
  return [...params, ...values, ...optionTags];
}

export function touching(rules: readonly Inside[], fields: readonly string[]): readonly Inside[] {
  return rules.filter((each) => each.fields.some((field) => fields.includes(field)));
}

/** The rest of a line that names none of these, but in an emergency call, or where the list takes them out (bearingParam). */
export function bearsNone({ param, names, listed }: Bearing, leniency: Leniency): string {
  const begin = heads(names).join('');
  const once = listed && leniency === 'once listed fields are gone';
  const text = `[^\\r${once ? ';' : ''}${begin}]*+`;
  const goes = `;${BLANKS}${literal(param)}${BLANKS}=${BLANKS}"[^"\\\\\\r]*+"|;`;
  const other = `(?:(?!${nameOf(names)})[${begin}]${once ? `|${goes}` : ''})`;
  return `(?(<${EMERGENCY}>)|(?=${text}(?:${other}${text})*+\\r))`;
}

/** A media type, where `*` stands for any rest of it; blanks may stand around the slash (RFC 3261 §25.1). */
export function mediaType(name: string): string {
  return literal(name.replace('*', '')).replace('/', `${BLANKS}/${BLANKS}`);
}
