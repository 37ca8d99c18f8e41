/** What may stand above a certificate: candidates by name, and how a certificate says which of them it means. */

import { type CertificateFacts, integerHex } from '../certificate/index.js';
import { hex, MalformedDer } from '../der/index.js';
import { directoryTexts } from '../revocation/index.js';

/** Certificates of one subject. */
export interface Issuers {
  readonly list: CertificateFacts[];
  /** Their subjectKeyIdentifiers; one without has any. */
  readonly keyIdentifiers: Set<string>;
}

export const identifierText = (identifier: Uint8Array | undefined): string =>
  identifier === undefined ? '' : hex(identifier);

/** The certificate that authorityCertIssuer and authorityCertSerialNumber name; undefined: none that can be read. */
export function issuerSerialText({ authorityKeyIdentifier }: CertificateFacts): string | undefined {
  const { issuer, serial } = authorityKeyIdentifier ?? {};
  if (issuer === undefined || serial === undefined) return undefined;
  try {
    return `${directoryTexts(issuer)[0] ?? ''} ${integerHex(serial)}`;
  } catch (cause) {
    if (cause instanceof MalformedDer) return undefined;
    throw cause;
  }
}
