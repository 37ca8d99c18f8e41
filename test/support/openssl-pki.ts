/** A small PKI in a directory, by the openssl command: CAs, certificates and their keys as NAME.pem and NAME.key. */

import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

export class OpensslPki {
  constructor(readonly directory: string) {}

  path(name: string): string {
    return join(this.directory, name);
  }

  text(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  openssl(...args: readonly string[]): string {
    return execFileSync('openssl', args, { cwd: this.directory, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }

  /** A self-signed CA. */
  root(name: string): void {
    this.openssl(
      ...['req', '-x509', ...KEY, '-days', '3650', '-subj', `/O=Operator/CN=${name}`],
      ...['-keyout', `${name}.key`, '-out', `${name}.pem`, '-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
    );
  }

  /** A certificate by a CA, with lines of an extension section. */
  issue(by: string, name: string, extensions: readonly string[], days = 365, serial = ['-CAcreateserial']): void {
    writeFileSync(this.path(`${name}.ext`), ['authorityKeyIdentifier=keyid', ...extensions, ''].join('\n'));
    this.openssl('req', ...KEY, '-subj', `/O=Partner/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    this.openssl(
      ...['x509', '-req', '-in', `${name}.csr`, '-CA', `${by}.pem`, '-CAkey', `${by}.key`, ...serial],
      ...(days > 0 ? ['-days', String(days)] : this.#over()),
      ...['-extfile', `${name}.ext`, '-out', `${name}.pem`],
    );
  }

  /** A time that is over: OpenSSL 3.0 knows no dates here, and 3.5 takes no days before today. */
  #over(): readonly string[] {
    const { stdout, stderr } = spawnSync('openssl', ['x509', '-help'], { encoding: 'utf8' });
    const dates = ['-not_before', '20240101000000Z', '-not_after', '20240102000000Z'];
    return `${stdout}${stderr}`.includes('-not_after') ? dates : ['-days', '-1'];
  }

  /** An intermediate CA. */
  intermediate(by: string, name: string): void {
    this.issue(by, name, ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign']);
  }
}
