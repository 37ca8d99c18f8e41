/**
 * Trust by path: traffic from a security gateway is known only by the socket it arrives on and the prefix it comes
 * from (TS 33.203 §5.4; rulebook G-7, G-21). The assurance says so: `za`, never a certificate's.
 */

import { parseAddress } from '../net/address.js';
import type { Interface, Snapshot } from './agreement.js';
import { agreementChange, agreementInForce, type CoverContext } from './covers.js';
import type { Evidence } from './evidence.js';
import { type Outcome, untrusted } from './outcome.js';

/** The interface that the message came in by, if that socket is declared as one. */
export function findInterface(snapshot: Snapshot, evidence: Evidence): Interface | undefined {
  return snapshot.interfaces.find(
    (candidate) => candidate.address === evidence.localAddress && candidate.port === evidence.localPort,
  );
}

/** Judges a peer by interface and source prefix; the longest prefix of the agreements on this interface decides. */
export function judgeInterface(iface: Interface, evidence: Evidence, context: CoverContext): Outcome {
  const { trail, now, snapshot } = context;
  const source = evidence.sourceAddress === undefined ? undefined : parseAddress(evidence.sourceAddress);
  if (source === undefined) {
    trail.fail('source', 'bad-input', `expected an IP address in src_ip, found ${evidence.sourceAddress ?? 'none'}`);
    return untrusted();
  }
  const agreement = snapshot.sources.get(iface.name)?.lookup(source);
  if (agreement === undefined) {
    const detail = `${evidence.sourceAddress} is in no prefix of an agreement on interface ${iface.name}`;
    trail.fail('source', 'nds-range', detail);
    return untrusted();
  }
  trail.pass(
    'source',
    `${evidence.sourceAddress} is in a prefix of agreement ${agreement.name} on interface ${iface.name}`,
    'TS 33.203 §5.4',
  );
  const change = agreementChange(agreement, now);
  if (!iface.implicitTrust) {
    trail.fail('implicit trust', 'nds-off', `interface ${iface.name}: implicit_trust is false`);
    return untrusted(agreement, change);
  }
  if (!agreementInForce(agreement, context)) return untrusted(agreement, change);
  if (agreement.enforcement === 'monitor') {
    trail.fail('enforcement', 'monitor-only', `agreement ${agreement.name}: would be trusted, enforcement is monitor`);
    return untrusted(agreement, change);
  }
  return {
    grant: trail.grant('trusted-by-config', `agreement ${agreement.name} on interface ${iface.name}`),
    assurance: 'za',
    agreement,
    domains: agreement.domains,
    action: 'continue',
    validUntil: change,
  };
}
