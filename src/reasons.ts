/**
 * The table of reason codes. Every verdict, plan and path result speaks in these codes, and only in these.
 *
 * A new reason is one row here and one row in docs/reasons.md (a test compares the two).
 */

import { entriesOf } from './typed.js';

/** How an operator should read a reason: `info` explains, `warning` wants a look, `alarm` wants one now. */
export type Severity = 'info' | 'warning' | 'alarm';

interface Row {
  /** Of several reasons the one with the highest rank is reported as `reason`. */
  readonly rank: number;
  readonly severity: Severity;
  readonly text: string;
  /** The clause that asks for the check. */
  readonly clause: string;
  /** Of alarms: some rule refuses a message for it (`RefusingCode`). metrics.md tells those by the outcome `refused`. */
  readonly refuses?: true;
}

const table = {
  // Trusted: what the trust rests on.
  'agreement-covers': {
    rank: 1,
    severity: 'info',
    text: 'the certificate names a network that a valid agreement covers',
    clause: 'TS 33.203 §5.4, §6.5',
  },
  'trusted-by-config': {
    rank: 1,
    severity: 'info',
    text: 'the receiving socket and the source prefix belong to an NDS/IP agreement with implicit trust',
    clause: 'TS 33.203 §5.4',
  },
  'trusted-by-address': {
    rank: 2,
    severity: 'warning',
    text: 'as trusted-by-config, but others reach the same socket: the source address, which can be spoofed, is all there is',
    clause: 'TS 33.203 §5.4',
  },

  // The hop.
  'no-tls': {
    rank: 900,
    severity: 'info',
    text: 'the hop is not protected by TLS and the socket is not an NDS/IP interface',
    clause: 'TS 33.203 §5.4, §6.5',
  },
  'nds-off': {
    rank: 910,
    severity: 'info',
    text: 'the NDS/IP interface has implicit trust switched off',
    clause: 'TS 33.203 §5.4',
  },
  'nds-range': {
    rank: 910,
    severity: 'warning',
    text: 'the source address is in no prefix of an NDS/IP agreement on this interface',
    clause: 'TS 33.203 §5.4',
  },
  'nds-port': {
    rank: 910,
    severity: 'warning',
    text: 'the source port is none that stands for the path through the security gateway',
    clause: 'TS 33.203 §5.4',
  },
  'nds-tls': {
    rank: 905,
    severity: 'warning',
    text: 'the peer uses TLS, and its agreement asks for a certificate there: the path does not stand in for it',
    clause: 'TS 33.203 §5.4, §6.5',
  },
  'nds-ended': {
    rank: 908,
    severity: 'warning',
    text: 'the migration of this network to TLS has ended: the path through the security gateway stands for it no longer',
    clause: 'TS 33.203 §5.4',
  },
  'nds-migrating': {
    rank: 10,
    severity: 'info',
    text: 'the path still stands for this network, although TLS is agreed: only until the migration ends',
    clause: 'TS 33.203 §5.4',
  },
  'tls-profile': {
    rank: 880,
    severity: 'warning',
    text: 'the TLS version or cipher is below the floor of the profile',
    clause: 'TS 33.210 §6.2',
  },
  'null-encryption': {
    rank: 888,
    severity: 'warning',
    text: 'the TLS connection does not encrypt; only an NDS/IP interface whose policy says so may carry that',
    clause: 'TS 33.210 §6.2',
  },
  'no-client-cert': {
    rank: 890,
    severity: 'info',
    text: 'the TLS peer presented no certificate',
    clause: 'RFC 5922 §7.4',
  },
  'no-cert-facts': {
    rank: 885,
    severity: 'warning',
    text: 'the proxy gave no certificate for this TLS connection, and no attributes that the agreement can rest on',
    clause: 'RFC 8446 §4.6.1',
  },
  'stack-unverified': {
    rank: 300,
    severity: 'warning',
    text: 'the TLS stack of the proxy did not verify the certificate',
    clause: 'TS 33.203 §6.5',
  },
  'tls-downgrade': {
    rank: 895,
    severity: 'alarm',
    text: 'TLS is required or was offered before, and the DNS records of the domain do not offer it',
    clause: 'RFC 3263 §7',
  },
  'no-next-hop': {
    rank: 870,
    severity: 'warning',
    text: 'no address of the next hop is left to try',
    clause: 'RFC 3263 §4.2',
  },
  'dns-failed': {
    rank: 90,
    severity: 'warning',
    text: 'a DNS question was not answered, or its answer fails validation',
    clause: 'RFC 3263 §4, RFC 7673 §3',
  },
  'dns-pending': {
    rank: 20,
    severity: 'info',
    text: 'DNS questions for the next hop are still open',
    clause: 'RFC 3263 §4',
  },
  'dns-ignored': {
    rank: 15,
    severity: 'info',
    text: 'a DNS record was left aside',
    clause: 'RFC 3263 §4.1',
  },
  'bad-input': {
    rank: 1000,
    severity: 'warning',
    text: 'the question is malformed or contradicts itself',
    clause: 'fail closed',
  },
  'unknown-connection': {
    rank: 990,
    severity: 'warning',
    text: 'no verdict is known for this connection id',
    clause: 'fail closed',
  },
  'internal-error': {
    rank: 1010,
    severity: 'alarm',
    text: 'siptrust failed while judging; the peer counts as untrusted',
    clause: 'fail closed',
  },

  // The agreement.
  'not-listed': {
    rank: 600,
    severity: 'info',
    text: 'no agreement covers any identity of the peer',
    clause: 'TS 33.203 §6.5',
  },
  'agreement-disabled': {
    rank: 610,
    severity: 'info',
    text: 'the agreement is switched off',
    clause: 'TS 33.203 §5.4',
  },
  'agreement-time': {
    rank: 612,
    severity: 'warning',
    text: 'the agreement is not valid at this time',
    clause: 'TS 33.203 §5.4',
  },
  'agreement-direction': {
    rank: 611,
    severity: 'info',
    text: 'the agreement does not cover this direction',
    clause: 'RFC 3324 §2.3',
  },
  'agreement-mechanism': {
    rank: 613,
    severity: 'warning',
    text: 'the agreement asks for another security mechanism than the one in use',
    clause: 'TS 33.203 §5.4',
  },
  'agreement-attributes': {
    rank: 615,
    severity: 'warning',
    text: 'subject or issuer of the certificate differ from what the agreement asks for',
    clause: 'TS 33.203 §6.5',
  },
  'monitor-only': {
    rank: 605,
    severity: 'info',
    text: 'the agreement is only monitored and changes no call; the detail says what it would do',
    clause: 'operator policy',
  },
  'ambiguous-peer': {
    rank: 620,
    severity: 'warning',
    text: 'the identities of the certificate belong to several agreements; the detail says what comes of it',
    clause: 'RFC 5922 §7.4',
  },

  // The certificate path.
  'malformed-cert': {
    rank: 870,
    severity: 'warning',
    text: 'the certificate cannot be read as X.509 v3 in DER',
    clause: 'RFC 5280 §4.1',
  },
  'path-budget': {
    rank: 860,
    severity: 'alarm',
    text: 'the search for a certificate path ran out of its work budget',
    clause: 'RFC 5280 §6.1',
  },
  revoked: {
    rank: 850,
    severity: 'alarm',
    text: 'a certificate of the path is revoked',
    clause: 'RFC 5280 §6.3',
  },
  'anchor-mismatch': {
    rank: 840,
    severity: 'alarm',
    text: 'the certificate names a partner but leads to somebody else: to the CA of another agreement, or to a root that is none of its anchors',
    clause: 'TS 33.310 §5.2',
  },
  'missing-intermediate': {
    rank: 801,
    severity: 'warning',
    text: 'the certificate names a partner, and the certificate of a CA above it is at hand neither in its agreement nor in what the peer sent',
    clause: 'RFC 5280 §6.1, RFC 8446 §4.4.2',
  },
  'cert-time': {
    rank: 830,
    severity: 'alarm',
    text: 'a certificate of the path is expired or not yet valid',
    clause: 'RFC 5280 §6.1.3 (a)(2)',
  },
  'weak-key': {
    rank: 820,
    severity: 'warning',
    text: 'a key or signature algorithm of the path is below the floor',
    clause: 'TS 33.310 §6.1.1',
  },
  eku: {
    rank: 815,
    severity: 'warning',
    text: 'the extended key usage does not allow the role of the peer',
    clause: 'RFC 5280 §4.2.1.12, RFC 5924 §5',
  },
  'key-usage': {
    rank: 812,
    severity: 'warning',
    text: 'the key usage does not allow what the key was used for',
    clause: 'RFC 5280 §4.2.1.3, §6.1.4 (n)',
  },
  'cert-type': {
    rank: 811,
    severity: 'warning',
    text: 'the certificate is not an end-entity certificate for TLS',
    clause: 'TS 33.310 §6.1.3',
  },
  'name-constraints': {
    rank: 810,
    severity: 'alarm',
    text: 'a name of the path is outside the name constraints of its issuers',
    clause: 'RFC 5280 §6.1.3 (b), (c)',
  },
  'path-length': {
    rank: 808,
    severity: 'warning',
    text: 'the path is longer than one of its certificates allows',
    clause: 'RFC 5280 §6.1.4 (l), (m)',
  },
  'not-a-ca': {
    rank: 813,
    severity: 'warning',
    text: 'an issuer in the path is not marked as a certification authority',
    clause: 'RFC 5280 §6.1.4 (k)',
  },
  'unknown-critical': {
    rank: 806,
    severity: 'warning',
    text: 'a certificate of the path has a critical extension that is not understood',
    clause: 'RFC 5280 §6.1.4 (o), §6.1.5 (f)',
  },
  'bad-extension': {
    rank: 805,
    severity: 'warning',
    text: 'an extension of the path is malformed, repeated or not allowed where it stands',
    clause: 'RFC 5280 §4.2',
  },
  'certificate-policy': {
    rank: 804,
    severity: 'warning',
    text: 'the certificate policies of the path leave no valid policy where one is required',
    clause: 'RFC 5280 §6.1.3 (f), §6.1.4 (a), §6.1.5 (g)',
  },
  'bad-signature': {
    rank: 803,
    severity: 'alarm',
    text: 'a signature of the path does not verify',
    clause: 'RFC 5280 §6.1.3 (a)(1)',
  },
  'untrusted-chain': {
    rank: 800,
    severity: 'warning',
    text: 'no path leads from the certificate to an accepted anchor',
    clause: 'RFC 5280 §6.1',
  },
  'rev-unknown': {
    rank: 790,
    severity: 'warning',
    text: 'the revocation status could not be determined',
    clause: 'RFC 5280 §6.3',
  },
  'crl-scope': {
    rank: 100,
    severity: 'warning',
    text: 'a CRL cannot be used for this certificate (scope, signer, time or an unknown critical extension)',
    clause: 'RFC 5280 §6.3.3',
  },
  'crl-grace': {
    rank: 95,
    severity: 'alarm',
    text: 'a CRL past its nextUpdate still counts, within the grace that the policy grants',
    clause: 'operator policy',
  },
  'ocsp-signer': {
    rank: 100,
    severity: 'warning',
    text: 'an OCSP response is not signed by the issuer or by a responder that the issuer delegated',
    clause: 'RFC 6960 §4.2.2.2',
  },
  'ocsp-time': {
    rank: 100,
    severity: 'warning',
    text: 'an OCSP response is too old, or speaks of the future',
    clause: 'RFC 6960 §4.2.2.1',
  },
  'ocsp-status': {
    rank: 100,
    severity: 'warning',
    text: 'an OCSP response settles nothing (status unknown, another certificate or an unknown critical extension)',
    clause: 'RFC 6960 §2.2, §3.2',
  },

  // The names.
  'no-sip-id': {
    rank: 700,
    severity: 'warning',
    text: 'the certificate bears no SIP domain identity',
    clause: 'RFC 5922 §7.1',
  },
  'name-mismatch': {
    rank: 720,
    severity: 'alarm',
    text: 'none of the identities of the certificate equals the domain that was asked for',
    clause: 'RFC 5922 §7.3',
  },
  'ip-literal': {
    rank: 710,
    severity: 'info',
    text: 'the next hop is an address, which no SIP domain identity can match',
    clause: 'RFC 5922 §7.2',
  },
  'anchor-name': {
    rank: 730,
    severity: 'alarm',
    text: 'an identity of the certificate lies outside what its anchor may vouch for',
    clause: 'RFC 5280 §4.2.1.10 does not bind sip: URIs',
  },
  wildcard: {
    rank: 704,
    severity: 'warning',
    text: 'a wildcard name is no SIP domain identity, unless an agreement accepts one label in front of its suffix',
    clause: 'RFC 5922 §7.2',
  },
  'name-bytes': {
    rank: 705,
    severity: 'alarm',
    text: 'a name of the certificate holds bytes that no domain name has',
    clause: 'RFC 5922 §7.1',
  },
  'name-form': {
    rank: 701,
    severity: 'warning',
    text: 'a name of the certificate is not a fully qualified domain name',
    clause: 'RFC 5922 §7.1',
  },
  'cn-disabled': {
    rank: 702,
    severity: 'info',
    text: 'only the common name names the peer, and the agreement does not accept that',
    clause: 'RFC 5922 §7.1',
  },
  'cn-ambiguous': {
    rank: 703,
    severity: 'warning',
    text: 'the subject has several common names',
    clause: 'RFC 5922 §7.1',
  },
  'pin-mismatch': {
    rank: 750,
    severity: 'alarm',
    text: 'the key of the certificate is not among the pins of the agreement',
    clause: 'operator policy',
  },

  // The message.
  'malformed-header': {
    rank: 960,
    severity: 'warning',
    text: 'the header block can be read in more than one way',
    clause: 'RFC 3261 §7.3.1',
  },
  'assert-own': {
    rank: 950,
    severity: 'alarm',
    text: 'the peer asserts an identity of one of our own domains',
    clause: 'RFC 3324 §2.2',
    refuses: true,
  },
  'assert-foreign': {
    rank: 640,
    severity: 'warning',
    text: 'the peer asserts an identity that its agreement does not let it assert',
    clause: 'RFC 3324 §2.2',
  },
  'assert-invalid': {
    rank: 630,
    severity: 'warning',
    text: 'an asserted identity is not a name-addr of one sip, sips or tel URI that may be kept',
    clause: 'RFC 5876 §4.5',
  },
  'register-untrusted': {
    rank: 945,
    severity: 'warning',
    text: 'a registration from a network that is not trusted',
    clause: 'TS 24.229 §5.3.1.2',
  },
  'operator-service': {
    rank: 940,
    severity: 'alarm',
    text: 'an untrusted peer asks for an operator service that breaks into calls',
    clause: 'RFC 5503 §6.6',
    refuses: true,
  },
  'privacy-critical': {
    rank: 935,
    severity: 'info',
    text: 'the user asks, as critical, for privacy that a proxy cannot give',
    clause: 'RFC 3323 §5',
  },
  'body-refused': {
    rank: 930,
    severity: 'warning',
    text: 'an untrusted peer demands that a body be acted on which only trusted peers may send',
    clause: 'TS 29.165 §6.1.4',
  },
} as const satisfies Record<string, Row>;

export type ReasonCode = keyof typeof table;

export interface Reason extends Row {
  readonly code: ReasonCode;
}

/** Reasons for which a message may be refused: an alarm among them has a series of refused messages before the first one. */
export type RefusingCode = {
  [Code in ReasonCode]: (typeof table)[Code] extends { severity: 'alarm' }
    ? (typeof table)[Code] extends { refuses: true }
      ? Code
      : never
    : Code;
}[ReasonCode];

/** All reasons, in table order. */
export const REASONS: readonly Reason[] = entriesOf(table).map(([code, row]) => ({ code, ...row }));

/** The row of one code. */
export function reason(code: ReasonCode): Reason {
  return { code, ...table[code] };
}

/** One thing that a check found: the code, and in words what was compared and what was seen. */
export interface Finding<Code extends ReasonCode = ReasonCode> {
  readonly code: Code;
  /** Names the subject, what was expected and what was found. Never holds a secret. */
  readonly detail: string;
}

/** Findings with the most telling one first; equal ranks keep their order. */
export function ranked(findings: readonly Finding[]): readonly Finding[] {
  return [...findings].sort((a, b) => table[b.code].rank - table[a.code].rank);
}
