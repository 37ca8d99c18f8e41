/** Rules for TLS roles, stricter than what PKITS accepts (see rules.ts). */

import { EXTENSION } from '../certificate/index.js';
import { BELOW_ANCHOR, CAS, critical, EVERYWHERE, LEAF, type Rule, when } from './rule.js';

/** 20 octets of number; a sign octet in front is not counted. */
const MAX_SERIAL_OCTETS = 20;
const YEAR_2050 = Date.UTC(2050, 0, 1);

export const TLS_RULES: readonly Rule[] = [
  {
    // PKITS 4.6.4 has it accepted.
    code: 'bad-extension',
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
    places: LEAF,
    broken: (certificate) =>
      when(
        certificate.subjectKeys.rdns.length > 0 && critical(certificate, EXTENSION.subjectAltName) === true,
        'expected subjectAltName not to be critical with a subject',
      ),
  },
];
