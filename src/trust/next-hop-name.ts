/** Whom the certificate of a next hop has to name (RFC 5922 §7.3, rulebook O-1, O-6). */

import { HOP_TRANSPORTS } from '../net/hop-transport.js';
import { referenceDomain } from '../x509/domain.js';
import { type Agreement, type Snapshot, targetKey } from './agreement.js';

export type NextHopName =
  /** One of these domains; `text` is what was given, for messages. */
  | { readonly kind: 'domains'; readonly domains: readonly string[]; readonly text: string }
  /** An address that no agreement stands for. */
  | { readonly kind: 'ip'; readonly address: string }
  | { readonly kind: 'invalid'; readonly why: string };

/** What `next_hop` asks for: a domain stands for itself, an address for the agreement that names it as a target. */
export function nextHopName(nextHop: string, snapshot: Snapshot): NextHopName {
  const target = referenceDomain(nextHop);
  if (target.kind === 'invalid') return target;
  if (target.kind === 'domain') return { kind: 'domains', domains: [target.name], text: target.name };
  const agreement = agreementOfTarget(target.address, portOf(nextHop), snapshot);
  if (agreement === undefined) return target;
  const text = `${target.address}, a target of agreement ${agreement.name},`;
  return { kind: 'domains', domains: agreement.domains, text };
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
