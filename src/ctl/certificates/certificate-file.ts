import type { CertificateCache } from '../../state/verdicts/index.js';
import type { CertificateFacts } from '../../x509/certificate/index.js';
import { knownContainer, readPem } from '../../x509/der/index.js';
import { namedFile, Refusal } from '../terminal/index.js';

/**
 * The certificates of a file, PEM or DER, in its order.
 * @throws {Refusal}
 */
export function certificateFile(file: string, certificates: CertificateCache): readonly CertificateFacts[] {
  return certificatesIn(file, namedFile(file), certificates);
}

/**
 * The certificates of what stands in a file, PEM or DER, in its order.
 * @throws {Refusal}
 */
export function certificatesIn(
  file: string,
  text: Buffer,
  certificates: CertificateCache,
): readonly CertificateFacts[] {
  const known = knownContainer(text);
  const refused = (why: string, cause?: unknown) =>
    new Refusal(`${file}: ${why}${known === undefined ? '' : ` (${known})`}`, 2, { cause });
  const pem = text.includes('-----BEGIN');
  // DER begins with the tag of a SEQUENCE.
  if (!pem && text[0] !== 0x30) {
    const found = text.length === 0 ? 'nothing' : 'neither';
    throw refused(`expected a certificate, in PEM (-----BEGIN CERTIFICATE-----) or in DER, found ${found}`);
  }
  return (pem ? blocks(text.toString('latin1'), refused) : [text]).map((der) => {
    const facts = certificates.read(Buffer.from(der).toString('base64'));
    if ('malformed' in facts) throw new Refusal(`${file}: ${facts.malformed}`, 2);
    return facts;
  });
}

function blocks(text: string, refused: (why: string, cause: unknown) => Refusal): readonly Uint8Array[] {
  try {
    return readPem(text);
  } catch (cause) {
    throw refused(cause instanceof Error ? cause.message : String(cause), cause);
  }
}
