/** A CA and OCSP responders by the openssl command: what siptrust asks in the wild. */

import { execFileSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseCertificate } from '../../src/x509/certificate/certificate.js';
import type { CertificateFacts } from '../../src/x509/certificate/facts.js';
import { readPem, writePem } from '../../src/x509/der/pem.js';
import { type Issued, keyPair } from './certificates.js';
import { Child } from './live/child.js';
import { eventually } from './live/places.js';
import { ocspDer } from './ocsp.js';

export interface Entity {
  readonly certificate: string;
  readonly key: string;
  readonly facts: CertificateFacts;
}

export class OpensslCa {
  readonly #directory = mkdtempSync(join(tmpdir(), 'siptrust-ocsp-'));
  readonly #index = join(this.#directory, 'index.txt');
  readonly ca: Entity;
  #made = 0;

  constructor(subject: string) {
    this.ca = this.#make(
      subject,
      ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign'],
      undefined,
    );
    writeFileSync(this.#index, '');
  }

  /** A certificate of this CA (or of another), not in the index yet. */
  issue(subject: string, extensions: readonly string[], by: Entity = this.ca): Entity {
    return this.#make(subject, extensions, by);
  }

  /** Writes the index: what the responder answers about each. Who is not in it is unknown. */
  tell(statuses: readonly (readonly [Entity, 'good' | 'revoked'])[]): void {
    const lines = statuses.map(([{ facts }, status]) => {
      const serial = facts.serial.toUpperCase();
      const flag = status === 'good' ? 'V' : 'R';
      const revoked = status === 'good' ? '' : '260101000000Z,keyCompromise';
      return `${flag}\t351231235959Z\t${revoked}\t${serial}\tunknown\t/CN=x\n`;
    });
    writeFileSync(this.#index, lines.join(''));
  }

  /** The answer of `openssl ocsp` to a request in DER, by this signer. */
  respond(request: Uint8Array, signer: Entity, more: readonly string[] = ['-ndays', '1']): Uint8Array {
    const [asked, answer] = [this.#file('req'), this.#file('resp')];
    writeFileSync(asked, request);
    this.#openssl(['ocsp', ...this.#responder(signer), '-reqin', asked, '-respout', answer, ...more]);
    return readFileSync(answer);
  }

  /** `openssl ocsp` as a process of its own, on this port or on any. It reads the index when it starts. */
  async listen(
    signer: Entity,
    more: readonly string[] = ['-nmin', '60'],
    at = 0,
  ): Promise<{ port: number; child: Child }> {
    const child = new Child('openssl', ['ocsp', ...this.#responder(signer), '-port', String(at), ...more]);
    const port = await eventually('the port of openssl ocsp', () => {
      if (child.ended) throw new Error(child.output);
      const found = /ACCEPT \S*?:(\d+)/.exec(child.output)?.[1];
      return found === undefined ? undefined : Number(found);
    });
    return { port, child };
  }

  /** A good answer of the CA about a certificate, for any time: `openssl ocsp` knows the present alone. */
  answer(about: Entity, thisUpdate: number, nextUpdate: number): Uint8Array {
    const issuer = asIssued(this.ca);
    return ocspDer([{ certificate: asIssued(about), issuer, thisUpdate, nextUpdate }], { signer: issuer });
  }

  close(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #responder({ certificate, key }: Entity): readonly string[] {
    return ['-index', this.#index, '-CA', this.ca.certificate, '-rsigner', certificate, '-rkey', key];
  }

  #make(subject: string, extensions: readonly string[], by: Entity | undefined): Entity {
    const [key, certificate, config] = [this.#file('key'), this.#file('pem'), this.#file('cnf')];
    writeFileSync(config, ['[req]', 'distinguished_name=dn', '[dn]', '[ext]', ...extensions, ''].join('\n'));
    this.#openssl(['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', key]);
    const issuer = by === undefined ? [] : ['-CA', by.certificate, '-CAkey', by.key];
    this.#openssl([
      ...['req', '-x509', '-new', '-config', config, '-extensions', 'ext', '-subj', subject, '-key', key],
      ...['-sha256', '-days', '100', '-out', certificate, ...issuer],
    ]);
    const [der] = readPem(readFileSync(certificate, 'latin1'));
    if (der === undefined) throw new Error('openssl made no certificate');
    return { certificate, key, facts: parseCertificate(der) };
  }

  #file(ending: string): string {
    this.#made += 1;
    return join(this.#directory, `${this.#made}.${ending}`);
  }

  #openssl(args: readonly string[]): void {
    execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  }
}

function asIssued({ key, facts }: Entity): Issued {
  const { der, subjectDer: subject, serialOctets: serial } = facts;
  return { der, pem: writePem(der), key: keyPair(createPrivateKey(readFileSync(key))), subject, serial, facts };
}
