/** Certificates and CRLs that the policy names: each file is read and parsed once, however many agreements name it. */

import { quoted } from '../../printable.js';
import { type CertificateFacts, certificateName, parseCertificate } from '../../x509/certificate/index.js';
import { knownContainer, readPem } from '../../x509/der/index.js';
import { type CrlFacts, parseCrl } from '../../x509/revocation/index.js';
import { brokenRules } from '../../x509/rules/index.js';
import { FILE_LIMITS, type PolicyFiles, type ProblemCode, resolvePath, type Site } from '../reading/index.js';
import { type PolicyKey, policyKey } from '../revision/index.js';
import { dayText } from '../values/index.js';

type Read<T> = { readonly items: readonly T[]; readonly warning?: string } | { code: ProblemCode; problem: string };

/** What the policy names a certificate for. */
type CertificateRole = 'anchor' | 'intermediate' | 'own certificate' | 'client certificate';

/** DER begins with a SEQUENCE; PEM begins with text. */
const SEQUENCE = 0x30;

/** Remembers what files gave that have not changed since. */
export interface FileMemory {
  file<T>(
    files: PolicyFiles,
    kind: string,
    path: string,
    make: () => { readonly value: T; readonly stamp?: string },
  ): T;
}

/** The files that a policy names: each is read and parsed once, and what is wrong is reported where it is named. */
export class Material {
  readonly #files: PolicyFiles;
  readonly #now: number;
  readonly #memory: FileMemory;
  /** What each file gave, by kind and path. */
  readonly #reads = new Map<string, Read<CertificateFacts | CrlFacts>>();
  #named = new Map<string, unknown>();

  constructor(files: PolicyFiles, now: number, memory: FileMemory) {
    this.#files = files;
    this.#now = now;
    this.#memory = memory;
  }

  /** Does some checks, and gives which files they named and what each of those gave. */
  during<T>(check: () => T): { readonly value: T; readonly material: ReadonlyMap<string, unknown> } {
    const named = new Map<string, unknown>();
    this.#named = named;
    return { value: check(), material: named };
  }

  /** Whether these files give now what they gave then. */
  same(material: ReadonlyMap<string, unknown>): boolean {
    for (const [key, read] of material) {
      const now = this.#reads.get(key) ?? this.#again(key.slice(0, 1), key.slice(2));
      if (now !== read) return false;
    }
    return true;
  }

  /** The certificates of the files named in the list at `site`, in order. */
  certificates(names: readonly string[], site: Site, role: CertificateRole): readonly CertificateFacts[] {
    return named(names, site).flatMap(({ here, path }) => {
      const read = this.#readCertificates(path);
      for (const facts of items(read, here)) this.#warn(facts, path, here, role);
      return 'items' in read ? read.items : [];
    });
  }

  /** The Ed25519 keys of the files named in the list at `site`. */
  policyKeys(names: readonly string[], site: Site): readonly PolicyKey[] {
    return named(names, site).flatMap(({ here, path }) => {
      const read = this.#files.read(path, FILE_LIMITS.certificates);
      if (!('bytes' in read)) {
        here.report(read.code, read.problem);
        return [];
      }
      // Who can put another key in its place decides what the policy is.
      if (read.warning !== undefined) here.report('unsafe-directory', read.warning);
      try {
        return [policyKey(Buffer.from(read.bytes).toString('latin1'))];
      } catch (cause) {
        here.report('bad-key', `${path}: ${cause instanceof Error ? cause.message : String(cause)}`);
        return [];
      }
    });
  }

  /** The CRLs of the files named in the list at `site`, in order. */
  crls(names: readonly string[], site: Site): readonly CrlFacts[] {
    return named(names, site).flatMap(({ here, path }) => {
      const read = this.#readCrls(path);
      for (const { issuerText, nextUpdate } of items(read, here)) {
        const crl = `${path}: CRL of ${issuerText}`;
        // Rulebook K-2: a CRL past nextUpdate, or without one, clears nobody.
        const effect = 'what it lists is revoked, and it clears nobody';
        if (nextUpdate === undefined) here.report('crl-expired', `${crl} has no nextUpdate: ${effect}`);
        else if (nextUpdate < this.#now) {
          const text = `${crl} should have been replaced ${at(nextUpdate)}: ${effect}, but for the time of defaults.crl_grace`;
          here.report('crl-expired', text);
        }
      }
      return 'items' in read ? read.items : [];
    });
  }

  #again(kind: string, path: string): unknown {
    return kind === 'c' ? this.#readCertificates(path) : this.#readCrls(path);
  }

  #warn(facts: CertificateFacts, path: string, site: Site, role: CertificateRole): void {
    const certificate = `${path}: ${role} ${certificateName(facts)}`;
    if (facts.notAfter < this.#now) site.report('certificate-expired', `${certificate} expired ${at(facts.notAfter)}`);
    if (facts.notBefore > this.#now) {
      site.report('certificate-not-yet-valid', `${certificate} is not valid before ${dayText(facts.notBefore)}`);
    }
    if (role !== 'anchor' && role !== 'intermediate') return;
    if (!facts.isCa) {
      const hint = role === 'anchor' ? ' (to trust one certificate by itself, use pins with pin: leaf)' : '';
      site.report('not-a-ca', `${certificate} is not marked as a certification authority${hint}`);
    }
    // Told now, and not by the first call of the partner: no path can hold that has this certificate in it.
    const unfit = brokenRules(facts, { at: this.#now, skew: 0, place: role }, ['path']);
    for (const { detail } of unfit.filter(({ code }) => code !== 'cert-time' && code !== 'not-a-ca')) {
      site.report('unfit-ca', `${path}: ${role} ${detail}: nobody is trusted under it`);
    }
  }

  #readCertificates(path: string): Read<CertificateFacts> {
    return this.#read(path, FILE_LIMITS.certificates, 'bad-certificate', 'CERTIFICATE', parseCertificate);
  }

  #readCrls(path: string): Read<CrlFacts> {
    return this.#read(path, FILE_LIMITS.crl, 'bad-crl', 'X509 CRL', parseCrl);
  }

  #read<T extends CertificateFacts | CrlFacts>(
    path: string,
    most: number,
    code: ProblemCode,
    label: 'CERTIFICATE' | 'X509 CRL',
    parse: (der: Uint8Array) => T,
  ): Read<T> {
    const key = `${label === 'CERTIFICATE' ? 'c' : 'l'} ${path}`;
    const known = this.#reads.get(key) as Read<T> | undefined;
    const read =
      known ??
      this.#memory.file(this.#files, label, path, () => {
        const file = this.#files.read(path, most);
        if (!('bytes' in file)) return { value: file };
        const value = this.#parse(path, file, code, label, parse);
        return 'items' in value && file.stamp !== undefined ? { value, stamp: file.stamp } : { value };
      });
    this.#reads.set(key, read);
    this.#named.set(key, read);
    return read;
  }

  #parse<T>(
    path: string,
    { bytes, warning }: { readonly bytes: Uint8Array; readonly warning?: string },
    code: ProblemCode,
    label: 'CERTIFICATE' | 'X509 CRL',
    parse: (der: Uint8Array) => T,
  ): Read<T> {
    try {
      const blocks = bytes[0] === SEQUENCE ? [bytes] : readPem(Buffer.from(bytes).toString('latin1'), label);
      const parsed = blocks.map((der, index) => {
        try {
          return parse(der);
        } catch (cause) {
          const which = blocks.length === 1 ? '' : `block ${index + 1} of ${blocks.length}: `;
          throw new Error(`${which}${cause instanceof Error ? cause.message : String(cause)}`, { cause });
        }
      });
      return warning === undefined ? { items: parsed } : { items: parsed, warning };
    } catch (cause) {
      const known = knownContainer(bytes, label);
      const hint = known === undefined ? '' : ` (${known})`;
      return { code, problem: `${path}: ${cause instanceof Error ? cause.message : String(cause)}${hint}` };
    }
  }
}

/** The files that the list at `site` names, each with its place; what is no path is reported there. */
function named(names: readonly string[], site: Site): readonly { readonly here: Site; readonly path: string }[] {
  return names.flatMap((name, index) => {
    const here = site.at(index);
    const found = noPath(name);
    if (found === undefined) return [{ here, path: resolvePath(here.file, name) }];
    here.report('bad-value', `expected the path of a file, found ${found}`);
    return [];
  });
}

/** What stands where a path should; undefined: it may be one. */
function noPath(name: string): string | undefined {
  const pasted = name.includes('-----BEGIN') ? 'PEM' : /^MI[\w+/=\s]{200,}$/.test(name) ? 'base64' : undefined;
  if (pasted !== undefined) return `${pasted} itself: save it as a file, and name that`;
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(name)) return `the URL ${quoted(name)}: nothing is fetched here`;
  return /[\x00-\x1f]/.test(name) ? quoted(name) : undefined;
}

/** What a file holds; where it holds nothing, that is reported at the place that names it. */
function items<T>(read: Read<T>, site: Site): readonly T[] {
  if ('items' in read) {
    if (read.warning !== undefined) site.report('unsafe-directory', read.warning);
    return read.items;
  }
  site.report(read.code, read.problem);
  return [];
}

function at(ms: number): string {
  return `on ${dayText(ms)}`;
}
