import { isDeepStrictEqual } from 'node:util';
import type { Evidence, TlsEvidence } from '../../trust/evidence/index.js';
import type { CertificateFacts } from '../../x509/certificate/index.js';
import { BoundedCache, type CacheBounds } from './bounded-cache.js';

/** Evidence with the hashes of certificates in the place of what is known of them. */
interface Known extends Omit<Evidence, 'tls'> {
  readonly tls: KnownTls | undefined;
  readonly whose: Whose;
}
type Whose = 'partner' | 'stranger';
interface KnownTls extends Omit<TlsEvidence, 'certificate' | 'chain'> {
  readonly certificate: Certificate;
  readonly chain: { readonly certificates: readonly string[]; readonly ignored: readonly string[] } | undefined;
}
type Certificate = { readonly sha256: string } | { readonly malformed: string } | undefined;

/** What an entry takes up beside its texts, as the heap shows it. */
const ENTRY_OCTETS = 600;

/** Most proxies that may ask about their connection of one number. */
export const PROXIES = 8;

/**
 * The evidence of connections that were judged, by connection id, so that `trust.message` may name a connection
 * instead of repeating its certificate. Kept is evidence, never a verdict: policy is judged per message (design rule
 * 5). The certificate itself is where all connections that show it share it. Each proxy counts its connections from 1,
 * and again when it restarts: of one id, several are known, by their sources and certificates. What a message states of
 * one must fit that one alone: else it names none.
 */
export class Connections {
  readonly #known: BoundedCache<readonly Known[]>;
  readonly #facts: (sha256: string) => CertificateFacts | undefined;

  /** @param facts what is known of the certificate with this hash; undefined: nothing any more */
  constructor(bounds: CacheBounds, facts: (sha256: string) => CertificateFacts | undefined) {
    this.#known = new BoundedCache(bounds);
    this.#facts = facts;
  }

  remember(evidence: Evidence, whose: Whose): void {
    const { connectionId, tls } = evidence;
    if (connectionId === undefined) return;
    const known = { ...evidence, tls: tls && hashesOnly(tls), whose };
    const others = this.#known.get(connectionId)?.filter((other) => !sameConnection(other, known)) ?? [];
    const all = [known, ...others.slice(0, PROXIES - 1)];
    const octets = all.reduce((sum, each) => sum + ENTRY_OCTETS + textOctets(each), 0);
    this.#known.set(connectionId, all, octets, all.some((each) => each.whose === 'partner') ? 'partner' : 'stranger');
  }

  /** The evidence of the one connection of this id that has the stated source. */
  find(connectionId: string, sourceAddress: string | undefined, sourcePort: number | undefined): Evidence | undefined {
    const stated = ({ sourceAddress: address, sourcePort: port }: Known) =>
      (sourceAddress === undefined || sourceAddress === address) && (sourcePort === undefined || sourcePort === port);
    const [known, ...others] = this.#known.get(connectionId)?.filter(stated) ?? [];
    return known && others.length === 0 ? this.#whole(known) : undefined;
  }

  /** The connection is closed; whether it was known. Those of other proxies that have its number are, too. */
  forget(connectionId: string): boolean {
    return this.#known.delete(connectionId);
  }

  #whole({ whose: _, ...known }: Known): Evidence | undefined {
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

/** Of two proxies in networks of like addresses, or of one before and after its restart, the certificates alone may differ. */
const sameConnection = (one: Known, other: Known): boolean =>
  one.sourceAddress === other.sourceAddress &&
  one.sourcePort === other.sourcePort &&
  isDeepStrictEqual(one.tls?.certificate, other.tls?.certificate);

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
