/** What a scene of the lab is made of, and what comes of it. */

import type { Policy, StandardPolicy } from '../support/live/daemon.js';
import type { Network } from '../support/live/network.js';
import type { Identity } from '../support/live/pki.js';
import type { Lab } from './lab.js';
import type { Place } from './topology.js';

/** CSCF2 as a row of scenes needs it: without siptrust, with it, or with IPv6 addresses alone towards the core. */
export type Act = 'without' | 'with' | 'ipv6';

/** A proxy of another network (kamailio-cfg/edge.cfg), and where its user calls from. */
export interface Edge {
  readonly name: string;
  readonly place: Place;
  readonly host: string;
  readonly user: string;
  /** The URI that it sends calls to. */
  readonly nextHop: string;
  readonly identity: (network: Network) => Identity;
  /** Another TLS configuration than the sample (a path below the repository). */
  readonly tls?: string;
}

/** How a call comes in: through an edge; or from the rogue, under CSCF1's address. */
export type Way =
  /** `source`: its address as CSCF2 sees it, where that is another. */
  | { readonly edge: Edge; readonly source?: string }
  /** `stopped`: what keeps it from arriving, where the packet filter counts it. */
  | { readonly spoofed: { readonly target: string; readonly port: number; readonly stopped?: Place } }
  | { readonly spoofedTls: { readonly target: string } };

export interface Seen {
  /** `not judged`: no siptrust there; `-`: nothing arrived. */
  readonly verdict: 'trusted' | 'untrusted' | 'not judged' | '-';
  /** What the verdict rests on (design: the ladder of assurance); `none` where nothing was asked. */
  readonly assurance: string;
  readonly reasons: readonly string[];
  /** P-Asserted-Identity at the called party; `without` one, or `nothing`. */
  readonly arrives: string;
}

/** What must come of a call: as above, and one of the reasons. */
export type Must = Omit<Seen, 'reasons'> & { readonly reason?: string };

export interface Call {
  readonly who: string;
  readonly by: Way;
  readonly asserts: string;
  readonly must: Must;
}

/** Something else that a scene shows. */
export interface Proof {
  readonly what: string;
  readonly show: (lab: Lab, scene: Scene) => Promise<Finding>;
}

export interface Finding {
  readonly found: string;
  readonly holds: boolean;
}

export interface Scene {
  readonly name: string;
  readonly act: Act;
  /** What is claimed (docs/lab.md says by whom): the section, and its words or their sense. */
  readonly claim: string;
  /** Packet filters in SEG2 and in the core; none where there is nothing. */
  readonly seg2?: string;
  readonly core?: string;
  /** Made out of the agreements by TLS with a.example and b.example. */
  readonly policy?: (standard: StandardPolicy) => Policy;
  readonly calls: readonly Call[];
  readonly proofs?: readonly Proof[];
  /** What the scene says of the claim when all comes as it must. */
  readonly holds: string;
}

/** What is not as it must be; undefined where all is. */
export function wrong({ must }: Call, seen: Seen): string | undefined {
  const { reason, ...rest } = must;
  const right =
    seen.verdict === rest.verdict &&
    seen.assurance === rest.assurance &&
    seen.arrives === rest.arrives &&
    (reason === undefined || seen.reasons.includes(reason));
  return right ? undefined : `expected ${JSON.stringify(must)}, found ${JSON.stringify(seen)}`;
}
