/** What becomes of a candidate policy: `policy diff`, `policy candidate`, `policy promote`. */

import { chmodSync, chownSync, copyFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { type Policy, type PolicyDifference, policyDifferences } from '../policy/difference.js';
import { Refusal } from './failure.js';
import { render } from './render.js';

export interface PolicyTools {
  readonly policy: (file: string) => Policy;
  readonly ask: (method: string, params: unknown) => Promise<unknown>;
  readonly print: (answer: unknown, shown?: (answer: unknown) => string) => void;
  readonly exit: (code: number) => void;
}

export function policyCommands(group: Command, tools: PolicyTools): void {
  const { policy, ask, print, exit } = tools;
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
  group
    .command('candidate')
    .description('judge by this policy too, in the shadow, and count what would differ: policy status')
    .argument('<file>', 'policy file, which the daemon can read')
    .action(async (file: string) => print(await ask('policy.candidate', { file: resolve(file) })));
  group
    .command('promote')
    .description('put a policy in the place of the one in force; the one before stays beside it as FILE.previous')
    .argument('<file>', 'policy file')
    .option('--config <file>', 'the policy file of the daemon', '/etc/siptrust/siptrust.yaml')
    .action(async (file: string, { config }: { config: string }) => print(await promote(file, config, tools)));
}

function renderDiff(rows: readonly PolicyDifference[]): string {
  if (rows.length === 0) return 'no difference';
  return render(rows.map(({ subject, change, key, before, after }) => ({ subject, change, key, before, after })));
}

/**
 * Copies the candidate over the policy file and has the daemon read it. Where either does not take it, the file is as
 * it was. A restart of the daemon finds what is in force.
 */
async function promote(file: string, config: string, { policy, ask }: PolicyTools): Promise<object> {
  const made = join(dirname(config), '.siptrust-promoted.yaml');
  const previous = `${config}.previous`;
  const candidate = policy(file);
  const changes = policyDifferences(policy(config), candidate).length;
  try {
    copyFileSync(file, made);
    // Paths in it are relative to the file: in another directory they may lead elsewhere, or nowhere.
    const moved = policyDifferences(candidate, policy(made));
    if (moved.length > 0) {
      const [{ subject = '', key = '' } = {}] = moved;
      throw new Refusal(`${file}: expected the same policy in ${dirname(config)}, found another ${subject} ${key}`, 2);
    }
    copyFileSync(config, previous);
    replace(config, made);
  } catch (cause) {
    rmSync(made, { force: true });
    if (cause instanceof Refusal) throw cause;
    throw new Refusal(`${config} was not replaced: ${cause instanceof Error ? cause.message : String(cause)}`, 2, {
      cause,
    });
  }
  try {
    const { revision } = (await ask('agreement.reload', {})) as { readonly revision: number };
    await ask('policy.drop', {});
    return { promoted: file, config, previous, changes, revision };
  } catch (cause) {
    copyFileSync(previous, made);
    replace(config, made);
    throw cause;
  }
}

/** Puts a file in the place of another, with the owner and the mode of that one. */
function replace(config: string, made: string): void {
  const { mode, uid, gid } = statSync(config);
  chownSync(made, uid, gid);
  chmodSync(made, mode & 0o777);
  renameSync(made, config);
}
