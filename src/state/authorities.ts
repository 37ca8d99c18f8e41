import { LRUCache } from 'lru-cache';
import type { Snapshot } from '../trust/agreement.js';
import { Budget } from '../x509/budget.js';
import type { CertificateFacts } from '../x509/facts.js';
import { signatureVerifies } from '../x509/signature.js';

/** Public CAs that partners sit under have a handful of intermediates each. */
const MOST_LEARNED = 200;

/** The CA certificates of all agreements that look at revocation, by name. */
export class Authorities {
  /** Each once, of whatever agreement. */
  readonly intermediates: readonly CertificateFacts[];
  readonly #byName = new Map<string, CertificateFacts[]>();
  readonly #learned = new LRUCache<string, CertificateFacts>({ max: MOST_LEARNED });

  constructor({ agreements }: Pick<Snapshot, 'agreements'>) {
    const looking = agreements.filter(
      ({ enabled, mechanism, revocation }) => enabled && mechanism === 'tls' && revocation !== 'off',
    );
    const once = (all: readonly CertificateFacts[]) => [...new Map(all.map((each) => [each.sha256, each])).values()];
    this.intermediates = once(looking.flatMap(({ intermediates }) => intermediates));
    const anchors = looking.flatMap(({ anchors: { client, server } }) => [...client, ...server]);
    for (const each of once([...anchors, ...this.intermediates])) {
      const list = this.#byName.get(each.subjectKeys.text);
      if (list === undefined) this.#byName.set(each.subjectKeys.text, [each]);
      else list.push(each);
    }
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
      for (const each of found) this.#learned.set(each.sha256, each);
      learned.push(...found);
      left = left.filter((each) => !found.includes(each));
    }
    return learned;
  }

  #isOfPolicy({ sha256, subjectKeys }: CertificateFacts): boolean {
    return (this.#byName.get(subjectKeys.text) ?? []).some((each) => each.sha256 === sha256);
  }

  /** Those that bear a name, given as key text. */
  named(keyText: string): readonly CertificateFacts[] {
    const learned = [...this.#learned.values()].filter(({ subjectKeys }) => subjectKeys.text === keyText);
    return [...(this.#byName.get(keyText) ?? []), ...learned];
  }

  /** The one whose key verifies a certificate. What only claims to be issued here makes nobody ask anything. */
  issuerOf(certificate: CertificateFacts): CertificateFacts | undefined {
    return this.named(certificate.issuerKeys.text).find((each) =>
      signatureVerifies(certificate, each.publicKey, new Budget()),
    );
  }
}
