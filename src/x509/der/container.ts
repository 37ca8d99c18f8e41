/** Files that people take for certificates: what they are, and how to get the certificates out of them. */

interface Container {
  readonly is: string;
  readonly next: string;
  /** What a PEM text of this kind has as its first label. */
  readonly labels: readonly string[];
  /** How the DER of this kind begins, in hex, behind the outer SEQUENCE and its length. */
  readonly begins?: RegExp;
}

const CONTAINERS: readonly Container[] = [
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
    is: 'a certificate request',
    next: 'expected is what the CA makes of it',
    labels: ['CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST'],
  },
  {
    is: 'a private key',
    next: 'siptrust needs none: name the certificate',
    labels: ['PRIVATE KEY', 'ENCRYPTED PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY', 'OPENSSH PRIVATE KEY'],
  },
  {
    is: 'a public key',
    next: 'expected is the certificate that bears it',
    labels: ['PUBLIC KEY', 'RSA PUBLIC KEY'],
  },
  {
    is: 'a CRL',
    next: 'it belongs to `crls` of an agreement',
    labels: ['X509 CRL', 'CRL'],
  },
];

/** Further than this into a file no first label is looked for. */
const MOST_BEFORE = 65_536;

/** What a file is that is no certificate, and the next step; undefined where it is nothing known. */
export function knownContainer(bytes: Uint8Array): string | undefined {
  if (isUtf16(bytes)) return 'this is text in UTF-16: save it as ASCII or UTF-8';
  const found = CONTAINERS.find((each) => isPem(bytes, each) || isDer(bytes, each));
  return found && `this is ${found.is}: ${found.next}`;
}

/** What Windows tools write by default: a byte-order mark, or a NUL beside each letter. */
export function isUtf16(bytes: Uint8Array): boolean {
  const [first, second] = bytes;
  const marked = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  return marked || (first === 0x2d && second === 0) || (first === 0 && second === 0x2d);
}

function isPem(bytes: Uint8Array, { labels }: Container): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, MOST_BEFORE)).toString('latin1');
  const label = /-----BEGIN ([^-\r\n]{1,40})-----/.exec(text)?.[1];
  return label !== undefined && labels.includes(label);
}

function isDer(bytes: Uint8Array, { begins }: Container): boolean {
  if (begins === undefined || bytes[0] !== 0x30) return false;
  const length = bytes[1] ?? 0;
  const content = length < 0x80 || length > 0x84 ? 2 : 2 + (length & 0x7f);
  return begins.test(Buffer.from(bytes.subarray(content, content + 16)).toString('hex'));
}
