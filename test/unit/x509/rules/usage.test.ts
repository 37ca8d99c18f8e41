import { describe, expect, it } from 'vitest';
import { checkPinnedUsage, checkUsage, type EkuPolicy, type Role } from '../../../../src/x509/rules/usage.js';
import { type CertificateSpec, ca, ext, leaf, root } from '../../../support/certificates.js';

const issuer = root();
const facts = (spec: CertificateSpec = {}) => leaf(issuer, spec).facts;
const withPurposes = (...names: string[]) =>
  facts({ extensions: { purposes: names.length === 0 ? undefined : ext.purposes(names) } });

/** Rulebook §6.5: what each policy makes of each extendedKeyUsage, for a peer that is client, server. */
const table: readonly (readonly [purposes: readonly string[], policy: EkuPolicy, client: boolean, server: boolean])[] =
  [
    [[], 'tls', true, true],
    [[], 'rfc5924', true, true],
    [[], 'either', true, true],
    [['serverAuth', 'clientAuth'], 'tls', true, true],
    [['serverAuth', 'clientAuth'], 'rfc5924', false, false],
    [['serverAuth', 'clientAuth'], 'either', true, true],
    [['serverAuth'], 'tls', false, true],
    [['serverAuth'], 'rfc5924', false, false],
    [['serverAuth'], 'either', false, true],
    [['clientAuth'], 'tls', true, false],
    [['clientAuth'], 'either', true, false],
    [['sipDomain'], 'tls', false, false],
    [['sipDomain'], 'rfc5924', true, true],
    [['sipDomain'], 'either', true, true],
    [['sipDomain', 'clientAuth'], 'tls', true, false],
    [['sipDomain', 'serverAuth'], 'either', true, true],
    [['any'], 'tls', true, true],
    [['any'], 'rfc5924', true, true],
    [['any'], 'either', true, true],
    [['codeSigning'], 'tls', false, false],
    [['codeSigning'], 'rfc5924', false, false],
    [['codeSigning'], 'either', false, false],
    [['1.3.6.1.4.1.99999.1'], 'either', false, false],
    [[], 'any-role', true, true],
    [['serverAuth'], 'any-role', true, true],
    [['clientAuth'], 'any-role', true, true],
    [['sipDomain'], 'any-role', true, true],
    [['codeSigning'], 'any-role', false, false],
  ];

describe('extended key usage by policy (rulebook §6.5)', () => {
  it.each(
    table.flatMap(([purposes, policy, client, server]) =>
      (
        [
          ['client', client],
          ['server', server],
        ] as const
      ).map(
        ([role, accepted]) =>
          [accepted ? 'ok' : 'fail', purposes.join('+') || 'none', policy, role, purposes, accepted] as const,
      ),
    ),
  )('%s/%s, eku: %s, peer is %s', (_, __, policy, role, purposes, accepted) => {
    expect(checkUsage(withPurposes(...purposes), role, policy)?.code).toBe(accepted ? undefined : 'eku');
  });

  it.each(['tls', 'either'] as const)(
    'tells what happened to a public certificate that lost clientAuth (eku: %s)',
    (policy) => {
      const finding = checkUsage(withPurposes('serverAuth'), 'client', policy);
      expect(finding?.code).toBe('eku');
      for (const part of [
        'lists extendedKeyUsage serverAuth;',
        'acts as TLS client',
        'needs clientAuth',
        'Public CAs no longer issue it',
        'private or IPX CA',
        'eku: any-role',
        'stack_verification: advisory',
      ]) {
        expect(finding?.detail).toContain(part);
      }
      expect(finding?.detail.includes('eku: either')).toBe(policy === 'tls');
      // An answer cuts what is longer than 500 characters: room is left for a long name in front of it.
      expect(finding?.detail.length).toBeLessThan(420);
    },
  );

  it('ok/tells all that the certificate lists', () => {
    const finding = checkUsage(withPurposes('serverAuth', 'codeSigning'), 'client', 'tls');
    expect(finding?.detail).toContain('lists extendedKeyUsage serverAuth, codeSigning;');
  });

  it('ok/tells that the agreement could accept sipDomain alone', () => {
    expect(checkUsage(withPurposes('sipDomain'), 'client', 'tls')?.detail).toContain('eku: rfc5924 or either');
  });
});

const kinds: readonly (readonly [name: string, code: string | undefined, spec: CertificateSpec, role: Role])[] = [
  [
    'fail/a CA certificate (T-41)',
    'cert-type',
    { extensions: { basicConstraints: ext.basicConstraints(true) } },
    'server',
  ],
  ['fail/a STIR certificate (T-41, ST-6)', 'cert-type', { add: [ext.tnAuthList()] }, 'server'],
  [
    'fail/a security gateway with ipsecIKE only (T-41, G-35)',
    'cert-type',
    { extensions: { purposes: ext.purposes(['ipsecIKE']) } },
    'client',
  ],
  [
    'ok/ipsecIKE beside clientAuth',
    undefined,
    { extensions: { purposes: ext.purposes(['ipsecIKE', 'clientAuth']) } },
    'client',
  ],
  [
    'fail/keyUsage without digitalSignature (G-33)',
    'key-usage',
    { extensions: { keyUsage: ext.keyUsage(['keyEncipherment']) } },
    'server',
  ],
  [
    'ok/keyUsage with digitalSignature',
    undefined,
    { extensions: { keyUsage: ext.keyUsage(['digitalSignature', 'keyEncipherment']) } },
    'server',
  ],
  ['ok/no keyUsage', undefined, { extensions: { keyUsage: undefined } }, 'server'],
];

describe('kind and key usage of the leaf', () => {
  it.each(kinds)('%s', (_, code, spec, role) => {
    expect(checkUsage(facts(spec), role, 'tls')?.code).toBe(code);
  });

  it.each([
    [
      'ok/marked as a CA, as openssl req -x509 does',
      undefined,
      { keyUsage: undefined, basicConstraints: ext.basicConstraints(true) },
    ],
    [
      'ok/a CA by its keyUsage too',
      undefined,
      { keyUsage: ext.keyUsage(['keyCertSign']), basicConstraints: ext.basicConstraints(true) },
    ],
    ['ok/an end entity', undefined, {}],
    ['fail/an end entity that signs nothing', 'key-usage', { keyUsage: ext.keyUsage(['keyEncipherment']) }],
    ['fail/for another purpose', 'eku', { purposes: ext.purposes(['codeSigning']) }],
    ['fail/of a security gateway', 'cert-type', { purposes: ext.purposes(['ipsecIKE']) }],
  ] as const)('pinned, its own anchor: %s', (_, code, extensions) => {
    expect(checkPinnedUsage(facts({ extensions }), 'server', 'tls')?.code).toBe(code);
  });

  it('fail/an intermediate in the place of the leaf', () => {
    expect(checkUsage(ca(issuer).facts, 'server', 'either')?.code).toBe('cert-type');
  });
});
