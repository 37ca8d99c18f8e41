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

interface Entry {
  readonly certificate: CertificateFacts;
  readonly agreements: Agreement[];
}

/** The CA certificates that an agreement names; one may come twice. */
export function authoritiesOf({ anchors, intermediates }: Agreement): readonly CertificateFacts[] {
  return [...anchors.client, ...anchors.server, ...intermediates];
}

/** CA certificates of the policy by subject, with agreements that name them. */
export class AuthorityTable {
  readonly #bySubject: NameTable<Entry[]>;

  private constructor(bySubject: NameTable<Entry[]>) {
    this.#bySubject = bySubject;
  }

  /** A table to be filled, with nothing in it. */
  static empty(): AuthorityTable {
    return new AuthorityTable(NameTable.empty());
  }

  /** A table to be filled, with all of another one but the CAs of these names. */
  static without(before: AuthorityTable, names: Iterable<string>): AuthorityTable {
    const bySubject = NameTable.from(before.#bySubject);
    for (const name of names) bySubject.delete(name);
    return new AuthorityTable(bySubject);
  }

  static of(agreements: Iterable<Agreement>): AuthorityTable {
    const table = AuthorityTable.empty();
    for (const agreement of agreements) table.add(agreement);
    return table.seal();
  }

  /**
   * Enters the anchors and intermediates of an agreement, in the order of the policy.
   * @param only CAs of these names
   */
  add(agreement: Agreement, only?: ReadonlySet<string>): void {
    for (const certificate of authoritiesOf(agreement)) {
      const name = certificate.subjectKeys.text;
      if (only === undefined || only.has(name)) this.#add(name, certificate, agreement);
    }
  }

  /** In the place of an agreement stands another one that names the same CAs: what is seen of it in other tables stays. */
  replace(before: Agreement, after: Agreement): void {
    for (const { subjectKeys } of authoritiesOf(after)) {
      const entries = this.#bySubject.get(subjectKeys.text) ?? [];
      if (!entries.some(({ agreements }) => agreements.includes(before))) continue;
      const instead = (each: Agreement): Agreement => (each === before ? after : each);
      const replaced = entries.map((entry) => ({ ...entry, agreements: entry.agreements.map(instead) }));
      this.#bySubject.set(subjectKeys.text, replaced);
    }
  }

  #add(name: string, certificate: CertificateFacts, agreement: Agreement): void {
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
