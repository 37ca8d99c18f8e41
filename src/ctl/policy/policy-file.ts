/** Answers from a policy file, without a daemon. */

import { loadPolicy } from '../../policy/loading/index.js';
import { RpcError } from '../../rpc/dispatch/index.js';
import { offlineAnswer, offlineAnswers } from '../../rpc/listeners/index.js';
import { Pins } from '../../state/pins/index.js';
import { PolicyHolder } from '../../state/policy/index.js';
import { readSqliteStore, StoreError } from '../../state/store/index.js';
import { errorWording } from '../daemon/index.js';
import { Refusal } from '../terminal/index.js';

/**
 * The policy of a file.
 * @throws {Refusal} it has an error
 */
export function openPolicy(file: string): PolicyHolder {
  const policy = PolicyHolder.open((revision, now) => loadPolicy(file, revision, now), Date.now());
  if ('problems' in policy) throw new Refusal(`the policy is not good\n${policy.problems.join('\n')}`, 2);
  return policy;
}

/** Answers one record after the other, as the daemon would under this policy. */
export function configAnswers(file: string, method: string): (record: unknown) => unknown {
  const policy = openPolicy(file);
  return offlineAnswers(policy, method, approvedPins(policy.settings.state.file));
}

/**
 * Answers a question of the operator.
 * @throws {Refusal} an error as answer
 */
export async function configAnswer(file: string, method: string, params: unknown): Promise<unknown> {
  const policy = openPolicy(file);
  try {
    return await offlineAnswer(policy, method, params, approvedPins(policy.settings.state.file));
  } catch (cause) {
    if (cause instanceof RpcError) throw new Refusal(`${file}: ${errorWording(cause)}`, 1, { cause });
    throw cause;
  }
}

/**
 * What operators approved, as the daemon's state file has it; what is seen here is kept nowhere.
 * @throws {Refusal} the file cannot be read
 */
export function approvedPins(file: string | undefined): Pins | undefined {
  if (file === undefined) return undefined;
  try {
    const stored = readSqliteStore(file);
    const most = stored?.pins.length ?? 0;
    return stored && new Pins(stored, undefined, { most, clock: Date.now, log: { warn: () => {}, info: () => {} } });
  } catch (cause) {
    if (cause instanceof StoreError) throw new Refusal(cause.message, 2, { cause });
    throw cause;
  }
}
