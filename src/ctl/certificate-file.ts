import { readFileSync } from 'node:fs';
import type { CertificateCache } from '../state/certificate-cache.js';
import type { CertificateFacts } from '../x509/facts.js';
import { readPem } from '../x509/pem.js';
import { Refusal } from './failure.js';

/**
 * The certificates of a file, PEM or DER, in its order.
 * @throws {Refusal}
 */
export function certificateFile(file: string, certificates: CertificateCache): readonly CertificateFacts[] {
  let text: Buffer;
  try {
    text = readFileSync(file);
  } catch (cause) {
    throw new Refusal(`${file}: ${cause instanceof Error ? cause.message : String(cause)}`, 2, { cause });
  }
  const pem = text.includes('-----BEGIN');
  const ders = pem ? pemFile(file, text.toString('latin1')) : [text];
  return ders.map((der) => {
    const facts = certificates.read(Buffer.from(der).toString('base64'));
    if ('malformed' in facts) throw new Refusal(`${file}: ${facts.malformed}`, 1);
    return facts;
  });
}

function pemFile(file: string, text: string): readonly Uint8Array[] {
  try {
    return readPem(text);
  } catch (cause) {
    throw new Refusal(`${file}: ${cause instanceof Error ? cause.message : String(cause)}`, 1, { cause });
  }
}
