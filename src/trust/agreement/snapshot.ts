/** The policy as the trust decision sees it: all agreements and interfaces, with the tables that they are found by. */

import type { Address } from '../../net/address/index.js';
import type { PrivacyMode } from '../../sip/table/index.js';
import type { CertificateFacts } from '../../x509/certificate/index.js';
import type { OcspRules } from '../../x509/revocation/index.js';
import type { Agreement, Interface } from './agreement.js';
import type { Agreements, AgreementTable, AuthorityTable } from './agreements.js';

/** The compiled policy: immutable, and quoted by its revision in every answer. */
export interface Snapshot {
  readonly revision: number;
  readonly ownDomains: ReadonlySet<string>;
  /** Certificates of our own edges, whose end is watched; no verdict rests on them. */
  readonly ownCertificates: readonly CertificateFacts[];
  readonly interfaces: readonly Interface[];
  readonly agreements: Agreements;
  readonly byName: AgreementTable;
  /** The agreement that claims a domain (lower-case A-label); a domain has at most one. */
  readonly byDomain: AgreementTable;
  /** The agreement that accepts one label in front of a suffix; the suffix is nobody else's. */
  readonly byWildcard: AgreementTable;
  /** The agreement that names an address and port as its next hop (`targetKey`); one has at most one. */
  readonly byTarget: AgreementTable;
  /** An agreement that has a name among its `server_names`. */
  readonly byServerName: AgreementTable;
  /** The certificates of CAs that agreements name, and which agreements. */
  readonly authorities: AuthorityTable;
  /** nds-ip agreements by interface name, then by the longest prefix that holds the source address. */
  readonly sources: ReadonlyMap<string, { lookup(address: Address): Agreement | undefined }>;
  /** Privacy mode towards peers that no agreement covers. */
  readonly privacy: PrivacyMode;
  /** Tolerance on certificate times, in milliseconds. */
  readonly skew: number;
  /** Milliseconds by which the last CRL may be used past its nextUpdate (rulebook §8.3). */
  readonly crlGrace: number;
  readonly ocsp: OcspRules;
  /** Longest time that a script may keep a verdict, in seconds. */
  readonly verdictTtl: number;
}

/** The agreement that a name belongs to: by its domains, else by one label in front of a suffix that it accepts. */
export function agreementOfName(
  name: string,
  { byDomain, byWildcard }: Pick<Snapshot, 'byDomain' | 'byWildcard'>,
): Agreement | undefined {
  return byDomain.get(name) ?? byWildcard.get(parentOf(name));
}

/** The name without its first label; empty for a name of one label. */
export function parentOf(name: string): string {
  const dot = name.indexOf('.');
  return dot < 0 ? '' : name.slice(dot + 1);
}
