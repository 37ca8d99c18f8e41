/** `cert enrol`, `renew` and `install` against the mock CMP server of openssl, with a TLS server that reloads. */

import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer, type Server } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { cmpArguments } from '../../../../src/ctl/enrol/cmp.js';
import { installParts } from '../../../../src/ctl/enrol/install.js';
import { siptrustctl } from '../../../support/command-line.js';
import { SIPTRUSTCTL } from '../../../support/compiled.js';
import { accepts, eventually, freePort } from '../../../support/live/places.js';
import { OpensslPki } from '../../../support/openssl-pki.js';

const root = mkdtempSync(join(tmpdir(), 'siptrust-enrol-'));
const pki = new OpensslPki(root);
const children: ChildProcess[] = [];
const servers: Server[] = [];
let made = 0;
let directory = root;
const file = (name: string) => join(directory, name);
const NAMES = [
  'subjectAltName=DNS:a.example',
  'extendedKeyUsage=serverAuth,clientAuth',
  'keyUsage=critical,digitalSignature',
];

beforeAll(() => {
  pki.root('root');
  pki.intermediate('root', 'middle');
  pki.issue('root', 'ra', ['keyUsage=critical,digitalSignature']);
  pki.issue('middle', 'old', NAMES);
  pki.issue('middle', 'new', NAMES);
  // The mock server of OpenSSL 3.0 takes a key update of the certificate with the serial of its answer alone.
  const serial = pki.openssl('x509', '-in', 'old.pem', '-noout', '-serial').trim().split('=')[1];
  pki.issue('middle', 'next', NAMES, 365, ['-set_serial', `0x${serial}`]);
  pki.root('other');
  pki.issue('middle', 'expired', NAMES, -1);
  pki.issue('middle', 'wrong-name', ['subjectAltName=DNS:x.example']);
  writeFileSync(pki.path('secret'), 'sesame-open\n');
});
beforeEach(() => {
  directory = join(root, `d${++made}`);
  mkdirSync(directory);
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill();
  for (const server of servers.splice(0)) server.close();
});
afterAll(() => rmSync(root, { recursive: true }));

/** The mock server, which answers with this certificate whatever is asked; gives its URL. */
async function cmpServer(
  answer: string,
  more: readonly string[] = ['-srv_ref', 'acme-7', '-srv_secret', 'pass:sesame-open'],
): Promise<string> {
  const port = await freePort();
  const chain = ['-rsp_cert', `${answer}.pem`, '-rsp_extracerts', 'middle.pem', '-grant_implicitconf'];
  const child = spawn('openssl', ['cmp', '-config', '', '-port', String(port), ...chain, ...more], {
    cwd: root,
    stdio: 'ignore',
  });
  children.push(child);
  await eventually('the server of openssl', () => accepts('127.0.0.1', port), 20_000);
  return `http://127.0.0.1:${port}/pkix/`;
}

/** A TLS server that reads certificate and key again when `reload` is there; gives its port. */
async function reloadingServer(certificate: string, key: string): Promise<number> {
  const read = () => ({ cert: readFileSync(certificate), key: readFileSync(key) });
  const server = createTlsServer(read());
  server.on('tlsClientError', () => {});
  servers.push(server);
  const timer = setInterval(() => {
    if (!existsSync(file('reload'))) return;
    clearInterval(timer);
    server.setSecureContext(read());
  }, 50);
  server.on('close', () => clearInterval(timer));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const secret = () => ['--ref', 'acme-7', '--secret', `file:${pki.path('secret')}`];
/** A server whose answers are signed, and which knows us by a certificate. */
const SIGNING = [
  '-srv_cert',
  'ra.pem',
  '-srv_key',
  'ra.key',
  '-srv_trusted',
  'root.pem',
  '-srv_untrusted',
  'middle.pem',
];

/** We show that certificate, and believe what is signed under these CAs. */
function knownToCa(trusted: string): readonly string[] {
  writeFileSync(file('client.pem'), pki.text('old.pem') + pki.text('middle.pem'));
  return ['--cert', file('client.pem'), '--cert-key', pki.path('old.key'), '--trusted', pki.path(trusted)];
}

const OPERATOR = ['--organization', 'Operator A'];

async function run(...args: readonly string[]) {
  const { code, output, error } = await siptrustctl(['--json', 'cert', ...args]);
  return { code, error, report: output === '' ? undefined : JSON.parse(output) };
}

/** The certificate and the key that a test has put in place by `inUse`. */
const inPlace = () => ['--certificate', file('a.pem'), '--key', file('a.key')];
const withNextKey = (name = 'next') => [...inPlace(), '--next-key', pki.path(`${name}.key`)];

function inUse(): void {
  writeFileSync(file('a.pem'), pki.text('old.pem'));
  writeFileSync(file('a.key'), pki.text('old.key'));
  chmodSync(file('a.key'), 0o640);
}

describe('cert enrol', () => {
  for (const kind of ['ir', 'cr']) {
    test(`ok/${kind} with reference and secret: certificate and chain are in place`, async () => {
      const server = await cmpServer('new');
      const args = [
        '--server',
        server,
        ...secret(),
        ...OPERATOR,
        '--request',
        kind,
        '--existing-key',
        pki.path('new.key'),
      ];
      const { code, error, report } = await run('enrol', 'a.example', ...args, '--out', file('a.pem'));
      expect({ code, error }).toEqual({ code: 0, error: '' });
      expect(report).toMatchObject({ names: ['a.example'], did: [`${kind} to ${server}`, `wrote ${file('a.pem')}`] });
      expect(readFileSync(file('a.pem'), 'utf8').replaceAll('\r', '')).toBe(
        [pki.text('new.pem'), pki.text('middle.pem')].join(''),
      );
    });
  }
  test('ok/with a certificate that the CA knows; its answers are signed', async () => {
    const server = await cmpServer('new', SIGNING);
    const places = ['--existing-key', pki.path('new.key'), '--out', file('a.pem')];
    const args = ['--server', server, ...knownToCa('root.pem'), ...OPERATOR, ...places];
    expect(await run('enrol', 'a.example', ...args)).toMatchObject({ code: 0, error: '' });
  });
  test('fail/a certificate for another key than ours: nothing is installed, the new key is gone', async () => {
    const args = [
      '--server',
      await cmpServer('new'),
      ...secret(),
      ...OPERATOR,
      '--key',
      file('a.key'),
      '--out',
      file('a.pem'),
    ];
    const { code, error } = await run('enrol', 'a.example', ...args);
    expect({ code, error }).toEqual({
      code: 1,
      error: expect.stringMatching(/expected (a certificate|one for the key)/),
    });
    expect(readdirSync(directory)).toEqual([]);
  });
  test('fail/answers that are signed under another CA than ours', async () => {
    const places = ['--existing-key', pki.path('new.key'), '--out', file('a.pem')];
    const server = await cmpServer('new', SIGNING);
    const args = ['--server', server, ...knownToCa('other.pem'), ...OPERATOR, ...places];
    const { code, error } = await run('enrol', 'a.example', ...args);
    expect({ code, error }).toEqual({
      code: 1,
      error: expect.stringMatching(
        /expected a certificate, found no answer that counts:\n[\s\S]*(verif|trust|certificate)/i,
      ),
    });
    expect(readdirSync(directory)).toEqual(['client.pem']);
  });
  test('fail/a certificate whose time is over', async () => {
    const places = ['--existing-key', pki.path('expired.key'), '--out', file('a.pem')];
    const server = await cmpServer('expired');
    const { code, error } = await run('enrol', 'a.example', '--server', server, ...secret(), ...OPERATOR, ...places);
    expect({ code, error }).toEqual({
      code: 1,
      error: expect.stringMatching(
        /expected one that is valid now, found .*; nothing has changed \(is the clock right\?\)/,
      ),
    });
    expect(readdirSync(directory)).toEqual([]);
    const [, kept = ''] = /is kept in (\S+)$/.exec(error) ?? [];
    expect(kept).not.toBe('');
    rmSync(kept, { recursive: true });
  });
  test('fail/a certificate in another name', async () => {
    const args = [
      '--server',
      await cmpServer('wrong-name'),
      ...secret(),
      ...OPERATOR,
      '--existing-key',
      pki.path('wrong-name.key'),
    ];
    const { code, error } = await run('enrol', 'a.example', ...args, '--out', file('a.pem'));
    expect({ code, error }).toEqual({
      code: 1,
      error: expect.stringMatching(/expected the name a\.example, found x\.example; nothing has changed/),
    });
    expect(readdirSync(directory)).toEqual([]);
    // The secret counts once: what the CA issued is not thrown away.
    const [, kept = ''] = /is kept in (\S+)$/.exec(error) ?? [];
    expect(readFileSync(join(kept, 'new.pem'), 'utf8').replaceAll('\r', '')).toBe(pki.text('wrong-name.pem'));
    expect(statSync(kept).mode & 0o777).toBe(0o700);
    rmSync(kept, { recursive: true });
  });
  test.each([
    ['a directory that is not there', ['--out', 'none/a.pem', '--key', 'a.key'], /^--out .*none: expected a directory/],
    [
      'a place that is a directory',
      ['--out', '.', '--key', 'a.key'],
      /^--out .*: expected a file, found something else$/,
    ],
    ['the key has no place', ['--out', 'a.pem', '--key', 'none/a.key'], /^--key .*none: expected a directory/],
    [
      'one file for both',
      ['--out', 'a.pem', '--key', 'a.pem'],
      /^--out and --key: expected two files, found .*a\.pem for both/,
    ],
    [
      'the key that is there',
      ['--out', 'a.key', '--existing-key', 'a.key'],
      /^--out and --existing-key: expected two files/,
    ],
    ['no address to look at', ['--out', 'a.pem', '--key', 'a.key', '--check', 'a:b:c'], /^expected HOST:PORT/],
  ])('fail/%s: said before the CA is asked', async (_, places, error) => {
    const paths = places.map((text) => (text.startsWith('--') || text === 'a:b:c' ? text : file(text)));
    const args = ['--server', 'http://127.0.0.1:1/', ...secret(), ...OPERATOR, ...paths];
    expect(await run('enrol', 'a.example', ...args)).toMatchObject({ code: 2, error: expect.stringMatching(error) });
  });
  test('fail/SIGTERM while the CA does not answer: no key is left behind', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const { port } = silent.address() as AddressInfo;
    // The look whether somebody is there is the first connection, openssl the second.
    let connections = 0;
    silent.on('connection', () => {
      connections++;
      if (connections === 2) child.kill('SIGTERM');
    });
    const args = [...secret(), ...OPERATOR, '--key', file('a.key'), '--out', file('a.pem')];
    const words = ['cert', 'enrol', 'a.example', '--server', `http://127.0.0.1:${port}/`, ...args];
    const child = spawn(process.execPath, [SIPTRUSTCTL, ...words], {
      env: { ...process.env, TMPDIR: directory },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    silent.close();
    expect({ code, said }).toEqual({
      code: 143,
      said: expect.stringMatching(/stopped by SIGTERM: the CA was asked, and no answer was read; nothing has changed/),
    });
    expect(readdirSync(directory)).toEqual([]);
  });
  test('fail/a wrong secret: openssl says so', async () => {
    writeFileSync(file('wrong'), 'other\n');
    const args = [
      '--server',
      await cmpServer('new'),
      '--ref',
      'acme-7',
      '--secret',
      `file:${file('wrong')}`,
      ...OPERATOR,
    ];
    const { code, error } = await run(
      'enrol',
      'a.example',
      ...args,
      '--existing-key',
      pki.path('new.key'),
      '--out',
      file('a.pem'),
    );
    expect({ code, error }).toEqual({
      code: 1,
      error: expect.stringMatching(
        /^ir to http:.*: expected a certificate, found no answer that counts:\n[\s\S]*(protection|PBM|MAC)/i,
      ),
    });
  });
  test('fail/nobody there', async () => {
    const args = [
      '--server',
      `http://127.0.0.1:${await freePort()}/`,
      ...secret(),
      ...OPERATOR,
      '--existing-key',
      pki.path('new.key'),
    ];
    const { error } = await run('enrol', 'a.example', ...args, '--out', file('a.pem'));
    expect(error).toMatch(/expected a CMP server, found connect ECONNREFUSED/);
  });
  test('ok/--dry-run: what would be done, and nothing of it', async () => {
    const args = [
      '--server',
      'http://127.0.0.1:1/',
      ...secret(),
      ...OPERATOR,
      '--key',
      file('a.key'),
      '--out',
      file('a.pem'),
      '--dry-run',
    ];
    const { code, report } = await run('enrol', 'a.example', ...args, '--then', 'kamcmd tls.reload');
    expect(code).toBe(0);
    expect(report).toMatchObject({
      would_run: expect.stringMatching(
        /^openssl cmp .*-cmd ir -server http:\/\/127\.0\.0\.1:1\/ -ref acme-7 -secret file:/,
      ),
      would_write: [file('a.key'), file('a.pem')],
      would_then: 'kamcmd tls.reload',
    });
    expect(readdirSync(directory)).toEqual([]);
  });

  const faults: readonly (readonly [name: string, args: readonly string[], error: RegExp])[] = [
    [
      'a secret on the command line',
      ['--ref', 'r', '--secret', 'pass:x'],
      /^--secret: expected file:PATH or env:VARIABLE, found pass:.*ps$/,
    ],
    ['nobody says who asks', [], /^expected --ref with --secret, or --cert with --cert-key/],
    ['an unknown kind', ['--request', 'rr'], /^--request: expected ir or cr, found "rr"/],
  ];
  test.each(faults)('fail/%s', async (_, args, error) => {
    const base = [
      '--server',
      'http://127.0.0.1:1/',
      ...OPERATOR,
      '--existing-key',
      pki.path('new.key'),
      '--out',
      file('a.pem'),
    ];
    expect(await run('enrol', 'a.example', ...base, ...args)).toMatchObject({
      code: 2,
      error: expect.stringMatching(error),
    });
  });
  test('ok/no secret is among the arguments of openssl', () => {
    const credential = { reference: 'r', secret: 'env:SECRET' };
    const words = cmpArguments({ command: 'ir', server: 's', credential, key: 'k' }, { certificate: 'c', chain: 'd' });
    expect(words.filter((_, at) => words[at - 1] === '-secret')).toEqual(['env:SECRET']);
  });
});

describe('cert renew', () => {
  test('ok/a new key: both are in place, the old ones kept, the server shows it', async () => {
    inUse();
    const port = await reloadingServer(file('a.pem'), file('a.key'));
    const args = [...withNextKey(), ...secret()];
    const after = ['--then', `touch ${file('reload')}`, '--check', `127.0.0.1:${port}`];
    const server = await cmpServer('next');
    const { code, error, report } = await run('renew', '--server', server, ...args, ...after);
    expect({ code, error }).toEqual({ code: 0, error: '' });
    expect(report.did).toEqual([
      `kur to ${server}`,
      `wrote ${file('a.key')}, the old one is ${file('a.key.old')}`,
      `wrote ${file('a.pem')}, the old one is ${file('a.pem.old')}`,
      `ran touch ${file('reload')}`,
      `checked 127.0.0.1:${port}: the new certificate is served`,
    ]);
    expect(readFileSync(file('a.key'), 'utf8')).toBe(pki.text('next.key'));
    expect(readFileSync(file('a.key.old'), 'utf8')).toBe(pki.text('old.key'));
    // The proxy that could read the old key can read the new one.
    expect(statSync(file('a.key')).mode & 0o777).toBe(0o640);
    expect(readdirSync(directory).sort()).toEqual(['a.key', 'a.key.old', 'a.pem', 'a.pem.old', 'reload']);
  });
  test('ok/by the certificate in use, with the same key', async () => {
    inUse();
    writeFileSync(file('a.pem'), pki.text('old.pem') + pki.text('middle.pem'));
    const server = await cmpServer('old', SIGNING);
    const args = [...inPlace(), '--keep-key', '--trusted', pki.path('root.pem')];
    expect(await run('renew', '--server', server, ...args)).toMatchObject({ code: 0, error: '' });
    expect(existsSync(file('a.key.old'))).toBe(false);
  });
  test('fail/the server does not show the new one: it is said, with the way back', async () => {
    inUse();
    const port = await reloadingServer(file('a.pem'), file('a.key'));
    const args = [...withNextKey(), ...secret()];
    const { code, report } = await run(
      'renew',
      '--server',
      await cmpServer('next'),
      ...args,
      '--then',
      'echo no; exit 3',
      '--check',
      `127.0.0.1:${port}`,
    );
    expect(code).toBe(1);
    expect(report.did.slice(-2)).toEqual([
      'FAILED echo no; exit 3: ended with code 3: no',
      expect.stringMatching(
        /^FAILED 127\.0\.0\.1:\d+: expected the new certificate, found the one with SHA-256 [0-9a-f]{16}$/,
      ),
    ]);
    expect(report.to_go_back).toBe(
      `mv ${file('a.key.old')} ${file('a.key')} && mv ${file('a.pem.old')} ${file('a.pem')}`,
    );
  });
  test('fail/signed answers without CA certificates to hold them against', async () => {
    inUse();
    const { error } = await run('renew', '--server', 'http://127.0.0.1:1/', ...inPlace());
    expect(error).toMatch(/^--trusted: expected the CA certificates/);
  });
});

describe('cert install', () => {
  test('ok/a certificate that came by mail, and its key', async () => {
    inUse();
    const args = [pki.path('new.pem'), ...withNextKey('new')];
    expect(await run('install', ...args)).toMatchObject({ code: 0, error: '' });
    expect(readFileSync(file('a.pem.old'), 'utf8')).toBe(pki.text('old.pem'));
    expect(readFileSync(file('a.key'), 'utf8')).toBe(pki.text('new.key'));
  });
  const faults: readonly (readonly [name: string, certificate: string, key: string | undefined, error: RegExp])[] = [
    [
      'one for another key',
      'new',
      undefined,
      /expected one for the key .*a\.key, found one for another key; nothing has changed/,
    ],
    [
      'one without the names of the old',
      'wrong-name',
      'wrong-name',
      /expected the name a\.example, found x\.example; nothing has changed/,
    ],
  ];
  test.each(faults)('fail/%s', async (_, certificate, key, error) => {
    inUse();
    const next = key === undefined ? [] : ['--next-key', pki.path(`${key}.key`)];
    const args = [pki.path(`${certificate}.pem`), ...inPlace(), ...next];
    expect(await run('install', ...args)).toMatchObject({ code: 1, error: expect.stringMatching(error) });
    expect(readFileSync(file('a.pem'), 'utf8')).toBe(pki.text('old.pem'));
    expect(readdirSync(directory).sort()).toEqual(['a.key', 'a.pem']);
  });
  test('fail/certificate and key in one file: the key is not written over', async () => {
    writeFileSync(file('both.pem'), pki.text('old.key') + pki.text('old.pem'));
    const args = [pki.path('new.pem'), '--certificate', file('both.pem'), '--key', file('both.pem')];
    expect(await run('install', ...args)).toMatchObject({
      code: 2,
      error: expect.stringMatching(/^--certificate and --key: expected two files/),
    });
    expect(readFileSync(file('both.pem'), 'utf8')).toBe(pki.text('old.key') + pki.text('old.pem'));
  });
  test('fail/a certificate in use that cannot be read: its names are unknown, nothing takes its place', async () => {
    inUse();
    writeFileSync(file('a.pem'), 'no certificate\n');
    const args = [pki.path('wrong-name.pem'), ...inPlace()];
    const { code, error } = await run('install', ...args, '--next-key', pki.path('wrong-name.key'));
    expect({ code, error }).toEqual({ code: 2, error: expect.stringMatching(/a\.pem: expected a certificate/) });
    expect(readFileSync(file('a.pem'), 'utf8')).toBe('no certificate\n');
  });
  test('fail/the disk fills up in the middle of the certificate: the old one stays', async () => {
    inUse();
    writeFileSync(file('chain.pem'), pki.text('new.pem') + pki.text('middle.pem').repeat(3));
    const args = [file('chain.pem'), ...inPlace()];
    const next = ['--next-key', pki.path('new.key')];
    // As with a full disk, write(2) takes a part first, and fails after that.
    const limited = `trap '' XFSZ; ulimit -f 2; exec "$@"`;
    const child = spawn(
      'bash',
      ['-c', limited, 'bash', process.execPath, SIPTRUSTCTL, 'cert', 'install', ...args, ...next],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect({ code, said }).toEqual({ code: 2, said: expect.stringMatching(/EFBIG.*nothing has changed/) });
    expect(readFileSync(file('a.pem'), 'utf8')).toBe(pki.text('old.pem'));
    expect(readFileSync(file('a.key'), 'utf8')).toBe(pki.text('old.key'));
    expect(readdirSync(directory).sort()).toEqual(['a.key', 'a.pem', 'chain.pem']);
  });
  test('fail/the second file finds no place: the first goes back, and nothing is left beside it', () => {
    inUse();
    mkdirSync(file('a.pem.old'));
    const parts = ['a.key', 'a.pem'].map((name) => ({ path: file(name), text: 'new', mode: 0o600 }));
    expect(() => installParts(parts)).toThrow(/a\.pem: EISDIR.*; nothing has changed$/);
    expect(readFileSync(file('a.key'), 'utf8')).toBe(pki.text('old.key'));
    expect(readdirSync(directory).sort()).toEqual(['a.key', 'a.pem', 'a.pem.old']);
  });
  test('ok/--then starts a server that holds its output: it is not waited for', { timeout: 60_000 }, async () => {
    inUse();
    const args = [pki.path('new.pem'), ...inPlace()];
    const then = `echo up; sleep 300 & echo $! >${file('pid')}`;
    const { code, report } = await run('install', ...args, '--next-key', pki.path('new.key'), '--then', then);
    process.kill(Number(readFileSync(file('pid'), 'utf8')));
    expect({ code, did: report.did.at(-1) }).toEqual({ code: 0, did: `ran ${then}: up` });
  });
  test('fail/the second file cannot be written: the first is as it was', async () => {
    inUse();
    const gone = join(directory, 'none', 'a.pem');
    const args = [
      pki.path('new.pem'),
      '--certificate',
      gone,
      '--key',
      file('a.key'),
      '--next-key',
      pki.path('new.key'),
    ];
    expect(await run('install', ...args)).toMatchObject({
      code: 2,
      error: expect.stringMatching(/none\/a\.pem: .*nothing has changed/),
    });
    expect(readFileSync(file('a.key'), 'utf8')).toBe(pki.text('old.key'));
    expect(readdirSync(directory).sort()).toEqual(['a.key', 'a.pem']);
  });
});
