/**
 * Every row of docs/reasons.md as an operator meets it: a real siptrustd, a question that leads there, the line of the decision
 * log, `siptrustctl explain` with the id out of it, and for an alarm the line of the operator log and the runbook.
 */

import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { REASONS, type ReasonCode } from '../../src/reasons.js';
import { callUnix } from '../../src/rpc/wire/client.js';
import {
  ca,
  crl,
  DAY,
  ext,
  extension,
  type Issued,
  leaf,
  type NameValue,
  root,
  selfSignedLeaf,
  sharedKey,
} from '../support/certificates.js';
import { SIPTRUSTD } from '../support/compiled.js';
import { der } from '../support/der.js';
import { question } from '../support/evidence.js';
import { Child } from '../support/live/child.js';
import { eventually } from '../support/live/places.js';

const directory = mkdtempSync(join(tmpdir(), 'siptrust-reasons-'));
const file = (name: string) => join(directory, name);
const docs = (name: string) => readFileSync(join(import.meta.dirname, '../../docs', name), 'utf8');

const now = Date.now();
const times = { notBefore: now - 30 * DAY, notAfter: now + 300 * DAY };
const top = root({ subject: 'O=Operator B,CN=B Root', ...times });
const other = root({ subject: 'O=Somebody,CN=Other Root', ...times });

/** Reasons that no question to this daemon leads to, and where they are seen. */
const ELSEWHERE: Partial<Record<ReasonCode, { readonly why: string; readonly seen: string; readonly as: string }>> = {
  'internal-error': {
    why: 'a fault of the program, answered with an error',
    seen: 'unit/rpc/dispatch/dispatcher.test.ts',
    as: 'code: -32603,',
  },
  'dns-ignored': { why: 'needs a name server', seen: 'wire/dns.test.ts', as: "reasons: ['dns-ignored']" },
  'ocsp-signer': {
    why: 'needs a responder',
    seen: 'unit/x509/revocation/ocsp.test.ts',
    as: "'unknown ocsp-signer'",
  },
  'ocsp-time': {
    why: 'needs a responder',
    seen: 'unit/x509/revocation/ocsp.test.ts',
    as: "'unknown ocsp-time'",
  },
  'ocsp-status': {
    why: 'needs a responder',
    seen: 'unit/x509/revocation/ocsp.test.ts',
    as: "'unknown ocsp-status'",
  },
};

type Spec = NonNullable<Parameters<typeof leaf>[1]>;
type Params = Readonly<Record<string, unknown>>;

interface Scene {
  readonly code: ReasonCode;
  readonly verdict: string;
  /** Beside those that every scene of TLS has; none: the peer is in no agreement. */
  readonly agreements: readonly Params[];
  readonly method: string;
  readonly params: Params;
}

const dns = (...names: readonly string[]) => ext.altNames(names.map((name): NameValue => ({ dns: name })));

/** A certificate that names the domain of the scene, in the way that it is about. */
function named(code: string, { extensions, ...over }: Spec = {}, parent = top): Issued {
  return leaf(parent, {
    ...{ subject: `O=Operator B,CN=${code}`, ...times },
    extensions: { altNames: dns(`${code}.example`), ...extensions },
    ...over,
  });
}

function agreed(code: string, over: Params = {}): Params {
  const plain = { domains: [`${code}.example`], mechanism: 'tls', anchors: ['root.pem'], revocation: 'off' };
  return { name: code, ...plain, ...over };
}

/** A peer that shows this certificate, under an agreement in its name. */
function peer(
  code: ReasonCode,
  certificate: Issued,
  {
    keys = {},
    over = {},
    tls = {},
    verdict = 'untrusted',
  }: { keys?: Params; over?: Params; tls?: Params; verdict?: string } = {},
): Scene {
  const params = question(certificate.pem, over, tls);
  return { code, verdict, agreements: [agreed(code, keys)], method: 'trust.peer', params };
}

function stranger(code: ReasonCode, params: Params): Scene {
  return { code, verdict: 'untrusted', agreements: [], method: 'trust.peer', params };
}

/** By the socket and the prefix of an interface. */
function byPath(code: ReasonCode, host: number, verdict: string, over: Params = {}): Scene {
  const params = { direction: 'in', proto: 'udp', src_ip: `203.0.113.${host}`, src_port: 5060, ...over };
  return {
    code,
    verdict,
    agreements: [],
    method: 'trust.peer',
    params: { rcv_ip: `10.0.0.${host}`, rcv_port: 5062, ...params },
  };
}

const CALL = [
  'Via: SIP/2.0/TLS 192.0.2.1;branch=z9hG4bK1',
  'From: <sip:b@b.example>;tag=1',
  'To: <sip:a@a.example>',
  'Call-ID: 1',
  'CSeq: 1 INVITE',
];

/** A message over a connection that was not judged before. */
function message(
  code: ReasonCode,
  lines: readonly string[],
  connection: Params,
  method = 'INVITE',
  agreements: readonly Params[] = [],
): Scene {
  const headers = [...CALL, ...lines].join('\r\n').replace('1 INVITE', `1 ${method}`);
  const params = { ...connection, message: 'request', method, ruri: 'sip:a@a.example', headers: `${headers}\r\n` };
  return {
    code,
    verdict: agreements.length > 0 ? 'trusted' : 'untrusted',
    agreements,
    method: 'trust.message',
    params,
  };
}

const UDP = { direction: 'in', proto: 'udp', src_ip: '192.0.2.1', rcv_ip: '198.51.100.1', rcv_port: 5060 };

/** A message of a trusted partner. */
function asserting(code: ReasonCode, value: string): Scene {
  return message(code, [`P-Asserted-Identity: ${value}`], question(named(code).pem), 'INVITE', [agreed(code)]);
}

function hop(code: ReasonCode, params: Params): Scene {
  return { code, verdict: '', agreements: [], method: 'hop.resolve', params };
}

/** Under a CA that the policy knows as an intermediate. */
function below(code: ReasonCode, between: Spec, spec: Spec = {}): Scene {
  const middle = ca(top, { subject: `O=Operator B,CN=CA of ${code}`, ...times, ...between });
  writeFileSync(file(`${code}.pem`), middle.pem);
  return peer(code, named(code, spec, middle), { keys: { intermediates: [`${code}.pem`] } });
}

function listed(code: ReasonCode, certificate: Issued, list: Parameters<typeof crl>[1], verdict: string): Scene {
  const update = { thisUpdate: now - DAY, nextUpdate: now + DAY };
  writeFileSync(file(`${code}.crl`), crl(top, { ...update, ...list }).pem);
  return peer(code, certificate, { keys: { revocation: 'hard', crls: [`${code}.crl`] }, verdict });
}

/** Layers of CAs with one name and key each, whose paths all fail at their end. */
function manyPaths(code: ReasonCode): Scene {
  const keys = [sharedKey('p256', 'layer 0'), sharedKey('p256', 'layer 1'), sharedKey('p256', 'layer 2')];
  let parents: readonly Issued[] = [top];
  const all: Issued[] = [];
  for (const [layer, key] of keys.entries()) {
    const made: Issued[] = Array.from({ length: 30 }, (_, at) =>
      ca(parents[at % parents.length]!, {
        ...{ subject: `CN=Layer ${layer}`, key, ...times },
        ...(layer === 0 ? { extensions: { basicConstraints: ext.basicConstraints(true, 0) } } : {}),
      }),
    );
    all.push(...made);
    parents = made;
  }
  writeFileSync(file(`${code}.pem`), all.map(({ pem }) => pem).join(''));
  return peer(code, named(code, {}, parents[0]), { keys: { intermediates: [`${code}.pem`] } });
}

const flipped = (octets: Uint8Array): Uint8Array =>
  octets.map((octet, at) => (at === octets.length - 1 ? octet ^ 1 : octet));
const revokedLeaf = named('revoked');
const otherSub = ca(top, { subject: 'CN=Not At Hand', ...times });
const pathCa = ca(top, {
  subject: 'CN=No CA Below',
  ...times,
  extensions: { basicConstraints: ext.basicConstraints(true, 0) },
});
const pathCa2 = ca(pathCa, { subject: 'CN=A CA Below', ...times });
writeFileSync(file('path.pem'), pathCa.pem + pathCa2.pem);

const SCENES: readonly Scene[] = [
  peer('agreement-covers', named('agreement-covers'), { verdict: 'trusted' }),
  byPath('trusted-by-config', 1, 'trusted'),
  byPath('trusted-by-address', 2, 'trusted', { rcv_port: 5060 }),
  byPath('nds-off', 3, 'untrusted'),
  byPath('nds-range', 1, 'untrusted', { src_ip: '198.51.100.9' }),
  byPath('nds-port', 4, 'untrusted'),
  byPath('nds-ended', 5, 'untrusted'),
  byPath('nds-migrating', 6, 'trusted'),
  byPath('nds-tls', 6, 'untrusted', {
    proto: 'tls',
    tls: { verified: 0, version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' },
  }),
  stranger('no-tls', UDP),
  peer('tls-profile', named('tls-profile'), { tls: { version: 'TLSv1.1', cipher: 'ECDHE-ECDSA-AES128-SHA' } }),
  peer('null-encryption', named('null-encryption'), { tls: { version: 'TLSv1.2', cipher: 'ECDHE-ECDSA-NULL-SHA' } }),
  stranger('no-client-cert', question(undefined, {}, { verified: 0 })),
  stranger('no-cert-facts', { ...UDP, proto: 'tls' }),
  peer('stack-unverified', named('stack-unverified'), { tls: { verified: 0 } }),
  stranger('bad-input', { ...question(named('bad-input').pem), proto: 'udp' }),
  stranger('not-listed', question(named('not-listed').pem)),
  peer('agreement-disabled', named('agreement-disabled'), { keys: { enabled: false } }),
  peer('agreement-time', named('agreement-time'), { keys: { valid: { from: '2020-01-01', until: '2020-12-31' } } }),
  peer('agreement-direction', named('agreement-direction'), { keys: { directions: ['out'] } }),
  { ...peer('agreement-mechanism', named('agreement-mechanism')), agreements: [] },
  peer('agreement-attributes', named('agreement-attributes'), { keys: { subject: { organization: 'Operator C' } } }),
  peer('monitor-only', named('monitor-only'), { keys: { enforcement: 'monitor' } }),
  {
    ...peer(
      'ambiguous-peer',
      named('ambiguous-peer', { extensions: { altNames: dns('ambiguous-peer.example', 'second.example') } }),
    ),
    agreements: [
      agreed('ambiguous-peer'),
      agreed('second', { pins: ['sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='] }),
    ],
  },
  stranger('malformed-cert', question(Buffer.from('no certificate').toString('base64'))),
  manyPaths('path-budget'),
  listed('revoked', revokedLeaf, { revoked: [{ serial: revokedLeaf.serial, date: now - DAY }] }, 'reject'),
  peer('anchor-mismatch', named('anchor-mismatch', {}, other), { tls: { chain: other.pem } }),
  peer('missing-intermediate', named('missing-intermediate', {}, otherSub)),
  peer('cert-time', named('cert-time', { notAfter: now - DAY })),
  peer('weak-key', named('weak-key', { key: sharedKey('rsa1024') })),
  peer('eku', named('eku', { extensions: { purposes: ext.purposes(['serverAuth']) } })),
  peer('key-usage', named('key-usage', { extensions: { keyUsage: ext.keyUsage(['cRLSign']) } })),
  peer('cert-type', named('cert-type', { extensions: { basicConstraints: ext.basicConstraints(true) } })),
  below('name-constraints', { extensions: { constraints: ext.constraints({ permitted: [{ dns: 'c.example' }] }) } }),
  peer('path-length', named('path-length', {}, pathCa2), { keys: { intermediates: ['path.pem'] } }),
  below('not-a-ca', { extensions: { basicConstraints: ext.basicConstraints(false) } }),
  peer('unknown-critical', named('unknown-critical', { add: [extension('1.2.3.4', der.utf8('x'), true)] })),
  below('bad-extension', { extensions: { constraints: ext.constraints({}) } }),
  below('certificate-policy', { add: [ext.policyConstraints(0)] }),
  peer('bad-signature', named('bad-signature', { changeSignature: flipped })),
  peer('untrusted-chain', selfSignedLeaf({ ...times, extensions: { altNames: dns('untrusted-chain.example') } })),
  peer('rev-unknown', named('rev-unknown'), { keys: { revocation: 'hard' } }),
  listed('crl-scope', named('crl-scope'), { scope: { cas: true } }, 'untrusted'),
  listed('crl-grace', named('crl-grace'), { nextUpdate: now - 3_600_000 }, 'trusted'),
  peer('no-sip-id', named('no-sip-id', { extensions: { altNames: ext.altNames([{ email: 'a@b.example' }]) } })),
  peer('name-mismatch', named('elsewhere'), { over: { direction: 'out', next_hop: 'name-mismatch.example' } }),
  stranger('ip-literal', question(named('ip-literal').pem, { direction: 'out', next_hop: '192.0.2.99' })),
  peer('anchor-name', named('anchor-name', {}, other)),
  peer('wildcard', named('wildcard', { extensions: { altNames: dns('*.wildcard.example') } })),
  peer('name-bytes', named('name-bytes', { extensions: { altNames: dns('name-bytes.example\0.evil') } })),
  peer('name-form', named('name-form', { extensions: { altNames: dns('localhost') } })),
  peer('cn-disabled', named('x', { subject: 'CN=cn-disabled.example', extensions: { altNames: undefined } })),
  peer(
    'cn-ambiguous',
    named('x', { subject: 'CN=cn-ambiguous.example,CN=b.example', extensions: { altNames: undefined } }),
    {
      keys: { cn_fallback: true },
    },
  ),
  peer('pin-mismatch', named('pin-mismatch'), {
    keys: { pins: [`sha256/${createHash('sha256').update('x').digest('base64')}`] },
  }),
  {
    ...message('unknown-connection', [], { direction: 'in', conid: '4711' }),
    params: {
      direction: 'in',
      conid: '4711',
      message: 'request',
      method: 'INVITE',
      headers: `${CALL.join('\r\n')}\r\n`,
    },
  },
  message('malformed-header', ['From: <sip:c@c.example>;tag=2'], UDP),
  asserting('assert-own', '<sip:alice@a.example>'),
  asserting('assert-foreign', '<sip:carol@c.example>'),
  asserting('assert-invalid', '<mailto:carol@b.example>'),
  message('register-untrusted', [], UDP, 'REGISTER'),
  message('operator-service', ['P-DCS-OSPS: BLV'], UDP),
  message('privacy-critical', ['Privacy: header;critical'], UDP),
  message(
    'body-refused',
    ['Content-Type: application/3gpp-ims+xml', 'Content-Disposition: render;handling=required', 'Content-Length: 0'],
    UDP,
  ),
  hop('tls-downgrade', { uri: 'sips:192.0.2.9:5061;transport=udp' }),
  hop('no-next-hop', { uri: 'sip:0.0.0.0:5060' }),
  hop('dns-pending', { uri: `sip:dns-pending-${process.hrtime.bigint()}.example` }),
  hop('dns-failed', { uri: 'sip:dns-failed.example', wait_ms: 1_000 }),
];

const path = (name: string, host: number, over: Params = {}) => ({
  ...{ name, listen: `10.0.0.${host}:5062`, mechanism: 'nds-ip', implicit_trust: true },
  ...over,
});
const overPath = (name: string, host: number, domain = `${name}.example`) => ({
  ...{ name: `by-${name}`, domains: [domain], mechanism: 'nds-ip', interface: name, sources: [`203.0.113.${host}`] },
});
const moving = (name: string, host: number, until: string) =>
  agreed(name, { migration: { interface: name, sources: [`203.0.113.${host}`], until } });

const POLICY = {
  own_domains: ['a.example'],
  defaults: { crl_grace: 86_400 },
  interfaces: [
    path('za', 1),
    path('shared', 2, { listen: '10.0.0.2:5060', shared: true }),
    path('off', 3, { implicit_trust: false }),
    path('ports', 4, { source_ports: [5062] }),
    path('ended', 5),
    path('moving', 6),
  ],
  agreements: [
    ...['za', 'shared', 'off', 'ports'].map((name, at) =>
      overPath(name, at + 1, name === 'za' ? 'agreement-mechanism.example' : undefined),
    ),
    moving('ended', 5, '2020-01-01'),
    moving('moving', 6, '2999-01-01'),
    { name: 'op-other', domains: ['other.example'], mechanism: 'tls', anchors: ['other.pem'], revocation: 'off' },
    ...SCENES.flatMap(({ agreements }) => agreements),
  ],
  daemon: {
    listen: { netstring: 'off', http: 'off', unix: 'ctl.sock' },
    log: { decisions: 'decisions.log' },
    dns: { servers: ['127.0.0.1:1'], timeout: 1, attempts: 1 },
  },
};

let daemon: Child;
beforeAll(async () => {
  writeFileSync(file('root.pem'), top.pem);
  writeFileSync(file('other.pem'), other.pem);
  writeFileSync(file('siptrust.yaml'), stringify(POLICY));
  daemon = new Child('node', [SIPTRUSTD, '--config', file('siptrust.yaml')]);
  await eventually('siptrustd is ready', () => daemon.output.includes('siptrustd is ready'), 60_000);
}, 90_000);
afterAll(async () => {
  await daemon.stop('SIGTERM');
  rmSync(directory, { recursive: true, force: true });
});

const call = (method: string, params: Params) => callUnix(file('ctl.sock'), method, params) as Promise<Params>;
const rowOf = (code: ReasonCode) => {
  const row = REASONS.find((each) => each.code === code);
  if (row === undefined) throw new Error(`expected a row of ${code}`);
  return row;
};
const decision = (id: unknown) =>
  readFileSync(file('decisions.log'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Params)
    .find((line) => line.id === id);

describe('each reason, as it comes', () => {
  test('ok/each is here, or it is said why not', () => {
    const here = SCENES.map(({ code }) => code);
    const all = REASONS.map(({ code }) => code);
    expect([...here, ...Object.keys(ELSEWHERE)].sort()).toEqual([...all].sort());
    for (const { seen, as } of Object.values(ELSEWHERE)) {
      // What comments say is no expectation.
      const text = readFileSync(join(import.meta.dirname, '..', seen), 'utf8');
      expect(text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')).toContain(as);
    }
  });

  test.each(SCENES.map((scene) => [scene.code, scene] as const))('ok/%s', async (code, { verdict, method, params }) => {
    if (method === 'hop.resolve') {
      // Nobody answers at the address of the resolver: that takes its time.
      await expect.poll(async () => (await call(method, params)).reasons, { timeout: 20_000 }).toContain(code);
      return;
    }
    const answer = await call(method, params);
    expect(answer.reasons).toContain(code);
    const { severity, text } = rowOf(code);
    if (method === 'trust.peer') expect(answer).toMatchObject({ verdict, trusted: verdict === 'trusted' ? 1 : 0 });
    await eventually('the line is in the decision log', () => decision(answer.id) !== undefined);
    expect(decision(answer.id)).toMatchObject({ method, reasons: expect.arrayContaining([code]) });
    const told = await call('trust.explain', { id: answer.id });
    expect(JSON.stringify(told)).toContain(code);
    expect(docs('reasons.md')).toContain(`| \`${code}\` | ${severity} | ${text} |`);
    if (severity !== 'alarm') return;
    await eventually('the alarm is in the operator log', () => daemon.output.includes(`alarm ${code}:`));
    expect(docs('runbook.md')).toContain(`\n| \`${code}\` |`);
  });
});
