/** Checks of `cert lint` on every certificate: algorithms, times, subject, extensions that all have. */

import { quoted } from '../../printable.js';
import { type CertificateFacts, EXTENSION, stringTypeName, unusualAlgorithm } from '../certificate/index.js';
import { instant, TAG } from '../der/index.js';
import { critical, type LintRule, nameText, told, when } from './rule.js';

/** How long before its end a certificate is called old: time to order, issue and exchange a new one between operators. */
export const EXPIRY_NOTICE_DAYS = 30;
const DAY = 86_400_000;

const OIDS = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  domainComponent: '0.9.2342.19200300.100.1.25',
} as const;
/** UTF8String and PrintableString, and IA5String for domainComponent and emailAddress. */
const NAME_TAGS: ReadonlySet<number> = new Set([12, 19, 22]);
const P521 = '2b81040023';

/** URIs of the CRL distribution points, as they stand. */
function crlUris(facts: CertificateFacts): readonly string[] {
  const names = (facts.crlDistributionPoints ?? []).flatMap((point) => point.name?.full ?? []);
  return names.filter(({ type }) => type === 'uri').map(nameText);
}

export const COMMON_RULES: readonly LintRule[] = [
  {
    rule: 'key-outside-profile',
    severity: 'info',
    clause: 'TS 33.310 §6.1.1',
    check: ({ publicKey: { algorithm } }) => [
      ...when(algorithm.oid === '1.3.101.112', 'expected an RSA, P-256 or P-384 key, found Ed25519'),
      ...when(
        algorithm.parameters !== undefined && Buffer.from(algorithm.parameters.subarray(2)).toString('hex') === P521,
        'expected an RSA, P-256 or P-384 key, found P-521',
      ),
    ],
  },
  {
    rule: 'validity-order',
    severity: 'error',
    clause: 'RFC 5280 §4.1.2.5',
    check: ({ notBefore, notAfter }) =>
      when(notAfter < notBefore, `expected notAfter after notBefore ${instant(notBefore)}, found ${instant(notAfter)}`),
  },
  {
    rule: 'expires-soon',
    severity: 'warning',
    clause: 'RFC 5280 §4.1.2.5',
    check: ({ notBefore, notAfter }, now) => {
      // What lives for days is renewed in days: a third of its life is what such CAs ask for.
      const notice = Math.min(EXPIRY_NOTICE_DAYS * DAY, (notAfter - notBefore) / 3);
      const third = notice < EXPIRY_NOTICE_DAYS * DAY ? ' (a third of its life)' : '';
      const expected = `more than ${Math.round((notice / DAY) * 10) / 10} days of validity${third}`;
      return when(
        notAfter >= now && notAfter - now < notice,
        `expected ${expected}, found an end at ${instant(notAfter)}`,
      );
    },
  },
  {
    rule: 'subject-shape',
    severity: 'warning',
    clause: 'TS 33.310 §6.1.1',
    check: ({ subject, subjectText }) => {
      const has = (oid: string) => subject.some((attribute) => attribute.oid === oid);
      return when(
        !has(OIDS.domainComponent) && !(has(OIDS.organization) && has(OIDS.commonName)),
        `expected a subject of O and CN, or of domainComponents, found ${quoted(subjectText)}`,
      );
    },
  },
  {
    rule: 'name-string-type',
    severity: 'warning',
    clause: 'RFC 5280 §4.1.2.4, §4.1.2.6',
    check: ({ subject }) =>
      subject
        .filter(({ tag }) => !NAME_TAGS.has(tag))
        .map(
          ({ type, tag }) =>
            `expected UTF8String or PrintableString in subject, found ${type} as ${stringTypeName(tag)}`,
        ),
  },
  {
    rule: 'key-usage-absent',
    severity: 'warning',
    clause: 'TS 33.310 §6.1.3a, §6.1.4',
    check: ({ keyUsage }) => when(keyUsage === undefined, 'expected a critical keyUsage, found none'),
  },
  {
    rule: 'key-usage-encoding',
    severity: 'warning',
    clause: 'RFC 5280 §4.1, X.690 §11.2.2',
    check: (facts) => {
      const value = facts.extensions.find(({ oid }) => oid === EXTENSION.keyUsage)?.value;
      // BIT STRING: tag, length, count of unused bits, bits.
      const [last = 1, unused = 0] = [value?.at(-1), value?.at(2)];
      return when(
        value !== undefined && value.length > 3 && ((last >> unused) & 1) === 0,
        'expected keyUsage without trailing zero bits, found some: other implementations may refuse it as malformed',
      );
    },
  },
  {
    rule: 'default-encoded',
    severity: 'warning',
    clause: 'RFC 5280 §4.1, X.690 §11.5',
    check: (facts) => {
      const value = facts.extensions.find(({ oid }) => oid === EXTENSION.basicConstraints)?.value;
      return when(
        value?.[2] === TAG.boolean && value[4] === 0,
        'expected basicConstraints without cA where that is FALSE, found it written out',
      );
    },
  },
  {
    rule: 'pss-salt',
    severity: 'info',
    clause: 'RFC 4055 §3.1',
    check: (facts) => told(unusualAlgorithm(facts.signatureAlgorithm)),
  },
  {
    rule: 'key-usage-criticality',
    severity: 'warning',
    clause: 'TS 33.310 §6.1.3a, §6.1.4',
    check: (facts) => when(critical(facts, EXTENSION.keyUsage) === false, 'expected keyUsage to be critical'),
  },
  {
    rule: 'eku-criticality',
    severity: 'warning',
    clause: 'TS 33.310 §6.1.3a',
    check: (facts) =>
      when(critical(facts, EXTENSION.extKeyUsage) === true, 'expected extendedKeyUsage not to be critical'),
  },
  {
    rule: 'crl-distribution-criticality',
    severity: 'warning',
    clause: 'TS 33.310 §6.1.3a',
    check: (facts) =>
      when(
        critical(facts, EXTENSION.cRLDistributionPoints) === true,
        'expected cRLDistributionPoints not to be critical',
      ),
  },
  {
    rule: 'crl-distribution-scheme',
    severity: 'warning',
    clause: 'TS 33.310 §6.1.3a, RFC 5280 §4.2.1.13',
    check: (facts) => {
      const uris = crlUris(facts);
      return when(
        facts.crlDistributionPoints !== undefined && !uris.some((uri) => /^http:\/\//i.test(uri)),
        `expected an http: URI in cRLDistributionPoints, found ${uris.map((uri) => quoted(uri)).join(', ') || 'none'}: https needs a certificate to check a certificate, and ldap is not fetched`,
      );
    },
  },
];
