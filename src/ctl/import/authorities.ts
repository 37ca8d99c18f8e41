/** CA certificates at hand: which of them are above a certificate, and the files that they go to. */

import { createPublicKey, X509Certificate } from 'node:crypto';
import type { CertificateFacts } from '../../x509/certificate/index.js';
import { writePem } from '../../x509/der/index.js';

/** Longest chain that is followed. */
const MOST_DEPTH = 8;

/** Whether the key of a CA made the signature of a certificate. */
export function verifies(facts: CertificateFacts, { publicKey }: CertificateFacts): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey.der), format: 'der', type: 'spki' });
    return new X509Certificate(facts.der).verify(key);
  } catch {
    return false;
  }
}

/** The CAs at hand, and the files of those that agreements name. */
export class Authorities {
  readonly #bySubject = new Map<string, CertificateFacts[]>();
  readonly #files = new Map<string, string>();
  readonly #texts: Record<string, string> = {};

  add(facts: CertificateFacts): void {
    const list = this.#bySubject.get(facts.subjectKeys.text) ?? [];
    if (list.some(({ sha256 }) => sha256 === facts.sha256)) return;
    list.push(facts);
    this.#bySubject.set(facts.subjectKeys.text, list);
  }

  /** The CAs above a certificate, the highest that is at hand last; undefined where there is none. */
  above(facts: CertificateFacts): readonly CertificateFacts[] | undefined {
    const path: CertificateFacts[] = [];
    let below = facts;
    while (path.length < MOST_DEPTH && !(below.selfIssued && below !== facts)) {
      const signers = (this.#bySubject.get(below.issuerKeys.text) ?? []).filter((ca) => verifies(below, ca));
      // Of one key with several certificates the root is the end of the search.
      const next = signers.find(({ selfIssued }) => selfIssued) ?? signers[0];
      if (next === undefined || path.includes(next)) break;
      path.push(next);
      below = next;
    }
    return path.length === 0 ? undefined : path;
  }

  /** Name of the file that a CA certificate goes to. */
  file(facts: CertificateFacts): string {
    const known = this.#files.get(facts.sha256);
    if (known !== undefined) return known;
    const common = facts.subject.find(({ type }) => type === 'CN')?.value ?? facts.subjectText;
    const plain =
      common
        .replaceAll(/[^A-Za-z0-9]+/g, '-')
        .replaceAll(/^-|-$/g, '')
        .toLowerCase()
        .slice(0, 40) || 'ca';
    const name = `${plain}-${facts.sha256.slice(0, 8)}.pem`;
    this.#files.set(facts.sha256, name);
    this.#texts[name] = writePem(facts.der);
    return name;
  }

  used(): Readonly<Record<string, string>> {
    return this.#texts;
  }
}
