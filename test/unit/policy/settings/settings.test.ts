import { describe, expect, test } from 'vitest';
import { policyKey } from '../../../../src/policy/revision/signature.js';
import type { DaemonSettings } from '../../../../src/policy/settings/daemon-settings.js';
import type { Setting, SettingRows } from '../../../../src/policy/settings/key.js';
import { DAEMON_KEYS } from '../../../../src/policy/settings/keys.js';
import { DEFAULT_SETTINGS } from '../../../../src/policy/settings/settings.js';
import { parseCertificate } from '../../../../src/x509/certificate/certificate.js';
import { readPem } from '../../../../src/x509/der/pem.js';
import { compile, compiled, LEAF_PEM, said } from '../fixtures.js';

const PUBLIC_KEY = `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
`;

function daemon(section: string) {
  return compile(`own_domains: [a.example]\n${section}\n`, { 'noc.pem': LEAF_PEM, 'noc.pub': PUBLIC_KEY });
}

function certificateOf(pem: string) {
  const { sha256, notBefore, notAfter } = parseCertificate(readPem(pem, 'CERTIFICATE')[0] ?? new Uint8Array());
  return { sha256, notBefore, notAfter };
}

describe('daemon settings', () => {
  test('ok/defaults are those of the policy reference, and frozen', () => {
    expect(DEFAULT_SETTINGS).toMatchObject({
      listen: {
        netstring: { address: '127.0.0.1', port: 7060 },
        http: { address: '127.0.0.1', port: 7061 },
        https: undefined,
        unix: '/run/siptrust/siptrust.sock',
        viewer: undefined,
        fifo: undefined,
        fifoReplyDir: '/tmp',
      },
      allowRemote: false,
      tls: undefined,
      access: {
        hosts: [],
        certificates: [],
        tokens: undefined,
        metrics: 'open',
        connections: 1024,
        connectionsPerSource: 512,
      },
      watch: false,
      ui: false,
      fleet: { name: 'siptrust', policy: false, directory: '/var/lib/siptrust/policy' },
      limits: { files: 100_000, file: 67_108_864, agreements: 100_000, prefixes: 2_000_000 },
      policyKeys: [],
      unixMode: 0o660,
      viewerMode: 0o660,
      viewerGroup: undefined,
      log: { level: 'info', file: undefined, decisions: undefined, audit: undefined, mask: true },
      cache: { certificates: 10_000, verdicts: 100_000, ttl: 300, memory: 134_217_728 },
      revocation: {
        fetch: false,
        hosts: [],
        addresses: [],
        directory: '/var/lib/siptrust/revocation',
        interval: 3600,
        timeout: 30,
        maxSize: 32 * 1024 * 1024,
        warn: 86_400,
      },
      dns: {
        resolve: true,
        servers: [],
        timeout: 2,
        attempts: 2,
        cache: 10_000,
        strangers: 'any',
        addresses: [],
        trustAd: false,
      },
      node: undefined,
      store: undefined,
      state: { file: undefined, pins: 10_000, certificates: 67_108_864, certificateAge: 7_776_000 },
    });
    expect(Object.isFrozen(DEFAULT_SETTINGS.listen.netstring)).toBe(true);
    expect(compiled(daemon('')).settings).toEqual(DEFAULT_SETTINGS);
    expect(compiled(daemon('daemon: {listen: {}, log: {}, cache: {}}')).settings).toEqual(DEFAULT_SETTINGS);
  });

  /** What may stand behind keys of a kind that has no number, choice or path to tell by, by the words of docs/policy.md. */
  const GIVEN: Readonly<Record<string, unknown>> = {
    '`address:port` or `off`': '192.0.2.1:443',
    'octal digits': '0600',
    'letters, digits, `.`, `_`, `-`; at most 64': 'other',
    'name of a group': 'noc',
    'list of prefixes': ['10.0.0.0/8'],
  };
  /** The same by key, where one word of that kind would say nothing, or none may stand there. */
  const GIVEN_TO: Readonly<Record<string, unknown>> = {
    'listen.netstring': '[::1]:0',
    'listen.http': '127.0.0.2:80',
    'access.connections': 9,
    'access.hosts': ['NOC.example'],
    'access.certificates': [{ name: 'noc', role: 'viewer', files: ['noc.pem'] }],
    tls: { certificate: 'tls/edge.pem', key: '/etc/edge.key' },
    policy_keys: ['noc.pub'],
    store: 'postgres://siptrust@db1.example,db2.example:5433/trust?sslrootcert=ca.pem',
    'dns.servers': ['192.0.2.53', '192.0.2.54:5353', '2001:DB8::53', '[2001:db8::54]:5454'],
    'revocation.hosts': ['CRL.b.example', 'ocsp.bücher.example:8080', '192.0.2.1', '192.0.2.1:81', '[2001:DB8::1]:82'],
  };

  /** Something that may stand behind a key and is not what holds where nothing does. */
  function givenTo(path: string, { kind, otherwise }: Setting): unknown {
    if (path in GIVEN_TO) return GIVEN_TO[path];
    if (kind.values === '`on`, `off`') return otherwise === true ? 'off' : 'on';
    if (kind.values === '`true`, `false`') return otherwise !== true;
    if (kind.values.startsWith('path')) return `run/${path}`;
    const choices = [...kind.values.matchAll(/`([^`]+)`/g)].map(([, word]) => word);
    if (choices.join(', ') === kind.values.replaceAll('`', '')) return choices.find((word) => word !== otherwise);
    const [least] = /^\d+(?= to )/.exec(kind.values) ?? (kind.values.startsWith('number of') ? ['7'] : []);
    // Neither 0 nor a bound: what is scaled or cut is not itself.
    if (least !== undefined) return Number(least) + (Number(least) + 1 === otherwise ? 2 : 1);
    return GIVEN[kind.values];
  }

  type Row = readonly [path: string, fields: readonly string[], row: Setting];
  const rowsOf = (rows: SettingRows, above: string, fields: readonly string[]): readonly Row[] =>
    Object.entries(rows).flatMap(([field, row]) => {
      const path = `${above}${row.key}`;
      return 'rows' in row
        ? rowsOf(row.rows, `${path}.`, [...fields, field])
        : [[path, [...fields, field], row] satisfies Row];
    });
  const ROWS = rowsOf(DAEMON_KEYS, '', []);

  /** The whole section, each key with something else than its default. */
  const full = (): DaemonSettings => {
    const section: Record<string, unknown> = {};
    for (const [path, , row] of ROWS) {
      const [outer = '', inner] = path.split('.');
      const given = givenTo(path, row);
      section[outer] = inner === undefined ? given : { ...Object(section[outer]), [inner]: given };
    }
    return compiled(daemon(`daemon: ${JSON.stringify(section)}`)).settings;
  };
  const at = (settings: unknown, fields: readonly string[]): unknown =>
    fields.reduce((value: unknown, field) => Reflect.get(Object(value), field), settings);

  /** They arrive in `store`. */
  const WITHIN: Readonly<Record<string, readonly string[]>> = {
    store_password_file: ['store', 'passwordFile'],
    store_timeout: ['store', 'queryTimeout'],
  };

  /** Words of a kind that stand for something else. Of what else is no value itself the next test says what it becomes. */
  const MEANT: Readonly<Record<string, unknown>> = { on: true, off: false };

  test.each(ROWS)('ok/every key arrives: %s', (path, own, row) => {
    const fields = WITHIN[path] ?? own;
    const given = givenTo(path, row);
    expect(given, `GIVEN or GIVEN_TO: what may stand behind ${path}`).toBeDefined();
    const found = at(full(), fields);
    expect(found).toBeDefined();
    expect(found).not.toEqual(at(DEFAULT_SETTINGS, fields));
    // Seconds, milliseconds, octets, entries, paths, words: as they were given.
    if (!MADE.includes(path)) expect(found).toEqual(row.kind.values === '`on`, `off`' ? MEANT[String(given)] : given);
  });

  /** Keys of the next test. */
  const MADE = [
    ...['listen.netstring', 'listen.http', 'listen.https', 'access.hosts', 'access.certificates', 'policy_keys'],
    ...[
      'unix_mode',
      'viewer_mode',
      'store',
      'dns.servers',
      'dns.addresses',
      'revocation.hosts',
      'revocation.addresses',
    ],
  ];

  test('ok/what is made of addresses, names, certificates and modes', () => {
    expect(full()).toMatchObject({
      listen: {
        netstring: { address: '::1', port: 0 },
        http: { address: '127.0.0.2', port: 80 },
        https: { address: '192.0.2.1', port: 443 },
      },
      tls: { certificate: 'tls/edge.pem', key: '/etc/edge.key' },
      access: { hosts: ['noc.example'], certificates: [{ name: 'noc', role: 'viewer', ...certificateOf(LEAF_PEM) }] },
      policyKeys: [policyKey(PUBLIC_KEY)],
      unixMode: 0o600,
      viewerMode: 0o600,
      revocation: {
        hosts: [
          { host: 'crl.b.example', port: 80 },
          { host: 'ocsp.xn--bcher-kva.example', port: 8080 },
          { host: '192.0.2.1', port: 80 },
          { host: '192.0.2.1', port: 81 },
          { host: '2001:db8::1', port: 82 },
        ],
        addresses: [{ bytes: Uint8Array.of(10, 0, 0, 0), length: 8, text: '10.0.0.0/8' }],
      },
      dns: {
        addresses: [{ bytes: Uint8Array.of(10, 0, 0, 0), length: 8, text: '10.0.0.0/8' }],
        servers: [
          { address: '192.0.2.53', port: 53 },
          { address: '192.0.2.54', port: 5353 },
          { address: '2001:db8::53', port: 53 },
          { address: '2001:db8::54', port: 5454 },
        ],
      },
      store: {
        hosts: [
          { host: 'db1.example', port: 5432 },
          { host: 'db2.example', port: 5433 },
        ],
        ...{ database: 'trust', user: 'siptrust', passwordFile: 'run/store_password_file' },
        tls: { ca: 'ca.pem', certificate: undefined, key: undefined },
        ...{ connectTimeout: 101, queryTimeout: 101 },
      },
    });
  });

  test('ok/listeners and logs that are off', () => {
    const { listen, log } = compiled(
      daemon('daemon: {listen: {netstring: off, http: off, fifo: off}, log: {file: stderr, decisions: off}}'),
    ).settings;
    expect(listen).toMatchObject({ netstring: undefined, http: undefined, fifo: undefined });
    expect(listen.unix).toBe(DEFAULT_SETTINGS.listen.unix);
    expect(log).toMatchObject({ file: undefined, decisions: undefined });
  });

  const TLS = 'tls: {certificate: a.pem, key: a.key}';
  test('ok/https on another address, with TLS and credentials', () => {
    const { settings } = compiled(
      daemon(`daemon: {listen: {https: 192.0.2.1:7443}, ${TLS}, access: {tokens: t.json}, allow_remote: true}`),
    );
    expect(settings.listen.https).toEqual({ address: '192.0.2.1', port: 7443 });
  });
  test('ok/https on loopback needs no credentials', () => {
    expect(compiled(daemon(`daemon: {listen: {https: 127.0.0.1:7443}, ${TLS}}`)).settings.allowRemote).toBe(false);
  });
  test.each([
    ['', false],
    ['ui: off', false],
    ['access: {tokens: t.json}', true],
    ['access: {tokens: off}', false],
    ['ui: off, access: {tokens: t.json}', false],
    ['ui: on, access: {tokens: t.json}', true],
  ])('ok/daemon: {%s}: the page is there: %s', (keys, there) => {
    expect(compiled(daemon(`daemon: {${keys}}`)).settings.ui).toBe(there);
  });
  test.each<[string, string, readonly string[]]>([
    [
      'the page without credentials',
      'ui: on',
      ['ui: expected credentials of viewers (daemon.access.tokens or daemon.access.certificates), found none'],
    ],
    [
      'https without TLS',
      'listen: {https: 127.0.0.1:7443}',
      ['listen.https: expected daemon.tls with certificate and key beside it, found none'],
    ],
    [
      'https on another address without allow_remote',
      `listen: {https: 192.0.2.1:7443}, ${TLS}, access: {tokens: t.json}`,
      ['listen.https: expected a loopback address (or allow_remote: true), found 192.0.2.1'],
    ],
    [
      'allow_remote without TLS and credentials',
      'allow_remote: true',
      [
        'allow_remote: other hosts are served by listen.https alone, which is off',
        'allow_remote: expected credentials for other hosts (daemon.access.tokens or daemon.access.certificates), found none',
      ],
    ],
    [
      'allow_remote without credentials',
      `allow_remote: true, listen: {https: 192.0.2.1:7443}, ${TLS}`,
      [
        'allow_remote: expected credentials for other hosts (daemon.access.tokens or daemon.access.certificates), found none',
      ],
    ],
    [
      'allow_remote for what has no TLS',
      `allow_remote: true, listen: {https: 192.0.2.1:7443, netstring: 192.0.2.1:7060}, ${TLS}, access: {tokens: t.json}`,
      ['listen.netstring: expected a loopback address (other hosts are served by listen.https), found 192.0.2.1'],
    ],
    [
      'a host with a port, a client that is no certificate, one certificate twice',
      'access: {hosts: ["a.example:80"], certificates: [{name: "a b", role: viewer, files: [leaf.pem, leaf.pem, b.crl]}]}',
      [
        'access.hosts[0]: expected a host name without a port (addresses and localhost are taken anyway), found "a.example:80"',
        'access.certificates: the certificate of a b stands there twice',
        'access.certificates[0].name: expected a letter or digit, and at most 63 letters, digits, ".", "_" and "-" after it, found "a b"',
        'access.certificates[0].files[2]: b.crl: line 1: expected a block labelled CERTIFICATE, found "X509 CRL" (this is a CRL: it belongs to `crls` of an agreement)',
      ],
    ],
  ])('fail/%s', (_, section, texts) => {
    const found = said(daemon(`daemon: {${section}}`)).map((line) => line.replace(/^.*: error: daemon\./, ''));
    expect([...found].sort()).toEqual([...texts].sort());
  });

  const remote = (key: string, address: string) =>
    `p.yaml:2:${25 + key.length}: error: daemon.listen.${key}: expected a loopback address (other hosts are served by listen.https), found ${address}`;
  const cases: readonly (readonly [name: string, section: string, expected: string])[] = [
    ['all addresses', 'daemon: {listen: {http: "0.0.0.0:7061"}}', remote('http', '0.0.0.0').replace(':29:', ':25:')],
    ['all IPv6 addresses', 'daemon: {listen: {http: "[::]:7061"}}', remote('http', '::').replace(':29:', ':25:')],
    [
      'another host',
      'daemon: {listen: {netstring: 192.0.2.1:1}, allow_remote: false}',
      remote('netstring', '192.0.2.1').replace(':34:', ':30:'),
    ],
    [
      'host name',
      'daemon: {listen: {http: localhost:7061}}',
      'p.yaml:2:25: error: daemon.listen.http: expected an IP address and a port, as in 127.0.0.1:7060 or "[::1]:7060", found "localhost:7061"',
    ],
    [
      'port out of range',
      'daemon: {listen: {http: 127.0.0.1:65536}}',
      'p.yaml:2:25: error: daemon.listen.http: expected an IP address and a port, as in 127.0.0.1:7060 or "[::1]:7060", found "127.0.0.1:65536"',
    ],
    [
      'port alone',
      'daemon: {listen: {http: 7061}}',
      'p.yaml:2:25: error: daemon.listen.http: expected an IP address and a port, as in 127.0.0.1:7060, or off, found number 7061',
    ],
    [
      'one socket for two',
      'daemon: {listen: {http: 127.0.0.1:7060}}',
      'p.yaml:2:25: error: daemon.listen.http: expected an address of its own, found that of listen.netstring',
    ],
    [
      'nobody could ask',
      'daemon: {listen: {netstring: off, http: off, unix: off}}',
      'p.yaml:2:18: error: daemon.listen: expected at least one listener, found all of them off: nobody could ask',
    ],
    [
      'long socket path',
      `daemon: {listen: {unix: /${'x'.repeat(107)}}}`,
      'p.yaml:2:25: error: daemon.listen.unix: expected a path of at most 107 bytes (unix(7)), found 108',
    ],
    [
      'one path for two',
      'daemon: {listen: {unix: /run/x, fifo: /run//x}}',
      'p.yaml:2:39: error: daemon.listen.fifo: expected a path of its own, found that of listen.unix',
    ],
    [
      'decimal mode',
      'daemon: {unix_mode: "0888"}',
      'p.yaml:2:21: error: daemon.unix_mode: expected three octal digits, as in "0660", found "0888"',
    ],
    [
      'number as mode',
      'daemon: {unix_mode: 432}',
      'p.yaml:2:21: error: daemon.unix_mode: expected octal digits in quotes, as in "0660", found number 432',
    ],
    [
      'no entries',
      'daemon: {cache: {verdicts: 0}}',
      'p.yaml:2:28: error: daemon.cache.verdicts: expected a whole number of entries, at least 1, found number 0',
    ],
    [
      'no pins',
      'daemon: {state: {pins: 0}}',
      'p.yaml:2:24: error: daemon.state.pins: expected a whole number of pins from 1 to 100000, found number 0',
    ],
    [
      'log level',
      'daemon: {log: {level: warning}}',
      'p.yaml:2:23: error: daemon.log.level: expected one of error, warn, info, debug, found "warning"',
    ],
    [
      'a wildcard host',
      'daemon: {revocation: {fetch: on, hosts: ["*.b.example"]}}',
      'p.yaml:2:42: error: daemon.revocation.hosts[0]: expected a host, as in crl.operator.example or crl.operator.example:8080, found "*.b.example": a wildcard names no one domain',
    ],
    [
      'a URL as a host',
      'daemon: {revocation: {fetch: on, hosts: ["http://crl.b.example/x"]}}',
      'p.yaml:2:42: error: daemon.revocation.hosts[0]: expected a host, as in crl.operator.example or crl.operator.example:8080, found "http://crl.b.example/x": it is no host with a port',
    ],
    [
      'a port that is none',
      'daemon: {revocation: {fetch: on, hosts: ["crl.b.example:0"]}}',
      'p.yaml:2:42: error: daemon.revocation.hosts[0]: expected a host, as in crl.operator.example or crl.operator.example:8080, found "crl.b.example:0": port 0 is none',
    ],
    [
      'host bits',
      'daemon: {revocation: {fetch: on, hosts: [b.example], addresses: [10.0.0.1/8]}}',
      'p.yaml:2:66: error: daemon.revocation.addresses[0]: "10.0.0.1/8" has bits set after the first 8: the network is 10.0.0.0/8, the single host is 10.0.0.1/32',
    ],
  ];
  for (const [name, section, expected] of cases) {
    test(`fail/${name}`, () => expect(said(daemon(section))).toEqual([expected]));
  }

  test('ok/lists and statuses may stay in memory', () => {
    expect(compiled(daemon('daemon: {revocation: {directory: off}}')).settings.revocation.directory).toBeUndefined();
  });
  test('ok/to fetch from nowhere, or not to fetch from somewhere, is a warning', () => {
    expect(said(daemon('daemon: {revocation: {fetch: on}}'))).toEqual([
      'p.yaml:2:23: warning: daemon.revocation.fetch: fetch has no effect without hosts: nothing may be fetched from anywhere',
    ]);
    expect(said(daemon('daemon: {revocation: {hosts: [b.example]}}'))).toEqual([
      'p.yaml:2:23: warning: daemon.revocation.hosts: hosts has no effect without fetch: on',
    ]);
  });
});
