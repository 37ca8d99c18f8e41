/** What siptrustctl says where it cannot answer: the input, what was expected, what was found, what to do next. */

import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSqliteStore } from '../../../src/state/store/sqlite-store.js';
import { root as authority, crl, leaf } from '../../support/certificates.js';
import { siptrustctl } from '../../support/command-line.js';
import { SIPTRUSTCTL } from '../../support/compiled.js';

const root = mkdtempSync(join(tmpdir(), 'siptrust-messages-'));
const file = (name: string) => join(root, name);
const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { cwd: root, stdio: 'pipe' });
const POLICY = `own_domains: [a.example]
agreements:
  - {name: op-b, domains: [b.example], mechanism: tls, anchors: [ca.pem], valid: {until: 2099-12-31}}
`;

beforeAll(() => {
  openssl(
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '3650'],
    ...['-subj', '/O=Operator B/CN=Operator B CA', '-keyout', 'ca.key', '-out', 'ca.pem'],
  );
  openssl('crl2pkcs7', '-nocrl', '-certfile', 'ca.pem', '-out', 'bundle.p7b');
  openssl('crl2pkcs7', '-nocrl', '-certfile', 'ca.pem', '-outform', 'DER', '-out', 'der.p7b');
  openssl('pkcs12', '-export', '-in', 'ca.pem', '-inkey', 'ca.key', '-passout', 'pass:x', '-out', 'b.p12');
  openssl('req', '-new', '-key', 'ca.key', '-subj', '/CN=x', '-out', 'b.csr');
  openssl('req', '-new', '-key', 'ca.key', '-subj', '/CN=x', '-outform', 'DER', '-out', 'csr.der');
  openssl('pkey', '-in', 'ca.key', '-outform', 'DER', '-out', 'key.der');
  openssl('ec', '-in', 'ca.key', '-outform', 'DER', '-out', 'ec.der');
  openssl('pkcs8', '-topk8', '-in', 'ca.key', '-outform', 'DER', '-passout', 'pass:x', '-out', 'secret.der');
  openssl(
    ...[
      'pkcs8',
      '-topk8',
      '-v1',
      'PBE-SHA1-3DES',
      '-in',
      'ca.key',
      '-outform',
      'DER',
      '-passout',
      'pass:x',
      '-out',
      'old.der',
    ],
  );
  openssl('pkey', '-in', 'ca.key', '-pubout', '-outform', 'DER', '-out', 'public.der');
  openssl('x509', '-in', 'ca.pem', '-trustout', '-out', 'trusted.pem');
  openssl('x509', '-in', 'ca.pem', '-outform', 'DER', '-out', 'ca.der');
  const pem = readFileSync(file('ca.pem'), 'latin1');
  writeFileSync(file('and-key.pem'), `${pem}${readFileSync(file('ca.key'), 'latin1')}`);
  writeFileSync(file('bare.b64'), pem.replaceAll(/-----.*-----\n/g, ''));
  writeFileSync(file('pem.b64'), Buffer.from(pem).toString('base64'));
  writeFileSync(file('ca.jks'), Uint8Array.of(0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2));
  writeFileSync(file('empty.pem'), '');
  const list = crl(authority());
  writeFileSync(file('list.pem'), list.pem);
  writeFileSync(file('list.der'), list.der);
  writeFileSync(file('siptrust.yaml'), POLICY);
  writeFileSync(file('utf16.pem'), Buffer.from(`\ufeff${readFileSync(file('ca.pem'), 'latin1')}`, 'utf16le'));
});
afterAll(() => rmSync(root, { recursive: true }));

const config = () => ['--config', file('siptrust.yaml')];

describe('a fleet that there is none of', () => {
  test.each([[['policy', 'rollback', '1']], [['policy', 'list']], [['fleet', 'wait']]])('fail/%j', async (words) => {
    const { code, error } = await siptrustctl([...words, ...config()]);
    expect({ code, error }).toEqual({
      code: 2,
      error: expect.stringMatching(
        /siptrust\.yaml: expected daemon\.store, the database of a fleet, found none .*put the one of before back, then siptrustctl agreement reload/,
      ),
    });
  });
});

describe('a policy file answers operators without the daemon', () => {
  test('ok/agreement list', async () => {
    const { code, output } = await siptrustctl(['agreement', 'list', ...config()]);
    expect({ code, output }).toEqual({
      code: 0,
      output: expect.stringMatching(/^NAME .*\nop-b {2,}b\.example .*in-force/),
    });
  });
  test('ok/agreement list, of more than one page', async () => {
    const each = (at: number) => `  - {name: op-${at}, domains: [d${at}.example], mechanism: tls, anchors: [ca.pem]}\n`;
    const many = Array.from({ length: 1001 }, (_, at) => each(at)).join('');
    writeFileSync(file('many.yaml'), `own_domains: [a.example]\nagreements:\n${many}`);
    const { output } = await siptrustctl(['--json', 'agreement', 'list', '--config', file('many.yaml')]);
    expect((JSON.parse(output) as { readonly name: string }[]).map(({ name }) => name)).toEqual(
      Array.from({ length: 1001 }, (_, at) => `op-${at}`),
    );
  });
  test('ok/agreement show', async () => {
    const { code, output } = await siptrustctl(['agreement', 'show', 'op-b', ...config()]);
    expect({ code, output }).toEqual({ code: 0, output: expect.stringMatching(/^name: +op-b\n/) });
  });
  test('ok/cert expiry', async () => {
    const { code, output } = await siptrustctl(['cert', 'expiry', '--within', '9999', ...config()]);
    expect({ code, output }).toEqual({ code: 0, output: expect.stringMatching(/anchor +op-b/) });
  });
  test('ok/cert expiry --warn: a monitor goes by the exit code', async () => {
    const month = new Date(Date.now() + 20 * 86_400_000).toISOString().slice(0, 10);
    const expiry = async (until: string, ...args: readonly string[]) => {
      writeFileSync(file('ends.yaml'), POLICY.replace('2099-12-31', until));
      const { code, output, error } = await siptrustctl(['cert', 'expiry', ...args, '--config', file('ends.yaml')]);
      return [code, error || (output.match(/^(?:agreement|anchor)/gm) ?? []).join(' ')];
    };
    expect(await expiry('2099-12-31', '--warn', '60')).toEqual([0, '']);
    expect(await expiry('2099-12-31', '--warn', '4000')).toEqual([1, 'anchor']);
    expect(await expiry(month)).toEqual([0, 'agreement']);
    expect(await expiry(month, '--warn', '7')).toEqual([0, '']);
    expect(await expiry(month, '--warn', '7', '--within', '30')).toEqual([0, 'agreement']);
    expect(await expiry(month, '--warn', '30')).toEqual([1, 'agreement']);
    expect(await expiry('2020-01-01', '--warn', '7')).toEqual([2, 'agreement']);
    expect(await expiry('2020-01-01', '--warn', 'soon')).toEqual([2, '--warn: expected days, found "soon"']);
  });
  test('ok/cert expiry --warn above 30 days: what lives shorter is told of in the last third of its life, CRLs by their own measure', async () => {
    const DAY = 86_400_000;
    const made = authority();
    const now = Date.now();
    const expiry = async (whole: number, left: number) => {
      const life = { notBefore: now - (whole - left) * DAY, notAfter: now + left * DAY };
      writeFileSync(file('own.pem'), leaf(made, life).pem);
      writeFileSync(file('own.yaml'), 'own_domains: [a.example]\nown_certificates: [own.pem]\nagreements: []\n');
      return siptrustctl(['cert', 'expiry', '--warn', '60', '--config', file('own.yaml')]);
    };
    expect(await expiry(47, 46)).toMatchObject({
      code: 0,
      output: expect.stringMatching(/^WHAT +AGREEMENT .*\nown-c/),
    });
    expect(await expiry(150, 52)).toMatchObject({ code: 0 });
    expect(await expiry(150, 48)).toMatchObject({ code: 1 });
    expect(await expiry(365, 55)).toMatchObject({ code: 1 });
    const crls = { thisUpdate: now - DAY, nextUpdate: now + 40 * DAY };
    writeFileSync(file('ahead.pem'), crl(made, crls).pem);
    writeFileSync(file('ahead-ca.pem'), made.pem);
    writeFileSync(file('crl.yaml'), POLICY.replace('ca.pem]', 'ahead-ca.pem], crls: [ahead.pem]'));
    const listed = await siptrustctl(['--json', 'cert', 'expiry', '--warn', '60', '--config', file('crl.yaml')]);
    expect(JSON.parse(listed.output)).toMatchObject([{ what: 'crl', begins: '', state: 'current', days: 39 }]);
    expect(listed.code).toBe(0);
  });
  test('ok/policy check says what siptrustd --check says', async () => {
    const check = async (name: string) => {
      const { code, output } = await siptrustctl(['policy', 'check', file(name)]);
      const json = await siptrustctl(['--json', 'policy', 'check', file(name)]);
      expect(json.code).toBe(code);
      return { code, output, answer: JSON.parse(json.output) };
    };
    expect(await check('siptrust.yaml')).toEqual({
      ...{ code: 0, answer: { ok: true, agreements: 1, interfaces: 0, warnings: [] } },
      output: `${file('siptrust.yaml')}: ok, 1 agreement, 0 interfaces\n`,
    });
    writeFileSync(file('bad.yaml'), POLICY.replace('mechanism: tls', 'mechanism: TLS'));
    const problem = `${file('bad.yaml')}:3:51: error: agreements[0].mechanism: expected one of tls, nds-ip, found "TLS" (did you mean tls?)`;
    expect(await check('bad.yaml')).toEqual({
      ...{ code: 1, answer: { ok: false, problems: [problem] } },
      output: `${problem}\n`,
    });
  });
  for (const [certificate, shown] of [
    ['ca.pem', 1],
    ['nobody.pem', 0],
  ] as const) {
    test(`ok/cert expiry with a listener of ${certificate}: what proxies are shown is of the policy file, too`, async () => {
      const daemon = `daemon: {listen: {https: "127.0.0.1:0"}, tls: {certificate: ${certificate}, key: ca.key}}\n`;
      writeFileSync(file('listener.yaml'), `${daemon}${POLICY}`);
      const { code, output } = await siptrustctl([
        'cert',
        'expiry',
        '--within',
        '9999',
        '--config',
        file('listener.yaml'),
      ]);
      expect(code).toBe(0);
      expect(output).toMatch(/anchor +op-b/);
      expect(output.match(/listener-certificate .*Operator B/g) ?? []).toHaveLength(shown);
    });
  }
  for (const words of [
    ['agreement', 'show'],
    ['headers', '--agreement'],
  ]) {
    test(`fail/${words.join(' ')}: which name is unknown, and which was meant, in words`, async () => {
      const refused = async (name: string) => (await siptrustctl([...words, name, ...config()])).error;
      const said = `${file('siptrust.yaml')}: Not found: no agreement is named`;
      expect(await refused('nobody')).toBe(`${said} "nobody"`);
      expect(await refused('OP_B')).toBe(`${said} "OP_B" (did you mean op-b?)`);
    });
  }
  test('fail/an option that is missing: what it may be', async () => {
    const values = "required option '--role <script|viewer|operator>' not specified";
    await expect(siptrustctl(['token', 'add', 'grafana'])).rejects.toThrow(values);
  });
  test('fail/explain with an id and --config: the id belongs to a daemon', async () => {
    expect(await siptrustctl(['explain', '7f-1', ...config()])).toEqual({
      code: 2,
      output: '',
      error: expect.stringMatching(/^explain 7f-1 --config .*: expected an id, .* or --config with .*; found both$/),
    });
  });
});

describe('nothing on standard input', () => {
  for (const words of [['peer'], ['message'], ['explain'], ['identity'], ['verify']]) {
    test(`fail/${words}`, async () => {
      const args = words[0] === 'identity' || words[0] === 'verify' ? words : [...words, ...config()];
      expect(await siptrustctl(args, '')).toEqual({
        code: 2,
        output: '',
        error: 'standard input: expected one JSON object a line, found nothing',
      });
    });
  }
});

describe('no daemon', () => {
  test('fail/no socket', async () => {
    const { code, error } = await siptrustctl(['--socket', file('none.sock'), 'status']);
    expect({ code, error }).toEqual({
      code: 2,
      error: `${file('none.sock')}: expected a running siptrustd, found no such socket. Does siptrustd run (systemctl status siptrustd), and is this daemon.listen.unix of its policy? --socket PATH and --tcp HOST:PORT name another place`,
    });
  });
  test('fail/nobody listens at the port', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    const { code, error } = await siptrustctl(['--tcp', `127.0.0.1:${port}`, 'agreement', 'list']);
    expect({ code, error }).toEqual({
      code: 2,
      error: expect.stringMatching(
        /^127\.0\.0\.1:\d+: expected a running siptrustd, found nobody listens there\. .*daemon\.listen\.netstring/,
      ),
    });
  });
});

describe('what is no certificate', () => {
  const cases: readonly (readonly [name: string, says: RegExp])[] = [
    ['bundle.p7b', /bundle\.p7b: .*PKCS7.*\(this is a PKCS#7 bundle \(\.p7b\): .*openssl pkcs7 -print_certs/],
    ['der.p7b', /der\.p7b: .*\(this is a PKCS#7 bundle \(\.p7b\): .*-inform DER/],
    ['b.p12', /b\.p12: .*\(this is a PKCS#12 file .*openssl pkcs12 -nokeys/],
    ['b.csr', /b\.csr: .*\(this is a certificate request: expected is what the CA makes of it/],
    ['ca.key', /ca\.key: .*\(this is a private key: siptrust needs none/],
    ['utf16.pem', /utf16\.pem: (?!.*save.*save).*\(this is text in UTF-16: save it as ASCII or UTF-8\)/],
    ['none.pem', /none\.pem: no such file/],
    ['csr.der', /\(this is a certificate request: expected is what the CA makes of it\)/],
    ['key.der', /\(this is a private key: siptrust needs none\)/],
    ['ec.der', /\(this is a private key: siptrust needs none\)/],
    ['secret.der', /\(this is a private key: siptrust needs none\)/],
    ['old.der', /\(this is a private key: siptrust needs none\)/],
    ['and-key.pem', /line \d+: .*found "PRIVATE KEY" \(this is a private key: siptrust needs none\)/],
    ['public.der', /\(this is a public key: expected is the certificate that bears it\)/],
    [
      'trusted.pem',
      /\(this is a certificate with the trust settings of OpenSSL: .*openssl x509 -in FILE -out FILE\.pem\)/,
    ],
    ['list.der', /\(this is a CRL: it belongs to `crls` of an agreement\)/],
    ['bare.b64', /\(this is base64 without the lines -----BEGIN and -----END: .*base64 -d FILE > FILE\.der\)/],
    ['pem.b64', /\(this is PEM in base64: decode it with: base64 -d FILE > FILE\.pem\)/],
    ['ca.jks', /\(this is a Java keystore \(\.jks\): .*keytool -exportcert -rfc/],
    ['empty.pem', /expected .*, found nothing/],
  ];
  test.each(cases)('fail/cert show %s', async (name, says) => {
    const { code, error } = await siptrustctl(['cert', 'show', file(name)]);
    expect({ code, error }).toEqual({ code: 2, error: expect.stringMatching(says) });
  });
  test.each(cases)('fail/%s as an anchor', async (name, says) => {
    writeFileSync(file('other.yaml'), POLICY.replace('ca.pem', name));
    const { code, error } = await siptrustctl(['agreement', 'list', '--config', file('other.yaml')]);
    expect({ code, error }).toEqual({ code: 2, error: expect.stringMatching(says) });
  });
  test.each([
    [
      'ca.pem',
      /found "CERTIFICATE" \(this is a certificate: it belongs to `anchors` or `intermediates` of an agreement\)/,
    ],
    ['ca.der', /\(this is a certificate: it belongs to/],
    ['key.der', /\(this is a private key: siptrust needs none\)/],
  ])('fail/%s as a CRL', async (name, says) => {
    writeFileSync(file('other.yaml'), POLICY.replace('valid:', `crls: [${name}], valid:`));
    const { code, error } = await siptrustctl(['agreement', 'list', '--config', file('other.yaml')]);
    expect({ code, error }).toEqual({ code: 2, error: expect.stringMatching(says) });
  });
  test('ok/a list as a CRL, in PEM and in DER', async () => {
    writeFileSync(file('other.yaml'), POLICY.replace('valid:', 'crls: [list.pem, list.der], valid:'));
    expect((await siptrustctl(['agreement', 'list', '--config', file('other.yaml')])).code).toBe(0);
  });
  test('fail/a FIFO, which nobody may ever write', async () => {
    execFileSync('mkfifo', [file('fifo')]);
    for (const words of [
      ['cert', 'show'],
      ['cert', 'lint'],
    ]) {
      expect(await siptrustctl([...words, file('fifo')])).toMatchObject({
        code: 2,
        error: expect.stringMatching(/fifo: expected a regular file, found a FIFO$/),
      });
    }
  });
  test('ok/what the shell hands over is read', async () => {
    const handed = openSync(file('ca.pem'), 'r');
    expect(await siptrustctl(['cert', 'show', `/dev/fd/${handed}`])).toMatchObject({
      code: 0,
      output: expect.stringContaining('Operator B CA'),
    });
    closeSync(handed);
  });
  test('ok/a certificate gets no such hint', async () => {
    expect(await siptrustctl(['cert', 'show', file('ca.pem')])).toMatchObject({ code: 0, error: '' });
  });
  test('ok/cert show names extended key usages', async () => {
    openssl(
      ...['req', '-x509', '-key', 'ca.key', '-subj', '/CN=x', '-out', 'serves.pem'],
      ...['-addext', 'extendedKeyUsage=serverAuth,clientAuth,1.2.3.4'],
    );
    const { output } = await siptrustctl(['cert', 'show', file('serves.pem')]);
    expect(output).toMatch(/^extended_key_usage: +serverAuth, clientAuth, 1\.2\.3\.4$/m);
  });
});

describe('help', () => {
  const printed = (...words: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [SIPTRUSTCTL, ...words], { encoding: 'utf8' });
    return { status, stdout, stderr };
  };
  test.each(['policy push', 'policy', 'cert enrol'])('ok/help %s is what --help prints there', (words) => {
    const asked = printed('help', ...words.split(' '));
    expect(asked).toEqual(printed(...words.split(' '), '--help'));
    expect(asked).toMatchObject({ status: 0, stdout: expect.stringContaining(`Usage: siptrustctl ${words} `) });
  });
  test('fail/help of what is no command', () => {
    const { status, stderr } = printed('help', 'policy', 'psuh');
    expect([status, stderr]).toEqual([2, expect.stringContaining("unknown command 'psuh'")]);
  });
});

describe('what the system refuses', () => {
  // (Tests may run as root, whom no mode keeps out.)
  const under = () => join(file('ca.pem'), 'x');
  const KEPT = () => `daemon: {state: {file: ${under()}}}\n${POLICY}`;
  test.each(['agreement list', 'cert expiry', 'replay'])(
    'fail/%s: a state file that cannot be looked at',
    async (words) => {
      writeFileSync(file('kept.yaml'), KEPT());
      const log = words === 'replay' ? ['--decisions', file('ca.pem')] : [];
      const { code, output, error } = await siptrustctl([...words.split(' '), '--config', file('kept.yaml'), ...log]);
      expect({ code, output, error }).toEqual({ code: 2, output: '', error: expect.stringContaining(`${under()}: `) });
    },
  );
  test('fail/a decision log', async () => {
    await openSqliteStore(file('state.db')).close();
    const args = ['--state', file('state.db'), '--decisions', under()];
    const { code, error } = await siptrustctl(['replay', ...config(), ...args]);
    expect([code, error]).toEqual([2, expect.stringContaining(under())]);
  });
  test('fail/whatever else: one line, and no trace', () => {
    const args = ['--certificate', file('ca.pem'), '--key', file('ca.key'), '--trusted', file('ca.pem')];
    const { status, stderr } = spawnSync(
      process.execPath,
      [SIPTRUSTCTL, 'cert', 'renew', ...args, '--keep-key', '--dry-run', '--server', 'http://127.0.0.1:1'],
      { env: { ...process.env, TMPDIR: under() }, encoding: 'utf8' },
    );
    expect([status, stderr]).toEqual([2, expect.stringMatching(/^siptrustctl: ENOTDIR.*\n$/)]);
  });
});

describe('policy promote', () => {
  test('fail/no policy file where one is by default: --config names it', async () => {
    const { code, error } = await siptrustctl(['policy', 'promote', file('siptrust.yaml')]);
    expect({ code, error }).toEqual({
      code: 2,
      error: expect.stringMatching(
        /^expected the policy file of the daemon in \/etc\/siptrust\/siptrust\.yaml; --config FILE/,
      ),
    });
  });
});

describe('commands that ask the database of the fleet', () => {
  test.each([
    ['list', ['list']],
    ['rollback', ['rollback', '1']],
  ])('fail/policy %s without a policy file: --config names it', async (_, words) => {
    const { code, error } = await siptrustctl(['policy', ...words]);
    expect({ code, error }).toEqual({
      code: 2,
      error: expect.stringMatching(
        /^\/etc\/siptrust\/siptrust\.yaml is not good \(--config FILE names another one\)\n/,
      ),
    });
  });
});

describe('what nobody sees', () => {
  // Reads "op-b" backwards, and looks like two names in one.
  const odd = 'gro\u202eb-po\u200b\u00a0x';
  test('ok/in a text it is written out, in JSON it is escaped', async () => {
    const pem = { pem: `${odd}\u0085` };
    const [line] = (await siptrustctl(['identity'], `${JSON.stringify(pem)}\n`)).output.split('\n');
    expect(line).toMatch(/^[\x20-\x7e]+$/);
    const { error } = await siptrustctl(['cert', 'show', file(odd)]);
    expect(error).toMatch(/gro\\u\{202e\}b-po\\u\{200b\}\\xa0x: no such file$/);
  });
});

describe('slips of the pen in a policy', () => {
  const cases: readonly (readonly [name: string, text: string, says: RegExp])[] = [
    [
      'no colon',
      'own_domains [a.example]\nagreements: []\n',
      /:1:1: error: expected "key: value", found a line without/,
    ],
    [
      'no colon in a list',
      'agreements:\n  - name op-b\n    domains: [b.example]\n',
      /:2:5: error: expected "key: value"/,
    ],
    ['no blank after the colon', 'own_domains: []\nagreements:[]\n', /:2:1: error: expected "key: value".*a blank/],
    ['indented too far', 'a: 1\n  b: 2\n', /:1:4: error: expected one "key: value" in a line, .*indented too far/],
    [
      'own_domains as text',
      'own_domains: a.example\n',
      /own_domains: expected a list, .*\(a list of one is written \[a\.example\]\)/,
    ],
    ['a port', 'own_domains: ["a.example:5061"]\n', /own_domains\[0\]: .*a domain has no port .*`targets`/],
  ];
  test.each(cases)('fail/%s', async (_, text, says) => {
    writeFileSync(file('slip.yaml'), text);
    const { code, error } = await siptrustctl(['agreement', 'list', '--config', file('slip.yaml')]);
    expect({ code, error }).toEqual({ code: 2, error: expect.stringMatching(says) });
    // One mistake is told once.
    expect(error.match(/: error: /g)).toHaveLength(1);
  });
});
