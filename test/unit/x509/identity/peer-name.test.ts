import { describe, expect, it } from 'vitest';
import { nameMismatch, type PeerName } from '../../../../src/x509/identity/peer-name.js';
import { ext, leaf, type NameValue, root } from '../../../support/certificates.js';

const issuer = root();

const rows: readonly (readonly [name: `${'ok' | 'fail'}/${string}`, wanted: PeerName, ...presented: NameValue[]])[] = [
  ['ok/the same DNS name', { dns: 'example.com' }, { dns: 'example.com' }],
  ['ok/case does not count', { dns: 'EXAMPLE.com' }, { dns: 'Example.COM' }],
  ['ok/U-labels of the reference', { dns: 'b\u00fccher.example' }, { dns: 'XN--bcher-kva.example' }],
  ['ok/a U-label under a wildcard', { dns: 'b\u00fccher.example.com' }, { dns: '*.example.com' }],
  ['fail/U-labels of the presented name', { dns: 'xn--bcher-kva.example' }, { dns: 'b\u00fccher.example' }],
  ['fail/a U-label that changes on the way', { dns: '\uff41.example' }, { dns: 'a.example' }],
  ['ok/trailing dot of the reference', { dns: 'example.com.' }, { dns: 'example.com' }],
  ['fail/trailing dot of the presented name', { dns: 'example.com' }, { dns: 'example.com.' }],
  ['fail/another domain', { dns: 'example2.com' }, { dns: 'example.com' }],
  ['fail/a subdomain of the presented name', { dns: 'abc.example.com' }, { dns: 'example.com' }],
  ['fail/the parent of the presented name', { dns: 'example.com' }, { dns: 'abc.example.com' }],
  ['ok/any of several', { dns: 'b.example' }, { dns: 'a.example' }, { dns: 'b.example' }],
  ['ok/a wildcard label', { dns: 'foo.example.com' }, { dns: '*.example.com' }],
  ['fail/a wildcard is one label', { dns: 'foo.bar.example.com' }, { dns: '*.example.com' }],
  ['fail/a wildcard is not the domain itself', { dns: 'example.com' }, { dns: '*.example.com' }],
  ['fail/a wildcard within a label', { dns: 'baz.example.com' }, { dns: 'ba*.example.com' }],
  ['fail/a wildcard further right', { dns: 'foo.bar.example.com' }, { dns: 'foo.*.example.com' }],
  [
    'fail/a wildcard within an A-label',
    { dns: 'xn--bliss-1b3c148a.example.com' },
    { dns: 'xn--*-1b3c148a.example.com' },
  ],
  ['fail/a wildcard of a top-level domain', { dns: 'example.com' }, { dns: '*.com' }],
  ['fail/a wildcard alone', { dns: 'com' }, { dns: '*' }],
  ['fail/a wildcard as reference', { dns: '*.example.com' }, { dns: '*.example.com' }],
  [
    'fail/raw UTF-8 in the presented name',
    { dns: 'xn--628h.example.com' },
    { dns: '\u00f0\u009f\u0098\u009c.example.com' },
  ],
  ['fail/NUL in the presented name', { dns: 'example.com' }, { dns: 'example.com\0.evil.example' }],
  ['fail/the Kelvin sign is no k', { dns: 'kelvin.example' }, { dns: '\u212aelvin.example' }],
  ['fail/a DNS name does not match a URI', { dns: 'example.com' }, { uri: 'sip:example.com' }],
  ['fail/empty reference', { dns: '' }, { dns: '' }],
  ['ok/IPv4', { ip: '192.0.2.1' }, { ip: [192, 0, 2, 1] }],
  ['fail/another IPv4', { ip: '192.0.2.1' }, { ip: [192, 0, 2, 2] }],
  ['ok/IPv6', { ip: '2001:db8::1' }, { ip: [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1] }],
  ['ok/IPv6 in brackets', { ip: '[2001:DB8:0::1]' }, { ip: [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1] }],
  [
    'ok/IPv6 with an IPv4 tail',
    { ip: '::ffff:192.0.2.1' },
    { ip: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 0, 2, 1] },
  ],
  ['fail/IPv4-mapped is not IPv4', { ip: '192.0.2.1' }, { ip: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 0, 2, 1] }],
  ['ok/an address that was asked for as a DNS name', { dns: '192.0.2.1' }, { ip: [192, 0, 2, 1] }],
  ['fail/an address as a DNS name in the certificate', { dns: '192.0.2.1' }, { dns: '192.0.2.1' }],
  ['fail/octal octets', { ip: '192.0.2.01' }, { ip: [192, 0, 2, 1] }],
  ['fail/an address with a mask', { ip: '192.0.2.0' }, { ip: [192, 0, 2, 0, 255, 255, 255, 0] }],
  ['fail/no address', { ip: 'example.com' }, { dns: 'example.com' }],
  ['fail/nine groups', { ip: '1:2:3:4:5:6:7:8:9' }, { ip: new Uint8Array(16) }],
  ['fail/two gaps', { ip: '1::2::3' }, { ip: new Uint8Array(16) }],
  ['ok/all zeros', { ip: '::' }, { ip: new Uint8Array(16) }],
  ['ok/a mailbox', { email: 'user@example.com' }, { email: 'other@example.com' }, { email: 'user@Example.com' }],
  ['fail/case of the local part counts', { email: 'User@example.com' }, { email: 'user@example.com' }],
  ['fail/another host', { email: 'user@example.org' }, { email: 'user@example.com' }],
  ['fail/no mailbox', { email: 'a@b@c' }, { email: 'a@b@c' }],
  ['ok/a SIP URI', { uri: 'sip:example.com' }, { uri: 'SIP:Example.COM' }],
  ['ok/a URI with a path', { uri: 'https://example.com/A' }, { uri: 'https://EXAMPLE.com/A' }],
  ['fail/case of the path counts', { uri: 'https://example.com/a' }, { uri: 'https://example.com/A' }],
  ['fail/another scheme', { uri: 'sips:example.com' }, { uri: 'sip:example.com' }],
  ['fail/no URI', { uri: 'example.com' }, { uri: 'example.com' }],
];

describe('names asked for (RFC 9525 §6)', () => {
  it.each(rows.map(([name, wanted, ...presented]) => [name, wanted, presented] as const))(
    '%s',
    (name, wanted, presented) => {
      const { facts } = leaf(issuer, { extensions: { altNames: ext.altNames(presented) } });
      expect(nameMismatch(facts, [wanted])?.code).toBe(name.startsWith('ok/') ? undefined : 'name-mismatch');
    },
  );

  it('fail/a common name is no name', () => {
    const { facts } = leaf(issuer, { subject: 'CN=example.com', extensions: { altNames: undefined } });
    expect(nameMismatch(facts, [{ dns: 'example.com' }])).toEqual({
      code: 'name-mismatch',
      detail: 'CN=example.com: expected subjectAltName dns:example.com, found none',
    });
  });
});
