/** Which agreements name a CA: asked where a certificate leads to a CA that its own agreement does not accept. */

import type { CertificateFacts } from '../../x509/certificate/index.js';
import type { Agreement } from './agreement.js';
import { NameTable } from './name-table.js';

/** A CA certificate of the policy. */
export interface Authority {
  readonly certificate: CertificateFacts;
  /** The first two agreements that name it: one of them is another than any given one, if there is one. */
  readonly agreements: readonly Agreement[];
}

const NONE: readonly never[] = Object.freeze([]);

/** CA certificates of the policy by subject, with agreements that name them. */
export class AuthorityTable {
  readonly #bySubject = new NameTable<{ readonly certificate: CertificateFacts; readonly agreements: Agreement[] }[]>();

  static of(agreements: Iterable<Agreement>): AuthorityTable {
    const table = new AuthorityTable();
    for (const agreement of agreements) table.add(agreement);
    return table.seal();
  }

  /** Enters the anchors and intermediates of an agreement, in the order of the policy. */
  add(agreement: Agreement): void {
    const { anchors, intermediates } = agreement;
    for (const list of [anchors.client, anchors.server, intermediates]) {
      for (const certificate of list) this.#add(certificate, agreement);
    }
  }

  #add(certificate: CertificateFacts, agreement: Agreement): void {
    const name = certificate.subjectKeys.text;
    const known = this.#bySubject.get(name);
    const same = known?.find((each) => each.certificate.sha256 === certificate.sha256);
    if (same !== undefined) {
      if (same.agreements.length < 2 && !same.agreements.includes(agreement)) same.agreements.push(agreement);
    } else if (known !== undefined) known.push({ certificate, agreements: [agreement] });
    else this.#bySubject.set(name, [{ certificate, agreements: [agreement] }]);
  }

  seal(): this {
    this.#bySubject.seal();
    return Object.freeze(this);
  }

  /** Those whose subject is the name of this key text. */
  named(name: string): readonly Authority[] {
    return this.#bySubject.get(name) ?? NONE;
  }
}
