import type { Evidence, TlsEvidence } from '../trust/evidence.js';
import type { CertificateFacts } from '../x509/facts.js';
import { BoundedCache, type CacheBounds } from './bounded-cache.js';

/** Evidence with the hash of the certificate in the place of what is known of it. */
interface Known extends Omit<Evidence, 'tls'> {
  readonly tls: (Omit<TlsEvidence, 'certificate'> & { readonly certificate: Certificate }) | undefined;
}
type Certificate = { readonly sha256: string } | { readonly malformed: string } | undefined;

/** What an entry takes up beside its texts, as the heap shows it. */
const ENTRY_OCTETS = 600;

/**
 * The evidence of connections that were judged, by connection id, so that `trust.message` may name a connection
 * instead of repeating its certificate. Kept is evidence, never a verdict: policy is judged per message (design rule
 * 5). The certificate itself is where all connections that show it share it. A proxy that restarts counts its
 * connections from 1 again, and its first question about an id replaces what was known; where a message also states
 * the source address, it must be the one of the evidence.
 */
export class Connections {
  readonly #known: BoundedCache<Known>;
  readonly #facts: (sha256: string) => CertificateFacts | undefined;

  /** @param facts what is known of the certificate with this hash; undefined: nothing any more */
  constructor(bounds: CacheBounds, facts: (sha256: string) => CertificateFacts | undefined) {
    this.#known = new BoundedCache(bounds);
    this.#facts = facts;
  }

  remember(evidence: Evidence, whose: 'partner' | 'stranger'): void {
    const { connectionId, tls } = evidence;
    if (connectionId === undefined) return;
    const known = { ...evidence, tls: tls && { ...tls, certificate: hashOnly(tls.certificate) } };
    this.#known.set(connectionId, known, ENTRY_OCTETS + textOctets(known), whose);
  }

  /** The evidence of a connection, unless the message states another source than the connection had. */
  find(connectionId: string, sourceAddress: string | undefined, sourcePort: number | undefined): Evidence | undefined {
    const known = this.#known.get(connectionId);
    if (known === undefined) return undefined;
    const same =
      (sourceAddress === undefined || sourceAddress === known.sourceAddress) &&
      (sourcePort === undefined || sourcePort === known.sourcePort);
    return same ? this.#whole(known) : undefined;
  }

  /** The connection is closed; whether it was known. */
  forget(connectionId: string): boolean {
    return this.#known.delete(connectionId);
  }

  #whole(known: Known): Evidence | undefined {
    const { tls } = known;
    if (tls === undefined) return { ...known, tls };
    const { certificate } = tls;
    if (certificate === undefined || 'malformed' in certificate) return { ...known, tls: { ...tls, certificate } };
    const facts = this.#facts(certificate.sha256);
    return facts && { ...known, tls: { ...tls, certificate: facts } };
  }

  get size(): number {
    return this.#known.size;
  }

  clear(): void {
    this.#known.clear();
  }

  get octets(): number {
    return this.#known.octets;
  }
}

function hashOnly(certificate: TlsEvidence['certificate']): Certificate {
  return certificate !== undefined && 'sha256' in certificate ? { sha256: certificate.sha256 } : certificate;
}

/** Only these texts are as long as somebody else likes. */
function textOctets({ connectionId = '', nextHop = '', tls }: Known): number {
  const { certificate, version = '', cipher = '', sni = '', attributes = {} } = tls ?? {};
  const malformed = certificate !== undefined && 'malformed' in certificate ? certificate.malformed : '';
  const texts = [connectionId, nextHop, version, cipher, sni, malformed, ...Object.entries(attributes).flat()];
  return texts.reduce((sum, text) => sum + text.length, 0);
}
