/** A reload, whoever asks for it: the policy is read, and the operator log says what came of it. */

import type { OperatorLog } from './log/index.js';
import { missingApprovals } from './state/pins/index.js';
import type { ReloadReport } from './state/policy/index.js';
import type { Of } from './state/trust/index.js';
import { inSlices } from './state/work/index.js';

/** @param look looks what ends under the new policy */
export function reporter(
  log: OperatorLog,
  state: Of<'changes' | 'policy' | 'pins'>,
  look: () => Promise<void>,
): (by: string) => Promise<ReloadReport> {
  /** Who asks while the policy is being read shares the reload after that with others: it is told once. */
  const known = new WeakSet<ReloadReport>();
  return async (by) => {
    const loaded = await state.changes.reload(by);
    const again = known.has(loaded);
    known.add(loaded);
    const report = { ...loaded, warnings: [...loaded.warnings, ...(await approvalsMissing(state))] };
    if (again) return report;
    await inSlices(told(log, report));
    if (report.ok) log.info('policy loaded', { revision: report.revision, by });
    else log.error('the policy was not loaded; the last good one stays in force', { revision: report.revision, by });
    void look();
    return report;
  };
}

/** Of the policy in force: the files know of no approval. */
export async function approvalsMissing({ policy, pins }: Of<'policy' | 'pins'>): Promise<readonly string[]> {
  return pins === undefined ? [] : inSlices(missingApprovals(policy.snapshot, pins.approved));
}

/** A line for each: a policy of thousands may have as many warnings. */
function* told(log: OperatorLog, { problems, warnings }: ReloadReport): Generator<undefined, void> {
  for (const problem of problems) {
    log.error(problem);
    yield;
  }
  for (const warning of warnings) {
    log.warn(warning);
    yield;
  }
}
