import { describe, expect, it } from 'vitest';
import {
  ca,
  crl,
  DAY,
  ext,
  extension,
  type Issued,
  leaf,
  makeKey,
  NOW,
  type PointSpec,
  root,
} from '../../../support/certificates.js';
import { der } from '../../../support/der.js';
import { expectPath, judgePath, type PathCase, type PathRow } from '../../../support/paths.js';

type CrlSpec = Parameters<typeof crl>[1];

/** An anchor, its leaf with these distribution points, and one list of the anchor. */
function single(
  spec: CrlSpec | ((end: Issued) => CrlSpec),
  points?: readonly PointSpec[],
  ask: PathCase['ask'] = {},
): PathCase {
  const r = root();
  const end = leaf(r, points === undefined ? {} : { add: [ext.crlPoints(points)] });
  return { leaf: end, anchors: [r], crls: [crl(r, typeof spec === 'function' ? spec(end) : spec)], ask };
}

/** An anchor, its leaf, and lists. */
function anchored(lists: (anchor: Issued, end: Issued) => NonNullable<PathCase['crls']>): PathCase {
  const r = root();
  const end = leaf(r);
  return { leaf: end, anchors: [r], crls: lists(r, end) };
}

/** A leaf below an intermediate CA, whose point names another issuer of lists, and such a list with these entries. */
function indirect(entries: (end: Issued, issuer: Issued) => NonNullable<NonNullable<CrlSpec>['revoked']>): PathCase {
  const r = root();
  const a = ca(r);
  const signer = ca(r, { subject: 'CN=lists' });
  const end = leaf(a, { add: [ext.crlPoints([{ ...uri(A), crlIssuer: 'CN=lists' }])] });
  const list = crl(signer, { scope: { ...uri(A), indirect: true }, revoked: entries(end, a) });
  return { leaf: end, via: [a, signer], anchors: [r], crls: [list, crl(r)] };
}

const revoked = (end: Issued, reason?: number): CrlSpec => ({
  revoked: [{ serial: end.serial, ...(reason === undefined ? {} : { reason }) }],
});
const other = { serial: Uint8Array.of(0x55, 0x66) };
const uri = (value: string): PointSpec => ({ names: [{ uri: value }] });
const CRITICAL = extension('1.3.6.1.4.1.55738.666.1', der.null(), true);

const lists: readonly PathRow[] = [
  ['ok/an empty list', () => single({})],
  ['ok/a list of others', () => single({ revoked: [other, { serial: Uint8Array.of(0x77) }] })],
  ['fail/a version 1 list, in a strict check', 'rev-unknown', () => single({ version: 'absent', number: 'absent' })],
  [
    'ok/a version 1 list, when not strict',
    () => single({ version: 'absent', number: 'absent' }, undefined, { strict: false }),
  ],
  [
    'fail/a version 1 list that lists it, in a strict check',
    'revoked',
    () => single((end) => ({ version: 'absent', number: 'absent', ...revoked(end) })),
  ],
  ['fail/revoked (T-19)', 'revoked', () => single((end) => revoked(end))],
  ['fail/certificateHold counts as revoked (K-7)', 'revoked', () => single((end) => revoked(end, 6))],
  [
    'fail/revoked from a date to come',
    'revoked',
    () => single((end) => ({ revoked: [{ serial: end.serial, date: NOW + DAY }] })),
  ],
  [
    'fail/revoked before it was issued',
    'revoked',
    () => single((end) => ({ revoked: [{ serial: end.serial, date: NOW - 900 * DAY }] })),
  ],
  [
    'fail/revoked although unknown is let pass',
    'revoked',
    () => single((end) => revoked(end), undefined, { revocation: 'soft' }),
  ],
  ['ok/revoked, but nobody looks', () => single((end) => revoked(end), undefined, { revocation: 'off' })],
  ['fail/past nextUpdate (T-21, K-2)', 'rev-unknown', () => single({ nextUpdate: NOW })],
  ['ok/one second before nextUpdate', () => single({ nextUpdate: NOW + 1000 })],
  ['fail/no nextUpdate (K-2)', 'rev-unknown', () => single({ nextUpdate: 'absent' })],
  ['fail/thisUpdate to come (K-2)', 'rev-unknown', () => single({ thisUpdate: NOW + 1000 })],
  ['ok/thisUpdate within the skew', () => single({ thisUpdate: NOW + 1000 }, undefined, { skew: 2000 })],
  ['fail/an unknown critical extension (K-4)', 'rev-unknown', () => single({ add: [CRITICAL] })],
  [
    'fail/an unknown critical extension of another entry (RFC 5280 §5.3)',
    'rev-unknown',
    () => single({ revoked: [{ ...other, add: [CRITICAL] }] }),
  ],
  [
    'ok/an unknown extension that is not critical',
    () => single({ add: [extension('1.3.6.1.4.1.55738.666.1', der.null())] }),
  ],
  [
    'fail/signature changed',
    'rev-unknown',
    () => single({ changeSignature: (s) => s.map((o, i) => (i === s.length - 1 ? o ^ 1 : o)) }),
  ],
  ['fail/signed by another key in the name of the CA (K-6)', 'rev-unknown', () => single({ signer: makeKey() })],
  ['fail/signed with SHA-1', 'rev-unknown', () => single({ signature: 'sha1' })],
  ['fail/no cRLNumber, in a strict check', 'rev-unknown', () => single({ number: 'absent' })],
  ['fail/a critical cRLNumber, in a strict check', 'rev-unknown', () => single({ number: 'critical' })],
  ['ok/no cRLNumber, when not strict', () => single({ number: 'absent' }, undefined, { strict: false })],
  ['fail/one serial number twice, in a strict check for TLS', 'rev-unknown', () => single({ revoked: [other, other] })],
  [
    'ok/one serial number twice, for any purpose',
    () => single({ revoked: [other, other] }, undefined, { purpose: 'any' }),
  ],
  [
    'fail/no list at all',
    'rev-unknown',
    () => ((r) => ({ leaf: leaf(r), anchors: [r], ask: { revocation: 'hard' } }))(root()),
  ],
  [
    'fail/a list of another issuer',
    'rev-unknown',
    () => {
      const [r, s] = [root(), root()];
      return { leaf: leaf(r), anchors: [r, s], crls: [crl(s)] };
    },
  ],
  [
    'ok/the serial number on the list of another issuer',
    () => {
      const [r, s] = [root(), root()];
      const end = leaf(r);
      return { leaf: end, anchors: [r, s], crls: [crl(s, revoked(end)), crl(r)] };
    },
  ],
  [
    'fail/a CA of the same name under another anchor signs the list (T-21)',
    'rev-unknown',
    () => {
      const [r, s] = [root({ subject: 'CN=twin' }), root({ subject: 'CN=twin' })];
      return { leaf: leaf(r), anchors: [r, s], crls: [crl(s)] };
    },
  ],
  [
    'fail/the issuer may not sign lists',
    'rev-unknown',
    () => {
      const r = root({ extensions: { keyUsage: ext.keyUsage(['keyCertSign']) } });
      return { leaf: leaf(r), anchors: [r], crls: [crl(r)] };
    },
  ],
  [
    'ok/the issuer has no keyUsage (§6.3.3 (f) asks only where present)',
    () => {
      const r = root({ extensions: { keyUsage: undefined } });
      return { leaf: leaf(r), anchors: [r], crls: [crl(r)], ask: { strict: false } };
    },
  ],
];

const A = 'http://a.example/1.crl';
const scopes: readonly PathRow[] = [
  ['ok/the point names the list', () => single({ scope: uri(A) }, [uri(A)])],
  ['ok/one of several names', () => single({ scope: { names: [{ uri: 'ldap://x' }, { uri: A }] } }, [uri(A)])],
  [
    'fail/the list is of another point (K-4)',
    'rev-unknown',
    () => single({ scope: uri(A) }, [uri('http://a.example/2.crl')]),
  ],
  [
    'fail/a URI that means the same but reads differently',
    'rev-unknown',
    () => single({ scope: uri('http://a.example/%31.crl') }, [uri(A)]),
  ],
  ['fail/the certificate has no points, the list is of one', 'rev-unknown', () => single({ scope: uri(A) })],
  ['ok/the certificate has points, the list has no scope', () => single({}, [uri(A)])],
  ['fail/only attribute certificates', 'rev-unknown', () => single({ scope: { attributes: true } })],
  ['fail/only CAs, for a leaf (T-21, K-4)', 'rev-unknown', () => single({ scope: { cas: true } })],
  ['ok/only users, for a leaf', () => single({ scope: { users: true } })],
  [
    'fail/some reasons only (K-5, K-8)',
    'rev-unknown',
    () => single({ scope: { ...uri(A), reasons: ['keyCompromise'] } }, [uri(A)]),
  ],
  [
    'fail/revoked on a list of some reasons',
    'revoked',
    () => single((end) => ({ ...revoked(end, 1), scope: { reasons: ['keyCompromise'] } })),
  ],
  [
    'fail/names of other kinds beside the URI, for TLS',
    'rev-unknown',
    () => single({ scope: uri(A) }, [{ names: [{ uri: A }, { dns: 'a.example' }] }]),
  ],
  [
    'fail/indirect without need, for TLS',
    'rev-unknown',
    () => single({ scope: { ...uri(A), indirect: true } }, [uri(A)]),
  ],
  [
    'ok/indirect without need, for any purpose (PKITS 4.14.22)',
    () => single({ scope: { ...uri(A), indirect: true } }, [uri(A)], { purpose: 'any' }),
  ],
  [
    'ok/reasons covered by two lists',
    () => {
      const r = root();
      const first = crl(r, { scope: { reasons: ['keyCompromise', 'cACompromise', 'certificateHold'] } });
      const second = crl(r, {
        scope: {
          reasons: ['affiliationChanged', 'superseded', 'cessationOfOperation', 'privilegeWithdrawn', 'aACompromise'],
        },
      });
      return { leaf: leaf(r), anchors: [r], crls: [first, second] };
    },
  ],
  [
    'ok/a name relative to the issuer',
    () => {
      const r = root({ subject: 'O=A,CN=root' });
      const end = leaf(r, { add: [ext.crlPoints([{ relative: 'OU=shard 1' }])] });
      return {
        leaf: end,
        anchors: [r],
        crls: [crl(r, { scope: { names: [{ directory: 'O=a,CN=Root,OU=shard 1' }] } })],
      };
    },
  ],
];

const chains: readonly PathRow[] = [
  [
    'ok/every certificate of the path is covered',
    () => {
      const r = root();
      const a = ca(r);
      return { leaf: leaf(a), via: [a], anchors: [r], crls: [crl(a), crl(r)] };
    },
  ],
  [
    'fail/the intermediate is revoked (T-19)',
    'revoked',
    () => {
      const r = root();
      const a = ca(r);
      return { leaf: leaf(a), via: [a], anchors: [r], crls: [crl(a), crl(r, revoked(a))] };
    },
  ],
  [
    'fail/nothing is known of the intermediate',
    'rev-unknown',
    () => {
      const r = root();
      const a = ca(r);
      return { leaf: leaf(a), via: [a], anchors: [r], crls: [crl(a)] };
    },
  ],
  [
    'fail/only users, for the intermediate',
    'rev-unknown',
    () => {
      const r = root();
      const a = ca(r);
      return { leaf: leaf(a), via: [a], anchors: [r], crls: [crl(a), crl(r, { scope: { users: true } })] };
    },
  ],
  [
    'ok/another cross-certificate than the revoked one',
    () => {
      const [r, s] = [root(), root()];
      const a = ca(r);
      const b = ca(s, { subject: a.subject, key: a.key });
      return { leaf: leaf(a), via: [a, b], anchors: [r, s], crls: [crl(a), crl(r, revoked(a)), crl(s)] };
    },
  ],
  [
    'ok/lists signed with a key of their own under the same anchor',
    () => {
      const r = root();
      const a = ca(r, { extensions: { keyUsage: ext.keyUsage(['keyCertSign']) } });
      const signer = ca(r, {
        subject: a.subject,
        extensions: { keyUsage: ext.keyUsage(['cRLSign']), basicConstraints: undefined },
      });
      return { leaf: leaf(a), via: [a, signer], anchors: [r], crls: [crl(signer), crl(r)] };
    },
  ],
  [
    'fail/the key that signs lists is revoked itself',
    'rev-unknown',
    () => {
      const r = root();
      const a = ca(r, { extensions: { keyUsage: ext.keyUsage(['keyCertSign']) } });
      const signer = ca(r, {
        subject: a.subject,
        extensions: { keyUsage: ext.keyUsage(['cRLSign']), basicConstraints: undefined },
      });
      return { leaf: leaf(a), via: [a, signer], anchors: [r], crls: [crl(signer), crl(r, revoked(signer))] };
    },
  ],
  [
    'fail/two keys that sign the lists which clear each other',
    'rev-unknown',
    () => {
      const r = root();
      const a = ca(r, { extensions: { keyUsage: ext.keyUsage(['keyCertSign']) } });
      const spec = {
        subject: a.subject,
        extensions: { keyUsage: ext.keyUsage(['cRLSign']), basicConstraints: undefined },
      };
      const [x, y] = [ca(a, spec), ca(a, spec)];
      return { leaf: leaf(a), via: [a, x, y], anchors: [r], crls: [crl(x), crl(y), crl(r)] };
    },
  ],
  [
    'ok/an indirect list of the issuer that the point names',
    () => {
      const r = root();
      const a = ca(r);
      const signer = ca(r, { subject: 'CN=lists' });
      const end = leaf(a, { add: [ext.crlPoints([{ ...uri(A), crlIssuer: 'CN=lists' }])] });
      const list = crl(signer, { scope: { ...uri(A), indirect: true }, revoked: [{ ...other, issuer: a.subject }] });
      return { leaf: end, via: [a, signer], anchors: [r], crls: [list, crl(r)] };
    },
  ],
  [
    'fail/revoked on an indirect list',
    'revoked',
    () =>
      indirect((end, a) => [
        { ...other, issuer: a.subject },
        { serial: end.serial },
        { serial: Uint8Array.of(9), issuer: 'CN=else' },
      ]),
  ],
  [
    'ok/the same serial number of another issuer on an indirect list',
    () =>
      indirect((end, a) => [
        { ...other, issuer: a.subject },
        { serial: end.serial, issuer: 'CN=else' },
      ]),
  ],
  [
    'fail/the point names a CRL issuer, the list is not indirect (K-3)',
    'rev-unknown',
    () => {
      const r = root();
      const signer = ca(r, { subject: 'CN=lists' });
      const end = leaf(r, { add: [ext.crlPoints([{ ...uri(A), crlIssuer: 'CN=lists' }])] });
      return { leaf: end, via: [signer], anchors: [r], crls: [crl(signer, { scope: uri(A) })] };
    },
  ],
  [
    'fail/certificateIssuer in a list that is not indirect',
    'rev-unknown',
    () => single({ revoked: [{ ...other, issuer: 'CN=else' }] }),
  ],
];

/** Lists that clear nobody: what they list is revoked all the same. */
const odd: readonly (readonly [name: string, spec: CrlSpec])[] = [
  ['past nextUpdate', { thisUpdate: NOW - 9 * DAY, nextUpdate: NOW - DAY }],
  ['of ten years ago', { thisUpdate: NOW - 3_650 * DAY, nextUpdate: NOW - 3_600 * DAY }],
  ['without nextUpdate', { nextUpdate: 'absent' }],
  ['of the future', { thisUpdate: NOW + DAY }],
  ['with an unknown critical extension', { add: [CRITICAL] }],
  ['without a number', { number: 'absent' }],
  ['with a critical number', { number: 'critical' }],
  ['of another distribution point', { scope: uri('http://a.example/other') }],
  ['of CAs', { scope: { cas: true } }],
  ['of some reasons', { scope: { reasons: ['keyCompromise'] } }],
  ['that is a delta alone', { base: 5 }],
];

describe('what is known to be revoked stays revoked', () => {
  describe.each(odd)('by a list %s', (_, spec) => {
    it.each(['hard', 'soft'] as const)('%s', (revocation) => {
      for (const strict of [true, false]) {
        const asked = single((end) => ({ ...spec, ...revoked(end) }), undefined, { revocation, strict });
        expect(judgePath(asked).findings[0]?.code).toBe('revoked');
      }
    });
    it('ok/soft, others', () => {
      const asked = single({ ...spec, revoked: [other] }, undefined, { revocation: 'soft' });
      expect(judgePath(asked).ok).toBe(true);
    });
  });

  it('fail/by a list that has the serial number twice, or with a reason of no meaning', () => {
    for (const again of [{}, { reason: 7 }]) {
      const asked = single(
        (end) => ({ revoked: [{ serial: end.serial }, { serial: end.serial, ...again }] }),
        undefined,
        {
          revocation: 'soft',
        },
      );
      expect(judgePath(asked).findings[0]?.code).toBe('revoked');
    }
  });

  it('fail/by an entry of two reasons, whichever stands last', () => {
    const reason = (code: number) => extension('2.5.29.21', der.enumerated(code));
    for (const [first, last] of [
      [1, 8],
      [8, 1],
      [6, 8],
    ] as const) {
      for (const spec of [{}, { base: 5 }]) {
        const asked = single(
          (end) => ({ ...spec, revoked: [{ serial: end.serial, reason: first, add: [reason(last)] }] }),
          undefined,
          { revocation: 'soft' },
        );
        expect(judgePath(asked).findings[0]?.code).toBe('revoked');
      }
    }
  });

  it('fail/not by a list of attribute certificates, of another key, or of another CA', () => {
    const r = root();
    const end = leaf(r);
    const stranger = ca(r);
    const lists = [
      crl(r, { scope: { attributes: true }, ...revoked(end) }),
      crl(r, { signer: makeKey(), nextUpdate: 'absent', ...revoked(end) }),
      crl(stranger, { nextUpdate: 'absent', ...revoked(end) }),
    ];
    for (const list of lists) {
      const ask = { revocation: 'soft' } as const;
      expect(judgePath({ leaf: end, via: [stranger], anchors: [r], crls: [list], ask }).ok).toBe(true);
    }
  });

  it('fail/not by an old list where a newer one clears the certificate', () => {
    const r = root();
    const end = leaf(r);
    const old = crl(r, { thisUpdate: NOW - 9 * DAY, nextUpdate: NOW - DAY, number: 3, ...revoked(end, 6) });
    expect(judgePath({ leaf: end, anchors: [r], crls: [old, crl(r)] }).ok).toBe(true);
    const newerOdd = crl(r, { nextUpdate: 'absent', ...revoked(end) });
    expect(judgePath({ leaf: end, anchors: [r], crls: [newerOdd, crl(r, { thisUpdate: NOW - 2 * DAY })] }).ok).toBe(
      false,
    );
  });

  it('fail/not by an old delta where a newer one takes the certificate off hold', () => {
    const r = root();
    const end = leaf(r);
    const crls = [
      crl(r, { base: 4, number: 5, ...revoked(end, 6) }),
      crl(r, { base: 4, number: 6, ...revoked(end, 8) }),
    ];
    expect(judgePath({ leaf: end, anchors: [r], crls, ask: { revocation: 'soft' } }).ok).toBe(true);
  });
});

describe('the first line says which list did not count, and why', () => {
  const r = root({ subject: 'CN=A' });
  const end = leaf(r);
  const told = (crls: Parameters<typeof judgePath>[0]['crls'], of = end) =>
    judgePath({ leaf: of, anchors: [r], crls: crls ?? [], ask: { revocation: 'hard' } }).findings[0]?.detail;

  it.each([
    [
      'one that has run out',
      () => told([crl(r, { nextUpdate: NOW - DAY })]),
      /no usable CRL of CN=A: CRL of CN=A: expected nextUpdate after 2026-06-01.*, found 2026-05-31/,
    ],
    [
      'one of another issuer',
      () => told([crl(root({ subject: 'CN=B' }))]),
      /no usable CRL of CN=A: the CRL at hand is of CN=B; the certificate names neither/,
    ],
    [
      'of several others two, and that there are more',
      () => told(['B', 'C', 'D', 'B'].map((name) => crl(root({ subject: `CN=${name}` })))),
      /the 4 CRLs at hand are of CN=B, CN=C and others; the certificate names neither/,
    ],
    ['none', () => told([]), /no usable CRL of CN=A: there is no CRL at hand; the certificate names neither/],
    [
      'an http: distribution point behind an ldap: one',
      () =>
        told(
          [],
          leaf(r, {
            add: [ext.crlPoints([{ names: [{ uri: 'ldap://a.example/cn=a' }, { uri: 'http://a.example/' }] }])],
          }),
        ),
      /there is no CRL at hand; "http:\/\/a\.example\/" of the certificate is fetched where .* \(siptrustctl crl list says/,
    ],
    [
      'one for some reasons alone',
      () => told([crl(r, { scope: { reasons: ['keyCompromise'] } }), crl(root({ subject: 'CN=B' }))]),
      /no usable CRL for the reasons cACompromise, .*: what is at hand speaks of other reasons alone/,
    ],
    [
      'an ldap: distribution point',
      () => told([], leaf(r, { add: [ext.crlPoints([uri('ldap://a.example/cn=a')])] })),
      /there is no CRL at hand, and "ldap:\/\/a\.example\/cn=a" of the certificate is not fetched/,
    ],
  ] as const)('%s', (_, make, expected) => {
    expect(make()).toMatch(expected);
  });
});

const deltas: readonly PathRow[] = [
  ['fail/a delta alone settles nothing (K-9)', 'rev-unknown', () => single({ base: 5 })],
  [
    'fail/revoked by the delta',
    'revoked',
    () => anchored((r, end) => [crl(r, { number: 7 }), crl(r, { number: 8, base: 7, ...revoked(end) })]),
  ],
  [
    'ok/taken off hold by the delta',
    () =>
      anchored((r, end) => [
        crl(r, { number: 7, ...revoked(end, 6) }),
        crl(r, { number: 8, base: 7, ...revoked(end, 8) }),
      ]),
  ],
  // RFC 5280 §5.3.1: off hold alone; a key that was compromised stays so, whatever a later list says.
  ...([1, undefined] as const).map(
    (reason): PathRow => [
      `fail/revoked with reason ${reason ?? 'unspecified'}, and taken off by the delta`,
      'revoked',
      () =>
        anchored((r, end) => [
          crl(r, { number: 7, ...revoked(end, reason) }),
          crl(r, { number: 8, base: 7, ...revoked(end, 8) }),
        ]),
    ],
  ),
  [
    'fail/revoked by one delta, and taken off by a later one',
    'revoked',
    () =>
      anchored((r, end) => [
        crl(r, { number: 7 }),
        crl(r, { number: 8, base: 7, ...revoked(end, 1) }),
        crl(r, { number: 9, base: 7, ...revoked(end, 8) }),
      ]),
  ],
  [
    'fail/the delta is of a later base',
    'revoked',
    () =>
      anchored((r, end) => [
        crl(r, { number: 7, ...revoked(end, 6) }),
        crl(r, { number: 9, base: 8, ...revoked(end, 8) }),
      ]),
  ],
  [
    'fail/the delta is of another scope',
    'revoked',
    () =>
      anchored((r, end) => [
        crl(r, { number: 7, ...revoked(end, 6) }),
        crl(r, { number: 8, base: 7, scope: { users: true }, ...revoked(end, 8) }),
      ]),
  ],
  [
    'fail/the delta is out of date, and the certificate on hold',
    'revoked',
    () =>
      anchored((r, end) => [
        crl(r, { number: 7, ...revoked(end, 6) }),
        crl(r, { number: 8, base: 7, nextUpdate: NOW - 1000, ...revoked(end, 8) }),
      ]),
  ],
];

describe('revocation (RFC 5280 §6.3.3, rulebook §8.1)', () => {
  describe.each([
    ['lists', lists],
    ['scopes', scopes],
    ['chains', chains],
    ['deltas', deltas],
  ] as const)('%s', (_, rows) => {
    it.each(rows.map((row) => [row[0], row] as const))('%s', (__, row) => {
      expectPath(row);
    });
  });

  it('ok/soft lets an unknown status pass with a remark (T-20)', () => {
    const result = judgePath(single({ nextUpdate: NOW }, undefined, { revocation: 'soft' }));
    expect(result.ok).toBe(true);
    expect(result.findings.map(({ code }) => code)).toEqual(['rev-unknown', 'crl-scope']);
    expect(result.findings[1]?.detail).toContain('expected nextUpdate after 2026-06-01T00:00:00.000Z');
  });

  it('ok/an answer holds no longer than the list behind it', () => {
    const result = judgePath(single({ nextUpdate: NOW + DAY }));
    expect(result.ok && result.validUntil).toBe(NOW + DAY);
  });
});

it('fail/a CA that may not sign lists: the first line says so', () => {
  const r = root({ subject: 'CN=A', extensions: { keyUsage: ext.keyUsage(['keyCertSign']) } });
  const { findings } = judgePath({ leaf: leaf(r), anchors: [r], crls: [crl(r)] });
  expect(findings[0]?.detail).toContain('the key of CN=A may not sign lists (keyUsage without cRLSign)');
});

it('ok/twenty CAs of one name, eight lists by a key of none: why no list counts costs no second search for signers', () => {
  const r = root();
  const twin = () => ca(r, { subject: 'CN=twins', key: makeKey() });
  const issuer = twin();
  const cas = [issuer, ...Array.from({ length: 19 }, twin)];
  const stranger = root({ subject: 'CN=twins', key: makeKey() });
  const crls = Array.from({ length: 8 }, (_, number) => crl(stranger, { number }));
  const result = judgePath({
    leaf: leaf(issuer),
    via: cas,
    anchors: [r],
    crls: [...crls, crl(r)],
    ask: { revocation: 'soft' },
  });
  expect(result.findings.map(({ code }) => code)).toEqual(['rev-unknown', 'crl-scope']);
  expect(result.ok).toBe(true);
});
