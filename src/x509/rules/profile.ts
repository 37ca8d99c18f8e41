/** Rules that RFC 5280 §4 has for CAs and §6.1 does not look at (see rules.ts). */

import {
  type AlternativeName,
  constraintDefect,
  EXTENSION,
  EXTENSION_NAMES,
  generalNameText,
} from '../certificate/index.js';
import { sameOctets } from '../der/index.js';
import { CAS, critical, EVERYWHERE, LEAF, type Rule, when } from './rule.js';

/** Extensions that RFC 5280 §4.2.1, §4.2.2 has marked non-critical. */
const NEVER_CRITICAL: readonly string[] = [
  EXTENSION.authorityKeyIdentifier,
  EXTENSION.subjectKeyIdentifier,
  EXTENSION.authorityInfoAccess,
  EXTENSION.subjectInfoAccess,
  EXTENSION.freshestCRL,
];

/** Longest name in DNS (RFC 1035 §2.3.4). */
const MOST_DNS_OCTETS = 253;
/** Preferred name syntax (RFC 1034 §3.5, RFC 1123 §2.1): letters, digits and hyphens; a wildcard as the first label (RFC 9525 §6.3). */
const DNS_NAME = /^(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i;

/** dNSName: preferred name syntax; URI: visible ASCII with a scheme; rfc822Name: IA5String, a local part may hold blanks. */
function wellFormed({ type, bytes }: AlternativeName): boolean {
  if (type !== 'dns' && type !== 'uri' && type !== 'email') return true;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  if (type === 'email') return /^[\x20-\x7e]+$/.test(text);
  if (type === 'dns') return text.length <= MOST_DNS_OCTETS && DNS_NAME.test(text);
  return /^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]*$/.test(text);
}

export const PROFILE_RULES: readonly Rule[] = [
  {
    code: 'malformed-cert',
    places: EVERYWHERE,
    broken: ({ version }) => when(version !== 3, `expected version 3 (§4.1.2.1), found ${version}`),
  },
  {
    code: 'bad-extension',
    places: EVERYWHERE,
    broken: (certificate) => {
      const wrong = NEVER_CRITICAL.find((oid) => critical(certificate, oid) === true);
      return wrong && `expected ${EXTENSION_NAMES[wrong]} not to be critical (§4.2.1, §4.2.2)`;
    },
  },
  {
    code: 'bad-extension',
    places: EVERYWHERE,
    broken: ({ authorityKeyIdentifier, selfIssued }, { place }) => {
      if (authorityKeyIdentifier === undefined) {
        // Who issued an anchor does not matter: it is a name and a key (§6.1.1 (d)).
        return when(place !== 'anchor' && !selfIssued, 'expected authorityKeyIdentifier (§4.2.1.1), found none');
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
    places: EVERYWHERE,
    broken: ({ subjectKeyIdentifier, isCa }, { place }) =>
      when(
        subjectKeyIdentifier === undefined && (isCa || place !== 'leaf'),
        'expected subjectKeyIdentifier of a CA (§4.2.1.2), found none',
      ),
  },
  {
    code: 'bad-extension',
    places: ['anchor'],
    broken: ({ selfIssued, authorityKeyIdentifier, subjectKeyIdentifier }) => {
      const above = authorityKeyIdentifier?.keyIdentifier;
      const own = subjectKeyIdentifier;
      const differ = selfIssued && above !== undefined && own !== undefined && !sameOctets(above, own);
      return when(differ, 'expected authorityKeyIdentifier of a self-issued anchor to be its subjectKeyIdentifier');
    },
  },
  {
    // §6.1.4 (n) looks at keyUsage only where it is present; an anchor is a name and a key (§6.1.1 (d)), and what `openssl req
    // -x509` makes has none.
    code: 'key-usage',
    places: ['intermediate'],
    broken: ({ keyUsage }) => when(keyUsage === undefined, 'expected keyUsage of a CA (§4.2.1.3), found none'),
  },
  {
    code: 'key-usage',
    places: LEAF,
    broken: ({ keyUsage, isCa }) => {
      if (keyUsage?.size === 0) return 'expected at least one keyUsage bit (§4.2.1.3), found none';
      return when(!isCa && (keyUsage?.has('keyCertSign') ?? false), 'expected cA with keyUsage keyCertSign (§4.2.1.3)');
    },
  },
  {
    code: 'bad-extension',
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
    places: LEAF,
    broken: ({ nameConstraints: constraints, isCa }) =>
      when(constraints !== undefined && !isCa, 'expected nameConstraints only in a CA certificate (§4.2.1.10)'),
  },
  {
    code: 'bad-extension',
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
    places: EVERYWHERE,
    broken: ({ subjectAltNames }) =>
      when(
        subjectAltNames?.some(({ type, bytes }) => type === 'ip' && bytes.length !== 4 && bytes.length !== 16) ?? false,
        'expected 4 or 16 octets of an iPAddress (§4.2.1.6)',
      ),
  },
  {
    // §4.2.1.6: what is no name could be read as one by somebody else (CVE-2009-2408).
    code: 'bad-extension',
    places: EVERYWHERE,
    broken: ({ subjectAltNames }) => {
      const odd = subjectAltNames?.find((name) => !wellFormed(name));
      return odd && `expected a subjectAltName in the syntax of its kind (§4.2.1.6), found ${generalNameText(odd)}`;
    },
  },
  {
    code: 'bad-extension',
    places: LEAF,
    broken: (certificate) =>
      when(
        certificate.subjectKeys.rdns.length === 0 && critical(certificate, EXTENSION.subjectAltName) !== true,
        'expected a critical subjectAltName with an empty subject (§4.1.2.6, §4.2.1.6)',
      ),
  },
  {
    code: 'bad-extension',
    places: EVERYWHERE,
    broken: ({ crlDistributionPoints: points }) =>
      when(
        points?.some(({ name, crlIssuer }) => name === undefined && crlIssuer === undefined) ?? false,
        'expected a name or a cRLIssuer in each distribution point (§4.2.1.13), found neither',
      ),
  },
  {
    code: 'bad-extension',
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
];
