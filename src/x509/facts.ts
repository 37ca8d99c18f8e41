/** What siptrust knows of a certificate: a plain frozen record, keyed by its SHA-256. No ASN.1 type leaves x509/. */

/** One attribute of a distinguished name, in the order of the certificate. */
export interface NameAttribute {
  /** Dotted OID. */
  readonly oid: string;
  /** Short name as in RFC 4514 (`CN`, `O`, `OU`, `C`, `ST`, `L`, `DC`, ...), or the OID. */
  readonly type: string;
  readonly value: string;
  /** Universal tag of the string type (12 UTF8String, 19 PrintableString, ...). */
  readonly tag: number;
}

/** One GeneralName of a subjectAltName, with its bytes as they stand in the certificate (no decoding). */
export interface AlternativeName {
  readonly type: 'other' | 'email' | 'dns' | 'x400' | 'directory' | 'edi' | 'uri' | 'ip' | 'rid';
  readonly bytes: Uint8Array;
}

export interface CertificateFacts {
  /** DER as received. */
  readonly der: Uint8Array;
  /** Lower-case hex SHA-256 of the DER. */
  readonly sha256: string;
  /** Base64 SHA-256 of the SubjectPublicKeyInfo: what `pins: [sha256/...]` compares. */
  readonly spkiSha256: string;
  readonly serial: string;
  readonly subject: readonly NameAttribute[];
  readonly issuer: readonly NameAttribute[];
  /** RFC 4514 strings, for people only: never compared. */
  readonly subjectText: string;
  readonly issuerText: string;
  /** Milliseconds since 1970, both inclusive (RFC 5280 §4.1.2.5). */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly selfIssued: boolean;
  /** undefined: the extension is absent, which is not the same as an empty list. */
  readonly subjectAltNames: readonly AlternativeName[] | undefined;
  /** Dotted OIDs; undefined where the extension is absent. */
  readonly extendedKeyUsage: readonly string[] | undefined;
  readonly keyUsage: ReadonlySet<KeyUsageBit> | undefined;
  readonly isCa: boolean;
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
