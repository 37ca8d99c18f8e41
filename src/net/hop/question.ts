/** The question about a next hop, and its answer: what stands in a URI, what we can use, and the targets in their order. */

import type { Finding } from '../../reasons.js';
import type { DnsQuery } from '../dns/index.js';
import type { HopTransport } from './transport.js';

/** What stands in the URI that the request goes to: topmost Route, else Request-URI (RFC 3261 §16.6 step 7). */
export interface NextHopQuestion {
  readonly scheme: 'sip' | 'sips';
  /** Domain in lower-case A-labels, or address in canonical text. */
  readonly host: { readonly kind: 'domain'; readonly name: string } | { readonly kind: 'ip'; readonly address: string };
  readonly port: number | undefined;
  /** Value of the transport parameter. */
  readonly transport: string | undefined;
}

export interface NextHopOptions {
  /** What the proxy can use, best first. */
  readonly transports: readonly HopTransport[];
  /** Address families that it can use, best first (RFC 7984 §3). */
  readonly families: readonly ('A' | 'AAAA')[];
  /** `required`: an agreement asks for TLS, so only TLS is looked for, as with sips: (N-12). */
  readonly tls: 'optional' | 'required';
  /** After TLS, also try what is less secure (N-9). Such targets are marked. */
  readonly allowTlsFallback: boolean;
  /** The domain was seen to offer TLS before (N-11). */
  readonly tlsSeen: boolean;
  /** Decides among equal SRV records; the same for all requests of a transaction (RFC 3263 §4.4). */
  readonly seed: number;
}

export interface NextHopTarget {
  readonly transport: HopTransport;
  readonly secure: boolean;
  readonly address: string;
  readonly port: number;
  /** The domain that the certificate must name and that goes into SNI; undefined: an address was asked for (O-6). */
  readonly reference: string | undefined;
  /** Less secure than what the domain offers before it; only with `allowTlsFallback`. */
  readonly fallback: boolean;
}

/** Whether the next hop does TLS, as far as URI and DNS tell (rulebook §7.2). */
export type TlsCapability = 'yes' | 'no' | 'unknown';

export interface NextHopAnswer {
  readonly kind: 'done';
  /** In the order in which they are tried; the next one after a 503, a timeout, a failed handshake or a wrong name. */
  readonly targets: readonly NextHopTarget[];
  readonly tls: TlsCapability;
  /** Seconds for which the answer holds. */
  readonly ttl: number;
  /** DNS was asked, and every answer that this rests on was validated (RFC 7673 §3, rulebook N-19). */
  readonly authentic: boolean;
  /** DNS records of the domain offer TLS, whatever the URI says and an agreement demands (N-11). */
  readonly tlsOffered: boolean;
  readonly findings: readonly Finding[];
}

export type NextHopStep = { readonly kind: 'ask'; readonly queries: readonly DnsQuery[] } | NextHopAnswer;
