/** What two policies say differently, agreement by agreement and key by key. No traffic is needed, and none is judged. */

import type { Agreements, Interface, Snapshot } from '../../trust/agreement/index.js';
import { entryAt, present } from '../../typed.js';
import { saidAgreement } from '../agreement/index.js';
import type { DaemonSettings } from '../settings/index.js';

export interface Policy {
  readonly snapshot: Snapshot;
  readonly settings: DaemonSettings;
}

/** One key that differs; `before` or `after` is empty where it was not there or said nothing. */
export interface PolicyDifference {
  /** `agreement op-b`, `interface za`, `defaults`, `daemon`. */
  readonly subject: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** As in the file (docs/policy.md); empty where the subject as a whole was added or removed. */
  readonly key: string;
  /** Of a list, only the entries that the other one lacks, unless the order alone differs. */
  readonly before: string;
  readonly after: string;
}

/** What differs from `before` to `after`, as compiled: what a default gives counts as said. */
export function policyDifferences(before: Policy, after: Policy): readonly PolicyDifference[] {
  return [...differences(before, after)].filter((step) => step !== undefined);
}

export interface SomeDifferences {
  readonly rows: readonly PolicyDifference[];
  /** There are more than were asked for. */
  readonly more: boolean;
}

/** The first so many differences, in steps: yields now and then, so that verdicts get through in between. */
export function* policyDifferencesInSteps(
  before: Policy,
  after: Policy,
  most: number,
): Generator<undefined, SomeDifferences> {
  const rows: PolicyDifference[] = [];
  for (const step of differences(before, after)) {
    if (step === undefined) yield;
    else if (rows.length === most) return { rows, more: true };
    else rows.push(step);
  }
  return { rows, more: false };
}

/** One after the other; undefined between two subjects. */
function* differences(before: Policy, after: Policy): Generator<PolicyDifference | undefined> {
  yield* named('agreement', before.snapshot.agreements, after.snapshot.agreements, saidAgreement);
  yield* named('interface', new InterfaceList(before), new InterfaceList(after));
  yield* keys('policy', own(before.snapshot), own(after.snapshot));
  yield* keys('defaults', defaults(before.snapshot), defaults(after.snapshot));
  yield* keys('daemon', before.settings, after.settings);
}

function own({ ownDomains, ownCertificates }: Snapshot): object {
  return { ownDomains: [...ownDomains], ownCertificates };
}

/** What agreements do not bear themselves. */
function defaults({ privacy, skew, crlGrace, ocsp, verdictTtl }: Snapshot): object {
  const seconds = (ms: number) => ms / 1000;
  return {
    privacy,
    skew: seconds(skew),
    crlGrace: seconds(crlGrace),
    ocspMaxAge: seconds(ocsp.maxAge),
    ocspNonce: ocsp.nonceRequired ? 'required' : 'optional',
    ttl: verdictTtl,
  };
}

/** Parts by their numbers, and their numbers by their names. Of parts that say the same nothing more is asked. */
type Parts<T, P> = Pick<Agreements, 'length' | 'nameOf' | 'numberOf'> & {
  at(number: number): T | undefined;
  same(number: number, other: P, otherNumber: number): boolean;
};

class InterfaceList implements Parts<Interface, InterfaceList> {
  readonly #interfaces: readonly Interface[];
  readonly #numbers: ReadonlyMap<string, number>;

  constructor({ snapshot: { interfaces } }: Policy) {
    this.#interfaces = interfaces;
    this.#numbers = new Map(interfaces.map(({ name }, number) => [name, number]));
  }

  get length(): number {
    return this.#interfaces.length;
  }

  at(number: number): Interface | undefined {
    return this.#interfaces[number];
  }

  nameOf(number: number): string {
    return entryAt(this.#interfaces, number).name;
  }

  numberOf(name: string): number | undefined {
    return this.#numbers.get(name);
  }

  same(): boolean {
    return false;
  }
}

function* named<T extends object, P extends Parts<T, P>>(
  kind: string,
  before: P,
  after: P,
  said: (each: T) => object = (each) => each,
): Generator<PolicyDifference | undefined> {
  for (let at = 0; at < before.length; at++) {
    yield;
    // Mostly it stands where it stood.
    if (at < after.length && before.same(at, after, at)) continue;
    const name = before.nameOf(at);
    const subject = `${kind} ${name}`;
    const place = after.numberOf(name);
    if (place === undefined) yield { subject, change: 'removed', key: '', before: '', after: '' };
    else if (!before.same(at, after, place))
      yield* keys(subject, said(entryOf(before, at)), said(entryOf(after, place)));
  }
  for (let at = 0; at < after.length; at++) {
    yield;
    const name = after.nameOf(at);
    if (before.numberOf(name) === undefined)
      yield { subject: `${kind} ${name}`, change: 'added', key: '', before: '', after: '' };
  }
}

function entryOf<T>(parts: { at(number: number): T | undefined }, number: number): T {
  return present(parts.at(number), `part ${number}`);
}

function keys(subject: string, before: object, after: object): readonly PolicyDifference[] {
  const [old, next] = [leaves(before), leaves(after)];
  return [...new Set([...old.keys(), ...next.keys()])].flatMap((key) => {
    const [from, to] = [old.get(key) ?? [], next.get(key) ?? []];
    if (from.join('\n') === to.join('\n')) return [];
    const change = from.length === 0 ? 'added' : to.length === 0 ? 'removed' : 'changed';
    const [fromSet, toSet] = [new Set(from), new Set(to)];
    const gone = from.filter((each) => !toSet.has(each));
    const come = to.filter((each) => !fromSet.has(each));
    const reordered = gone.length === 0 && come.length === 0;
    const words = (all: readonly string[]) => all.join(', ');
    return [{ subject, change, key, before: words(reordered ? from : gone), after: words(reordered ? to : come) }];
  });
}

/** Each key with what it says, one text for each entry of a list. */
function leaves(value: object): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  walk(value, '', found);
  return found;
}

function walk(value: object, path: string, found: Map<string, readonly string[]>): void {
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  for (const [key, inner] of entries) {
    const at = path === '' ? fileKey(key) : `${path}.${fileKey(key)}`;
    if (isMapping(inner)) walk(inner, at, found);
    else found.set(at, texts(inner));
  }
}

/** A mapping of the file; certificates, prefixes and their like are values. */
function isMapping(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !isList(value) && text(value) === undefined;
}

function isList(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value && !(value instanceof Map);
}

function texts(value: unknown): readonly string[] {
  if (value === undefined) return [];
  if (isList(value)) return [...value].flatMap(texts);
  return [text(value) ?? (typeof value === 'object' ? JSON.stringify(value) : String(value))];
}

/** Digits of a SHA-256 that tell certificates apart for people. */
const SHORT = 16;

/** A value of several fields in the words of the file. */
function text(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if ('subjectText' in value && 'sha256' in value)
    return `${value.subjectText} (SHA-256 ${String(value.sha256).slice(0, SHORT)})`;
  if ('issuerText' in value && 'sha256' in value)
    return `CRL of ${value.issuerText} (SHA-256 ${String(value.sha256).slice(0, SHORT)})`;
  if ('text' in value && typeof value.text === 'string') return value.text;
  if ('address' in value && 'port' in value && Object.keys(value).length === 2) {
    const address = String(value.address);
    return `${address.includes(':') ? `[${address}]` : address}:${String(value.port)}`;
  }
  return undefined;
}

/** `requireTls` -> `require_tls`; names of header fields are lower-case already. */
function fileKey(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
