/** Where a certificate says that its revocation status and its issuer can be had (RFC 5280 §4.2.1.13, §4.2.2.1). */

import type { AlternativeName, CertificateFacts } from '../certificate/index.js';
import { MalformedDer } from '../der/index.js';
import { directoryTexts } from './crl-entries.js';

export interface CrlLocation {
  readonly url: string;
  /** Key texts of the names that may have issued the list: cRLIssuer, or the issuer of the certificate. */
  readonly issuers: readonly string[];
}

/** URIs of cRLDistributionPoints, in their order, whatever their scheme. */
export function crlLocations({ crlDistributionPoints, issuerKeys }: CertificateFacts): readonly CrlLocation[] {
  return (crlDistributionPoints ?? []).flatMap(({ name, crlIssuer }) => {
    const issuers = crlIssuer === undefined ? [issuerKeys.text] : readable(crlIssuer);
    return uris(name?.full ?? []).map((url) => ({ url, issuers }));
  });
}

const OCSP_METHOD = '1.3.6.1.5.5.7.48.1';

/** URIs of OCSP responders, in their order. */
export function ocspLocations({ authorityInfoAccess }: CertificateFacts): readonly string[] {
  const responders = (authorityInfoAccess ?? []).filter(({ method }) => method === OCSP_METHOD);
  return uris(responders.map(({ location }) => location));
}

const CA_ISSUERS_METHOD = '1.3.6.1.5.5.7.48.2';

/** URIs at which the certificate of the issuer can be had, in their order. */
export function authorityLocations({ authorityInfoAccess }: CertificateFacts): readonly string[] {
  const issuers = (authorityInfoAccess ?? []).filter(({ method }) => method === CA_ISSUERS_METHOD);
  return uris(issuers.map(({ location }) => location));
}

function uris(names: readonly AlternativeName[]): readonly string[] {
  return names.flatMap(({ type, bytes }) => (type === 'uri' ? [Buffer.from(bytes).toString('latin1')] : []));
}

/** A point whose CRL issuer cannot be read locates nothing. */
function readable(names: readonly AlternativeName[]): readonly string[] {
  try {
    return directoryTexts(names);
  } catch (cause) {
    if (cause instanceof MalformedDer) return [];
    throw cause;
  }
}
