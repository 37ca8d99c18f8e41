/** The door of this room: logs: of the operator, of decisions, of changes; what is masked in them. */

export { BY_SHA256, UNREADABLE } from './asked.js';
export { type AuditLog, type AuditRecord, auditLog, NO_AUDIT_LOG, type SharedAudit, shortened } from './audit.js';
export { type DecisionLog, decisionLog, NO_DECISION_LOG } from './decisions.js';
export type { Reopening } from './log-file.js';
export { LOG_LEVELS, type Logger, type OperatorLog, onceAMinute, operatorLog } from './logger.js';
export { maskIdentities, maskMessageText, maskOf } from './mask.js';
export { seldom } from './seldom.js';
