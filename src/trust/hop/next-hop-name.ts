/** Whom the certificate of a next hop has to name (RFC 5922 §7.3, rulebook O-1, O-6). */

import { HOP_TRANSPORTS } from '../../net/hop/index.js';
import { referenceDomain } from '../../x509/identity/index.js';
import { type Agreement, agreementOfName, type Snapshot, targetKey } from '../agreement/index.js';

export type NextHopName =
  /** A domain that no agreement covers. */
  | { readonly kind: 'stranger'; readonly text: string }
  /** What an agreement covers: one of these domains has to be named. `text` is what was given, for messages. */
  | {
      readonly kind: 'partner';
      readonly agreement: Agreement;
      readonly domains: readonly string[];
      readonly text: string;
    }
  /** An address that no agreement stands for. */
  | { readonly kind: 'ip'; readonly address: string }
  | { readonly kind: 'invalid'; readonly why: string };

/**
 * What `next_hop` asks for. A domain stands for itself, an address for the agreement that names it as a target; where an
 * agreement names its targets itself, no DNS record chose the machine, and any of its domains will do.
 */
export function nextHopName(nextHop: string, snapshot: Snapshot): NextHopName {
  const target = referenceDomain(nextHop);
  if (target.kind === 'invalid') return target;
  if (target.kind === 'domain') {
    const { name } = target;
    const agreement = agreementOfName(name, snapshot);
    if (agreement === undefined) return { kind: 'stranger', text: name };
    const domains = agreement.targets.length > 0 ? [...new Set([name, ...agreement.domains])] : [name];
    return { kind: 'partner', agreement, domains, text: name };
  }
  const agreement = agreementOfTarget(target.address, portOf(nextHop), snapshot);
  if (agreement === undefined) return target;
  const text = `${target.address}, a target of agreement ${agreement.name},`;
  return { kind: 'partner', agreement, domains: agreement.domains, text };
}

/** The agreement that names the address as its next hop; without a port it is that of TLS. */
export function agreementOfTarget(
  address: string,
  port: number | undefined,
  snapshot: Snapshot,
): Agreement | undefined {
  return snapshot.byTarget.get(targetKey({ address, port: port ?? HOP_TRANSPORTS.tls.port }));
}

/** The port of a text that `referenceDomain` takes for an address. */
function portOf(nextHop: string): number | undefined {
  const [hostPort = ''] = nextHop
    .replace(/^sips?:/i, '')
    .replace(/^.*@/, '')
    .split(/[;?]/);
  const digits = /^(?:\[[^\]]*\]|[^:]*):([0-9]+)$/.exec(hostPort)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
