/** CRLs that other suites use to tell validators apart (x509-limbo, PKITS, OpenSSL's own), by rulebook §8.1. */

import {
  type CrlSpec,
  ca,
  crl,
  DAY,
  ext,
  extension,
  type Issued,
  type IssuedCrl,
  leaf,
  NOW,
  type RevokedSpec,
  root,
} from '../../../../support/certificates.js';
import { der, tlv } from '../../../../support/der.js';
import { describeRecords, type RecordCase, type RecordRow } from '../../../../support/records.js';

const SERIAL = 0x5151n;
const OWN = der.int(SERIAL).subarray(2);

/** A leaf under an anchor, judged by one list of the anchor. */
const listed =
  (spec: CrlSpec | ((anchor: Issued) => CrlSpec), more: Partial<RecordCase> = {}) =>
  (): RecordCase => {
    const r = root();
    const made = crl(r, typeof spec === 'function' ? spec(r) : spec);
    return { leaf: leaf(r, { serial: SERIAL }), anchors: [r], crls: [made], ...more };
  };

const revoked = (spec: Partial<RevokedSpec> = {}): CrlSpec => ({ revoked: [{ serial: OWN, ...spec }] });
const any = { purpose: 'any' } as const;
const raw = (issued: IssuedCrl, change: (encoded: Uint8Array) => Uint8Array): { pem: string } => ({
  pem: `-----BEGIN X509 CRL-----\n${Buffer.from(change(issued.der)).toString('base64')}\n-----END X509 CRL-----\n`,
});
const scoped = (value: Uint8Array, critical = true): CrlSpec => ({ add: [extension('2.5.29.28', value, critical)] });

const status: readonly RecordRow[] = [
  ['ok/not on the list', listed({ revoked: [{ serial: Uint8Array.of(9) }] })],
  ['fail/on the list', 'revoked', listed(revoked())],
  ['fail/on the list, for any purpose', 'revoked', listed(revoked(), any)],
  ...[0, 1, 2, 3, 4, 5, 6, 9, 10].map(
    (reason): RecordRow => [`fail/reason ${reason} (RFC 5280 §5.3.1)`, 'revoked', listed(revoked({ reason }))],
  ),
  [
    'fail/reason 7, which there is none: the certificate is listed all the same',
    'revoked',
    listed(revoked({ reason: 7 })),
  ],
  [
    'fail/reason 11, which there is none: the certificate is listed all the same',
    'revoked',
    listed(revoked({ reason: 11 })),
  ],
  [
    'fail/removeFromCRL in a complete list, which clears nobody (RFC 5280 §5.3.1, K-7)',
    'rev-unknown',
    listed(revoked({ reason: 8 }), any),
  ],
  [
    'fail/revoked and removeFromCRL in one list (K-7)',
    'revoked',
    listed(
      {
        revoked: [
          { serial: OWN, reason: 8 },
          { serial: OWN, reason: 1 },
        ],
      },
      any,
    ),
  ],
  [
    'fail/removeFromCRL after revoked in one list (K-7)',
    'revoked',
    listed(
      {
        revoked: [
          { serial: OWN, reason: 1 },
          { serial: OWN, reason: 8 },
        ],
      },
      any,
    ),
  ],
  [
    'fail/a serial number with the same digits and another sign is another one',
    'revoked',
    listed({ revoked: [{ serial: Uint8Array.of(0x51) }, { serial: OWN }] }),
  ],
  ['ok/a negative serial number beside', listed({ revoked: [{ serial: der.int(-SERIAL).subarray(2) }] })],
  ['fail/revoked tomorrow: on the list is on the list', 'revoked', listed(revoked({ date: NOW + DAY }))],
];

const form: readonly RecordRow[] = [
  ['fail/thisUpdate to come (K-2)', 'rev-unknown', listed({ thisUpdate: NOW + 1000 })],
  ['ok/thisUpdate now', listed({ thisUpdate: NOW })],
  ['fail/nextUpdate now (K-2)', 'rev-unknown', listed({ nextUpdate: NOW })],
  ['ok/nextUpdate in a second', listed({ nextUpdate: NOW + 1000 })],
  ['fail/no nextUpdate (K-2)', 'rev-unknown', listed({ nextUpdate: 'absent' })],
  ['fail/nextUpdate before thisUpdate', 'rev-unknown', listed({ thisUpdate: NOW - DAY, nextUpdate: NOW - 2 * DAY })],
  [
    'fail/GeneralizedTime before 2050 (RFC 5280 §5.1.2.4)',
    'rev-unknown',
    listed({ thisUpdate: der.generalizedTime(new Date(NOW - DAY)) }),
  ],
  [
    'fail/GeneralizedTime of nextUpdate before 2050 (RFC 5280 §5.1.2.5)',
    'rev-unknown',
    listed({ nextUpdate: der.generalizedTime(new Date(NOW + DAY)) }),
  ],
  ['ok/nextUpdate in 2050', listed({ nextUpdate: der.generalizedTime(new Date(Date.UTC(2050, 0, 1))) })],
  ['fail/version 3', 'rev-unknown', listed({ version: 2 })],
  ['fail/version 1 written out (RFC 5280 §5.1.2.1)', 'rev-unknown', listed({ version: 0 })],
  ['fail/no cRLNumber (RFC 5280 §5.2.3)', 'rev-unknown', listed({ number: 'absent' })],
  ['fail/a critical cRLNumber (RFC 5280 §5.2.3)', 'rev-unknown', listed({ number: 'critical' })],
  [
    'fail/an unknown critical extension (RFC 5280 §5.2)',
    'rev-unknown',
    listed({ add: [extension('1.2.3.4', der.null(), true)] }),
  ],
  ['ok/an unknown extension that is not critical', listed({ add: [extension('1.2.3.4', der.null())] })],
  [
    'fail/an extension twice',
    'rev-unknown',
    listed({ add: [extension('1.2.3.4', der.null()), extension('1.2.3.4', der.null())] }),
  ],
  [
    'fail/an unknown critical extension of another entry (RFC 5280 §5.3)',
    'rev-unknown',
    listed({ revoked: [{ serial: Uint8Array.of(9), add: [extension('1.2.3.4', der.null(), true)] }] }),
  ],
  [
    'ok/an unknown extension of another entry that is not critical',
    listed({ revoked: [{ serial: Uint8Array.of(9), add: [extension('1.2.3.4', der.null())] }] }),
  ],
  [
    'fail/a critical reasonCode that revokes is understood',
    'revoked',
    listed(revoked({ add: [extension('2.5.29.21', der.enumerated(1), true)] })),
  ],
  ['fail/SHA-1', 'rev-unknown', listed({ signature: 'sha1' })],
  [
    'fail/a changed signature',
    'rev-unknown',
    listed({ changeSignature: (old) => old.map((octet, i) => (i === 9 ? octet ^ 1 : octet)) }),
  ],
  [
    'fail/trailing octets',
    'rev-unknown',
    () =>
      ((r) => ({
        leaf: leaf(r),
        anchors: [r],
        crls: [raw(crl(r), (encoded) => der.concat(encoded, Uint8Array.of(0)))],
      }))(root()),
  ],
  [
    'fail/an indefinite length',
    'rev-unknown',
    () =>
      ((r) => ({
        leaf: leaf(r),
        anchors: [r],
        crls: [
          raw(crl(r), (encoded) => der.concat(Uint8Array.of(0x30, 0x80), encoded.subarray(4), Uint8Array.of(0, 0))),
        ],
      }))(root()),
  ],
];

const scope: readonly RecordRow[] = [
  ['ok/onlyContainsUserCerts, of a leaf (K-4)', listed({ scope: { users: true } })],
  ['fail/onlyContainsCACerts, of a leaf (K-4)', 'rev-unknown', listed({ scope: { cas: true } })],
  ['fail/onlyContainsAttributeCerts (K-4)', 'rev-unknown', listed({ scope: { attributes: true } })],
  [
    'fail/users and CAs alone contradict each other (RFC 5280 §5.2.5)',
    'rev-unknown',
    listed({ scope: { users: true, cas: true } }),
  ],
  ['fail/some reasons only (K-8)', 'rev-unknown', listed({ scope: { reasons: ['keyCompromise'] } })],
  [
    'fail/some reasons only, and revoked',
    'revoked',
    listed({ scope: { reasons: ['keyCompromise'] }, ...revoked({ reason: 1 }) }),
  ],
  [
    'fail/an issuing distribution point that is not critical counts all the same',
    'rev-unknown',
    listed(scoped(der.seq(tlv(0x82, 0xff)), false)),
  ],
  ['fail/an empty issuing distribution point (RFC 5280 §5.2.5)', 'rev-unknown', listed(scoped(der.seq()))],
  ['fail/an issuing distribution point that cannot be read', 'rev-unknown', listed(scoped(der.ia5('x')))],
  ['fail/an indirect list that the certificate does not ask for', 'rev-unknown', listed({ scope: { indirect: true } })],
  ['fail/a delta alone (K-9)', 'rev-unknown', listed({ base: 3 })],
  [
    'fail/a delta whose indicator is not critical',
    'rev-unknown',
    listed({ add: [extension('2.5.29.27', der.int(3))] }),
  ],
  [
    'ok/a list that points to a delta (RFC 5280 §5.2.6)',
    listed({
      add: [extension('2.5.29.46', der.seq(der.seq(tlv(0xa0, tlv(0xa0, tlv(0x86, der.text('http://a.example/')))))))],
    }),
  ],
];

/** A list in the name of the anchor, signed by a certificate of that name under it. */
const delegated =
  (spec: Parameters<typeof ca>[1], kind: typeof ca, crlSpec: CrlSpec = {}) =>
  (): RecordCase => {
    const r = root();
    const signer = kind(r, { subject: r.subject, ...spec });
    return {
      leaf: leaf(r, { serial: SERIAL }),
      via: [signer],
      anchors: [r],
      // The signer of lists is on one of the anchor itself.
      crls: [crl(r, { scope: { names: [{ uri: 'http://signers.example/' }] } }), crl(signer, crlSpec)],
    };
  };
const ownPoint = ext.crlPoints([{ names: [{ uri: 'http://signers.example/' }] }]);

const signers: readonly RecordRow[] = [
  [
    'ok/a key for lists, in a certificate of the CA (RFC 5280 §6.3.3 (f))',
    delegated(
      { add: [ownPoint], extensions: { keyUsage: ext.keyUsage(['cRLSign']), basicConstraints: undefined } },
      ca,
    ),
  ],
  [
    'fail/a revocation on a list of such a key',
    'revoked',
    delegated(
      { add: [ownPoint], extensions: { keyUsage: ext.keyUsage(['cRLSign']), basicConstraints: undefined } },
      ca,
      revoked(),
    ),
  ],
  [
    'fail/a key for TLS in the name of the CA',
    'rev-unknown',
    delegated(
      { add: [ownPoint], extensions: { keyUsage: ext.keyUsage(['digitalSignature']), basicConstraints: undefined } },
      ca,
    ),
  ],
  [
    'ok/an end entity in the name of the CA without keyUsage: cRLSign is asked for where it is present (RFC 5280 §6.3.3 (f))',
    delegated({ add: [ownPoint], extensions: { keyUsage: undefined, basicConstraints: undefined } }, ca),
  ],
  [
    'fail/an expired key for lists',
    'rev-unknown',
    delegated(
      {
        add: [ownPoint],
        notAfter: NOW - DAY,
        extensions: { keyUsage: ext.keyUsage(['cRLSign']), basicConstraints: undefined },
      },
      ca,
    ),
  ],
  [
    'fail/a CA of the same name elsewhere',
    'rev-unknown',
    () => {
      const r = root({ subject: 'CN=same' });
      const other = root({ subject: 'CN=same' });
      return { leaf: leaf(r), via: [other], anchors: [r, other], crls: [crl(other)] };
    },
  ],
  [
    'fail/a list of another CA under the same anchor',
    'rev-unknown',
    () => {
      const r = root();
      const [a, b] = [ca(r), ca(r)];
      return { leaf: leaf(a), via: [a, b], anchors: [r], crls: [crl(r), crl(b)] };
    },
  ],
  [
    'ok/the same serial number on a list of another CA',
    () => {
      const r = root();
      const [a, b] = [ca(r), ca(r)];
      return {
        leaf: leaf(a, { serial: SERIAL }),
        via: [a, b],
        anchors: [r],
        crls: [crl(r), crl(a), crl(b, revoked())],
      };
    },
  ],
  [
    'fail/a list of the right CA signed by the anchor above it',
    'rev-unknown',
    () => {
      const r = root();
      const a = ca(r);
      return { leaf: leaf(a), via: [a], anchors: [r], crls: [crl(r), crl(a, { signer: r.key })] };
    },
  ],
];

describeRecords('what a list says', status);
describeRecords('form of lists', form);
describeRecords('scope of lists', scope);
describeRecords('signers of lists', signers);
