/** The form of the rules of rules.ts, and what their tables share. */

import type { ReasonCode } from '../../reasons.js';
import type { CertificateFacts } from '../certificate/index.js';

/** Where in the path the certificate stands. */
export type Place = 'leaf' | 'intermediate' | 'anchor';

export interface RuleContext {
  /** Milliseconds since 1970, whole seconds. */
  readonly at: number;
  readonly skew: number;
  readonly place: Place;
}

export interface Rule {
  readonly code: ReasonCode;
  readonly places: readonly Place[];
  /** What was expected and found, or undefined where the rule holds. */
  readonly broken: (certificate: CertificateFacts, context: RuleContext) => string | undefined;
}

export const EVERYWHERE: readonly Place[] = ['leaf', 'intermediate', 'anchor'];
export const CAS: readonly Place[] = ['intermediate', 'anchor'];
export const BELOW_ANCHOR: readonly Place[] = ['leaf', 'intermediate'];
export const LEAF: readonly Place[] = ['leaf'];

export const when = (broken: boolean, text: string): string | undefined => (broken ? text : undefined);

/** Whether an extension is critical; undefined: it is absent. */
export const critical = (certificate: CertificateFacts, oid: string): boolean | undefined =>
  certificate.extensions.find((extension) => extension.oid === oid)?.critical;
