import type { CrlFacts } from '../x509/crl.js';

/** TEMPORARY until x509/crl.ts reads CRLs. */
export function parseCrl(_der: Uint8Array): CrlFacts {
  throw new Error('CRLs cannot be read yet');
}
