/** The question of docs/opensips.md as OpenSIPS fills it in, over HTTP as its rest_client sends it. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { root } from '../support/certificates.js';
import { Child } from '../support/live/child.js';
import { eventually, freePort } from '../support/live/places.js';
import { http } from '../support/wires.js';

const PAGE = readFileSync(fileURLToPath(new URL('../../docs/opensips.md', import.meta.url)), 'utf8');
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'siptrust-opensips-'));

const INVITE = [
  'INVITE sip:bob@own.example SIP/2.0',
  'Via: SIP/2.0/TLS sbc.b.example:5061;branch=z9hG4bKx',
  'P-Asserted-Identity: <sip:alice@b.example>',
  'Subject: "quoted\\" \u00e9',
  'Content-Length: 0',
  '\r\n',
].join('\r\n');

/** What the variables of OpenSIPS say of a call of partner B. */
const PARTNER: Readonly<Record<string, string | number>> = {
  '$(socket_in(proto){s.tolower})': 'tls',
  $si: '192.0.2.7',
  $sp: 40_000,
  '$socket_in(ip)': '198.51.100.1',
  '$socket_in(port)': 5061,
  $rm: 'INVITE',
  '$(ru{s.b64encode})': Buffer.from('sip:bob@own.example').toString('base64'),
  '$(mb{s.b64encode})': Buffer.from(INVITE).toString('base64'),
  $tls_peer_verified: 1,
  $tls_version: 'TLSv1.3',
  $tls_cipher_info: 'TLS_AES_256_GCM_SHA384',
  $tls_peer_subject: '/O=Operator B/CN=sbc',
  $tls_peer_issuer: '/O=Operator B/CN=B CA',
  $tls_peer_san_hostname: 'b.example',
};

/** The body that the script of the page makes of such variables. */
function question(variables: typeof PARTNER): string {
  const made: Record<string, unknown> = {};
  const tls = variables['$(socket_in(proto){s.tolower})'] === 'tls';
  for (const [, path = '', operator, value = ''] of PAGE.matchAll(/\$json\(ask([^)]*)\) (:?=) (.+);$/gm)) {
    if (path.startsWith('/params/tls') && !tls) continue;
    const keys = ['ask', ...path.split('/').filter((key) => key !== '')];
    const parent = keys.slice(0, -1).reduce((object, key) => object[key] as Record<string, unknown>, made);
    if (operator === '=' && variables[value] === undefined) throw new Error(`no value for ${value}`);
    // What ":=" is given is JSON in quotes.
    parent[keys.at(-1) ?? ''] = operator === '=' ? variables[value] : JSON.parse(JSON.parse(value));
  }
  return JSON.stringify(made.ask);
}

let port = 0;
let daemon: Child;

beforeAll(async () => {
  port = await freePort();
  writeFileSync(join(directory, 'ca.pem'), root({ subject: 'O=Operator B,CN=B CA' }).pem);
  const agreement = { name: 'op-b', domains: ['b.example'], mechanism: 'tls', anchors: ['ca.pem'], revocation: 'off' };
  const policy = {
    own_domains: ['own.example'],
    agreements: [{ ...agreement, issuer: { commonName: 'B CA' } }],
    daemon: { listen: { netstring: 'off', http: `127.0.0.1:${port}`, unix: 'off' } },
  };
  writeFileSync(join(directory, 'siptrust.yaml'), stringify(policy));
  daemon = new Child('node', ['--import', 'tsx', MAIN, '--config', join(directory, 'siptrust.yaml')]);
  await eventually(`siptrustd is ready: ${daemon.output}`, () => daemon.output.includes('siptrustd is ready'), 30_000);
}, 40_000);
afterAll(async () => {
  await daemon.stop();
  rmSync(directory, { recursive: true });
});

async function plan(more: Partial<typeof PARTNER> = {}): Promise<Record<string, unknown>> {
  const body = question({ ...PARTNER, ...more } as typeof PARTNER);
  const answer = await http(port, { headers: { 'Content-Type': 'application/json' }, body });
  expect(answer.status).toBe(200);
  const { result, error } = JSON.parse(answer.text);
  expect(error).toBeUndefined();
  return result;
}

test('ok/a partner keeps what it asserts', async () => {
  expect(await plan()).toMatchObject({ trusted: 1, action: 'continue', agreement: 'op-b', remove: [], append: [] });
});

const strangers: readonly [string, Partial<typeof PARTNER>, string][] = [
  ['no TLS', { '$(socket_in(proto){s.tolower})': 'udp' }, 'no-tls'],
  ['OpenSIPS did not verify the certificate', { $tls_peer_verified: 0 }, 'stack-unverified'],
  ['another issuer', { $tls_peer_issuer: '/O=Operator C/CN=C CA' }, 'no-cert-facts'],
  ['another name', { $tls_peer_san_hostname: 'c.example' }, 'not-listed'],
  [
    'no certificate: the words are missing',
    { $tls_peer_verified: '', $tls_peer_subject: '', $tls_peer_issuer: '', $tls_peer_san_hostname: '' },
    'stack-unverified',
  ],
];
test.each(strangers)('fail/%s', async (_, more, reason) => {
  expect(await plan(more)).toMatchObject({ trusted: 0, reason, remove: ['P-Asserted-Identity'], append: [] });
});
