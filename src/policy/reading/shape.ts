/** Holds a value against a schema and says in words, with the place, where it differs. */

import { z } from 'zod';
import { shortened } from '../../printable.js';
import { isKeyOf } from '../../typed.js';
import { nearest } from './nearest.js';
import type { KeyPath, ProblemCode } from './problem.js';
import type { Site } from './site.js';

/** The value as the schema types it; undefined where it differs, which has been reported. */
export function checkShape<S extends z.ZodType>(schema: S, value: unknown, site: Site): z.infer<S> | undefined {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) reportIssue(issue, schema, value, site, []);
  return undefined;
}

type Issue = z.core.$ZodIssue;

function reportIssue(issue: Issue, schema: z.ZodType, root: unknown, site: Site, base: KeyPath): void {
  const path = [...base, ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))];
  const found = valueAt(root, path);
  const say = (code: ProblemCode, message: string): void => site.at(...path).report(code, message);

  switch (issue.code) {
    case 'unrecognized_keys':
      unknownKeys(issue.keys, keysAt(schema, path), site.at(...path), HOMES.get(schema));
      return;
    case 'invalid_union': {
      const branch = issue.errors.find((issues) => issues.every((inner) => !concernsWhole(inner)));
      if (branch) {
        for (const inner of branch) reportIssue(inner, schema, root, site, path);
        return;
      }
      const inner = issue.errors.flat();
      const list = inner.some((one) => one.code === 'invalid_type' && one.expected === 'array');
      const hint = list && !inner.some(({ code }) => code === 'invalid_value') ? formHint('array', found, '') : '';
      say('wrong-type', `expected ${expectedAt(schema, path)}, found ${inWords(found)}${hint}`);
      return;
    }
    case 'invalid_value': {
      const allowed = issue.values.map(String);
      const meant = allowed.length > 1 ? meantWord(found, allowed) : undefined;
      const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`;
      if (found === undefined) say('missing-key', `the key is missing: expected ${oneOf(allowed)}`);
      else say('bad-value', `expected ${oneOf(allowed)}, found ${inWords(found)}${hint}`);
      return;
    }
    case 'invalid_type': {
      const expected = expectedAt(schema, path) ?? issue.expected;
      if (found === undefined) say('missing-key', `the key is missing: expected ${expected}`);
      else
        say('wrong-type', `expected ${expected}, found ${inWords(found)}${formHint(issue.expected, found, expected)}`);
      return;
    }
    default:
      say('bad-value', `expected ${expectedAt(schema, path) ?? issue.message}, found ${inWords(found)}`);
  }
}

/** Whether an issue of one branch of a union speaks of the type of the whole value. */
function concernsWhole(issue: Issue): boolean {
  return issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value');
}

/** Of more places than this none is meant: the known keys help more. */
const MOST_HOMES = 2;

/** More unknown keys than this in one mapping are not slips of the pen. */
const MOST_UNKNOWN = 20;

/** By key, the paths at which it stands in a whole file: `skew` at `defaults.skew`. */
export type Homes = ReadonlyMap<string, readonly string[]>;
const HOMES = new WeakMap<z.ZodType, Homes>();

/** From here on an unknown key of one of these sections that is known elsewhere is told where it belongs; at the root, by what is returned. */
export function tellHomes(sections: Readonly<Record<string, z.ZodType>>): Homes {
  const homes = new Map<string, string[]>();
  for (const [name, section] of Object.entries(sections)) {
    collectHomes(section, homes, LISTS.has(name) ? `${name}[]` : name);
    HOMES.set(section, homes);
  }
  return homes;
}

/** Sections whose schema is that of an entry. */
const LISTS: ReadonlySet<string> = new Set(['agreements', 'interfaces']);

function collectHomes(schema: z.core.$ZodType, homes: Map<string, string[]>, path: string): void {
  if (schema instanceof z.ZodOptional) collectHomes(schema.unwrap(), homes, path);
  if (schema instanceof z.ZodUnion) for (const option of schema.options) collectHomes(option, homes, path);
  if (schema instanceof z.ZodArray) collectHomes(schema.element, homes, `${path}[]`);
  if (!(schema instanceof z.ZodObject)) return;
  for (const [key, inner] of Object.entries(schema.shape)) {
    homes.set(key, [...(homes.get(key) ?? []), `${path}.${key}`]);
    collectHomes(inner, homes, `${path}.${key}`);
  }
}

/** Says of keys of the mapping at `site` that they are unknown, and which were probably meant. */
export function unknownKeys(keys: readonly string[], known: readonly string[], site: Site, homes?: Homes): void {
  for (const key of keys.slice(0, MOST_UNKNOWN)) {
    const meant = nearest(key, known);
    const home = homes?.get(key);
    const others =
      meant !== undefined
        ? `did you mean "${meant}"?`
        : home !== undefined && home.length <= MOST_HOMES
          ? `it belongs elsewhere: ${home.join(', ')}`
          : `known keys: ${known.join(', ')}`;
    const hint =
      key === '<<' ? 'keys are not merged: write them out; what many share can stand under defaults' : others;
    site.at(key).report('unknown-key', `the key is unknown (${hint})`, 'key');
  }
  if (keys.length > MOST_UNKNOWN) site.report('unknown-key', `${keys.length - MOST_UNKNOWN} more keys are unknown`);
}

/** Words that YAML 1.1, or a switch of another kind, has for the same. */
const SWITCHES: readonly (readonly string[])[] = [
  ['true', 'on', 'yes'],
  ['false', 'off', 'no'],
];

/** The word of `allowed` that was probably meant. */
function meantWord(found: unknown, allowed: readonly string[]): string | undefined {
  if (typeof found !== 'string' && typeof found !== 'boolean') return undefined;
  const word = String(found).toLowerCase();
  const same = SWITCHES.find((words) => words.includes(word));
  return allowed.find((one) => same?.includes(one)) ?? nearest(word, allowed);
}

function oneOf(allowed: readonly string[]): string {
  return allowed.length === 1 ? `${allowed[0]}` : `one of ${allowed.join(', ')}`;
}

/** A value for people: short, on one line, and its type where that is the matter. */
export function inWords(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value !== 'string') return `${typeof value} ${String(value)}`;
  if (value === '') return 'empty text';
  return JSON.stringify(shortened(value));
}

/**
 * How to write what was probably meant: a list of one, and in quotes numbers, true and false and odd addresses. A number is
 * no address or mode in quotes either: where the words hold an example, that is the hint.
 */
function formHint(expected: string, found: unknown, words: string): string {
  if (expected === 'array' && typeof found === 'string' && /^[\w.:/-]{1,60}$/.test(found))
    return ` (a list of one is written [${found}])`;
  if (expected === 'boolean') {
    const meant = meantWord(found, ['true', 'false']);
    if (meant === undefined) return '';
    return found === meant ? ` (without quotes: ${meant})` : ` (did you mean ${meant}?)`;
  }
  if (expected === 'number' && typeof found === 'string' && /^[0-9]{1,15}$/.test(found)) {
    return ` (without quotes: ${Number(found)})`;
  }
  if (expected !== 'string') return '';
  if (typeof found === 'number' && words.includes(', as in ')) return '';
  if (typeof found === 'number' || typeof found === 'boolean') return ` (text like this needs quotes: "${found}")`;
  return typeof found === 'object' && !Array.isArray(found) && found !== null ? ' (a ":" in text needs quotes)' : '';
}

function valueAt(root: unknown, path: KeyPath): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Reflect.get(value, step);
  }
  return value;
}

/** The schemas that a key path leads to; several where a union stands on the way. */
function schemasAt(schema: z.core.$ZodType, path: KeyPath): readonly z.ZodType[] {
  if (!(schema instanceof z.ZodType)) return [];
  if (schema instanceof z.ZodOptional) return schemasAt(schema.unwrap(), path);
  if (schema instanceof z.ZodUnion) {
    const branches = schema.options.flatMap((option) => schemasAt(option, path));
    return path.length === 0 ? [schema, ...branches] : branches;
  }
  const [step, ...rest] = path;
  if (step === undefined) return [schema];
  if (schema instanceof z.ZodObject) {
    const { shape } = schema;
    return isKeyOf(shape, step) ? schemasAt(shape[step], rest) : [];
  }
  if (schema instanceof z.ZodArray) return typeof step === 'number' ? schemasAt(schema.element, rest) : [];
  if (schema instanceof z.ZodRecord) return schemasAt(schema.valueType, rest);
  return [];
}

function keysAt(schema: z.ZodType, path: KeyPath): readonly string[] {
  return schemasAt(schema, path).flatMap((at) => (at instanceof z.ZodObject ? Object.keys(at.shape) : []));
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  array: 'a list',
  record: 'a mapping',
  string: 'text',
  boolean: 'true or false',
  number: 'a number',
};

/** With its keys, where they are no more than somebody reads. */
function mappingOf(keys: readonly string[]): string {
  return keys.length > 12 ? 'a mapping' : `a mapping {${keys.join(', ')}}`;
}

/** What the schema asks for at a key path, in words. */
function expectedAt(schema: z.ZodType, path: KeyPath): string | undefined {
  for (const at of schemasAt(schema, path)) {
    if (at.description !== undefined) return at.description;
    if (at instanceof z.ZodEnum) return oneOf(at.options.map(String));
    if (at instanceof z.ZodObject) return mappingOf(Object.keys(at.shape));
    const words = TYPE_WORDS[at.def.type];
    if (words !== undefined) return words;
  }
  return undefined;
}
