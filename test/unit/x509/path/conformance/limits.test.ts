/** Inputs made to take long: each ends in an answer, by the work budget and not by the clock (src/x509/certificate/budget.ts). */

import { expect, it } from 'vitest';
import {
  ca,
  crl,
  ext,
  type Issued,
  leaf,
  makeKey,
  type NameValue,
  root,
  type SubtreeSpec,
  sharedKey,
} from '../../../../support/certificates.js';
import { answerCase, describeRecords, type RecordCase, type RecordRow } from '../../../../support/records.js';

const many = <T>(count: number, make: (index: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, i) => make(i));

/** A root and a thousand CAs of one name, each with a key of its own: made once. */
const sameNamed = (() => {
  let made: { readonly r: Issued; readonly via: readonly Issued[] } | undefined;
  return () => {
    const r = made?.r ?? root();
    made ??= { r, via: many(1_000, () => ca(r, { subject: 'CN=same' })) };
    return made;
  };
})();

/** A leaf with these names under a CA with these constraints. */
const constrained = (names: readonly NameValue[], constraints: SubtreeSpec) => (): RecordCase => {
  const r = root();
  const a = ca(r, { add: [ext.constraints(constraints)] });
  return { leaf: leaf(a, { extensions: { altNames: ext.altNames(names) } }), via: [a], anchors: [r] };
};

const rows: readonly RecordRow[] = [
  [
    'ok/ten thousand names under ten thousand permitted ones',
    constrained(
      many(10_000, (i) => ({ dns: `${i}.b` })),
      { permitted: many(10_000, (i) => ({ dns: `${9_999 - i}.b` })) },
    ),
  ],
  [
    'ok/ten thousand names under ten thousand excluded ones',
    constrained(
      many(10_000, (i) => ({ dns: `${i}.b` })),
      { excluded: many(10_000, (i) => ({ dns: `${i}.c` })) },
    ),
  ],
  [
    'ok/thousands of directory names under thousands of excluded ones',
    constrained(
      many(1_500, (i) => ({ directory: `O=${i},O=b` })),
      { excluded: many(1_500, (i) => ({ directory: `O=${i},O=c` })) },
    ),
  ],
  [
    'fail/many thousands of directory names under as many excluded ones',
    'path-budget',
    constrained(
      many(7_000, (i) => ({ directory: `O=${i},O=b` })),
      { excluded: many(7_000, (i) => ({ directory: `O=${i},O=c` })) },
    ),
  ],
  [
    'ok/a hundred names under a hundred permitted ones',
    constrained(
      many(100, (i) => ({ dns: `${i}.b` })),
      { permitted: many(100, (i) => ({ dns: `${99 - i}.b` })) },
    ),
  ],
  [
    'fail/a thousand keys of one name, none of which signed',
    'path-budget',
    () => {
      const { r, via } = sameNamed();
      const signer = makeKey();
      return { leaf: leaf(via[0] as Issued, { signer }), via, anchors: [r] };
    },
  ],
  [
    'ok/a thousand keys of one name, of which the last signed and is named by its identifier',
    () => {
      const { r, via } = sameNamed();
      return { leaf: leaf(via.at(-1) as Issued), via, anchors: [r] };
    },
  ],
  [
    'ok/two thousand anchors',
    () => {
      const anchors = many(2_000, (i) => root({ subject: `CN=${i}`, key: sharedKey('p256', 'anchors') }));
      return { leaf: leaf(anchors.at(-1) as Issued), anchors };
    },
  ],
  [
    'fail/a thousand lists that somebody else signed',
    'path-budget',
    () => {
      const r = root();
      const stranger = makeKey();
      return { leaf: leaf(r), anchors: [r], crls: many(1_000, (number) => crl(r, { number, signer: stranger })) };
    },
  ],
  [
    'ok/a chain of a hundred CAs, where so many are allowed',
    () => {
      const r = root();
      const via: Issued[] = [];
      for (let i = 0; i < 100; i++) via.push(ca(via.at(-1) ?? r, { key: sharedKey('p256', `long ${i}`) }));
      return { leaf: leaf(via.at(-1) as Issued), via, anchors: [r], depth: 100 };
    },
  ],
  [
    'ok/mappings of thousands of policies, nine times over (CVE-2023-0464)',
    () => {
      const policies = many(150, (i) => `1.2.3.${i}`);
      const mappings = policies.flatMap((from) => policies.slice(0, 15).map((to) => [from, to] as const));
      const r = root();
      const via: Issued[] = [];
      for (let i = 0; i < 9; i++) {
        const required = i === 0 ? [ext.policyConstraints(0)] : [];
        via.push(ca(via.at(-1) ?? r, { add: [ext.policies(policies), ext.policyMappings(mappings), ...required] }));
      }
      return { leaf: leaf(via.at(-1) as Issued, { add: [ext.policies(policies)] }), via, anchors: [r] };
    },
  ],
];

describeRecords('work without end', rows);

it('ok/what is told stays readable, however much is wrong', () => {
  const r = root();
  const broken = { pem: '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n' };
  const { detail } = answerCase({ leaf: leaf(root()), via: many(5_000, () => broken), anchors: [r] });
  expect(detail.length).toBeLessThan(20_000);
});
