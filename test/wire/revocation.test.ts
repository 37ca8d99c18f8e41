/** Revocation through the running daemon: what a script asks, what an operator sees, and what outlives a restart. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callUnix } from '../../src/rpc/wire/client.js';
import { crl, DAY, type Issued } from '../support/certificates.js';
import { SIPTRUSTD } from '../support/compiled.js';
import { tlsWords } from '../support/evidence.js';
import { HttpServer } from '../support/http-server.js';
import { Child } from '../support/live/child.js';
import { eventually } from '../support/live/places.js';
import { now, type Partner, partner, SECOND, temporaryDirectory } from '../support/revocation-stage.js';

interface Answer {
  readonly verdict: string;
  readonly action: string;
  readonly code: number;
  readonly reason: string;
  readonly ttl: number;
  readonly revision: number;
  readonly conid?: string;
}

interface Row {
  readonly source: string;
  readonly state: string;
  readonly entries: number;
  readonly error: string;
}

let server: HttpServer;
const directory = temporaryDirectory();
const b: Partner = partner();
let daemon: Child;
const socket = join(directory.path, 's.sock');

function policy(): string {
  const path = join(directory.path, 'siptrust.yaml');
  writeFileSync(join(directory.path, 'ca.pem'), b.ca.pem);
  writeFileSync(
    path,
    `own_domains: [a.example]
agreements:
  - {name: op-b, domains: [b.example], mechanism: tls, anchors: [ca.pem], revocation: hard}
daemon:
  listen: {netstring: off, http: off, unix: s.sock}
  revocation: {fetch: on, hosts: ["127.0.0.1:${server.port}"], directory: lists, interval: 1, timeout: 5}
`,
  );
  return path;
}

async function start(): Promise<Child> {
  const child = new Child('node', [SIPTRUSTD, '--config', policy()]);
  await eventually(
    'siptrustd is ready',
    () => {
      if (child.ended) throw new Error(child.output);
      return child.output.includes('siptrustd is ready');
    },
    30_000,
  );
  return child;
}

const peer = (certificate: Issued): Promise<Answer> =>
  callUnix(socket, 'trust.peer', {
    direction: 'in',
    proto: 'tls',
    conid: '7',
    src_ip: '192.0.2.1',
    src_port: 5061,
    tls: tlsWords(certificate.pem),
  }) as Promise<Answer>;
const message = (): Promise<{ action: string; code: number; reason: string; trusted: number }> =>
  callUnix(socket, 'trust.message', {
    direction: 'in',
    message: 'request',
    method: 'INVITE',
    ruri: 'sip:x@a.example',
    conid: '7',
    headers: 'From: <sip:y@b.example>;tag=1\r\nTo: <sip:x@a.example>\r\n',
  }) as Promise<{ action: string; code: number; reason: string; trusted: number }>;
const becomes = (certificate: Issued, verdict: string): Promise<Answer> =>
  eventually(
    `the verdict ${verdict}`,
    async () => {
      const answer = await peer(certificate);
      return answer.verdict === verdict ? answer : undefined;
    },
    20_000,
  );

let number = 0;
const list = (...revoked: readonly Issued[]): Uint8Array => {
  number += 1;
  const times = { thisUpdate: now() - 10 * SECOND, nextUpdate: now() + DAY };
  return crl(b.ca, { ...times, number, revoked: revoked.map(({ serial }) => ({ serial })) }).der;
};

beforeAll(async () => {
  mkdirSync(join(directory.path, 'lists'));
  server = await HttpServer.start();
  daemon = await start();
}, 40_000);
afterAll(async () => {
  await daemon.stop();
  await server.close();
  directory.remove();
});

describe('siptrustd', () => {
  test('ok/trusted, revoked meanwhile, reject and close without a restart (T-46)', async () => {
    server.serve('/b.crl', list());
    const certificate = b.peer({ crls: [server.url('/b.crl')] });
    const first = await peer(certificate);
    expect(first).toMatchObject({ verdict: 'untrusted', reason: 'rev-unknown', action: 'continue' });
    expect(first.ttl).toBeLessThanOrEqual(2);
    const trusted = await becomes(certificate, 'trusted');
    expect(await message()).toMatchObject({ action: 'continue', trusted: 1 });

    server.serve('/b.crl', list(certificate));
    // A script learns of it by the revision alone, and asks again.
    const status = await eventually(
      'a greater revision',
      async () => {
        const { revision } = (await callUnix(socket, 'core.status')) as { revision: number };
        return revision > trusted.revision ? revision : undefined;
      },
      20_000,
    );
    const refused = await peer(certificate);
    expect(refused).toMatchObject({ verdict: 'reject', action: 'close', code: 403, reason: 'revoked' });
    expect(refused.revision).toBeGreaterThanOrEqual(status);
    expect(await message()).toMatchObject({ trusted: 0, reason: 'revoked' });
  });

  test('ok/crl.list and crl.refresh', async () => {
    const rows = (await callUnix(socket, 'crl.list')) as readonly Row[];
    expect(rows).toEqual([
      expect.objectContaining({ kind: 'crl', source: server.url('/b.crl'), state: 'current', entries: 1, error: '' }),
    ]);
    server.on('/b.crl', (response) => void response.writeHead(503).end());
    const [row] = (await callUnix(socket, 'crl.refresh', { url: server.url('/b.crl') })) as readonly Row[];
    expect(row).toMatchObject({ state: 'current', error: 'expected status 200, found 503' });
    expect(await callUnix(socket, 'crl.refresh', [])).toHaveLength(1);
    await expect(callUnix(socket, 'crl.refresh', { url: 'http://other.example/' })).rejects.toThrow();
  });

  test('ok/the list on disk answers after a restart, with the server down', async () => {
    const fresh = b.peer({ crls: [server.url('/c.crl')] });
    server.serve('/c.crl', list());
    await becomes(fresh, 'trusted');
    await daemon.stop();
    server.on('/b.crl', (response) => response.destroy());
    server.on('/c.crl', (response) => response.destroy());
    daemon = await start();
    expect(await peer(fresh)).toMatchObject({ verdict: 'trusted' });
  }, 60_000);

  test('ok/it stops at once, also while a server hangs', async () => {
    server.on('/hang.crl', () => {});
    await peer(b.peer({ crls: [server.url('/hang.crl')] }));
    await eventually('the question', () => server.count('/hang.crl') > 0);
    // By force there would be no code.
    await daemon.stop();
    expect(await daemon.exit()).toBe(0);
    daemon = await start();
  }, 60_000);
});
