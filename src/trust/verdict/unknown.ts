import { reason } from '../../reasons.js';
import type { Snapshot } from '../agreement/index.js';
import type { Evidence } from '../evidence/index.js';
import type { Verdict } from './verdict.js';

/**
 * The answer about a connection of which nothing is known: untrusted, and why (design rule 6). What the question says of
 * the connection is kept for the decision log, and decides nothing.
 */
export function unknownConnection(
  named: Pick<Evidence, 'direction' | 'connectionId'> & Partial<Evidence>,
  snapshot: Snapshot,
): { readonly evidence: Evidence; readonly verdict: Verdict } {
  const { direction, connectionId } = named;
  const detail =
    connectionId === undefined
      ? 'expected conid of a judged connection or the evidence of trust.peer, found neither'
      : `connection ${connectionId} was not judged before, is forgotten or closed, or what the message says of it (src_ip, src_port) fits none, or several`;
  const evidence: Evidence = {
    direction,
    transport: 'unknown',
    connectionId,
    sourceAddress: named.sourceAddress,
    sourcePort: named.sourcePort,
    localAddress: named.localAddress,
    localPort: named.localPort,
    tls: undefined,
    nextHop: named.nextHop,
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
