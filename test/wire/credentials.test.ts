/** Attacks on roles over HTTP and HTTPS: every method with no, a wrong, a viewer's and an operator's credential. */

import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { auditLog } from '../../src/log/audit.js';
import type { ClientCertificate } from '../../src/policy/settings/access-settings.js';
import type { DaemonSettings } from '../../src/policy/settings/daemon-settings.js';
import { includesRole, type Role } from '../../src/policy/settings/role.js';
import { DEFAULT_SETTINGS } from '../../src/policy/settings/settings.js';
import { readIdentity } from '../../src/rpc/listeners/listener-identity.js';
import { type Listeners, openListeners } from '../../src/rpc/listeners/listeners.js';
import { methodTable } from '../../src/rpc/methods/methods.js';
import { callUnix } from '../../src/rpc/wire/client.js';
import { PolicyHolder } from '../../src/state/policy/holder.js';
import { trustState } from '../../src/state/trust/trust-state.js';
import { certificateName } from '../../src/x509/certificate/certificate-name.js';
import { DAY, type Issued, selfSignedLeaf } from '../support/certificates.js';
import { emptySnapshot } from '../support/snapshot.js';
import { fifoAsk, portOf, temporaryDirectory } from '../support/wires.js';

const FORBIDDEN = -32003;
const directory = temporaryDirectory();
const path = (name: string) => join(directory.path, name);

const start = Date.now();
let now = start;
const times = { notBefore: start - DAY, notAfter: start + 3650 * DAY };
const keyText = ({ key }: Issued) => key.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
const server = selfSignedLeaf(times);
const clients = {
  viewer: selfSignedLeaf(times),
  operator: selfSignedLeaf(times),
  stranger: selfSignedLeaf(times),
  expired: selfSignedLeaf({ notBefore: start - 2 * DAY, notAfter: start - DAY }),
};
const named = (name: 'viewer' | 'operator' | 'expired', role: Role): ClientCertificate => {
  const { sha256, notBefore, notAfter } = clients[name].facts;
  return { name, role, sha256, notBefore, notAfter };
};

let settings: DaemonSettings = {
  ...DEFAULT_SETTINGS,
  listen: {
    netstring: undefined,
    http: { address: '127.0.0.1', port: 0 },
    https: { address: '127.0.0.1', port: 0 },
    unix: path('operator.sock'),
    viewer: undefined,
    fifo: path('fifo'),
    fifoReplyDir: directory.path,
  },
  tls: { certificate: path('server.pem'), key: path('server.key') },
  access: {
    ...DEFAULT_SETTINGS.access,
    tokens: path('tokens.json'),
    certificates: [named('viewer', 'viewer'), named('operator', 'operator'), named('expired', 'operator')],
  },
  log: { ...DEFAULT_SETTINGS.log, audit: path('audit.jsonl') },
};

const logged: [string, object][] = [];
const log = {
  ...{ error: () => {}, debug: () => {}, setLevel: () => {} },
  ...{ info: () => {}, warn: (message: string, fields: object = {}) => void logged.push([message, fields]) },
  ...{ level: () => 'info' as const, close: async () => {} },
};
const holder = PolicyHolder.open((revision) => {
  return { ok: true, snapshot: { ...emptySnapshot, revision }, settings, warnings: [] };
}, now);
if ('problems' in holder) throw new Error('expected a policy');
const state = trustState({ policy: holder, clock: () => now });
const table = methodTable(state, log, () => state.changes.reload());

let listeners: Listeners;
const ports = { http: 0, https: 0 };
const tokens: Record<string, string> = { wrong: `siptrust_${'0'.repeat(12)}_${'A'.repeat(43)}` };
beforeAll(async () => {
  writeFileSync(path('server.pem'), server.pem);
  writeFileSync(path('server.key'), keyText(server), { mode: 0o600 });
  const audit = auditLog(settings.log.audit, log);
  const opened = await openListeners(settings, { state, log, audit, reload: () => state.changes.reload() });
  if ('failed' in opened) throw new Error(opened.failed);
  listeners = opened;
  [ports.http = 0, ports.https = 0] = opened.addresses.map(portOf);
  for (const role of ['script', 'viewer', 'operator']) {
    const made = (await callUnix(path('operator.sock'), 'token.add', { name: role, role })) as { token: string };
    tokens[role] = made.token;
  }
});
afterAll(async () => {
  await listeners.close(0);
  directory.remove();
});
beforeEach(() => {
  // What earlier tests did wrong is forgotten.
  now += 61_000;
  logged.length = 0;
});

interface Asked {
  readonly scheme?: 'http' | 'https';
  readonly path?: string;
  readonly verb?: string;
  readonly token?: string | undefined;
  readonly client?: Issued | undefined;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

function ask(asked: Asked): Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; text: string }> {
  const { scheme = 'http', token, client, body } = asked;
  const verb = asked.verb ?? (body === undefined ? 'GET' : 'POST');
  const headers = {
    ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    ...(token === undefined ? {} : { Authorization: token.includes(' ') ? token : `Bearer ${token}` }),
    ...asked.headers,
  };
  const options: RequestOptions = {
    ...{ host: '127.0.0.1', port: ports[scheme], path: asked.path ?? '/rpc', method: verb, headers, agent: false },
    ...(scheme === 'http' ? {} : { ca: server.pem, checkServerIdentity: () => undefined }),
    ...(client === undefined ? {} : { cert: client.pem, key: keyText(client) }),
  };
  return new Promise((resolve, reject) => {
    const request = (scheme === 'http' ? httpRequest : httpsRequest)(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

const rpc = (method: string, params: object = {}) => JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });

interface Case {
  readonly name: string;
  readonly shown: Asked;
  /** undefined: the credential itself is refused. */
  readonly role: Role | undefined;
}

const CASES: readonly Case[] = (['http', 'https'] as const).flatMap((scheme): readonly Case[] => [
  { name: `${scheme}, nothing`, shown: { scheme }, role: 'script' },
  { name: `${scheme}, a wrong token`, shown: { scheme, token: 'wrong' }, role: undefined },
  { name: `${scheme}, a viewer's token`, shown: { scheme, token: 'viewer' }, role: 'viewer' },
  { name: `${scheme}, an operator's token`, shown: { scheme, token: 'operator' }, role: 'operator' },
  ...(scheme === 'http'
    ? []
    : ([
        { name: "https, a stranger's certificate", shown: { scheme, client: clients.stranger }, role: 'script' },
        { name: 'https, a certificate that is over', shown: { scheme, client: clients.expired }, role: undefined },
        { name: "https, a viewer's certificate", shown: { scheme, client: clients.viewer }, role: 'viewer' },
        { name: "https, an operator's certificate", shown: { scheme, client: clients.operator }, role: 'operator' },
        {
          name: "https, an operator's certificate and a wrong token",
          shown: { scheme, client: clients.operator, token: 'wrong' },
          role: undefined,
        },
      ] as const)),
]);

/** Made on this machine alone, whatever is shown. */
const LOCAL_PARAMS: Readonly<Record<string, object>> = {
  'token.add': { name: 'x', role: 'operator' },
  'token.list': {},
  'token.revoke': { name: 'x' },
};

describe.each(CASES)('$name', ({ shown, role }) => {
  test('ok/every method', async () => {
    for (const method of table) {
      now += 7_000;
      const token = shown.token === undefined ? undefined : tokens[shown.token];
      const params = LOCAL_PARAMS[method.name] ?? { nonsense: { deep: 1 } };
      const { status, text } = await ask({ ...shown, token, body: rpc(method.name, params) });
      const may = role !== undefined && includesRole(role, method.role) && LOCAL_PARAMS[method.name] === undefined;
      const expected = may ? 200 : role === undefined || role === 'script' ? 401 : 403;
      expect([method.name, status]).toEqual([method.name, expected]);
      const { error } = JSON.parse(text) as { error?: unknown };
      if (role === undefined) expect(error).toBe('unauthorized');
      else if (may) expect(error).not.toMatchObject({ code: FORBIDDEN });
      else expect(error).toMatchObject({ code: FORBIDDEN, message: 'Forbidden' });
    }
  }, 60_000);
});

describe('what is shown', () => {
  test.each<[string, string]>([
    ['another scheme', 'Basic dXNlcjpwYXNz'],
    ['no token', 'Bearer '],
    ['a name', 'Bearer operator'],
    ['two', `Bearer ${'a'.repeat(10)} ${'b'.repeat(10)}`],
    ['a long one', `Bearer ${'a'.repeat(4000)}`],
  ])('fail/%s: 401, no hint', async (_, token) => {
    const answer = await ask({ token, body: rpc('core.status') });
    expect(answer).toMatchObject({
      status: 401,
      text: '{"error":"unauthorized"}',
      headers: { 'www-authenticate': 'Bearer realm="siptrust"', connection: 'close' },
    });
  });
  test('fail/a token with one letter changed', async () => {
    const token = String(tokens.operator).replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
    expect((await ask({ token, body: rpc('core.status') })).status).toBe(401);
  });
  test('fail/who guesses is slowed down, whoever is known already is not; it is counted and logged once', async () => {
    // The operator was here before.
    expect((await ask({ token: tokens.operator, body: rpc('stats.fetch') })).status).toBe(200);
    const before = state.counters.all()['credential-refused.token'] ?? 0;
    const statuses: number[] = [];
    for (let count = 0; count < 15; count += 1) {
      statuses.push((await ask({ token: tokens.wrong, body: rpc('stats.fetch') })).status);
    }
    expect(statuses).toEqual([...Array(10).fill(401), ...Array(5).fill(429)]);
    expect((await ask({ token: tokens.operator, body: rpc('stats.fetch') })).status).toBe(200);
    expect(state.counters.all()).toMatchObject({ 'credential-refused.token': before + 10 });
    expect(logged.filter(([message]) => message === 'a credential was refused')).toEqual([
      [expect.anything(), { why: 'token', address: '127.0.0.1' }],
      [expect.anything(), { why: 'rate', address: '127.0.0.1' }],
    ]);
    now += 61_000;
    expect((await ask({ token: tokens.wrong, body: rpc('stats.fetch') })).status).toBe(401);
  });
  test('fail/a stolen viewer token makes no other token', async () => {
    const made = rpc('token.add', { name: 'mine', role: 'operator' });
    expect((await ask({ token: tokens.operator, body: made })).status).toBe(403);
    expect(JSON.stringify(await callUnix(path('operator.sock'), 'token.list'))).not.toContain('mine');
  });
  test('ok/the page of a site of ours may ask, another may not', async () => {
    const origin = `https://127.0.0.1:${ports.https}`;
    const own = { Origin: origin, 'Sec-Fetch-Site': 'same-origin' };
    const asked = { scheme: 'https', token: tokens.viewer, body: rpc('stats.fetch') } as const;
    expect((await ask({ ...asked, headers: own })).status).toBe(200);
    for (const headers of [
      { Origin: origin.replace('https', 'http') },
      { Origin: 'null' },
      { 'Sec-Fetch-Site': 'same-site' },
    ]) {
      expect((await ask({ ...asked, headers: headers as Record<string, string> })).status).toBe(403);
    }
  });
});

describe('tokens', () => {
  const token = async (name: string, role = 'viewer'): Promise<string> => {
    return ((await callUnix(path('operator.sock'), 'token.add', { name, role })) as { token: string }).token;
  };
  const status = async (text: string): Promise<number> => (await ask({ token: text, body: rpc('stats.fetch') })).status;

  test('ok/the file holds no token, and nobody else reads it', async () => {
    const text = await token('kept');
    const file = readFileSync(path('tokens.json'), 'utf8');
    expect(file).not.toContain(text.split('_').slice(2).join('_'));
    expect(statSync(path('tokens.json')).mode & 0o777).toBe(0o600);
    const listed = (await callUnix(path('operator.sock'), 'token.list')) as object[];
    expect(listed).toContainEqual({
      name: 'kept',
      role: 'viewer',
      id: text.split('_')[1],
      created: expect.any(String),
    });
  });
  test('ok/a token that is revoked is refused from the next request on', async () => {
    const text = await token('short');
    expect(await status(text)).toBe(200);
    await callUnix(path('operator.sock'), 'token.revoke', { name: 'short' });
    expect(await status(text)).toBe(401);
    await expect(callUnix(path('operator.sock'), 'token.revoke', { name: 'short' })).rejects.toMatchObject({
      code: -32001,
    });
  });
  test('ok/so is one that somebody took out of the file, and all where it was damaged or opened to others', async () => {
    const text = await token('edited');
    expect(await status(text)).toBe(200);
    const file = readFileSync(path('tokens.json'), 'utf8');
    const rows = JSON.parse(file) as { tokens: { name: string }[] };
    const rest = rows.tokens.filter(({ name }) => name !== 'edited');
    writeFileSync(path('tokens.json'), JSON.stringify({ tokens: rest }));
    expect(await status(text)).toBe(401);
    writeFileSync(path('tokens.json'), file);
    expect(await status(text)).toBe(200);
    for (const damaged of ['', '{', '{"tokens":[{}]}', file.replace('"n": 16384', '"n": 1048576')]) {
      writeFileSync(path('tokens.json'), damaged);
      expect([damaged, await status(text)]).toEqual([damaged, 401]);
    }
    writeFileSync(path('tokens.json'), file);
    expect(await status(text)).toBe(200);
    chmodSync(path('tokens.json'), 0o644);
    expect(await status(text)).toBe(401);
    chmodSync(path('tokens.json'), 0o600);
    expect(await status(text)).toBe(200);
  });
  test('fail/a name twice, a name with a blank, a role that is none', async () => {
    await token('once');
    await expect(token('once')).rejects.toMatchObject({ code: -32002 });
    await expect(token('a b')).rejects.toMatchObject({ code: -32602 });
    await expect(token('other', 'root')).rejects.toMatchObject({ code: -32602 });
  });
});

describe('certificates', () => {
  test('ok/one that a reload takes out of the policy is refused at once', async () => {
    const asked = { scheme: 'https', client: clients.viewer, body: rpc('stats.fetch') } as const;
    expect((await ask(asked)).status).toBe(200);
    const before = settings;
    settings = { ...settings, access: { ...settings.access, certificates: [] } };
    await state.changes.reload();
    expect((await ask(asked)).status).toBe(401);
    settings = before;
    await state.changes.reload();
    expect((await ask(asked)).status).toBe(200);
  });
});

describe('/health and /ready', () => {
  test('ok/nothing need be shown on this machine', async () => {
    for (const scheme of ['http', 'https'] as const) {
      expect(await ask({ scheme, path: '/health' })).toMatchObject({ status: 200, text: '{"alive":true}' });
      const { status, text } = await ask({ scheme, path: '/ready' });
      expect([status, JSON.parse(text)]).toEqual([
        200,
        { ready: true, reasons: [], revision: state.policy.snapshot.revision },
      ]);
    }
  });
});

describe('the audit log', () => {
  const lines = (): Record<string, unknown>[] =>
    readFileSync(path('audit.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  const added = async (act: () => Promise<unknown>): Promise<Record<string, unknown>[]> => {
    const before = lines().length;
    await act();
    await expect.poll(() => lines().length, { timeout: 20_000 }).toBeGreaterThan(before);
    return lines().slice(before);
  };

  let marks = 0;
  /** Lines are written behind the answers and in their order: where this one is, those of the tests before are. */
  beforeEach(async () => {
    const name = `mark-${marks++}`;
    await callUnix(path('operator.sock'), 'token.revoke', { name }).catch(() => {});
    await expect.poll(() => JSON.stringify(lines()), { timeout: 20_000 }).toContain(`"${name}"`);
  });

  test('ok/who, from where, what, the revision before and after', async () => {
    const revision = state.policy.snapshot.revision;
    now += 10_000;
    const [line] = await added(() => ask({ token: tokens.operator, body: rpc('agreement.reload') }));
    expect(line).toEqual({
      time: new Date(now).toISOString(),
      ...{ method: 'agreement.reload', params: {}, outcome: 'done', wire: 'http' },
      ...{ peer: expect.stringMatching(/^127\.0\.0\.1:/), credential: 'token operator', by: '' },
      ...{ old_revision: revision, new_revision: state.policy.snapshot.revision },
    });
    expect(line?.new_revision).toBeGreaterThan(revision);
    expect(statSync(path('audit.jsonl')).mode & 0o777).toBe(0o600);
  });
  test('ok/over the unix socket: whom siptrustctl says it works for', async () => {
    const [line] = await added(() => callUnix(path('operator.sock'), 'cache.flush'));
    expect(line).toMatchObject({
      wire: 'unix',
      peer: path('operator.sock'),
      credential: '',
      by: expect.stringMatching(/./),
    });
  });
  test('ok/over the FIFO, and what failed', async () => {
    const [line] = await added(() =>
      fifoAsk(path('fifo'), directory.path, (name) =>
        JSON.stringify({ ...JSON.parse(rpc('pin.approve', { agreement: 'x', pin: 'all' })), reply_name: name }),
      ),
    );
    expect(line).toMatchObject({
      ...{ wire: 'fifo', method: 'pin.approve', params: { agreement: 'x', pin: 'all' }, outcome: 'Not found' },
    });
  });
  test('ok/no token stands in it', async () => {
    const made = (await callUnix(path('operator.sock'), 'token.add', { name: 'secret', role: 'viewer' })) as {
      token: string;
    };
    await expect.poll(() => JSON.stringify(lines())).toContain('"name":"secret"');
    expect(readFileSync(path('audit.jsonl'), 'utf8')).not.toContain(made.token.split('_').slice(2).join('_'));
  });
  test('ok/questions that change nothing leave no line', async () => {
    const before = lines().length;
    await ask({ token: tokens.viewer, body: rpc('stats.fetch') });
    await ask({ token: tokens.viewer, body: rpc('cache.flush') });
    await callUnix(path('operator.sock'), 'core.status');
    await added(() => callUnix(path('operator.sock'), 'cache.flush'));
    expect(lines()).toHaveLength(before + 1);
  });
});

test('ok/what ends of the way in is told as what ends of partners: the certificate of the listener, and those of clients', async () => {
  const rows = await state.ends.rows(4000);
  expect(rows.map(({ what, subject, state: at }) => [what, subject, at])).toEqual([
    ['client-certificate', 'expired', 'ended'],
    ['client-certificate', 'viewer', 'current'],
    ['client-certificate', 'operator', 'current'],
    ['listener-certificate', certificateName(server.facts), 'current'],
  ]);
});

test('ok/a certificate of the listener without a subject is shown, and told by its subjectAltName (RFC 5280 §4.1.2.6)', () => {
  const nameless = selfSignedLeaf({ ...times, subject: '' });
  const files = { certificate: path('nameless.pem'), key: path('nameless.key') };
  writeFileSync(files.certificate, nameless.pem);
  writeFileSync(files.key, keyText(nameless));
  expect(readIdentity(files, state.ends).cert.toString()).toBe(nameless.pem);
  expect(state.ends.listener?.subject).toMatch(/^(URI|DNS):/);
});
