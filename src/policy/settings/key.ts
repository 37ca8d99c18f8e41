/** One key of `daemon:` or `defaults:`, in one row: what may stand there, what holds where nothing does, and what it is for. */

import { z } from 'zod';
import type { DocLine, Kind } from '../kinds/index.js';
import type { Material } from '../material/index.js';
import type { Site } from '../reading/index.js';

export interface Setting<Value = unknown, Shape extends z.ZodType = z.ZodType, Name extends string = string> {
  /** As in the file. */
  readonly key: Name;
  readonly kind: Kind<Value, Shape>;
  /** The value where the file says nothing. */
  readonly otherwise: Value;
  readonly doc: DocLine & { readonly inner?: Readonly<Record<string, DocLine>> };
}

export interface Group<Rows = SettingRows, Name extends string = string> {
  readonly key: Name;
  readonly rows: Rows;
  readonly doc: DocLine;
}

/** Rows by the name that their value has in the settings. */
export interface SettingRows {
  readonly [field: string]: Setting | Group;
}

/** Words of docs/policy.md that do not follow from kind and default. */
type Words = Omit<Setting['doc'], 'text'>;

/** The row of a key. */
export function setting<Value, Shape extends z.ZodType, const Name extends string>(
  key: Name,
  of: Kind<Value, Shape>,
  otherwise: NoInfer<Value>,
  text: string,
  words: Words = {},
): Setting<Value, Shape, Name> {
  return { key, kind: of, otherwise, doc: { values: of.values, otherwise: of.said(otherwise), text, ...words } };
}

/** The row of a mapping, with the rows of its keys. */
export function group<Rows extends SettingRows, const Name extends string>(
  key: Name,
  text: string,
  rows: Rows,
): Group<Rows, Name> {
  return { key, rows, doc: { values: 'mapping', text } };
}

/** What rows become once the file is read. */
export type ValuesOf<Rows> = {
  readonly [Field in keyof Rows]: Rows[Field] extends Group<infer Inner>
    ? ValuesOf<Inner>
    : Rows[Field] extends Setting<infer Value>
      ? Value
      : never;
};

type ShapesOf<Rows extends SettingRows> = {
  readonly [Field in keyof Rows as Rows[Field]['key']]: z.ZodOptional<
    Rows[Field] extends Group<infer Inner extends SettingRows>
      ? z.ZodObject<ShapesOf<Inner>, z.core.$strict>
      : Rows[Field] extends Setting<unknown, infer Shape>
        ? Shape
        : never
  >;
};

/** The mapping of the file that rows are about: each key may be missing, and nothing else may stand there. */
export function schemaOf<Rows extends SettingRows>(rows: Rows) {
  // Each key has the shape of its own row.
  return z.strictObject(shapesOf(rows) as ShapesOf<Rows>);
}

function shapesOf(rows: SettingRows): Readonly<Record<string, z.ZodType>> {
  const shapes = Object.values(rows).map((row) => {
    const shape: z.ZodType = 'rows' in row ? z.strictObject(shapesOf(row.rows)) : row.kind.shape;
    return [row.key, shape.optional()] as const;
  });
  return Object.fromEntries(shapes);
}

/** A mapping that is as `schemaOf` says, read row by row; `site` is its own. */
export function readRows<Rows extends SettingRows>(
  rows: Rows,
  input: Readonly<Record<string, unknown>> | undefined,
  site: Site,
  material: Material,
): ValuesOf<Rows> {
  return eachRow(rows, input, (row, given, path) =>
    given === undefined ? row.otherwise : row.kind.read(given, site.at(...path), material),
  );
}

/** What holds where the file says nothing. */
export function otherwiseOf<Rows extends SettingRows>(rows: Rows): ValuesOf<Rows> {
  return eachRow(rows, undefined, ({ otherwise }) => otherwise);
}

type ReadRow = (row: Setting, given: unknown, path: readonly string[]) => unknown;

function eachRow<Rows extends SettingRows>(
  rows: Rows,
  input: unknown,
  read: ReadRow,
  above: readonly string[] = [],
): ValuesOf<Rows> {
  const values = Object.entries(rows).map(([field, row]) => {
    const given: unknown = input === undefined ? undefined : Reflect.get(Object(input), row.key);
    const path = [...above, row.key];
    return [field, 'rows' in row ? eachRow(row.rows, given, read, path) : read(row, given, path)];
  });
  // Each field is what its own row reads.
  return Object.fromEntries(values) as ValuesOf<Rows>;
}

/** The lines of docs/policy.md about rows, in their order. */
export function* docLines(rows: SettingRows, above: string): Generator<readonly [path: string, line: DocLine]> {
  for (const row of Object.values(rows)) {
    const path = `${above}.${row.key}`;
    yield [path, row.doc];
    if ('rows' in row) yield* docLines(row.rows, path);
    else for (const [inner, line] of Object.entries(row.doc.inner ?? {})) yield [`${path}${inner}`, line];
  }
}
