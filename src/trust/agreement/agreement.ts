/** What was agreed, as the trust decision sees it: agreements, and interfaces that stand for a path. */

import type { PortRange, Prefixes } from '../../net/address/index.js';
import type { Direction, HeaderAction, Interconnect, PrivacyMode } from '../../sip/table/index.js';
import type { CertificateFacts } from '../../x509/certificate/index.js';
import type { CrlFacts } from '../../x509/revocation/index.js';
import type { EkuPolicy } from '../../x509/rules/index.js';

export type { Direction, EkuPolicy, HeaderAction, Interconnect, PrivacyMode };
export type SecurityMechanism = 'tls' | 'nds-ip';
/** `hard`: unknown is untrusted. `soft`: unknown is trusted and flagged. `off`: not looked at (rulebook §8.3). */
export type RevocationPolicy = 'hard' | 'soft' | 'off';

/** Attributes of a distinguished name that an agreement asks for; every value given must stand in the certificate. */
export type AttributeMatch = Readonly<
  Partial<
    Record<
      'commonName' | 'organization' | 'organizationalUnit' | 'country' | 'state' | 'locality' | 'domainComponent',
      readonly string[]
    >
  >
>;

export interface Asserts {
  /** Domains that P-Asserted-Identity of this peer may bear (rulebook S-1). */
  readonly domains: readonly string[];
  /** Addresses (IPv6 in brackets, canonical) and other hosts that it may bear besides; absent: none. */
  readonly hosts?: readonly string[];
  /** `any`, or the prefixes of global numbers ("+4930") that it may assert (S-3). */
  readonly numbers: 'any' | readonly string[];
  /** A transit peer asserts for others: S-1 is off, S-2 stays on (S-4). */
  readonly transit: boolean;
}

/** An address and a TLS port that an agreement names as next hop. */
export interface StaticTarget {
  /** Canonical text, without brackets. */
  readonly address: string;
  readonly port: number;
}

/** A target as `Snapshot.byTarget` has it. */
export function targetKey({ address, port }: StaticTarget): string {
  return `${address} ${port}`;
}

export interface Agreement {
  readonly name: string;
  /** Lower-case A-labels, exact. */
  readonly domains: readonly string[];
  /** Names that the certificates of its servers may bear in place of the domain, as next hops of this agreement alone. */
  readonly serverNames: readonly string[];
  /** Suffixes of which one label in front is this network: of the names and wildcard names of its certificates, and of next hops. */
  readonly wildcardNames: readonly string[];
  readonly mechanism: SecurityMechanism;
  /** Anchors by the role that the peer plays in the handshake. */
  readonly anchors: { readonly client: readonly CertificateFacts[]; readonly server: readonly CertificateFacts[] };
  readonly intermediates: readonly CertificateFacts[];
  readonly subject: AttributeMatch;
  readonly issuer: AttributeMatch;
  /** Where a proxy has words alone: whole one-line names of issuers, of which the certificate's must be one. */
  readonly attributeIssuers: readonly string[];
  readonly interconnect: Interconnect;
  readonly directions: readonly Direction[];
  /** Milliseconds since 1970; `until` is the last instant of the day named. */
  readonly valid: { readonly from: number; readonly until: number };
  readonly asserts: Asserts;
  readonly privacy: PrivacyMode;
  readonly revocation: RevocationPolicy;
  readonly crls: readonly CrlFacts[];
  readonly eku: EkuPolicy;
  /** Decision rule 2: `advisory` lets siptrust's own path check decide alone. */
  readonly stackVerification: 'required' | 'advisory';
  readonly cnFallback: boolean;
  /** Base64 SHA-256 of the SubjectPublicKeyInfo. */
  readonly pins: readonly string[];
  /** The key must be one of `pins` or one that the operator approved; without it, one of `pins` if there are any. */
  readonly pinned: boolean;
  /** A pinned certificate stands as its own anchor. */
  readonly pinLeaf: boolean;
  /** Overrides of the header policy, keyed by lower-case field name. */
  readonly headers: ReadonlyMap<string, { readonly in?: HeaderAction; readonly out?: HeaderAction }>;
  readonly enforcement: 'enforce' | 'monitor';
  readonly enabled: boolean;
  /** Towards this network only TLS with a proven name: without it nothing is sent (rulebook N-12, T-8). */
  readonly requireTls: boolean;
  /** Next hops by TLS that stand in place of DNS, in the order to try; they also stand for the domains (O-6). */
  readonly targets: readonly StaticTarget[];
  /** Less secure targets may be tried after TLS (N-9); nobody is trusted there. */
  readonly allowTlsFallback: boolean;
  /** The interface and the source prefixes that stand for the path: of nds-ip, and of tls while the network migrates. */
  readonly interface: string | undefined;
  readonly sources: Prefixes;
  /** tls only: the last instant (ms) at which the path still stands beside TLS; undefined: it never did. */
  readonly migrationUntil: number | undefined;
}

/** A local socket that stands for a path, not for a name (TS 33.203 §5.4). */
export interface Interface {
  readonly name: string;
  /** Canonical text of the local address, without brackets. */
  readonly address: string;
  readonly port: number;
  readonly mechanism: 'nds-ip';
  readonly implicitTrust: boolean;
  /** Others reach this socket too: without `sourcePorts` nothing but the source address tells the path. */
  readonly shared: boolean;
  /** TLS without encryption is taken here, since the path encrypts (seed §5). */
  readonly allowNullEncryption: boolean;
  /** Only what comes from one of these ports came by the path, since the security gateway wrote them (seed §5). */
  readonly sourcePorts: readonly PortRange[] | undefined;
}
