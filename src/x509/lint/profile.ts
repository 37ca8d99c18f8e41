/**
 * What `cert lint` says of one certificate: TS 33.310 §6.1 (the NDS/AF profile of TLS entities and their CAs), RFC 5922
 * (names), RFC 5924 (extended key usage), RFC 5280 §4 (through rules.ts). The checks are rows of the lint tables.
 */

import { reason } from '../../reasons.js';
import type { CertificateFacts } from '../certificate/index.js';
import { brokenRules } from '../rules/index.js';
import { CA_RULES } from './ca.js';
import { COMMON_RULES } from './common.js';
import { ENTITY_RULES } from './entity.js';
import type { LintRule, LintSeverity } from './rule.js';

/** What the certificate is meant to be. */
export type CertificateKind = 'tls-entity' | 'tls-ca';

export interface LintFinding {
  /** Stable kebab-case name of the rule; for RFC 5280, the reason code. */
  readonly rule: string;
  readonly severity: LintSeverity;
  readonly clause: string;
  /** What was expected and what was found. */
  readonly text: string;
}

const RULES: Readonly<Record<CertificateKind, readonly LintRule[]>> = {
  'tls-entity': [...COMMON_RULES, ...ENTITY_RULES],
  'tls-ca': [...COMMON_RULES, ...CA_RULES],
};

/** What RFC 5280 §4 and §6.1 say, with the weight it has here: `path` rules refuse, the others only differ. */
const RFC5280: readonly { readonly level: 'path' | 'profile' | 'tls'; readonly severity: LintSeverity }[] = [
  { level: 'path', severity: 'error' },
  { level: 'profile', severity: 'warning' },
  { level: 'tls', severity: 'warning' },
];

const WEIGHTS: Readonly<Record<LintSeverity, number>> = { error: 0, warning: 1, info: 2 };

/** Checks one certificate against the profile of its kind. Errors first. `now`: milliseconds since 1970. */
export function lintCertificate(facts: CertificateFacts, kind: CertificateKind, now: number): readonly LintFinding[] {
  const place = kind === 'tls-entity' ? 'leaf' : facts.selfIssued ? 'anchor' : 'intermediate';
  const context = { at: Math.floor(now / 1000) * 1000, skew: 0, place } as const;
  const general = RFC5280.flatMap(({ level, severity }) =>
    brokenRules(facts, context, [level]).map(
      ({ code, detail }): LintFinding => ({ rule: code, severity, clause: reason(code).clause, text: detail }),
    ),
  );
  const own = RULES[kind].flatMap(({ rule, severity, clause, check }) =>
    check(facts, now).map((text): LintFinding => ({ rule, severity, clause, text })),
  );
  return [...general, ...own].sort((a, b) => WEIGHTS[a.severity] - WEIGHTS[b.severity]);
}
