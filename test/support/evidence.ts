/** What a proxy tells of a hop: as params of a question, and as the evidence that is made of them. */

import type { Evidence, TlsEvidence } from '../../src/trust/evidence/evidence.js';
import type { CertificateFacts } from '../../src/x509/certificate/facts.js';

const WORDS = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' };

/** A TLS connection to us on which no certificate was presented; `over` replaces what a test is about. */
export function evidenceWith(over: Partial<Evidence> = {}): Evidence {
  return {
    direction: 'in',
    transport: 'tls',
    connectionId: '7',
    sourceAddress: '192.0.2.1',
    sourcePort: 40_000,
    localAddress: '198.51.100.1',
    localPort: 5061,
    tls: tlsWith(undefined),
    nextHop: undefined,
    ...over,
  };
}

/** What the TLS stack says: that it has verified the certificate, where there is one. */
export function tlsWith(certificate: TlsEvidence['certificate'], over: Partial<TlsEvidence> = {}): TlsEvidence {
  const verified = certificate !== undefined;
  return { certificate, verified, ...WORDS, sni: undefined, attributes: undefined, ...over };
}

/** A TLS connection on which the peer presented this certificate, and the stack has verified it. */
export function presenting(
  certificate: TlsEvidence['certificate'],
  tls: Partial<TlsEvidence> = {},
  over: Partial<Evidence> = {},
): Evidence {
  return evidenceWith({ tls: tlsWith(certificate, tls), ...over });
}

/** The peer sent these after its certificate; none: nothing is said of them. */
export function sent(certificates: readonly CertificateFacts[]): Partial<TlsEvidence> {
  return certificates.length === 0 ? {} : { chain: { certificates, ignored: [] } };
}

/** Params of a question about such a connection, as Kamailio asks it. */
export function question<Pem extends string | undefined>(
  pem: Pem,
  over: Readonly<Record<string, unknown>> = {},
  tls: Readonly<Record<string, unknown>> = {},
) {
  return {
    ...{ direction: 'in', proto: 'tls', src_ip: '192.0.2.1', rcv_ip: '198.51.100.1', rcv_port: 5061 },
    ...over,
    tls: tlsWords(pem, tls),
  };
}

/** What it says there of the TLS connection, whose certificate its stack has verified. */
export function tlsWords<Pem extends string | undefined>(pem: Pem, more: Readonly<Record<string, unknown>> = {}) {
  return { pem, verified: 1, ...WORDS, ...more };
}
