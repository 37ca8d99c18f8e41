/** What is wrong with a policy: one finding with its place in a file, and the list that a check fills. */

type Severity = 'error' | 'warning';

/** Every kind of finding. An error keeps the policy from being used; a warning does not. */
export const PROBLEM_CODES = {
  // The file.
  unreadable: 'error',
  'unsafe-mode': 'error',
  'unsafe-directory': 'warning',
  'too-large': 'error',
  'bad-encoding': 'error',
  'empty-file': 'error',
  'no-match': 'warning',
  // The YAML.
  'bad-yaml': 'error',
  'duplicate-key': 'error',
  'too-complex': 'error',
  // The shape.
  'unknown-key': 'error',
  'missing-key': 'error',
  'misplaced-key': 'error',
  'wrong-type': 'error',
  'bad-value': 'error',
  // Single values.
  'bad-name': 'error',
  'bad-domain': 'error',
  'bad-address': 'error',
  'bad-prefix': 'error',
  'bad-port': 'error',
  'bad-date': 'error',
  'bad-number': 'error',
  'bad-pin': 'error',
  'bad-certificate': 'error',
  'bad-crl': 'error',
  'bad-key': 'error',
  'header-rule': 'error',
  // One part against another.
  'duplicate-name': 'error',
  'duplicate-domain': 'error',
  'duplicate-source': 'error',
  'duplicate-target': 'error',
  'duplicate-listen': 'error',
  'own-domain': 'error',
  'unknown-interface': 'error',
  'null-on-shared': 'error',
  'no-anchors': 'error',
  'no-pins': 'error',
  'remote-listener': 'error',
  'no-tls': 'error',
  'no-credentials': 'error',
  'no-listener': 'error',
  // What works, but wants a look.
  'repeated-value': 'warning',
  'no-effect': 'warning',
  'no-own-domains': 'warning',
  'broad-assertion': 'warning',
  'lent-assertion': 'warning',
  'wide-source': 'warning',
  'overlapping-source': 'warning',
  'shared-interface': 'warning',
  'exposed-interface': 'warning',
  'null-encryption': 'warning',
  'stack-advisory': 'warning',
  'wildcard-name': 'warning',
  'certificate-expired': 'warning',
  'certificate-not-yet-valid': 'warning',
  'not-a-ca': 'warning',
  'unfit-ca': 'warning',
  'crl-expired': 'warning',
  'crl-unsigned': 'warning',
  'no-status': 'warning',
  'agreement-ended': 'warning',
  'agreement-ends-soon': 'warning',
} as const satisfies Record<string, Severity>;

export type ProblemCode = keyof typeof PROBLEM_CODES;

/** A key path: names of keys and indexes of lists. */
export type KeyPath = readonly (string | number)[];

/** A place in a file; line and column count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface Problem extends Place {
  readonly severity: Severity;
  readonly code: ProblemCode;
  /** As in `agreements[2].anchors.client[0]`; empty where the file as a whole is meant. */
  readonly path: string;
  /** Names the subject, what was expected and what was found. */
  readonly message: string;
}

/** `file:line:column: error: path: message`, the form that editors and people follow. */
export function formatProblem(problem: Problem): string {
  const subject = problem.path === '' ? '' : `${problem.path}: `;
  return `${formatPlace(problem)}: ${problem.severity}: ${subject}${problem.message}`;
}

/** `file:line:column`. */
export function formatPlace({ file, line, column }: Place): string {
  return `${file}:${line}:${column}`;
}

/** `agreements[2].headers["History Info"].in`; keys that are no plain word stand quoted. */
export function formatPath(path: KeyPath): string {
  return path
    .map((step, at) => {
      if (typeof step === 'number') return `[${step}]`;
      if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(step)) return `[${JSON.stringify(step)}]`;
      return at === 0 ? step : `.${step}`;
    })
    .join('');
}

/** More than this says no more to people, and a file can hold a million mistakes. */
const MOST_PROBLEMS = 1000;

/** A finding as it was said, to say it again. */
export interface Said {
  readonly code: ProblemCode;
  readonly place: Place;
  readonly path: KeyPath;
  readonly message: string;
}

/** The findings of one check, or of several one after the other, kept in order of file and place. */
export class Problems {
  #found: { readonly problem: Problem; readonly order: number }[] = [];
  #files = new Map<string, number>();
  #errors = 0;
  #listening: Said[] | undefined;
  readonly #most: number;

  /** @param most how many are kept */
  constructor(most = MOST_PROBLEMS) {
    this.#most = most;
  }

  get failed(): boolean {
    return this.#errors > 0;
  }

  /** Begins another check: nothing was found yet. Places that are remembered from the one before report to this one. */
  begin(): this {
    this.#found = [];
    this.#files = new Map();
    this.#errors = 0;
    return this;
  }

  /** `place` is only asked for where the finding is kept: to find it may take a walk through the file. */
  add(code: ProblemCode, place: () => Place, path: KeyPath, message: string): void {
    const severity = PROBLEM_CODES[code];
    this.#listening?.push({ code, place: place(), path, message });
    if (severity === 'error') this.#errors++;
    // The first error is kept in any case: a policy that fails has to say why.
    if (this.#found.length >= this.#most && (severity === 'warning' || this.#errors > 1)) return;
    const { file, line, column } = place();
    const order = this.#files.get(file) ?? this.#files.size;
    this.#files.set(file, order);
    this.#found.push({ order, problem: { file, line, column, severity, code, path: formatPath(path), message } });
  }

  /** Does some checks, and gives what they said beside what they made. */
  during<T>(check: () => T): { readonly value: T; readonly said: readonly Said[] } {
    const said: Said[] = [];
    this.#listening = said;
    try {
      return { value: check(), said };
    } finally {
      this.#listening = undefined;
    }
  }

  again(said: readonly Said[]): void {
    for (const { code, place, path, message } of said) this.add(code, () => place, path, message);
  }

  /** Sorted by file in order of first mention, line and column. */
  list(): readonly Problem[] {
    const sorted = [...this.#found].sort(
      (a, b) => a.order - b.order || a.problem.line - b.problem.line || a.problem.column - b.problem.column,
    );
    return Object.freeze(sorted.map(({ problem }) => Object.freeze(problem)));
  }
}
