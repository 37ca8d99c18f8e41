/** What a proxy says of a TLS connection in its question, as Kamailio has it of a peer that its stack has verified. */
export function tlsWords<Pem extends string | undefined>(pem: Pem, more: Readonly<Record<string, unknown>> = {}) {
  return { pem, verified: 1, version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', ...more };
}
