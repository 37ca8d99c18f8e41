import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { quoted } from '../../printable.js';
import { type CertificateFacts, MalformedCertificate, parseCertificate } from '../../x509/certificate/index.js';
import { knownContainer, readPem } from '../../x509/der/index.js';
import { BoundedCache, type CacheBounds } from './bounded-cache.js';
import type { CacheCounters } from './counters.js';

type Known = CertificateFacts | { readonly malformed: string };

/** Longest text of one certificate that is looked at; real ones have two or three thousand characters. */
const MAX_TEXT = 64 * 1024;

/**
 * DER out of what a proxy gives: PEM, urlencoded PEM (`%0a` and kin) or bare base64 of the DER.
 * Of several the first is the leaf; the others are read as what else the peer sent (src/rpc/params/evidence.ts).
 */
function leafDer(text: string): Uint8Array | { readonly malformed: string } {
  if (text.length > MAX_TEXT) {
    return { malformed: `expected at most ${MAX_TEXT} characters of PEM, found ${text.length}` };
  }
  let plain = text;
  if (/%[0-9A-Fa-f]{2}/.test(text)) {
    try {
      plain = decodeURIComponent(text);
    } catch {
      return { malformed: 'expected urlencoded PEM, found a broken % escape' };
    }
  }
  // Where a blank was written as "+" (HTML forms); in base64 a "+" was escaped.
  plain = plain.replace(/(-----(?:BEGIN|END))\+(?=CERTIFICATE-----)/g, '$1 ');
  if (plain.includes('-----BEGIN')) {
    try {
      return readPem(plain)[0] ?? { malformed: 'expected a certificate in PEM, found none' };
    } catch (error) {
      return {
        malformed: withKind(error instanceof Error ? error.message : String(error), Buffer.from(plain, 'latin1')),
      };
    }
  }
  const base64 = plain.replace(/[\r\n\t ]+/g, '');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64))
    return { malformed: `expected PEM or base64 DER, found ${strange(plain)}` };
  const der = Buffer.from(base64, 'base64');
  // Of a certificate whose PEM was encoded once more.
  const isPem = der.toString('latin1').trimStart().startsWith('-----BEGIN');
  return isPem ? { malformed: 'expected PEM or base64 DER, found base64 of PEM: it goes into tls.pem_b64' } : der;
}

/** What cannot be read, and what it is in place of a certificate, where that is known. */
function withKind(why: string, given: Uint8Array): string {
  const known = knownContainer(given);
  return known === undefined ? why : `${why} (${known})`;
}

/** What is no base64 in a text: the first character, and where it stands. */
function strange(text: string): string {
  const at = text.search(/[^A-Za-z0-9+/=\s]/);
  if (at < 0) return 'base64 that is not whole';
  const hint = text[at] === ',' ? ': further certificates go into tls.chain' : '';
  return `${quoted(String.fromCodePoint(text.codePointAt(at) ?? 0))} at position ${at + 1}${hint}`;
}

/** What the facts of a certificate take up for each octet of it, and beside that, as the heap shows it. */
const OCTETS_PER_OCTET = 13;
const ENTRY_OCTETS = 4096;
const WORDS_ENTRY_OCTETS = 400;
const CHAIN_OCTETS = 200;

export interface CertificateBounds extends CacheBounds {
  /** Most certificates that are kept. */
  readonly entries: number;
}

/**
 * Certificate facts by the SHA-256 of the certificate, bounded in octets. A proxy sends one certificate in the same
 * words each time, so the words themselves are remembered too, which saves decoding and hashing them.
 */
export class CertificateCache {
  readonly #known: BoundedCache<Known>;
  /** Words, and the key of the certificate that they are. */
  readonly #words: LRUCache<string, string>;
  /** Keys of what came above a certificate, by the key of that. */
  readonly #chains: BoundedCache<readonly string[]>;
  readonly #counters: CacheCounters;

  constructor({ octets, entries, idleMs, clock }: CertificateBounds, counters: CacheCounters) {
    // The words are a tenth of what is made of them, and who came with whom is less.
    const words = Math.max(1, Math.floor(octets / 10));
    const chains = Math.floor(octets / 50);
    this.#known = new BoundedCache({ octets: octets - words - chains, idleMs, clock });
    this.#chains = new BoundedCache({ octets: chains, idleMs, clock });
    this.#words = new LRUCache({
      ...{ max: entries, maxSize: words, ttl: idleMs, updateAgeOnGet: true },
      sizeCalculation: (_, text) => WORDS_ENTRY_OCTETS + text.length,
    });
    this.#counters = counters;
  }

  /** Facts of the certificate in `text`, or why it cannot be read. Never throws. */
  read(text: string): Known {
    const key = this.#words.get(text);
    const same = key === undefined ? undefined : this.#known.get(key);
    if (same !== undefined) {
      this.#counters.hits += 1;
      return same;
    }
    const der = leafDer(text);
    if ('malformed' in der) return der;
    const sha256 = createHash('sha256').update(der).digest('hex');
    this.#words.set(text, sha256);
    return this.#fromDer(der, sha256);
  }

  #fromDer(der: Uint8Array, sha256: string): Known {
    const hit = this.#known.get(sha256);
    if (hit !== undefined) {
      this.#counters.hits += 1;
      return hit;
    }
    this.#counters.misses += 1;
    const facts = parse(der);
    this.#known.set(sha256, facts, weight(der), 'stranger');
    return facts;
  }

  /** Facts that were read before. */
  find(sha256: string): CertificateFacts | undefined {
    const known = this.#known.get(sha256);
    return known !== undefined && 'sha256' in known ? known : undefined;
  }

  /** Certificates that proved to be a partner's, or came with it: no stranger pushes them out. */
  keep(certificates: readonly CertificateFacts[]): void {
    for (const facts of certificates) this.#known.set(facts.sha256, facts, weight(facts.der), 'partner');
  }

  /** What came above a certificate. Of one whose peer is not trusted (yet) what is less than before tells nothing. */
  cameTogether(leaf: CertificateFacts, chain: readonly CertificateFacts[], whose: 'partner' | 'stranger'): void {
    const known = this.#chains.get(leaf.sha256)?.length ?? 0;
    if (chain.length === 0 || (whose === 'stranger' && chain.length <= known)) return;
    const keys = chain.map(({ sha256 }) => sha256);
    this.#chains.set(leaf.sha256, keys, CHAIN_OCTETS * (1 + keys.length), whose);
  }

  /** What came above this certificate before. */
  cameWith(leaf: CertificateFacts): readonly CertificateFacts[] {
    return (this.#chains.get(leaf.sha256) ?? []).flatMap((sha256) => this.find(sha256) ?? []);
  }

  get size(): number {
    return this.#known.size;
  }

  /** What is kept takes up about so much memory. */
  get octets(): number {
    return this.#known.octets + this.#words.calculatedSize + this.#chains.octets;
  }

  flush(): number {
    const { size } = this.#known;
    this.#known.clear();
    this.#words.clear();
    this.#chains.clear();
    return size;
  }
}

function weight(der: Uint8Array): number {
  return ENTRY_OCTETS + OCTETS_PER_OCTET * der.length;
}

function parse(der: Uint8Array): Known {
  try {
    return parseCertificate(der);
  } catch (error) {
    if (error instanceof MalformedCertificate) return { malformed: withKind(error.message, der) };
    throw error;
  }
}
