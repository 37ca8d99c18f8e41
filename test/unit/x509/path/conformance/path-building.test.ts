/** Paths that have to be searched for: dead ends, loops and cross-certificates, as BetterTLS and x509-limbo have them. */

import { expect, it } from 'vitest';
import {
  type CertificateSpec,
  ca,
  DAY,
  ext,
  extension,
  type Issued,
  leaf,
  makeKey,
  NOW,
  root,
  sharedKey,
} from '../../../../support/certificates.js';
import { der } from '../../../../support/der.js';
import { answerCase, describeRecords, type RecordCase, type RecordRow } from '../../../../support/records.js';

/** A second certificate of the same CA (name and key) under another issuer. */
const cross = (of: Issued, issuer: Issued, spec: CertificateSpec = {}): Issued =>
  ca(issuer, { subject: of.subject, key: of.key, ...spec });

/** What makes a certificate of a CA unfit to be on the path of a TLS peer named peer.example (BetterTLS path building). */
const DEAD_ENDS: Readonly<Record<string, CertificateSpec>> = {
  expired: { notAfter: NOW - DAY },
  'not yet valid': { notBefore: NOW + DAY },
  'without basicConstraints': { extensions: { basicConstraints: undefined } },
  'with cA false': { extensions: { basicConstraints: ext.basicConstraints(false) } },
  'without keyCertSign': { extensions: { keyUsage: ext.keyUsage(['cRLSign']) } },
  'for other purposes': { extensions: { purposes: ext.purposes(['codeSigning']) } },
  'that excludes the name': { extensions: { constraints: ext.constraints({ excluded: [{ dns: 'peer.example' }] }) } },
  'that permits other names': { extensions: { constraints: ext.constraints({ permitted: [{ dns: 'a.example' }] }) } },
  'with an unknown critical extension': { add: [extension('1.2.3.4', der.null(), true)] },
  'signed with SHA-1': { signature: 'sha1' },
  'with a broken signature': { changeSignature: (old) => old.map((octet, i) => (i === 9 ? octet ^ 1 : octet)) },
  'of version 1': { version: 'absent', bare: true },
};

/** Two ways from the leaf's issuer to the anchor, one of them a dead end; the leaf's issuer is given both ways around. */
const twoWays: readonly RecordRow[] = Object.entries(DEAD_ENDS).flatMap(([what, spec]): readonly RecordRow[] => {
  const make = (order: 'dead end first' | 'dead end last', place: 'at the leaf' | 'further up') => (): RecordCase => {
    const r = root();
    const upper = ca(r);
    const good = ca(upper);
    const bad = place === 'at the leaf' ? [cross(good, upper, spec)] : [cross(good, ca(r)), cross(upper, r, spec)];
    const ways = order === 'dead end first' ? [...bad, good, upper] : [good, upper, ...bad];
    return { leaf: leaf(good), via: ways, anchors: [r] };
  };
  return (['at the leaf', 'further up'] as const).flatMap((place) => [
    [`ok/beside a CA ${what}, ${place}, first`, make('dead end first', place)] as const,
    [`ok/beside a CA ${what}, ${place}, last`, make('dead end last', place)] as const,
  ]);
});

/** The same dead ends without a way around them. */
const noWay: readonly RecordRow[] = Object.entries({
  expired: 'cert-time',
  'without basicConstraints': 'not-a-ca',
  'without keyCertSign': 'key-usage',
  'for other purposes': 'eku',
  'that excludes the name': 'name-constraints',
  'with an unknown critical extension': 'unknown-critical',
  'signed with SHA-1': 'weak-key',
  'with a broken signature': 'bad-signature',
}).map(([what, code]) => [
  `fail/a CA ${what} alone, however often`,
  code,
  () => {
    const r = root();
    const a = ca(r, DEAD_ENDS[what]);
    return { leaf: leaf(a), via: [a, cross(a, r, DEAD_ENDS[what]), cross(a, r, DEAD_ENDS[what]), a], anchors: [r] };
  },
]);

/** Layers of CAs with two certificates each, of which one of the topmost layer is good. */
function layers(count: number, good: CertificateSpec): RecordCase {
  const r = root();
  const tops = [root(), root()];
  let below = [cross(tops[0] as Issued, r, DEAD_ENDS['that excludes the name']), cross(tops[1] as Issued, r, good)];
  const via: Issued[] = [...below];
  for (let layer = 0; layer < count; layer++) {
    const own = ca(below[0] as Issued, { subject: `CN=layer ${layer}` });
    const pair = [own, cross(own, below[1] as Issued)];
    const other = ca(below[0] as Issued, { subject: `CN=other ${layer}` });
    const second = [other, cross(other, below[1] as Issued)];
    via.push(...pair, ...second);
    below = [own, other];
  }
  return { leaf: leaf(below[0] as Issued), via, anchors: [r] };
}

const shapes: readonly RecordRow[] = [
  ['ok/many ways up, one good CA at the top', () => layers(6, {})],
  [
    'fail/many ways up, none good at the top',
    'name-constraints',
    () => layers(3, DEAD_ENDS['that excludes the name'] as CertificateSpec),
  ],
  [
    'ok/a hundred certificates of one CA that exclude the name, and a good one after them',
    () => {
      const r = root();
      const sub = ca(root());
      const bad = Array.from({ length: 100 }, () => cross(sub, r, DEAD_ENDS['that excludes the name']));
      return { leaf: leaf(sub), via: [...bad, cross(sub, r)], anchors: [r] };
    },
  ],
  [
    'ok/the anchor is also cross-certified by another that nobody trusts',
    () => {
      const [r, other] = [root(), root()];
      const a = ca(r);
      return { leaf: leaf(a), via: [a, cross(r, other), other], anchors: [r] };
    },
  ],
  [
    'ok/the anchor is a cross-certificate, its own root is not trusted',
    () => {
      const [r, other] = [root(), root()];
      const bridged = cross(r, other);
      return { leaf: leaf(r), via: [r], anchors: [bridged] };
    },
  ],
  [
    'ok/a bridge of four interconnection CAs (TS 33.310 §5.2)',
    () => {
      const [own, partner, bridge, third] = [root(), root(), root(), root()];
      const via = [
        cross(partner, bridge),
        cross(bridge, partner),
        cross(bridge, own),
        cross(own, bridge),
        cross(third, bridge),
        cross(bridge, third),
      ];
      const sub = ca(partner);
      return { leaf: leaf(sub), via: [...via, sub], anchors: [own] };
    },
  ],
  [
    'fail/distinct CAs in a circle (x509-limbo pathological)',
    'untrusted-chain',
    () => {
      const [one, two] = [root(), root()];
      return { leaf: leaf(one), via: [cross(one, two), cross(two, one)], anchors: [root()] };
    },
  ],
  [
    'fail/one CA with two keys in a circle (x509-limbo pathological)',
    'untrusted-chain',
    () => {
      const [one, two] = [root({ subject: 'CN=same' }), root({ subject: 'CN=same' })];
      return { leaf: leaf(one), via: [cross(one, two), cross(two, one)], anchors: [root()] };
    },
  ],
  [
    'ok/one CA with two keys, the good one last',
    () => {
      const r = root();
      const [one, two] = [ca(r, { subject: 'CN=same' }), ca(r, { subject: 'CN=same' })];
      return { leaf: leaf(two), via: [one, two], anchors: [r] };
    },
  ],
  [
    'fail/one key under two names: a name is part of a path',
    'untrusted-chain',
    () => {
      const r = root();
      const key = makeKey();
      const [, other] = [ca(r, { key, subject: 'CN=a' }), ca(r, { key, subject: 'CN=b' })];
      return { leaf: leaf(other, { issuer: 'CN=c' }), via: [other], anchors: [r] };
    },
  ],
  [
    'ok/the same intermediate ten times',
    () => ((r) => ((a) => ({ leaf: leaf(a), via: new Array(10).fill(a), anchors: [r] }))(ca(r)))(root()),
  ],
  [
    'ok/the leaf among the intermediates',
    () => ((r) => ((l) => ({ leaf: l, via: [l], anchors: [r] }))(leaf(r)))(root()),
  ],
  ['ok/the anchor among the intermediates', () => ((r) => ({ leaf: leaf(r), via: [r], anchors: [r] }))(root())],
  [
    'fail/a leaf that is the anchor itself (T-16: a pin is another thing)',
    'not-a-ca',
    () => ((l) => ({ leaf: l, anchors: [l] }))(selfSigned()),
  ],
  [
    'fail/a leaf among the anchors that another CA signed',
    'untrusted-chain',
    () => ((r) => ((l) => ({ leaf: l, anchors: [l] }))(leaf(r)))(root()),
  ],
  [
    'fail/a CA that is the anchor itself, as a TLS peer',
    'cert-type',
    () => ((r) => ({ leaf: r, anchors: [r] }))(root()),
  ],
  [
    'fail/a leaf signed by a leaf (CVE-2002-0862)',
    'not-a-ca',
    () => {
      const r = root();
      const middle = leaf(r);
      return { leaf: leaf(middle), via: [middle], anchors: [r] };
    },
  ],
  [
    "fail/root and intermediate in each other's place",
    'untrusted-chain',
    () => {
      const r = root();
      const a = ca(r);
      return { leaf: leaf(r), via: [r], anchors: [a] };
    },
  ],
  [
    'fail/the right name, another CA (T-14)',
    'bad-signature',
    () => {
      const [right, wrong] = [root({ subject: 'CN=operator' }), root({ subject: 'CN=operator' })];
      return { leaf: leaf(wrong), anchors: [right] };
    },
  ],
];

const selfSigned = (): Issued => {
  const key = sharedKey('p256', 'self');
  const parent = root({ key, subject: 'CN=self' });
  return leaf(parent, { key, subject: 'CN=self' });
};

const depths: readonly RecordRow[] = [0, 1, 2, 3].flatMap((length): readonly RecordRow[] => {
  const make = (depth: number) => (): RecordCase => {
    const r = root();
    const via: Issued[] = [];
    for (let i = 0; i < length; i++) via.push(ca(via.at(-1) ?? r));
    return { leaf: leaf(via.at(-1) ?? r), via, anchors: [r], depth };
  };
  const fits: RecordRow = [`ok/${length} intermediates, max_depth ${length}`, make(length)];
  return length === 0
    ? [fits]
    : [fits, [`fail/${length} intermediates, max_depth ${length - 1}`, 'path-length', make(length - 1)]];
});

/** A root, a CA, and the certificate of its next key that it issued to itself, in a path of as many CAs as `depth` allows. */
const rollover =
  (length: number, depth: number): (() => RecordCase) =>
  () => {
    const r = root();
    const first = ca(r, { subject: 'CN=rollover' });
    const via = [first, ca(first, { subject: 'CN=rollover' })];
    for (let i = 1; i < length; i++) via.push(ca(via.at(-1) as Issued));
    return { leaf: leaf(via.at(-1) as Issued), via, anchors: [r], depth };
  };

const selfIssued: readonly RecordRow[] = [
  ['ok/a self-issued one beside one, max_depth 1 (§4.2.1.9)', rollover(1, 1)],
  ['fail/a self-issued one beside one, max_depth 0', 'path-length', rollover(1, 0)],
  ['ok/a self-issued one beside three, max_depth 3', rollover(3, 3)],
  ['fail/a self-issued one beside three, max_depth 2', 'path-length', rollover(3, 2)],
];

describeRecords('two ways to the anchor', twoWays);
describeRecords('no way to the anchor', noWay);
describeRecords('shapes', shapes);
describeRecords('depths', [...depths, ...selfIssued]);

it('ok/a mesh of thirty CAs that all certify each other is answered, and a way out of it found', () => {
  const keys = Array.from({ length: 30 }, (_, i) => sharedKey('p256', `mesh ${i}`));
  const roots = keys.map((key, i) => root({ key, subject: `CN=mesh ${i}` }));
  const mesh = roots.flatMap((of) => roots.filter((by) => by !== of).map((by) => cross(of, by)));
  const end = leaf(roots[0] as Issued);
  expect(answerCase({ leaf: end, via: mesh, anchors: [roots.at(-1) as Issued] }).ok).toBe(true);
  expect(answerCase({ leaf: end, via: mesh, anchors: [root()] }).reason).toBe('untrusted-chain');
  const excluding = root({ key: keys.at(-1) as never, subject: 'CN=mesh 29', ...DEAD_ENDS['that excludes the name'] });
  expect(['path-budget', 'name-constraints']).toContain(
    answerCase({ leaf: end, via: mesh, anchors: [excluding] }).reason,
  );
});
