import { describe, it } from 'vitest';
import { type CertificateSpec, ca, ext, type Issued, leaf, root } from '../../../support/certificates.js';
import { expectPath, type PathCase, type PathRow } from '../../../support/paths.js';

const [GOLD, SILVER, LEAD, ANY] = ['1.2.3.1', '1.2.3.2', '1.2.3.3', '2.5.29.32.0'];

/** One certificate below the anchor: its policies and what else it adds. */
interface Link {
  readonly policies?: readonly string[];
  readonly add?: readonly Uint8Array[];
  /** Bears its issuer's name. */
  readonly selfIssued?: boolean;
}

/** An anchor, CAs and, last, the leaf. */
function chain(...links: readonly Link[]): PathCase {
  const anchor = root({ subject: 'CN=anchor' });
  const issued: Issued[] = [];
  links.forEach(({ policies, add = [], selfIssued = false }, i) => {
    const above = issued.at(-1) ?? anchor;
    const spec: CertificateSpec = {
      subject: selfIssued ? above.subject : `CN=${i}`,
      add: [...(policies === undefined ? [] : [ext.policies(policies)]), ...add],
    };
    issued.push(i === links.length - 1 ? leaf(above, spec) : ca(above, spec));
  });
  const end = issued.pop() as Issued;
  return { leaf: end, via: issued, anchors: [anchor] };
}

const explicit = (skip = 0) => ext.policyConstraints(skip);
const map = (from: string, to: string) => ext.policyMappings([[from, to]]);
const FAIL = 'certificate-policy';

const rows: readonly PathRow[] = [
  ['ok/no policies, none required', () => chain({}, {})],
  ['ok/policies that differ, none required', () => chain({ policies: [GOLD] }, { policies: [SILVER] })],
  [
    'ok/the same policy where one is required',
    () => chain({ policies: [GOLD], add: [explicit()] }, { policies: [GOLD] }),
  ],
  [
    'fail/another policy where one is required',
    FAIL,
    () => chain({ policies: [GOLD], add: [explicit()] }, { policies: [SILVER] }),
  ],
  ['fail/no policy where one is required', FAIL, () => chain({ policies: [GOLD], add: [explicit()] }, {})],
  [
    'fail/a CA between without policies',
    FAIL,
    () => chain({ policies: [GOLD], add: [explicit()] }, {}, { policies: [GOLD] }),
  ],
  [
    'ok/required only after more certificates than there are',
    () => chain({ policies: [GOLD], add: [explicit(5)] }, { policies: [SILVER] }),
  ],
  ['fail/required after one certificate', FAIL, () => chain({ add: [explicit(1)] }, {}, {})],
  [
    'ok/self-issued certificates do not count towards it',
    () => chain({ add: [explicit(2)] }, { selfIssued: true }, {}),
  ],
  ['fail/the leaf itself requires one', FAIL, () => chain({}, { add: [explicit(0)] })],
  ['ok/anyPolicy of the CA', () => chain({ policies: [ANY], add: [explicit()] }, { policies: [GOLD] })],
  ['ok/anyPolicy of the leaf', () => chain({ policies: [GOLD], add: [explicit()] }, { policies: [ANY] })],
  [
    'fail/anyPolicy of the CA is inhibited',
    FAIL,
    () =>
      chain(
        { policies: [GOLD], add: [explicit(), ext.inhibitAnyPolicy(0)] },
        { policies: [ANY] },
        { policies: [GOLD] },
      ),
  ],
  [
    'ok/anyPolicy is inhibited after one certificate',
    () =>
      chain(
        { policies: [GOLD], add: [explicit(), ext.inhibitAnyPolicy(1)] },
        { policies: [ANY] },
        { policies: [GOLD] },
      ),
  ],
  [
    'ok/inhibited anyPolicy of a self-issued CA',
    () =>
      chain(
        { policies: [GOLD], add: [explicit(), ext.inhibitAnyPolicy(0)] },
        { policies: [ANY], selfIssued: true },
        { policies: [GOLD] },
      ),
  ],
  [
    'fail/inhibited anyPolicy of the leaf',
    FAIL,
    () => chain({ policies: [GOLD], add: [explicit(), ext.inhibitAnyPolicy(0)] }, { policies: [ANY] }),
  ],
  [
    'fail/inhibited anyPolicy of a self-issued leaf (§6.1.3 (d) (2): i < n)',
    FAIL,
    () =>
      chain({ policies: [GOLD], add: [explicit(), ext.inhibitAnyPolicy(0)] }, { policies: [ANY], selfIssued: true }),
  ],
  [
    'ok/a mapped policy',
    () => chain({ policies: [GOLD], add: [explicit(), map(GOLD, SILVER)] }, { policies: [SILVER] }),
  ],
  [
    'fail/the policy that was mapped away',
    FAIL,
    () => chain({ policies: [GOLD], add: [explicit(), map(GOLD, SILVER)] }, { policies: [GOLD] }),
  ],
  [
    'fail/a mapping of a policy that is not valid',
    FAIL,
    () => chain({ policies: [GOLD], add: [explicit(), map(LEAD, SILVER)] }, { policies: [SILVER] }),
  ],
  [
    'ok/a mapping below anyPolicy',
    () => chain({ policies: [ANY], add: [explicit(), map(GOLD, SILVER)] }, { policies: [SILVER] }),
  ],
  [
    'ok/a mapping of one policy to two',
    () =>
      chain(
        {
          policies: [GOLD],
          add: [
            explicit(),
            ext.policyMappings([
              [GOLD, SILVER],
              [GOLD, LEAD],
            ]),
          ],
        },
        { policies: [LEAD] },
      ),
  ],
  [
    'fail/mapping is inhibited',
    FAIL,
    () =>
      chain(
        { policies: [GOLD], add: [ext.policyConstraints(0, 0)] },
        { policies: [GOLD], add: [map(GOLD, SILVER)] },
        { policies: [SILVER] },
      ),
  ],
  [
    'ok/mapping is inhibited after one certificate',
    () =>
      chain(
        { policies: [GOLD], add: [ext.policyConstraints(0, 1)] },
        { policies: [GOLD], add: [map(GOLD, SILVER)] },
        { policies: [SILVER] },
      ),
  ],
  [
    'fail/a mapping from anyPolicy',
    FAIL,
    () => chain({ policies: [GOLD], add: [map(ANY, SILVER)] }, { policies: [SILVER] }),
  ],
  [
    'fail/a mapping to anyPolicy',
    FAIL,
    () => chain({ policies: [GOLD], add: [map(GOLD, ANY)] }, { policies: [SILVER] }),
  ],
  [
    'fail/the anchor requires one (RFC 5937 §3.2)',
    FAIL,
    () => {
      const anchor = root({ add: [explicit()] });
      return { leaf: leaf(anchor), anchors: [anchor] };
    },
  ],
  ...(
    [
      ['ok/the anchor allows the policy that is required (RFC 5937 §3.2)', [GOLD], [GOLD]],
      ['ok/the anchor allows any policy', [ANY], [GOLD]],
      ['fail/the anchor allows another policy than the path has', [SILVER], [GOLD]],
      ['ok/the anchor allows one of two', [SILVER, GOLD], [GOLD]],
      ['ok/the path has any policy', [SILVER], [ANY]],
    ] as const
  ).map(([name, allowed, held]): PathRow => {
    const make = () => {
      const anchor = root({ add: [ext.policies([...allowed]), explicit()] });
      return { leaf: leaf(anchor, { add: [ext.policies([...held])] }), anchors: [anchor] };
    };
    return name.startsWith('ok/') ? [name as `ok/${string}`, make] : [name as `fail/${string}`, FAIL, make];
  }),
  [
    'ok/the anchor allows another policy, and nobody asks for one',
    () => {
      const anchor = root({ add: [ext.policies([SILVER])] });
      return { leaf: leaf(anchor, { add: [ext.policies([GOLD])] }), anchors: [anchor] };
    },
  ],
  [
    'ok/mappings that would grow a tree without bounds (CVE-2023-0464)',
    () => {
      const oids = Array.from({ length: 40 }, (_, i) => `1.2.4.${i}`);
      const all = oids.flatMap((from) => oids.map((to) => [from, to] as const));
      const link: Link = { policies: oids, add: [ext.policyMappings(all)] };
      return chain({ ...link, add: [...(link.add ?? []), explicit()] }, link, link, link, link, link, {
        policies: [oids[0] as string],
      });
    },
  ],
];

describe('certificate policies (RFC 5280 §6.1)', () => {
  it.each(rows.map((row) => [row[0], row] as const))('%s', (_, row) => {
    expectPath(row);
  });
});
