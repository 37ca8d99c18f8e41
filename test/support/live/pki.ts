/** A throw-away PKI by the openssl command: authorities and certificates, right ones and ones that are wrong. */

import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { appendFileSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
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
  /** As `openssl req -subj` takes it, instead of the common name alone. */
  readonly subject?: string;
  /** More lines of the extension section; one for an extension that stands already takes its place. */
  readonly extensions?: readonly string[];
  /** What `openssl genpkey` takes; undefined: a key on P-256. */
  readonly algorithm?: readonly string[];
  readonly digest?: string;
  /** A key that is there (path), instead of a new one. */
  readonly key?: string;
}

/** What a list says, besides whom it revokes. */
export interface ListTerms {
  /** Whose key signs, where it is not the authority itself. */
  readonly key?: string;
  /** Days from now. */
  readonly from?: number;
  readonly until?: number;
  /** Lines of the section of issuingDistributionPoint. */
  readonly scope?: readonly string[];
}

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

  /** A root, except where `terms` differ: an authority below another, or a cross-certificate for one that is there. */
  authority(name: string, terms: Partial<CertificateTerms> = {}): Authority {
    const lines = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign'];
    const { certificate, key } = this.#make({ issuer: undefined, commonName: name, until: 3650, ...terms }, [
      ...lines,
      'subjectKeyIdentifier=hash',
    ]);
    return { name, certificate, key };
  }

  /** An identity that presents the certificates of these authorities after its own. */
  chained(identity: Identity, authorities: readonly Authority[]): Identity {
    const pem = [identity.certificate, ...authorities.map(({ certificate }) => certificate)]
      .map((file) => readFileSync(file, 'utf8'))
      .join('');
    const certificate = this.#file('pem');
    writeFileSync(certificate, pem);
    return { ...identity, certificate, pem };
  }

  /** The path of a revocation list of this authority, in PEM. */
  list(authority: Authority, revoked: readonly { readonly certificate: string }[] = [], terms: ListTerms = {}): string {
    const { key = authority.key, from = -1, until = 30, scope } = terms;
    const file = this.#file('crl');
    const config = this.#configuration([]);
    const entries = revoked.map(({ certificate }) => {
      const serial = execFileSync('openssl', ['x509', '-in', certificate, '-noout', '-serial'], { encoding: 'utf8' });
      return `R\t351231235959Z\t260101000000Z,keyCompromise\t${serial.trim().replace('serial=', '')}\tunknown\t/CN=x\n`;
    });
    writeFileSync(`${config}.index`, entries.join(''));
    appendFileSync(config, ['[list]', 'authorityKeyIdentifier=keyid', ''].join('\n'));
    if (scope !== undefined) {
      appendFileSync(config, ['issuingDistributionPoint=critical,@scope', '[scope]', ...scope, ''].join('\n'));
    }
    // openssl signs by the key that its certificate names: for another key, one in the same name.
    const certificate =
      key === authority.key ? authority.certificate : this.authority(authority.name, { key }).certificate;
    this.#openssl([
      ...['ca', '-gencrl', '-config', config, '-cert', certificate, '-keyfile', key, '-crlexts', 'list'],
      ...['-crl_lastupdate', instant(from), '-crl_nextupdate', instant(until), '-out', file],
    ]);
    return file;
  }

  /** A certificate for a TLS entity that is client and server (TS 33.310 §6.1.3a), except where `terms` differ. */
  certificate(terms: CertificateTerms): Identity {
    const { names = [], extendedKeyUsage = 'serverAuth,clientAuth' } = terms;
    const lines = ['keyUsage=critical,digitalSignature', `extendedKeyUsage=${extendedKeyUsage}`];
    if (names.length > 0) lines.push(`subjectAltName=${names.join(',')}`);
    return this.#make(terms, lines);
  }

  /** One file with the certificates of several authorities. */
  bundle(authorities: readonly Pick<Authority, 'certificate'>[]): string {
    const file = this.#file('pem');
    writeFileSync(file, authorities.map(({ certificate }) => readFileSync(certificate, 'utf8')).join(''));
    return file;
  }

  #make(terms: CertificateTerms, extensions: readonly string[]): Identity {
    const { issuer, commonName = 'sbc', from = -1, until = 365, algorithm, digest = 'sha256' } = terms;
    const { subject = `/O=${commonName}/CN=${commonName}`, key = this.#file('key') } = terms;
    const request = this.#file('csr');
    const certificate = this.#file('pem');
    if (terms.key === undefined) this.#newKey(key, algorithm);
    this.#openssl(['req', '-new', '-key', key, '-subj', subject, '-out', request]);
    const config = this.#configuration(together(extensions, terms.extensions));
    const signer = issuer ? ['-cert', issuer.certificate, '-keyfile', issuer.key] : ['-selfsign', '-keyfile', key];
    this.#openssl([
      ...['ca', '-batch', '-notext', '-md', digest, '-config', config, '-in', request, '-out', certificate, ...signer],
      ...['-startdate', instant(from), '-enddate', instant(until)],
    ]);
    return { certificate, key, pem: readFileSync(certificate, 'utf8') };
  }

  #newKey(file: string, algorithm: readonly string[] | undefined): void {
    if (algorithm !== undefined) {
      this.#openssl(['genpkey', ...algorithm, '-out', file]);
      return;
    }
    // Ours needs no program to be started.
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  }

  /** `openssl ca` alone takes a start of validity, and it wants a database. */
  #configuration(extensions: readonly string[]): string {
    const config = this.#file('cnf');
    const database = `${config}.index`;
    writeFileSync(database, '');
    writeFileSync(`${database}.attr`, 'unique_subject = no\n');
    writeFileSync(
      config,
      [
        ...['[ca]', 'default_ca=own', '[own]', `database=${database}`, `new_certs_dir=${this.#directory}`],
        ...['default_md=sha256', 'policy=any', 'rand_serial=yes', 'x509_extensions=ext', 'email_in_dn=no'],
        ...[
          '[any]',
          'organizationName=optional',
          'organizationalUnitName=optional',
          'commonName=supplied',
          '[ext]',
          ...extensions,
          '',
        ],
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

/** Extension lines, where the later of one name counts. */
function together(lines: readonly string[], more: readonly string[] = []): readonly string[] {
  const nameOf = (line: string): string => line.split('=')[0] ?? line;
  return [...new Map([...lines, ...more].map((line) => [nameOf(line), line])).values()];
}

/** Puts a certificate and its key where a sample tls.cfg looks for them. */
export function installIdentity(identity: Identity, partners: string, directory: string): void {
  mkdirSync(directory, { recursive: true });
  replaceIdentity(identity, directory);
  copyFileSync(partners, join(directory, 'partners.pem'));
}

/** Lays a new certificate and its key in the place of those before. */
export function replaceIdentity({ certificate, key }: Identity, directory: string): void {
  copyFileSync(certificate, join(directory, 'own.pem'));
  copyFileSync(key, join(directory, 'own.key'));
}
