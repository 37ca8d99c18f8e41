/** The door of this room: a certificate as facts, its names and keys, and what signs it (RFC 5280 §4). */

export { unusualAlgorithm, weakAlgorithm, weakKey } from './algorithms.js';
export { Budget, BudgetExhausted } from './budget.js';
export { integerHex, MalformedCertificate, parseCertificate } from './certificate.js';
export { certificateName } from './certificate-name.js';
export {
  EXTENSION,
  EXTENSION_NAMES,
  extensionText,
  isKnownExtension,
  REASON_BITS,
  readDistributionPointName,
  readReasons,
} from './extensions.js';
export type {
  AlgorithmFacts,
  AlternativeName,
  CertificateFacts,
  DistributionPoint,
  DistributionPointName,
  Extension,
  KeyUsageBit,
  NameAttribute,
  NameKeys,
  RevocationReason,
} from './facts.js';
export { generalNameText, readGeneralNames } from './general-name.js';
export { keyIdentifiersAgree, keyIdentifiersDiffer, OTHER_KEY } from './key-identifiers.js';
export { parseName, readName, relativeNameKey, stringTypeName } from './name.js';
export { constraintDefect, NameCheck } from './name-constraints.js';
export { isSelfSigned } from './self-signed.js';
export { brokenKey, type Signed, signatureVerifies, signatureVerifiesInSteps } from './signature.js';
export { readAlgorithm, readSigned, sameAlgorithmInside, wholeOctets } from './signed.js';
