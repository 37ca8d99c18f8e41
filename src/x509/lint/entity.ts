/** Checks of `cert lint` on a TLS entity: TS 33.310 §6.1.3a, RFC 5924, and the names of RFC 5922. */

import { quoted } from '../../printable.js';
import { type CertificateFacts, weakAlgorithm } from '../certificate/index.js';
import { sipIdentities } from '../identity/index.js';
import { allows, checkUsage, PURPOSE, purposeText } from '../rules/index.js';
import { type LintRule, nameText, told, usageText, when } from './rule.js';

function dnsNames(facts: CertificateFacts): readonly string[] {
  return (facts.subjectAltNames ?? []).filter(({ type }) => type === 'dns').map((name) => nameText(name).toLowerCase());
}

const identities = (facts: CertificateFacts) => sipIdentities(facts, { cnFallback: false });
const namedByCn = (facts: CertificateFacts) => sipIdentities(facts, { cnFallback: true }).kind === 'cn';

export const ENTITY_RULES: readonly LintRule[] = [
  {
    rule: 'signature-algorithm',
    severity: 'error',
    clause: 'TS 33.310 §6.1.1',
    check: (facts) => told(weakAlgorithm(facts.signatureAlgorithm)),
  },
  {
    rule: 'entity-is-ca',
    severity: 'error',
    clause: 'TS 33.310 §6.1.3a',
    check: ({ isCa }) => when(isCa, 'expected an end-entity certificate, found basicConstraints with cA'),
  },
  {
    rule: 'certificate-type',
    severity: 'error',
    clause: 'TS 33.310 §6.1.3, RFC 8226 §9',
    check: (facts) => {
      const finding = facts.isCa ? undefined : checkUsage(facts, 'server', 'either');
      return finding?.code === 'cert-type' ? [finding.detail] : [];
    },
  },
  {
    rule: 'key-usage-signature',
    severity: 'error',
    clause: 'TS 33.310 §6.1.3a',
    check: ({ keyUsage }) =>
      keyUsage === undefined || keyUsage.has('digitalSignature')
        ? []
        : [`expected keyUsage digitalSignature, found ${usageText(keyUsage)}`],
  },
  {
    rule: 'eku-none',
    severity: 'error',
    clause: 'RFC 5280 §4.2.1.12, RFC 5924 §5',
    check: ({ extendedKeyUsage: purposes }) =>
      when(
        ![PURPOSE.serverAuth, PURPOSE.clientAuth, PURPOSE.sipDomain].some((purpose) => allows(purposes, purpose)),
        `expected extendedKeyUsage serverAuth, clientAuth or sipDomain, found ${purposeText(purposes)}`,
      ),
  },
  {
    // Rulebook F14: what operators meet since public CAs stopped issuing clientAuth.
    rule: 'eku-client',
    severity: 'warning',
    clause: 'TS 33.310 §6.1.3a',
    check: ({ extendedKeyUsage: purposes }) =>
      when(
        !allows(purposes, PURPOSE.clientAuth),
        `expected extendedKeyUsage clientAuth, found ${purposeText(purposes)}: the holder cannot open TLS connections to partners, only accept them (public CAs no longer issue clientAuth: a private or IPX CA does)`,
      ),
  },
  {
    rule: 'eku-server',
    severity: 'warning',
    clause: 'TS 33.310 §6.1.3a',
    check: ({ extendedKeyUsage: purposes }) =>
      when(
        !allows(purposes, PURPOSE.serverAuth),
        `expected extendedKeyUsage serverAuth, found ${purposeText(purposes)}: the holder cannot accept TLS connections from partners, only open them`,
      ),
  },
  {
    rule: 'eku-sip-domain',
    severity: 'info',
    clause: 'RFC 5924 §5',
    check: ({ extendedKeyUsage: purposes }) =>
      when(
        !allows(purposes, PURPOSE.sipDomain),
        'expected extendedKeyUsage sipDomain or anyExtendedKeyUsage, found neither: agreements with eku: rfc5924 refuse the certificate',
      ),
  },
  {
    rule: 'crl-distribution-absent',
    severity: 'warning',
    clause: 'TS 33.310 §6.1.3a',
    check: (facts) =>
      when(
        facts.crlDistributionPoints === undefined,
        'expected cRLDistributionPoints, found none: with revocation: hard the agreement must bring the CRL itself',
      ),
  },
  {
    rule: 'no-sip-identity',
    severity: 'error',
    clause: 'RFC 5922 §7.1',
    check: (facts) => {
      const found = identities(facts);
      return found.kind === 'none' && !namedByCn(facts) ? [found.findings.at(-1)?.detail ?? 'found no name'] : [];
    },
  },
  {
    rule: 'identity-in-common-name',
    severity: 'warning',
    clause: 'RFC 5922 §7.1',
    check: (facts) =>
      when(
        namedByCn(facts),
        'expected a subjectAltName, found only a common name: it counts only with cn_fallback: true',
      ),
  },
  {
    rule: 'refused-name',
    severity: 'warning',
    clause: 'RFC 5922 §7.1, §7.2',
    check: (facts) =>
      identities(facts)
        .findings.filter(({ code }) => code === 'wildcard' || code === 'name-bytes' || code === 'name-form')
        .map(({ detail }) => detail),
  },
  {
    // Rulebook F7: what most implementations get wrong, and most requests for certificates too.
    rule: 'dns-names-hidden',
    severity: 'warning',
    clause: 'RFC 5922 §7.1',
    check: (facts) => {
      const found = identities(facts);
      const hidden = found.kind === 'uri' ? dnsNames(facts).filter((name) => !found.names.includes(name)) : [];
      return when(
        hidden.length > 0,
        `dNSName ${hidden.map((name) => quoted(name)).join(', ')} does not count, because there is a sip: URI; give each domain a URI too`,
      );
    },
  },
  {
    rule: 'no-dns-name',
    severity: 'info',
    clause: 'TS 33.310 §6.1.3a',
    check: (facts) =>
      when(
        identities(facts).kind === 'uri' && dnsNames(facts).length === 0,
        'expected a dNSName in subjectAltName, found sip: URIs only: peers that do not know RFC 5922 find no name',
      ),
  },
];
