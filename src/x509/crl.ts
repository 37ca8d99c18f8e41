/** Certificate revocation lists: facts of one CRL and the look-up of a certificate in it (RFC 5280 §5, §6.3). */

export interface CrlFacts {
  readonly der: Uint8Array;
  readonly sha256: string;
  readonly issuerText: string;
  /** Milliseconds since 1970; a CRL without nextUpdate is unusable (rulebook K-2). */
  readonly thisUpdate: number;
  readonly nextUpdate: number | undefined;
}
