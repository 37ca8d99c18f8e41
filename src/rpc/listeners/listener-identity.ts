/** What the HTTPS listener shows to those who connect, and when that ends. */

import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { TlsSettings } from '../../policy/settings/index.js';
import type { Ends } from '../../state/expiry/index.js';
import type { TlsIdentity } from '../wire/index.js';

/**
 * Key and certificate of the listener. When it ends is told in time.
 * @throws {Error} a file cannot be read, or key and certificate do not belong together
 */
export function readIdentity({ certificate, key }: TlsSettings, ends: Ends): TlsIdentity {
  try {
    const identity = { cert: readFileSync(certificate), key: readFileSync(key) };
    createSecureContext(identity);
    ends.listener = endOf(identity.cert);
    return identity;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`https listener: ${certificate} and ${key}: expected a certificate and its key in PEM: ${why}`, {
      cause,
    });
  }
}

/** As `readIdentity`, where no listener is opened. What is wrong with the file, siptrustd says when it starts. */
export function lookAtIdentity({ certificate }: TlsSettings, ends: Ends): void {
  try {
    ends.listener = endOf(readFileSync(certificate));
  } catch {
    ends.listener = undefined;
  }
}

/** Of an empty subject Node makes none at all: the names are in subjectAltName then (RFC 5280 §4.1.2.6). */
function endOf(pem: Buffer): NonNullable<Ends['listener']> {
  const { subject, subjectAltName, validFrom, validTo } = new X509Certificate(pem);
  const name = subject || subjectAltName || '(empty name)';
  return {
    subject: name.split('\n').reverse().join(','),
    notBefore: Date.parse(validFrom),
    notAfter: Date.parse(validTo),
  };
}
