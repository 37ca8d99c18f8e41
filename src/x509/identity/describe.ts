/** A certificate in words: what `cert show` prints. */

import type { AlternativeName, CertificateFacts } from '../certificate/index.js';
import { sipIdentities } from './identity.js';

/** Bytes of a name as text: printable ASCII as it is, anything else escaped, so that nothing hides. */
function shown({ type, bytes }: AlternativeName): string {
  if (type === 'ip') return `ip:${[...bytes].join(bytes.length === 4 ? '.' : ',')}`;
  const text = Array.from(bytes, (byte) =>
    byte >= 0x20 && byte <= 0x7e && byte !== 0x5c
      ? String.fromCharCode(byte)
      : `\\x${byte.toString(16).padStart(2, '0')}`,
  ).join('');
  return `${type}:${text}`;
}

/** The facts that an operator asks for, flat and printable. */
export function describeCertificate(facts: CertificateFacts) {
  const identities = sipIdentities(facts, { cnFallback: false });
  return {
    subject: facts.subjectText,
    issuer: facts.issuerText,
    serial: facts.serial,
    not_before: new Date(facts.notBefore).toISOString(),
    not_after: new Date(facts.notAfter).toISOString(),
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
