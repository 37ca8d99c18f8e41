/** The door of this room: a certificate held against the profiles of TS 33.310. */

export { type CertificateKind, type LintFinding, lintCertificate } from './profile.js';
