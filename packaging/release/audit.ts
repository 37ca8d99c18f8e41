/** What `npm audit --json` says, against the advisories that docs/dependencies.md explains. */

import type { Problem } from './checks.js';

interface Report {
  readonly message?: string;
  readonly error?: { readonly summary?: string; readonly detail?: string };
  readonly vulnerabilities?: Readonly<
    Record<string, { readonly via?: readonly (string | { readonly url?: string; readonly title?: string })[] }>
  >;
}

const READ = 'https://docs.npmjs.com/cli/commands/npm-audit';

/** No answer is a problem, too: what was not looked at is not known to be good. */
export function auditProblems(output: string, explained: string): readonly Problem[] {
  const report = parsed(output);
  if (report?.vulnerabilities === undefined) {
    const found = report?.error?.summary || report?.message || output.trim().split('\n')[0] || 'nothing';
    return [
      {
        subject: 'npm audit',
        expected: 'the answer of a registry that knows advisories',
        found,
        next: `ask again where such a registry can be reached (${READ}), or say AUDIT=skip: then the release says that it was not checked`,
      },
    ];
  }
  return Object.entries(report.vulnerabilities).flatMap(([name, { via = [] }]) =>
    via.flatMap((each) => {
      // A text names another package of this list, by which it is reached.
      if (typeof each === 'string') return [];
      const id = each.url?.match(/GHSA-[\w-]+/)?.[0] ?? each.url ?? 'an advisory without a number';
      if (explained.includes(id)) return [];
      return [
        {
          subject: `npm audit, ${name}`,
          expected: 'no advisory, or one that docs/dependencies.md explains',
          found: `${id}: ${each.title ?? 'no title'}`,
          next: `npm update ${name}; or a row with ${id} in docs/dependencies.md that says why it does no harm here`,
        },
      ];
    }),
  );
}

function parsed(output: string): Report | undefined {
  try {
    return JSON.parse(output) as Report;
  } catch {
    return undefined;
  }
}
