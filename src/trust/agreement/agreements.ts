/** The agreements of a policy as answers find them: each is made when it is asked for, since of 100,000 few are at a time. */

import type { CertificateFacts } from '../../x509/certificate/index.js';
import type { Agreement } from './agreement.js';

/** The certificates and lists that an agreement names: partners behind one CA have them alike. */
export type Material = Pick<Agreement, 'anchors' | 'intermediates' | 'crls'>;

/** What an agreement has to itself. */
type Own =
  | 'name'
  | 'domains'
  | 'serverNames'
  | 'wildcardNames'
  | 'subject'
  | 'issuer'
  | 'attributeIssuers'
  | 'asserts'
  | 'pins'
  | 'targets'
  | 'valid'
  | 'migrationUntil'
  | 'sources';

/** What many agreements have alike. */
export type Terms = Omit<Agreement, keyof Material | Own>;

/** In the order of the policy, numbered from 0. While somebody holds one of them, whoever asks for it gets the same object. */
export interface Agreements extends Iterable<Agreement> {
  readonly length: number;
  /** undefined: there are not so many. */
  at(number: number): Agreement | undefined;
  nameOf(number: number): string;
  /** undefined: none has this name. */
  numberOf(name: string): number | undefined;
  /** Whether one is known to say the same as one of another policy. */
  same(number: number, other: Agreements, otherNumber: number): boolean;
  /** Those from one number on, up to another one. */
  slice(from: number, to: number): readonly Agreement[];
  /** What is known of one without making it. @throws {Error} there are not so many */
  termsOf(number: number): Terms;
  /** What is known of each without making it. */
  shared(): Iterable<readonly [Terms, Material]>;
  /** Those of which this holds; the others are not made. */
  where(holds: (terms: Terms, material: Material) => boolean): Iterable<Agreement>;
}

/** Agreements by a name that they have. */
export type AgreementTable = Pick<ReadonlyMap<string, Agreement>, 'get' | 'has' | 'size'>;

/** A CA certificate of the policy. */
export interface Authority {
  readonly certificate: CertificateFacts;
  /** The first two agreements that name it: one of them is another than any given one, if there is one. */
  readonly agreements: readonly Agreement[];
}

/** Which agreements name a CA: asked where a certificate leads to a CA that its own agreement does not accept. */
export interface AuthorityTable {
  /** Those whose subject is the name of this key text, each looked up as it is come to: thousands may bear one name. */
  named(name: string): Iterable<Authority>;
}

/** The CA certificates that an agreement names; one may come twice. */
export function authoritiesOf({ anchors, intermediates }: Material): readonly CertificateFacts[] {
  return [...anchors.client, ...anchors.server, ...intermediates];
}
