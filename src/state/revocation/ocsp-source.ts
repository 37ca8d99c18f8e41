import { randomBytes } from 'node:crypto';
import type { ReasonCode } from '../../reasons.js';
import type { CertificateFacts } from '../../x509/certificate/index.js';
import { sameOctets } from '../../x509/der/index.js';
import {
  certIdOf,
  nonceValue,
  type OcspAnswer,
  ocspEntry,
  type RevocationStatus,
  writeOcspRequest,
} from '../../x509/revocation/index.js';
import { FetchFailure, type HttpAnswer, type HttpQuestion } from '../fetch/index.js';
import { FetchedSource, type SourceKeeper, type SourceTarget } from './fetched-source.js';
import type { OcspReader } from './ocsp-reader.js';

/** What a source asks of those who keep it. */
export interface OcspKeeper extends SourceKeeper {
  /** @param maxAgeMs what another node was told longer ago is not taken; 0: nothing of others is */
  fetch(question: HttpQuestion, source: OcspSource, stop: AbortSignal, maxAgeMs: number): Promise<HttpAnswer>;
  /** What another node was told lately; undefined: none was, or the store is away. */
  shared(url: string, certificate: CertificateFacts): Promise<HttpAnswer | undefined>;
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

/** Responders of one certificate that are asked: each may take the time of a whole fetch. */
const MOST_RESPONDERS = 3;

/**
 * The status of one certificate, asked from the responders that it names: from the next one where one is dead or gives no
 * answer that counts. It goes by the URL of the first.
 */
export class OcspSource extends FetchedSource {
  readonly certificate: CertificateFacts;
  readonly issuer: CertificateFacts;
  answer: OcspAnswer | undefined;
  readonly #keeper: OcspKeeper;
  #refusal: ReasonCode | undefined;
  /** The one that answered last in front. */
  #urls: readonly string[];

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
    this.#urls = [...new Set(targets.map(({ url }) => url))].slice(0, MOST_RESPONDERS);
  }

  protected async ask(stop: AbortSignal, maxAgeMs: number): Promise<number | undefined> {
    const failures: string[] = [];
    for (const url of this.#urls) {
      try {
        const until = await this.#askAt(url, stop, maxAgeMs);
        this.#urls = [url, ...this.#urls.filter((each) => each !== url)];
        return until;
      } catch (cause) {
        if (stop.aborted || this.#urls.length === 1) throw cause;
        failures.push(`${url}: ${cause instanceof Error ? cause.message : String(cause)}`);
      }
    }
    throw new FetchFailure(failures.join('; '));
  }

  async #askAt(url: string, stop: AbortSignal, maxAgeMs: number): Promise<number | undefined> {
    const nonce = randomBytes(NONCE_OCTETS);
    const body = writeOcspRequest(certIdOf(this.certificate, this.issuer), nonce);
    const headers = { 'Content-Type': 'application/ocsp-request', Accept: 'application/ocsp-response' };
    return this.#take(await this.#keeper.fetch({ url, headers, body }, this, stop, maxAgeMs), nonce);
  }

  protected async hear(): Promise<number | undefined | 'nothing'> {
    const answer = await this.#keeper.shared(this.url, this.certificate);
    return answer === undefined ? 'nothing' : this.#take(answer, undefined);
  }

  /**
   * @param nonce of the question that this answers; undefined: another node has asked it
   * @returns until when the new status holds; undefined: it is a revocation
   */
  #take({ body: octets, status: code, shared }: HttpAnswer, nonce: Uint8Array | undefined): number | undefined {
    const { certificate, issuer } = this;
    const keeper = this.#keeper;
    if (code !== 200) throw new FetchFailure(`expected status 200, found ${code}`);
    const response = keeper.read(octets);
    // A nonce of another node proves nothing here: the answer counts as one without.
    const asked = shared === true || response.nonce === undefined ? undefined : nonce;
    // Rulebook K-14: none is a responder that prepares its answers; another one is an answer to somebody else.
    if (asked !== undefined && response.nonce !== undefined && !sameOctets(response.nonce, nonceValue(asked))) {
      throw new FetchFailure('expected the nonce of the question, found another');
    }
    const answer: OcspAnswer = { response, nonceEchoed: asked !== undefined };
    const status = keeper.status(certificate, issuer, answer);
    const before = this.answer;
    if (status.status === 'unknown') {
      const [finding] = status.findings;
      // Verdicts tell why nothing is known, as long as nothing was.
      if (before === undefined) keeper.refused(this, answer, finding?.code !== this.#refusal);
      this.#refusal = finding?.code;
      throw new FetchFailure(finding?.detail ?? 'expected a status, found none');
    }
    if (before !== undefined && this.#isOlder(answer, before)) {
      throw new FetchFailure('expected a status no older than the one before, found an older one');
    }
    const known = before === undefined ? 'unknown' : keeper.status(certificate, issuer, before).status;
    this.answer = answer;
    keeper.replaced(this, known !== status.status);
    return status.status === 'good' ? status.until : undefined;
  }

  /** A replayed answer must not clear what was revoked since (rulebook T-23). */
  #isOlder(answer: OcspAnswer, before: OcspAnswer): boolean {
    const time = ({ response }: OcspAnswer): number =>
      ocspEntry(this.certificate, this.issuer, response)?.thisUpdate ?? Number.NEGATIVE_INFINITY;
    return time(answer) < time(before);
  }
}
