/** The door of this room: CRLs and OCSP responses, and what they settle (RFC 5280 §6.3, RFC 6960). */

export { type CrlFacts, MalformedCrl, parseCrl, parseCrlInSteps } from './crl.js';
export { type CrlTimes, saysTheSame, whyClearsNobody, whyForeign, whyNarrower, whyOlder } from './crl-change.js';
export { directoryTexts } from './crl-entries.js';
export { whyUnsigned } from './crl-signer.js';
export { authorityLocations, crlLocations, ocspLocations } from './locations.js';
export {
  DEFAULT_OCSP_RULES,
  MAX_OCSP_OCTETS,
  type OcspAnswer,
  type OcspAnswers,
  type OcspResponse,
  type OcspRules,
  ocspEntry,
  ocspStatus,
} from './ocsp.js';
export { certIdOf, nonceValue, writeOcspRequest } from './ocsp-request.js';
export { parseOcspResponse } from './ocsp-response.js';
export { either, type RevocationStatus, revocationStatus } from './revocation.js';
export type { ListSigner } from './revocation-context.js';
