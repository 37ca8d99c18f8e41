import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Budget } from '../../../../src/x509/certificate/budget.js';
import { type OcspAnswer, type OcspContext, ocspStatus } from '../../../../src/x509/revocation/ocsp.js';
import { MalformedOcsp, parseOcspResponse } from '../../../../src/x509/revocation/ocsp-response.js';
import { ca, crl, ext, extension, type Issued, leaf, makeKey, root, sharedKey } from '../../../support/certificates.js';
import { der, tlv } from '../../../support/der.js';
import { DAY, NOW, ocspAnswer, ocspDer, type ResponseSpec, type SingleSpec } from '../../../support/ocsp.js';
import { judgePath } from '../../../support/paths.js';

const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9';
const HOUR = 3_600_000;
const issuer = root({ subject: 'O=Operator B,CN=Operator B CA' });
const other = root({ subject: 'O=Operator C,CN=Operator C CA' });
const peer = leaf(issuer);

const nocheck = extension('1.3.6.1.5.5.7.48.1.5', der.null());
const responderOf = (parent: Issued, purposes: readonly string[], add: readonly Uint8Array[] = [nocheck]): Issued =>
  leaf(parent, { subject: 'O=Operator B,CN=responder', extensions: { purposes: ext.purposes(purposes) }, add });

const delegated = responderOf(issuer, [OCSP_SIGNING]);
const signing = responderOf(issuer, ['1.3.6.1.5.5.7.3.2', OCSP_SIGNING]);

function status(answer: OcspAnswer, over: Partial<OcspContext> = {}, about = peer) {
  return ocspStatus(about.facts, issuer.facts, answer, {
    at: NOW,
    skew: 300_000,
    maxAge: DAY,
    nonceRequired: false,
    budget: new Budget(),
    responderStatus: () => ({ status: 'unknown', findings: [] }),
    ...over,
  });
}

const told = (result: ReturnType<typeof status>): string =>
  result.status === 'unknown' ? `unknown ${result.findings[0]?.code}` : result.status;

interface Row {
  readonly entry?: Partial<SingleSpec>;
  readonly more?: readonly Partial<SingleSpec>[];
  readonly response?: Partial<ResponseSpec>;
  readonly echoed?: boolean;
  readonly context?: Partial<OcspContext>;
  /** The certificate that is asked about, instead of the peer's. */
  readonly about?: Issued;
}

const ROWS: readonly (readonly [name: string, outcome: string, row: Row])[] = [
  ['ok/good, signed by the issuer', 'good', {}],
  ['ok/good, responder named by its key', 'good', { response: { byKey: true } }],
  ['ok/revoked', 'revoked', { entry: { status: { revoked: NOW - DAY, reason: 1 } } }],
  ['ok/revoked without a reason', 'revoked', { entry: { status: { revoked: NOW - DAY } } }],
  ['ok/delegated, with nocheck', 'good', { response: { signer: delegated, certificates: [delegated] } }],
  ['ok/delegated, by key', 'good', { response: { signer: delegated, certificates: [delegated], byKey: true } }],
  [
    'ok/delegated, among other certificates',
    'good',
    { response: { signer: delegated, certificates: [other, delegated] } },
  ],
  ['ok/one of several entries', 'good', { more: [{ certificate: other, serial: Uint8Array.of(1) }] }],

  // K-10
  ['fail/the responder does not know it (K-15)', 'unknown ocsp-status', { entry: { status: 'unknown' } }],
  ['fail/another serial (K-10)', 'unknown ocsp-status', { entry: { serial: Uint8Array.of(9) } }],
  ['fail/another issuer name (K-10)', 'unknown ocsp-status', { entry: { nameHash: new Uint8Array(20) } }],
  ['fail/another issuer key (K-10)', 'unknown ocsp-status', { entry: { keyHash: new Uint8Array(20) } }],
  ['fail/another hash than asked for (K-10)', 'unknown ocsp-status', { entry: { hash: 'sha256' } }],
  [
    'fail/revoked by another hash than asked for',
    'revoked',
    { entry: { hash: 'sha256', status: { revoked: NOW - DAY } } },
  ],
  [
    'fail/good by the hash that was asked for, and revoked by another',
    'revoked',
    { more: [{ hash: 'sha256', status: { revoked: NOW - DAY } }] },
  ],
  [
    'fail/revoked by another hash, and of another issuer',
    'unknown ocsp-status',
    { entry: { hash: 'sha256', nameHash: new Uint8Array(32), status: { revoked: NOW - DAY } } },
  ],
  ['fail/good and revoked at once is revoked', 'revoked', { more: [{ status: { revoked: NOW - DAY } }] }],
  ['fail/good and unknown at once', 'unknown ocsp-status', { more: [{ status: 'unknown' }] }],
  [
    'fail/a critical extension of the response that is not understood',
    'unknown ocsp-status',
    { response: { extensions: [extension('1.2.3.4', der.null(), true)] } },
  ],
  ['ok/another extension of the response', 'good', { response: { extensions: [extension('1.2.3.4', der.null())] } }],
  [
    'fail/a critical extension of the entry that is not understood',
    'unknown ocsp-status',
    { entry: { extensions: [extension('1.2.3.4', der.null(), true)] } },
  ],

  // K-11, T-22
  ['fail/signed by another CA (T-22)', 'unknown ocsp-signer', { response: { signer: other, certificates: [other] } }],
  ["fail/signed with another key in the issuer's name", 'unknown ocsp-signer', { response: { key: makeKey() } }],
  [
    'fail/the signature is broken',
    'unknown ocsp-signer',
    { response: { changeSignature: (octets) => octets.map((octet, at) => (at === 20 ? octet ^ 1 : octet)) } },
  ],
  ['fail/the delegated certificate is missing', 'unknown ocsp-signer', { response: { signer: delegated } }],
  ...(['serverAuth', 'any', 'clientAuth'] as const).map((purpose): (typeof ROWS)[number] => {
    const signer = responderOf(issuer, [purpose]);
    const name = `fail/delegated without OCSPSigning but with ${purpose} (T-22)`;
    return [name, 'unknown ocsp-signer', { response: { signer, certificates: [signer] } }];
  }),
  [
    'fail/delegated without extendedKeyUsage (T-22)',
    'unknown ocsp-signer',
    signedBy({ extensions: { purposes: undefined } }),
  ],
  ['fail/delegated, expired', 'unknown ocsp-signer', signedBy({ notAfter: NOW - DAY })],
  ['fail/delegated, not yet valid', 'unknown ocsp-signer', signedBy({ notBefore: NOW + DAY })],
  [
    'fail/delegated, key may not sign',
    'unknown ocsp-signer',
    signedBy({ extensions: { keyUsage: ext.keyUsage(['keyAgreement']) } }),
  ],
  [
    'fail/delegated, unknown critical extension',
    'unknown ocsp-signer',
    signedBy({ add: [nocheck, extension('1.2.3', der.null(), true)] }),
  ],
  ['fail/delegated by another CA (T-22)', 'unknown ocsp-signer', foreign(responderOf(other, [OCSP_SIGNING]))],
  [
    'fail/delegated by a CA below the issuer (T-22)',
    'unknown ocsp-signer',
    foreign(responderOf(ca(issuer), [OCSP_SIGNING])),
  ],
  [
    "fail/delegated by another key in the issuer's name (T-22)",
    'unknown ocsp-signer',
    foreign(
      leaf(root({ subject: 'O=Operator B,CN=Operator B CA' }), {
        extensions: { purposes: ext.purposes([OCSP_SIGNING]) },
        add: [nocheck],
      }),
    ),
  ],
  ['fail/the leaf vouches for itself', 'unknown ocsp-signer', { response: { signer: peer, certificates: [peer] } }],

  [
    'fail/a certificate whose purposes let it sign statuses vouches for itself',
    'unknown ocsp-signer',
    { response: { signer: signing, certificates: [signing] }, about: signing },
  ],

  // K-12
  [
    'fail/delegated, its responder cannot be asked',
    'unknown ocsp-signer',
    signedBy({ add: [ext.ocspResponder('http://ocsp.b.example/')] }),
  ],
  ['ok/delegated, nothing said of its revocation', 'good', signedBy({ add: [] })],
  [
    'fail/delegated, its CRL is not at hand',
    'unknown ocsp-signer',
    signedBy({ add: [ext.crlPoints([{ names: [{ uri: 'http://crl.b.example/' }] }])] }),
  ],
  [
    'fail/delegated and revoked',
    'unknown ocsp-signer',
    { ...signedBy({ add: [] }), context: { responderStatus: () => ({ status: 'revoked', detail: 'x' }) } },
  ],
  [
    'ok/nocheck asks nobody',
    'good',
    { ...signedBy({}), context: { responderStatus: () => ({ status: 'revoked', detail: 'x' }) } },
  ],

  // K-13, T-23
  ['fail/nextUpdate has passed (T-23)', 'unknown ocsp-time', { entry: { nextUpdate: NOW } }],
  ['ok/nextUpdate is a second away', 'good', { entry: { nextUpdate: NOW + 1000 } }],
  [
    'fail/thisUpdate in the future (T-23)',
    'unknown ocsp-time',
    { entry: { thisUpdate: NOW + 301_000, nextUpdate: NOW + DAY } },
  ],
  ['ok/thisUpdate within the skew', 'good', { entry: { thisUpdate: NOW + 300_000, nextUpdate: NOW + DAY } }],
  ['fail/older than a day', 'unknown ocsp-time', { entry: { thisUpdate: NOW - DAY, nextUpdate: NOW + DAY } }],
  [
    'ok/older than a day where the policy lets it',
    'good',
    { entry: { thisUpdate: NOW - DAY }, context: { maxAge: 2 * DAY } },
  ],
  ['fail/no nextUpdate and no nonce', 'unknown ocsp-time', { entry: { nextUpdate: 'absent' } }],
  ['ok/no nextUpdate, the nonce of the question', 'good', { entry: { nextUpdate: 'absent' }, echoed: true }],
  // What is known to be revoked stays so.
  [
    'fail/a revocation that is no longer current',
    'revoked',
    { entry: { status: { revoked: NOW - DAY }, nextUpdate: NOW } },
  ],
  [
    'fail/a revocation of years ago',
    'revoked',
    { entry: { status: { revoked: NOW - 900 * DAY }, thisUpdate: NOW - 900 * DAY, nextUpdate: NOW - 899 * DAY } },
  ],
  [
    'fail/a revocation that a responder has signed whose certificate has ended since',
    'revoked',
    {
      ...signedBy({ notAfter: NOW + DAY }),
      entry: { status: { revoked: NOW - DAY } },
      context: { at: NOW + 30 * DAY },
    },
  ],
  [
    'fail/a revocation without nextUpdate and nonce',
    'revoked',
    { entry: { status: { revoked: NOW - DAY }, nextUpdate: 'absent' } },
  ],
  [
    'fail/a revocation without the nonce that is required',
    'revoked',
    { entry: { status: { revoked: NOW - DAY } }, context: { nonceRequired: true } },
  ],

  // K-14
  ['fail/the nonce is required', 'unknown ocsp-status', { context: { nonceRequired: true } }],
  ['ok/the nonce is required and there', 'good', { context: { nonceRequired: true }, echoed: true }],
];

function signedBy(spec: Parameters<typeof leaf>[1] & object): Row {
  const signer = leaf(issuer, {
    subject: 'O=Operator B,CN=responder',
    add: [nocheck],
    ...spec,
    extensions: { purposes: ext.purposes([OCSP_SIGNING]), ...spec.extensions },
  });
  return { response: { signer, certificates: [signer] } };
}

function foreign(signer: Issued): Row {
  return { response: { signer, certificates: [signer] } };
}

describe('ocspStatus: RFC 6960 §3.2, rulebook K-10 to K-16', () => {
  for (const [name, outcome, { entry, more = [], response, echoed = false, context, about = peer }] of ROWS) {
    test(name, () => {
      const entries = [entry ?? {}, ...more].map((each) => ({ certificate: about, issuer, ...each }));
      const result = status(ocspAnswer(entries, { signer: issuer, ...response }, echoed), context, about);
      expect(told(result), JSON.stringify(result)).toBe(outcome);
    });
  }

  test('fail/a purpose that is no delegation has its name', () => {
    const signer = responderOf(issuer, ['serverAuth']);
    const result = status(ocspAnswer([{ certificate: peer, issuer }], { signer, certificates: [signer] }));
    expect(JSON.stringify(result)).toContain('expected extendedKeyUsage OCSPSigning, found serverAuth');
  });

  test('ok/a revocation names serial, date, reason and responder', () => {
    const entries = [{ certificate: peer, issuer, status: { revoked: NOW - DAY, reason: 1 } }] as const;
    const result = status(ocspAnswer(entries, { signer: issuer }));
    expect(result).toMatchObject({ status: 'revoked', detail: expect.stringContaining(peer.facts.serial) });
    expect(result).toMatchObject({ detail: expect.stringContaining('2026-05-31T00:00:00.000Z (keyCompromise), by') });
  });

  const until = (entry: Partial<SingleSpec>, spec: Partial<ResponseSpec> = {}, echoed = false) => {
    const result = status(ocspAnswer([{ certificate: peer, issuer, ...entry }], { signer: issuer, ...spec }, echoed));
    return result.status === 'good' ? result.until : undefined;
  };
  test('ok/good until nextUpdate', () => expect(until({ nextUpdate: NOW + 5000 })).toBe(NOW + 5000));
  test('ok/good until the greatest age', () =>
    expect(until({ thisUpdate: NOW - 1000, nextUpdate: NOW + 9 * DAY })).toBe(NOW - 1000 + DAY));
  test('ok/without nextUpdate good until the greatest age', () =>
    expect(until({ thisUpdate: NOW, nextUpdate: 'absent' }, {}, true)).toBe(NOW + DAY));
  test('ok/good until the responder expires', () => {
    const { response } = signedBy({ notAfter: NOW + 60_000 });
    expect(until({}, response)).toBe(NOW + 60_000 + 300_000);
  });
  test('ok/RSA responders', () => {
    const rsa = root({ key: sharedKey('rsa2048') });
    const subject = leaf(rsa);
    const answer = ocspAnswer([{ certificate: subject, issuer: rsa }], { signer: rsa });
    const context = { at: NOW, skew: 0, maxAge: DAY, nonceRequired: false, budget: new Budget() };
    const responderStatus = () => ({ status: 'unknown', findings: [] }) as const;
    expect(ocspStatus(subject.facts, rsa.facts, answer, { ...context, responderStatus }).status).toBe('good');
  });
});

describe('OCSP and CRL together in a path (RFC 6960 §5, rulebook K-17)', () => {
  const judged = (answer: OcspAnswer | undefined, crls: Parameters<typeof judgePath>[0]['crls'], ask = {}) =>
    judgePath({
      leaf: peer,
      anchors: [issuer],
      crls: crls ?? [],
      ask: {
        revocation: 'hard',
        purpose: 'client',
        strict: false,
        ...(answer === undefined ? {} : { ocsp: new Map([[peer.facts.sha256, answer]]) }),
        ...ask,
      },
    });
  const first = (result: ReturnType<typeof judged>) => (result.ok ? 'ok' : result.findings[0]?.code);
  const good = ocspAnswer([{ certificate: peer, issuer }], { signer: issuer });
  const revoked = ocspAnswer([{ certificate: peer, issuer, status: { revoked: NOW - DAY } }], { signer: issuer });
  const unknown = ocspAnswer([{ certificate: peer, issuer, status: 'unknown' }], { signer: issuer });
  const clean = crl(issuer);
  const listing = crl(issuer, { revoked: [{ serial: peer.serial }] });

  test('ok/OCSP alone, until its nextUpdate', () => {
    const result = judged(good, []);
    expect(result).toMatchObject({ ok: true, validUntil: NOW + HOUR });
  });
  test('ok/CRL alone', () => expect(first(judged(undefined, [clean]))).toBe('ok'));
  test('ok/OCSP unknown, CRL good', () => expect(first(judged(unknown, [clean]))).toBe('ok'));
  test('ok/both good: until the later end', () =>
    expect(judged(good, [clean])).toMatchObject({ ok: true, validUntil: NOW + 7 * DAY }));
  test('fail/OCSP revoked, CRL good (T-19)', () => expect(first(judged(revoked, [clean]))).toBe('revoked'));
  test('fail/OCSP good, CRL revoked (T-19)', () => expect(first(judged(good, [listing]))).toBe('revoked'));
  test('fail/neither (T-20)', () => expect(first(judged(undefined, []))).toBe('rev-unknown'));
  test('fail/OCSP unknown and no CRL (T-20)', () => {
    const result = judged(unknown, []);
    expect(first(result)).toBe('rev-unknown');
    expect(result.findings.map(({ code }) => code)).toContain('ocsp-status');
    expect(result.findings[0]?.detail).toMatch(
      /no CRL at hand; .*; OCSP response on .*: the responder does not know the/,
    );
  });
  test('fail/prepared for days, older than the policy takes: the first line names the key (T-23)', () => {
    const times = { thisUpdate: NOW - 2 * DAY, nextUpdate: NOW + 5 * DAY };
    const result = judged(ocspAnswer([{ certificate: peer, issuer, ...times }], { signer: issuer }), []);
    expect(result.findings[0]).toMatchObject({ code: 'rev-unknown' });
    expect(result.findings[0]?.detail).toContain('(defaults.ocsp_max_age), found 2026-05-30');
  });
  test('ok/soft: trusted and flagged (T-20)', () => {
    const result = judged(unknown, [], { revocation: 'soft' });
    expect(result.ok).toBe(true);
    expect(result.findings.map(({ code }) => code)).toEqual(['rev-unknown', 'ocsp-status']);
  });
  test("fail/an answer about another certificate's path", () => {
    const other = leaf(issuer);
    const answer = ocspAnswer([{ certificate: other, issuer }], { signer: issuer });
    expect(first(judged(answer, []))).toBe('rev-unknown');
  });

  describe('the status of a responder by a list that says nothing of the peer (K-12)', () => {
    const names = [{ uri: 'http://crl.b.example/responders.crl' }];
    const signer = leaf(issuer, {
      subject: 'O=Operator B,CN=responder',
      extensions: { purposes: ext.purposes([OCSP_SIGNING]) },
      add: [ext.crlPoints([{ names }])],
    });
    const answer = ocspAnswer([{ certificate: peer, issuer }], { signer, certificates: [signer] });
    const responders = (serials: readonly Uint8Array[]) =>
      crl(issuer, { revoked: serials.map((serial) => ({ serial })), scope: { names } });
    test('ok/cleared', () => expect(first(judged(answer, [responders([])]))).toBe('ok'));
    test('fail/not at hand', () => expect(first(judged(answer, []))).toBe('rev-unknown'));
    test('fail/revoked', () => {
      const result = judged(answer, [responders([signer.serial])]);
      expect(first(result)).toBe('rev-unknown');
      expect(result.findings.map(({ code }) => code)).toContain('ocsp-signer');
    });
  });

  test('ok/an intermediate by OCSP', () => {
    const sub = ca(issuer);
    const below = leaf(sub);
    const answers = new Map([
      [sub.facts.sha256, ocspAnswer([{ certificate: sub, issuer }], { signer: issuer })],
      [below.facts.sha256, ocspAnswer([{ certificate: below, issuer: sub }], { signer: sub })],
    ]);
    const ask = { revocation: 'hard', purpose: 'client', strict: false } as const;
    const both = { leaf: below, via: [sub], anchors: [issuer] };
    expect(judgePath({ ...both, ask: { ...ask, ocsp: answers } }).ok).toBe(true);
    answers.set(
      sub.facts.sha256,
      ocspAnswer([{ certificate: sub, issuer, status: { revoked: NOW } }], { signer: issuer }),
    );
    expect(first(judgePath({ ...both, ask: { ...ask, ocsp: answers } }))).toBe('revoked');
  });
});

describe('parseOcspResponse', () => {
  test('ok/of many certificates that came along the first few are read', () => {
    const many = Array.from({ length: 100 }, () => other);
    const entry = { certificate: peer, issuer };
    const read = (certificates: readonly Issued[]) =>
      parseOcspResponse(ocspDer([entry], { signer: delegated, certificates })).certificates.length;
    expect(read([other, delegated])).toBe(2);
    expect(read(many)).toBe(4);
    expect(read([...Array.from({ length: 100 }, () => ({ ...other, der: Uint8Array.of(0x30, 0) })), delegated])).toBe(
      0,
    );
  });
  const right = ocspDer([{ certificate: peer, issuer }], { signer: issuer, certificates: [delegated] });

  test('ok/what stands in it', () => {
    const nonce = Uint8Array.of(1, 2, 3);
    const entry = { certificate: peer, issuer, status: { revoked: NOW - DAY, reason: 4 } };
    const response = parseOcspResponse(ocspDer([entry], { signer: issuer, certificates: [delegated], nonce }));
    expect(response.certificates.map(({ sha256 }) => sha256)).toEqual([delegated.facts.sha256]);
    expect(response.nonce).toEqual(Uint8Array.of(4, 3, 1, 2, 3));
    expect(response.producedAt).toBe(NOW - 60_000);
    expect(response.entries[0]).toMatchObject({ status: 'revoked', revokedAt: NOW - DAY, reason: 4 });
    expect(response.entries[0]?.certId.serial).toEqual(peer.serial);
    expect(response.unknownCritical).toBeUndefined();
  });

  const failures: readonly (readonly [string, number])[] = [
    ['malformedRequest', 1],
    ['internalError', 2],
    ['tryLater', 3],
    ['sigRequired', 5],
    ['unauthorized', 6],
  ];
  for (const [name, code] of failures) {
    test(`fail/${name}: an unsigned error says nothing (K-16)`, () => {
      const octets = ocspDer([], { signer: issuer, status: code });
      expect(() => parseOcspResponse(octets)).toThrow(name);
    });
  }

  const bad: readonly (readonly [string, Uint8Array])[] = [
    ['nothing', new Uint8Array()],
    ['HTML', der.text('<html><body>not found</body></html>')],
    ['another response type', ocspDer([{ certificate: peer, issuer }], { signer: issuer, type: '1.2.3' })],
    ['truncated', right.subarray(0, -7)],
    ['followed by more', der.concat(right, Uint8Array.of(0))],
    ['two values', der.concat(right, right)],
    ['successful without a response', der.seq(der.enumerated(0))],
    ['an indefinite length (BER)', der.concat(Uint8Array.of(0x30, 0x80), right.subarray(4), new Uint8Array(2))],
    ['a status of another kind', ocspDer([{ certificate: peer, issuer, status: tlv(0x83) }], { signer: issuer })],
    [
      'a status good that holds something',
      ocspDer([{ certificate: peer, issuer, status: tlv(0x80, 1) }], { signer: issuer }),
    ],
    ['too large', new Uint8Array(200_000)],
    ['nested a thousand deep', nested(1000)],
  ];
  for (const [name, octets] of bad) {
    test(`fail/${name}`, () => expect(() => parseOcspResponse(octets)).toThrow(MalformedOcsp));
  }

  test('ok/any octets give a response or MalformedOcsp, and a changed one never counts as good', () => {
    fc.assert(
      fc.property(fc.nat(right.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const octets = right.map((octet, index) => (index === at ? octet ^ change : octet));
        let answer: OcspAnswer;
        try {
          answer = { response: parseOcspResponse(octets), nonceEchoed: false };
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedOcsp);
          return;
        }
        // What is not signed may change (the certificates that came along); what is signed may not.
        if (status(answer).status === 'good') expect(answer.response.tbs).toEqual(parseOcspResponse(right).tbs);
      }),
      { numRuns: 300 },
    );
  });
});

function nested(depth: number): Uint8Array {
  let octets = der.null();
  for (let at = 0; at < depth; at++) octets = der.seq(octets);
  return octets;
}
