/** Who may ask what: every method over every listener. */

import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askDaemon } from '../../src/ctl/daemon/ask.js';
import { NO_AUDIT_LOG } from '../../src/log/audit.js';
import type { DaemonSettings } from '../../src/policy/settings/daemon-settings.js';
import { includesRole, ROLES, type Role } from '../../src/policy/settings/role.js';
import { DEFAULT_SETTINGS } from '../../src/policy/settings/settings.js';
import { type Listeners, openListeners } from '../../src/rpc/listeners/listeners.js';
import { methodTable } from '../../src/rpc/methods/methods.js';
import { CallError, callTcp, callUnix, RemoteError } from '../../src/rpc/wire/client.js';
import { PolicyHolder } from '../../src/state/policy/holder.js';
import { trustState } from '../../src/state/trust/trust-state.js';
import { siptrustctl } from '../support/command-line.js';
import { emptySnapshot } from '../support/snapshot.js';
import { fifoAsk, http, portOf, temporaryDirectory } from '../support/wires.js';

const FORBIDDEN = -32003;

const directory = temporaryDirectory();
const path = (name: string) => join(directory.path, name);
const settings: DaemonSettings = {
  ...DEFAULT_SETTINGS,
  listen: {
    netstring: { address: '127.0.0.1', port: 0 },
    http: { address: '127.0.0.1', port: 0 },
    https: undefined,
    unix: path('operator.sock'),
    viewer: path('viewer.sock'),
    fifo: path('fifo'),
    fifoReplyDir: directory.path,
  },
};

const logged: [string, object][] = [];
const log = {
  ...{ error: () => {}, info: () => {}, debug: () => {}, setLevel: () => {} },
  ...{ warn: (message: string, fields: object = {}) => void logged.push([message, fields]) },
  ...{ level: () => 'info' as const, close: async () => {} },
};
const holder = PolicyHolder.open(() => ({ ok: true, snapshot: emptySnapshot, settings, warnings: [] }), 0);
if ('problems' in holder) throw new Error('expected a policy');
let now = 0;
const state = trustState({ policy: holder, clock: () => now });
const table = methodTable(state, log, () => state.changes.reload());

const audit = NO_AUDIT_LOG;
const served = { state, log, audit, reload: () => state.changes.reload() };

let listeners: Listeners;
let tcp: number;
let web: number;
beforeAll(async () => {
  const opened = await openListeners(settings, served);
  if ('failed' in opened) throw new Error(opened.failed);
  listeners = opened;
  [tcp = 0, web = 0] = opened.addresses.slice(0, 2).map(portOf);
});
afterAll(async () => {
  await listeners.close(0);
  directory.remove();
});

/** The code of the error that the answer is; 0: a result. */
type Ask = (method: string, params?: object) => Promise<number>;

const byNetstrings =
  (call: (method: string, params: object) => Promise<unknown>): Ask =>
  async (method, params = {}) => {
    try {
      await call(method, params);
      return 0;
    } catch (error) {
      if (error instanceof CallError || !(error instanceof RemoteError)) throw error;
      return error.code;
    }
  };
const requestOf = (method: string, params: object, more: object = {}) =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, method, params, ...more });
const codeOf = (text: string): number => (JSON.parse(text) as { error?: { code: number } }).error?.code ?? 0;

const LISTENERS: readonly { readonly name: string; readonly role: Role; readonly ask: Ask }[] = [
  { name: 'TCP', role: 'script', ask: byNetstrings((method, params) => callTcp('127.0.0.1', tcp, method, params)) },
  {
    name: 'HTTP',
    role: 'script',
    ask: async (method, params = {}) => codeOf((await http(web, { body: requestOf(method, params) })).text),
  },
  {
    name: "the viewers' socket",
    role: 'viewer',
    ask: byNetstrings((method, params) => callUnix(path('viewer.sock'), method, params)),
  },
  {
    name: "the operators' socket",
    role: 'operator',
    ask: byNetstrings((method, params) => callUnix(path('operator.sock'), method, params)),
  },
  {
    name: 'the FIFO',
    role: 'operator',
    ask: async (method, params = {}) =>
      codeOf(await fifoAsk(path('fifo'), directory.path, (name) => requestOf(method, params, { reply_name: name }))),
  },
];

describe.each(LISTENERS)('$name serves the role $role', ({ role, ask }) => {
  test.each(table)('$name of $role', async (method) => {
    // Params that no method takes: a method that may be asked says so, and does nothing.
    const code = await ask(method.name, { nonsense: { deep: 1 } });
    if (includesRole(role, method.role)) expect(code).not.toBe(FORBIDDEN);
    else expect(code).toBe(FORBIDDEN);
  });
});

describe('what a listener grants', () => {
  test('ok/every method has a role, and every role has methods', () => {
    expect(new Set(table.map((method) => method.role))).toEqual(new Set(ROLES));
  });
  test('fail/a batch that mixes questions and changes changes nothing', async () => {
    const flushes = ['trust.peer', 'cache.flush', 'agreement.reload'].map((method) => requestOf(method, {}));
    const { text } = await http(web, { body: `[${flushes.join(',')}]` });
    const codes = (JSON.parse(text) as { error?: { code: number } }[]).map(({ error }) => error?.code);
    expect(codes).toEqual([-32602, FORBIDDEN, FORBIDDEN]);
  });
  test('fail/a notification changes nothing either', async () => {
    const before = state.policy.status().lastAttempt;
    await http(web, { body: JSON.stringify({ jsonrpc: '2.0', method: 'agreement.reload' }) });
    expect(state.policy.status().lastAttempt).toBe(before);
    expect(state.counters.all()['forbidden.http']).toBeGreaterThan(0);
  });
  test('ok/the answer says nothing beyond that, the log says all', async () => {
    logged.length = 0;
    now += 60_000;
    const { text } = await http(web, {
      body: requestOf('pin.approve', { agreement: 'x', pin: 'all' }),
    });
    expect(JSON.parse(text).error).toEqual({ code: FORBIDDEN, message: 'Forbidden' });
    const peer = expect.stringMatching(/^127\.0\.0\.1:[0-9]+$/);
    const refused = { method: 'pin.approve', wire: 'http', peer, role: 'script', credential: '' };
    expect(logged).toContainEqual(['a method was refused', expect.objectContaining(refused)]);
  });
  test('ok/siptrustctl says which method it was, and over what', async () => {
    const { code, error } = await siptrustctl(['--socket', path('viewer.sock'), 'agreement', 'reload']);
    const words = `Forbidden: this agreement.reload takes rights that ${path('viewer.sock')} does not give; operators have`;
    expect([code, error]).toEqual([1, expect.stringContaining(words)]);
  });
  test('fail/a method that this siptrustd does not have: siptrustctl names it, and what may be the matter', async () => {
    const asked = askDaemon({ socket: path('viewer.sock'), timeout: '5000' }, 'core.tomorrow', {});
    const where = path('viewer.sock').replaceAll('.', '[.]');
    await expect(asked).rejects.toThrow(
      new RegExp(`Method not found: the siptrustd at ${where} does not know core.tomorrow`),
    );
  });
  test('ok/core.status: a script gets the part that it polls, others all', async () => {
    const ofScript = (await callTcp('127.0.0.1', tcp, 'core.status')) as object;
    expect(Object.keys(ofScript)).toEqual(['status', 'revision', 'version', 'stranger', 'sockets']);
    const ofViewer = (await callUnix(path('viewer.sock'), 'core.status')) as object;
    expect(ofViewer).toMatchObject({ ...ofScript, agreements: 0, problems: [], sizes: {} });
  });
  test('fail/trust.explain of an id: a script gets no answer that somebody else was given', async () => {
    const { id } = (await callTcp('127.0.0.1', tcp, 'trust.peer', { direction: 'in', proto: 'tcp' })) as { id: string };
    await expect(callTcp('127.0.0.1', tcp, 'trust.explain', { id })).rejects.toMatchObject({ code: FORBIDDEN });
    expect(await callTcp('127.0.0.1', tcp, 'trust.explain', { direction: 'in', proto: 'tcp' })).toMatchObject({
      id: '',
    });
    expect(await callUnix(path('viewer.sock'), 'trust.explain', { id })).toMatchObject({ id });
    await expect(callUnix(path('viewer.sock'), 'trust.explain', { id: 'a-1' })).rejects.toMatchObject({
      data: expect.stringMatching(/"a-1": expected one of the latest 10000 .* daemon\.log\.decisions/),
    });
  });
  test('ok/the sockets have the modes that the settings name', () => {
    for (const name of ['operator.sock', 'viewer.sock']) expect(statSync(path(name)).mode & 0o777).toBe(0o660);
  });
  test('ok/a group of viewers gets its socket, and nobody besides', async ({ skip }) => {
    if (process.getuid?.() !== 0) skip('giving a socket to another group takes root');
    const [, gid] = /^daemon:[^:]*:(\d+):/m.exec(readFileSync('/etc/group', 'utf8')) ?? [];
    const listen = { ...settings.listen, netstring: undefined, http: undefined, fifo: undefined, unix: undefined };
    const one = { ...settings, viewerGroup: 'daemon', listen: { ...listen, viewer: path('group.sock') } };
    const opened = await openListeners(one, served);
    if ('failed' in opened) throw new Error(opened.failed);
    const { gid: found, mode } = statSync(path('group.sock'));
    await opened.close(0);
    expect([found, mode & 0o777]).toEqual([Number(gid), 0o660]);
  });
  test('fail/a group that does not exist opens nothing', async () => {
    const listen = { ...settings.listen, netstring: undefined, http: undefined, fifo: undefined, unix: undefined };
    const one = { ...settings, viewerGroup: 'no-such-group', listen: { ...listen, viewer: path('other.sock') } };
    const opened = await openListeners(one, served);
    expect(opened).toEqual({ failed: expect.stringContaining('other.sock: expected a group that exists') });
    expect(statSync(path('other.sock'), { throwIfNoEntry: false })).toBeUndefined();
  });
});
