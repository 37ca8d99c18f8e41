import type { Snapshot } from '../trust/agreement.js';
import { Budget } from '../x509/budget.js';
import type { CertificateFacts } from '../x509/facts.js';
import { signatureVerifies } from '../x509/signature.js';

/** The CA certificates of all agreements that look at revocation, by name. */
export class Authorities {
  /** Each once, of whatever agreement. */
  readonly intermediates: readonly CertificateFacts[];
  readonly #byName = new Map<string, CertificateFacts[]>();

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

  /** Those that bear a name, given as key text. */
  named(keyText: string): readonly CertificateFacts[] {
    return this.#byName.get(keyText) ?? [];
  }

  /** The one whose key verifies a certificate. What only claims to be issued here makes nobody ask anything. */
  issuerOf(certificate: CertificateFacts): CertificateFacts | undefined {
    return this.named(certificate.issuerKeys.text).find((each) =>
      signatureVerifies(certificate, each.publicKey, new Budget()),
    );
  }
}
