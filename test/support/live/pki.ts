/** A throw-away PKI by the openssl command: authorities and certificates, right ones and ones that are wrong. */

import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Authority {
  readonly name: string;
  /** Path of the certificate. */
  readonly certificate: string;
  readonly key: string;
}

export interface Identity {
  /** Paths. */
  readonly certificate: string;
  readonly key: string;
  readonly pem: string;
}

export interface CertificateTerms {
  /** undefined: self-signed. */
  readonly issuer: Authority | undefined;
  /** As openssl.cnf writes them (`DNS:a.example`, `URI:sip:a.example`); empty: no subjectAltName. */
  readonly names?: readonly string[];
  readonly commonName?: string;
  /** Days from now. */
  readonly from?: number;
  readonly until?: number;
  readonly extendedKeyUsage?: string;
}

const EC = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'];

function instant(days: number): string {
  return `${new Date(Date.now() + days * 86_400_000).toISOString().replace(/[-:T]|\.\d+/g, '')}`;
}

export class Pki {
  readonly #directory: string;
  #made = 0;

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true });
  }

  authority(name: string): Authority {
    const terms = { names: [], commonName: name, until: 3650 };
    const extensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign'];
    const { certificate, key } = this.#make({ ...terms, issuer: undefined }, [
      ...extensions,
      'subjectKeyIdentifier=hash',
    ]);
    return { name, certificate, key };
  }

  /** A certificate for a TLS entity that is client and server (TS 33.310 §6.1.3a), except where `terms` differ. */
  certificate(terms: CertificateTerms): Identity {
    const { names = [], extendedKeyUsage = 'serverAuth,clientAuth' } = terms;
    const lines = ['keyUsage=critical,digitalSignature', `extendedKeyUsage=${extendedKeyUsage}`];
    if (names.length > 0) lines.push(`subjectAltName=${names.join(',')}`);
    return this.#make(terms, lines);
  }

  /** One file with the certificates of several authorities. */
  bundle(authorities: readonly Authority[]): string {
    const file = this.#file('pem');
    writeFileSync(file, authorities.map(({ certificate }) => readFileSync(certificate, 'utf8')).join(''));
    return file;
  }

  #make(terms: CertificateTerms, extensions: readonly string[]): Identity {
    const { issuer, commonName = 'sbc', from = -1, until = 365 } = terms;
    const key = this.#file('key');
    const request = this.#file('csr');
    const certificate = this.#file('pem');
    this.#openssl(['genpkey', ...EC, '-out', key]);
    this.#openssl(['req', '-new', '-key', key, '-subj', `/O=${commonName}/CN=${commonName}`, '-out', request]);
    const config = this.#configuration(extensions);
    const signer = issuer ? ['-cert', issuer.certificate, '-keyfile', issuer.key] : ['-selfsign', '-keyfile', key];
    this.#openssl([
      ...['ca', '-batch', '-notext', '-config', config, '-in', request, '-out', certificate, ...signer],
      ...['-startdate', instant(from), '-enddate', instant(until)],
    ]);
    return { certificate, key, pem: readFileSync(certificate, 'utf8') };
  }

  /** `openssl ca` alone takes a start of validity, and it wants a database. */
  #configuration(extensions: readonly string[]): string {
    const database = this.#file('index');
    const config = this.#file('cnf');
    writeFileSync(database, '');
    writeFileSync(`${database}.attr`, 'unique_subject = no\n');
    writeFileSync(
      config,
      [
        ...['[ca]', 'default_ca=own', '[own]', `database=${database}`, `new_certs_dir=${this.#directory}`],
        ...['default_md=sha256', 'policy=any', 'rand_serial=yes', 'x509_extensions=ext', 'email_in_dn=no'],
        ...['[any]', 'organizationName=optional', 'commonName=supplied', '[ext]', ...extensions, ''],
      ].join('\n'),
    );
    return config;
  }

  #file(ending: string): string {
    this.#made += 1;
    return join(this.#directory, `${this.#made}.${ending}`);
  }

  #openssl(args: readonly string[]): void {
    execFileSync('openssl', args, { cwd: this.#directory, stdio: ['ignore', 'ignore', 'pipe'] });
  }
}

/** Puts a certificate and its key where a sample tls.cfg looks for them. */
export function installIdentity(identity: Identity, partners: string, directory: string): void {
  mkdirSync(directory, { recursive: true });
  copyFileSync(identity.certificate, join(directory, 'own.pem'));
  copyFileSync(identity.key, join(directory, 'own.key'));
  copyFileSync(partners, join(directory, 'partners.pem'));
}
