import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { ReasonCode } from '../../reasons.js';
import type { CertificateFacts } from '../../x509/certificate/index.js';
import { sameOctets } from '../../x509/der/index.js';
import {
  certIdOf,
  nonceValue,
  type OcspAnswer,
  type OcspResponse,
  ocspEntry,
  parseOcspResponse,
  type RevocationStatus,
  writeOcspRequest,
} from '../../x509/revocation/index.js';
import { FetchFailure, type HttpAnswer, type HttpQuestion, othersMaxAge } from '../fetch/index.js';
import { FetchedSource, type SourceKeeper, type SourceTarget } from './fetched-source.js';

/** Reads a response in DER. Throws where it cannot be read, or is an error of the responder. */
export type OcspReader = (der: Uint8Array) => OcspResponse;

/** As many responders as a policy has, and more: their certificates. */
const MOST_CERTIFICATES = 200;

/** The reader of OCSP responses. Those on thousands of certificates bring the same responder's certificate along: it is kept once. */
export function ocspReader(): OcspReader {
  const responders = new LRUCache<string, CertificateFacts>({ max: MOST_CERTIFICATES });
  return (der) => {
    const response = parseOcspResponse(der);
    const certificates = response.certificates.map((each) => {
      const known = responders.get(each.sha256) ?? each;
      responders.set(each.sha256, known);
      return known;
    });
    return Object.freeze({ ...response, certificates: Object.freeze(certificates) });
  };
}

/** What a source asks of those who keep it. */
export interface OcspKeeper extends SourceKeeper {
  /** For all responders that are asked in one round. */
  readonly timeoutMs: number;
  /**
   * @param maxAgeMs what another node was told longer ago is not taken; 0: nothing of others is
   * @param take judges what the responder itself says; what it throws at is kept for nobody
   */
  fetch(
    question: HttpQuestion,
    source: OcspSource,
    stop: AbortSignal,
    maxAgeMs: number,
    take: (answer: HttpAnswer) => void,
  ): Promise<HttpAnswer>;
  /** What a node was told by the responder at this URL; undefined: none was in this time, or the store is away. */
  shared(url: string, certificate: CertificateFacts, maxAgeMs: number): Promise<HttpAnswer | undefined>;
  readonly read: OcspReader;
  /** What an answer says now. */
  status(certificate: CertificateFacts, issuer: CertificateFacts, answer: OcspAnswer): RevocationStatus;
  /** The answer of the source has been replaced; `changed`: it says something else than before. */
  replaced(source: OcspSource, changed: boolean): void;
  /** There is no answer but this one, which settles nothing; `changed`: for another reason than before. */
  refused(source: OcspSource, answer: OcspAnswer, changed: boolean): void;
}

/** OCSP requests have 32 octets of nonce (RFC 9654 §2.1). */
const NONCE_OCTETS = 32;

/** Responders of one certificate that are asked. */
const MOST_RESPONDERS = 3;

/** The store forgets sooner (state/tables). */
const EVER_MS = 365 * 86_400_000;

/**
 * The status of one certificate, asked from the responders that it names, in their order: from the next one where one is
 * dead or gives no answer that counts. What one of them has revoked none of the others clears, as one may lag behind the
 * other; whoever has revoked it is asked in each round. It goes by the URL of the first.
 */
export class OcspSource extends FetchedSource {
  readonly certificate: CertificateFacts;
  readonly issuer: CertificateFacts;
  readonly urls: readonly string[];
  /** What counts of the last answers. */
  answer: OcspAnswer | undefined;
  readonly #keeper: OcspKeeper;
  /** The last answer of each URL that counted. */
  readonly #held = new Map<string, OcspAnswer>();
  /** Why the last answer of each URL did not. */
  readonly #refusals = new Map<string, ReasonCode | undefined>();

  constructor(
    targets: readonly [SourceTarget, ...SourceTarget[]],
    certificate: CertificateFacts,
    issuer: CertificateFacts,
    keeper: OcspKeeper,
  ) {
    super(targets[0], keeper);
    this.certificate = certificate;
    this.issuer = issuer;
    this.#keeper = keeper;
    this.urls = [...new Set(targets.map(({ url }) => url))].slice(0, MOST_RESPONDERS);
  }

  protected async ask(stop: AbortSignal, maxAgeMs: number): Promise<number | undefined> {
    await this.#recall();
    const failures: string[] = [];
    let answered = false;
    let open = false;
    let share = this.#keeper.timeoutMs;
    for (const url of this.urls) {
      // All of them hold a place in the queue for one timeout: each half of what is left, and the last one the rest.
      if (url !== this.urls.at(-1)) share /= 2;
      const revoked = this.#revokes(this.#held.get(url));
      if (answered && !revoked) continue;
      try {
        await this.#askAt(url, stop, maxAgeMs, share);
        answered = true;
      } catch (cause) {
        if (stop.aborted) throw cause;
        failures.push(this.#failure(url, cause));
        // It alone can take its revocation back.
        open ||= revoked;
      }
    }
    if (open || !answered) throw new FetchFailure(failures.join('; '));
    return this.#until();
  }

  async #askAt(url: string, stop: AbortSignal, maxAgeMs: number, shareMs: number): Promise<void> {
    const nonce = randomBytes(NONCE_OCTETS);
    const body = writeOcspRequest(certIdOf(this.certificate, this.issuer), nonce);
    const headers = { 'Content-Type': 'application/ocsp-request', Accept: 'application/ocsp-response' };
    const take = (own: HttpAnswer): void => this.#take(url, own, nonce);
    // One that is alone has all of its time from when it is asked: another node may be asking it before.
    const late = this.urls.length === 1 ? undefined : AbortSignal.timeout(shareMs);
    const ending = late === undefined ? stop : AbortSignal.any([stop, late]);
    try {
      const answer = await this.#keeper.fetch({ url, headers, body }, this, ending, maxAgeMs, take);
      if (answer.shared === true) this.#take(url, answer, undefined);
    } catch (cause) {
      throw late?.aborted === true ? new FetchFailure(`expected an answer within ${shareMs} ms`, { cause }) : cause;
    }
  }

  /** What is known to be revoked stays so, also to a node that was started since: others were told. */
  async #recall(): Promise<void> {
    for (const url of this.urls) {
      const answer = await this.#keeper.shared(url, this.certificate, EVER_MS);
      if (answer === undefined) continue;
      try {
        if (this.#revokes(this.#read(answer, undefined))) this.#take(url, answer, undefined);
      } catch {
        // It is no revocation, or this node has a newer answer.
      }
    }
  }

  protected async hear(): Promise<number | undefined | 'nothing'> {
    const failures: string[] = [];
    let heard = false;
    // The first one last: it speaks where all say the same.
    for (const url of [...this.urls].reverse()) {
      const answer = await this.#keeper.shared(url, this.certificate, othersMaxAge(this.#keeper, undefined));
      if (answer === undefined) continue;
      try {
        this.#take(url, answer, undefined);
        heard = true;
      } catch (cause) {
        failures.push(this.#failure(url, cause));
      }
    }
    if (heard) return this.#until();
    if (failures.length > 0) throw new FetchFailure(failures.join('; '));
    return 'nothing';
  }

  #failure(url: string, cause: unknown): string {
    const why = cause instanceof Error ? cause.message : String(cause);
    return this.urls.length === 1 ? why : `${url}: ${why}`;
  }

  /** @param nonce of the question that this answers; undefined: another node has asked it */
  #read({ body: octets, status: code }: HttpAnswer, nonce: Uint8Array | undefined): OcspAnswer {
    if (code !== 200) throw new FetchFailure(`expected status 200, found ${code}`);
    const response = this.#keeper.read(octets);
    // A nonce of another node proves nothing here: the answer counts as one without.
    const asked = response.nonce === undefined ? undefined : nonce;
    // Rulebook K-14: none is a responder that prepares its answers; another one is an answer to somebody else.
    if (asked !== undefined && response.nonce !== undefined && !sameOctets(response.nonce, nonceValue(asked))) {
      throw new FetchFailure('expected the nonce of the question, found another');
    }
    return { response, nonceEchoed: asked !== undefined };
  }

  /** Takes the answer of one responder. Throws where it does not count. */
  #take(url: string, found: HttpAnswer, nonce: Uint8Array | undefined): void {
    const { certificate, issuer } = this;
    const keeper = this.#keeper;
    const answer = this.#read(found, nonce);
    const status = keeper.status(certificate, issuer, answer);
    const before = this.answer;
    if (status.status === 'unknown') {
      const [finding] = status.findings;
      // Verdicts tell why nothing is known, as long as nothing was.
      if (before === undefined) keeper.refused(this, answer, finding?.code !== this.#refusals.get(url));
      this.#refusals.set(url, finding?.code);
      throw new FetchFailure(finding?.detail ?? 'expected a status, found none');
    }
    const held = this.#held.get(url);
    // Of the clock of one responder: another one may make its answers less often.
    if (held !== undefined && this.#isOlder(answer, held)) {
      throw new FetchFailure('expected a status no older than the one before, found an older one');
    }
    const known = this.#statusOf(before)?.status ?? 'unknown';
    this.#held.set(url, answer);
    this.answer = [...this.#held.values()].find((each) => this.#revokes(each)) ?? answer;
    keeper.replaced(this, known !== this.#statusOf(this.answer)?.status);
  }

  #statusOf(answer: OcspAnswer | undefined): RevocationStatus | undefined {
    return answer && this.#keeper.status(this.certificate, this.issuer, answer);
  }

  #revokes(answer: OcspAnswer | undefined): boolean {
    return this.#statusOf(answer)?.status === 'revoked';
  }

  /** Until when what counts holds; undefined: it is a revocation. */
  #until(): number | undefined {
    const status = this.#statusOf(this.answer);
    return status?.status === 'good' ? status.until : undefined;
  }

  /** A replayed answer must not clear what was revoked since (rulebook T-23). */
  #isOlder(answer: OcspAnswer, before: OcspAnswer): boolean {
    const time = ({ response }: OcspAnswer): number =>
      ocspEntry(this.certificate, this.issuer, response)?.thisUpdate ?? Number.NEGATIVE_INFINITY;
    return time(answer) < time(before);
  }
}
