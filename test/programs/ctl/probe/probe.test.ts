/** `siptrustctl probe` against real TLS servers: node:tls, and `openssl s_server`. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server, type TlsOptions } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { loadPolicy } from '../../../../src/policy/loading/loader.js';
import { siptrustctl } from '../../../support/command-line.js';
import { OpensslPki } from '../../../support/openssl-pki.js';

const root = mkdtempSync(join(tmpdir(), 'siptrust-probe-'));
const pki = new OpensslPki(root);
const servers: Server[] = [];
const children: ChildProcess[] = [];

beforeAll(() => {
  pki.root('root');
  pki.intermediate('root', 'middle');
  pki.issue('middle', 'b', ['subjectAltName=DNS:b.example', 'extendedKeyUsage=serverAuth,clientAuth']);
  pki.issue('middle', 'server-only', ['subjectAltName=DNS:b.example', 'extendedKeyUsage=serverAuth']);
  pki.issue('root', 'a', ['subjectAltName=DNS:a.example', 'extendedKeyUsage=serverAuth,clientAuth']);
  pki.root('other');
  const self = ['-subj', '/CN=b.example', '-addext', 'subjectAltName=DNS:b.example', '-days', '30'];
  pki.openssl(
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    ...self,
    '-keyout',
    'self.key',
    '-out',
    'self.pem',
  );
  writeFileSync(pki.path('chain.pem'), pki.text('b.pem') + pki.text('middle.pem'));
  policy('trusting.yaml', 'anchors: [root.pem], intermediates: [middle.pem]');
  policy('mismatch.yaml', 'anchors: [other.pem]');
  writeFileSync(pki.path('empty.yaml'), 'own_domains: [a.example]\n');
});
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  for (const child of children.splice(0)) child.kill();
});
afterAll(() => rmSync(root, { recursive: true }));

function policy(name: string, keys: string): void {
  const agreement = `{name: op-b, domains: [b.example], mechanism: tls, ${keys}}`;
  writeFileSync(pki.path(name), `own_domains: [a.example]\nagreements:\n  - ${agreement}\n`);
}

/** A server with this certificate; gives its port. */
async function serve(name: string, options: TlsOptions = {}): Promise<number> {
  const chain = name === 'b' ? pki.text('chain.pem') : pki.text(`${name}.pem`);
  const server = createServer({ cert: chain, key: pki.text(`${name}.key`), ...options });
  server.on('tlsClientError', () => {});
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const config = (name: string) => ['--config', pki.path(name)];
const authorities = () => ['--authorities', pki.path('root.pem')];

async function probed(port: number, ...args: readonly string[]) {
  const { code, output, error } = await siptrustctl(['--json', 'probe', `127.0.0.1:${port}`, ...args]);
  return { code, error, report: output === '' ? undefined : JSON.parse(output) };
}

describe('probe', () => {
  test.each([
    ['is not there', 'none', 'no such file'],
    ['is a file', 'chain.pem', 'a file'],
  ])('fail/--save where the directory %s: said before anybody is called', async (_, name, found) => {
    // Nobody listens at port 1.
    const { code, error } = await siptrustctl(['probe', '127.0.0.1:1', '--save', pki.path(name)]);
    expect({ code, error }).toEqual({
      code: 2,
      error: `--save ${pki.path(name)}: expected a directory that exists and may be written, found ${found}`,
    });
  });

  test('ok/a server that renegotiates for ever: the first handshake counts', { timeout: 60_000 }, async () => {
    const server = createServer({ cert: pki.text('chain.pem'), key: pki.text('b.key'), maxVersion: 'TLSv1.2' });
    server.on('secureConnection', (socket) => {
      socket.on('error', () => {});
      const again = (): void => {
        if (socket.destroyed) return;
        socket.renegotiate({}, () => setTimeout(again, 5));
      };
      again();
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { code, report } = await probed(port, '--domain', 'b.example', ...config('trusting.yaml'));
    expect(code).toBe(0);
    expect(report?.handshakes).toMatchObject([{ outcome: 'accepted', version: 'TLSv1.2' }]);
  });

  test('ok/a partner: trusted in both directions, nothing to write', async () => {
    const port = await serve('b');
    const { code, report } = await probed(port, '--domain', 'b.example', ...config('trusting.yaml'));
    expect(code).toBe(0);
    expect(report).toMatchObject({
      handshakes: [{ as: 'without a certificate', outcome: 'accepted', version: 'TLSv1.3' }],
      chain: [{ subject: 'CN=b,O=Partner' }, { subject: 'CN=middle,O=Partner', issuer: 'CN=root,O=Operator' }],
      names: { kind: 'dns', names: ['b.example'] },
      verdicts: [
        { direction: 'out', verdict: 'trusted' },
        { direction: 'in', verdict: 'trusted' },
      ],
      policy: '',
    });
  });

  test('ok/a partner whose root stands in the policy alone: nothing is said of an agreement that nobody needs', async () => {
    const port = await serve('b');
    const args = ['--domain', 'b.example', '--authorities', pki.path('other.pem')];
    const { code, report } = await probed(port, ...args, ...config('trusting.yaml'));
    expect({ code, ...report }).toMatchObject({ code: 0, policy: '', notes: [] });
    const stranger = await probed(port, ...args, ...config('empty.yaml'));
    expect(stranger.report.notes).toEqual([expect.stringMatching(/whose own CA .* is not here/)]);
  });

  test('ok/the agreement says which domain', async () => {
    const port = await serve('b');
    const { code, report } = await probed(port, '--agreement', 'op-b', ...config('trusting.yaml'));
    expect({ code, target: report.target }).toEqual({
      code: 0,
      target: `127.0.0.1 port ${port}, server name b.example`,
    });
  });

  test('ok/a stranger: the proposed agreement, once written, accepts it', async () => {
    const port = await serve('b');
    const save = mkdtempSync(join(root, 'save-'));
    const args = ['--domain', 'b.example', '--save', save, ...authorities()];
    const { code, report } = await probed(port, ...args, ...config('empty.yaml'));
    expect({ code, verdicts: report.verdicts.map((row: { verdict: string }) => row.verdict) }).toEqual({
      code: 1,
      verdicts: ['untrusted', 'untrusted'],
    });
    expect(report.advice[0]).toMatch(/^not-listed: /);
    expect(readdirSync(save)).toHaveLength(3);
    const loaded = loadPolicy(join(save, 'b.example.yaml'), 1, Date.now());
    expect(loaded).toMatchObject({ ok: true });
    const text = report.policy.replace('enforcement: monitor', 'enforcement: enforce');
    writeFileSync(join(save, 'enforced.yaml'), text);
    expect(await probed(port, '--domain', 'b.example', '--config', join(save, 'enforced.yaml'))).toMatchObject({
      code: 0,
    });
  });

  test('fail/a stranger whose certificate no agreement would trust: said beside the proposal', async () => {
    const args = ['--domain', 'b.example', ...authorities(), ...config('empty.yaml')];
    const { report } = await probed(await serve('server-only'), ...args, ...['--authorities', pki.path('middle.pem')]);
    expect(report.policy).toMatch(/domains: \[b\.example\]/);
    expect(report.notes).toEqual([expect.stringMatching(/^would not be trusted where it calls: .* clientAuth/)]);
    const good = await probed(await serve('b'), ...args);
    expect(good.report.notes).toEqual([]);
  });

  test('fail/a CA of somebody else: the anchor to add, if the partner confirms it', async () => {
    const { code, report } = await probed(
      await serve('b'),
      '--domain',
      'b.example',
      ...config('mismatch.yaml'),
      ...authorities(),
    );
    expect(code).toBe(1);
    expect(report.advice.join('\n')).toMatch(/^missing-intermediate: .*if the partner confirms/m);
    expect(report.advice.join('\n')).not.toContain('untrusted-chain');
    expect(report.policy).toMatch(/anchors: \[root-[0-9a-f]{8}\.pem\]/);
  });

  test('fail/a self-signed certificate: its key to pin, and no CA to add', async () => {
    const port = await serve('self');
    for (const policyFile of ['mismatch.yaml', 'empty.yaml']) {
      const { code, report } = await probed(
        port,
        ...['--domain', 'b.example', ...config(policyFile), ...authorities()],
        ...['--ca-list', pki.path('root.pem')],
      );
      expect(code).toBe(1);
      for (const key of ['sha256/', 'pin: leaf', 'stack_verification: advisory']) expect(report.policy).toContain(key);
      const text: string = report.advice.join('\n');
      expect(text).not.toMatch(/add the anchor|ca_list|`intermediates`/);
      expect(text).toMatch(/^stack-unverified: .*advisory/m);
      if (policyFile === 'mismatch.yaml') expect(text).toMatch(/^untrusted-chain: .*self-signed.*pin: leaf/m);
    }
  });

  test('fail/a certificate for servers alone: out yes, in no, and what helps', async () => {
    const port = await serve('server-only');
    const { report } = await probed(port, '--domain', 'b.example', ...config('trusting.yaml'));
    expect(report.verdicts).toMatchObject([
      { direction: 'out', verdict: 'trusted' },
      {
        ...{ direction: 'in', verdict: 'untrusted' },
        reasons: [expect.stringMatching(/^eku: /), expect.stringMatching(/^stack-unverified: .*no clientAuth/)],
      },
    ]);
    expect(report.advice).toEqual([expect.stringMatching(/^eku: .*any-role/)]);
  });

  test('fail/the same, where the agreement takes it and names no intermediate: the proxy will have no chain', async () => {
    policy('public.yaml', 'anchors: [root.pem], eku: any-role, stack_verification: advisory');
    const port = await serve('server-only', { cert: pki.text('server-only.pem') + pki.text('middle.pem') });
    const { report } = await probed(port, '--domain', 'b.example', ...config('public.yaml'));
    expect(report.verdicts).toMatchObject([
      { direction: 'out', verdict: 'trusted' },
      {
        direction: 'in',
        verdict: 'untrusted',
        reasons: [expect.stringMatching(/^missing-intermediate: /), expect.anything()],
      },
    ]);
  });

  test('fail/a root that the older one has signed, and ca_list has both: the proxy ends the chain at it', async () => {
    pki.openssl('req', '-new', '-key', 'other.key', '-subj', '/O=Operator/CN=other', '-out', 'cross.csr');
    pki.openssl(
      ...['x509', '-req', '-in', 'cross.csr', '-CA', 'root.pem', '-CAkey', 'root.key', '-CAcreateserial'],
      ...['-days', '30', '-extfile', 'middle.ext', '-out', 'cross.pem'],
    );
    pki.issue('other', 'renewed', ['subjectAltName=DNS:b.example']);
    policy('older.yaml', 'anchors: [root.pem]');
    writeFileSync(pki.path('both.pem'), pki.text('root.pem') + pki.text('other.pem'));
    const port = await serve('renewed', { cert: pki.text('renewed.pem') + pki.text('cross.pem') });
    const args = ['--domain', 'b.example', ...config('older.yaml'), '--ca-list'];
    const { report: both } = await probed(port, ...args, pki.path('both.pem'));
    expect(both.verdicts[0]).toMatchObject({
      verdict: 'reject',
      reasons: [expect.stringMatching(/^anchor-mismatch: .*put that under intermediates/), expect.anything()],
    });
    const { report: older } = await probed(port, ...args, pki.path('root.pem'));
    expect(older.verdicts[0]).toMatchObject({ verdict: 'trusted' });
  });

  test('fail/another domain than was asked for', async () => {
    const { report } = await probed(await serve('b'), '--domain', 'c.example', ...config('trusting.yaml'));
    expect(report.verdicts[0].verdict).not.toBe('trusted');
  });

  test('ok/--ca-list: what the stack of the proxy says', async () => {
    const port = await serve('b');
    const args = ['--domain', 'b.example', ...config('trusting.yaml'), '--ca-list'];
    expect(await probed(port, ...args, pki.path('root.pem'))).toMatchObject({
      code: 0,
      report: { stack: expect.stringMatching(/^accepts/) },
    });
    const { code, report } = await probed(port, ...args, pki.path('other.pem'));
    expect({ code, stack: report.stack }).toEqual({ code: 1, stack: expect.stringMatching(/^[A-Z_]+$/) });
    expect(report.advice[0]).toMatch(/^stack-unverified: .*ca_list/);
  });

  test('ok/a server that wants a certificate: without one it ends, with ours it accepts', async () => {
    const port = await serve('b', { requestCert: true, rejectUnauthorized: true, ca: pki.text('root.pem') });
    const own = ['--cert', pki.path('a.pem'), '--key', pki.path('a.key')];
    const { code, report } = await probed(port, '--domain', 'b.example', ...own, ...config('trusting.yaml'));
    expect(code).toBe(0);
    expect(report.handshakes).toMatchObject([
      { as: 'without a certificate', outcome: expect.stringMatching(/^(ended by the server|refused): /) },
      { as: `with ${pki.path('a.pem')}`, outcome: 'accepted' },
    ]);
  });

  test('ok/openssl s_server, with TLS 1.2 and with 1.3', async () => {
    for (const version of ['-tls1_2', '-tls1_3']) {
      const child = spawn(
        'openssl',
        [
          's_server',
          '-accept',
          '0',
          '-cert',
          'b.pem',
          '-key',
          'b.key',
          '-cert_chain',
          'middle.pem',
          '-Verify',
          '3',
          '-verify_return_error',
          '-CAfile',
          'root.pem',
          version,
        ],
        { cwd: root, stdio: ['pipe', 'pipe', 'pipe'] },
      );
      children.push(child);
      const port = await new Promise<number>((resolve, reject) => {
        let text = '';
        child.stdout.on('data', (chunk: Buffer) => {
          text += chunk.toString();
          const found = /ACCEPT .*:([0-9]+)\s/.exec(text);
          if (found !== null) resolve(Number(found[1]));
        });
        child.on('exit', () => reject(new Error(`openssl s_server ended: ${text}`)));
      });
      const own = ['--cert', pki.path('a.pem'), '--key', pki.path('a.key')];
      const { code, error, report } = await probed(port, '--domain', 'b.example', ...own, ...config('trusting.yaml'));
      expect({ version, code, error, report }).toMatchObject({
        ...{ version, code: 0, error: '' },
        report: {
          handshakes: [
            { outcome: expect.stringMatching(/certificate required|handshake failure|closed|reset/i) },
            { outcome: 'accepted', version: version === '-tls1_2' ? 'TLSv1.2' : 'TLSv1.3' },
          ],
        },
      });
    }
  });

  test('ok/for people', async () => {
    const { output } = await siptrustctl([
      'probe',
      `127.0.0.1:${await serve('b')}`,
      '--domain',
      'b.example',
      ...config('empty.yaml'),
      ...authorities(),
    ]);
    for (const part of [
      'handshakes:',
      'chain as it was sent:',
      'verdicts:',
      'what helps:',
      'an agreement for it',
      'domains: [b.example]',
    ]) {
      expect(output).toContain(part);
    }
  });

  const faults: readonly (readonly [name: string, args: readonly string[], error: RegExp])[] = [
    ['nobody there', ['127.0.0.1:1'], /^127\.0\.0\.1 port 1: expected a TLS handshake, found refused: .*ECONNREFUSED/],
    ['no port', ['127.0.0.1:0'], /^expected HOST:PORT, .*found "127\.0\.0\.1:0"/],
    ['a domain that is none', ['127.0.0.1:1', '--domain', '*.b.example'], /^--domain: expected a domain/],
    ['a certificate without key', ['127.0.0.1:1', '--cert', 'x'], /^expected --cert and --key together/],
  ];
  test.each(faults)('fail/%s', async (_, args, error) => {
    expect(await siptrustctl(['probe', ...args, ...config('empty.yaml')])).toMatchObject({
      code: 2,
      error: expect.stringMatching(error),
    });
  });

  test('fail/a server that speaks no TLS', async () => {
    const { createServer: plain } = await import('node:net');
    const server = plain((socket) => socket.end('SIP/2.0 400 Bad Request\r\n\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { code, error } = await probed(port, ...config('empty.yaml'));
    server.close();
    expect({ code, error }).toEqual({
      code: 2,
      error: expect.stringMatching(/expected a TLS handshake, found refused: /),
    });
  });
});
