import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { MalformedCertificate, parseCertificate } from '../x509/certificate.js';
import type { CertificateFacts } from '../x509/facts.js';
import { readPem } from '../x509/pem.js';
import type { CacheCounters } from './counters.js';

type Known = CertificateFacts | { readonly malformed: string };

/** Longest text of one certificate that is looked at; real ones have two or three thousand characters. */
const MAX_TEXT = 64 * 1024;

/**
 * DER out of what a proxy gives: PEM, urlencoded PEM (`%0a` and kin) or bare base64 of the DER.
 * A chain is cut to its first certificate: the leaf.
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
  if (plain.includes('-----BEGIN')) {
    try {
      return readPem(plain)[0] ?? { malformed: 'expected a certificate in PEM, found none' };
    } catch (error) {
      return { malformed: error instanceof Error ? error.message : String(error) };
    }
  }
  const base64 = plain.replace(/[\r\n\t ]+/g, '');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return { malformed: 'expected PEM or base64 DER, found other text' };
  return Buffer.from(base64, 'base64');
}

/**
 * Certificate facts by the SHA-256 of the certificate, bounded in number and in time. A proxy sends one certificate in
 * the same words each time, so the words themselves are remembered too, which saves decoding and hashing them.
 */
export class CertificateCache {
  readonly #known: LRUCache<string, Known>;
  readonly #words: LRUCache<string, Known>;
  readonly #counters: CacheCounters;

  constructor(max: number, ttlMs: number, counters: CacheCounters) {
    this.#known = new LRUCache({ max, ttl: ttlMs });
    this.#words = new LRUCache({ max, ttl: ttlMs });
    this.#counters = counters;
  }

  /** Facts of the certificate in `text`, or why it cannot be read. Never throws. */
  read(text: string): Known {
    const same = this.#words.get(text);
    if (same !== undefined) {
      this.#counters.hits += 1;
      return same;
    }
    const der = leafDer(text);
    if ('malformed' in der) return der;
    const facts = this.#fromDer(der);
    this.#words.set(text, facts);
    return facts;
  }

  #fromDer(der: Uint8Array): Known {
    const key = createHash('sha256').update(der).digest('base64');
    const hit = this.#known.get(key);
    if (hit !== undefined) {
      this.#counters.hits += 1;
      return hit;
    }
    this.#counters.misses += 1;
    const facts = parse(der);
    this.#known.set(key, facts);
    return facts;
  }

  get size(): number {
    return this.#known.size;
  }

  flush(): number {
    const { size } = this.#known;
    this.#known.clear();
    this.#words.clear();
    return size;
  }
}

function parse(der: Uint8Array): Known {
  try {
    return parseCertificate(der);
  } catch (error) {
    if (error instanceof MalformedCertificate) return { malformed: error.message };
    throw error;
  }
}
