/** Rules that decide whether RFC 5280 §6.1 can hold (see rules.ts). */

import { brokenKey, EXTENSION, extensionText, isKnownExtension, weakKey } from '../certificate/index.js';
import { instant } from '../der/index.js';
import { BELOW_ANCHOR, CAS, critical, EVERYWHERE, LEAF, type Rule, when } from './rule.js';

/** id-qt-cps, id-qt-unotice: texts for people, which ask nothing of the path. */
const KNOWN_QUALIFIERS: readonly string[] = ['1.3.6.1.5.5.7.2.1', '1.3.6.1.5.5.7.2.2'];

export const PATH_RULES: readonly Rule[] = [
  {
    // §6.1.3 (a)(2); both ends inclusive (§4.1.2.5).
    code: 'cert-time',
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
    places: EVERYWHERE,
    broken: ({ publicKey }) => weakKey(publicKey),
  },
  {
    // SEC 1 §3.2.2: a point off its curve is no key. Keys of issuers show it when they verify.
    code: 'weak-key',
    places: LEAF,
    broken: ({ publicKey }) => brokenKey(publicKey),
  },
  {
    // §6.1.4 (k). A version 1 anchor is taken on its word: it is known out of band.
    code: 'not-a-ca',
    places: CAS,
    broken: ({ version, isCa, basicConstraints }, { place }) => {
      if (isCa || (place === 'anchor' && version !== 3)) return undefined;
      const found = basicConstraints === undefined ? 'no basicConstraints' : 'one without cA';
      return `expected basicConstraints with cA, found ${version === 3 ? found : `a certificate of version ${version}`}`;
    },
  },
  {
    // §6.1.4 (n)
    code: 'key-usage',
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
    places: EVERYWHERE,
    broken: ({ extensions }) => {
      const unknown = extensions.find((extension) => extension.critical && !isKnownExtension(extension.oid));
      return unknown && `expected critical extensions that are understood, found ${extensionText(unknown.oid)}`;
    },
  },
  {
    // §4.2.1.4: a critical policy is understood with its qualifiers, or not at all.
    code: 'unknown-critical',
    places: EVERYWHERE,
    broken: (certificate) => {
      if (critical(certificate, EXTENSION.certificatePolicies) !== true) return undefined;
      const unknown = certificate.policyQualifiers?.find((oid) => !KNOWN_QUALIFIERS.includes(oid));
      return unknown && `expected policy qualifiers of critical policies that are understood, found ${unknown}`;
    },
  },
  {
    // §4.1.2.4
    code: 'malformed-cert',
    places: BELOW_ANCHOR,
    broken: ({ issuerKeys }) => when(issuerKeys.rdns.length === 0, 'expected an issuer name, found an empty one'),
  },
  {
    // §4.1.2.6: a CA has a name.
    code: 'malformed-cert',
    places: CAS,
    broken: ({ subjectKeys }) =>
      when(subjectKeys.rdns.length === 0, 'expected a subject name of a CA, found an empty one'),
  },
  {
    // §4.2.1.10: not an empty sequence.
    code: 'bad-extension',
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
    places: EVERYWHERE,
    broken: ({ subjectAltNames }) =>
      when(subjectAltNames?.length === 0, 'expected names in subjectAltName, found none'),
  },
];
