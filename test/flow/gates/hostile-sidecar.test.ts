/**
 * Sidecars that answer wrongly, or not at all: a wrong type is no answer, nothing is injected, what needs a plan does not
 * pass, and nobody waits twice (G-4, G-6, G-17).
 */

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, request } from '../../support/live/caller.js';
import { builds } from '../../support/live/kamailio.js';
import { Network } from '../../support/live/network.js';
import { Party } from '../../support/live/party.js';
import type { Identity } from '../../support/live/pki.js';
import { eventually } from '../../support/live/places.js';
import { expectNowhere, privateRows } from '../../support/live/secrets.js';
import { statusOf } from '../../support/live/sip-text.js';

const FORGED = privateRows('forged');
/** A row that no list can clean. */
const EMBEDDED = 'Refer-To: <sip:carol@own.example?P-Asserted-Identity=%3Csip%3Aforged%40own.example%3E>';
const REVISION = 1_000_000;
const TRUSTED = { verdict: 'trusted', trusted: 1, action: 'continue', profile: 'trusted', agreement: 'op-a' };
const GOOD = { ...TRUSTED, reason: 'ok', id: 'x', ttl: 1, revision: REVISION, asserts: ['a.example', 'own.example'] };
const WRONG: readonly unknown[] = [0, -1, 7, null, [], {}, '', 'x', ['trusted'], { trusted: 1 }];

describe.each(builds('full'))('hostile sidecars, Kamailio $version', (build) => {
  let network: Network;
  let server: Server;
  let stranger: Caller;
  let user: Caller;
  /** Made once: the sidecar of these tests answers nobody while openssl makes one. */
  let partner: Identity;
  let outside: Party;
  let bodies: Record<string, string> = {};
  /** What the next questions about peers are answered, one each. */
  let queue: string[] = [];
  /** Methods that were asked and are not answered. */
  let silent: readonly string[] = [];
  let asked: string[] = [];

  const result = (value: unknown) => JSON.stringify({ jsonrpc: '2.0', id: 1, result: value });

  beforeAll(async () => {
    // (Who answers here shares the machine with all the rest.)
    network = await Network.start({ build, defines: () => ({ SIPTRUST_TIMEOUT_MS: '1000' }) });
    await network.daemon.stop('SIGKILL');
    server = createServer(async (question, answer) => {
      const chunks: Buffer[] = [];
      for await (const chunk of question) chunks.push(chunk as Buffer);
      const { method } = JSON.parse(Buffer.concat(chunks).toString()) as { method: string };
      asked.push(method);
      if (silent.includes(method) || silent.includes('all')) return;
      answer.setHeader('connection', 'close');
      const status = result({ revision: REVISION, stranger: 'untrusted', sockets: [] });
      const next = method === 'trust.peer' ? queue.shift() : undefined;
      answer.end(next ?? bodies[method] ?? (method === 'core.status' ? status : result({ hops: [] })));
    });
    server.listen(7061, network.host(1));
    await once(server, 'listening');
    await eventually('the proxy asks it', () => network.knownRevision() === REVISION);
    partner = network.certificateOfA();
    stranger = await network.overUdp();
    user = await network.ownUser();
    const identity = network.pki.certificate({ issuer: network.cast.operatorB, names: ['DNS:stranger.example'] });
    outside = await Party.start(network.host(12), identity);
  });
  beforeEach(async () => {
    await eventually('the proxy asks it', () => !network.sidecarIsDown());
  });
  afterAll(async () => {
    outside?.stop();
    server?.close();
    server?.closeAllConnections();
    await network?.stop();
  });

  /** An INVITE over a connection of its own: its final answer. */
  async function invite(rows: readonly string[]): Promise<string> {
    const caller = await network.overTls(partner);
    const callId = freshCallId();
    caller.send(request({ callId, headers: rows }));
    const answer = await caller.final(callId);
    caller.close();
    return answer;
  }

  it('ok/a right answer trusts', async () => {
    bodies = { 'trust.peer': result(GOOD) };
    expect(statusOf(await invite(['P-Asserted-Identity: <sip:kept@a.example>']))).toBe(200);
    expect(network.uas.got.some((text) => text.includes('sip:kept@a.example'))).toBe(true);
  });

  it.each(['verdict', 'trusted', 'action', 'profile'])('fail/G-6 trust.peer, wrong %s', async (field) => {
    queue = WRONG.map((value) => result({ ...GOOD, [field]: value }));
    // Whom a busy machine makes late is not asked before the next poll.
    await eventually('all are given', async () => {
      if (!network.sidecarIsDown()) await Promise.all(queue.map(() => invite(FORGED)));
      return queue.length === 0;
    });
    expectNowhere('forged', network.uas.got);
  });

  it('fail/core.status with a revision that is none: the policy stays, nobody is trusted by it', async () => {
    bodies = { 'trust.peer': result(GOOD) };
    const caller = await network.overTls(partner);
    const revisions = [0, -1, 'x', [], null, 1.5, 1e300].map((revision) => result({ revision, sockets: 'x' }));
    for (const body of [...revisions, 'garbage {', result([REVISION]), result('x'.repeat(3_000_000))]) {
      bodies = { 'trust.peer': result(GOOD), 'core.status': body };
      await eventually(`the proxy takes it for none: ${body.slice(0, 80)}`, () => network.sidecarIsDown(), 8_000);
      expect(network.knownRevision(), body.slice(0, 80)).toBe(REVISION);
      bodies = { 'trust.peer': result(GOOD) };
      await eventually('the right one is heard', () => !network.sidecarIsDown());
    }
    bodies = {};
    await eventually('the proxy hears it', () => !network.sidecarIsDown());
    caller.close();
    expect(network.cscf.running).toBe(true);
  });

  const HOP = { domain: 'd.example', require_tls: 0, agreement: '', action: 'continue', code: 0, reason: '', ttl: 5 };
  const hops: readonly (readonly [string, unknown])[] = [
    ['no result', null],
    ['a list', [HOP]],
    ['numbers', { domain: 1, require_tls: 'x', agreement: 2, action: 3, code: 'x', reason: 4, target1: 5, ttl: 'x' }],
    ['lists', { domain: [], require_tls: [], agreement: [], action: [], target1: [], ttl: [] }],
    ['CRLF in a target', { ...HOP, target1: 'udp:HERE:5060\r\nX-Injected: forged' }],
    ['CRLF in the domain', { ...HOP, domain: 'd.example\r\nX-Injected: forged', target1: 'tls:HERE:5061' }],
    ['fields within a field', { ...HOP, domain: 'd|0|1|0||tls:HERE:5061,', agreement: 'op-b' }],
    ['CRLF in the reason', { ...HOP, action: 'reject', code: 503, reason: 'no\r\nX-Injected: forged' }],
    ['a code that is none', { ...HOP, action: 'reject', code: 200 }],
    ['a target that is none', { ...HOP, target1: 'file:/etc/passwd', target2: 'tls:$var(x)', target3: '' }],
    ['garbage', undefined],
    ['3 MB', { ...HOP, target1: 'tls:'.repeat(750_000) }],
  ];
  it('fail/hop.resolve and hop.list: nothing private leaves, nothing is injected, calls go on or are refused', async () => {
    for (const [name, value] of hops) {
      const text = JSON.stringify(value)?.replaceAll('HERE', outside.host);
      const body = text === undefined ? 'garbage {' : `{"jsonrpc":"2.0","id":1,"result":${text}}`;
      bodies = {
        'hop.resolve': body,
        'hop.list': result({ hops: [{ line: `d\r\nX-Injected: forged|1|tls:${outside.host}:5061` }, { line: 7 }, 7] }),
        'trust.peer': result({ ...TRUSTED, trusted: 'yes', ttl: 9, revision: 'x' }),
      };
      const callId = freshCallId();
      const ruri = `sip:bob@${outside.host}:5060;transport=udp;x=${freshCallId().slice(0, 8)}`;
      user.send(request({ callId, transport: 'UDP', method: 'MESSAGE', ruri, headers: privateRows('secret') }));
      const status = statusOf(await user.final(callId));
      expect([200, 403, 408, 477, 478, 480, 500, 503], name).toContain(status);
    }
    // An OPTIONS of the poll would have it, too.
    await pause(600);
    bodies = {};
    expectNowhere('secret', outside.got);
    expectNowhere('forged', outside.got);
    expect(network.cscf.running).toBe(true);
  });

  it('ok/one that is frozen is waited for once, until the poll has heard it; then the first answer counts', async () => {
    bodies = { 'trust.peer': result(GOOD) };
    silent = ['all'];
    asked = [];
    for (let call = 0; call < 6; call += 1) {
      expect(statusOf(await invite(FORGED))).toBe(200);
      expectNowhere('forged', network.uas.got);
    }
    // The poll itself may have been the one that waited.
    expect(asked.filter((method) => method === 'trust.peer').length).toBeLessThan(2);
    silent = [];
    await eventually('the poll hears it', () => !network.sidecarIsDown());
    expect(statusOf(await invite(['P-Asserted-Identity: <sip:first@a.example>']))).toBe(200);
    expect(network.uas.got.some((text) => text.includes('sip:first@a.example'))).toBe(true);
    // Slow for questions alone: each of them takes the sidecar away until the next poll.
    silent = ['trust.peer', 'trust.message', 'hop.resolve'];
    asked = [];
    for (let call = 0; call < 3; call += 1) {
      expect(statusOf(await invite(FORGED))).toBe(200);
      expect(statusOf(await invite([EMBEDDED]))).toBeGreaterThan(399);
    }
    expectNowhere('forged', network.uas.got);
    const polls = asked.filter((method) => method === 'core.status').length;
    expect(asked.filter((method) => method.startsWith('trust.')).length).toBeLessThanOrEqual(polls + 1);
    silent = [];
    await eventually('the poll hears it', () => !network.sidecarIsDown());
  });

  const odd: readonly [string, string][] = [
    ['nothing', ''],
    ['no JSON', 'garbage {'],
    ['null', 'null'],
    ['a list', '[1]'],
    ['a text as result', result('trusted')],
    ['an error', JSON.stringify({ jsonrpc: '2.0', id: 1, error: { code: -1, message: 'x' } })],
    ['3 MB', result({ ...GOOD, reason: 'x'.repeat(3_000_000) })],
  ];
  it.each(odd)('fail/trust.peer and trust.message: %s', async (_name, body) => {
    bodies = { 'trust.peer': body, 'trust.message': body };
    await invite(FORGED);
    await invite([EMBEDDED]);
    expectNowhere('forged', network.uas.got);
  });

  const plans: readonly [string, unknown][] = [
    ['no remove', { action: 'continue' }],
    ['remove is a text', { action: 'continue', remove: 'Refer-To', append: [] }],
    ['action is a number', { action: 0, remove: [], append: [] }],
    ['remove holds a number', { action: 'continue', remove: [0], append: [] }],
    ['a row with CRLF', { action: 'continue', remove: ['Refer-To'], append: ['Subject: a\r\nP-Profile-Key: forged'] }],
    ['a Request-URI with CRLF', { action: 'continue', remove: ['Refer-To'], append: [], ruri: 'sip:a\r\nX: forged' }],
  ];
  it.each(plans)('fail/G-6 a plan is carried out whole or not at all: %s', async (_name, plan) => {
    bodies = { 'trust.peer': result({ ...GOOD, verdict: 'untrusted', trusted: 0 }), 'trust.message': result(plan) };
    await invite([EMBEDDED]);
    expectNowhere('forged', network.uas.got);
  });

  it('fail/G-6 a phrase with CRLF adds no header to the answer', async () => {
    const refusal = { action: 'reject', code: 403, phrase: 'No\r\nX-Injected: yes' };
    bodies = { 'trust.peer': result({ ...GOOD, ...refusal, verdict: 'reject', trusted: 0, profile: 'reject' }) };
    expect(await invite([])).not.toContain('X-Injected');
    bodies = { 'trust.peer': result({ ...GOOD, trusted: 0 }), 'trust.message': result(refusal) };
    expect(await invite([EMBEDDED])).not.toContain('X-Injected');
  });

  it('ok/it still serves strangers', async () => {
    bodies = {};
    const callId = freshCallId();
    stranger.send(request({ callId, transport: 'UDP', headers: ['Subject: bare'] }));
    expect(statusOf(await stranger.final(callId))).toBe(200);
  });
});
