/** A table as it would be with other values, each made when it is asked for: of 100,000 few are. */
export class MappedTable<V> implements ReadonlyMap<string, V> {
  readonly #table: ReadonlyMap<string, V>;
  readonly #map: (value: V) => V;

  constructor(table: ReadonlyMap<string, V>, map: (value: V) => V) {
    this.#table = table;
    this.#map = map;
  }

  get size(): number {
    return this.#table.size;
  }

  get(name: string): V | undefined {
    const value = this.#table.get(name);
    return value === undefined ? undefined : this.#map(value);
  }

  has(name: string): boolean {
    return this.#table.has(name);
  }

  *entries(): MapIterator<[string, V]> {
    for (const [name, value] of this.#table) yield [name, this.#map(value)];
  }

  keys(): MapIterator<string> {
    return this.#table.keys();
  }

  *values(): MapIterator<V> {
    for (const value of this.#table.values()) yield this.#map(value);
  }

  [Symbol.iterator](): MapIterator<[string, V]> {
    return this.entries();
  }

  forEach(call: (value: V, name: string, table: ReadonlyMap<string, V>) => void): void {
    for (const [name, value] of this) call(value, name, this);
  }
}
