/** Agreements of a test as they are, in place of a policy that was packed. */

import type { Agreement } from '../../src/trust/agreement/agreement.js';
import {
  type Agreements,
  type AuthorityTable,
  authoritiesOf,
  type Material,
  type Terms,
} from '../../src/trust/agreement/agreements.js';
import { entryAt } from '../../src/typed.js';

class PlainAgreements implements Agreements {
  readonly #all: readonly Agreement[];
  readonly #numbers: ReadonlyMap<string, number>;

  constructor(all: readonly Agreement[]) {
    this.#all = all;
    this.#numbers = new Map(all.map(({ name }, number) => [name, number]));
  }

  get length(): number {
    return this.#all.length;
  }

  at(number: number): Agreement | undefined {
    return this.#all[number];
  }

  nameOf(number: number): string {
    return entryAt(this.#all, number).name;
  }

  numberOf(name: string): number | undefined {
    return this.#numbers.get(name);
  }

  same(number: number, other: Agreements, otherNumber: number): boolean {
    return this.#all[number] === other.at(otherNumber);
  }

  slice(from: number, to: number): readonly Agreement[] {
    return this.#all.slice(from, to);
  }

  [Symbol.iterator](): Iterator<Agreement> {
    return this.#all.values();
  }

  termsOf(number: number): Terms {
    return entryAt(this.#all, number);
  }

  shared(): Iterable<readonly [Terms, Material]> {
    return this.#all.map((each) => [each, each]);
  }

  where(holds: (terms: Terms, material: Material) => boolean): Iterable<Agreement> {
    return this.#all.filter((each) => holds(each, each));
  }
}

export function plainAgreements(...all: readonly Agreement[]): Agreements {
  return new PlainAgreements(all);
}

export function plainAuthorities(agreements: readonly Agreement[]): AuthorityTable {
  return {
    named: (name) => {
      const named = agreements.flatMap(authoritiesOf).filter(({ subjectKeys }) => subjectKeys.text === name);
      return [...new Set(named)].map((certificate) => {
        const naming = agreements.filter((each) => authoritiesOf(each).includes(certificate));
        return { certificate, agreements: naming.slice(0, 2) };
      });
    },
  };
}
