/**
 * What else a peer sent besides its own certificate (`tls.chain`), as a proxy can put it into a question: PEM, several
 * certificates in one text, urlencoded PEM, base64 DER, or a list of those. The proxy may repeat the leaf and may write
 * `<null>` for what it has not. All of it is foreign: bounded before it is read, and never more than a help to build paths.
 */

import type { PeerChain } from '../../trust/evidence/index.js';
import type { CertificateFacts } from '../../x509/certificate/index.js';

/** Reads a certificate as the proxy gives it: PEM, urlencoded PEM or base64 DER. */
export type CertificateReader = (text: string) => CertificateFacts | { readonly malformed: string };

/** A chain of a public CA has two or three certificates, one of cross-certified operators some more. */
export const MOST_CHAIN_CERTIFICATES = 8;
/** All of the text, as it was given. */
export const MOST_CHAIN_OCTETS = 64 * 1024;

/** One certificate in PEM. In urlencoded text a blank may be written as `+`. No part of it can match a "-" twice. */
const BLOCK = /-----BEGIN[ +][^-]*-----[^-]*-----END[ +][^-]*-----/g;
const SEPARATORS = /[,;|]/;

/**
 * The certificates in `given`, each once and without the leaf; what cannot be read is left out, with the reason.
 * undefined: the proxy gave none.
 */
export function readChain(
  given: string | readonly (string | null)[],
  leaf: CertificateFacts | undefined,
  read: CertificateReader,
): PeerChain | undefined {
  const texts = (typeof given === 'string' ? [given] : given).filter((text) => text !== null);
  const ignored: string[] = [];
  const found = new Map<string, CertificateFacts>();
  let elements = 0;
  let octets = 0;
  for (const text of texts) {
    octets += text.length;
    if (octets > MOST_CHAIN_OCTETS) {
      ignored.push(`expected at most ${MOST_CHAIN_OCTETS} octets in all, found more`);
      break;
    }
    for (const element of split(text)) {
      elements += 1;
      if (elements > MOST_CHAIN_CERTIFICATES) break;
      const facts = read(copied(element));
      if ('malformed' in facts) ignored.push(`certificate ${elements}: ${facts.malformed}`);
      else if (facts.sha256 !== leaf?.sha256) found.set(facts.sha256, facts);
    }
    if (elements > MOST_CHAIN_CERTIFICATES) {
      ignored.push(`expected at most ${MOST_CHAIN_CERTIFICATES} certificates, found more`);
      break;
    }
  }
  if (found.size === 0 && ignored.length === 0) return undefined;
  return { certificates: [...found.values()], ignored };
}

/** The texts of single certificates. Text around PEM blocks explains them (RFC 7468 §2). */
function split(text: string): readonly string[] {
  const plain = decoded(text).replaceAll('<null>', ',');
  const blocks = plain.match(BLOCK)?.map((block) => block.replace(/^(-----BEGIN)\+|(-----END)\+/g, '$1$2 '));
  const begun = plain.split('-----BEGIN').length - 1;
  if (begun === 0) return plain.split(SEPARATORS).filter((part) => part.trim() !== '');
  // A block that was cut off says so itself when it is read.
  const cut = begun > (blocks?.length ?? 0) ? [plain.slice(plain.lastIndexOf('-----BEGIN'))] : [];
  return [...(blocks ?? []), ...cut];
}

/** A part of a text keeps the whole of it in memory: a cache that counts the part would hold more than it counts. */
function copied(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}

/** Percent escapes as their octets: a broken one stays, and makes its own certificate unreadable and no other. */
function decoded(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, octet: string) => String.fromCharCode(Number.parseInt(octet, 16)));
}
