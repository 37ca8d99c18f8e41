/** What siptrust knows of a certificate: a plain frozen record, keyed by its SHA-256. No ASN.1 type leaves x509/. */

/** One attribute of a distinguished name, in the order of the certificate. */
export interface NameAttribute {
  /** Dotted OID. */
  readonly oid: string;
  /** Short name as in RFC 4514 (`CN`, `O`, `OU`, `C`, `ST`, `L`, `DC`, ...), or the OID. */
  readonly type: string;
  /** Characters of a string type; of any other type the element in hex after `#` (RFC 4514 §2.4). */
  readonly value: string;
  /** Universal tag of the string type (12 UTF8String, 19 PrintableString, ...). */
  readonly tag: number;
}

/** A distinguished name as RFC 5280 §7.1 compares it: one string per relative name, attributes sorted within it. */
export interface NameKeys {
  readonly rdns: readonly string[];
  /** All of `rdns` in one string: two names are equal if and only if their `text` is. */
  readonly text: string;
}

/** One GeneralName of a subjectAltName, with its bytes as they stand in the certificate (no decoding). */
export interface AlternativeName {
  readonly type: 'other' | 'email' | 'dns' | 'x400' | 'directory' | 'edi' | 'uri' | 'ip' | 'rid';
  /** Content octets; of a directoryName the whole Name element. */
  readonly bytes: Uint8Array;
}

/** One extension as it stands (RFC 5280 §4.2). */
export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  /** Content octets of extnValue. */
  readonly value: Uint8Array;
}

export interface AlgorithmFacts {
  readonly oid: string;
  /** The whole parameters element; undefined: absent, which differs from NULL. */
  readonly parameters: Uint8Array | undefined;
}

export interface PublicKeyFacts {
  /** SubjectPublicKeyInfo in DER. */
  readonly der: Uint8Array;
  readonly algorithm: AlgorithmFacts;
  /** Octets of the subjectPublicKey BIT STRING. */
  readonly key: Uint8Array;
  /** Base64 SHA-256 of `der`: two keys are the same if and only if this is. */
  readonly id: string;
}

export interface BasicConstraints {
  readonly ca: boolean;
  readonly pathLength: number | undefined;
}

/** RFC 5280 §4.2.1.10: minimum other than 0 and any maximum are not used by it. */
export interface NameSubtree {
  readonly base: AlternativeName;
  readonly minimum: number;
  readonly maximum: number | undefined;
}

export interface NameConstraints {
  readonly permitted: readonly NameSubtree[] | undefined;
  readonly excluded: readonly NameSubtree[] | undefined;
}

export interface PolicyMapping {
  readonly issuer: string;
  readonly subject: string;
}

export interface PolicyConstraints {
  readonly requireExplicitPolicy: number | undefined;
  readonly inhibitPolicyMapping: number | undefined;
}

export interface AuthorityKeyIdentifier {
  readonly keyIdentifier: Uint8Array | undefined;
  readonly issuer: readonly AlternativeName[] | undefined;
  /** Content octets of the INTEGER. */
  readonly serial: Uint8Array | undefined;
}

/** Reasons for which a CRL may list a certificate (RFC 5280 §4.2.1.13). */
export type RevocationReason =
  | 'unused'
  | 'keyCompromise'
  | 'cACompromise'
  | 'affiliationChanged'
  | 'superseded'
  | 'cessationOfOperation'
  | 'certificateHold'
  | 'privilegeWithdrawn'
  | 'aACompromise';

/** Where a CRL is published: full names, or one relative name below the CRL issuer (RFC 5280 §4.2.1.13). */
export interface DistributionPointName {
  readonly full: readonly AlternativeName[] | undefined;
  /** The RelativeDistinguishedName element, its SEQUENCE tag restored to SET. */
  readonly relative: Uint8Array | undefined;
}

export interface DistributionPoint {
  readonly name: DistributionPointName | undefined;
  readonly reasons: ReadonlySet<RevocationReason> | undefined;
  readonly crlIssuer: readonly AlternativeName[] | undefined;
}

export interface AccessDescription {
  /** Dotted OID: 1.3.6.1.5.5.7.48.1 OCSP, 1.3.6.1.5.5.7.48.2 caIssuers. */
  readonly method: string;
  readonly location: AlternativeName;
}

export interface CertificateFacts {
  /** DER as received. */
  readonly der: Uint8Array;
  /** Lower-case hex SHA-256 of the DER. */
  readonly sha256: string;
  /** Base64 SHA-256 of the SubjectPublicKeyInfo: what `pins: [sha256/...]` compares. */
  readonly spkiSha256: string;
  readonly version: 1 | 2 | 3;
  /** Lower-case hex of the number, without a sign octet (`-` in front of a negative one). */
  readonly serial: string;
  /** Content octets of the INTEGER. */
  readonly serialOctets: Uint8Array;
  readonly subject: readonly NameAttribute[];
  readonly issuer: readonly NameAttribute[];
  /** RFC 4514 strings, for people only: never compared. */
  readonly subjectText: string;
  readonly issuerText: string;
  /** The Name elements as they stand. */
  readonly subjectDer: Uint8Array;
  readonly issuerDer: Uint8Array;
  readonly subjectKeys: NameKeys;
  readonly issuerKeys: NameKeys;
  /** Milliseconds since 1970, both inclusive (RFC 5280 §4.1.2.5). */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Whether each was written as GeneralizedTime (RFC 5280 §4.1.2.5 asks for it from 2050 on, and only then). */
  readonly generalizedTimes: { readonly notBefore: boolean; readonly notAfter: boolean };
  readonly selfIssued: boolean;
  readonly publicKey: PublicKeyFacts;
  /** Of the signature on this certificate; the same inside and outside, or the certificate is malformed. */
  readonly signatureAlgorithm: AlgorithmFacts;
  readonly signature: Uint8Array;
  /** TBSCertificate: what the signature covers. */
  readonly tbs: Uint8Array;
  readonly uniqueIds: { readonly issuer: boolean; readonly subject: boolean };
  /** All extensions in their order, each OID once. */
  readonly extensions: readonly Extension[];
  /** undefined: the extension is absent, which is not the same as an empty list. */
  readonly subjectAltNames: readonly AlternativeName[] | undefined;
  /** Dotted OIDs; undefined where the extension is absent. */
  readonly extendedKeyUsage: readonly string[] | undefined;
  readonly keyUsage: ReadonlySet<KeyUsageBit> | undefined;
  readonly basicConstraints: BasicConstraints | undefined;
  /** basicConstraints is present with cA TRUE. */
  readonly isCa: boolean;
  readonly nameConstraints: NameConstraints | undefined;
  readonly policies: readonly string[] | undefined;
  /** OIDs of the qualifiers of all policies. */
  readonly policyQualifiers: readonly string[] | undefined;
  readonly policyMappings: readonly PolicyMapping[] | undefined;
  readonly policyConstraints: PolicyConstraints | undefined;
  readonly inhibitAnyPolicy: number | undefined;
  readonly authorityKeyIdentifier: AuthorityKeyIdentifier | undefined;
  readonly subjectKeyIdentifier: Uint8Array | undefined;
  readonly crlDistributionPoints: readonly DistributionPoint[] | undefined;
  readonly authorityInfoAccess: readonly AccessDescription[] | undefined;
}

export type KeyUsageBit =
  | 'digitalSignature'
  | 'nonRepudiation'
  | 'keyEncipherment'
  | 'dataEncipherment'
  | 'keyAgreement'
  | 'keyCertSign'
  | 'cRLSign'
  | 'encipherOnly'
  | 'decipherOnly';
