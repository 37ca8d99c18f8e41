/** PEM as RFC 7468 §2, §3 (strict on labels and base64, lax on line length, which every tool breaks). */

/** What is wrong with a PEM text: where, what was expected, what was found. */
export class MalformedPem extends Error {
  override readonly name = 'MalformedPem';
}

const BOUNDARY = /^-----(BEGIN|END) ([!-,.-~]+(?:[ -][!-,.-~]+)*)-----[ \t]*$/;
const BASE64_LINE = /^[A-Za-z0-9+/]*={0,2}$/;

/** Labels under which certificates travel; the second is the old name of the same thing (RFC 7468 §5.1). */
const CERTIFICATE_LABELS: readonly string[] = ['CERTIFICATE', 'X509 CERTIFICATE'];

/** The certificates (or, with `label`, the other blocks) of a PEM text, in its order. Other blocks are refused. */
export function readPem(text: string, label: 'CERTIFICATE' | 'X509 CRL' = 'CERTIFICATE'): Uint8Array[] {
  const labels = label === 'CERTIFICATE' ? CERTIFICATE_LABELS : [label, 'CRL'];
  const blocks: Uint8Array[] = [];
  let open: string | undefined;
  let base64 = '';
  const lines = text.split(/\r\n|\r|\n/);
  lines.forEach((line, index) => {
    const where = `line ${index + 1}`;
    const boundary = BOUNDARY.exec(line);
    if (boundary === null) {
      // Text between blocks explains them (RFC 7468 §2); a line that only looks like a boundary does not.
      if (open === undefined) {
        if (line.startsWith('-----')) {
          throw new MalformedPem(`${where}: expected -----BEGIN ${label}-----, found ${quote(line)}`);
        }
        return;
      }
      const content = line.trim();
      if (!BASE64_LINE.test(content)) throw new MalformedPem(`${where}: expected base64, found ${quote(line)}`);
      if (base64.endsWith('=') && content !== '') {
        throw new MalformedPem(`${where}: expected -----END ${open}----- after the padding, found ${quote(line)}`);
      }
      base64 += content;
      return;
    }
    const [, kind, name] = boundary;
    if (kind === 'BEGIN') {
      if (open !== undefined) throw new MalformedPem(`${where}: expected -----END ${open}-----, found another BEGIN`);
      if (!labels.includes(name ?? '')) {
        throw new MalformedPem(`${where}: expected a block labelled ${label}, found ${quote(name ?? '')}`);
      }
      open = name;
      base64 = '';
      return;
    }
    if (open === undefined || open !== name) {
      const expected = open === undefined ? `-----BEGIN ${label}-----` : `-----END ${open}-----`;
      throw new MalformedPem(`${where}: expected ${expected}, found ${quote(line)}`);
    }
    blocks.push(decodeBase64(base64, where));
    open = undefined;
  });
  if (open !== undefined) throw new MalformedPem(`line ${lines.length}: expected -----END ${open}-----, found the end`);
  if (blocks.length === 0) throw new MalformedPem(`expected -----BEGIN ${label}-----, found no PEM block`);
  return blocks;
}

function decodeBase64(base64: string, where: string): Uint8Array {
  const octets = Buffer.from(base64, 'base64');
  // Node skips what it cannot read; only text that encodes back to itself was base64 (RFC 4648 §3.5 stray bits too).
  if (octets.length === 0 || octets.toString('base64') !== base64) {
    throw new MalformedPem(`${where}: expected padded base64 above, found ${base64.length} characters that are not`);
  }
  return new Uint8Array(octets);
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}...` : text);
}

/** PEM text of one DER value. */
export function writePem(der: Uint8Array, label = 'CERTIFICATE'): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
