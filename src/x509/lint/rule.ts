/** One check of `cert lint`: a row of the tables in lint-common.ts, lint-entity.ts and lint-ca.ts. */

import type { AlternativeName, CertificateFacts, KeyUsageBit } from '../certificate/index.js';

/**
 * `error`: siptrust or a conforming peer refuses the certificate, or reads no name from it. `warning`: a rule of the profile
 * is broken that siptrust lets pass, or a role is closed to the certificate. `info`: worth knowing.
 */
export type LintSeverity = 'error' | 'warning' | 'info';

export interface LintRule {
  /** Stable kebab-case name. */
  readonly rule: string;
  readonly severity: LintSeverity;
  readonly clause: string;
  /** What was expected and what was found, once for each thing that is wrong. */
  readonly check: (facts: CertificateFacts, now: number) => readonly string[];
}

/** A check that finds one thing or nothing. */
export const when = (broken: boolean, text: string): readonly string[] => (broken ? [text] : []);

/** A check that another function has made. */
export const told = (text: string | undefined): readonly string[] => (text === undefined ? [] : [text]);

/** Whether an extension is critical; undefined: it is absent. */
export const critical = (facts: CertificateFacts, oid: string): boolean | undefined =>
  facts.extensions.find((extension) => extension.oid === oid)?.critical;

/** The bytes of a name of a text kind. */
export const nameText = ({ bytes }: AlternativeName): string => Buffer.from(bytes).toString('latin1');

/** Key usage in words. */
export const usageText = (keyUsage: ReadonlySet<KeyUsageBit>): string => [...keyUsage].join(', ') || 'none';
