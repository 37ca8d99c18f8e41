/** Methods of operators, each call of which leaves a record. */

import type { AuditLog } from '../../log/index.js';
import { RpcError } from './errors.js';
import type { CallContext, Method } from './method.js';

export interface AuditedWith {
  readonly audit: AuditLog;
  readonly clock: () => number;
  /** The policy revision in force. */
  readonly revision: () => number;
}

/** The method itself where it changes nothing; else one that records what was asked and what came of it. */
export function audited(method: Method, { audit, clock, revision }: AuditedWith): Method {
  if (method.role !== 'operator') return method;
  return Object.freeze({
    ...method,
    call: (params: unknown, context: CallContext): unknown => {
      const revisionBefore = revision();
      const record = (outcome: string): Promise<void> | undefined => {
        const { wire, peer, credential = '', claimed = '' } = context;
        const from = { wire, peer, credential, claimed };
        const revisions = { revisionBefore, revisionAfter: revision() };
        return audit.write({ at: clock(), method: method.name, params: params ?? {}, ...from, outcome, ...revisions });
      };
      /** The answer, once its line is kept. */
      const done = (value: unknown): unknown =>
        record('done')?.then(
          () => value,
          (cause: unknown) => {
            const why = cause instanceof Error ? cause.message : String(cause);
            throw new RpcError('unavailable', `it was done, and its line of the audit log is not kept: ${why}`);
          },
        ) ?? value;
      const failed = (error: unknown): never => {
        // It has failed anyway: the operator log tells of a line that is not kept.
        record(error instanceof RpcError ? error.message : 'Internal error')?.catch(() => {});
        throw error;
      };
      try {
        const result = method.call(params, context);
        return result instanceof Promise ? result.then(done, failed) : done(result);
      } catch (error) {
        return failed(error);
      }
    },
  });
}
