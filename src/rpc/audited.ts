/** Methods of operators, each call of which leaves a record. */

import type { AuditLog } from '../log/audit.js';
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
      const record = (outcome: string): void => {
        const { wire, peer, credential = '', claimed = '' } = context;
        const from = { wire, peer, credential, claimed };
        const revisions = { revisionBefore, revisionAfter: revision() };
        audit.write({ at: clock(), method: method.name, params: params ?? {}, ...from, outcome, ...revisions });
      };
      const failed = (error: unknown): never => {
        record(error instanceof RpcError ? error.message : 'Internal error');
        throw error;
      };
      try {
        const result = method.call(params, context);
        if (result instanceof Promise) {
          return result.then((value: unknown) => {
            record('done');
            return value;
          }, failed);
        }
        record('done');
        return result;
      } catch (error) {
        return failed(error);
      }
    },
  });
}
