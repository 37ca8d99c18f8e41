/** `policy diff`: what two policies say differently, without traffic. */

import type { Command } from 'commander';
import { type Policy, type PolicyDifference, policyDifferences } from '../policy/difference.js';
import { render } from './render.js';

export interface PolicyTools {
  readonly policy: (file: string) => Policy;
  readonly print: (answer: unknown, shown: (answer: unknown) => string) => void;
  readonly exit: (code: number) => void;
}

export function policyDiffCommand(group: Command, { policy, print, exit }: PolicyTools): void {
  group
    .command('diff')
    .description('what two policies say differently, agreement by agreement and key by key')
    .argument('<before>', 'policy file')
    .argument('<after>', 'policy file')
    .action((before: string, after: string) => {
      const differences = policyDifferences(policy(before), policy(after));
      print(differences, (rows) => renderDiff(rows as readonly PolicyDifference[]));
      exit(differences.length > 0 ? 1 : 0);
    });
}

function renderDiff(rows: readonly PolicyDifference[]): string {
  if (rows.length === 0) return 'no difference';
  return render(rows.map(({ subject, change, key, before, after }) => ({ subject, change, key, before, after })));
}
