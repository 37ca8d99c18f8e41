/** `server_names`, `wildcard_names`, `asserts.hosts`: what may be lent to a partner, and to whom it belongs. */

import { describe, expect, test } from 'vitest';
import { compile, compiled, nds, said, text, tls } from '../fixtures.js';

/** Two agreements; op-b from line 4, op-c from line 9, the keys that a test is about in line 8 and line 13. */
function two(b: string, c = 'revocation: soft', own = 'own_domains: [a.example]'): string {
  return text(
    own,
    '# partners',
    'agreements:',
    '  - name: op-b',
    '    domains: [b.example]',
    '    mechanism: tls',
    '    anchors: [ca.pem]',
    `    ${b}`,
    '  - name: op-c',
    '    domains: [c.example, deep.pstn.c.example]',
    '    mechanism: tls',
    '    anchors: [ca.pem]',
    `    ${c}`,
  );
}

describe('server_names', () => {
  test('ok/names of machines, compiled to lower-case A-labels', () => {
    const result = compile(tls('server_names: [Edge-1.B.example, bücher.b.example]'));
    expect(said(result)).toEqual([]);
    expect(compiled(result).snapshot.agreements.at(0)?.serverNames).toEqual([
      'edge-1.b.example',
      'xn--bcher-kva.b.example',
    ]);
  });
  test('ok/one of several domains, which servers of the others bear, too', () => {
    const result = compile(two('revocation: soft', 'server_names: [c.example]'));
    expect(said(result)).toEqual([]);
    expect(compiled(result).snapshot.agreements.at(1)?.serverNames).toEqual(['c.example']);
  });
  test('ok/one machine may serve several networks', () => {
    expect(said(compile(two('server_names: [sbc.x.example]', 'server_names: [sbc.x.example]')))).toEqual([]);
  });
  test.each([
    [
      'of ours',
      two('server_names: [a.example]'),
      /^p\.yaml:8:20: error: .*server_names\[0\]: a\.example is one of own_domains/,
    ],
    [
      'of another',
      two('server_names: [c.example]'),
      /^p\.yaml:8:20: error: .*claimed by agreement op-c already, at p\.yaml:10:15/,
    ],
    ['a wildcard', tls('server_names: ["*.b.example"]'), /^p\.yaml:7:20: error: .*expected a domain name/],
    ['an address', tls('server_names: [192.0.2.7]'), /^p\.yaml:7:20: error: .*an IP address is no SIP domain identity/],
    ['a name that stands twice', tls('server_names: [b.example]'), /^p\.yaml:7:20: warning: .*under domains already/],
    ['no next hop', tls('directions: [in]', 'server_names: [x.b.example]'), /^p\.yaml:8:5: warning: .*has no effect/],
    ['a path', nds('server_names: [x.c.example]'), /^p\.yaml:10:5: error: .*belongs to mechanism tls/],
    ['no list', tls('server_names: x.b.example'), /^p\.yaml:7:19: error: .*expected a list/],
  ])('fail/%s', (_, policy, expected) => {
    const lines = said(compile(policy));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(expected);
  });
});

describe('wildcard_names', () => {
  test('ok/one of its own, with a warning', () => {
    const result = compile(two('wildcard_names: [pstn.x.example]'));
    expect(said(result)).toEqual([
      'p.yaml:8:22: warning: agreements[0].wildcard_names[0]: one label in front of pstn.x.example is accepted as agreement' +
        ' op-b, a wildcard (RFC 5922 §7.2) too: any machine with a name there passes for this network',
    ]);
    const { snapshot } = compiled(result);
    expect(snapshot.byWildcard.get('pstn.x.example')?.name).toBe('op-b');
  });
  test('ok/beside domains of its own, above and below', () => {
    expect(compile(tls('wildcard_names: [b.example]')).ok).toBe(true);
    expect(compile(tls('wildcard_names: [pstn.b.example]')).ok).toBe(true);
  });
  test.each([
    ['one of ours', 'a.example'],
    ['below one of ours', 'pstn.a.example'],
    ['above one of ours', 'example.org'],
    ['the domain of another', 'c.example'],
    ['above the domain of another', 'pstn.c.example'],
    ['below the domain of another', 'x.c.example'],
    ['far above the domain of another', 'c.example'],
  ])('fail/%s', (_, suffix) => {
    const own = 'own_domains: [a.example, ims.example.org]';
    const lines = said(compile(two(`wildcard_names: [${suffix}]`, 'revocation: soft', own)));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^p\.yaml:8:22: error: agreements\[0\]\.wildcard_names\[0\]: .* overlaps /);
  });
  test.each([
    ['a domain', 'domains: [b.example, one.ims.x.example]', 'domains: [c.example, two.ims.x.example]'],
    [
      'a suffix',
      'domains: [b.example]\n    wildcard_names: [ims.x.example, pstn.ims.x.example]',
      'domains: [two.ims.x.example]',
    ],
  ])('fail/above the domain of another, and of %s of its own, whichever stands first', (_, b, c) => {
    const entry = (name: string, ...lines: readonly string[]) =>
      [`  - name: ${name}`, '    mechanism: tls', '    anchors: [ca.pem]', ...lines.map((line) => `    ${line}`)].join(
        '\n',
      );
    const lending = entry('op-b', b, ...(b.includes('wildcard') ? [] : ['wildcard_names: [ims.x.example]']));
    const other = entry('op-c', c);
    for (const both of [
      [lending, other],
      [other, lending],
    ]) {
      const lines = said(compile(text('own_domains: [a.example]', 'agreements:', ...both)));
      const errors = lines.filter((line) => line.includes(' error: '));
      expect(errors[0]).toMatch(/ims\.x\.example overlaps two\.ims\.x\.example of agreement op-c/);
    }
  });
  test('fail/two agreements on one suffix', () => {
    const lines = said(compile(two('wildcard_names: [pstn.x.example]', 'wildcard_names: [pstn.x.example]')));
    const errors = lines.filter((line) => line.includes('error'));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(/^p\.yaml:13:22: .* overlaps pstn\.x\.example of agreement op-b, at p\.yaml:8:22/);
  });
  test('fail/two suffixes, one below the other', () => {
    const lines = said(compile(two('wildcard_names: [pstn.x.example]', 'wildcard_names: [x.example]')));
    expect(lines.filter((line) => line.includes('error'))).toHaveLength(2);
    expect(lines[0]).toContain('pstn.x.example overlaps x.example of agreement op-c, at p.yaml:13:22');
  });
  test('fail/with the asterisk', () => {
    expect(said(compile(tls('wildcard_names: ["*.pstn.x.example"]')))[0]).toMatch(
      /expected a domain name, as in pstn\./,
    );
  });
  test('ok/many agreements are checked in one go', () => {
    const many = Array.from({ length: 2000 }, (_, at) => [
      `  - {name: op-${at}, domains: [d${at}.example], mechanism: tls, anchors: [ca.pem],`,
      `     wildcard_names: [w${at}.example]}`,
    ]);
    const policy = text('own_domains: [a.example]', 'agreements:', ...many.flat());
    expect(compiled(compile(policy)).snapshot.byWildcard.size).toBe(2000);
  });
});

describe('asserts.hosts (P-7)', () => {
  test('ok/addresses in the form of a URI, and names', () => {
    const list = '[192.0.2.7, "2001:DB8:0::7", "[2001:db8::8]", "::ffff:192.0.2.9", Sbc.B.example]';
    const result = compile(tls(`asserts: {hosts: ${list}}`));
    expect(said(result)).toEqual([]);
    const [agreement] = compiled(result).snapshot.agreements;
    expect(agreement?.asserts).toMatchObject({
      domains: ['b.example'],
      hosts: ['192.0.2.7', '[2001:db8::7]', '[2001:db8::8]', '192.0.2.9', 'sbc.b.example'],
    });
  });
  test.each([
    ['one of ours', 'a.example', /one of own_domains/],
    ['a prefix', '192.0.2.0/28', /expected an IP address or a host name/],
    ['a port', '"192.0.2.7:5060"', /expected an IP address or a host name/],
    ['one label', 'sbc', /expected an IP address or a host name/],
  ])('fail/%s', (_, host, expected) => {
    const lines = said(compile(tls(`asserts: {hosts: [${host}]}`)));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(expected);
  });
});
