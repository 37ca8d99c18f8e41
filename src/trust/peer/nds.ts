/**
 * Trust by path: traffic from a security gateway is known only by the socket it arrives on and the prefix it comes
 * from (TS 33.203 §5.4; rulebook G-7, G-21). The assurance says so, and is never a certificate's: `za` where socket or
 * source port belong to the path alone, `address` where others reach the socket too.
 */

import { holdsPort, parseAddress, portsText } from '../../net/address/index.js';
import { instant } from '../../x509/der/index.js';
import type { Agreement, Interface, Snapshot } from '../agreement/index.js';
import { agreementChange, agreementInForce, boundText, type CoverContext } from '../cover/index.js';
import { type Evidence, isOverTls } from '../evidence/index.js';
import { type Outcome, type Trail, untrusted, type VerdictScope } from '../verdict/index.js';

/** The interface that the message came in by, if that socket is declared as one. */
export function findInterface(snapshot: Snapshot, evidence: Evidence): Interface | undefined {
  return snapshot.interfaces.find(
    (candidate) => candidate.address === evidence.localAddress && candidate.port === evidence.localPort,
  );
}

/** Of a peer whose source is that of a path, and which came to another socket: which one that is. It lends nothing. */
export function otherSocket({ interfaces, sources }: Snapshot, { sourceAddress = '' }: Evidence): string {
  const source = parseAddress(sourceAddress);
  if (source === undefined) return '';
  for (const { name, address, port } of interfaces) {
    const agreement = sources.get(name)?.lookup(source);
    if (agreement === undefined) continue;
    return `; ${sourceAddress} is in a prefix of agreement ${agreement.name}, on interface ${name} (${address} port ${port})`;
  }
  return '';
}

/** Whether a verdict on this evidence may depend on the source port. */
export function usesPorts(snapshot: Snapshot, evidence: Evidence): boolean {
  return findInterface(snapshot, evidence)?.sourcePorts !== undefined;
}

/** What a verdict on this evidence holds for. */
export function verdictScope(snapshot: Snapshot, evidence: Evidence): VerdictScope {
  if (isOverTls(evidence)) return 'connection';
  return usesPorts(snapshot, evidence) ? 'port' : 'address';
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
  if (!portOfPath(iface, evidence, trail)) return untrusted(agreement);
  const migration = agreement.migrationUntil;
  const change = Math.min(
    agreementChange(agreement, now),
    migration === undefined || now > migration ? Infinity : migration + 1,
  );
  if (agreement.mechanism === 'tls' && !pathStandsBesideTls(agreement, evidence, context)) {
    return untrusted(agreement, change);
  }
  if (!iface.implicitTrust) {
    trail.fail('implicit trust', 'nds-off', `interface ${iface.name}: implicit_trust is false`);
    return untrusted(agreement, change);
  }
  // While a network migrates its path stands for TLS too.
  if (!agreementInForce(agreement, agreement.mechanism, context)) return untrusted(agreement, change);
  if (agreement.mechanism === 'tls') {
    const detail = `agreement ${agreement.name} asks for TLS from ${instant((migration ?? now) + 1)} on`;
    trail.note('mechanism', 'nds-migrating', detail);
  }
  // A shared socket stands for no path. Ports that only the gateway writes do.
  const path = !iface.shared || iface.sourcePorts !== undefined;
  const detail = `agreement ${agreement.name} on interface ${iface.name}`;
  return {
    grant: path
      ? trail.grant('trusted-by-config', detail)
      : trail.grant('trusted-by-address', `${detail}, a socket that others reach too`),
    assurance: path ? 'za' : 'address',
    agreement,
    domains: agreement.domains,
    action: 'continue',
    validUntil: change,
  };
}

/**
 * Whether the path may stand for a network with which TLS is agreed: until its migration ends, and never on a TLS
 * connection, where a certificate that is missing or wrong says more than an address.
 */
function pathStandsBesideTls(agreement: Agreement, evidence: Evidence, { now, trail }: CoverContext): boolean {
  const { name, migrationUntil = Number.NEGATIVE_INFINITY } = agreement;
  if (now > migrationUntil) {
    trail.fail('mechanism', 'nds-ended', `agreement ${name} asks for TLS since ${boundText(migrationUntil)}`);
    return false;
  }
  if (isOverTls(evidence)) {
    trail.fail('mechanism', 'nds-tls', `agreement ${name}: over TLS the certificate decides, and it did not hold`);
    return false;
  }
  return true;
}

/** Whether the source port is one that stands for the path (seed §5: the gateway rewrites it). */
function portOfPath({ name, sourcePorts }: Interface, { sourcePort }: Evidence, trail: Trail): boolean {
  if (sourcePorts === undefined) return true;
  const expected = `interface ${name} expects a source port of ${portsText(sourcePorts)}`;
  if (!holdsPort(sourcePorts, sourcePort)) {
    trail.fail('source port', 'nds-port', `${expected}, found ${sourcePort ?? 'none'}`);
    return false;
  }
  trail.pass('source port', `${expected}, found ${sourcePort}`, 'TS 33.203 §5.4');
  return true;
}
