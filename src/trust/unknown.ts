import { reason } from '../reasons.js';
import type { Direction, Snapshot } from './agreement.js';
import type { Evidence } from './evidence.js';
import type { Verdict } from './verdict.js';

/** The answer about a connection of which nothing is known: untrusted, and why (design rule 6). */
export function unknownConnection(
  direction: Direction,
  connectionId: string | undefined,
  snapshot: Snapshot,
): { readonly evidence: Evidence; readonly verdict: Verdict } {
  const detail =
    connectionId === undefined
      ? 'expected conid of a judged connection or the evidence of trust.peer, found neither'
      : `connection ${connectionId} was not judged before, is forgotten or closed, or the message names another source address`;
  const evidence: Evidence = {
    direction,
    transport: 'tcp',
    connectionId,
    sourceAddress: undefined,
    sourcePort: undefined,
    localAddress: undefined,
    localPort: undefined,
    tls: undefined,
    nextHop: undefined,
  };
  const verdict: Verdict = {
    verdict: 'untrusted',
    assurance: 'none',
    agreement: undefined,
    domains: [],
    findings: [{ code: 'unknown-connection', detail }],
    action: 'continue',
    code: 0,
    phrase: '',
    validUntil: Number.POSITIVE_INFINITY,
    revision: snapshot.revision,
    per: 'connection',
    checks: [{ name: 'connection', compared: detail, outcome: 'fail', clause: reason('unknown-connection').clause }],
  };
  return { evidence, verdict };
}
