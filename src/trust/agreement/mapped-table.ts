import type { Agreement } from './agreement.js';
import type { AgreementTable } from './agreements.js';

/** A table as it would be with other agreements, each made when it is asked for: of 100,000 few are. */
export class MappedTable implements AgreementTable {
  readonly #table: AgreementTable;
  readonly #map: (agreement: Agreement) => Agreement;

  constructor(table: AgreementTable, map: (agreement: Agreement) => Agreement) {
    this.#table = table;
    this.#map = map;
  }

  get size(): number {
    return this.#table.size;
  }

  get(name: string): Agreement | undefined {
    const agreement = this.#table.get(name);
    return agreement === undefined ? undefined : this.#map(agreement);
  }

  has(name: string): boolean {
    return this.#table.has(name);
  }
}
