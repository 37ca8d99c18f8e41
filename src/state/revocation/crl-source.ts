import { type CertificateFacts, signatureVerifiesInSteps } from '../../x509/certificate/index.js';
import { MalformedPem, readPem } from '../../x509/der/index.js';
import {
  type CrlFacts,
  type CrlTimes,
  MalformedCrl,
  parseCrlInSteps,
  whyClearsNobody,
  whyForeign,
  whyNarrower,
  whyOlder,
} from '../../x509/revocation/index.js';
import { FetchFailure, type HttpAnswer, type HttpQuestion } from '../fetch/index.js';
import { inSlices } from '../work/index.js';
import { FetchedSource, type SourceKeeper, type SourceTarget } from './fetched-source.js';

/** What a source asks of those who keep it. */
export interface CrlKeeper extends SourceKeeper {
  times(): CrlTimes;
  /** @param maxAgeMs what another node fetched longer ago is not taken; 0: nothing of others is */
  fetch(question: HttpQuestion, stop: AbortSignal, maxAgeMs: number): Promise<HttpAnswer>;
  /** What another node has fetched lately; undefined: none has, or the store is away. */
  shared(url: string): Promise<HttpAnswer | undefined>;
  /** CA certificates that bear the name (a key text). */
  signers(name: string): readonly CertificateFacts[];
  /** Why there is no room for this list beside the others; undefined: there is. */
  full(crl: CrlFacts): string | undefined;
  /** The list of the source has been replaced. */
  replaced(source: CrlSource, crl: CrlFacts, before: CrlFacts | undefined): void;
  /** A list that only revokes is at hand beside the one of the source. */
  accused(source: CrlSource, crl: CrlFacts): void;
}

/** One URL at which a CRL is published, and the last good list from there. */
export class CrlSource extends FetchedSource {
  /** Key texts of the names that may have issued the list. */
  readonly issuers = new Set<string>();
  /** The keys of the CAs whose certificates name the URL. */
  readonly keys = new Set<string>();
  /** Key text of the issuer of the certificate that named the URL first. */
  claimedBy = '';
  /** The key of the CA of the policy above that certificate. */
  authority = '';
  crl: CrlFacts | undefined;
  /** A newer list that clears nobody: what it lists is revoked, though the last good one says nothing of it. */
  accusing: CrlFacts | undefined;
  /** The key that has signed the last good list. */
  #signedBy = '';
  etag: string | undefined;
  lastModified: string | undefined;
  /** Milliseconds since 1970: the last time a certificate named this URL. */
  seenAt: number;
  /** A certificate of the policy names this URL. */
  kept = false;
  readonly #keeper: CrlKeeper;

  constructor(target: SourceTarget, keeper: CrlKeeper) {
    super(target, keeper);
    this.#keeper = keeper;
    this.seenAt = keeper.now();
  }

  /** Takes a list that was kept on disk. One that has run out still tells what was revoked. */
  async restore(bytes: Uint8Array): Promise<void> {
    const crl = await inSlices(parseCrlInSteps(bytes));
    this.issuers.add(crl.issuerKeys.text);
    this.claimedBy = crl.issuerKeys.text;
    this.#signedBy = await this.#check(crl);
    this.crl = crl;
    this.attempts = 1;
  }

  protected async ask(stop: AbortSignal, maxAgeMs: number): Promise<number | undefined> {
    await this.#take(await this.#keeper.fetch({ url: this.url, headers: this.#headers() }, stop, maxAgeMs));
    return this.crl?.nextUpdate;
  }

  protected async hear(): Promise<number | undefined | 'nothing'> {
    const answer = await this.#keeper.shared(this.url);
    if (answer === undefined) return 'nothing';
    await this.#take(answer);
    return this.crl?.nextUpdate;
  }

  async #take(answer: HttpAnswer): Promise<void> {
    const held = this.crl;
    const { at } = this.#keeper.times();
    if (answer.status === 304) {
      if (held === undefined) throw new FetchFailure('expected a CRL, found status 304');
      if ((held.nextUpdate ?? 0) <= at) throw new FetchFailure('expected a newer CRL, found status 304');
      return;
    }
    const crl = await readList(answer);
    if (crl.sha256 === held?.sha256) {
      if ((held.nextUpdate ?? 0) <= at) throw new FetchFailure('expected a newer CRL, found the same again');
      this.#validators(answer);
      return;
    }
    const worse = held === undefined ? undefined : (whyOlder(crl, held, at) ?? whyNarrower(crl, held, at));
    const unfit = this.#keeper.full(crl) ?? worse;
    if (unfit !== undefined) throw new FetchFailure(unfit);
    const key = await this.#check(crl);
    // CAs of several partners may bear one name: the list of another one says nothing of what is held.
    if ((held?.nextUpdate ?? 0) > at && key !== this.#signedBy && !this.keys.has(key)) {
      throw new FetchFailure('expected a CRL by the key of the one before, found one by the key of another CA');
    }
    const clearsNobody = whyClearsNobody(crl, this.#keeper.times());
    if (clearsNobody === undefined) {
      const settled = this.accusing !== undefined && whyOlder(crl, this.accusing, at) === undefined;
      if (settled) this.accusing = undefined;
      this.crl = crl;
      this.#signedBy = key;
      this.#validators(answer);
      this.#keeper.replaced(this, crl, settled ? undefined : held);
      return;
    }
    // What it lists is revoked all the same; it takes the place of nothing that says more.
    if (held === undefined || whyClearsNobody(held, this.#keeper.times()) !== undefined) {
      this.crl = crl;
      this.#signedBy = key;
      this.etag = undefined;
      this.lastModified = undefined;
      this.#keeper.replaced(this, crl, held);
    } else {
      this.#accuse(crl, at);
    }
    throw new FetchFailure(clearsNobody);
  }

  #accuse(crl: CrlFacts, at: number): void {
    const before = this.accusing;
    if (crl.entryCount === 0 || crl.sha256 === before?.sha256) return;
    if (before !== undefined && whyOlder(crl, before, at) !== undefined) return;
    this.accusing = crl;
    this.#keeper.accused(this, crl);
  }

  /** Of a list that was refused they would keep a better one away. */
  #validators({ etag, lastModified }: HttpAnswer): void {
    this.etag = etag;
    this.lastModified = lastModified;
  }

  #headers(): Readonly<Record<string, string>> {
    return {
      Accept: 'application/pkix-crl, */*;q=0.1',
      ...(this.crl === undefined || this.etag === undefined ? {} : { 'If-None-Match': this.etag }),
      ...(this.crl === undefined || this.lastModified === undefined ? {} : { 'If-Modified-Since': this.lastModified }),
    };
  }

  /**
   * The key that has signed a list. It counts where a path check says so; one that no known CA has signed cannot, and must
   * replace nothing.
   */
  async #check(crl: CrlFacts): Promise<string> {
    const foreign = whyForeign(crl, this.issuers, this.#keeper.times());
    if (foreign !== undefined) throw new FetchFailure(foreign);
    for (const signer of this.#keeper.signers(crl.issuerKeys.text)) {
      if (signer.keyUsage !== undefined && !signer.keyUsage.has('cRLSign')) continue;
      if (await inSlices(signatureVerifiesInSteps(crl, signer.publicKey))) return signer.spkiSha256;
    }
    throw new FetchFailure(`expected a CRL signed by a CA of the policy, found one of ${crl.issuerText} that is not`);
  }
}

/** RFC 2585 §3 wants DER; small lists in PEM are met and read one way only. */
const MOST_PEM_OCTETS = 1024 * 1024;
const SEQUENCE = 0x30;
const PEM = '-----BEGIN';

async function readList({ body, contentType }: HttpAnswer): Promise<CrlFacts> {
  try {
    return await inSlices(parseCrlInSteps(derOf(body)));
  } catch (cause) {
    if (!(cause instanceof MalformedCrl || cause instanceof MalformedPem)) throw cause;
    throw new FetchFailure(
      `expected a CRL in DER, found ${body[0] === SEQUENCE ? cause.message : whatElse(body, contentType)}`,
      { cause },
    );
  }
}

/** What came in place of DER. The type that a server gives says little where it is the one that lists have. */
function whatElse(body: Uint8Array, contentType: string): string {
  const start = Buffer.from(body.subarray(0, PEM.length)).toString('latin1');
  if (start === PEM && body.length > MOST_PEM_OCTETS)
    return `PEM of ${body.length} octets, which is read up to ${MOST_PEM_OCTETS}`;
  const octets = `${body.length} other octets`;
  return contentType === '' ? octets : `${octets} (${contentType.slice(0, 60)})`;
}

function derOf(body: Uint8Array): Uint8Array {
  if (body[0] === SEQUENCE || body.length > MOST_PEM_OCTETS) return body;
  const [der, ...more] = readPem(Buffer.from(body).toString('latin1'), 'X509 CRL');
  if (der === undefined || more.length > 0) throw new MalformedPem('expected one CRL, found several');
  return der;
}
