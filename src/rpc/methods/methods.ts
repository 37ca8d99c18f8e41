/**
 * The method table: what the RPC interface can be asked. A new method is one row in one of these groups, and one row
 * in docs/rpc.md (a test compares the two).
 */

import { type AuditLog, NO_AUDIT_LOG, type OperatorLog } from '../../log/index.js';
import type { ReloadReport } from '../../state/policy/index.js';
import type { TrustState } from '../../state/trust/index.js';
import type { Tokens } from '../access/index.js';
import type { Method } from '../dispatch/index.js';
import { agreementMethods } from './agreement.js';
import { auditMethods } from './audit.js';
import { certificateMethods } from './certificate.js';
import { coreMethods } from './core.js';
import { crlMethods } from './crl.js';
import { fleetMethods } from './fleet.js';
import { headerMethods } from './header.js';
import { hopMethods } from './hop.js';
import { partnerMethods } from './partner.js';
import { pinMethods } from './pin.js';
import { policyMethods } from './policy.js';
import { tokenMethods } from './token.js';
import { trustMethods } from './trust.js';

/** What some methods need besides the state. */
export interface MethodTools {
  /** undefined: no tokens are taken. */
  readonly tokens?: Tokens | undefined;
  readonly audit?: AuditLog;
  /** The policy file; undefined: nothing can be promoted to it. */
  readonly config?: string | undefined;
}

/** All methods, working on this state. */
export function methodTable(
  state: TrustState,
  log: OperatorLog,
  reload: (by: string) => Promise<ReloadReport>,
  { tokens, audit = NO_AUDIT_LOG, config }: MethodTools = {},
): Method[] {
  return [
    ...trustMethods(state),
    ...hopMethods(state),
    ...agreementMethods(state, reload),
    ...partnerMethods(state),
    ...certificateMethods(state),
    ...headerMethods(state),
    ...crlMethods(state),
    ...pinMethods(state, log),
    ...policyMethods(state, reload, config),
    ...auditMethods(audit),
    ...fleetMethods(state),
    ...coreMethods(state, log),
    ...tokenMethods(tokens),
  ];
}
