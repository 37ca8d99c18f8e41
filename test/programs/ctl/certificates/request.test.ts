/** `cert request` against the openssl command: what is asked for, and what comes of it when a real CA signs it. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { siptrustctl } from '../../../support/command-line.js';
import { question } from '../../../support/evidence.js';

const root = mkdtempSync(join(tmpdir(), 'siptrust-request-'));
let made = 0;
let directory = root;
const file = (name: string) => join(directory, name);
const openssl = (...args: readonly string[]) =>
  execFileSync('openssl', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const OPERATOR = ['--organization', 'Operator B'];

beforeAll(() => {
  openssl(
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '3650'],
    ...['-subj', '/O=Operator B/CN=Operator B CA', '-keyout', 'ca.key', '-out', 'ca.pem'],
    ...['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
  );
});
beforeEach(() => {
  made += 1;
  directory = mkdtempSync(join(root, `${made}-`));
});
afterAll(() => rmSync(root, { recursive: true }));

/** Makes a request in a file and gives what openssl reads in it, its signature verified. */
async function requested(...args: readonly string[]): Promise<string> {
  const { code, error } = await siptrustctl(['cert', 'request', ...args, ...OPERATOR, '--out', file('b.csr')]);
  expect({ code, error }).toEqual({ code: 0, error: '' });
  return openssl('req', '-verify', '-text', '-noout', '-in', file('b.csr'));
}

/** Has the CA sign it, extensions as they were asked for, and one more that only the CA knows. */
function issued(): string {
  writeFileSync(file('ca.ext'), 'crlDistributionPoints=URI:http://crl.b.example/ca.crl\n');
  openssl(
    ...['x509', '-req', '-in', file('b.csr'), '-CA', 'ca.pem', '-CAkey', 'ca.key', '-days', '365'],
    ...['-copy_extensions', 'copy', '-extfile', file('ca.ext'), '-out', file('b.pem')],
  );
  return file('b.pem');
}

describe('the request', () => {
  const algorithms: readonly (readonly [string, RegExp])[] = [
    ['p256', /P-256[\s\S]*ecdsa-with-SHA256/],
    ['p384', /P-384[\s\S]*ecdsa-with-SHA384/],
    ['rsa2048', /2048 bit[\s\S]*sha256WithRSAEncryption/],
    ['rsa3072', /3072 bit[\s\S]*sha256WithRSAEncryption/],
  ];
  test.each(algorithms)('ok/%s: the key and its signature', async (algorithm, text) => {
    expect(await requested('b.example', '--key', file('b.key'), '--algorithm', algorithm)).toMatch(text);
    expect(openssl('pkey', '-in', file('b.key'), '-pubout')).toBe(
      openssl('req', '-in', file('b.csr'), '-noout', '-pubkey'),
    );
  });

  const asked: readonly (readonly [name: string, args: readonly string[], parts: readonly RegExp[]])[] = [
    [
      'what TS 33.310 §6.1.3a asks for',
      ['b.example', 'sbc.b.example'],
      [
        /Key Usage: critical\n +Digital Signature\n/,
        /Extended Key Usage: *\n +TLS Web Server Authentication, TLS Web Client Authentication\n/,
        /Alternative Name: *\n +DNS:b.example, DNS:sbc.b.example\n/,
        /Subject: O ?= ?Operator B, CN ?= ?b.example\n/,
      ],
    ],
    ['sip: URIs', ['b.example', '--uri'], [/DNS:b.example, URI:sip:b.example\n/]],
    ['sipDomain', ['b.example', '--sip-domain'], [/Client Authentication, 1\.3\.6\.1\.5\.5\.7\.3\.20\n/]],
    ['U-labels, converted once', ['bücher.example'], [/DNS:xn--bcher-kva.example\n/]],
    ['a domain given twice', ['B.example', 'b.example.'], [/DNS:b.example\n/]],
    [
      'a subject of its own',
      ['b.example', '--country', 'DE', '--common-name', 'sbc 1'],
      [/Subject: C ?= ?DE, O ?= ?Operator B, CN ?= ?sbc 1\n/],
    ],
  ];
  test.each(asked)('ok/%s', async (_, args, parts) => {
    const text = await requested(...args, '--key', file('b.key'));
    for (const part of parts) expect(text).toMatch(part);
  });

  test('ok/on standard output where no file is named', async () => {
    const { output } = await siptrustctl(['cert', 'request', 'b.example', ...OPERATOR, '--key', file('b.key')]);
    expect(output).toMatch(/^-----BEGIN CERTIFICATE REQUEST-----\n[\s\S]+\n-----END CERTIFICATE REQUEST-----\n$/);
  });

  test.each([['rsa2048'], ['p384']])('ok/a %s key that is there already, so that pins stay good', async (algorithm) => {
    await requested('b.example', '--key', file('b.key'), '--algorithm', algorithm);
    const [before, key] = [openssl('req', '-in', file('b.csr'), '-noout', '-pubkey'), readFileSync(file('b.key'))];
    rmSync(file('b.csr'));
    await requested('b.example', 'sbc.b.example', '--existing-key', file('b.key'));
    expect(openssl('req', '-in', file('b.csr'), '-noout', '-pubkey')).toBe(before);
    expect(readFileSync(file('b.key'))).toEqual(key);
  });
});

describe('names that are no SIP domain identities, and other mistakes', () => {
  const mistakes: readonly (readonly [name: string, args: readonly string[], error: RegExp])[] = [
    ['a wildcard', ['*.b.example'], /found "\*\.b\.example": a wildcard names no one domain/],
    ['an IPv4 address', ['192.0.2.1'], /an IP address is no SIP domain identity/],
    ['an IPv6 address', ['2001:db8::1'], /found "2001:db8::1"/],
    ['a single label', ['localhost'], /one label only/],
    ['a port', ['b.example:5061'], /a domain has no port/],
    ['a URI', ['sip:b.example'], /stands without "sip:"/],
    ['an address of record', ['alice@b.example'], /without the user part/],
    ['a control byte', ['b.example\0.x.example'], /0x00/],
    ['a label that looks like another', ['\u212Aelvin.example'], /does not survive/],
    ['the second domain', ['b.example', '*.b.example'], /wildcard/],
    ['a key below the floor', ['b.example', '--algorithm', 'rsa1024'], /expected one of p256, .*, found "rsa1024"/],
    ['a long organization', ['b.example', '--organization', 'x'.repeat(65)], /1 to 64 .*, found 65 characters/],
    ['an empty organization', ['b.example', '--organization', ''], /--organization: expected/],
    ['a long first domain as common name', [`${'x'.repeat(60)}.b.example`], /--common-name: expected/],
    ['a country in full', ['b.example', '--country', 'Germany'], /two capital letters/],
  ];
  test.each(mistakes)('fail/%s', async (_, args, error) => {
    const organization = args.includes('--organization') ? [] : OPERATOR;
    const outcome = await siptrustctl(['cert', 'request', ...args, ...organization, '--key', file('b.key')]);
    expect(outcome.code).toBe(2);
    expect(outcome.error).toMatch(error);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('fail/an existing key below the floor, or none', async () => {
    openssl('genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024', '-out', file('weak.key'));
    const ask = (...args: readonly string[]) => siptrustctl(['cert', 'request', 'b.example', ...OPERATOR, ...args]);
    expect((await ask('--existing-key', file('weak.key'))).error).toMatch(/found rsa 1024 bits/);
    expect((await ask('--existing-key', file('none.key'))).error).toMatch(/none.key: no such file/);
    expect((await ask()).error).toMatch(/either --key .* or --existing-key/);
  });
});

describe('the files', () => {
  test('ok/the key is for its owner alone', async () => {
    await requested('b.example', '--key', file('b.key'));
    expect((statSync(file('b.key')).mode & 0o777).toString(8)).toBe('600');
    expect(readdirSync(directory).sort()).toEqual(['b.csr', 'b.key']);
  });

  const taken: readonly (readonly [name: string, prepare: () => void, left: readonly string[]])[] = [
    ['a key that is there', () => writeFileSync(file('b.key'), 'mine'), ['b.key']],
    ['a request that is there: no key is left behind', () => writeFileSync(file('b.csr'), 'mine'), ['b.csr']],
    ['a dangling link in the place of the key', () => symlinkSync(file('elsewhere'), file('b.key')), ['b.key']],
  ];
  test.each(taken)('fail/%s', async (_, prepare, left) => {
    prepare();
    const paths = ['--key', file('b.key'), '--out', file('b.csr')];
    const outcome = await siptrustctl(['cert', 'request', 'b.example', ...OPERATOR, ...paths]);
    expect(outcome).toMatchObject({ code: 2, error: expect.stringMatching(/nothing is overwritten/) });
    expect(readdirSync(directory)).toEqual(left);
  });

  test('fail/a directory that is not there', async () => {
    const paths = ['--key', file('b.key'), '--out', file('none/b.csr')];
    const outcome = await siptrustctl(['cert', 'request', 'b.example', ...OPERATOR, ...paths]);
    expect(outcome.error).toMatch(/none\/b.csr: expected a directory that exists/);
    expect(readdirSync(directory)).toEqual([]);
  });
});

describe('the certificate that a CA makes of it', () => {
  test.each([
    ['p256', 'tls', []],
    ['p384', 'tls', ['--uri']],
    ['rsa2048', 'rfc5924', ['--sip-domain', '--uri']],
  ] as const)('ok/%s, eku: %s: lint finds no error, and siptrust trusts it', async (algorithm, eku, more) => {
    await requested('b.example', '--key', file('b.key'), '--algorithm', algorithm, ...more);
    const pem = issued();
    const lint = await siptrustctl(['--json', 'cert', 'lint', pem]);
    const findings = JSON.parse(lint.output) as readonly { severity: string; rule: string }[];
    expect(lint.code).toBe(0);
    expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);

    const policy = {
      own_domains: ['a.example'],
      agreements: [
        {
          ...{ name: 'op-b', domains: ['b.example'], mechanism: 'tls', anchors: [join(root, 'ca.pem')] },
          ...{ revocation: 'off', eku },
        },
      ],
    };
    writeFileSync(file('siptrust.yaml'), stringify(policy), { mode: 0o600 });
    for (const direction of ['in', 'out']) {
      const asked = question(readFileSync(pem, 'utf8'), {
        ...{ direction, conid: 1 },
        ...(direction === 'out' ? { next_hop: 'b.example' } : {}),
      });
      const { output } = await siptrustctl(['peer', '--config', file('siptrust.yaml')], `${JSON.stringify(asked)}\n`);
      expect(JSON.parse(output)).toMatchObject({ verdict: 'trusted', agreement: 'op-b' });
    }
  });

  test('fail/cert lint tells by its exit code that a certificate holds an error', async () => {
    openssl(
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=x'],
      ...['-addext', 'subjectAltName=DNS:*.b.example', '-keyout', file('x.key'), '-out', file('x.pem')],
    );
    const { code, output } = await siptrustctl(['cert', 'lint', file('x.pem')]);
    expect(code).toBe(1);
    expect(output).toMatch(/no-sip-identity +error/);
  });
});
