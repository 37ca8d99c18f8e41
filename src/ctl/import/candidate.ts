/** An agreement that is about to be written, and the YAML of many. */

import { isPlainName } from '../../policy/values/index.js';

/** What a policy key may hold here. */
export type PolicyValue = string | boolean | readonly string[] | { readonly [key: string]: PolicyValue };

export interface Candidate {
  readonly name: string;
  /** Where it comes from: lines of the input, or names of files. */
  readonly from: readonly string[];
  /** Policy keys in the order in which they are written, without `name` and `enforcement`. */
  readonly keys: Readonly<Record<string, PolicyValue | undefined>>;
  /** Keys that are written as a comment: for the operator to take up. */
  readonly proposed?: Readonly<Record<string, PolicyValue>>;
}

/** The `interfaces:` entry that nds-ip agreements need. */
export interface CandidateInterface {
  readonly name: string;
  readonly listen: string;
}

export interface Writing {
  /** First lines, as comments. */
  readonly heading?: readonly string[];
  readonly interface?: CandidateInterface | undefined;
  readonly enforcement?: 'enforce' | 'monitor';
}

const MOST_ROWS = 8;

/** Where an agreement comes from, for people: the first rows of many. */
export function originOf(from: Candidate['from']): string {
  const more = from.length > MOST_ROWS ? `, and ${from.length - MOST_ROWS} more` : '';
  return from.slice(0, MOST_ROWS).join(', ') + more;
}

/** A policy file with these agreements. */
export function policyText(candidates: readonly Candidate[], { heading = [], ...rest }: Writing = {}): string {
  const { interface: entry, enforcement = 'monitor' } = rest;
  const lines = heading.map(comment);
  if (entry !== undefined) {
    lines.push('interfaces:', `  - {name: ${scalar(entry.name)}, listen: ${scalar(entry.listen)}, mechanism: nds-ip}`);
  }
  if (candidates.length > 0) lines.push('agreements:');
  for (const { name, from, keys, proposed = {} } of candidates) {
    lines.push(`  ${comment(`from ${originOf(from)}`)}`);
    lines.push(`  - name: ${scalar(name)}`);
    for (const [key, value] of Object.entries(keys)) if (value !== undefined) lines.push(`    ${key}: ${flow(value)}`);
    lines.push(`    enforcement: ${enforcement}`);
    for (const [key, value] of Object.entries(proposed)) lines.push(`    # ${key}: ${flow(value)}`);
  }
  return `${lines.join('\n')}\n`;
}

function comment(text: string): string {
  return `# ${text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, '?')}`;
}

function isWords(value: PolicyValue): value is readonly string[] {
  return Array.isArray(value);
}

/** Whether a value of a policy file is a mapping of further keys. */
export function isMapping(value: PolicyValue): value is { readonly [key: string]: PolicyValue } {
  return typeof value === 'object' && !isWords(value);
}

function flow(value: PolicyValue): string {
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return scalar(value);
  if (isWords(value)) return `[${value.map(scalar).join(', ')}]`;
  const entries = Object.entries(value);
  return `{${entries.map(([key, inner]) => `${key}: ${flow(inner)}`).join(', ')}}`;
}

/** Plain where every reader takes it for text, else in quotes: a JSON string is a YAML one. */
function scalar(text: string): string {
  const plain = /^[A-Za-z][A-Za-z0-9._/-]*$/.test(text) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(text);
  return plain || /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text) ? text : JSON.stringify(text);
}

/** Gives out names for agreements, each once whatever its case. */
export class Names {
  readonly #taken = new Set<string>();
  /** Of each base the number that is tried next: a table may have one text in all of its rows. */
  readonly #next = new Map<string, number>();

  /** The text as a plain name; with a number where another has it. */
  take(text: string): string {
    const base = plainName(text);
    const key = base.toLowerCase();
    for (let number = this.#next.get(key) ?? 1; ; number++) {
      const name = number === 1 ? base : `${base.slice(0, 58)}-${number}`;
      if (this.#taken.has(name.toLowerCase())) continue;
      this.#taken.add(name.toLowerCase());
      this.#next.set(key, number + 1);
      return name;
    }
  }
}

function plainName(text: string): string {
  if (isPlainName(text)) return text;
  const plain = text
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 64);
  return plain === '' ? 'partner' : plain;
}
