/**
 * What a certificate may say by itself, before it is seen as part of a path: one row per rule, in a table per level.
 *
 * Levels: `path` rules decide whether RFC 5280 §6.1 can hold and are always asked. `profile` rules are what RFC 5280 §4
 * demands of conforming CAs; §6.1 does not look at them, TS 33.310 §6.1 relaxes some (key identifiers are optional
 * there), so the daemon leaves them to `cert lint`, and only a strict check asks them. `tls` rules are stricter still:
 * what CA/Browser Forum Baseline Requirements §7.1 add for TLS, or RFC 5280 demands although its test suite (PKITS) has
 * the opposite accepted; a strict check asks them where the purpose is a TLS role.
 *
 * An anchor is judged like a CA: its dates, usages and constraints were named with its name and key (RFC 5280 §6.1.1 (d)
 * leaves that open, RFC 5937 says how). Only its own signature is not looked at, as nothing rests on it.
 */

import type { Finding } from '../../reasons.js';
import { type CertificateFacts, certificateName } from '../certificate/index.js';
import { PATH_RULES } from './path.js';
import { PROFILE_RULES } from './profile.js';
import type { Rule, RuleContext } from './rule.js';
import { TLS_RULES } from './tls.js';

export type Level = 'path' | 'profile' | 'tls';

const RULES: Readonly<Record<Level, readonly Rule[]>> = { path: PATH_RULES, profile: PROFILE_RULES, tls: TLS_RULES };

/** The rules of these levels that the certificate breaks where it stands. */
export function brokenRules(
  certificate: CertificateFacts,
  context: RuleContext,
  levels: readonly Level[],
): readonly Finding[] {
  const findings: Finding[] = [];
  for (const rule of levels.flatMap((level) => RULES[level])) {
    if (!rule.places.includes(context.place)) continue;
    const detail = rule.broken(certificate, context);
    if (detail !== undefined) {
      findings.push({ code: rule.code, detail: `${certificateName(certificate)}: ${detail}` });
    }
  }
  return findings;
}
