/**
 * What is known of a value and the compiler cannot tell, said in one place. Where it is a doubt, it is one at run time too:
 * an error that names what is missing, and no undefined that goes on.
 */

/** The value, which is there. @throws {Error} it is not: a mistake of ours, which must not become an answer */
export function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`expected ${what}, found none`);
  return value;
}

/** @throws {Error} the list is empty, or shorter */
export function entryAt<T>(list: { readonly [index: number]: T; readonly length: number }, index: number): T {
  const entry = list[index];
  if (entry === undefined) throw new Error(`expected an entry at ${index}, found ${list.length} entries`);
  return entry;
}

/** @throws {Error} the list is empty */
export function last<T>(list: readonly T[]): T {
  return entryAt(list, list.length - 1);
}

/** An object that is no list, whose values may be anything. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** As Array.isArray, whose entries are `any`. */
export function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

type KeyOf<Table> = keyof Table & string;

/** The keys of a table of ours: it has no others than its type says. */
export function keysOf<Table extends object>(table: Table): readonly KeyOf<Table>[] {
  return Object.keys(table).filter((key): key is KeyOf<Table> => isKeyOf(table, key));
}

/** The rows of a table of ours, with their keys. */
export function entriesOf<Table extends object>(
  table: Table,
): readonly (readonly [KeyOf<Table>, Table[KeyOf<Table>]])[] {
  return keysOf(table).map((key) => [key, table[key]] as const);
}

/** Whether a text is a key of a table of ours. */
export function isKeyOf<Table extends object>(table: Table, key: PropertyKey): key is keyof Table {
  return Object.hasOwn(table, key);
}
