/** A method of the RPC interface: a row of the method table, its params checked once on the way in. */

import type { z } from 'zod';
import type { Role } from '../../policy/settings/index.js';
import { shortened } from '../../printable.js';
import { RpcError } from './errors.js';

export type Wire = 'tcp' | 'unix' | 'http' | 'https' | 'fifo';

/** Where a request came from. */
export interface CallContext {
  readonly wire: Wire;
  /** The other end, for the log: `127.0.0.1:40222`, or the path of a socket. */
  readonly peer: string;
  /** What the wire grants by itself, or what a credential has proved. */
  readonly role: Role;
  /** The credential: `token noc`, `certificate noc`; absent: none was needed. */
  readonly credential?: string;
  /** Whom a local client says that it works for; on the word of the client alone. */
  readonly claimed?: string;
  /** Told when a method was refused for want of a role. */
  readonly onForbidden?: () => void;
}

/**
 * A result that is JSON already. Writing a verdict out costs more than looking it up, so a method whose results repeat
 * keeps them in this form. The text must be valid JSON: it goes into the response as it is. `value`: the same as a value,
 * for a wire that writes it otherwise.
 */
export class JsonText {
  constructor(
    readonly text: string,
    readonly value: () => unknown = () => JSON.parse(text),
  ) {}

  toJSON(): unknown {
    return this.value();
  }
}

export interface Method {
  readonly name: string;
  /** One line for the reference. */
  readonly doc: string;
  /** The least role that may ask it. Every method that changes something is an operator's. */
  readonly role: Role;
  /** Schema of the params as an object. */
  readonly params: z.ZodType;
  /** Names of the params that an array gives by position; `kamctl rpc agreement.show op-b` sends `["op-b"]`. */
  readonly positional: readonly string[];
  /**
   * Checks the params and runs the handler, whose result is any JSON value, a JsonText, or a promise of either.
   * Answered in the same turn unless it is a promise.
   * @throws {RpcError} invalid-params, or what the handler throws
   */
  call(params: unknown, context: CallContext): unknown;
}

export interface MethodDefinition<Params extends z.ZodType> {
  readonly name: string;
  readonly doc: string;
  readonly role: Role;
  readonly params: Params;
  readonly positional?: readonly string[];
  /** Gives the outcome of an earlier check of the same params, or that of `check`. */
  readonly repeated?: { checked(params: unknown, check: () => z.output<Params>): z.output<Params> };
  readonly handler: (params: z.output<Params>, context: CallContext) => unknown;
}

/** What is wrong with one param; sent as a row of the error's data. */
export interface ParamIssue {
  /** `tls.verified`; empty: the params as a whole. */
  readonly path: string;
  readonly expected: string;
  readonly found: string;
}

/**
 * Builds a method whose handler gets its params with the type of the schema.
 * @throws {RpcError} by the method that is built, where params do not fit
 */
export function defineMethod<Params extends z.ZodType>(definition: MethodDefinition<Params>): Method {
  const { name, doc, role, params: schema, positional = [], repeated, handler } = definition;
  function checked(named: unknown): z.output<Params> {
    // Asking for the inputs of issues makes every check several times slower: only a failed one is done again.
    const parsed = schema.safeParse(named);
    if (parsed.success) return parsed.data;
    const issues = schema.safeParse(named, { reportInput: true }).error?.issues ?? parsed.error.issues;
    throw new RpcError('invalid-params', issues.slice(0, MOST_ISSUES).flatMap(paramIssues).slice(0, MOST_ISSUES));
  }
  return Object.freeze({
    name,
    doc,
    role,
    params: schema,
    positional: Object.freeze([...positional]),
    call: (params: unknown, context: CallContext): unknown => {
      const named = byName(params, positional);
      return handler(repeated?.checked(named, () => checked(named)) ?? checked(named), context);
    },
  });
}

/** No method knows half as many; each one that it does not know costs work. */
export const MOST_PARAMS = 100;
/** Rows of an error: whoever sent so much knows by then. */
const MOST_ISSUES = 20;

/** JSON-RPC 2.0 §4.2: absent, by position or by name; the handlers see names alone. */
function byName(params: unknown, positional: readonly string[]): unknown {
  if (params === undefined) return {};
  if (!Array.isArray(params)) {
    const count = typeof params === 'object' && params !== null ? Object.keys(params).length : 0;
    if (count <= MOST_PARAMS) return params;
    const issue = { path: '', expected: `at most ${MOST_PARAMS} params`, found: String(count) };
    throw new RpcError('invalid-params', [issue]);
  }
  if (params.length > positional.length) {
    const names = positional.length === 0 ? '' : ` (${positional.join(', ')})`;
    const issue = {
      path: '',
      expected: `at most ${positional.length} params by position${names}`,
      found: String(params.length),
    };
    throw new RpcError('invalid-params', [issue]);
  }
  return Object.fromEntries(params.map((value, index) => [positional[index] ?? '', value]));
}

/** What is wrong with params, by name; the check must have been told to report the input. */
export function paramIssues(issue: z.core.$ZodIssue): ParamIssue[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.slice(0, MOST_ISSUES).map((key) => ({
      path: pathText([...issue.path, key.slice(0, LONGEST_FOUND)]),
      expected: 'no param of this name',
      found: found(issue.input?.[key]),
    }));
  }
  const meant = issue.code === 'invalid_union' ? formMeant(issue.errors) : undefined;
  if (meant) return meant.flatMap((each) => paramIssues({ ...each, path: [...issue.path, ...each.path] }));
  return [{ path: pathText(issue.path), expected: expected(issue), found: found(issue.input) }];
}

/** Of several forms of named params the one that knows most of those that are there; undefined: there is none, but kinds of one value. */
function formMeant(forms: readonly z.core.$ZodIssue[][]): readonly z.core.$ZodIssue[] | undefined {
  const unknown = (issues: readonly z.core.$ZodIssue[]) =>
    issues.reduce((count, issue) => count + (issue.code === 'unrecognized_keys' ? issue.keys.length : 0), 0);
  const named = forms.filter((issues) =>
    issues.every(({ code, path }) => code === 'unrecognized_keys' || path.length > 0),
  );
  return named.toSorted((one, other) => unknown(one) - unknown(other))[0];
}

function expected(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected;
    case 'invalid_value':
      return issue.values.map((value) => JSON.stringify(value)).join(' or ');
    case 'invalid_union': {
      const texts = issue.errors.flat().map(expected);
      return texts.length === 0 ? issue.message : [...new Set(texts)].join(' or ');
    }
    case 'too_small':
      return `at least ${issue.minimum}${units(issue.origin)}`;
    case 'too_big':
      return `at most ${issue.maximum}${units(issue.origin)}`;
    default:
      return issue.message;
  }
}

/** What a bound counts, of a string or a list. */
function units(origin: string): string {
  return origin === 'string' ? ' characters' : origin === 'array' ? ' entries' : '';
}

function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text === '' ? String(key) : `${text}.${String(key)}`;
  }, '');
}

const LONGEST_FOUND = 60;

/** Scalars as they are, cut short; a structure by its kind alone, which is safe at any depth. */
function found(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  // 1e400 is a number that JSON has no text for.
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? typeof value);
  return shortened(text, LONGEST_FOUND);
}
