/** What may stand above a certificate: candidates by name, and how a certificate says which of them it means. */

import { type CertificateFacts, integerHex, keyIdentifiersAgree } from '../certificate/index.js';
import { hex, MalformedDer } from '../der/index.js';
import { directoryTexts } from '../revocation/index.js';

/** Certificates of one subject. */
interface Namesakes {
  readonly list: CertificateFacts[];
  /** Their subjectKeyIdentifiers; one without has any. */
  readonly keyIdentifiers: Set<string>;
}

/** All that may stand in a path above its leaf, each certificate once, by the name of its subject. */
export class Issuers {
  readonly #bySubject = new Map<string, Namesakes>();
  /** By SHA-256. */
  readonly #anchors: ReadonlySet<string>;

  constructor(anchors: readonly CertificateFacts[], intermediates: readonly CertificateFacts[]) {
    this.#anchors = new Set(anchors.map(({ sha256 }) => sha256));
    const known = new Set<string>();
    for (const certificate of [...anchors, ...intermediates]) {
      if (known.has(certificate.sha256)) continue;
      known.add(certificate.sha256);
      const { text } = certificate.subjectKeys;
      const named = this.#bySubject.get(text) ?? { list: [], keyIdentifiers: new Set() };
      this.#bySubject.set(text, named);
      named.list.push(certificate);
      named.keyIdentifiers.add(identifierText(certificate.subjectKeyIdentifier));
    }
  }

  /** How many anchors there are. */
  get anchors(): number {
    return this.#anchors.size;
  }

  isAnchor({ sha256 }: CertificateFacts): boolean {
    return this.#anchors.has(sha256);
  }

  /** Certificates of this subject. */
  named(name: string): readonly CertificateFacts[] {
    return this.#bySubject.get(name)?.list ?? [];
  }

  /** Certificates of the name that this one gives as its issuer. */
  above({ issuerKeys }: CertificateFacts): readonly CertificateFacts[] {
    return this.named(issuerKeys.text);
  }

  /**
   * How far it is at least from a name to an anchor, by names alone and in the order of distance: what is not among them
   * need not be searched. Looks upwards from the leaf alone, at each certificate once.
   * @param fits whether a certificate may stand on a path
   */
  distancesToAnchors(leaf: CertificateFacts, fits: (certificate: CertificateFacts) => boolean): Distances {
    const below = new Map<string, Set<string>>();
    const distances = new Map<string, number>();
    const names = new Set([leaf.issuerKeys.text]);
    for (const name of names) {
      for (const certificate of this.named(name)) {
        if (!fits(certificate)) continue;
        if (this.isAnchor(certificate)) {
          distances.set(name, 0);
          continue;
        }
        const above = certificate.issuerKeys.text;
        names.add(above);
        const subjects = below.get(above);
        if (subjects === undefined) below.set(above, new Set([name]));
        else subjects.add(name);
      }
    }
    // Breadth first: the Map is in the order of its distances.
    for (const [name, distance] of distances) {
      for (const subject of below.get(name) ?? []) {
        if (!distances.has(subject)) distances.set(subject, distance + 1);
      }
    }
    return distances;
  }

  /** Those of which most speaks for having issued the certificate stand first. */
  likelyFirst(current: CertificateFacts, issuers: readonly CertificateFacts[]): readonly CertificateFacts[] {
    if (issuers.length < 2) return issuers;
    const named = issuerSerialText(current);
    return issuers
      .map((issuer) => ({ issuer, rank: this.#unlikely(current, issuer, named) }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ issuer }) => issuer);
  }

  /**
   * How little speaks for an issuer, the smallest number first: the key identifier that the certificate names, the
   * certificate of the issuer that it names, an anchor, and one above whose key is the one that the issuer names.
   */
  #unlikely(current: CertificateFacts, issuer: CertificateFacts, named: string | undefined): number {
    const isAnchor = this.isAnchor(issuer);
    const otherCertificate = named !== undefined && named !== `${issuer.issuerKeys.text} ${issuer.serial}`;
    const above = this.#bySubject.get(issuer.issuerKeys.text)?.keyIdentifiers;
    const wanted = issuer.authorityKeyIdentifier?.keyIdentifier;
    const orphan = !isAnchor && wanted !== undefined && above?.has(identifierText(wanted)) === false && !above.has('');
    return (
      (keyIdentifiersAgree(current, issuer) ? 0 : 8) +
      (otherCertificate ? 4 : 0) +
      (orphan ? 2 : 0) +
      (isAnchor ? 0 : 1)
    );
  }
}

/** By the name of an issuer: how many intermediates are needed at least from there to an anchor. Others are dead ends. */
export type Distances = ReadonlyMap<string, number>;

function identifierText(identifier: Uint8Array | undefined): string {
  return identifier === undefined ? '' : hex(identifier);
}

/** The certificate that authorityCertIssuer and authorityCertSerialNumber name; undefined: none that can be read. */
function issuerSerialText({ authorityKeyIdentifier }: CertificateFacts): string | undefined {
  const { issuer, serial } = authorityKeyIdentifier ?? {};
  if (issuer === undefined || serial === undefined) return undefined;
  try {
    return `${directoryTexts(issuer)[0] ?? ''} ${integerHex(serial)}`;
  } catch (cause) {
    if (cause instanceof MalformedDer) return undefined;
    throw cause;
  }
}
