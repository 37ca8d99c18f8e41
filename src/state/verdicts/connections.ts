import type { Evidence, TlsEvidence } from '../../trust/evidence/index.js';
import type { CertificateFacts } from '../../x509/certificate/index.js';
import { BoundedCache, type CacheBounds } from './bounded-cache.js';

/** Evidence with the hashes of certificates in the place of what is known of them. */
interface Known extends Omit<Evidence, 'tls'> {
  readonly tls: KnownTls | undefined;
}
interface KnownTls extends Omit<TlsEvidence, 'certificate' | 'chain'> {
  readonly certificate: Certificate;
  readonly chain: { readonly certificates: readonly string[]; readonly ignored: readonly string[] } | undefined;
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
    const known = { ...evidence, tls: tls && hashesOnly(tls) };
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
    const { certificate, chain, ...rest } = tls;
    const leaf = certificate !== undefined && 'sha256' in certificate ? this.#facts(certificate.sha256) : certificate;
    if (certificate !== undefined && leaf === undefined) return undefined;
    // A CA that is forgotten is one that the peer did not send: the path is built without it, or not at all.
    const certificates = chain?.certificates.flatMap((sha256) => this.#facts(sha256) ?? []);
    const others = chain && certificates && { chain: { certificates, ignored: chain.ignored } };
    return { ...known, tls: { ...rest, certificate: leaf, ...others } };
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

function hashesOnly({ certificate, chain, ...rest }: TlsEvidence): KnownTls {
  return {
    ...rest,
    certificate: certificate !== undefined && 'sha256' in certificate ? { sha256: certificate.sha256 } : certificate,
    chain: chain && { certificates: chain.certificates.map(({ sha256 }) => sha256), ignored: chain.ignored },
  };
}

/** Only these texts are as long as somebody else likes. */
function textOctets({ connectionId = '', nextHop = '', tls }: Known): number {
  const { certificate, version = '', cipher = '', sni = '', attributes = {}, chain } = tls ?? {};
  const malformed = certificate !== undefined && 'malformed' in certificate ? certificate.malformed : '';
  const texts = [connectionId, nextHop, version, cipher, sni, malformed, ...Object.entries(attributes).flat()];
  if (chain !== undefined) texts.push(...chain.certificates, ...chain.ignored);
  return texts.reduce((sum, text) => sum + text.length, 0);
}
