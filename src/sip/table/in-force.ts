/** The header table as it is in force at one hook towards one kind of peer, ready to be looked up. */

import { asciiLower } from '../grammar/index.js';
import { BOUNDARY_RULES } from './boundary.js';
import { rulesFor } from './effective.js';
import {
  type Action,
  actionOf,
  type BoundaryRule,
  coversField,
  type Direction,
  type MessageClass,
  type Overrides,
  type RuleKind,
  type Stance,
} from './rules.js';

export interface RuleInForce {
  readonly rule: BoundaryRule;
  readonly action: Action;
}

type NamesByField = ReadonlyMap<string, ReadonlySet<string>>;

/** Which parameters of a field go: those named, or every one but those. */
export interface ParamsGoing {
  readonly named: ReadonlySet<string>;
  /** undefined: only the named ones go. */
  readonly allBut: ReadonlySet<string> | undefined;
}

/** The rows that are in force for one kind of message, ready to be asked by field name. */
export class RulesInForce {
  /** Lower-case names of URI parameters that go, wherever they stand. */
  readonly uriParams: ReadonlySet<string>;
  /** Keys of the fields whose URIs may embed nothing. */
  readonly barren: ReadonlySet<string>;
  /** Parameters that go out of single fields: by the key of the field, and where their value names something. */
  readonly params: { readonly byField: ReadonlyMap<string, ParamsGoing>; readonly bearing: readonly BoundaryRule[] };
  /** Values that go out of single fields, by the key of the field. */
  readonly values: NamesByField;
  readonly optionTags: readonly BoundaryRule[];
  readonly bodies: readonly RuleInForce[];
  readonly #exact = new Map<string, RuleInForce>();
  readonly #prefixes: RuleInForce[] = [];

  constructor(rules: readonly RuleInForce[]) {
    for (const found of rules) {
      if (found.rule.kind !== 'header') continue;
      const key = asciiLower(found.rule.name);
      if (key.endsWith('*')) this.#prefixes.push(found);
      // The first row decides, but one for this very method before the general one.
      else if (!this.#exact.has(key) || found.rule.methods.length > 0) this.#exact.set(key, found);
    }
    const removed = (kind: RuleKind): readonly BoundaryRule[] =>
      rules.filter(({ rule, action }) => rule.kind === kind && action === 'remove').map(({ rule }) => rule);
    this.uriParams = new Set(removed('uri-param').map(({ name }) => asciiLower(name)));
    this.barren = new Set(removed('uri-headers').flatMap(({ within }) => within));
    const params = removed('header-param');
    this.params = {
      byField: paramsByField(params.filter(({ bearing }) => bearing.length === 0)),
      bearing: params.filter(({ bearing }) => bearing.length > 0),
    };
    this.values = byField(removed('value'));
    this.optionTags = removed('option-tag');
    this.bodies = rules.filter(({ rule, action }) => rule.kind === 'body' && action !== 'keep');
  }

  /** The row that decides over the field of this key. */
  ruleOf(key: string): RuleInForce | undefined {
    return this.#exact.get(key) ?? this.#prefixes.find(({ rule }) => coversField(rule, key));
  }

  actionOf(key: string): Action | undefined {
    return this.ruleOf(key)?.action;
  }
}

function paramsByField(rules: readonly BoundaryRule[]): ReadonlyMap<string, ParamsGoing> {
  const named = byField(rules.filter(({ allBut }) => allBut.length === 0));
  const wide = new Map(
    rules.flatMap(({ allBut, within }) => (allBut.length === 0 ? [] : within.map((key) => [key, new Set(allBut)]))),
  );
  const keys = new Set([...named.keys(), ...wide.keys()]);
  return new Map([...keys].map((key) => [key, { named: named.get(key) ?? new Set(), allBut: wide.get(key) }]));
}

function byField(rules: readonly BoundaryRule[]): NamesByField {
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

/** Methods that some row speaks of. */
const SPECIAL_METHODS: ReadonlySet<string> = new Set(
  BOUNDARY_RULES.flatMap(({ methods, keptInAnswersTo }) => [...methods, ...keptInAnswersTo]),
);

/** What was compiled once, by the overrides of the agreement (which live as long as its snapshot). */
const compiled = new WeakMap<Overrides, Map<string, RulesInForce>>();

/** The rows that are in force for a message of this class and method in front of this peer. */
export function rulesInForce(
  direction: Direction,
  message: MessageClass,
  method: string,
  stance: Stance,
): RulesInForce {
  const key = [
    direction,
    message,
    SPECIAL_METHODS.has(method) ? method : '',
    stance.trusted,
    stance.interconnect,
    stance.mode,
  ].join(' ');
  const known = compiled.get(stance.overrides) ?? new Map<string, RulesInForce>();
  compiled.set(stance.overrides, known);
  const found = known.get(key);
  if (found !== undefined) return found;
  const rules = new RulesInForce(
    rulesFor(stance.overrides)
      .filter(({ applies, methods }) => applies.includes(message) && (methods.length === 0 || methods.includes(method)))
      .filter(({ keptInAnswersTo }) => message === 'request' || !keptInAnswersTo.includes(method))
      .map((rule) => ({ rule, action: actionOf(rule, direction, stance) })),
  );
  known.set(key, rules);
  return rules;
}
