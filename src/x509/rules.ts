/**
 * What a certificate may say by itself, before it is seen as part of a path: one row per rule.
 *
 * Levels: `path` rules decide whether RFC 5280 §6.1 can hold and are always asked. `profile` rules are what RFC 5280 §4
 * demands of conforming CAs; §6.1 does not look at them, TS 33.310 §6.1 relaxes some (key identifiers are optional
 * there), so the daemon leaves them to `cert lint`, and only a strict check asks them. `tls` rules are stricter still:
 * what CA/Browser Forum Baseline Requirements §7.1 add for TLS, or RFC 5280 demands although its test suite (PKITS) has
 * the opposite accepted; a strict check asks them where the purpose is a TLS role.
 */

import type { Finding, ReasonCode } from '../reasons.js';
import { sameOctets } from './der.js';
import { EXTENSION, EXTENSION_NAMES, isKnownExtension } from './extensions.js';
import type { CertificateFacts } from './facts.js';
import { constraintDefect } from './name-constraints.js';
import { brokenKey, weakKey } from './signature.js';

/** Where in the path the certificate stands. */
export type Place = 'leaf' | 'intermediate' | 'anchor';

export type Level = 'path' | 'profile' | 'tls';

interface Context {
  /** Milliseconds since 1970, whole seconds. */
  readonly at: number;
  readonly skew: number;
  readonly place: Place;
}

interface Rule {
  readonly code: ReasonCode;
  readonly level: Level;
  readonly places: readonly Place[];
  /** What was expected and found, or undefined where the rule holds. */
  readonly broken: (certificate: CertificateFacts, context: Context) => string | undefined;
}

const EVERYWHERE: readonly Place[] = ['leaf', 'intermediate', 'anchor'];
const CAS: readonly Place[] = ['intermediate', 'anchor'];
const BELOW_ANCHOR: readonly Place[] = ['leaf', 'intermediate'];
const LEAF: readonly Place[] = ['leaf'];

const when = (broken: boolean, text: string): string | undefined => (broken ? text : undefined);
const critical = (certificate: CertificateFacts, oid: string): boolean | undefined =>
  certificate.extensions.find((extension) => extension.oid === oid)?.critical;
const instant = (time: number): string => new Date(time).toISOString();

/** Extensions that RFC 5280 §4.2.1, §4.2.2 has marked non-critical. */
const NEVER_CRITICAL: readonly string[] = [
  EXTENSION.authorityKeyIdentifier,
  EXTENSION.subjectKeyIdentifier,
  EXTENSION.authorityInfoAccess,
  EXTENSION.subjectInfoAccess,
  EXTENSION.freshestCRL,
];

/** 20 octets of number; a sign octet in front is not counted. */
const MAX_SERIAL_OCTETS = 20;
const YEAR_2050 = Date.UTC(2050, 0, 1);

const RULES: readonly Rule[] = [
  {
    // §6.1.3 (a)(2); both ends inclusive (§4.1.2.5).
    code: 'cert-time',
    level: 'path',
    places: EVERYWHERE,
    broken: ({ notBefore, notAfter }, { at, skew }) =>
      when(
        at < notBefore - skew || at > notAfter + skew,
        `expected a time from ${instant(notBefore)} to ${instant(notAfter)}, found ${instant(at)}`,
      ),
  },
  {
    // TS 33.310 §6.1.1, rulebook G-31.
    code: 'weak-key',
    level: 'path',
    places: EVERYWHERE,
    broken: ({ publicKey }) => weakKey(publicKey),
  },
  {
    // §6.1.4 (k). A version 1 anchor is taken on its word: it is known out of band.
    code: 'not-a-ca',
    level: 'path',
    places: CAS,
    broken: ({ version, isCa }, { place }) =>
      when(!isCa && !(place === 'anchor' && version !== 3), 'expected basicConstraints with cA, found none'),
  },
  {
    // §6.1.4 (n)
    code: 'key-usage',
    level: 'path',
    places: CAS,
    broken: ({ keyUsage }) =>
      when(
        keyUsage !== undefined && !keyUsage.has('keyCertSign'),
        `expected keyUsage keyCertSign of an issuer, found ${[...(keyUsage ?? [])].join(', ') || 'none'}`,
      ),
  },
  {
    // §6.1.4 (o), §6.1.5 (f); an anchor's constraints count like a CA's (RFC 5937 §2).
    code: 'unknown-critical',
    level: 'path',
    places: EVERYWHERE,
    broken: ({ extensions }) => {
      const unknown = extensions.find((extension) => extension.critical && !isKnownExtension(extension.oid));
      return unknown && `expected critical extensions that are understood, found ${unknown.oid}`;
    },
  },
  {
    // §4.1.2.4
    code: 'malformed-cert',
    level: 'path',
    places: BELOW_ANCHOR,
    broken: ({ issuerKeys }) => when(issuerKeys.rdns.length === 0, 'expected an issuer name, found an empty one'),
  },
  {
    // §4.1.2.6: a CA has a name.
    code: 'malformed-cert',
    level: 'path',
    places: CAS,
    broken: ({ subjectKeys }) =>
      when(subjectKeys.rdns.length === 0, 'expected a subject name of a CA, found an empty one'),
  },
  {
    // §4.2.1.10: not an empty sequence.
    code: 'bad-extension',
    level: 'path',
    places: EVERYWHERE,
    broken: ({ nameConstraints: constraints }) =>
      when(
        constraints !== undefined && constraints.permitted === undefined && constraints.excluded === undefined,
        'expected permitted or excluded subtrees in nameConstraints, found neither',
      ),
  },
  {
    // §4.2.1.6: if present, not empty.
    code: 'bad-extension',
    level: 'path',
    places: EVERYWHERE,
    broken: ({ subjectAltNames }) =>
      when(subjectAltNames?.length === 0, 'expected names in subjectAltName, found none'),
  },

  {
    // RFC 5480 §2.2. Keys of issuers show it when they verify.
    code: 'weak-key',
    level: 'profile',
    places: LEAF,
    broken: ({ publicKey }) => brokenKey(publicKey),
  },
  {
    code: 'malformed-cert',
    level: 'profile',
    places: EVERYWHERE,
    broken: ({ version }) => when(version !== 3, `expected version 3 (§4.1.2.1), found ${version}`),
  },
  {
    code: 'bad-extension',
    level: 'profile',
    places: EVERYWHERE,
    broken: (certificate) => {
      const wrong = NEVER_CRITICAL.find((oid) => critical(certificate, oid) === true);
      return wrong && `expected ${EXTENSION_NAMES[wrong]} not to be critical (§4.2.1, §4.2.2)`;
    },
  },
  {
    code: 'bad-extension',
    level: 'profile',
    places: EVERYWHERE,
    broken: ({ authorityKeyIdentifier, selfIssued }) => {
      if (authorityKeyIdentifier === undefined) {
        return when(!selfIssued, 'expected authorityKeyIdentifier (§4.2.1.1), found none');
      }
      const { keyIdentifier, issuer, serial } = authorityKeyIdentifier;
      if (keyIdentifier === undefined)
        return 'expected a keyIdentifier in authorityKeyIdentifier (§4.2.1.1), found none';
      return when(
        (issuer === undefined) !== (serial === undefined),
        'expected both or neither of authorityCertIssuer and authorityCertSerialNumber (§4.2.1.1), found one',
      );
    },
  },
  {
    code: 'bad-extension',
    level: 'profile',
    places: CAS,
    broken: ({ subjectKeyIdentifier }) =>
      when(subjectKeyIdentifier === undefined, 'expected subjectKeyIdentifier of a CA (§4.2.1.2), found none'),
  },
  {
    code: 'bad-extension',
    level: 'profile',
    places: ['anchor'],
    broken: ({ selfIssued, authorityKeyIdentifier, subjectKeyIdentifier }) => {
      const above = authorityKeyIdentifier?.keyIdentifier;
      const own = subjectKeyIdentifier;
      const differ = selfIssued && above !== undefined && own !== undefined && !sameOctets(above, own);
      return when(differ, 'expected authorityKeyIdentifier of a self-issued anchor to be its subjectKeyIdentifier');
    },
  },
  {
    code: 'key-usage',
    level: 'profile',
    places: LEAF,
    broken: ({ keyUsage, isCa }) => {
      if (keyUsage?.size === 0) return 'expected at least one keyUsage bit (§4.2.1.3), found none';
      return when(!isCa && (keyUsage?.has('keyCertSign') ?? false), 'expected cA with keyUsage keyCertSign (§4.2.1.3)');
    },
  },
  {
    code: 'bad-extension',
    level: 'profile',
    places: EVERYWHERE,
    broken: ({ basicConstraints, keyUsage }) =>
      when(
        basicConstraints?.pathLength !== undefined &&
          (!basicConstraints.ca || (keyUsage !== undefined && !keyUsage.has('keyCertSign'))),
        'expected pathLenConstraint only with cA and keyCertSign (§4.2.1.9)',
      ),
  },
  {
    code: 'bad-extension',
    level: 'profile',
    places: LEAF,
    broken: ({ nameConstraints: constraints, isCa }) =>
      when(constraints !== undefined && !isCa, 'expected nameConstraints only in a CA certificate (§4.2.1.10)'),
  },
  {
    code: 'bad-extension',
    level: 'profile',
    places: CAS,
    broken: ({ nameConstraints: constraints }) => {
      for (const subtree of [...(constraints?.permitted ?? []), ...(constraints?.excluded ?? [])]) {
        if (subtree.minimum !== 0 || subtree.maximum !== undefined)
          return 'expected minimum 0 and no maximum (§4.2.1.10)';
        const defect = constraintDefect(subtree);
        if (defect !== undefined) return `nameConstraints of kind ${subtree.base.type}: ${defect} (§4.2.1.10)`;
      }
      return undefined;
    },
  },
  {
    code: 'bad-extension',
    level: 'profile',
    places: EVERYWHERE,
    broken: ({ subjectAltNames }) =>
      when(
        subjectAltNames?.some(({ type, bytes }) => type === 'ip' && bytes.length !== 4 && bytes.length !== 16) ?? false,
        'expected 4 or 16 octets of an iPAddress (§4.2.1.6)',
      ),
  },
  {
    code: 'bad-extension',
    level: 'profile',
    places: LEAF,
    broken: (certificate) =>
      when(
        certificate.subjectKeys.rdns.length === 0 && critical(certificate, EXTENSION.subjectAltName) !== true,
        'expected a critical subjectAltName with an empty subject (§4.1.2.6, §4.2.1.6)',
      ),
  },
  {
    code: 'bad-extension',
    level: 'profile',
    places: EVERYWHERE,
    broken: ({ policies, policyConstraints }) => {
      if (policies !== undefined && new Set(policies).size !== policies.length)
        return 'expected each policy once (§4.2.1.4)';
      const { requireExplicitPolicy, inhibitPolicyMapping } = policyConstraints ?? { requireExplicitPolicy: 0 };
      return when(
        requireExplicitPolicy === undefined && inhibitPolicyMapping === undefined,
        'expected policyConstraints not to be empty (§4.2.1.11)',
      );
    },
  },

  {
    // PKITS 4.6.4 has it accepted.
    code: 'bad-extension',
    level: 'tls',
    places: CAS,
    broken: (certificate) =>
      when(
        critical(certificate, EXTENSION.basicConstraints) === false,
        'expected critical basicConstraints of a CA (§4.2.1.9)',
      ),
  },
  {
    // PKITS 4.8.6 has it accepted.
    code: 'bad-extension',
    level: 'tls',
    places: EVERYWHERE,
    broken: (certificate) =>
      when(
        [EXTENSION.policyConstraints, EXTENSION.inhibitAnyPolicy].some((oid) => critical(certificate, oid) === false),
        'expected critical policyConstraints (§4.2.1.11) and inhibitAnyPolicy (§4.2.1.14)',
      ),
  },
  {
    // PKITS 4.4.14 has a negative one accepted. Old anchors have serial 0.
    code: 'malformed-cert',
    level: 'tls',
    places: BELOW_ANCHOR,
    broken: ({ serialOctets: octets }) => {
      const [first = 0] = octets;
      if (first >= 0x80) return 'expected a positive serial number (§4.1.2.2), found a negative one';
      if (octets.length === 1 && first === 0) return 'expected a positive serial number (§4.1.2.2), found 0';
      const length = first === 0 ? octets.length - 1 : octets.length;
      return when(
        length > MAX_SERIAL_OCTETS,
        `expected at most 20 octets of serial number (§4.1.2.2), found ${length}`,
      );
    },
  },
  {
    // PKITS 4.2.4 has GeneralizedTime before 2050 accepted.
    code: 'malformed-cert',
    level: 'tls',
    places: BELOW_ANCHOR,
    broken: ({ generalizedTimes, notBefore, notAfter }) =>
      when(
        (generalizedTimes.notBefore && notBefore < YEAR_2050) || (generalizedTimes.notAfter && notAfter < YEAR_2050),
        'expected UTCTime before 2050 (§4.1.2.5), found GeneralizedTime',
      ),
  },
  {
    // CABF §7.1.2.1.3. RFC 5280 §4.2.1.1 allows them, and roots made by scripts often bear them.
    code: 'bad-extension',
    level: 'tls',
    places: ['anchor'],
    broken: ({ authorityKeyIdentifier: above }) =>
      when(
        above?.issuer !== undefined && above.serial !== undefined,
        'expected only a keyIdentifier in authorityKeyIdentifier of an anchor, found authorityCertIssuer too',
      ),
  },
  {
    // CABF §7.1.2.7.12; RFC 5280 §4.2.1.6 only says SHOULD.
    code: 'bad-extension',
    level: 'tls',
    places: LEAF,
    broken: (certificate) =>
      when(
        certificate.subjectKeys.rdns.length > 0 && critical(certificate, EXTENSION.subjectAltName) === true,
        'expected subjectAltName not to be critical with a subject',
      ),
  },
];

/** The rules of these levels that the certificate breaks where it stands. */
export function brokenRules(
  certificate: CertificateFacts,
  context: Context,
  levels: readonly Level[],
): readonly Finding[] {
  const findings: Finding[] = [];
  for (const rule of RULES) {
    if (!levels.includes(rule.level) || !rule.places.includes(context.place)) continue;
    const detail = rule.broken(certificate, context);
    if (detail !== undefined) {
      findings.push({ code: rule.code, detail: `${certificate.subjectText || '(empty name)'}: ${detail}` });
    }
  }
  return findings;
}
