import { describe, expect, test } from 'vitest';
import { compile, compiled, nds, said } from '../fixtures.js';

/** The policy of `nds` with more keys in its interface, which stands in line 3. */
const za = (more: string, listen = '10.0.0.1:5062') =>
  nds().replace('10.0.0.1:5062', listen).replace('implicit_trust: true', `implicit_trust: true${more}`);

const interfaceOf = (policy: string) => compiled(compile(policy)).snapshot.interfaces[0];

const SHARED =
  'whoever spoofs a source address is trusted there: expected a socket of its own, or source_ports that only the security gateway can use';

describe('source_ports', () => {
  test('ok/ports and ranges, as numbers or text', () => {
    expect(interfaceOf(za(', source_ports: [5062, "6000", 20000-20099, "65535"]'))?.sourcePorts).toEqual([
      { first: 5062, last: 5062 },
      { first: 6000, last: 6000 },
      { first: 20_000, last: 20_099 },
      { first: 65_535, last: 65_535 },
    ]);
  });

  const wrong = [0, 65536, -1, 50.5, '5062-5061', '5062-', '-5062', '05062', '1-65536', '5062,5063', 'any', '0x13c6'];
  for (const port of wrong) {
    test(`fail/${JSON.stringify(port)}`, () => {
      const [problem] = said(compile(za(`, source_ports: [${JSON.stringify(port)}]`)));
      const expected = 'expected a port from 1 to 65535 or a range of them, as in 5062 or "20000-20099"';
      expect(problem).toMatch(/^p\.yaml:3:\d+: error: interfaces\[0\]\.source_ports\[0\]: /);
      expect(problem).toContain(`${expected}, found `);
    });
  }

  test('fail/no list, an empty list', () => {
    for (const given of ['5062', '[]', '{from: 5062}']) {
      expect(said(compile(za(`, source_ports: ${given}`)))[0]).toContain('error: interfaces[0].source_ports: expected');
    }
  });
});

describe('shared', () => {
  const rows: readonly (readonly [name: string, policy: string, shared: boolean, warning?: string])[] = [
    ['a port of its own', za(''), false],
    ['a port of its own that others reach', za(', shared: true'), true, `others reach it too, and ${SHARED}`],
    [
      'port 5060, where strangers come',
      za('', '10.0.0.1:5060'),
      true,
      `strangers come to port 5060 too (RFC 3263 §4.2), and ${SHARED}`,
    ],
    [
      'port 5061, IPv6',
      za('', '"[2001:db8::1]:5061"'),
      true,
      `strangers come to port 5061 too (RFC 3263 §4.2), and ${SHARED}`,
    ],
    ['port 5060 on an address of its own', za(', shared: false', '10.0.0.1:5060'), false],
    ['port 5060, and ports that stand for the path', za(', source_ports: [5062]', '10.0.0.1:5060'), true],
  ];
  for (const [name, policy, shared, warning] of rows) {
    test(`ok/${name}`, () => {
      expect(interfaceOf(policy)?.shared).toBe(shared);
      const found = said(compile(policy));
      expect(found.length).toBe(warning === undefined ? 0 : 1);
      if (warning !== undefined) expect(found[0]).toContain(`warning: interfaces[0].`);
      if (warning !== undefined) expect(found[0]).toContain(`: interface za: ${warning}`);
    });
  }

  test('ok/every port is no port: a warning', () => {
    expect(said(compile(za(', shared: true, source_ports: ["1-65535"]')))).toEqual([
      expect.stringContaining('source_ports[0]: every port is in this range'),
    ]);
  });
});

describe('allow_null_encryption', () => {
  test('ok/it is off where nothing is said', () => expect(interfaceOf(za(''))?.allowNullEncryption).toBe(false));

  for (const [name, policy] of [
    ['a socket of the path alone', za(', allow_null_encryption: true')],
    ['ports of the path', za(', allow_null_encryption: true, source_ports: [5062]', '10.0.0.1:5061')],
  ] as const) {
    test(`ok/${name}: a warning`, () => {
      expect(interfaceOf(policy)?.allowNullEncryption).toBe(true);
      expect(said(compile(policy))).toEqual([
        expect.stringMatching(/: warning: interfaces\[0\]\.allow_null_encryption: TLS without encryption is taken on/),
      ]);
    });
  }

  for (const [name, policy] of [
    ['a socket that others reach', za(', allow_null_encryption: true, shared: true')],
    ['a port where strangers come', za(', allow_null_encryption: true', '10.0.0.1:5061')],
  ] as const) {
    test(`fail/${name}`, () => {
      const result = compile(policy);
      expect(result.ok).toBe(false);
      expect(said(result).join()).toContain(
        'error: interfaces[0].allow_null_encryption: others reach interface za too: expected a socket of the path alone',
      );
    });
  }
});
