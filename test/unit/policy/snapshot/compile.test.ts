import { describe, expect, test } from 'vitest';
import { parseAddress } from '../../../../src/net/address/address.js';
import { filesInMemory } from '../../../../src/policy/reading/files.js';
import { DEFAULT_SETTINGS } from '../../../../src/policy/settings/settings.js';
import type { Agreement } from '../../../../src/trust/agreement/agreement.js';
import { ca, ext, makeKey, root } from '../../../support/certificates.js';
import { compilePolicy } from '../../../support/compile-policy.js';
import { POLICY_DEFAULTS } from '../../../support/snapshot.js';
import { CA_PEM, compile, compiled, LEAF_PEM, MATERIAL, NOW, nds, PIN, said, text, tls } from '../fixtures.js';

/** The example of design.md, with the files that it names. */
const EXAMPLE = text(
  'own_domains: [a.example, ims.mnc001.mcc001.3gppnetwork.org]',
  'interfaces:                        # local sockets that stand for a path, not for a name',
  '  - {name: za, listen: 10.0.0.1:5062, mechanism: nds-ip, implicit_trust: true}',
  'defaults: {privacy: strict33203, revocation: soft, eku: tls, skew: 300}',
  'agreements:',
  '  - name: op-b',
  '    domains: [b.example]',
  '    mechanism: tls',
  '    anchors: {client: [ca.pem], server: [ca.pem]}',
  '    intermediates: [ca.pem]',
  '    subject: {organization: Operator B}',
  '    interconnect: non-roaming',
  '    directions: [in, out]',
  '    valid: {from: 2026-01-01, until: 2027-12-31}',
  '    asserts: {domains: [b.example], numbers: any, transit: false}',
  '    privacy: ims24229',
  '    revocation: hard',
  '    crls: [b.crl]',
  '    eku: tls',
  '    stack_verification: required',
  '    cn_fallback: false',
  `    pins: [${PIN}]`,
  '    headers: {History-Info: {in: keep, out: anonymise}}',
  '    enabled: true',
  '  - name: op-c-legacy',
  '    domains: [c.example]',
  '    mechanism: nds-ip',
  '    interface: za',
  '    sources: [192.0.2.0/28, "2001:db8:c::/48"]',
);

function agreement(policy: string, name = 'op-b'): Agreement {
  const { snapshot } = compiled(compile(policy));
  const found = [...snapshot.agreements].find((each) => each.name === name);
  if (!found) throw new Error(`no agreement ${name}`);
  return found;
}

const UNEXPECTED =
  'expected the end of the value, found more behind a closing quotation mark or bracket, or one that closes nothing (text that holds or begins with one needs quotes, as an IPv6 address with a port does)';

describe('the snapshot', () => {
  test('fail/revocation: hard, and no list of one of the CAs: nobody under that one is ever trusted', () => {
    const hard = (...keys: readonly string[]) => tls('revocation: hard', 'crls: [b.crl]', ...keys);
    const files = { 'sub.pem': ca(root({ subject: 'CN=r' }), { subject: 'CN=sub' }).pem };
    expect(said(compile(hard()))).toEqual([]);
    expect(said(compile(hard('intermediates: [sub.pem]'), files))).toEqual([
      'p.yaml:7:17: warning: agreements[0].revocation: revocation: hard trusts nobody under CN=sub: expected a CRL of each such CA in crls, or daemon.revocation with fetch: on, found neither',
    ]);
    expect(said(compile(tls('revocation: hard', 'crls: [nix.crl]')))).toEqual([
      'p.yaml:8:12: error: agreements[0].crls[0]: nix.crl: no such file',
    ]);
    const fetched = 'daemon: {revocation: {fetch: on, hosts: [crl.b.example]}}\n';
    expect(said(compile(hard('intermediates: [sub.pem]') + fetched, files))).toEqual([]);
    expect(said(compile(hard('intermediates: [sub.pem]').replace('hard', 'soft'), files))).toEqual([]);
  });

  test('ok/own certificates, which need not be CAs', () => {
    const result = compiled(compile('own_domains: [a.example]\nown_certificates: [leaf.pem, ca.pem]\n'));
    expect(said(result)).toEqual([]);
    expect(result.snapshot.ownCertificates.map(({ subjectText }) => subjectText)).toEqual([
      'O=Operator B,CN=sbc.b.example',
      'O=Operator B,CN=Operator B CA',
    ]);
  });
  test('ok/an own certificate that has expired is a warning, and one that is not there an error', () => {
    const late = Date.parse('2036-01-01T00:00:00Z');
    const policy = 'own_domains: [a.example]\nown_certificates: [leaf.pem]\n';
    expect(said(compile(policy, {}, late))[0]).toMatch(/own_certificates\[0\]: leaf.pem: own certificate .* expired/);
    expect(said(compile(policy.replace('leaf', 'none')))[0]).toMatch(/error: own_certificates\[0\]: none.pem/);
  });

  test('ok/every key of the example arrives, without a warning', () => {
    const result = compiled(compile(EXAMPLE));
    expect(said(result)).toEqual([]);
    const { snapshot } = result;
    expect(snapshot).toMatchObject({ revision: 7, privacy: 'strict33203', skew: 300_000, verdictTtl: 300 });
    expect([...snapshot.ownDomains]).toEqual(['a.example', 'ims.mnc001.mcc001.3gppnetwork.org']);
    expect(snapshot.interfaces).toEqual([
      {
        name: 'za',
        address: '10.0.0.1',
        port: 5062,
        mechanism: 'nds-ip',
        implicitTrust: true,
        shared: false,
        sourcePorts: undefined,
        allowNullEncryption: false,
      },
    ]);
    const [b, c] = snapshot.agreements;
    expect(b).toMatchObject({
      name: 'op-b',
      domains: ['b.example'],
      mechanism: 'tls',
      subject: { organization: ['Operator B'] },
      issuer: {},
      attributeIssuers: [],
      interconnect: 'non-roaming',
      directions: ['in', 'out'],
      valid: { from: Date.parse('2026-01-01T00:00:00Z'), until: Date.parse('2027-12-31T23:59:59.999Z') },
      asserts: { domains: ['b.example'], numbers: 'any', transit: false },
      privacy: 'ims24229',
      revocation: 'hard',
      eku: 'tls',
      stackVerification: 'required',
      cnFallback: false,
      pins: [PIN.slice('sha256/'.length)],
      pinned: false,
      pinLeaf: false,
      enforcement: 'enforce',
      enabled: true,
    });
    expect(b?.headers).toEqual(new Map([['history-info', { in: 'keep', out: 'anonymise' }]]));
    expect(b?.anchors.client.map((each) => each.subjectText)).toEqual(
      b?.anchors.server.map((each) => each.subjectText),
    );
    expect(b?.anchors.client).toHaveLength(1);
    expect(b?.intermediates).toHaveLength(1);
    expect(b?.crls.map((crl) => crl.nextUpdate)).toEqual([Date.parse('2026-07-01T00:00:00Z')]);
    expect(c).toMatchObject({ mechanism: 'nds-ip', interface: 'za' });
    expect(Array.from(c?.sources ?? [], (prefix) => prefix.text)).toEqual(['192.0.2.0/28', '2001:db8:c::/48']);
  });

  test('ok/agreements are found by domain, and by interface and longest prefix', () => {
    const { snapshot } = compiled(
      compile(
        nds('').concat(
          text(
            '  - {name: op-d, domains: [d.example], mechanism: nds-ip, interface: za, sources: [192.0.2.8/29]}',
            '  - {name: op-b, domains: [B.Example., bücher.example], mechanism: tls, anchors: [ca.pem]}',
          ),
        ),
      ),
    );
    const at = (address: string) => snapshot.sources.get('za')?.lookup(parseAddress(address)!)?.name;
    expect([at('192.0.2.1'), at('192.0.2.9'), at('192.0.2.16'), at('::1')]).toEqual([
      'op-c',
      'op-d',
      undefined,
      undefined,
    ]);
    expect(snapshot.byDomain.get('b.example')?.name).toBe('op-b');
    expect(snapshot.byDomain.get('xn--bcher-kva.example')?.name).toBe('op-b');
    expect(snapshot.byDomain.get('c.example')).toBe(snapshot.agreements.at(0));
  });

  test('ok/what an agreement leaves out comes from defaults, and what those leave out is strict', () => {
    const plain = { privacy: 'strict33203', revocation: 'soft', eku: 'tls' };
    expect(agreement(tls())).toMatchObject({
      ...plain,
      interconnect: 'non-roaming',
      directions: ['in', 'out'],
      valid: { from: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY },
      asserts: { domains: ['b.example'], numbers: 'any', transit: false },
      stackVerification: 'required',
      cnFallback: false,
      enforcement: 'enforce',
      enabled: true,
    });
    const given = `${tls()}defaults: {privacy: rfc3325, revocation: hard, eku: either, skew: 0, ttl: 60}\n`;
    expect(agreement(given)).toMatchObject({ privacy: 'rfc3325', revocation: 'hard', eku: 'either' });
    expect(compiled(compile(given)).snapshot).toMatchObject({ privacy: 'rfc3325', skew: 0, verdictTtl: 60 });
    expect(POLICY_DEFAULTS).toMatchObject(plain);
  });

  const keys: readonly (readonly [string, Partial<Agreement>])[] = [
    [
      'issuer: {commonName: [Operator B CA, X], country: DE}',
      { issuer: { commonName: ['Operator B CA', 'X'], country: ['DE'] } },
    ],
    ['attributes: {issuers: [/O=B/CN=B CA, /CN=B2]}', { attributeIssuers: ['/O=B/CN=B CA', '/CN=B2'] }],
    ['interconnect: roaming', { interconnect: 'roaming' }],
    ['directions: [in, in]', { directions: ['in'] }],
    [
      'valid: {until: "2030-06-01T10:00:00+02:00"}',
      { valid: { from: Number.NEGATIVE_INFINITY, until: Date.parse('2030-06-01T08:00:00Z') } },
    ],
    [
      'asserts: {numbers: [+4930, "+4989"]}',
      { asserts: { domains: ['b.example'], numbers: ['+4930', '+4989'], transit: false } },
    ],
    ['asserts: {transit: true}', { asserts: { domains: ['b.example'], numbers: 'any', transit: true } }],
    ['asserts: {domains: []}', { asserts: { domains: [], numbers: 'any', transit: false } }],
    ['privacy: rfc3325', { privacy: 'rfc3325' }],
    ['revocation: off', { revocation: 'off' }],
    ['eku: either', { eku: 'either' }],
    ['stack_verification: advisory', { stackVerification: 'advisory' }],
    ['cn_fallback: true', { cnFallback: true }],
    ['enforcement: monitor', { enforcement: 'monitor' }],
    ['enabled: false', { enabled: false }],
    ['headers: {y: {in: remove}}', { headers: new Map([['identity', { in: 'remove' }]]) }],
  ];
  for (const [line, expected] of keys) {
    test(`ok/${line}`, () => expect(agreement(tls(line))).toMatchObject(expected));
  }

  test('ok/pinned with pins, or with a place for approvals', () => {
    expect(agreement(tls('pinned: true', `pins: [${PIN}]`))).toMatchObject({ pinned: true });
    expect(agreement(tls('pinned: true').concat('daemon: {state: {file: state.db}}\n'))).toMatchObject({
      pinned: true,
      pins: [],
    });
  });

  test('ok/pins with pin: leaf need no anchor (T-17)', () => {
    const policy = tls(`pins: [${PIN}]`, 'pin: leaf', 'stack_verification: advisory').replace(
      '    anchors: [ca.pem]\n',
      '',
    );
    expect(agreement(policy)).toMatchObject({ pinLeaf: true, anchors: { client: [], server: [] } });
  });

  test('ok/a bundle gives all its certificates, a DER file the one it is', () => {
    const der = Buffer.from(CA_PEM.replace(/-----.*-----|\n/g, ''), 'base64');
    const policy = tls('intermediates: [sub/bundle.pem, ca.der]');
    const result = compiled(compile(policy, { 'sub/bundle.pem': `# two\n${CA_PEM}\n${LEAF_PEM}`, 'ca.der': der }));
    const [b] = result.snapshot.agreements;
    expect(b?.intermediates.map((each) => each.isCa)).toEqual([true, false, true]);
  });

  test('ok/own domain of a loopback agreement, asserted by a roaming one', () => {
    const domains = (own: string) => tls(own).replace('b.example', 'a.example');
    expect(said(compiled(compile(domains('interconnect: loopback'))))).toEqual([]);
    expect(said(compiled(compile(tls('interconnect: roaming', 'asserts: {domains: [a.example]}'))))).toEqual([]);
  });

  test('ok/sections that are commented out are as good as none', () => {
    const { snapshot, settings } = compiled(
      compile('own_domains: [a.example]\ninterfaces:\nagreements:\ndaemon:\ndefaults:\ninclude:\n'),
    );
    expect([...snapshot.agreements]).toEqual([]);
    expect(settings).toEqual(DEFAULT_SETTINGS);
  });
});

test('fail/a CRL that no CA of the agreement signed is a warning that says whose it is', () => {
  const [warning, ...more] = said(compile(tls('crls: [b.crl]'), { 'ca.pem': root({ subject: 'CN=other' }).pem }));
  expect(warning).toBe(
    'p.yaml:7:5: warning: agreements[0].crls: the CRL of O=Operator B,CN=Operator B CA has no effect where the peer does not send the certificate of that CA along: expected one signed by an anchor or intermediate of agreement op-b; none of them is named O=Operator B,CN=Operator B CA',
  );
  expect(more).toEqual([]);
});

describe('included files', () => {
  const agreementOf = (name: string) =>
    `agreements:\n  - {name: ${name}, domains: [${name}.example], mechanism: tls, anchors: [ca.pem]}\n`;

  test('ok/agreements of all files are merged, certificates are relative to the file that names them', () => {
    const main = 'own_domains: [a.example]\ninclude: ["agreements/*.yaml", one.yaml]\n';
    const { snapshot } = compiled(
      compile(main, {
        'agreements/z.yaml': agreementOf('z'),
        'agreements/b.yaml': `own_domains: [c.example]\n${agreementOf('b')}`,
        'agreements/.hidden.yaml': 'nonsense',
        'agreements/readme.txt': 'nonsense',
        'agreements/ca.pem': CA_PEM,
        'one.yaml': agreementOf('one'),
      }),
    );
    expect([...snapshot.agreements].map(({ name }) => name)).toEqual(['b', 'z', 'one']);
    expect([...snapshot.ownDomains]).toEqual(['a.example', 'c.example']);
  });

  const cases: readonly (readonly [string, string, Readonly<Record<string, string>>, readonly string[]])[] = [
    ['fail/a file that is not there', 'include: one.yaml', {}, ['p.yaml:2:10: error: include: one.yaml: no such file']],
    [
      'fail/a mistake in an included file has its place there',
      'include: "*.inc"',
      { 'one.inc': 'agreements:\n  - nam: x\n' },
      [
        'one.inc:2:5: error: agreements[0].domains: the key is missing: expected a list, each entry a domain name',
        'one.inc:2:5: error: agreements[0].mechanism: the key is missing: expected one of tls, nds-ip',
        'one.inc:2:5: error: agreements[0].nam: the key is unknown (did you mean "name"?)',
        'one.inc:2:5: error: agreements[0].name: the key is missing: expected the name of the agreement',
      ],
    ],
    [
      'fail/daemon belongs into the main file',
      'include: one.inc',
      { 'one.inc': 'daemon: {allow_remote: true}\n' },
      ['one.inc:1:1: error: daemon: the key belongs into the main file p.yaml'],
    ],
    [
      'fail/an included file that became empty does not take its agreements away',
      'include: one.inc',
      { 'one.inc': '# nothing\n' },
      ['one.inc:1:1: error: expected a mapping of policy keys, found nothing'],
    ],
    [
      'fail/two files claim one domain',
      'include: "*.inc"',
      { 'one.inc': agreementOf('b'), 'two.inc': agreementOf('b') },
      [
        'two.inc:2:12: error: agreements[0].name: expected a name of its own, found that of the agreement at one.inc:2:12',
        'two.inc:2:25: error: agreements[0].domains[0]: b.example is claimed by agreement b already, at one.inc:2:25',
      ],
    ],
    [
      'fail/globs of other programs',
      'include: "conf/**/*.yaml"',
      {},
      ['p.yaml:2:10: error: include: expected a path in which only "*" and "?" are special, found "conf/**/*.yaml"'],
    ],
    [
      'ok/a glob that matches nothing is a warning',
      'include: "x/*.yaml"',
      {},
      ['p.yaml:2:10: warning: include: "x/*.yaml" matches no file'],
    ],
  ];
  test('fail/a directory that cannot be read is no directory without agreements', () => {
    const there = filesInMemory({ 'p.yaml': 'own_domains: [a.example]\ninclude: ["x/*.yaml", "y/*.yaml"]\n' });
    const unlisted = (directory: string) => (directory === 'x' ? 'x: permission denied' : undefined);
    expect(said(compilePolicy({ ...there, unlisted }, 'p.yaml', 1, NOW))).toEqual([
      'p.yaml:2:11: error: include[0]: x: permission denied',
      'p.yaml:2:23: warning: include[1]: "y/*.yaml" matches no file',
    ]);
  });
  for (const [name, line, files, expected] of cases) {
    test(name, () => {
      const result = compile(`own_domains: [a.example]\n${line}\n`, files);
      expect([...said(result)].sort()).toEqual(expected);
      expect(result.ok).toBe(name.startsWith('ok/'));
    });
  }
});

type Case = readonly [name: string, policy: string, ...expected: readonly string[]];

const FAIL: readonly Case[] = [
  // Shape.
  [
    'unknown key',
    'own_domain: [a.example]\n',
    'p.yaml:1:1: error: own_domain: the key is unknown (did you mean "own_domains"?)',
    'p.yaml:1:1: warning: own_domains: no own domain is named: nobody outside can be kept from asserting ours (RFC 3324 §2.2)',
  ],
  [
    'keys of sections at the root',
    `${tls()}skew: 60\nlisten: {http: 127.0.0.1:7061}\ntargets: []\nmechanism: tls\n`,
    'p.yaml:7:1: error: skew: the key is unknown (it belongs elsewhere: defaults.skew)',
    'p.yaml:8:1: error: listen: the key is unknown (it belongs elsewhere: interfaces[].listen, daemon.listen)',
    'p.yaml:9:1: error: targets: the key is unknown (it belongs elsewhere: agreements[].targets)',
    'p.yaml:10:1: error: mechanism: the key is unknown (it belongs elsewhere: interfaces[].mechanism, agreements[].mechanism)',
  ],
  [
    'unknown key of an agreement',
    tls('stack-verification: advisory'),
    'p.yaml:7:5: error: agreements[0].stack-verification: the key is unknown (did you mean "stack_verification"?)',
  ],
  [
    'key of the defaults in an agreement',
    tls('skew: 60\n    ttl: 60'),
    'p.yaml:7:5: error: agreements[0].skew: the key is unknown (it belongs elsewhere: defaults.skew)',
    'p.yaml:8:5: error: agreements[0].ttl: the key is unknown (it belongs elsewhere: defaults.ttl, daemon.cache.ttl)',
  ],
  [
    'key of an agreement among the defaults, and those of the daemon',
    `${tls()}defaults: {cn_fallback: true}\ndaemon: {skew: 60, log: {until: 2027-01-01}}\n`,
    'p.yaml:7:12: error: defaults.cn_fallback: the key is unknown (it belongs elsewhere: agreements[].cn_fallback)',
    'p.yaml:8:10: error: daemon.skew: the key is unknown (it belongs elsewhere: defaults.skew)',
    'p.yaml:8:26: error: daemon.log.until: the key is unknown (it belongs elsewhere: agreements[].valid.until, agreements[].migration.until)',
  ],
  [
    'merge key',
    tls('asserts: {<<: {numbers: any}}'),
    'p.yaml:7:15: error: agreements[0].asserts["<<"]: the key is unknown (keys are not merged: write them out; what many share can stand under defaults)',
  ],
  [
    'unknown key in a flow mapping',
    tls('headers: {History-Info: {inn: keep}}'),
    'p.yaml:7:30: error: agreements[0].headers.History-Info.inn: the key is unknown (did you mean "in"?)',
  ],
  [
    'list for a mapping',
    text('own_domains: [a.example]', 'agreements: {name: op-b}'),
    'p.yaml:2:13: error: agreements: expected a list of agreements, found a mapping',
  ],
  [
    'text for an agreement',
    text('own_domains: [a.example]', 'agreements: [op-b]'),
    'p.yaml:2:14: error: agreements[0]: expected a mapping, found "op-b"',
  ],
  ['text for a file', 'siptrust\n', 'p.yaml:1:1: error: expected a mapping of policy keys, found "siptrust"'],
  [
    'wrong type',
    tls('cn_fallback: no'),
    'p.yaml:7:18: error: agreements[0].cn_fallback: expected true or false, found "no" (did you mean false?)',
  ],
  [
    'false in quotes',
    tls('enabled: "false"'),
    'p.yaml:7:14: error: agreements[0].enabled: expected true or false, found "false" (without quotes: false)',
  ],
  [
    'text for a mapping with few keys, and a number in quotes',
    `${tls('headers: {Diversion: remove}')}defaults: {ttl: "300"}\n`,
    'p.yaml:7:26: error: agreements[0].headers.Diversion: expected a mapping {in, out}, found "remove"',
    'p.yaml:8:17: error: defaults.ttl: expected whole seconds from 1 to 86400, found "300" (without quotes: 300)',
  ],
  [
    'a number with a zero in front',
    `${tls('enabled: true')}defaults: {ttl: 0300}\n`,
    'p.yaml:8:17: error: defaults.ttl: expected whole seconds from 1 to 86400, found "0300" (without quotes: 300)',
  ],
  [
    'true for on',
    `${tls('enabled: true')}daemon: {watch: true}\n`,
    'p.yaml:8:17: error: daemon.watch: expected one of on, off, found boolean true (did you mean on?)',
  ],
  [
    'a file for the anchors',
    text(
      'own_domains: [a.example]',
      'agreements:',
      '  - name: op-b',
      '    domains: [b.example]',
      '    mechanism: tls',
      '    anchors: op-b-ca.pem',
    ),
    'p.yaml:6:14: error: agreements[0].anchors: expected a list of certificate files, or a mapping {client, server} of such lists, found "op-b-ca.pem" (a list of one is written [op-b-ca.pem])',
  ],
  [
    'number for text',
    tls('subject: {organization: 123}'),
    'p.yaml:7:29: error: agreements[0].subject.organization: expected text, or a list of it, found number 123',
  ],
  [
    'text for a list',
    tls('intermediates: ca.pem'),
    'p.yaml:7:20: error: agreements[0].intermediates: expected a list, each entry the path of a certificate file, found "ca.pem" (a list of one is written [ca.pem])',
  ],
  [
    'nothing for a list',
    tls('crls:'),
    'p.yaml:7:10: error: agreements[0].crls: expected a list, each entry the path of a CRL file, found nothing',
  ],
  [
    'empty list',
    tls('directions: []'),
    'p.yaml:7:17: error: agreements[0].directions: expected a list of in and out, found an empty list',
  ],
  [
    'bad enum',
    tls('privacy: strict'),
    'p.yaml:7:14: error: agreements[0].privacy: expected one of strict33203, rfc3325, ims24229, found "strict"',
  ],
  [
    'bad enum, nearly right',
    tls('revocation: Hard'),
    'p.yaml:7:17: error: agreements[0].revocation: expected one of hard, soft, off, found "Hard" (did you mean hard?)',
  ],
  [
    'number out of range',
    text('own_domains: [a.example]', 'defaults: {skew: 86400}'),
    'p.yaml:2:18: error: defaults.skew: expected whole seconds from 0 to 3600, found number 86400',
  ],
  [
    'missing mechanism',
    tls().replace('    mechanism: tls\n', ''),
    'p.yaml:3:5: error: agreements[0].mechanism: the key is missing: expected one of tls, nds-ip',
  ],
  [
    'duplicate key',
    tls('domains: [c.example]'),
    'p.yaml:7:5: error: agreements[0].domains: the key stands twice in one mapping, first in line 4',
  ],

  // Names and domains (rulebook C-3, C-4, T-24, T-35).
  [
    'agreement name',
    tls().replace('op-b', '"op b"'),
    'p.yaml:3:11: error: agreements[0].name: expected letters, digits, ".", "_" and "-", at most 64, beginning with a letter or digit, found "op b"',
  ],
  [
    'duplicate agreement name',
    `${tls()}  - {name: OP-B, domains: [c.example], mechanism: tls, anchors: [ca.pem]}\n`,
    'p.yaml:7:12: error: agreements[1].name: expected a name of its own, found that of the agreement at p.yaml:3:11',
  ],
  [
    'wildcard',
    tls().replace('[b.example]', '["*.b.example"]'),
    'p.yaml:4:15: error: agreements[0].domains[0]: expected a domain name, as in ims.operator.example, found "*.b.example": a wildcard names no one domain',
  ],
  [
    'address',
    tls().replace('[b.example]', '[x.example, 192.0.2.1]'),
    'p.yaml:4:26: error: agreements[0].domains[1]: expected a domain name, as in ims.operator.example, found "192.0.2.1": an IP address is no SIP domain identity (RFC 5922 §7.2)',
  ],
  [
    'one file in place of a list, in a mapping where a list may stand too',
    tls().replace('anchors: [ca.pem]', 'anchors: {client: ca.pem}'),
    'p.yaml:6:23: error: agreements[0].anchors.client: expected a list, each entry the path of a certificate file, found "ca.pem" (a list of one is written [ca.pem])',
  ],
  [
    'address of IPv6',
    tls().replace('[b.example]', '["2001:db8::7"]'),
    'p.yaml:4:15: error: agreements[0].domains[0]: expected a domain name, as in ims.operator.example, found "2001:db8::7": an IP address is no SIP domain identity (RFC 5922 §7.2)',
  ],
  ...['192.0.2.1', '2001:db8::7', '[2001:db8::7]'].map(
    (address): Case => [
      `an address that is asserted: ${address}`,
      tls(`asserts: {domains: ["${address}"]}`),
      `p.yaml:7:25: error: agreements[0].asserts.domains[0]: expected a domain name, as in ims.operator.example, found "${address}": an IP address belongs in asserts.hosts`,
    ],
  ),
  [
    'URI',
    tls().replace('[b.example]', '["sip:b.example"]'),
    'p.yaml:4:15: error: agreements[0].domains[0]: expected a domain name, as in ims.operator.example, found "sip:b.example": a domain stands without "sip:"',
  ],
  [
    'port',
    tls().replace('[b.example]', '["b.example:5061"]'),
    'p.yaml:4:15: error: agreements[0].domains[0]: expected a domain name, as in ims.operator.example, found "b.example:5061": a domain has no port (where a partner is reached without DNS is for `targets`: address and port)',
  ],
  [
    'single label',
    text('own_domains: [intern]'),
    'p.yaml:1:15: error: own_domains[0]: expected a domain name, as in ims.operator.example, found "intern": it has one label only and is not fully qualified',
    'p.yaml:1:14: warning: own_domains: no own domain is named: nobody outside can be kept from asserting ours (RFC 3324 §2.2)',
  ],
  [
    'two agreements claim one domain',
    `${tls()}  - {name: op-c, domains: [c.example, B.EXAMPLE], mechanism: tls, anchors: [ca.pem]}\n`,
    'p.yaml:7:39: error: agreements[1].domains[1]: b.example is claimed by agreement op-b already, at p.yaml:4:15',
  ],
  [
    'two agreements claim one target (O-6)',
    `${tls('targets: [192.0.2.7:5061]')}  - {name: op-c, domains: [c.example], mechanism: tls, anchors: [ca.pem], targets: [192.0.2.8:5061, "tls:192.0.2.7:5061"]}\n`,
    'p.yaml:8:101: error: agreements[1].targets[1]: 192.0.2.7 port 5061 is claimed by agreement op-b already, at p.yaml:7:15',
  ],
  [
    'targets that are none',
    tls('targets: [192.0.2.7, sbc.b.example:5061, "udp:192.0.2.7:5061", 192.0.2.7:0]'),
    ...['192.0.2.7', 'sbc.b.example:5061', 'udp:192.0.2.7:5061', '192.0.2.7:0'].map(
      (found, at) =>
        `p.yaml:7:${[15, 26, 46, 68][at]}: error: agreements[0].targets[${at}]: expected an IP address and a port, as in 192.0.2.7:5061 or "tls:[2001:db8::7]:5061", found ${JSON.stringify(found)}`,
    ),
  ],
  [
    'two spellings of one U-label',
    `${tls().replace('b.example', 'bücher.example')}  - {name: op-c, domains: [xn--bcher-kva.example], mechanism: tls, anchors: [ca.pem]}\n`,
    'p.yaml:7:28: error: agreements[1].domains[0]: xn--bcher-kva.example is claimed by agreement op-b already, at p.yaml:4:15',
  ],
  [
    'own domain claimed (S-2)',
    tls('interconnect: roaming').replace('b.example', 'a.example'),
    'p.yaml:4:15: error: agreements[0].domains[0]: a.example is one of own_domains, at p.yaml:1:15: no agreement may claim it (except interconnect: loopback)',
  ],
  [
    'own domain asserted (S-2)',
    tls('asserts: {domains: [b.example, A.example]}'),
    'p.yaml:7:36: error: agreements[0].asserts.domains[1]: a.example is one of own_domains, at p.yaml:1:15: nobody outside may assert it (except interconnect: roaming or loopback)',
  ],

  // Certificates.
  [
    'file that is not there',
    tls().replace('[ca.pem]', '[ca.pem, nix.pem]'),
    'p.yaml:6:23: error: agreements[0].anchors[1]: nix.pem: no such file',
  ],
  [
    'no anchors',
    tls().replace('    anchors: [ca.pem]\n', ''),
    'p.yaml:3:5: error: agreements[0].anchors: expected at least one anchor: a tls agreement names the CAs that may vouch for the network (or pins with pin: leaf)',
  ],
  [
    'empty anchors',
    tls().replace('[ca.pem]', '{}'),
    'p.yaml:6:14: error: agreements[0].anchors: expected at least one anchor: a tls agreement names the CAs that may vouch for the network (or pins with pin: leaf)',
  ],
  [
    'mistake in one branch of anchors',
    tls().replace('[ca.pem]', '{client: [ca.pem, 3]}'),
    'p.yaml:6:32: error: agreements[0].anchors.client[1]: expected the path of a certificate file, found number 3 (text like this needs quotes: "3")',
  ],
  [
    'a certificate itself in place of its path',
    tls().replace('[ca.pem]', '["-----BEGIN CERTIFICATE-----\\nMIIB\\n-----END CERTIFICATE-----\\n"]'),
    'p.yaml:6:15: error: agreements[0].anchors[0]: expected the path of a file, found PEM itself: save it as a file, and name that',
  ],
  [
    'the same without its lines',
    tls().replace('[ca.pem]', `[MIIB${'abcd'.repeat(60)}]`),
    'p.yaml:6:15: error: agreements[0].anchors[0]: expected the path of a file, found base64 itself: save it as a file, and name that',
  ],
  [
    'a URL in place of a path',
    tls().replace('[ca.pem]', '[https://ca.example/ca.pem]'),
    'p.yaml:6:15: error: agreements[0].anchors[0]: expected the path of a file, found the URL "https://ca.example/ca.pem": nothing is fetched here',
  ],
  [
    'a path of two lines',
    tls().replace('[ca.pem]', '["ca\\nb.pem"]'),
    'p.yaml:6:15: error: agreements[0].anchors[0]: expected the path of a file, found "ca\\x0ab.pem"',
  ],
  [
    'pin: leaf without pins',
    tls('pin: leaf'),
    'p.yaml:3:5: error: agreements[0].pins: the key is missing: pin: leaf trusts the keys that pins names',
  ],
  [
    'pinned, and nowhere to keep an approval',
    tls('pinned: true'),
    'p.yaml:7:13: error: agreements[0].pinned: pinned: true trusts nobody: expected pins, or daemon.state.file that keeps the approved ones',
  ],
  [
    'bad pin',
    tls('pins: [sha256/abc=]'),
    'p.yaml:7:12: error: agreements[0].pins[0]: expected sha256/ and the 44 characters of a base64 SHA-256 of the SubjectPublicKeyInfo, found "sha256/abc="',
  ],
  [
    'pin with stray bits',
    tls(`pins: [${PIN.replace('FU=', 'FV=')}]`),
    `p.yaml:7:12: error: agreements[0].pins[0]: expected sha256/ and the 44 characters of a base64 SHA-256 of the SubjectPublicKeyInfo, found "${PIN.replace('FU=', 'FV=')}"`,
  ],

  // Validity.
  [
    'day that does not exist',
    tls('valid: {from: 2026-02-30}'),
    'p.yaml:7:19: error: agreements[0].valid.from: expected a day, as in 2026-01-31, or an RFC 3339 instant, as in 2026-01-31T12:00:00Z, found "2026-02-30": the calendar has no such day',
  ],
  [
    'a year in place of a day, which is a number to YAML',
    tls('valid: {until: 2027}'),
    'p.yaml:7:20: error: agreements[0].valid.until: expected a day, as in 2026-01-31, or an RFC 3339 instant, as in 2026-01-31T12:00:00Z, found "2027": which day of it?',
  ],
  [
    'end before beginning',
    tls('valid: {from: 2027-01-01, until: 2026-12-31}'),
    'p.yaml:7:38: error: agreements[0].valid.until: expected an end after the beginning 2027-01-01, found 2026-12-31',
  ],

  // Headers (rulebook §5.5).
  [
    'keep P-Asserted-Identity',
    tls('headers: {p-asserted-IDENTITY: {out: keep}}'),
    'p.yaml:7:42: error: agreements[0].headers.p-asserted-IDENTITY.out: P-Asserted-Identity is kept by trust and Privacy alone, never by an override; found keep',
  ],
  [
    'remove Privacy',
    tls('headers: {Privacy: {in: remove}}'),
    'p.yaml:7:29: error: agreements[0].headers.Privacy.in: expected keep: without it the next network keeps P-Asserted-Identity against "Privacy: id" (RFC 3323 §5); found remove',
  ],
  [
    'remove Via by its compact form',
    tls('headers: {v: {in: remove}}'),
    'p.yaml:7:23: error: agreements[0].headers.v.in: a message without this header field is no SIP message; found remove',
  ],
  [
    'one header in two spellings',
    tls('headers: {Identity: {in: keep}, y: {in: remove}}'),
    'p.yaml:7:37: error: agreements[0].headers.y: expected one rule for identity, found a second under another spelling',
  ],
  [
    'no header name',
    tls('headers: {"History Info": {in: keep}}'),
    'p.yaml:7:15: error: agreements[0].headers["History Info"]: expected the name of a header field (RFC 3261 §7.3.1)',
  ],
  [
    'header without direction',
    tls('headers: {Identity: {}}'),
    'p.yaml:7:15: error: agreements[0].headers.Identity: expected in, out or both, found neither',
  ],

  // Numbers.
  [
    'national number',
    tls('asserts: {numbers: [+4930, 030]}'),
    'p.yaml:7:32: error: agreements[0].asserts.numbers[1]: expected the beginning of a global number: "+" and 1 to 15 digits, as in "+4930", found "030"',
  ],
  [
    'numbers as text',
    tls('asserts: {numbers: all}'),
    'p.yaml:7:24: error: agreements[0].asserts.numbers: expected "any", or a list of number prefixes as in "+4930", found "all"',
  ],

  // Keys of the other mechanism would do nothing.
  [
    'sources on a tls agreement',
    tls('sources: [192.0.2.0/28]'),
    'p.yaml:7:5: error: agreements[0].sources: the key belongs to mechanism nds-ip, found mechanism tls',
  ],
  [
    'interface on a tls agreement',
    tls('interface: za'),
    'p.yaml:7:5: error: agreements[0].interface: the key belongs to mechanism nds-ip, found mechanism tls',
  ],
  ...[
    'anchors: [ca.pem]',
    'intermediates: []',
    'subject: {}',
    'issuer: {}',
    'attributes: {issuers: [/CN=x]}',
    'revocation: soft',
    'crls: []',
    'eku: tls',
    'stack_verification: required',
    'cn_fallback: false',
    'pins: []',
    'pinned: true',
    'pin: leaf',
  ].map((line): Case => {
    const key = line.split(':')[0];
    return [
      `${key} on an nds-ip agreement`,
      nds(line),
      `p.yaml:10:5: error: agreements[0].${key}: the key belongs to mechanism tls, found mechanism nds-ip`,
    ];
  }),

  [
    'an issuer that is no one-line name',
    tls('attributes: {issuers: [CN=B CA]}'),
    'p.yaml:7:28: error: agreements[0].attributes.issuers[0]: expected a name on one line with each type once, as in "/O=Operator B/CN=Operator B CA", found "CN=B CA"',
  ],

  // Interfaces and sources.
  [
    'no interface',
    nds().replace('    interface: za\n', ''),
    'p.yaml:5:5: error: agreements[0].interface: the key is missing: an nds-ip agreement names its interface',
  ],
  [
    'no sources',
    nds().replace('[192.0.2.0/28]', '[]'),
    'p.yaml:9:14: error: agreements[0].sources: expected at least one prefix, found none: an nds-ip agreement names the addresses that it covers',
  ],
  [
    'unknown interface',
    nds().replace('interface: za', 'interface: zb'),
    'p.yaml:3:12: warning: interfaces[0].name: no agreement names interface za: nobody is trusted there',
    'p.yaml:8:16: error: agreements[0].interface: expected the name of an interface (there is za), found "zb"',
  ],
  [
    'host bits in a prefix',
    nds().replace('192.0.2.0/28', '192.0.2.1/28'),
    'p.yaml:9:15: error: agreements[0].sources[0]: "192.0.2.1/28" has bits set after the first 28: the network is 192.0.2.0/28, the single host is 192.0.2.1/32',
  ],
  [
    'IPv6 without quotes',
    nds().replace('[192.0.2.0/28]', '[2001:db8::]'),
    'p.yaml:9:15: error: agreements[0].sources[0]: expected an address prefix, as in 192.0.2.0/28, found a mapping (a ":" in text needs quotes)',
  ],
  [
    'an IPv6 socket without quotes, in one line with others',
    nds().replace('10.0.0.1:5062', '[2001:db8::1]:5062'),
    `p.yaml:3:37: error: ${UNEXPECTED}`,
  ],
  ['an IPv6 socket without quotes', 'daemon:\n  listen:\n    http: [::1]:7061\n', `p.yaml:3:16: error: ${UNEXPECTED}`],
  ['a quotation mark in text', "daemon: {dns: {servers: ['it's']}}\n", `p.yaml:1:30: error: ${UNEXPECTED}`],
  ['a bracket that closes nothing', 'own_domains: ]\n', `p.yaml:1:14: error: ${UNEXPECTED}`],
  [
    'text that looks like a tag',
    'own_domains: [!a.example]\n',
    'p.yaml:1:15: error: expected no tag: text that begins with "!" needs quotes',
  ],
  [
    'two agreements claim one prefix',
    `${nds()}  - {name: op-d, domains: [d.example], mechanism: nds-ip, interface: za, sources: [10.0.0.0/8, "::ffff:192.0.2.0/124"]}\n`,
    'p.yaml:3:12: warning: interfaces[0].name: agreements op-c, op-d share interface za: only the source address tells these networks apart',
    'p.yaml:10:96: error: agreements[1].sources[1]: 192.0.2.0/28 on interface za is claimed already by agreement op-c, at p.yaml:9:15',
  ],
  [
    'wildcard socket',
    nds().replace('10.0.0.1:5062', '0.0.0.0:5062'),
    'p.yaml:3:24: error: interfaces[0].listen: expected one local address, found 0.0.0.0: every path leads there, also unprotected ones',
  ],
  [
    'socket without port',
    nds().replace('10.0.0.1:5062', '10.0.0.1'),
    'p.yaml:3:24: error: interfaces[0].listen: expected an IP address and a port, as in 127.0.0.1:7060 or "[::1]:7060", found "10.0.0.1"',
  ],
  [
    'two interfaces on one socket',
    nds().replace('agreements:', '  - {name: zb, listen: "[::ffff:10.0.0.1]:5062", mechanism: nds-ip}\nagreements:'),
    'p.yaml:4:24: error: interfaces[1].listen: expected a socket of its own, found that of the interface at p.yaml:3:24',
  ],
  [
    'two interfaces of one name',
    nds().replace(
      'agreements:',
      '  - {name: za, listen: 10.0.0.2:5062, mechanism: nds-ip, implicit_trust: true}\nagreements:',
    ),
    'p.yaml:4:12: error: interfaces[1].name: expected a name of its own, found that of the interface at p.yaml:3:12',
  ],
];

describe('mistakes have their place', () => {
  for (const [name, policy, ...expected] of FAIL) {
    test(`fail/${name}`, () => {
      const result = compile(policy);
      expect([...said(result)].sort()).toEqual([...expected].sort());
      expect(result.ok).toBe(false);
    });
  }

  test('fail/PEM that cannot be parsed names the file, the block and the reason', () => {
    const broken = CA_PEM.replace('MII', 'MIJ');
    const result = compile(tls('intermediates: [two.pem, key.pem, text.pem]'), {
      'two.pem': `${CA_PEM}${broken}`,
      'key.pem': '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n',
      'text.pem': 'hello\n',
    });
    expect(said(result)).toEqual([
      expect.stringMatching(/^p\.yaml:7:21: error: agreements\[0\]\.intermediates\[0\]: two\.pem: block 2 of 2: .+/),
      expect.stringMatching(/^p\.yaml:7:30: error: agreements\[0\]\.intermediates\[1\]: key\.pem: .*PRIVATE KEY/),
      expect.stringMatching(/^p\.yaml:7:39: error: agreements\[0\]\.intermediates\[2\]: text\.pem: .+/),
    ]);
  });

  test('fail/a CRL where a certificate is asked for, and the other way round', () => {
    const result = compile(tls('intermediates: [b.crl]', 'crls: [ca.pem]'));
    expect(said(result)).toEqual([
      expect.stringMatching(/^p\.yaml:7:21: error: agreements\[0\]\.intermediates\[0\]: b\.crl: .+/),
      expect.stringMatching(/^p\.yaml:8:12: error: agreements\[0\]\.crls\[0\]: ca\.pem: .+/),
    ]);
  });

  test('fail/no main file', () => {
    expect(compile('').ok).toBe(false);
    expect(said(compile(''))).toEqual(['p.yaml:1:1: error: expected a mapping of policy keys, found nothing']);
  });

  test('ok/a glob that matches the main file too leaves it out', () => {
    expect(said(compile(`include: "*.yaml"\n${tls()}`, { 'q.yaml': 'own_domains: [c.example]\n' }))).toEqual([]);
  });

  test('ok/so it does when the main file is named in a roundabout way', () => {
    const files = filesInMemory({
      ...MATERIAL,
      './x/../p.yaml': `include: "*.yaml"\n${tls()}`,
      'p.yaml': 'never read',
    });
    expect(said(compilePolicy(files, './x/../p.yaml', 1, NOW))).toEqual([]);
  });

  test('fail/a thousand problems are enough, and the errors among them still fail', () => {
    const many = Array.from({ length: 3000 }, () => '"*.x"').join(', ');
    const result = compile(tls().replace('[b.example]', `[${many}]`));
    expect(result.ok).toBe(false);
    expect(said(result)).toHaveLength(1000);
  });
});

const JULY = Date.parse('2026-07-15T00:00:00Z');

const WARN: readonly (readonly [
  name: string,
  policy: string,
  now: number | undefined,
  ...expected: readonly string[],
])[] = [
  [
    'expired anchor',
    tls(),
    Date.parse('2040-01-01'),
    'p.yaml:6:15: warning: agreements[0].anchors[0]: ca.pem: anchor O=Operator B,CN=Operator B CA expired on 2035-12-31',
  ],
  [
    'anchor of the future',
    tls(),
    Date.parse('2020-01-01'),
    'p.yaml:6:15: warning: agreements[0].anchors[0]: ca.pem: anchor O=Operator B,CN=Operator B CA is not valid before 2026-01-01',
  ],
  [
    'anchor that is no CA',
    tls().replace('ca.pem', 'leaf.pem'),
    undefined,
    'p.yaml:6:15: warning: agreements[0].anchors[0]: leaf.pem: anchor O=Operator B,CN=sbc.b.example is not marked as a certification authority (to trust one certificate by itself, use pins with pin: leaf)',
  ],
  [
    'CRL past nextUpdate',
    tls('crls: [b.crl]'),
    JULY,
    'p.yaml:7:12: warning: agreements[0].crls[0]: b.crl: CRL of O=Operator B,CN=Operator B CA should have been replaced on 2026-07-01: what it lists is revoked, and it clears nobody, but for the time of defaults.crl_grace',
  ],
  [
    'CRLs nobody looks at',
    tls('crls: [b.crl]', 'revocation: off'),
    undefined,
    'p.yaml:7:5: warning: agreements[0].crls: crls has no effect with revocation: off',
  ],
  [
    'agreement ended',
    tls('valid: {until: 2026-06-14}'),
    undefined,
    'p.yaml:7:20: warning: agreements[0].valid.until: agreement op-b ended on 2026-06-14',
  ],
  [
    'agreement ends on its last day',
    tls('valid: {until: 2026-06-15}'),
    undefined,
    'p.yaml:7:20: warning: agreements[0].valid.until: agreement op-b ends on 2026-06-15, in 0 days',
  ],
  [
    'agreement ends soon',
    tls('valid: {until: 2026-07-14}'),
    undefined,
    'p.yaml:7:20: warning: agreements[0].valid.until: agreement op-b ends on 2026-07-14, in 29 days',
  ],
  ['agreement ends in more than 30 days', tls('valid: {until: 2026-07-16}'), undefined],
  ['agreement that is switched off may end', tls('valid: {until: 2026-06-14}', 'enabled: false'), undefined],
  [
    'no server is trusted without an anchor for servers',
    tls().replace('[ca.pem]', '{client: [ca.pem]}'),
    undefined,
    'p.yaml:6:5: warning: agreements[0].anchors: direction out has no effect: no anchor for the role server, so no server is ever trusted',
  ],
  [
    'one role is enough for one direction',
    tls('directions: [out]').replace('[ca.pem]', '{server: [ca.pem]}'),
    undefined,
  ],
  [
    'stack_verification: advisory (decision rule 2)',
    tls('stack_verification: advisory'),
    undefined,
    'p.yaml:7:25: warning: agreements[0].stack_verification: siptrust alone judges the certificates of this agreement; the proxy has to ask for them unverified (verify_client=optional_no_ca)',
  ],
  [
    'eku: any-role where the proxy verifies the purpose',
    tls('eku: any-role'),
    undefined,
    'p.yaml:7:10: warning: agreements[0].eku: eku: any-role does no more than either while the proxy verifies the purpose; otherwise it takes stack_verification: advisory',
  ],
  [
    'pin: leaf that the proxy will not verify',
    tls(`pins: [${PIN}]`, 'pin: leaf'),
    undefined,
    'p.yaml:8:10: warning: agreements[0].pin: pin: leaf has an effect only where the proxy itself verifies the certificate; otherwise it takes stack_verification: advisory',
  ],
  [
    'transit and asserted domains',
    tls('asserts: {domains: [b.example], transit: true}'),
    undefined,
    'p.yaml:7:15: warning: agreements[0].asserts.domains: domains has no effect with transit: true, which lets the peer assert any domain but ours',
  ],
  [
    'enterprise with any number (S-3)',
    tls('interconnect: enterprise'),
    undefined,
    'p.yaml:3:5: warning: agreements[0].asserts: an enterprise may assert any number: expected asserts.numbers with the prefixes that it owns',
  ],
  [
    'domain twice',
    tls().replace('[b.example]', '[b.example, B.example]'),
    undefined,
    'p.yaml:4:26: warning: agreements[0].domains[1]: b.example stands in this list already',
  ],
  [
    'no own domains',
    tls().replace('own_domains: [a.example]', 'own_domains: []'),
    undefined,
    'p.yaml:1:14: warning: own_domains: no own domain is named: nobody outside can be kept from asserting ours (RFC 3324 §2.2)',
  ],
  [
    'implicit_trust is off',
    nds().replace(', implicit_trust: true', ''),
    undefined,
    'p.yaml:3:5: warning: interfaces[0].implicit_trust: implicit_trust is off: no agreement on interface za is ever trusted',
  ],
  [
    'internet over an nds-ip interface',
    nds('interconnect: internet'),
    undefined,
    'p.yaml:8:16: warning: agreements[0].interface: interconnect internet over an nds-ip interface: TS 33.203 §5.4 wants interfaces of their own for networks that are no IMS',
  ],
  [
    'sources that hold everybody',
    nds().replace('192.0.2.0/28', '0.0.0.0/0'),
    undefined,
    'p.yaml:9:15: warning: agreements[0].sources[0]: 0.0.0.0/0 is wider than any network: everyone who reaches the interface may be trusted',
  ],
  [
    'prefix inside the prefix of another',
    `${nds()}  - {name: op-d, domains: [d.example], mechanism: nds-ip, interface: za, sources: [192.0.0.0/16]}\n`,
    undefined,
    'p.yaml:3:12: warning: interfaces[0].name: agreements op-c, op-d share interface za: only the source address tells these networks apart',
    'p.yaml:9:15: warning: agreements[0].sources[0]: 192.0.2.0/28 lies in 192.0.0.0/16 of agreement op-d, at p.yaml:10:84; the longer prefix wins',
  ],
  [
    'prefixes of one agreement inside each other',
    nds().replace('192.0.2.0/28', '192.0.2.0/28, 192.0.2.0/24'),
    undefined,
  ],
  [
    'a path that may assert the domain of a network with certificates',
    `${nds('asserts: {domains: [c.example, b.example]}')}  - {name: op-b, domains: [b.example], mechanism: tls, anchors: [ca.pem]}\n`,
    undefined,
    'p.yaml:10:36: warning: agreements[0].asserts.domains[1]: b.example proves itself by certificate in agreement op-b: a path may assert it here too',
  ],
  [
    'revocation: hard that nothing can ever settle',
    tls('revocation: hard'),
    undefined,
    'p.yaml:7:17: warning: agreements[0].revocation: revocation: hard trusts nobody here: expected crls, or daemon.revocation with fetch: on, found neither',
  ],
  ['the same, of an agreement that is off', tls('revocation: hard', 'enabled: false'), undefined],
  [
    'the same by the defaults',
    `defaults: {revocation: hard}\n${tls()}`,
    undefined,
    'p.yaml:4:5: warning: agreements[0].revocation: revocation: hard trusts nobody here: expected crls, or daemon.revocation with fetch: on, found neither',
  ],
  [
    'interface that no agreement names',
    nds().replace('agreements:', '  - {name: zb, listen: "[2001:db8::1]:5062", mechanism: nds-ip}\nagreements:'),
    undefined,
    'p.yaml:4:12: warning: interfaces[1].name: no agreement names interface zb: nobody is trusted there',
  ],
  [
    'one prefix on two interfaces is two networks',
    nds()
      .replace(
        'agreements:',
        '  - {name: zb, listen: 10.0.0.2:5062, mechanism: nds-ip, implicit_trust: true}\nagreements:',
      )
      .concat('  - {name: op-d, domains: [d.example], mechanism: nds-ip, interface: zb, sources: [192.0.2.0/28]}\n'),
    undefined,
  ],
];

describe('a CA under which no path can hold is told before the first call of the partner', () => {
  const unfit: readonly (readonly [string, string, RegExp])[] = [
    [
      'a key of another kind',
      root({ subject: 'CN=X', key: makeKey('ed448') }).pem,
      /anchor CN=X: expected an RSA.* found Ed448/,
    ],
    ['a weak key', root({ subject: 'CN=X', key: makeKey('rsa1024') }).pem, /anchor CN=X: .*2048.*1024/],
    [
      'a keyUsage without keyCertSign',
      root({ subject: 'CN=X', extensions: { keyUsage: ext.keyUsage(['digitalSignature']) } }).pem,
      /anchor CN=X: expected keyUsage keyCertSign/,
    ],
  ];
  test.each(unfit)('ok/%s', (_, pem, says) => {
    const result = compile(tls().replace('ca.pem', 'x.pem'), { ...MATERIAL, 'x.pem': pem });
    expect(result.ok).toBe(true);
    expect(said(result)).toEqual([expect.stringMatching(says)]);
    expect(said(result)[0]).toMatch(/nobody is trusted under it$/);
  });
});

describe('a CA for the other TLS role alone is told, too', () => {
  const purposes = (...list: readonly string[]) => ({ add: [ext.purposes(list)] });
  const plain = root({ subject: 'CN=Root' });
  const files = {
    'root.pem': plain.pem,
    'ye1.pem': ca(plain, { subject: 'CN=YE1', ...purposes('serverAuth') }).pem,
    'other.pem': ca(root(), { subject: 'CN=Other', ...purposes('serverAuth') }).pem,
    'server.pem': root({ subject: 'CN=Server', ...purposes('serverAuth') }).pem,
    'mail.pem': root({ subject: 'CN=Mail', ...purposes('1.3.6.1.5.5.7.3.4') }).pem,
  };
  const caller = (name: string) =>
    `CN=${name}: expected a CA for TLS clients, found extendedKeyUsage serverAuth; the agreement accepts serverAuth in its place with eku: any-role and stack_verification: advisory: nobody who calls is trusted under it`;

  test.each<[string, readonly string[], readonly string[]]>([
    ['an intermediate', ['intermediates: [ye1.pem]'], [caller('YE1')]],
    ['one that stands under another CA', ['intermediates: [other.pem]'], []],
    ['one of an agreement that calls nobody in', ['intermediates: [ye1.pem]', 'directions: [out]'], []],
  ])('ok/%s', (_, lines, expected) => {
    const warned = said(compile(tls(...lines).replace('ca.pem', 'root.pem'), files));
    expect(warned.map((line) => line.replace(/^.*?: warning: [^:]*: /, ''))).toEqual(expected);
  });
  test('ok/an anchor, by role; taken as it is with eku: any-role', () => {
    const policy = tls().replace('ca.pem', 'server.pem');
    expect(said(compile(policy, files))).toEqual([
      expect.stringContaining(`agreements[0].anchors: ${caller('Server')}`),
    ]);
    const lax = tls('eku: any-role', 'stack_verification: advisory').replace('ca.pem', 'server.pem');
    expect(said(compile(lax, files)).filter((line) => line.includes('expected a CA'))).toEqual([]);
    const split = policy.replace('[server.pem]', '{client: [ca.pem], server: [server.pem]}');
    expect(said(compile(split, files))).toEqual([]);
  });
  test('ok/an anchor for neither role: both', () => {
    const warned = said(compile(tls().replace('ca.pem', 'mail.pem'), files));
    expect(warned).toEqual([
      expect.stringMatching(
        /TLS clients, found extendedKeyUsage emailProtection: nobody who calls is trusted under it$/,
      ),
      expect.stringMatching(/TLS servers, found extendedKeyUsage emailProtection: no next hop is trusted under it$/),
    ]);
  });
});

describe('what works but wants a look is a warning', () => {
  for (const [name, policy, now, ...expected] of WARN) {
    test(`ok/${name}`, () => {
      const result = compile(policy, MATERIAL, now);
      expect(said(result)).toEqual(expected);
      expect(result.ok).toBe(true);
    });
  }
});
