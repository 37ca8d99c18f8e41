import { resolve } from 'node:path';
import { z } from 'zod';
import type { LoadedPolicy } from '../../policy/loading/index.js';
import {
  type PolicyEvent,
  PolicyThread,
  PromotionError,
  promote,
  type ReloadReport,
} from '../../state/policy/index.js';
import type { Of } from '../../state/trust/index.js';
import type { DifferenceRow } from '../../state/verdicts/index.js';
import { instant } from '../../x509/der/index.js';
import { askerOf, type CallContext, defineMethod, type Method, RpcError } from '../dispatch/index.js';
import { wholeNumber } from '../params/index.js';

/** A candidate policy in the running daemon: judged by in the shadow, without an effect on any answer. */
export function policyMethods(
  state: Of<'candidate' | 'fleet' | 'now' | 'policy'>,
  reload: (by: string) => Promise<ReloadReport>,
  config: string | undefined,
): Method[] {
  let promoting = false;

  async function promoted(context: CallContext) {
    const candidate = state.candidate.current;
    if (candidate === undefined) throw new RpcError('not-found', 'no candidate is tried: policy.candidate names one');
    if (config === undefined) throw new RpcError('unavailable', 'there is no policy file to put it in');
    const { file, policy: judged } = candidate;
    return promote({
      ...{ file, config, judged },
      load: async (path) => {
        const loaded = await loadOnce(path, state);
        if (loaded.ok) return loaded;
        throw new RpcError('unavailable', { problems: loaded.problems });
      },
      reload: async () => {
        const { ok, revision, problems } = await reload(`${askerOf(context)}, to promote ${file}`);
        if (!ok) throw new RpcError('unavailable', { revision, problems });
        state.candidate.drop();
        return { revision };
      },
    });
  }

  return [
    defineMethod({
      name: 'policy.candidate',
      role: 'operator',
      doc: 'Judges each trust.peer also by this policy file, after its answer, and counts what would differ',
      params: z.strictObject({ file: z.string().regex(/^\//, 'an absolute path') }),
      positional: ['file'],
      handler: async ({ file }) => {
        const loaded = await loadOnce(file, state);
        if (!loaded.ok) throw new RpcError('unavailable', { problems: loaded.problems });
        const ttlMs = state.policy.settings.cache.ttl * 1000;
        state.candidate.take(file, loaded, state.now(), ttlMs);
        return { file, agreements: loaded.snapshot.agreements.length, warnings: loaded.warnings };
      },
    }),
    defineMethod({
      name: 'policy.status',
      role: 'viewer',
      doc: 'The candidate policy: what was asked since it is there, and what it would have changed, by partner',
      params: z.strictObject({}),
      handler: () => {
        const status = state.candidate.current?.status();
        const policyFile = config === undefined ? {} : { policy_file: resolve(config) };
        if (status === undefined) return { candidate: '', ...policyFile };
        const { file, since, agreements, asked, changed, waiting, leftOut, rows } = status;
        return {
          candidate: file,
          since: instant(since),
          agreements,
          asked,
          changed,
          waiting,
          left_out: leftOut,
          ...policyFile,
          changes: rows.map(flatDifference),
        };
      },
    }),
    defineMethod({
      name: 'policy.promote',
      role: 'operator',
      doc: 'Puts the candidate in the place of the policy file, keeps the one before as FILE.previous, and reads it',
      params: z.strictObject({}),
      handler: async (_, context) => {
        if (state.fleet?.status().follows === true) {
          throw new RpcError('unavailable', 'the policy comes from the store: siptrustctl policy push FILE');
        }
        if (promoting) throw new RpcError('unavailable', 'somebody is promoting a candidate already');
        promoting = true;
        try {
          return await promoted(context);
        } catch (cause) {
          if (cause instanceof PromotionError) throw new RpcError('unavailable', cause.message);
          throw cause;
        } finally {
          promoting = false;
        }
      },
    }),
    defineMethod({
      name: 'policy.history',
      role: 'viewer',
      doc: 'What became of the policy since the start: each reload with who asked for it and what it changed',
      params: z.strictObject({ limit: wholeNumber(1, 100).optional() }),
      positional: ['limit'],
      handler: ({ limit = 20 }) => Promise.all(state.policy.history.events().slice(0, limit).map(flatEvent)),
    }),
    defineMethod({
      name: 'policy.drop',
      role: 'operator',
      doc: 'Forgets the candidate policy; answers whether there was one',
      params: z.strictObject({}),
      handler: () => ({ dropped: state.candidate.drop() }),
    }),
  ];
}

/** Reads a policy in a thread: it may be as large as the one in force, and is as little reason to hold up a question. */
async function loadOnce(file: string, state: Of<'now' | 'policy'>): Promise<LoadedPolicy> {
  const thread = new PolicyThread(file);
  const loaded = await thread.load(state.policy.snapshot.revision, state.now());
  await thread.close();
  return loaded;
}

async function flatEvent({ kind, revision, at, by, count, problems, differences }: PolicyEvent) {
  const { rows, more } = await differences;
  return {
    kind,
    revision,
    at: instant(at),
    by: by.join('; '),
    count,
    problems,
    differences: rows,
    more,
  };
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
    first_at: instant(first.at),
    last_id: last.id,
    last_at: instant(last.at),
  };
}

export type FlatDifference = ReturnType<typeof flatDifference>;

function wording({ verdict, action, code }: DifferenceRow['before']): string {
  if (action === 'continue') return verdict;
  return action === 'close' ? `${verdict}, closed` : `${verdict}, refused ${code}`;
}
