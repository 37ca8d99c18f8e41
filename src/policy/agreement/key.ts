/** One key of an agreement: all that siptrust knows of it in one row, from the file to what people see. */

import type { z } from 'zod';
import type { Agreement, EkuPolicy, PrivacyMode, RevocationPolicy } from '../../trust/agreement/index.js';
import type { DocLine, Kind } from '../kinds/index.js';
import type { Material } from '../material/index.js';
import type { Site } from '../reading/index.js';

/** What an agreement that says nothing of it gets. */
export interface AgreementDefaults {
  readonly privacy: PrivacyMode;
  readonly revocation: RevocationPolicy;
  readonly eku: EkuPolicy;
}

export interface AgreementContext {
  readonly material: Material;
  readonly defaults: AgreementDefaults;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** What the reader of one key may know besides: of the same agreement, and of the policy around it. */
export interface Around extends AgreementContext {
  /** Of the agreement as a whole. */
  readonly site: Site;
  readonly name: string;
  readonly enabled: boolean;
  readonly interconnect: Agreement['interconnect'];
  /** As read: its domains are what it may assert where it says nothing else. */
  readonly domains: readonly string[];
  readonly migration: { readonly interface: string; readonly sources: readonly string[] } | undefined;
}

/** The row of a key; `Value` is what the agreement has of it once it is compiled. */
export interface Key<Value = unknown, Shape extends z.ZodType = z.ZodType, Name extends string = string> {
  /** As in the file. */
  readonly key: Name;
  /** The mechanism that it belongs to, where it means nothing to the other one. */
  readonly mechanism?: Agreement['mechanism'];
  /** What may stand there, with the words for "expected ...". */
  readonly shape: Shape;
  /** What it means, or what a missing one gets. What is wrong is reported at `site`, which is that of the key. */
  read(given: z.infer<Shape>, site: Site, around: Around): Value;
  /** How what it rests on stands at `now`: two times at which this is the same are alike to `read`. */
  ends?(value: Value, now: number): string | number;
  /** In the answer of agreement.show, where that is not the value under the key. */
  show?(value: Value): Readonly<Record<string, unknown>>;
  /** As the file says it, for what two policies say differently, where that is not the value. */
  said?(value: Value): unknown;
  readonly doc: DocLine & { readonly inner?: Readonly<Record<string, DocLine>> };
}

/** A row, with the types that follow from its shape. */
export function key<Value, Shape extends z.ZodType, const Name extends string>(
  row: Key<Value, Shape, Name>,
): Key<Value, Shape, Name> {
  return row;
}

/** A key of which nothing but its kind is known; `otherwise` where it is missing. The same kinds are those of settings. */
export function plain<Value, Shape extends z.ZodType, const Name extends string>(
  name: Name,
  of: Kind<Value, Shape>,
  otherwise: NoInfer<Value>,
  text: string,
): Key<Value, z.ZodOptional<Shape>, Name> {
  return {
    key: name,
    shape: of.shape.optional(),
    read: (given, site, { material }) => (given === undefined ? otherwise : of.read(given, site, material)),
    doc: { values: of.values, otherwise: of.said(otherwise), text },
  };
}

/** The lines of docs/policy.md about keys, in their order. */
export function* docLines(keys: readonly Key[]): Generator<readonly [path: string, line: DocLine]> {
  for (const { key: name, doc } of keys) {
    yield [`agreements[].${name}`, doc];
    for (const [inner, line] of Object.entries(doc.inner ?? {})) yield [`agreements[].${name}.${inner}`, line];
  }
}
