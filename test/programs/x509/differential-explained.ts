/**
 * Where siptrust and `openssl verify -x509_strict` differ, and why that is right. A difference that no row explains
 * fails the comparison: it is to be fixed, or explained here with its source.
 */

export interface Explained {
  /** The change (test/support/chain-generator.ts) that brings the difference about. */
  readonly change: string;
  readonly siptrust: 'stricter' | 'laxer';
  /** Of a stricter answer: the reason code it must have. Of a laxer one: what OpenSSL must say. */
  readonly told: string;
  readonly reason: string;
}

export const EXPLAINED: readonly Explained[] = [
  {
    change: 'strangers',
    siptrust: 'laxer',
    told: 'unable to get local issuer certificate',
    reason:
      'OpenSSL takes the first untrusted issuer that fits by name and key and does not go back; RFC 5280 §6 asks whether a path exists, and TS 33.310 §5.2 cross-certification makes twins normal',
  },
  {
    change: 'any purpose only',
    siptrust: 'laxer',
    told: 'unsuitable certificate purpose',
    reason: 'RFC 5280 §4.2.1.12 lets anyExtendedKeyUsage stand for every purpose; rulebook §6.5 accepts it',
  },
  {
    change: 'CA for any purpose',
    siptrust: 'laxer',
    told: 'unsuitable certificate purpose',
    reason: 'as for a leaf: RFC 5280 §4.2.1.12',
  },
  {
    change: 'basicConstraints not critical',
    siptrust: 'laxer',
    told: 'Basic Constraints of CA cert not marked critical',
    reason: 'for any purpose only: PKITS 4.6.4 has it accepted; for a TLS role it is refused',
  },
  {
    change: 'critical subjectAltName',
    siptrust: 'stricter',
    told: 'bad-extension',
    reason: 'CABF §7.1.2.7.12: not critical beside a subject',
  },
  {
    change: 'a name with a trailing dot',
    siptrust: 'stricter',
    told: 'bad-extension',
    reason: 'RFC 5280 §4.2.1.6: preferred name syntax (RFC 1034 §3.5), which ends with a label',
  },
  {
    change: 'empty nameConstraints',
    siptrust: 'stricter',
    told: 'bad-extension',
    reason: 'RFC 5280 §4.2.1.10: MUST NOT be an empty sequence',
  },
  {
    change: 'nameConstraints in the leaf',
    siptrust: 'stricter',
    told: 'bad-extension',
    reason: 'RFC 5280 §4.2.1.10: MUST be used only in a CA certificate',
  },
  {
    change: 'permitted DNS with a leading dot',
    siptrust: 'stricter',
    told: 'bad-extension',
    reason: 'RFC 5280 §4.2.1.10 has no leading dot in dNSName constraints',
  },
  {
    change: 'explicit policy required',
    siptrust: 'stricter',
    told: 'certificate-policy',
    reason: 'RFC 5937 §3.2: what an anchor demands counts; OpenSSL leaves the anchor out of the policy check',
  },
  {
    change: 'cA true',
    siptrust: 'stricter',
    told: 'cert-type',
    reason: 'a CA is no TLS peer (CABF §7.1.2.7.8, rulebook T-41)',
  },
  {
    change: 'keyEncipherment only',
    siptrust: 'stricter',
    told: 'key-usage',
    reason: 'TS 33.310 §6.1.3a: digitalSignature; static RSA is below the floor of TS 33.210 §6.2',
  },
  {
    change: 'GeneralizedTime before 2050',
    siptrust: 'stricter',
    told: 'malformed-cert',
    reason: 'RFC 5280 §4.1.2.5: MUST be UTCTime',
  },
  {
    change: 'serial number 0',
    siptrust: 'stricter',
    told: 'malformed-cert',
    reason: 'RFC 5280 §4.1.2.2: positive',
  },
  {
    change: 'negative serial number',
    siptrust: 'stricter',
    told: 'malformed-cert',
    reason: 'RFC 5280 §4.1.2.2: positive',
  },
  {
    change: 'long serial number',
    siptrust: 'stricter',
    told: 'malformed-cert',
    reason: 'RFC 5280 §4.1.2.2: at most 20 octets',
  },
  {
    change: 'version 1',
    siptrust: 'stricter',
    told: 'malformed-cert',
    reason: 'CABF §7.1.1, TS 33.310 §6.1.1: version 3',
  },
  {
    change: 'RSA 1024',
    siptrust: 'stricter',
    told: 'weak-key',
    reason: 'rulebook G-31; the OpenSSL command line sets no security level',
  },
  {
    change: 'SHA-1',
    siptrust: 'stricter',
    told: 'weak-key',
    reason: 'TS 33.310 §6.1.1, rulebook G-30; the OpenSSL command line sets no security level',
  },
  {
    change: 'a key on secp256k1',
    siptrust: 'stricter',
    told: 'weak-key',
    reason: 'rulebook G-31: P-256, P-384 and P-521 alone; the OpenSSL command line sets no security level',
  },
  {
    change: 'Ed448',
    siptrust: 'stricter',
    told: 'weak-key',
    reason: 'rulebook G-31 does not know it; no TLS stack of a proxy offers it',
  },
  {
    change: 'even RSA modulus size',
    siptrust: 'stricter',
    told: 'weak-key',
    reason: 'CABF §6.1.5: a modulus of whole octets',
  },
  {
    change: 'cA true without pathLen, of a leaf with keyCertSign',
    siptrust: 'stricter',
    told: 'cert-type',
    reason: 'a CA is no TLS peer (CABF §7.1.2.7.8, rulebook T-41)',
  },
  {
    change: 'NUL in a name',
    siptrust: 'stricter',
    told: 'bad-extension',
    reason: 'RFC 5280 §4.2.1.6: a dNSName in preferred name syntax; rulebook F10',
  },
  {
    change: 'policyConstraints not critical',
    siptrust: 'stricter',
    told: 'bad-extension',
    reason: 'RFC 5280 §4.2.1.11: MUST be critical',
  },
  {
    change: 'a common name instead of subjectAltName',
    siptrust: 'stricter',
    told: 'name-mismatch',
    reason: 'RFC 9525 §2: a common name is no name of a server',
  },
  {
    change: 'a mailbox in the subject',
    siptrust: 'stricter',
    told: 'name-mismatch',
    reason: 'RFC 5280 §4.1.2.6: a mailbox belongs in subjectAltName; one in the subject is only constrained',
  },
  {
    change: 'part of a label as a wildcard',
    siptrust: 'stricter',
    told: 'name-mismatch',
    reason: 'RFC 9525 §6.3: a wildcard is the whole left-most label',
  },
  {
    change: 'a wildcard',
    siptrust: 'stricter',
    told: 'name-mismatch',
    reason: 'a wildcard directly below the root would match every domain of it',
  },
  {
    change: 'CRL removed in a complete list',
    siptrust: 'stricter',
    told: 'rev-unknown',
    reason: 'RFC 5280 §5.3.1: removeFromCRL only in delta CRLs; what contradicts itself clears nobody',
  },
  {
    change: 'CRL without nextUpdate',
    siptrust: 'stricter',
    told: 'rev-unknown',
    reason: 'RFC 5280 §5.1.2.5: MUST be there; rulebook K-2',
  },
  {
    change: 'CRL without number',
    siptrust: 'stricter',
    told: 'rev-unknown',
    reason: 'RFC 5280 §5.2.3: MUST be there',
  },
  {
    change: 'CRL with SHA-1',
    siptrust: 'stricter',
    told: 'rev-unknown',
    reason: 'rulebook G-30; the OpenSSL command line sets no security level',
  },
  {
    change: 'CRL delta',
    siptrust: 'stricter',
    told: 'rev-unknown',
    reason:
      'a delta without its complete list tells of changes alone (RFC 5280 §5.2.4); OpenSSL takes it for complete without -use_deltas',
  },
  {
    change: 'CRL indirect',
    siptrust: 'laxer',
    told: 'unable to get certificate CRL',
    reason: 'for any purpose only: PKITS 4.14.22 has it accepted; for a TLS role it is refused',
  },
  {
    change: 'CRL of users',
    siptrust: 'laxer',
    told: 'different CRL scope',
    reason: 'OpenSSL looks for the anchor itself on its own list; an anchor is no part of the path (RFC 5280 §6.1)',
  },
  {
    change: 'NUL in a name',
    siptrust: 'stricter',
    told: 'name-constraints',
    reason: 'RFC 5280 §4.2.1.10: a name that cannot be compared with a constraint of its kind is refused',
  },
];
