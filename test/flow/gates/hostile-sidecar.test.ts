/** Sidecars that answer wrongly: a wrong type is no answer, nothing is injected, and what needs a plan does not pass (G-4, G-6). */

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, request } from '../../support/live/caller.js';
import { builds } from '../../support/live/kamailio.js';
import { Network } from '../../support/live/network.js';
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
  let bodies: Record<string, string> = {};

  const result = (value: unknown) => JSON.stringify({ jsonrpc: '2.0', id: 1, result: value });

  beforeAll(async () => {
    network = await Network.start({ build });
    await network.daemon.stop('SIGKILL');
    server = createServer(async (question, answer) => {
      const chunks: Buffer[] = [];
      for await (const chunk of question) chunks.push(chunk as Buffer);
      const { method } = JSON.parse(Buffer.concat(chunks).toString()) as { method: string };
      answer.setHeader('connection', 'close');
      const status = result({ revision: REVISION, stranger: 'untrusted', sockets: [] });
      answer.end(bodies[method] ?? (method === 'core.status' ? status : result({ hops: [] })));
    });
    server.listen(7061, network.host(1));
    await once(server, 'listening');
    await eventually('the proxy asks it', () => network.knownRevision() === REVISION);
    stranger = await network.overUdp();
  });
  afterAll(async () => {
    server?.close();
    await network?.stop();
  });

  /** An INVITE over a connection of its own: its final answer. */
  async function invite(rows: readonly string[]): Promise<string> {
    const caller = await network.overTls(network.certificateOfA());
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
    for (const value of WRONG) {
      bodies = { 'trust.peer': result({ ...GOOD, [field]: value }) };
      await invite(FORGED);
      expectNowhere('forged', network.uas.got);
    }
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
