import { describe, expect, it } from 'vitest';
import {
  type CertificateSpec,
  ca,
  DAY,
  ext,
  type Issued,
  leaf,
  makeGeneralName,
  makeKey,
  NOW,
  root,
  selfSignedLeaf,
} from '../../../support/certificates.js';
import { tlv } from '../../../support/der.js';
import { expectPath, judgePath, type PathRow } from '../../../support/paths.js';

/** A second certificate of the same CA (name and key) under another issuer. */
const cross = (of: Issued, issuer: Issued, spec: CertificateSpec = {}): Issued =>
  ca(issuer, { subject: of.subject, key: of.key, ...spec });

const search: readonly PathRow[] = [
  ['ok/leaf directly under the anchor', () => ((r) => ({ leaf: leaf(r), anchors: [r] }))(root())],
  [
    'ok/intermediates in any order, with strangers among them',
    () => {
      const r = root();
      const [a, stranger] = [ca(r), ca(root())];
      const b = ca(a);
      return { leaf: leaf(b), via: [stranger, b, stranger, a], anchors: [r] };
    },
  ],
  [
    'ok/the anchor is a CA certificate that is not self-signed (TS 33.310 §5.2.4)',
    () => {
      const r = root();
      const a = ca(r);
      return { leaf: leaf(a), via: [r], anchors: [a] };
    },
  ],
  [
    'ok/one of two cross-certificates is expired',
    () => {
      const r = root();
      const other = root();
      const old = cross(r, other, { notAfter: NOW - DAY });
      return { leaf: leaf(r), via: [old], anchors: [r, other] };
    },
  ],
  [
    'ok/the only good one of many cross-certificates of one CA is found',
    () => {
      const r = root();
      const strangers = [root(), root(), root()];
      const sub = ca(root());
      return {
        leaf: leaf(sub),
        via: [
          ...strangers.map((stranger) => cross(sub, stranger)),
          cross(sub, r, { notAfter: NOW - DAY }),
          cross(sub, r, { extensions: { constraints: ext.constraints({ excluded: [{ dns: 'peer.example' }] }) } }),
          cross(sub, r, { extensions: { basicConstraints: ext.basicConstraints(false) } }),
          cross(sub, r),
        ],
        anchors: [r],
      };
    },
  ],
  [
    'ok/several CAs with one name and different keys',
    () => {
      const r = root();
      const same = [0, 1, 2, 3].map(() => ca(r, { subject: 'CN=same' }));
      return { leaf: leaf(same[2] as Issued), via: same, anchors: [r] };
    },
  ],
  [
    'ok/a mesh of cross-certified CAs of which one is the anchor (CVE-2024-0567)',
    () => {
      const [a, b, c] = [root(), root(), root()] as [Issued, Issued, Issued];
      const a1 = ca(a);
      const mesh = [a, b, c].flatMap((x) => [a, b, c].flatMap((y) => (x === y ? [] : [cross(x, y)])));
      return { leaf: leaf(a1), via: [a1, ...mesh], anchors: [a] };
    },
  ],
  [
    'ok/a path through two interconnection CAs (TS 33.310 §5.2)',
    () => {
      const ours = root({ subject: 'O=Operator A,CN=Interconnection CA' });
      const theirs = root({ subject: 'O=Operator B,CN=TLS CA' });
      const certified = cross(theirs, ours, { extensions: { basicConstraints: ext.basicConstraints(true, 0) } });
      return { leaf: leaf(theirs), via: [theirs, certified], anchors: [ours] };
    },
  ],
  [
    'ok/key rollover: new signed with old',
    () => {
      const old = root({ subject: 'CN=rolled' });
      const key = makeKey();
      const rolled = ca(old, { subject: 'CN=rolled', key });
      return { leaf: leaf(rolled), via: [rolled], anchors: [old] };
    },
  ],
  ['fail/no anchor', 'untrusted-chain', () => ((r) => ({ leaf: leaf(r), anchors: [] }))(root())],
  ['fail/another anchor', 'untrusted-chain', () => ({ leaf: leaf(root()), anchors: [root()] })],
  ['fail/missing intermediate', 'untrusted-chain', () => ((r) => ({ leaf: leaf(ca(r)), anchors: [r] }))(root())],
  ['fail/self-signed leaf (T-16)', 'untrusted-chain', () => ({ leaf: selfSignedLeaf(), anchors: [root()] })],
  [
    'fail/root among the intermediates only',
    'untrusted-chain',
    () => {
      const r = root();
      const a = ca(r);
      return { leaf: leaf(a), via: [r, a], anchors: [root()] };
    },
  ],
  [
    'fail/an expired self-signed leaf tells that it is not trusted, not that it is expired',
    'untrusted-chain',
    () => ({ leaf: selfSignedLeaf({ notAfter: NOW - DAY }), anchors: [root()] }),
  ],
  [
    'fail/two CAs that vouch for each other',
    'untrusted-chain',
    () => {
      const [x, y] = [root(), root()] as [Issued, Issued];
      return { leaf: leaf(x), via: [cross(x, y), cross(y, x), x, y], anchors: [root()] };
    },
  ],
  [
    'fail/two keys of one CA that vouch for each other',
    'untrusted-chain',
    () => {
      const name = { subject: 'CN=loop' };
      const [x, y] = [root(name), root(name)] as [Issued, Issued];
      return { leaf: leaf(x), via: [cross(x, y), cross(y, x), x, y], anchors: [root()] };
    },
  ],
  [
    'fail/a mesh without an anchor ends quickly',
    'untrusted-chain',
    () => {
      const mesh = Array.from({ length: 8 }, () => root());
      const via = mesh.flatMap((x) => mesh.filter((y) => y !== x).map((y) => cross(x, y)));
      return { leaf: leaf(mesh[0] as Issued), via, anchors: [root()] };
    },
  ],
  [
    'fail/the anchor has the name, another key signed',
    'bad-signature',
    () => ({ leaf: leaf(root({ subject: 'CN=same root' })), anchors: [root({ subject: 'CN=same root' })] }),
  ],
  [
    'fail/signature of the leaf changed',
    'bad-signature',
    () => {
      const r = root();
      const changeSignature = (octets: Uint8Array) => octets.map((o, i) => (i === octets.length - 1 ? o ^ 1 : o));
      return { leaf: leaf(r, { changeSignature }), anchors: [r] };
    },
  ],
  [
    'fail/signature of an intermediate by another key',
    'bad-signature',
    () => {
      const r = root();
      const a = ca(r, { signer: makeKey() });
      return { leaf: leaf(a), via: [a], anchors: [r] };
    },
  ],
];

const time: readonly PathRow[] = [
  ...(['leaf', 'intermediate', 'anchor'] as const).flatMap((which): readonly PathRow[] => {
    const spec = (place: string, value: CertificateSpec): CertificateSpec => (place === which ? value : {});
    const make = (value: CertificateSpec) => () => {
      const r = root(spec('anchor', value));
      const a = ca(r, spec('intermediate', value));
      return { leaf: leaf(a, spec('leaf', value)), via: [a], anchors: [r] };
    };
    return [
      [`fail/${which} expired (T-18)`, 'cert-time', make({ notAfter: NOW - 1000 })],
      [`fail/${which} not yet valid (T-18)`, 'cert-time', make({ notBefore: NOW + 1000 })],
      [`ok/${which} from the very second`, make({ notBefore: NOW })],
      [`ok/${which} to the very second`, make({ notAfter: NOW })],
    ];
  }),
  [
    'ok/whole seconds count: 5 ms past notAfter',
    () => ((r) => ({ leaf: leaf(r, { notAfter: NOW }), anchors: [r], ask: { at: NOW + 5 } }))(root()),
  ],
  [
    'fail/whole seconds count: 1 ms before notBefore',
    'cert-time',
    () => ((r) => ({ leaf: leaf(r, { notBefore: NOW }), anchors: [r], ask: { at: NOW - 1 } }))(root()),
  ],
  [
    'ok/within the skew',
    () => ((r) => ({ leaf: leaf(r, { notAfter: NOW - 299_000 }), anchors: [r], ask: { skew: 300_000 } }))(root()),
  ],
  [
    'fail/past the skew',
    'cert-time',
    () => ((r) => ({ leaf: leaf(r, { notAfter: NOW - 301_000 }), anchors: [r], ask: { skew: 300_000 } }))(root()),
  ],
  [
    'ok/dates beyond 2050 and before 2000',
    () => {
      const spec = { notBefore: Date.UTC(1970, 0, 1), notAfter: Date.UTC(2969, 4, 3) };
      const r = root(spec);
      return { leaf: leaf(r, spec), anchors: [r] };
    },
  ],
];

const bounded = (pathLength: number | undefined): CertificateSpec => ({
  extensions: { basicConstraints: ext.basicConstraints(true, pathLength) },
});

/** A chain of CAs with these path lengths, anchor first. */
const chainOf = (lengths: readonly (number | undefined)[], ask = {}) => {
  const [first, ...rest] = lengths;
  const r = root(bounded(first));
  const below: Issued[] = [];
  for (const length of rest) below.push(ca(below.at(-1) ?? r, bounded(length)));
  return { leaf: leaf(below.at(-1) ?? r), via: below, anchors: [r], ask };
};

const lengths: readonly PathRow[] = [
  ['ok/pathlen 0 over a leaf', () => chainOf([undefined, 0])],
  ['ok/pathlen 1 over a leaf', () => chainOf([undefined, 1])],
  ['fail/pathlen 0 over a CA', 'path-length', () => chainOf([undefined, 0, 0])],
  ['ok/pathlen may be wider below', () => chainOf([undefined, 1, 2])],
  ['fail/pathlen 0 in the middle', 'path-length', () => chainOf([undefined, 1, 0, 0])],
  ['fail/pathlen 0 of the anchor', 'path-length', () => chainOf([0, undefined])],
  ['ok/pathlen 1 of the anchor', () => chainOf([1, undefined])],
  [
    'ok/self-issued CAs do not count',
    () => {
      const r = root();
      const a = ca(r, { subject: 'CN=ica', ...bounded(1) });
      const b = ca(a, { subject: 'CN=ica', ...bounded(1) });
      const c = ca(b, bounded(0));
      return { leaf: leaf(c), via: [a, b, c], anchors: [r] };
    },
  ],
  [
    'fail/self-issued CAs do not lift the bound',
    'path-length',
    () => {
      const r = root();
      const a = ca(r, { subject: 'CN=ica', ...bounded(0) });
      const b = ca(a, { subject: 'CN=ica', ...bounded(0) });
      const c = ca(b, bounded(0));
      return { leaf: leaf(c), via: [a, b, c], anchors: [r] };
    },
  ],
  ['ok/max depth 0 without intermediates', () => chainOf([undefined], { maxDepth: 0 })],
  ['fail/max depth 0 with one', 'path-length', () => chainOf([undefined, undefined], { maxDepth: 0 })],
  ['ok/max depth 2 with two', () => chainOf([undefined, undefined, undefined], { maxDepth: 2 })],
  ['fail/max depth 1 with two', 'path-length', () => chainOf([undefined, undefined, undefined], { maxDepth: 1 })],
];

const withPurposes = (...names: string[]): CertificateSpec => ({ add: [ext.purposes(names)] });

const purposes: readonly PathRow[] = [
  [
    'ok/CAs for the purpose and for others',
    () => {
      const r = root(withPurposes('any'));
      const a = ca(r, withPurposes('serverAuth', 'codeSigning'));
      return { leaf: leaf(a), via: [a], anchors: [r] };
    },
  ],
  [
    'fail/an intermediate for another purpose',
    'eku',
    () => {
      const r = root();
      const a = ca(r, withPurposes('codeSigning'));
      return { leaf: leaf(a), via: [a], anchors: [r] };
    },
  ],
  [
    'fail/an intermediate for the other role',
    'eku',
    () => {
      const r = root();
      const a = ca(r, withPurposes('serverAuth'));
      return { leaf: leaf(a), via: [a], anchors: [r], ask: { purpose: 'client' } };
    },
  ],
  [
    'ok/purposes of CAs do not matter to any',
    () => {
      const r = root();
      const a = ca(r, withPurposes('codeSigning'));
      return { leaf: leaf(a), via: [a], anchors: [r], ask: { purpose: 'any' } };
    },
  ],
  [
    'ok/sipDomain under a CA for it (RFC 5924)',
    () => {
      const r = root();
      const a = ca(r, withPurposes('sipDomain'));
      const end = leaf(a, { extensions: { purposes: ext.purposes(['sipDomain']) } });
      return { leaf: end, via: [a], anchors: [r], ask: { ekuPolicy: 'rfc5924' } };
    },
  ],
  [
    'fail/sipDomain under a CA for serverAuth',
    'eku',
    () => {
      const r = root();
      const a = ca(r, withPurposes('serverAuth'));
      const end = leaf(a, { extensions: { purposes: ext.purposes(['sipDomain']) } });
      return { leaf: end, via: [a], anchors: [r], ask: { ekuPolicy: 'either' } };
    },
  ],
];

const names: readonly PathRow[] = [
  [
    'ok/every name is there',
    () => ((r) => ({ leaf: leaf(r), anchors: [r], ask: { names: [{ dns: 'Peer.Example' }] } }))(root()),
  ],
  [
    'fail/one of two names is not there',
    'name-mismatch',
    () =>
      ((r) => ({ leaf: leaf(r), anchors: [r], ask: { names: [{ dns: 'peer.example' }, { dns: 'b.example' }] } }))(
        root(),
      ),
  ],
];

describe('verifyPath', () => {
  describe.each([
    ['search', search],
    ['time', time],
    ['lengths', lengths],
    ['purposes', purposes],
    ['names', names],
  ] as const)('%s', (_, rows) => {
    it.each(rows.map((row) => [row[0], row] as const))('%s', (__, row) => {
      expectPath(row);
    });
  });

  it('ok/answers with the path, its anchor and how long the answer holds', () => {
    const r = root();
    const a = ca(r, { notAfter: NOW + 5 * DAY });
    const end = leaf(a);
    const result = judgePath({ leaf: end, via: [a], anchors: [r], ask: { skew: 2000 } });
    expect(result).toMatchObject({ ok: true, path: [end.facts, a.facts, r.facts], anchor: r.facts, findings: [] });
    expect(result.ok && result.validUntil).toBe(NOW + 5 * DAY + 3000);
  });

  it('fail/tells the path that came furthest', () => {
    const r = root();
    const end = leaf(r, { notAfter: NOW - DAY });
    expect(judgePath({ leaf: end, anchors: [r] })).toMatchObject({ ok: false, path: [end.facts, r.facts] });
  });

  it('fail/reports the most telling of several failures first', () => {
    const r = root();
    const end = leaf(r, { notAfter: NOW - DAY, extensions: { purposes: ext.purposes(['codeSigning']) } });
    const result = judgePath({ leaf: end, anchors: [r], ask: { names: [{ dns: 'b.example' }] } });
    expect(result.findings.map(({ code }) => code)).toEqual(['cert-time', 'eku', 'name-mismatch']);
  });

  it('fail/does not walk a loop twice', () => {
    const [a, b] = [root(), root()] as [Issued, Issued];
    const anchor = root({ subject: a.subject });
    const result = judgePath({
      leaf: leaf(a),
      via: [cross(a, b), cross(b, a), a, b],
      anchors: [anchor],
      ask: { budget: 4_000 },
    });
    expect(result.findings[0]?.code).toBe('bad-signature');
  });

  describe('three hundred CAs of one name and one key identifier', () => {
    const identifier = new Uint8Array(20).fill(7);
    const shared = { subjectKey: ext.subjectKey(identifier) };
    const end = (issuer: Issued) => leaf(issuer, { extensions: { authorityKey: ext.authorityKey(identifier) } });
    it('ok/of which the last has signed', () => {
      const r = root();
      const via = Array.from({ length: 300 }, () => ca(r, { subject: 'CN=same', extensions: shared }));
      expect(judgePath({ leaf: end(via.at(-1) as Issued), via, anchors: [r] })).toMatchObject({ ok: true });
    });
    it('ok/with one key, of which the last leads to the anchor', () => {
      const r = root();
      const key = makeKey();
      const elsewhere = root({ subject: r.subject });
      const via = Array.from({ length: 300 }, (_, i) =>
        ca(i < 299 ? elsewhere : r, { subject: 'CN=same', key, extensions: shared }),
      );
      expect(judgePath({ leaf: end(via[0] as Issued), via, anchors: [r] })).toMatchObject({ ok: true });
    });
    it('ok/all under the anchor, of which all but the last want a policy that is not there', () => {
      const r = root();
      const key = makeKey();
      const via = Array.from({ length: 300 }, (_, i) =>
        ca(r, { subject: 'CN=same', key, extensions: shared, add: i < 299 ? [ext.policyConstraints(0)] : [] }),
      );
      expect(judgePath({ leaf: end(via[0] as Issued), via, anchors: [r] })).toMatchObject({ ok: true });
    });
  });

  it('ok/the issuer and serial number that a certificate names come first', () => {
    const r = root();
    const via = Array.from({ length: 20 }, () => ca(r, { subject: 'CN=same', extensions: { subjectKey: undefined } }));
    const signer = via.at(-1) as Issued;
    const named = [tlv(0xa1, makeGeneralName({ directory: r.subject })), tlv(0x82, signer.serial)];
    const end = leaf(signer, { extensions: { authorityKey: ext.authorityKey(undefined, false, named) } });
    const ask = { strict: false, purpose: 'any', budget: 700 } as const;
    expect(judgePath({ leaf: end, via, anchors: [r], ask })).toMatchObject({ ok: true });
    const unnamed = leaf(signer, { extensions: { authorityKey: undefined } });
    expect(judgePath({ leaf: unnamed, via, anchors: [r], ask }).findings[0]?.code).toBe('path-budget');
  });

  it.each([10, 16, 40])('a chain of more than ten CAs ends as path-length: %s + 1', (length) => {
    const r = root();
    const via: Issued[] = [];
    for (let i = 0; i <= length; i++) via.push(ca(via.at(-1) ?? r));
    const { findings } = judgePath({ leaf: leaf(via.at(-1) as Issued), via, anchors: [r] });
    expect(findings[0]?.code).toBe('path-length');
    expect(findings[0]?.detail).toContain(`expected at most 10 intermediates, found at least ${length + 1}`);
  });

  it('ok/a mesh of sixteen CAs holds the way to the anchor, and one without is told from one that is too long', () => {
    const mesh = Array.from({ length: 16 }, () => root());
    const via = mesh.flatMap((x) => mesh.filter((y) => y !== x).map((y) => cross(x, y)));
    const anchor = root();
    const end = leaf(mesh[0] as Issued);
    const top = cross(mesh[15] as Issued, anchor);
    expect(judgePath({ leaf: end, via: [...via, top], anchors: [anchor] })).toMatchObject({ ok: true });
    expect(judgePath({ leaf: end, via, anchors: [anchor] }).findings[0]?.code).toBe('untrusted-chain');
  });

  it('ok/the same question has the same answer when all of it is remembered', () => {
    const r = root();
    const via = Array.from({ length: 40 }, () => ca(r, { subject: 'CN=same', extensions: { subjectKey: undefined } }));
    const end = leaf(via.at(-1) as Issued, { extensions: { authorityKey: undefined } });
    const ask = { strict: false, budget: 3_000 } as const;
    const first = judgePath({ leaf: end, via, anchors: [r], ask });
    expect(first.findings[0]?.code).toBe('path-budget');
    expect(judgePath({ leaf: end, via, anchors: [r], ask: { strict: false } }).ok).toBe(true);
    expect(judgePath({ leaf: end, via, anchors: [r], ask })).toEqual(first);
  });

  it('ok/an anchor signed by its own key in the name of another issuer, without authorityKeyIdentifier', () => {
    const anchor = root({ issuer: 'CN=somebody else' });
    expect(judgePath({ leaf: leaf(anchor), anchors: [anchor] })).toMatchObject({ ok: true });
  });

  it('fail/runs out of its budget instead of hanging: signatures', () => {
    const r = root();
    const same = Array.from({ length: 700 }, () =>
      ca(r, { subject: 'CN=many', extensions: { subjectKey: undefined } }),
    );
    const end = leaf(r, { issuer: 'CN=many' });
    const [finding] = judgePath({ leaf: end, via: same, anchors: [r] }).findings;
    expect(finding?.code).toBe('path-budget');
    expect(finding?.detail).toContain('more than 50 ms of work, most of it on signatures');
  });

  it('fail/runs out of its budget instead of hanging: steps in a mesh whose leaf is refused by every path', () => {
    const mesh = Array.from({ length: 9 }, () => root());
    const via = mesh.flatMap((x) => mesh.filter((y) => y !== x).map((y) => cross(x, y)));
    const anchor = root();
    const top = cross(mesh[8] as Issued, anchor, {
      extensions: { constraints: ext.constraints({ excluded: [{ dns: 'peer.example' }] }) },
    });
    const result = judgePath({
      leaf: leaf(mesh[0] as Issued),
      via: [...via, top],
      anchors: [anchor],
      ask: { purpose: 'any' },
    });
    expect(['path-budget', 'name-constraints']).toContain(result.findings[0]?.code);
  });
});
