/** `trust.message` as a script asks it: hops by connection id or by evidence, and what is counted. */

import { beforeEach, describe, expect, test } from 'vitest';
import { NO_DECISION_LOG } from '../../../../src/log/decisions.js';
import { DEFAULT_SETTINGS } from '../../../../src/policy/settings.js';
import { RpcError } from '../../../../src/rpc/errors.js';
import { JsonText } from '../../../../src/rpc/method.js';
import { trustMethods } from '../../../../src/rpc/methods/trust.js';
import { PolicyHolder } from '../../../../src/state/policy-holder.js';
import { TrustState } from '../../../../src/state/trust-state.js';
import { explain } from '../../../../src/trust/explain.js';
import { ext, leaf, NOW, root } from '../../../support/certificates.js';
import { agreementWith, snapshotWith } from '../../../support/snapshot.js';

const rootB = root({ subject: 'O=Operator B,CN=B CA' });
const anchors = { client: [rootB.facts], server: [rootB.facts] };
const peer = (dns: string) => leaf(rootB, { subject: `CN=${dns}`, extensions: { altNames: ext.altNames([{ dns }]) } });
const agreements = [
  agreementWith({ anchors }),
  agreementWith({
    name: 'op-c',
    domains: ['c.example'],
    anchors,
    asserts: { domains: [], numbers: 'any', transit: false },
  }),
];

function evidence(dns: string, conid: string, over: object = {}) {
  return {
    direction: 'in',
    proto: 'tls',
    conid,
    src_ip: '192.0.2.1',
    src_port: '40000',
    rcv_ip: '198.51.100.1',
    rcv_port: '5061',
    tls: { pem: peer(dns).pem, verified: '1', version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' },
    ...over,
  };
}

let state: TrustState;
let ask: (method: string, params: unknown) => Record<string, unknown>;
beforeEach(() => {
  const load = (revision: number) => ({
    ok: true as const,
    snapshot: snapshotWith(agreements, { revision }),
    settings: DEFAULT_SETTINGS,
    warnings: [],
  });
  const policy = PolicyHolder.open(load, NOW);
  if ('problems' in policy) throw new Error('expected a policy');
  state = new TrustState(policy, NO_DECISION_LOG, () => NOW);
  const table = trustMethods(state);
  ask = (method, params) => {
    const answer = table.find(({ name }) => name === method)?.call(params, { wire: 'unix', peer: 'test' });
    return (answer instanceof JsonText ? answer.toJSON() : answer) as Record<string, unknown>;
  };
});

const raw = [
  'INVITE sip:alice@a.example;orig SIP/2.0',
  'Via: SIP/2.0/TLS sbc.b.example;branch=z9hG4bK1',
  'From: <sip:bob@b.example>;tag=1',
  'To: <sip:alice@a.example>',
  'Call-ID: 1@b.example',
  'CSeq: 1 INVITE',
  'Max-Forwards: 70',
  'P-Asserted-Identity: <sip:bob@b.example>, <sip:eve@evil.example>',
  'Content-Length: 0',
  '',
  '',
].join('\r\n');
const message = { message: 'request', method: 'INVITE', raw_b64: Buffer.from(raw).toString('base64') };
const out = { ...message, direction: 'out', conid: 'c' };
const PAI = 'P-Asserted-Identity';

describe('trust.message: out, with the hop that the message came in over', () => {
  beforeEach(() => {
    ask('trust.peer', evidence('b.example', 'b'));
    ask('trust.peer', evidence('c.example', 'c'));
    ask('trust.peer', evidence('stranger.example', 'x'));
  });

  test('ok/a known connection: screened once, passed on', () => {
    const answer = ask('trust.message', { ...out, inbound: { conid: 'b', src_ip: '192.0.2.1', src_port: '40000' } });
    expect(answer).toMatchObject({
      action: 'continue',
      agreement: 'op-c',
      remove: [PAI],
      append: [`${PAI}: <sip:bob@b.example>`],
      reason: 'assert-foreign',
    });
  });
  test('ok/evidence, in base64 as scripts send it', () => {
    const given = evidence('b.example', 'other');
    const { pem, ...tls } = given.tls;
    const inbound = { ...given, tls: { ...tls, pem_b64: Buffer.from(pem).toString('base64') } };
    expect(ask('trust.message', { ...out, inbound })).toMatchObject({ append: [`${PAI}: <sip:bob@b.example>`] });
  });
  test.each([
    ['a stranger', { conid: 'x' }],
    ['a connection of which nothing is known', { conid: 'nobody' }],
    ['another source than the connection has', { conid: 'b', src_ip: '192.0.2.99' }],
    ['nothing at all', {}],
    ['a connection without TLS', { proto: 'udp', src_ip: '192.0.2.1' }],
  ])('ok/from %s: every assertion goes, and the Request-URI is cleaned', (_, inbound) => {
    const answer = ask('trust.message', { ...out, inbound });
    expect(answer).toMatchObject({ action: 'continue', remove: [PAI], append: [], ruri: 'sip:alice@a.example' });
  });
  test('ok/a response: came in from op-b, goes out to a stranger', () => {
    const headers = `From: <sip:x@x.example>;tag=1\r\n${PAI}: <sip:bob@b.example>\r\n`;
    const response = { message: 'response', direction: 'out', status: 200, method: 'INVITE', headers };
    expect(ask('trust.message', { ...response, conid: 'x', inbound: { conid: 'b' } })).toMatchObject({ remove: [PAI] });
    expect(ask('trust.message', { ...response, conid: 'c', inbound: { conid: 'b' } })).toMatchObject({ remove: [] });
    expect(ask('trust.message', { ...response, conid: 'c', inbound: { conid: 'x' } })).toMatchObject({ remove: [PAI] });
  });
  test('ok/without inbound the answer is about the way out alone', () => {
    expect(ask('trust.message', out)).toMatchObject({ action: 'continue', remove: [], append: [], ruri: '' });
  });
  test('ok/plans are counted by hook and outcome', () => {
    ask('trust.message', { ...out, direction: 'in', conid: 'b' });
    ask('trust.message', { ...out, direction: 'in', conid: 'x' });
    ask('trust.message', out);
    ask('trust.message', { ...out, inbound: { conid: 'b' } });
    const nul = { message: 'request', method: 'INVITE', direction: 'out', conid: 'c', headers: 'Foo\0: x\r\n' };
    ask('trust.message', { ...nul, inbound: { conid: 'x' } });
    const plans = Object.entries(state.counters.all()).filter(([name]) => name.startsWith('plan.'));
    expect(Object.fromEntries(plans)).toEqual({
      'plan.request-in.edited': 2,
      'plan.request-out.as-is': 1,
      'plan.request-relay.edited': 1,
      'plan.request-relay.refused': 1,
    });
  });
  test('ok/the checks of both hops are explained (design rule 10)', () => {
    const answer = ask('trust.message', { ...out, inbound: { conid: 'nobody' } });
    state.flush();
    const explained = state.recent.find(String(answer.id));
    expect(explained?.inbound?.verdict.findings[0]?.code).toBe('unknown-connection');
    const checks = explain(explained!.verdict, [], explained?.inbound?.verdict).checks.map(({ name }) => name);
    expect(checks[0]).toBe('inbound connection');
    expect(checks.at(-1)).not.toMatch(/^inbound/);
  });
  test('fail/inbound where the message comes in', () => {
    expect(() => ask('trust.message', { ...out, direction: 'in', inbound: { conid: 'b' } })).toThrow(RpcError);
  });
  test('fail/inbound that is no object', () => {
    expect(() => ask('trust.message', { ...out, inbound: 'b' })).toThrow(RpcError);
  });
});
