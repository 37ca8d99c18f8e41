/** The question of plugin/opensips/siptrust.cfg as OpenSIPS fills it in, over HTTP as its rest_client sends it. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { root } from '../support/certificates.js';
import { SIPTRUSTD } from '../support/compiled.js';
import { Child } from '../support/live/child.js';
import { eventually, freePort } from '../support/live/places.js';
import { http } from '../support/wires.js';

const PLUGIN = readFileSync(fileURLToPath(new URL('../../plugin/opensips/siptrust.cfg', import.meta.url)), 'utf8');
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
  '$socket_in(proto)': 'tls',
  $si: '192.0.2.7',
  $sp: 40_000,
  '$socket_in(ip)': '198.51.100.1',
  '$socket_in(port)': 5061,
  $tls_peer_verified: 1,
  $tls_version: 'TLSv1.3',
  $tls_cipher_info: 'TLS_AES_256_GCM_SHA384',
  $tls_peer_subject: '/O=Operator B/CN=sbc',
  $tls_peer_issuer: '/O=Operator B/CN=B CA',
  '$(tls_peer_notAfter)': 'Nov  3 10:00:00 2099 GMT',
  '$var(siptrust_san)': 'b.example',
  '$var(siptrust_domain)': '',
};

/** The evidence that the script makes of such variables. */
function evidence(variables: typeof PARTNER): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  for (const [, path = '', operator, value = ''] of PLUGIN.matchAll(
    /\$json\(siptrust_evidence([^)]*)\) (:?=) (.+);$/gm,
  )) {
    if (path.startsWith('/tls') && variables['$socket_in(proto)'] !== 'tls') continue;
    if (path.startsWith('/tls/attributes') && variables.$tls_peer_verified !== 1) continue;
    if (path === '/next_hop' && variables['$var(siptrust_domain)'] === '') continue;
    const keys = ['all', ...path.split('/').filter((key) => key !== '')];
    const parent = keys.slice(0, -1).reduce((object, key) => object[key] as Record<string, unknown>, made);
    if (operator === '=' && variables[value] === undefined) throw new Error(`no value for ${value}`);
    // What ":=" is given is JSON in quotes.
    parent[keys.at(-1) ?? ''] = operator === '=' ? variables[value] : JSON.parse(JSON.parse(value));
  }
  return made.all as Record<string, unknown>;
}

/** The body of the question about one request. */
function question(variables: typeof PARTNER): string {
  const message = { direction: 'in', message: 'request', method: 'INVITE' };
  const bytes = (text: string): string => Buffer.from(text).toString('base64');
  const params = { ...evidence(variables), ...message, ruri_b64: bytes('sip:bob@own.example'), raw_b64: bytes(INVITE) };
  return JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'trust.message', params });
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
  daemon = new Child('node', [SIPTRUSTD, '--config', join(directory, 'siptrust.yaml')]);
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
  ['no TLS', { '$socket_in(proto)': 'udp' }, 'no-tls'],
  ['no certificate, or one that OpenSIPS did not verify', { $tls_peer_verified: 0 }, 'no-client-cert'],
  ['another issuer', { $tls_peer_issuer: '/O=Operator C/CN=C CA' }, 'agreement-attributes'],
  ['a certificate that has ended', { '$(tls_peer_notAfter)': 'Nov  3 10:00:00 2025 GMT' }, 'cert-time'],
  ['another name', { '$var(siptrust_san)': 'c.example' }, 'not-listed'],
];
test.each(strangers)('fail/%s', async (_, more, reason) => {
  expect(await plan(more)).toMatchObject({ trusted: 0, reason, remove: ['P-Asserted-Identity'], append: [] });
});
