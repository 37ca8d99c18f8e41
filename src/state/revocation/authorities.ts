import { LRUCache } from 'lru-cache';
import { authoritiesOf, type Material, type Snapshot } from '../../trust/agreement/index.js';
import { Budget, type CertificateFacts, signatureVerifies } from '../../x509/certificate/index.js';
import { makeRoom } from './room.js';

/** Public CAs that partners sit under have a handful of intermediates each. */
const MOST_LEARNED = 200;
/** Learned CAs above one another: as many as a path may have (DEFAULT_MAX_DEPTH). */
const MOST_STEPS = 10;
/** Agreements looked at in one step. */
const STEP = 500;

/** A CA certificate that a peer has sent. */
interface Learned {
  readonly certificate: CertificateFacts;
  /** Of the CA of the policy that it leads up to. */
  readonly over: string;
}

/** The CA certificates of all agreements that look at revocation, by name. */
export class Authorities {
  /** Each once, of whatever agreement. */
  readonly intermediates: readonly CertificateFacts[];
  readonly #byName: ReadonlyMap<string, readonly CertificateFacts[]>;
  readonly #learned = new LRUCache<string, Learned>({ max: MOST_LEARNED });

  private constructor(
    intermediates: readonly CertificateFacts[],
    byName: ReadonlyMap<string, readonly CertificateFacts[]>,
  ) {
    this.intermediates = intermediates;
    this.#byName = byName;
  }

  /** Yields now and then, so that a caller can let verdicts through in between. */
  static *gather({ agreements }: Pick<Snapshot, 'agreements'>): Generator<undefined, Authorities> {
    const byName = new Map<string, CertificateFacts[]>();
    const named = new Set<string>();
    const intermediates = new Map<string, CertificateFacts>();
    // Of many agreements it is the same.
    const seen = new Set<Material>();
    let looked = 0;
    for (const [{ enabled, mechanism, revocation }, material] of agreements.shared()) {
      looked += 1;
      if (looked % STEP === 0) yield;
      if (!enabled || mechanism !== 'tls' || revocation === 'off' || seen.has(material)) continue;
      seen.add(material);
      for (const each of material.intermediates) intermediates.set(each.sha256, each);
      for (const each of authoritiesOf(material)) {
        if (named.has(each.sha256)) continue;
        named.add(each.sha256);
        const list = byName.get(each.subjectKeys.text);
        if (list === undefined) byName.set(each.subjectKeys.text, [each]);
        else list.push(each);
      }
    }
    return new Authorities([...intermediates.values()], byName);
  }

  /**
   * CA certificates that peers sent and that a CA of the policy, or one of these, has signed: what they sign can be asked
   * about as well. The ones among `chain` that are such.
   */
  learn(chain: readonly CertificateFacts[]): readonly CertificateFacts[] {
    const learned: CertificateFacts[] = [];
    // From the top down: in whatever order they came, each round finds the ones below.
    for (let left = chain.filter((each) => each.isCa && !this.#isOfPolicy(each)); left.length > 0; ) {
      const found = left.filter((each) => this.issuerOf(each) !== undefined);
      if (found.length === 0) break;
      for (const each of found) this.#remember(each);
      learned.push(...found);
      left = left.filter((each) => !found.includes(each));
    }
    return learned;
  }

  /** Those that peers have sent so far. */
  get learned(): readonly CertificateFacts[] {
    return [...this.#learned.values()].map(({ certificate }) => certificate);
  }

  #remember(certificate: CertificateFacts): void {
    const over = this.#learned.get(certificate.sha256)?.over ?? this.authorityOver(certificate)?.sha256 ?? '';
    if (!this.#learned.has(certificate.sha256)) makeRoom(this.#learned, (learned) => learned.over);
    this.#learned.set(certificate.sha256, { certificate, over });
  }

  #isOfPolicy({ sha256, subjectKeys }: CertificateFacts): boolean {
    return (this.#byName.get(subjectKeys.text) ?? []).some((each) => each.sha256 === sha256);
  }

  /** Those that bear a name, given as key text. */
  named(keyText: string): readonly CertificateFacts[] {
    const learned = this.learned.filter(({ subjectKeys }) => subjectKeys.text === keyText);
    return [...(this.#byName.get(keyText) ?? []), ...learned];
  }

  /** The CA of the policy that a certificate leads up to, over those that were learned; undefined: none. */
  authorityOver(certificate: CertificateFacts): CertificateFacts | undefined {
    let above = this.issuerOf(certificate);
    for (let steps = 0; above !== undefined && !this.#isOfPolicy(above); steps++) {
      if (steps === MOST_STEPS) return undefined;
      above = this.issuerOf(above);
    }
    return above;
  }

  /** The one whose key verifies a certificate. What only claims to be issued here makes nobody ask anything. */
  issuerOf(certificate: CertificateFacts): CertificateFacts | undefined {
    return this.named(certificate.issuerKeys.text).find((each) =>
      signatureVerifies(certificate, each.publicKey, new Budget()),
    );
  }
}
