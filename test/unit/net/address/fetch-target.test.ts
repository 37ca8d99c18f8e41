import { describe, expect, test } from 'vitest';
import { allowedAddresses, type FetchRules, fetchTarget } from '../../../../src/net/address/fetch-target.js';
import { parsePrefix } from '../../../../src/net/address/prefix.js';
import { forbiddenAddress } from '../../../../src/net/address/special-addresses.js';

const rules: FetchRules = {
  hosts: [
    { host: 'crl.b.example', port: 80 },
    { host: 'crl.b.example', port: 8080 },
    { host: '127.0.0.1', port: 9000 },
    { host: '2001:db8::1', port: 80 },
  ],
  addresses: [],
};

describe('fetchTarget', () => {
  const right: readonly (readonly [url: string, target: object])[] = [
    ['http://crl.b.example/ca.crl', { host: 'crl.b.example', port: 80, path: '/ca.crl' }],
    ['HTTP://CRL.B.EXAMPLE:80/a?b=c#d', { host: 'crl.b.example', port: 80, path: '/a?b=c' }],
    ['http://crl.b.example:8080', { host: 'crl.b.example', port: 8080, path: '/' }],
    ['http://127.0.0.1:9000/x', { host: '127.0.0.1', port: 9000 }],
    ['http://0x7f.1:9000/x', { host: '127.0.0.1', port: 9000 }],
    ['http://[2001:DB8:0::1]/x', { host: '2001:db8::1', port: 80 }],
  ];
  for (const [url, target] of right) test(`ok/${url}`, () => expect(fetchTarget(url, rules)).toMatchObject(target));

  const wrong: readonly (readonly [name: string, url: string])[] = [
    ['another host', 'http://evil.example/ca.crl'],
    ['a host below a listed one', 'http://x.crl.b.example/'],
    ['a host above a listed one', 'http://b.example/'],
    ['a trailing dot', 'http://crl.b.example./'],
    ['another port', 'http://crl.b.example:25/'],
    ['a port of another entry', 'http://127.0.0.1/'],
    ['loopback by name', 'http://localhost:9000/'],
    ['TLS', 'https://crl.b.example/'],
    ['LDAP', 'ldap://crl.b.example/cn=x'],
    ['a file', 'file:///etc/passwd'],
    ['credentials', 'http://crl.b.example@evil.example/'],
    ['credentials for a listed host', 'http://u:p@crl.b.example/'],
    ['a backslash', 'http://evil.example\\@crl.b.example/'],
    ['a blank', 'http://crl.b.example/ x'],
    ['a line end', 'http://crl.b.example/\r\nHost: evil'],
    ['a host in other letters', 'http://crl.b.ex\u00e4mple/'],
    ['a long URL', `http://crl.b.example/${'x'.repeat(2048)}`],
    ['no URL', 'crl.b.example/ca.crl'],
    ['nothing', ''],
    ['an IPv4-mapped address', 'http://[::ffff:7f00:2]:9000/'],
  ];
  for (const [name, url] of wrong)
    test(`fail/${name}`, () => expect(fetchTarget(url, rules)).toHaveProperty('refused'));
});

describe('addresses that a listed name may stand for', () => {
  const prefix = (text: string) => {
    const read = parsePrefix(text);
    if ('invalid' in read) throw new Error(read.invalid);
    return read;
  };
  const allowed = allowedAddresses({ ...rules, addresses: [prefix('10.1.0.0/24')] });
  for (const text of ['8.8.8.8', '2606:4700::1', '10.1.0.7', '127.0.0.1', '2001:db8::1']) {
    test(`ok/${text}`, () => expect(forbiddenAddress(text, allowed)).toBeUndefined());
  }
  for (const text of [
    ...['127.0.0.2', '10.1.1.0', '192.168.1.1', '172.31.0.1', '169.254.169.254', '100.64.0.1', '0.0.0.0', '224.0.0.1'],
    ...['255.255.255.255', '::1', '::', 'fe80::1', 'fd00::1', 'ff02::1', '::ffff:127.0.0.2', '::ffff:10.0.0.1'],
    ...['64:ff9b::a00:1', '2002:a00:1::', '2001:db8::2', 'x', ''],
  ]) {
    test(`fail/${text}`, () => expect(forbiddenAddress(text, allowed)).toBeTypeOf('string'));
  }
});
