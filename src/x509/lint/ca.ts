/** Checks of `cert lint` on a CA of TLS entities: TS 33.310 §6.1.4, and what its extensions mean for SIP names. */

import { EXTENSION, weakAlgorithm } from '../certificate/index.js';
import { allows, PURPOSE, purposeText } from '../rules/index.js';
import { critical, type LintRule, told, usageText, when } from './rule.js';

/** What a certificate below the CA may serve. */
const ROLES = [
  { role: 'client', purpose: PURPOSE.clientAuth, other: PURPOSE.serverAuth },
  { role: 'server', purpose: PURPOSE.serverAuth, other: PURPOSE.clientAuth },
] as const;

export const CA_RULES: readonly LintRule[] = [
  {
    rule: 'signature-algorithm',
    severity: 'error',
    clause: 'TS 33.310 §6.1.1',
    check: (facts) => (facts.selfIssued ? [] : told(weakAlgorithm(facts.signatureAlgorithm))),
  },
  {
    // Nobody relies on the signature of an anchor over itself.
    rule: 'anchor-signature-algorithm',
    severity: 'warning',
    clause: 'TS 33.310 §6.1.1',
    check: (facts) => (facts.selfIssued ? told(weakAlgorithm(facts.signatureAlgorithm)) : []),
  },
  {
    rule: 'crl-distribution-absent',
    severity: 'warning',
    clause: 'TS 33.310 §5.2.5, RFC 5280 §6.3',
    check: (facts) =>
      when(
        facts.crlDistributionPoints === undefined && !facts.selfIssued,
        'expected cRLDistributionPoints in a certificate that another CA issued, found none: its revocation cannot be looked up',
      ),
  },
  {
    rule: 'ca-crl-sign',
    severity: 'warning',
    clause: 'TS 33.310 §6.1.4, RFC 5280 §6.3.3 (f)',
    check: ({ keyUsage }) =>
      keyUsage === undefined || keyUsage.has('cRLSign')
        ? []
        : [`expected keyUsage cRLSign, found ${usageText(keyUsage)}: CRLs that this key signs are not usable`],
  },
  {
    rule: 'ca-path-length',
    severity: 'warning',
    clause: 'TS 33.310 §6.1.4',
    check: ({ isCa, selfIssued, basicConstraints }) =>
      when(
        isCa && !selfIssued && basicConstraints?.pathLength === undefined,
        'expected a pathLenConstraint in a certificate that another CA issued, found none: whoever holds it may create CAs',
      ),
  },
  {
    rule: 'ca-eku-none',
    severity: 'error',
    clause: 'RFC 5280 §4.2.1.12',
    check: ({ extendedKeyUsage: purposes }) =>
      when(
        !ROLES.some(({ purpose }) => allows(purposes, purpose)) && !allows(purposes, PURPOSE.sipDomain),
        `expected extendedKeyUsage of a CA to be absent, or to name serverAuth or clientAuth, found ${purposeText(purposes)}: no certificate below it serves TLS`,
      ),
  },
  {
    // An operator may have one CA for TLS clients and one for servers (§5.2.4): no fault of either.
    rule: 'ca-eku-role',
    severity: 'info',
    clause: 'RFC 5280 §4.2.1.12, TS 33.310 §5.2.4',
    check: ({ extendedKeyUsage: purposes }) =>
      ROLES.filter(
        ({ purpose, other }) =>
          !allows(purposes, purpose) && [other, PURPOSE.sipDomain].some((each) => allows(purposes, each)),
      ).map(
        ({ role }) =>
          `extendedKeyUsage of the CA is ${purposeText(purposes)}: no certificate below it serves a TLS ${role}`,
      ),
  },
  {
    rule: 'name-constraints-criticality',
    severity: 'warning',
    clause: 'RFC 5280 §4.2.1.10',
    check: (facts) =>
      when(critical(facts, EXTENSION.nameConstraints) === false, 'expected nameConstraints to be critical'),
  },
  {
    // Rulebook F9: a sip: URI has no authority part, so such a constraint fails every one of them.
    rule: 'name-constraints-uri',
    severity: 'warning',
    clause: 'RFC 5280 §4.2.1.10',
    check: ({ nameConstraints: constraints }) =>
      when(
        [...(constraints?.permitted ?? []), ...(constraints?.excluded ?? [])].some(({ base }) => base.type === 'uri'),
        'nameConstraints of kind URI make every certificate below with a sip: URI fail',
      ),
  },
  {
    rule: 'name-constraints-dns-only',
    severity: 'info',
    clause: 'RFC 5280 §4.2.1.10',
    check: ({ nameConstraints: constraints }) => {
      const types = (constraints?.permitted ?? []).map(({ base }) => base.type);
      return when(
        types.includes('dns') && !types.includes('uri'),
        'nameConstraints bind dNSNames only: siptrust holds the host of a sip: URI to them too, other programs let it name any domain',
      );
    },
  },
];
