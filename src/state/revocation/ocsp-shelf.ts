import { fetchTarget } from '../../net/address/index.js';
import type { RevocationSettings } from '../../policy/settings/index.js';
import type { Snapshot } from '../../trust/agreement/index.js';
import { Budget, type CertificateFacts } from '../../x509/certificate/index.js';
import {
  type CrlFacts,
  MAX_OCSP_OCTETS,
  type OcspAnswer,
  ocspLocations,
  ocspStatus,
  type RevocationStatus,
  revocationStatus,
} from '../../x509/revocation/index.js';
import { fetchHttp, type JobQueue } from '../fetch/index.js';
import { type OcspKeeper, type OcspReader, OcspSource } from './ocsp-source.js';
import type { FetchedThing, SharedFetches } from './shared-fetches.js';

/** What the shelf asks of the rest of siptrust. */
export interface OcspContext {
  readonly settings: RevocationSettings;
  readonly queue: JobQueue;
  readonly read: OcspReader;
  readonly random: () => number;
  /** What other nodes were told; undefined: this daemon is alone. */
  readonly shared?: SharedFetches | undefined;
  now(): number;
  snapshot(): Snapshot;
  crls(): readonly CrlFacts[];
  changed(): void;
}

/** The certificates whose status is asked from responders, and the answers. */
export class OcspShelf {
  readonly #sources = new Map<string, OcspSource>();
  readonly #answers = new Map<string, OcspAnswer>();
  readonly #context: OcspContext;
  readonly #keeper: OcspKeeper;

  constructor(context: OcspContext) {
    const { settings, random, read } = context;
    const limits = { rules: settings, maxSize: MAX_OCSP_OCTETS, timeoutMs: settings.timeout * 1000 };
    this.#context = context;
    this.#keeper = {
      intervalMs: settings.interval * 1000,
      random,
      read,
      now: () => context.now(),
      timeoutMs: limits.timeoutMs,
      fetch: (question, { certificate }, stop, maxAgeMs, take) => {
        const own = async () => {
          const answer = await fetchHttp(question, limits, stop);
          take(answer);
          return answer;
        };
        // Only who asked knows that an answer is to its own question.
        if (context.snapshot().ocsp.nonceRequired) return own();
        return context.shared?.fetch(statusOf(question.url, certificate.sha256, maxAgeMs), own, stop) ?? own();
      },
      shared: async (url, { sha256 }, maxAgeMs) => {
        if (context.snapshot().ocsp.nonceRequired) return undefined;
        return context.shared?.read(statusOf(url, sha256, maxAgeMs));
      },
      status: (certificate, issuer, answer) => this.status(certificate, issuer, answer),
      replaced: ({ certificate, answer }, changed) => {
        // It may have been forgotten meanwhile.
        if (answer === undefined || !this.#sources.has(certificate.sha256)) return;
        this.#answers.set(certificate.sha256, answer);
        if (changed) context.changed();
      },
      refused: ({ certificate }, answer, changed) => {
        if (!this.#sources.has(certificate.sha256)) return;
        this.#answers.set(certificate.sha256, answer);
        if (changed) context.changed();
      },
    };
  }

  /** Answers by the SHA-256 of the certificate; where a responder gave none that counts, the one that does not. */
  get answers(): ReadonlyMap<string, OcspAnswer> {
    return this.#answers;
  }

  get sources(): Iterable<OcspSource> {
    return this.#sources.values();
  }

  /** Follows the status of a certificate, if it names responders that may be asked. */
  follow(certificate: CertificateFacts, issuer: CertificateFacts): OcspSource | undefined {
    const known = this.#sources.get(certificate.sha256);
    if (known !== undefined) return known;
    const [first, ...others] = ocspLocations(certificate).flatMap((url) => {
      const target = fetchTarget(url, this.#context.settings);
      return 'refused' in target ? [] : [target];
    });
    if (first === undefined) return undefined;
    const source = new OcspSource([first, ...others], certificate, issuer, this.#keeper);
    this.#sources.set(certificate.sha256, source);
    this.#context.queue.add(source);
    return source;
  }

  /** Whose status another node was told; undefined: nobody here follows it. */
  heard(source: string): OcspSource | undefined {
    const [url = '', sha256 = ''] = source.split(' ');
    const known = this.#sources.get(sha256);
    return known?.urls.includes(url) ? known : undefined;
  }

  /** Forgets all certificates but these. */
  retain(wanted: (certificate: CertificateFacts) => boolean): void {
    for (const { certificate } of [...this.#sources.values()]) if (!wanted(certificate)) this.forget(certificate);
  }

  forget(certificate: CertificateFacts): void {
    const source = this.#sources.get(certificate.sha256);
    if (source === undefined) return;
    this.#sources.delete(certificate.sha256);
    this.#answers.delete(certificate.sha256);
    this.#context.queue.delete(source);
  }

  /** Another policy: what failed is tried again. */
  restart(): void {
    for (const source of this.#sources.values()) source.retry();
    this.#context.queue.wake();
  }

  /** What an answer says now, judged as in a path that goes through this issuer. */
  status(certificate: CertificateFacts, issuer: CertificateFacts, answer: OcspAnswer): RevocationStatus {
    const { ocsp, skew, crlGrace } = this.#context.snapshot();
    const budget = new Budget();
    const at = this.#context.now();
    const byCrl = { crls: this.#context.crls(), at, skew, grace: crlGrace, strict: false, tls: true, budget };
    return ocspStatus(certificate, issuer, answer, {
      ...ocsp,
      at,
      skew,
      budget,
      responderStatus: (responder) =>
        revocationStatus(responder, { ...byCrl, signers: () => [{ certificate: issuer }] }),
    });
  }
}

function statusOf(url: string, sha256: string, maxAgeMs: number): FetchedThing {
  return { kind: 'ocsp', source: `${url} ${sha256}`, maxAgeMs, etag: undefined };
}
