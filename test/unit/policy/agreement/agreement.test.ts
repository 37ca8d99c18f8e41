import { describe, expect, test } from 'vitest';
import { DAY } from '../../../support/certificates.js';
import { compile, compiled, MATERIAL, NOW, said, text, tls } from '../fixtures.js';

const INTERFACES = text(
  'interfaces:',
  '  - {name: za, listen: 10.0.0.1:5062, mechanism: nds-ip, implicit_trust: true}',
);

/** op-b by TLS, lines 2 to 6; in line 7 the path that it is reached by until then. */
const migrating = (migration = '{interface: za, sources: [192.0.2.0/28], until: 2026-12-31}', more = '') =>
  `${tls(`migration: ${migration}`)}${more}${INTERFACES}`;

describe('migration', () => {
  test('ok/one network, its certificates and the path that stands beside them until a day', () => {
    const result = compiled(compile(migrating()));
    expect(said(result)).toEqual([]);
    const agreement = result.snapshot.agreements.at(0);
    expect(agreement).toMatchObject({ mechanism: 'tls', interface: 'za' });
    expect(Array.from(agreement?.sources ?? [], ({ text }) => text)).toEqual(['192.0.2.0/28']);
    expect(agreement?.migrationUntil).toBe(Date.parse('2027-01-01T00:00:00Z') - 1);
    expect(result.snapshot.byDomain.get('b.example')).toBe(agreement);
  });

  test('ok/an end that has passed is a warning', () => {
    const policy = migrating('{interface: za, sources: [192.0.2.0/28], until: 2025-12-31}');
    expect(said(compile(policy, MATERIAL, NOW + DAY))).toEqual([
      'p.yaml:7:64: warning: agreements[0].migration.until: the migration of agreement op-b ended on 2025-12-31: the path has no effect any more',
    ]);
  });

  const wrong: readonly (readonly [name: string, policy: string, expected: string])[] = [
    [
      'no end',
      migrating('{interface: za, sources: [192.0.2.0/28]}'),
      'agreements[0].migration.until: the key is missing: expected a date, as in 2026-01-31, or an RFC 3339 instant',
    ],
    ['no path', migrating('{interface: za, until: 2026-12-31}'), 'agreements[0].migration.sources: the key is missing'],
    [
      'an end that is no day',
      migrating('{interface: za, sources: [192.0.2.0/28], until: soon}'),
      'agreements[0].migration.until: expected a day, as in 2026-01-31, or an RFC 3339 instant',
    ],
    [
      'an unknown interface',
      migrating('{interface: zb, sources: [192.0.2.0/28], until: 2026-12-31}'),
      'agreements[0].migration.interface: expected the name of an interface (there is za), found "zb"',
    ],
    [
      'sources that are no network',
      migrating('{interface: za, sources: [192.0.2.1/28], until: 2026-12-31}'),
      'agreements[0].migration.sources[0]: "192.0.2.1/28" has bits set',
    ],
    [
      'the path of another network',
      migrating(
        undefined,
        '  - {name: op-d, domains: [d.example], mechanism: nds-ip, interface: za, sources: [192.0.2.0/28]}\n',
      ),
      'agreements[1].sources[0]: 192.0.2.0/28 on interface za is claimed already by agreement op-b, at p.yaml:7:42',
    ],
    [
      'a network that has no TLS to migrate to',
      `${INTERFACES}own_domains: [a.example]\nagreements:\n  - {name: op-d, domains: [d.example], mechanism: nds-ip, interface: za, sources: [192.0.2.0/28], migration: {interface: za, sources: [192.0.2.0/28], until: 2026-12-31}}\n`,
      'agreements[0].migration: the key belongs to mechanism tls, found mechanism nds-ip',
    ],
  ];
  for (const [name, policy, expected] of wrong) {
    test(`fail/${name}`, () => {
      const result = compile(policy);
      expect(said(result).filter((line) => line.includes(`: error: ${expected}`)).length, said(result).join('\n')).toBe(
        1,
      );
      expect(result.ok).toBe(false);
    });
  }
});
