/** `trust.message` as a script asks it: a hop by connection id or by evidence, and what is counted. */

import { beforeEach, describe, expect, test } from 'vitest';
import type { Decision } from '../../../../src/log/decisions.js';
import { RpcError } from '../../../../src/rpc/dispatch/errors.js';
import { decisionRow } from '../../../../src/rpc/http/decision.js';
import { trustMethods } from '../../../../src/rpc/methods/trust.js';
import { type TrustState, trustState } from '../../../../src/state/trust/trust-state.js';
import { ext, leaf, NOW, root } from '../../../support/certificates.js';
import { question } from '../../../support/evidence.js';
import { agreementWith } from '../../../support/snapshot.js';
import { asking, policyOf } from '../../../support/state.js';

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
  agreementWith({
    name: 'op-n',
    domains: ['n.example'],
    anchors,
    asserts: { domains: ['n.example'], numbers: ['+4930'], transit: false },
  }),
];

function evidence(dns: string, conid: string, over: object = {}) {
  const words = { conid, src_port: '40000', rcv_port: '5061' };
  return { ...question(peer(dns).pem, words, { verified: '1' }), ...over };
}

let decisions: Decision[];
let state: TrustState;
let ask: (method: string, params: unknown) => Record<string, unknown>;
beforeEach(() => {
  const policy = policyOf(agreements);
  decisions = [];
  const log = { write: (decision: Decision) => void decisions.push(decision), close: async () => {} };
  state = trustState({ policy, clock: () => NOW, decisions: log });
  const table = trustMethods(state);
  ask = asking(table);
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
const into = { ...message, direction: 'in' };
const PAI = 'P-Asserted-Identity';

/** The rows of the error that refuses these params. */
function issuesOf(method: string, params: unknown): unknown {
  try {
    ask(method, params);
  } catch (error) {
    if (error instanceof RpcError) return error.data;
    throw error;
  }
  throw new Error('expected a refusal, found an answer');
}

describe('trust.message', () => {
  beforeEach(() => {
    ask('trust.peer', evidence('b.example', 'b'));
    ask('trust.peer', evidence('c.example', 'c'));
    ask('trust.peer', evidence('stranger.example', 'x'));
  });

  test('ok/a known connection of a partner: what it may not assert goes', () => {
    const answer = ask('trust.message', { ...into, conid: 'b', src_ip: '192.0.2.1', src_port: '40000' });
    expect(answer).toMatchObject({
      action: 'continue',
      agreement: 'op-b',
      remove: [PAI],
      append: [`${PAI}: <sip:bob@b.example>`],
      reason: 'assert-foreign',
    });
  });
  describe('trust.explain: what was found in the message stands behind the checks of who sent it', () => {
    const explained = (raw: string) => {
      const raw_b64 = Buffer.from(raw).toString('base64');
      const asked = { ...into, raw_b64, conid: 'b', src_ip: '192.0.2.1', src_port: '40000' };
      const { id } = ask('trust.message', asked);
      return ask('trust.explain', { id }) as unknown as { summary: string; checks: { outcome: string }[] };
    };
    test('fail/a message that is refused', () => {
      const { summary, checks } = explained(raw.replace('eve@evil.example', 'eve@a.example'));
      expect(summary).toMatch(/^trusted, and the message is refused: assert-own, [^(]*$/);
      expect(checks.at(-1)).toEqual({
        step: checks.length,
        name: 'message, assert-own',
        compared: 'P-Asserted-Identity: the peer asserts an identity of a.example',
        outcome: 'fail',
        clause: 'RFC 3324 §2.2',
      });
    });
    test('fail/a message whose header block ends elsewhere to whoever goes by CRLF alone, as its start line does', () => {
      const [start, ...rows] = raw.split('\r\n');
      const { summary } = explained(`${start}\r\n${rows.join('\n')}P-Asserted-Identity: <sip:eve@a.example>\r\n\r\n`);
      expect(summary).toMatch(/^trusted, and the message is refused: malformed-header, [^(]*$/);
    });
    test('fail/a message that is changed', () => {
      const { summary, checks } = explained(raw);
      expect(summary).toMatch(/^trusted: assert-foreign, [^(]*$/);
      expect(checks.at(-1)).toMatchObject({ name: 'message, assert-foreign', outcome: 'fail' });
    });
    test('ok/of a subscriber as little is seen as in the decision log and in the rows of the page (daemon.log.mask)', () => {
      ask('trust.peer', evidence('n.example', 'n'));
      const named = raw.replace('<sip:bob@b.example>, <sip:eve@evil.example>', '<sip:089123456@n.example;user=phone>');
      const raw_b64 = Buffer.from(named).toString('base64');
      const { id } = ask('trust.message', { ...into, raw_b64, conid: 'n', src_ip: '192.0.2.1', src_port: '40000' });
      const answer = state.answers.recent.find(String(id));
      const row = answer && decisionRow(answer, true);
      expect(row?.detail).toBe('P-Asserted-Identity: expected a number of +4930, found "08***"');
      expect(JSON.stringify(ask('trust.explain', { id }))).not.toContain('089123456');
      expect(JSON.stringify(ask('trust.explain', { id }))).toContain('found \\"08***\\"');
    });
    test('ok/a message in which nothing was found', () => {
      const { checks } = explained(raw.replace(', <sip:eve@evil.example>', ''));
      expect(checks.at(-1)).toMatchObject({ name: 'agreement', outcome: 'pass' });
    });
  });
  test('ok/evidence, in base64 as scripts send it', () => {
    const given = evidence('b.example', 'other');
    const { pem, ...tls } = given.tls;
    const encoded = { ...given, tls: { ...tls, pem_b64: Buffer.from(pem).toString('base64') } };
    expect(ask('trust.message', { ...into, ...encoded })).toMatchObject({ append: [`${PAI}: <sip:bob@b.example>`] });
  });
  test.each([
    ['a stranger', { conid: 'x' }],
    ['a connection of which nothing is known', { conid: 'nobody' }],
    ['another source than the connection has', { conid: 'b', src_ip: '192.0.2.99' }],
    ['nothing at all', {}],
    ['a connection without TLS', { proto: 'udp', src_ip: '192.0.2.1' }],
  ])('ok/from %s: every assertion goes, and the Request-URI is cleaned', (_, hop) => {
    const answer = ask('trust.message', { ...into, ...hop });
    expect(answer).toMatchObject({ action: 'continue', remove: [PAI], append: [], ruri: 'sip:alice@a.example' });
  });
  test('ok/the decision log states no transport of a connection that is unknown, and what the message says of it', () => {
    ask('trust.message', { ...into, conid: 'nobody', src_ip: '192.0.2.99', src_port: '5060' });
    const seen = { transport: 'unknown', connectionId: 'nobody', sourceAddress: '192.0.2.99', sourcePort: 5060 };
    expect(decisions.at(-1)?.evidence).toMatchObject({ ...seen, tls: undefined });
  });
  test('ok/a response goes out to who sent the request', () => {
    const headers = `From: <sip:x@x.example>;tag=1\r\n${PAI}: <sip:bob@b.example>\r\n`;
    const response = { message: 'response', direction: 'out', status: '200', method: 'INVITE', headers };
    expect(ask('trust.message', { ...response, conid: 'x' })).toMatchObject({ remove: [PAI] });
    expect(ask('trust.message', { ...response, conid: 'c' })).toMatchObject({ remove: [] });
  });
  test('ok/plans are counted by hook and outcome', () => {
    ask('trust.message', { ...into, conid: 'b' });
    ask('trust.message', { ...into, conid: 'x' });
    ask('trust.message', { ...message, direction: 'out', conid: 'c' });
    ask('trust.message', { message: 'request', method: 'INVITE', direction: 'in', headers: 'Foo\0: x\r\n' });
    const plans = Object.entries(state.counters.all()).filter(([name]) => name.startsWith('plan.'));
    expect(Object.fromEntries(plans)).toEqual({
      'plan.request-in.edited': 2,
      'plan.request-in.refused': 1,
      'plan.request-out.as-is': 1,
    });
  });
  test('ok/a revision that is no longer in force: the answer quotes the one that is', () => {
    const { revision } = ask('trust.message', {
      ...into,
      conid: 'b',
      revision: String(state.policy.snapshot.revision),
    });
    expect(revision).toBe(state.policy.snapshot.revision);
    const before = revision;
    state.changes.touch();
    const answer = ask('trust.message', { ...into, conid: 'b', revision: String(before) });
    expect(answer.revision).toBe(state.policy.snapshot.revision);
    expect(answer.revision).not.toBe(before);
  });
  test('ok/what a script prints for a missing value is absent, whatever its name', () => {
    const absent = { next_hop: '<null>', next_hop_b64: '', typo: '<null>', status: null };
    expect(ask('trust.message', { ...into, conid: 'b', ...absent })).toMatchObject({ agreement: 'op-b' });
  });
});

describe('params that no method knows are errors that name them', () => {
  const unknown = (path: string, found: string) => ({ path, expected: 'no param of this name', found });
  test.each([
    ['a typing error', { diretcion: 'in' }, unknown('diretcion', '"in"')],
    ['one in base64', { heades_b64: 'eA==' }, unknown('heades', '"x"')],
    ['the hop before, which has its own question', { inbound: { conid: 'b' } }, unknown('inbound', 'an object')],
    ['one under tls', { tls: { perm: 'x' } }, unknown('tls.perm', '"x"')],
  ])('fail/trust.message: %s', (_, over, issue) => {
    expect(issuesOf('trust.message', { ...into, conid: 'b', ...over })).toEqual([issue]);
  });
  test('fail/trust.peer', () => {
    expect(issuesOf('trust.peer', evidence('b.example', 'b', { src_prt: '5061' }))).toEqual([
      unknown('src_prt', '"5061"'),
    ]);
    expect(issuesOf('trust.peer', evidence('b.example', 'b', { tls: { verifed: '1' } }))).toEqual([
      unknown('tls.verifed', '"1"'),
    ]);
  });
  test('fail/trust.explain', () => {
    expect(issuesOf('trust.explain', evidence('b.example', 'b', { nexthop: 'b.example' }))).toEqual([
      unknown('nexthop', '"b.example"'),
    ]);
    expect(issuesOf('trust.explain', { id: 'x', verbose: '1' })).toEqual([unknown('verbose', '"1"')]);
    expect(issuesOf('trust.explain', { direction: 'in', transport: 'TLS', conid: 'b' })).toEqual([
      { path: 'proto', expected: 'string', found: 'nothing' },
      unknown('transport', '"TLS"'),
    ]);
  });
});
