import { LRUCache } from 'lru-cache';
import type { CertificateFacts } from '../../x509/certificate/index.js';
import type { OcspResponse } from '../../x509/revocation/index.js';

/** Reads a response in DER. Throws where it cannot be read, or is an error of the responder. */
export type OcspReader = (der: Uint8Array) => OcspResponse;

/** As many responders as a policy has, and more. */
const MOST_RESPONDERS = 200;

/**
 * The reader of OCSP responses. ASN.1 for it costs tens of milliseconds and megabytes, which only those pay who ask
 * responders. Responses on thousands of certificates bring the same responder's certificate along: it is kept once.
 */
export async function openOcspReader(): Promise<OcspReader> {
  const { parseOcspResponse } = await import('../../x509/revocation/index.js');
  const responders = new LRUCache<string, CertificateFacts>({ max: MOST_RESPONDERS });
  return (der) => {
    const response = parseOcspResponse(der);
    const certificates = response.certificates.map((each) => {
      const known = responders.get(each.sha256) ?? each;
      responders.set(each.sha256, known);
      return known;
    });
    return Object.freeze({ ...response, certificates: Object.freeze(certificates) });
  };
}
