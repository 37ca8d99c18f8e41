/** Files that people take for certificates or CRLs: what they are, and how to get the certificates out of them. */

import { hex, TAG } from './der.js';

const SEQUENCE = TAG.sequence;

interface Container {
  readonly is: string;
  readonly next: string;
  /** What a PEM text of this kind has as its first label. */
  readonly labels?: readonly string[];
  /** How the DER of this kind begins behind the outer SEQUENCE and its length, in hex; its own SEQUENCEs without lengths. */
  readonly begins?: RegExp;
  /** How a file of another kind begins, in hex. */
  readonly magic?: RegExp;
}

const CONTAINERS: readonly Container[] = [
  {
    is: 'a certificate',
    next: 'it belongs to `anchors` or `intermediates` of an agreement',
    labels: ['CERTIFICATE', 'X509 CERTIFICATE'],
    // version 3 (RFC 5280 §4.1).
    begins: /^30a003020102/,
  },
  {
    is: 'a PKCS#7 bundle (.p7b)',
    next: 'take the certificates out with: openssl pkcs7 -print_certs -in FILE -out FILE.pem (DER: with -inform DER)',
    labels: ['PKCS7', 'PKCS #7 SIGNED DATA', 'CMS'],
    // contentType: signedData (RFC 5652 §5.1).
    begins: /^06092a864886f70d010702/,
  },
  {
    is: 'a PKCS#12 file (.p12, .pfx)',
    next: 'take the certificates out with: openssl pkcs12 -nokeys -in FILE -out FILE.pem',
    labels: ['PKCS12'],
    // version 3, authSafe (RFC 7292 §4).
    begins: /^02010330/,
  },
  {
    is: 'a certificate with the trust settings of OpenSSL',
    next: 'take them off with: openssl x509 -in FILE -out FILE.pem',
    labels: ['TRUSTED CERTIFICATE'],
  },
  {
    is: 'a certificate request',
    next: 'expected is what the CA makes of it',
    labels: ['CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST'],
    // version 1, the subject (RFC 2986 §4.1).
    begins: /^3002010030/,
  },
  {
    is: 'a private key',
    next: 'siptrust needs none',
    labels: ['PRIVATE KEY', 'ENCRYPTED PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY', 'OPENSSH PRIVATE KEY'],
    // version 0 and an algorithm or a modulus (RFC 5208 §5, RFC 8017 §A.1.2), version 1 and the key (RFC 5915 §3); encrypted
    // (RFC 8018 §A, RFC 7292 §C).
    begins: /^(?:02010030|0201000282|02010104|3006(?:092a864886f70d0105|0a2a864886f70d010c01))/,
  },
  {
    is: 'a public key',
    next: 'expected is the certificate that bears it',
    labels: ['PUBLIC KEY', 'RSA PUBLIC KEY'],
    // The algorithms that TLS has begin with 1.2.840 or 1.3.101 (RFC 5280 §4.1.2.7).
    begins: /^3006(?:..2a8648|032b65)/,
  },
  {
    is: 'a Java keystore (.jks)',
    next: 'take a certificate out with: keytool -exportcert -rfc -alias NAME -keystore FILE -file FILE.pem',
    magic: /^feedfeed/,
  },
  { is: 'PEM in base64', next: 'decode it with: base64 -d FILE > FILE.pem', magic: /^4c5330744c5331435255644a5469/ },
  {
    is: 'base64 without the lines -----BEGIN and -----END',
    next: 'decode it with: base64 -d FILE > FILE.der',
    // "MII": a SEQUENCE of more than 255 octets.
    magic: /^4d4949/,
  },
  {
    is: 'a CRL',
    next: 'it belongs to `crls` of an agreement',
    // version 2, the algorithm (RFC 5280 §5.1).
    begins: /^3002010130/,
    labels: ['X509 CRL', 'CRL'],
  },
];

/** Further than this into a file no label is looked for. */
const MOST_BEFORE = 65_536;

/** What a file is that holds no block of this label, or another one too, and the next step; undefined where it is nothing known. */
export function knownContainer(bytes: Uint8Array, label = 'CERTIFICATE'): string | undefined {
  if (isUtf16(bytes)) return 'this is text in UTF-16: save it as ASCII or UTF-8';
  const others = CONTAINERS.filter(({ labels }) => labels?.includes(label) !== true);
  const first = otherLabel(bytes, label);
  const [start, der] = [head(bytes, 0), derHead(bytes)];
  const found = others.find(
    ({ labels, begins, magic }) =>
      (first !== undefined && labels?.includes(first)) ||
      magic?.test(start) ||
      (der !== undefined && begins?.test(der)),
  );
  return found && `this is ${found.is}: ${found.next}`;
}

/** What Windows tools write by default: a byte-order mark, or a NUL beside each letter. */
export function isUtf16(bytes: Uint8Array): boolean {
  const [first, second] = bytes;
  const marked = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  return marked || (first === 0x2d && second === 0) || (first === 0 && second === 0x2d);
}

/** The first label of a PEM text that is not the expected one. */
function otherLabel(bytes: Uint8Array, expected: string): string | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, MOST_BEFORE)).toString('latin1');
  for (const [, label] of text.matchAll(/-----BEGIN ([^-\r\n]{1,40})-----/g)) if (label !== expected) return label;
  return undefined;
}

/** What stands behind an outer SEQUENCE, in hex; of SEQUENCEs at its beginning the lengths are left out. */
function derHead(bytes: Uint8Array): string | undefined {
  if (bytes[0] !== SEQUENCE) return undefined;
  const content = (at: number): number => {
    const length = bytes[at + 1] ?? 0;
    return at + (length < 0x80 || length > 0x84 ? 2 : 2 + (length & 0x7f));
  };
  const from = content(0);
  return bytes[from] === SEQUENCE ? `30${head(bytes, content(from))}` : head(bytes, from);
}

const head = (bytes: Uint8Array, from: number): string => hex(bytes.subarray(from, from + 16));
