/** A policy file, and what becomes of a candidate: `policy check`, `policy diff`, `policy candidate`, `policy promote`. */

import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type LoadedPolicy, loadPolicy } from '../../policy/loading/index.js';
import { type Policy, type PolicyDifference, policyDifferences } from '../../policy/snapshot/index.js';
import { counted } from '../../printable.js';
import { PromotionError, promote } from '../../state/policy/index.js';
import { isRecord } from '../../typed.js';
import { fleetDifferences, isRevisionNumber } from '../fleet/index.js';
import { type Print, Refusal, render } from '../terminal/index.js';

const DEFAULT_CONFIG = '/etc/siptrust/siptrust.yaml';

export interface PolicyTools {
  readonly policy: (file: string) => Policy;
  readonly ask: (method: string, params: unknown) => Promise<unknown>;
  readonly print: Print;
  readonly exit: (code: number) => void;
}

/** Adds `policy check`, `diff`, `candidate` and `promote`. */
export function policyCommands(group: Command, tools: PolicyTools): void {
  const { policy, ask, print, exit } = tools;
  group
    .command('check')
    .description(
      'what is wrong with a policy file, by file, line and column, as siptrustd --check; exit code 1: it is not good',
    )
    .argument('[file]', 'policy file', DEFAULT_CONFIG)
    .action((file: string) => {
      const told = checked(loadPolicy(file, 1, Date.now()));
      print(told, () => checkText(file, told));
      if (!told.ok) exit(1);
    });
  group
    .command('diff')
    .description('what two policies say differently, agreement by agreement and key by key')
    .argument('<before>', 'policy file, or the number of a revision of the fleet')
    .argument('<after>', 'policy file, or the number of a revision of the fleet')
    .option('--config <file>', 'for revisions: a policy file whose daemon.store is that of the fleet', DEFAULT_CONFIG)
    .action(async (before: string, after: string, { config }: { config: string }) => {
      const differences = [before, after].some(isRevisionNumber)
        ? await fleetDifferences(before, after, config)
        : policyDifferences(policy(resolve(before)), policy(resolve(after)));
      print(differences, renderDiff);
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
    .option('--config <file>', 'the policy file of the daemon', DEFAULT_CONFIG)
    .action(async (file: string, { config }: { config: string }) => print(await putInPlace(file, config, tools)));
}

function checked(result: LoadedPolicy) {
  if (!result.ok) return result;
  const { snapshot, warnings } = result;
  return {
    ok: true,
    agreements: snapshot.agreements.length,
    interfaces: snapshot.interfaces.length,
    warnings,
  } as const;
}

function checkText(file: string, told: ReturnType<typeof checked>): string {
  if (!told.ok) return told.problems.join('\n');
  const { agreements, interfaces, warnings } = told;
  return [...warnings, `${file}: ok, ${counted(agreements, 'agreement')}, ${counted(interfaces, 'interface')}`].join(
    '\n',
  );
}

function renderDiff(rows: readonly PolicyDifference[]): string {
  if (rows.length === 0) return 'no difference';
  return render(rows.map(({ subject, change, key, before, after }) => ({ subject, change, key, before, after })));
}

/** The policy file that is to be replaced, which nobody may have named. */
function inForce(config: string, policy: PolicyTools['policy']): Policy {
  try {
    return policy(config);
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause;
    const which = `expected the policy file of the daemon in ${config}; --config FILE names another one`;
    throw new Refusal(`${which}\n${cause.message}`, 2, { cause });
  }
}

/** Whether two names stand for two files; of one that cannot be seen, as of a daemon in a container, nobody can tell. */
function isOther(one: string, another: string): boolean {
  try {
    const [a, b] = [statSync(one), statSync(another)];
    return a.dev !== b.dev || a.ino !== b.ino;
  } catch {
    return false;
  }
}

async function putInPlace(given: string, named: string, { policy, ask }: PolicyTools): Promise<object> {
  // Paths of a policy are relative to the file: by whole paths alone it is seen that two are the same.
  const [file, config] = [resolve(given), resolve(named)];
  const judged = policy(file);
  const changes = policyDifferences(inForce(config, policy), judged).length;
  const status = await ask('policy.status', {});
  const own = isRecord(status) && typeof status.policy_file === 'string' ? status.policy_file : config;
  if (isOther(own, config)) {
    throw new Refusal(`--config: expected the policy file of the daemon, ${own}, found ${config}`, 2);
  }
  const reload = async () => {
    const answer = await ask('agreement.reload', {});
    return { revision: Number(isRecord(answer) ? answer.revision : undefined) };
  };
  try {
    const { revision, ...rest } = await promote({ file, config, judged, load: policy, reload });
    await ask('policy.drop', {});
    return { ...rest, changes, revision };
  } catch (cause) {
    if (cause instanceof PromotionError) throw new Refusal(cause.message, 2, { cause });
    throw cause;
  }
}
