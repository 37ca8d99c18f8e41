/** A sidecar that is dead, frozen, late, wrong or restarted: calls go on, private information does not. */

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, request } from '../support/live/caller.js';
import { OpensipsNetwork } from '../support/live/opensips-network.js';
import { bodyOf, rowsOf, statusOf } from '../support/live/sip-text.js';
import { ASSERTED, BUILD, called, theBuild } from './stage.js';

const KEPT = ['<sip:alice@a.example>'];

describe.skipIf(BUILD === undefined)('a sidecar that fails', () => {
  let network: OpensipsNetwork;
  beforeAll(async () => {
    network = await OpensipsNetwork.start({
      build: theBuild(),
      patience: 2,
      settings: { siptrust_grace: '6', siptrust_keepalive: '1' },
    });
  });
  afterAll(async () => {
    await network?.stop();
  });
  afterEach(async () => {
    network.relay.tamper = () => undefined;
    await network.polled();
  });

  async function asserted(caller: Caller, headers: readonly string[] = [ASSERTED]): Promise<readonly string[]> {
    const { answer, arrived } = await called(network, caller, { headers });
    expect(statusOf(answer)).toBe(200);
    if (arrived === undefined) throw new Error('the request did not arrive');
    return rowsOf(arrived, 'P-Asserted-Identity');
  }

  const change = (result: object) => (method: string, text: string) => {
    if (method !== 'trust.peer') return undefined;
    const answer = JSON.parse(text) as { result: object };
    return JSON.stringify({ ...answer, result: { ...answer.result, ...result } });
  };

  const wrong: readonly (readonly [string, (method: string, text: string) => string | undefined])[] = [
    ['no JSON', (method) => (method === 'trust.peer' ? 'garbage' : undefined)],
    ['half an answer', (method, text) => (method === 'trust.peer' ? text.slice(0, text.length / 2) : undefined)],
    [
      'an error',
      (method) => (method === 'trust.peer' ? '{"jsonrpc":"2.0","id":1,"error":{"code":-32603}}' : undefined),
    ],
    ['no fields', (method) => (method === 'trust.peer' ? '{"jsonrpc":"2.0","id":1,"result":{}}' : undefined)],
    ['trusted as a word', change({ trusted: 'yes' })],
    ['trusted as a string', change({ trusted: '1' })],
    ['trusted 2', change({ trusted: 2 })],
    ['a profile that is none', change({ profile: 'trusted;1' })],
    ['asserts as a string', change({ asserts: 'a.example' })],
    ['asserts with a bar in it', change({ asserts: ['x|a.example'] })],
    ['no ttl', change({ ttl: 0 })],
    ['a phrase of two lines', change({ phrase: 'Forbidden\r\nX-Injected: 1' })],
    ['an agreement with a semicolon', change({ agreement: 'op;1' })],
    ['a revision that is no number', change({ revision: '1' })],
  ];
  it.each(wrong)('fail/%s: untrusted', async (_, tamper) => {
    network.relay.tamper = tamper;
    const caller = await network.tls(network.certificateOfA());
    expect(await asserted(caller)).toEqual([]);
    network.relay.tamper = () => undefined;
    await network.polled();
    expect(await asserted(caller)).toEqual(KEPT);
  });

  const answers = (text: string) => (method: string) => (method === 'core.status' ? text : undefined);
  const polls: readonly (readonly [string, (method: string) => string | undefined])[] = [
    ['garbage', answers('garbage')],
    ['no revision', answers('{"jsonrpc":"2.0","id":1,"result":{}}')],
    ['a revision as a string', answers('{"jsonrpc":"2.0","id":1,"result":{"revision":"1"}}')],
    ['a list', answers('{"jsonrpc":"2.0","id":1,"result":[1]}')],
    ['3 MiB', answers(`{"jsonrpc":"2.0","id":1,"result":{"x":"${'x'.repeat(3 << 20)}"}}`)],
  ];
  it.each(polls)('fail/the poll gets %s: nobody is believed whom it does not know', async (_, tamper) => {
    network.relay.tamper = tamper;
    await network.polled();
    const caller = await network.tls(network.certificateOfA());
    expect(await asserted(caller)).toEqual([]);
    network.relay.tamper = () => undefined;
    await network.polled();
    expect(await asserted(caller)).toEqual(KEPT);
  });

  it('fail/a list of places that is none, and an answer of 3 MiB: the proxy stands', async () => {
    for (const result of ['{"hops":"x"}', '{"hops":[1,null,{"line":["x"]},{"line":"a|1|tls:x\\r\\nX: y"}]}', '[]']) {
      network.relay.tamper = (method) =>
        method === 'hop.list' ? `{"jsonrpc":"2.0","id":1,"result":${result}}` : undefined;
      await network.polled();
    }
    network.relay.tamper = (method, text) =>
      method === 'trust.peer' ? `${text.slice(0, -1)},"x":"${'x'.repeat(3 << 20)}"}` : undefined;
    const caller = await network.tls(network.certificateOfA());
    await asserted(caller);
    network.relay.tamper = () => undefined;
    await network.polled();
    expect(await asserted(await network.tls(network.certificateOfA()))).toEqual(KEPT);
    expect(network.proxy.running).toBe(true);
  });

  const plan = (result: object) => (method: string, text: string) => {
    if (method !== 'trust.message') return undefined;
    const answer = JSON.parse(text) as { result: object };
    return JSON.stringify({ ...answer, result: { ...answer.result, ...result } });
  };
  const ASKED = ['P-Asserted-Identity: <sip:x@b.example>', 'Require: histinfo'];
  const plans: readonly (readonly [string, (method: string, text: string) => string | undefined])[] = [
    ['without remove', plan({ remove: undefined })],
    ['remove as a string', plan({ remove: 'P-Asserted-Identity' })],
    ['remove with an expression', plan({ remove: ['P-.*'] })],
    ['append with a line end', plan({ append: ['X-A: 1\r\nP-Asserted-Identity: <sip:x@b.example>'] })],
    ['another action', plan({ action: 'go' })],
    ['no code', plan({ code: 'x' })],
  ];
  it.each(plans)('fail/a plan %s is no plan: the strictest list', async (_, tamper) => {
    network.relay.tamper = tamper;
    const caller = await network.udp();
    const asked = network.relay.count('trust.message');
    expect(await asserted(caller, ASKED)).toEqual([]);
    expect(network.relay.count('trust.message')).toBe(asked + 1);
  });

  it('ok/a plan is carried out: compact forms too, and what it adds comes to our side', async () => {
    network.relay.tamper = plan({ remove: ['P-Asserted-Identity', 'Subject'], append: ['X-Added: "q" \\ z'] });
    const { arrived } = await called(network, await network.udp(), { headers: [...ASKED, 's: private'] });
    expect(rowsOf(arrived ?? '', 'P-Asserted-Identity')).toEqual([]);
    expect(rowsOf(arrived ?? '', 's')).toEqual([]);
    expect(rowsOf(arrived ?? '', 'X-Added')).toEqual(['"q" \\ z']);
  });

  it('ok/frozen: one wait, then nobody waits; what is known counts for its grace', async () => {
    const known = await network.tls(network.certificateOfA());
    expect(await asserted(known)).toEqual(KEPT);
    network.relay.tamper = () => 'none';
    expect(await asserted(known)).toEqual(KEPT);
    const asked = network.relay.questions.length;
    const unknown = await network.tls(network.certificateOfA());
    for (let i = 0; i < 5; i++) expect(await asserted(unknown)).toEqual([]);
    // One question at most was asked before the proxy knew, in each of its processes.
    expect(network.relay.questions.length - asked).toBeLessThanOrEqual(2);
    await expect.poll(() => asserted(known), { timeout: 30_000, interval: 500 }).toEqual([]);
  });

  it('ok/dead and restarted: stripped, then trusted again', async () => {
    const becomes = (who: Caller, rows: readonly string[]) =>
      expect.poll(() => asserted(who), { timeout: 30_000, interval: 500 }).toEqual(rows);
    const known = await network.tls(network.certificateOfA());
    await becomes(known, KEPT);
    await network.daemon.stop('SIGKILL');
    const unknown = await network.tls(network.certificateOfA());
    expect(await asserted(unknown)).toEqual([]);
    await becomes(known, []);
    await network.daemon.start();
    await becomes(known, KEPT);
    await becomes(unknown, KEPT);
  });

  const DEAD: readonly (readonly [string, string, number])[] = [
    ['what the strictest list makes safe goes on', 'History-Info: <sip:x@y.example?Reason=SIP>;index=1', 200],
    ['what no list makes safe does not', 'Contact: <sip:x@y.example?P-Asserted-Identity=x>', 503],
    ['a private name on a folded line does not', 'Subject: x\r\n P-Asserted-Identity: <sip:x@y.example>', 400],
  ];
  it('ok/dead: what is made safe goes on, the rest is refused', async () => {
    network.relay.tamper = () => 'none';
    const caller = await network.tls();
    // The proxy finds out.
    expect(await asserted(caller)).toEqual([]);
    for (const [, row, status] of DEAD) {
      const { answer, arrived } = await called(network, caller, { headers: [row] });
      expect(statusOf(answer)).toBe(status);
      if (status === 200) expect(rowsOf(arrived ?? '', 'History-Info')).toEqual([]);
      else expect(arrived).toBeUndefined();
    }
  });

  it('fail/dead: no short message of a stranger reaches a phone of ours; ok/what belongs to a call goes on', async () => {
    network.relay.tamper = () => 'none';
    const caller = await network.tls();
    for (const [method, type, code] of [
      ['MESSAGE', 'APPLICATION/vnd.3gpp.SMS', 503],
      ['INFO', 'application/isup', 200],
    ] as const) {
      const callId = freshCallId();
      caller.send(request({ callId, method, headers: [`Content-Type: ${type}`], body: 'x' }));
      expect(statusOf(await caller.final(callId))).toBe(code);
      expect(network.uas.find(callId, method) === undefined).toBe(code === 503);
    }
  });

  const FORGED = 'P-Asserted-Identity: <sip:forged@own.example>';
  const HELP: readonly (readonly [string, string])[] = [
    ['a field', FORGED],
    ['a field of embedded fields', 'History-Info: <sip:x@y.example?Reason=forged>;index=1'],
    ['a URI of embedded fields', 'Contact: <sip:x@y.example?P-Asserted-Identity=forged>'],
    ['a folded line', `Subject: x\r\n ${FORGED}`],
    ['a bare CR', `Subject: x\r${FORGED}`],
    ['a folded line of what goes on', `Content-Language: en\r\n ${FORGED}`],
    ['a bare CR in what goes on', `Geolocation: <cid:x@y.example>\r${FORGED}`],
    ['a second From', 'From: <sip:forged@own.example;cpc=forged>;tag=2'],
    ['a Route', `Route: <sip:x@y.example;lr>\r\n ${FORGED}`],
    ['a Record-Route', `Record-Route: <sip:x@y.example;lr>\r\n ${FORGED}`],
  ];
  it.each([
    ['dead', 'none'],
    ['there', undefined],
  ] as const)('ok/%s: a call for help goes on, without what is hidden in it', async (_, said) => {
    network.relay.tamper = () => said;
    await network.polled();
    const caller = await network.udp();
    for (const [what, row] of HELP) {
      const { answer, arrived = '' } = await called(network, caller, {
        method: 'INVITE',
        transport: 'UDP',
        ruri: 'urn:service:sos',
        from: '"Alice" <sip:alice@a.example;cpc=forged>;tag=alice',
        headers: ['Geolocation: <cid:here@a.example>', 'Content-Type: text/plain', row],
        body: 'help',
      });
      const seen = `${what}: ${answer}${arrived}`;
      expect(statusOf(answer), seen).toBe(200);
      expect(arrived, seen).not.toContain('forged');
      expect(
        rowsOf(arrived, 'From').map((from) => from.replace('"Alice" ', '')),
        said,
      ).toEqual(['<sip:alice@a.example>;tag=alice']);
      for (const name of ['To', 'Call-ID', 'CSeq', 'Max-Forwards', 'Content-Length', 'Content-Type'])
        expect(rowsOf(arrived, name), `${name}: ${seen}`).toHaveLength(1);
      expect(rowsOf(arrived, 'Geolocation'), seen).toContain('<cid:here@a.example>');
      expect(rowsOf(arrived, 'Contact').join(), seen).toContain('<sip:alice@sbc.a.example>');
      expect(rowsOf(arrived, 'Via'), seen).toHaveLength(2);
      expect(bodyOf(arrived), seen).toBe('help');
    }
  });
});
