/** GET /decisions: the answers as they are given, to whom, which, how many, and until when. */

import { request as httpRequest, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { NO_AUDIT_LOG } from '../../src/log/audit.js';
import type { DaemonSettings } from '../../src/policy/settings/daemon-settings.js';
import { DEFAULT_SETTINGS } from '../../src/policy/settings/settings.js';
import { MOST_STREAMS } from '../../src/rpc/http/decision-stream.js';
import { type Listeners, openListeners } from '../../src/rpc/listeners/listeners.js';
import { callUnix } from '../../src/rpc/wire/client.js';
import { PolicyHolder } from '../../src/state/policy/holder.js';
import { type TrustState, trustState } from '../../src/state/trust/trust-state.js';
import { emptySnapshot } from '../support/snapshot.js';
import { http, portOf, temporaryDirectory } from '../support/wires.js';

const PATIENCE = { timeout: 20_000, interval: 20 };
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Opened {
  readonly port: number;
  readonly state: TrustState;
  readonly listeners: Listeners;
  readonly token: string;
  readonly scripts: string;
  readonly operate: (method: string, params?: object) => Promise<unknown>;
}

async function open(): Promise<Opened> {
  const directory = temporaryDirectory();
  cleanups.push(() => directory.remove());
  const socket = join(directory.path, 'ctl.sock');
  const off = { netstring: undefined, https: undefined, viewer: undefined, fifo: undefined };
  const settings: DaemonSettings = {
    ...DEFAULT_SETTINGS,
    listen: { ...DEFAULT_SETTINGS.listen, ...off, unix: socket, http: { address: '127.0.0.1', port: 0 } },
    access: { ...DEFAULT_SETTINGS.access, tokens: join(directory.path, 'tokens.json') },
  };
  const holder = PolicyHolder.open(() => ({ ok: true, snapshot: emptySnapshot, settings, warnings: [] }), 0);
  if ('problems' in holder) throw new Error('expected a policy');
  const state = trustState({ policy: holder, clock: Date.now });
  const log = {
    ...{ error: () => {}, warn: () => {}, info: () => {}, debug: () => {}, setLevel: () => {} },
    ...{ level: () => 'info' as const, close: async () => {} },
  };
  const audit = NO_AUDIT_LOG;
  const listeners = await openListeners(settings, { state, log, audit, reload: () => state.changes.reload() });
  if ('failed' in listeners) throw new Error(listeners.failed);
  cleanups.push(() => listeners.close(0));
  const operate = (method: string, params: object = {}) => callUnix(socket, method, params);
  const tokenOf = async (role: string) =>
    ((await operate('token.add', { name: role, role })) as { readonly token: string }).token;
  const port = portOf(listeners.addresses[0] ?? '');
  return { port, state, listeners, operate, token: await tokenOf('viewer'), scripts: await tokenOf('script') };
}

interface Seen {
  readonly status: number;
  readonly response: IncomingMessage;
  text: string;
  ended: boolean;
  readonly events: () => readonly { readonly name: string; readonly data: Readonly<Record<string, unknown>> }[];
}

function watch(port: number, token: string, query = '', headers: Record<string, string> = {}): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest(
      {
        ...{ host: '127.0.0.1', port, path: `/decisions${query}`, agent: false },
        headers: { ...(token === '' ? {} : { Authorization: `Bearer ${token}` }), ...headers },
      },
      (response) => {
        const seen: Seen = {
          ...{ status: response.statusCode ?? 0, response, text: '', ended: false },
          events: () =>
            [...seen.text.matchAll(/^event: (.*)\ndata: (.*)$/gm)].map(([, name = '', data = '']) => {
              return { name, data: JSON.parse(data) as Readonly<Record<string, unknown>> };
            }),
        };
        response.setEncoding('utf8').on('data', (chunk: string) => {
          seen.text += chunk;
        });
        response.on('close', () => {
          seen.ended = true;
        });
        resolve(seen);
      },
    );
    asked.on('error', reject);
    asked.end();
    cleanups.push(() => asked.destroy());
  });
}

const ask = (port: number, params: object, method = 'trust.peer') =>
  http(port, { body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { direction: 'in', ...params } }) });
const from = (source: string, proto = 'tcp') => ({ proto, src_ip: source });

describe('the stream', () => {
  test('ok/what was answered before, then what is answered, each once and in its order', async () => {
    const { port, token, state } = await open();
    for (const last of [1, 2]) await ask(port, from(`192.0.2.${last}`));
    const seen = await watch(port, token);
    expect([seen.status, seen.response.headers['content-type']]).toEqual([200, 'text/event-stream']);
    for (const last of [3, 4]) await ask(port, from(`192.0.2.${last}`));
    await expect.poll(() => seen.events().length, PATIENCE).toBe(4);
    expect(seen.events().map(({ name, data }) => [name, data.source, data.verdict])).toEqual(
      [1, 2, 3, 4].map((last) => ['decision', `192.0.2.${last}`, 'untrusted']),
    );
    const ids = [...seen.text.matchAll(/^id: (.*)$/gm)].map(([, id]) => id);
    expect(ids.map((id) => state.answers.recent.find(id ?? '')?.id)).toEqual(ids);
  });
  test('ok/only what the filter wants', async () => {
    const { port, token } = await open();
    const text = await watch(port, token, '?match=192.0.2.7&method=trust.peer&verdict=untrusted');
    const trusted = await watch(port, token, '?verdict=trusted');
    const strangers = await watch(port, token, '?agreement=');
    for (const last of [6, 7]) await ask(port, from(`192.0.2.${last}`));
    await ask(port, { ...from('192.0.2.7'), message: 'request', headers: 'Privacy: id\r\n' }, 'trust.message');
    await expect.poll(() => strangers.events().length, PATIENCE).toBe(3);
    expect(text.events().map(({ data }) => [data.source, data.method])).toEqual([['192.0.2.7', 'trust.peer']]);
    expect(trusted.events()).toEqual([]);
  });
  test('ok/who comes back gets what came meanwhile, and nothing twice', async () => {
    const { port, token } = await open();
    for (const last of [1, 2, 3]) await ask(port, from(`192.0.2.${last}`));
    const first = await watch(port, token);
    await expect.poll(() => first.events().length, PATIENCE).toBe(3);
    const [, second] = first.events();
    const again = await watch(port, token, '', { 'Last-Event-ID': String(second?.data.id) });
    await expect.poll(() => again.events().length, PATIENCE).toBe(1);
    expect(again.events()[0]?.data.source).toBe('192.0.2.3');
    // Of another run of the daemon: all are new.
    const other = await watch(port, token, '', { 'Last-Event-ID': '00000000-1' });
    await expect.poll(() => other.events().length, PATIENCE).toBe(3);
  });
  test('ok/of more answers than anybody reads the number is told', async () => {
    const { port, token, state } = await open();
    const seen = await watch(port, token);
    await ask(port, from('192.0.2.1'));
    await expect.poll(() => seen.events().length, PATIENCE).toBe(1);
    const [one] = state.answers.recent.newest();
    if (one === undefined) throw new Error('expected an answer');
    for (let count = 0; count < 5_000; count += 1) state.answers.recent.add(0, one.verdict, undefined, one.question);
    await expect.poll(() => seen.events().length, PATIENCE).toBe(102);
    expect(seen.events().filter(({ name }) => name === 'missed')).toEqual([{ name: 'missed', data: { count: 4_900 } }]);
  });
});

describe('who gets it, and until when', () => {
  test('fail/no credential, a wrong one, one of a script; a params that is none; another verb', async () => {
    const { port, token, scripts } = await open();
    expect((await watch(port, '')).status).toBe(401);
    expect((await watch(port, 'wrong')).status).toBe(401);
    expect((await watch(port, scripts)).status).toBe(403);
    const bearer = { Authorization: `Bearer ${token}` };
    for (const [query, error] of [
      ['?nonsense=1', 'nonsense: expected no param of this name, found "1"'],
      ['?verdict=maybe', 'verdict: expected "trusted" or "untrusted" or "reject", found "maybe"'],
      ['?match=a&match=b', 'match: expected string, found an array of 2'],
      [`?match=${'a'.repeat(201)}`, `match: expected at most 200 characters, found "${'a'.repeat(59)}...`],
    ] as const) {
      const answer = await http(port, { path: `/decisions${query}`, method: 'GET', headers: bearer });
      expect({ status: answer.status, ...JSON.parse(answer.text) }).toEqual({ status: 400, error });
    }
    expect((await http(port, { path: '/decisions', headers: bearer, body: '{}' })).status).toBe(405);
  });
  test('fail/a token that is taken back ends what it has opened', async () => {
    const { port, token, operate } = await open();
    const seen = await watch(port, token);
    await operate('token.revoke', { name: 'viewer' });
    await expect.poll(() => seen.ended, PATIENCE).toBe(true);
    expect((await watch(port, token)).status).toBe(401);
  });
  test('fail/more streams than there is room for; one that ends makes room', async () => {
    const { port, token } = await open();
    // The first one has the token looked at.
    const first = await watch(port, token);
    const all = await Promise.all(Array.from({ length: MOST_STREAMS - 1 }, () => watch(port, token)));
    const next = await watch(port, token);
    expect([next.status, next.response.headers['retry-after']]).toEqual([503, '10']);
    expect([first, ...all].map(({ status }) => status)).toEqual(Array(MOST_STREAMS).fill(200));
    first.response.destroy();
    await expect.poll(async () => (await watch(port, token)).status, PATIENCE).toBe(200);
  });
  test('ok/a daemon that stops ends it, and does not wait for it', async () => {
    const { port, token, listeners } = await open();
    const seen = await watch(port, token);
    const closing = listeners.close(60_000);
    await expect.poll(() => seen.ended, PATIENCE).toBe(true);
    await closing;
  });
});
