/** What the proxy saw of the peer, taken from its transport and TLS stack, never from SIP headers. */

import type { CertificateFacts } from '../../x509/certificate/index.js';
import type { Direction } from '../agreement/index.js';

/** `unknown`: nothing is known of the connection that a message names. */
export type Transport = 'udp' | 'tcp' | 'tls' | 'ws' | 'wss' | 'sctp' | 'unknown';

/** What else the peer sent besides its own certificate. It helps to build paths and is trusted by nothing. */
export interface PeerChain {
  /** Each once, in the order they came; the leaf is none of them. */
  readonly certificates: readonly CertificateFacts[];
  /** Why others that came were left out. */
  readonly ignored: readonly string[];
}

export interface TlsEvidence {
  /** Facts, or why the certificate that was sent cannot be read; undefined: none was sent. */
  readonly certificate: CertificateFacts | { readonly malformed: string } | undefined;
  /** Absent: the proxy gave none. */
  readonly chain?: PeerChain;
  /** Whether the TLS stack of the proxy verified the certificate. */
  readonly verified: boolean;
  /** As the stack prints them, for example `TLSv1.3`, `TLS_AES_256_GCM_SHA384`; undefined: not told. */
  readonly version: string | undefined;
  readonly cipher: string | undefined;
  readonly sni: string | undefined;
  /** What a proxy that cannot give the certificate tells of it (`subject`, `issuer`, `san`, `serial`, ...). */
  readonly attributes: Readonly<Record<string, string>> | undefined;
}

export interface Evidence {
  readonly direction: Direction;
  readonly transport: Transport;
  readonly connectionId: string | undefined;
  /** Addresses as canonical text without brackets (IPv4-mapped IPv6 as IPv4). */
  readonly sourceAddress: string | undefined;
  readonly sourcePort: number | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  readonly tls: TlsEvidence | undefined;
  /** out: the domain that went into RFC 3263, before NAPTR and SRV. */
  readonly nextHop: string | undefined;
}

/** Whether the hop is protected by TLS, as the transport says. */
export function isOverTls({ transport }: Evidence): boolean {
  return transport === 'tls' || transport === 'wss';
}
