/** Real certificates, made by the openssl command from extension lines. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseCertificate } from '../../src/x509/certificate/certificate.js';
import type { CertificateFacts } from '../../src/x509/certificate/facts.js';
import { readPem } from '../../src/x509/der/pem.js';

export interface CertificateRequest {
  /** As `-subj` takes it. */
  readonly subject?: string;
  /** Lines of an extension section of openssl.cnf. */
  readonly extensions?: readonly string[];
  /** What `openssl genpkey` takes. */
  readonly key?: readonly string[];
  readonly digest?: string;
  readonly days?: number;
  /** Issued by a CA `/O=Operator B/CN=Operator B CA`; else self-signed. */
  readonly issued?: boolean;
}

const EC_KEY = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'];

/** Makes certificates in a directory of its own; `close` removes it. */
export class CertificateMaker {
  readonly #directory = mkdtempSync(join(tmpdir(), 'siptrust-certificates-'));
  readonly #keys = new Map<string, string>();
  #ca: string | undefined;
  #made = 0;

  make(request: CertificateRequest = {}): CertificateFacts {
    const file = this.#file('pem');
    const issuer = request.issued ? ['-CA', this.#authority(), '-CAkey', this.#key(EC_KEY)] : [];
    this.#request(file, request, issuer);
    const [der] = readPem(readFileSync(file, 'latin1'));
    if (!der) throw new Error('openssl made no certificate');
    return parseCertificate(der);
  }

  close(): void {
    rmSync(this.#directory, { recursive: true });
  }

  #request(file: string, request: CertificateRequest, more: readonly string[]): void {
    const { subject = '/O=Operator B/CN=sbc', extensions = [], key = EC_KEY, digest = 'sha256', days = 365 } = request;
    const config = this.#file('cnf');
    writeFileSync(config, ['[req]', 'distinguished_name=dn', '[dn]', '[ext]', ...extensions, ''].join('\n'));
    this.#openssl([
      ...['req', '-x509', '-new', '-config', config, '-extensions', 'ext', '-subj', subject],
      ...['-key', this.#key(key), `-${digest}`, '-days', String(days), '-out', file, ...more],
    ]);
  }

  #authority(): string {
    if (this.#ca === undefined) {
      this.#ca = this.#file('pem');
      const extensions = [
        'basicConstraints=critical,CA:TRUE',
        'keyUsage=critical,keyCertSign,cRLSign',
        'subjectKeyIdentifier=hash',
      ];
      this.#request(this.#ca, { subject: '/O=Operator B/CN=Operator B CA', extensions, days: 3650 }, []);
    }
    return this.#ca;
  }

  #key(options: readonly string[]): string {
    const name = options.join(' ');
    const known = this.#keys.get(name);
    if (known !== undefined) return known;
    const file = this.#file('key');
    this.#openssl(['genpkey', ...options, '-out', file]);
    this.#keys.set(name, file);
    return file;
  }

  #file(suffix: string): string {
    return join(this.#directory, `${++this.#made}.${suffix}`);
  }

  #openssl(args: readonly string[]): void {
    execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  }
}

/** A line for a subjectAltName with any bytes: context tag (1 email, 2 dNSName, 6 URI, 7 iPAddress) and value. */
export function rawSubjectAltName(names: readonly (readonly [tag: number, bytes: Uint8Array])[]): string {
  const element = (tag: number, content: Uint8Array): Buffer => {
    const length = content.length < 128 ? [content.length] : [0x82, content.length >> 8, content.length & 255];
    return Buffer.from([tag, ...length, ...content]);
  };
  const content = Buffer.concat(names.map(([tag, bytes]) => element(0x80 | tag, bytes)));
  return `subjectAltName=DER:${element(0x30, content).toString('hex')}`;
}
