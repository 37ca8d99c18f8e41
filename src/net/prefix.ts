/** IP addresses and prefixes as text and bytes. */

export interface AddressPrefix {
  /** 4 or 16 bytes, host bits zero. IPv4-mapped IPv6 is kept as IPv4. */
  readonly bytes: Uint8Array;
  readonly length: number;
  /** Canonical text, for example `192.0.2.0/28`. */
  readonly text: string;
}
