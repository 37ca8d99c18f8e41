import { z } from 'zod';
import type { DifferenceRow } from '../../state/differences.js';
import { PolicyThread } from '../../state/policy-thread.js';
import type { TrustState } from '../../state/trust-state.js';
import { RpcError } from '../errors.js';
import { defineMethod, type Method } from '../method.js';

/** A candidate policy in the running daemon: judged by in the shadow, without an effect on any answer. */
export function policyMethods(state: TrustState): Method[] {
  return [
    defineMethod({
      name: 'policy.candidate',
      role: 'operator',
      doc: 'Judges each trust.peer also by this policy file, after its answer, and counts what would differ',
      params: z.strictObject({ file: z.string().regex(/^\//, 'an absolute path') }),
      positional: ['file'],
      handler: async ({ file }) => {
        // As large as the policy in force, and as little reason to hold up a question.
        const thread = new PolicyThread(file);
        const loaded = await thread.load(state.snapshot.revision, state.now());
        await thread.close();
        if (!loaded.ok) throw new RpcError('unavailable', { problems: loaded.problems });
        state.tryCandidate(file, loaded.snapshot);
        return { file, agreements: loaded.snapshot.agreements.length, warnings: loaded.warnings };
      },
    }),
    defineMethod({
      name: 'policy.status',
      role: 'viewer',
      doc: 'The candidate policy: what was asked since it is there, and what it would have changed, by partner',
      params: z.strictObject({}),
      handler: () => {
        const status = state.candidate?.status();
        if (status === undefined) return { candidate: '' };
        const { file, since, agreements, asked, changed, waiting, leftOut, rows } = status;
        return {
          candidate: file,
          since: new Date(since).toISOString(),
          agreements,
          asked,
          changed,
          waiting,
          left_out: leftOut,
          changes: rows.map(flatDifference),
        };
      },
    }),
    defineMethod({
      name: 'policy.drop',
      role: 'operator',
      doc: 'Forgets the candidate policy; answers whether there was one',
      params: z.strictObject({}),
      handler: () => ({ dropped: state.dropCandidate() }),
    }),
  ];
}

/** A row as it is answered. */
export function flatDifference({
  partner,
  direction,
  before,
  after,
  removed,
  kept,
  count,
  first,
  last,
}: DifferenceRow) {
  return {
    partner: partner || '(stranger)',
    direction,
    count,
    before: wording(before),
    after: wording(after),
    reason_before: before.reason,
    reason_after: after.reason,
    agreement_before: before.agreement,
    agreement_after: after.agreement,
    profile_before: before.profile,
    profile_after: after.profile,
    removed,
    kept,
    asserts_before: before.asserts,
    asserts_after: after.asserts,
    first_id: first.id,
    first_at: new Date(first.at).toISOString(),
    last_id: last.id,
    last_at: new Date(last.at).toISOString(),
  };
}

export type FlatDifference = ReturnType<typeof flatDifference>;

function wording({ verdict, action, code }: DifferenceRow['before']): string {
  if (action === 'continue') return verdict;
  return action === 'close' ? `${verdict}, closed` : `${verdict}, refused ${code}`;
}
