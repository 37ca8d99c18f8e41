/** Where in the policy a value stands: the one thing that every check needs to say what is wrong. */

import type { KeyPath, Place, ProblemCode, Problems } from './problem.js';

/** Tells the line and column of a key path. */
export interface Located {
  readonly file: string;
  locate(path: KeyPath, of: 'key' | 'value'): Place;
}

/** A key path in a document, and the list that takes what is found there. */
export class Site {
  readonly #document: Located;
  readonly #problems: Problems;
  readonly path: KeyPath;

  constructor(document: Located, problems: Problems, path: KeyPath = []) {
    this.#document = document;
    this.#problems = problems;
    this.path = path;
  }

  /** The site of something inside. */
  at(...path: KeyPath): Site {
    return new Site(this.#document, this.#problems, this.path.concat(path));
  }

  /** The file that it stands in. A place takes a second reading of that file: it is asked for where something is wrong alone. */
  get file(): string {
    return this.#document.file;
  }

  place(of: 'key' | 'value' = 'value'): Place {
    return this.#document.locate(this.path, of);
  }

  /** Says what is wrong here, at the value or, where the key itself is the matter, at the key. */
  report(code: ProblemCode, message: string, of: 'key' | 'value' = 'value'): void {
    this.#problems.add(code, () => this.place(of), this.path, message);
  }
}
