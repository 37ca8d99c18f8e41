/** A certificate in words: what `cert show` prints. */

import { printable } from '../../printable.js';
import { type AlternativeName, type CertificateFacts, generalNameText } from '../certificate/index.js';
import { instant } from '../der/index.js';
import { sipIdentities } from './identity.js';

/** Whole, with everything but printable ASCII escaped, so that nothing hides. */
function shown(name: AlternativeName): string {
  const { type, bytes } = name;
  if (type !== 'dns' && type !== 'uri' && type !== 'email') return generalNameText(name, Number.POSITIVE_INFINITY);
  return `${type}:${printable(Buffer.from(bytes).toString('latin1'), Number.POSITIVE_INFINITY)}`;
}

/** The facts that an operator asks for, flat and printable. */
export function describeCertificate(facts: CertificateFacts) {
  const identities = sipIdentities(facts, { cnFallback: false });
  return {
    subject: facts.subjectText,
    issuer: facts.issuerText,
    serial: facts.serial,
    not_before: instant(facts.notBefore),
    not_after: instant(facts.notAfter),
    ca: facts.isCa,
    subject_alt_names: (facts.subjectAltNames ?? []).map(shown),
    key_usage: [...(facts.keyUsage ?? [])],
    extended_key_usage: facts.extendedKeyUsage ?? [],
    identity_kind: identities.kind,
    identities: identities.names,
    remarks: identities.findings.map(({ code, detail }) => `${code}: ${detail}`),
    sha256: facts.sha256,
    pin: `sha256/${facts.spkiSha256}`,
  };
}
