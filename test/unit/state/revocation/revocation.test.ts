import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DEFAULT_SETTINGS } from '../../../../src/policy/settings/settings.js';
import { Revocation } from '../../../../src/state/revocation/revocation.js';
import type { Agreement } from '../../../../src/trust/agreement/agreement.js';
import { type CrlSpec, ca, crl, DAY, ext, extension, type Issued, leaf } from '../../../support/certificates.js';
import { der } from '../../../support/der.js';
import { type Answer, HttpServer } from '../../../support/http-server.js';
import { eventually } from '../../../support/live/places.js';
import { plainAgreements } from '../../../support/plain-agreements.js';
import {
  now,
  type Partner,
  partner,
  SECOND,
  Stage,
  type StageOptions,
  temporaryDirectory,
} from '../../../support/revocation-stage.js';
import { agreementWith, snapshotWith } from '../../../support/snapshot.js';

let server: HttpServer;
let directory: ReturnType<typeof temporaryDirectory>;
let b: Partner;
const open: Stage[] = [];

beforeEach(async () => {
  server = await HttpServer.start();
  directory = temporaryDirectory();
  b = partner();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((stage) => stage.close()));
  await server.close();
  directory.remove();
});

async function stageWith(options: StageOptions = {}): Promise<Stage> {
  const stage = await Stage.open(b, server, { directory: directory.path, ...options });
  open.push(stage);
  return stage;
}

let number = 10;
/** A list of the partner, newer than all before. */
function list(spec: CrlSpec = {}, signer: Issued = b.ca): Uint8Array {
  number += 1;
  return crl(signer, { thisUpdate: now() - 60 * SECOND, nextUpdate: now() + DAY, number, ...spec }).der;
}

const peerOf = (path = '/b.crl') => b.peer({ crls: [server.url(path)] });
const becomes = (stage: Stage, certificate: Issued, told: string) =>
  eventually(`the verdict ${told}, instead of ${stage.told(certificate)}`, () => stage.told(certificate) === told);

describe('lists from distribution points', () => {
  test('ok/untrusted at first, fetched at once, trusted at the next question', async () => {
    server.serve('/b.crl', list());
    const stage = await stageWith();
    const peer = peerOf();
    const first = stage.ask(peer);
    expect(first).toMatchObject({ verdict: 'untrusted', action: 'continue' });
    expect(first.findings[0]?.code).toBe('rev-unknown');
    expect(first.validUntil).toBeLessThanOrEqual(now() + 2 * SECOND);
    await becomes(stage, peer, 'trusted agreement-covers');
    expect(server.count('/b.crl')).toBe(1);
    const checks = stage.ask(peer).checks.filter(({ name }) => name === 'revocation');
    expect(checks).toEqual([expect.objectContaining({ outcome: 'pass', clause: 'RFC 5280 §6.3' })]);
  });

  test('ok/of an intermediate that the peer sent, and of the peer below it', async () => {
    const times = { notBefore: now() - DAY, notAfter: now() + 100 * DAY };
    const points = (path: string) => [ext.crlPoints([{ names: [{ uri: server.url(path) }] }])];
    const middle = ca(b.ca, { subject: 'CN=R11', ...times, add: points('/root.crl') });
    const altNames = ext.altNames([{ dns: 'b.example' }]);
    const peer = leaf(middle, { ...times, extensions: { altNames }, add: points('/middle.crl') });
    server.serve('/root.crl', list());
    server.serve('/middle.crl', list({}, middle));
    const stage = await stageWith();
    await eventually('it is trusted', () => stage.ask(peer, [middle]).verdict === 'trusted');
    expect([server.count('/root.crl'), server.count('/middle.crl')]).toEqual([1, 1]);
  });

  test('fail/a chain that no CA of the policy signed makes nobody ask anything', async () => {
    const stranger = partner('O=Evil,CN=Evil');
    const times = { notBefore: now() - DAY, notAfter: now() + 100 * DAY };
    const points = [ext.crlPoints([{ names: [{ uri: server.url('/evil.crl') }] }])];
    const middle = ca(stranger.ca, { subject: 'CN=Evil Sub', ...times, add: points });
    const altNames = ext.altNames([{ dns: 'b.example' }]);
    const peer = leaf(middle, { ...times, extensions: { altNames }, add: points });
    const stage = await stageWith();
    expect(stage.ask(peer, [middle, stranger.ca]).verdict).toBe('untrusted');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(server.count('/evil.crl')).toBe(0);
  });

  test('ok/the verdict holds until the nextUpdate of the list', async () => {
    const nextUpdate = Math.floor(now() / SECOND) * SECOND + 3600 * SECOND;
    server.serve('/b.crl', list({ nextUpdate }));
    const stage = await stageWith();
    const peer = peerOf();
    await becomes(stage, peer, 'trusted agreement-covers');
    expect(stage.ask(peer).validUntil).toBe(nextUpdate);
  });

  test('fail/revoked since (T-19, T-46): the next verdict is reject and close, under a greater revision', async () => {
    server.serve('/b.crl', list());
    const stage = await stageWith();
    const peer = peerOf();
    await becomes(stage, peer, 'trusted agreement-covers');
    const before = stage.ask(peer);
    server.serve('/b.crl', list({ revoked: [{ serial: peer.serial }] }));
    await becomes(stage, peer, 'reject revoked');
    const after = stage.ask(peer);
    expect(after).toMatchObject({ action: 'close', code: 403 });
    expect(after.revision).toBeGreaterThan(before.revision);
  });

  test('ok/a list that only lasts longer disturbs nobody', async () => {
    const revoked = [{ serial: Uint8Array.of(7) }];
    server.serve('/b.crl', list({ revoked }));
    const stage = await stageWith();
    const peer = peerOf();
    await becomes(stage, peer, 'trusted agreement-covers');
    const { revision } = stage.ask(peer);
    server.serve('/b.crl', list({ revoked, nextUpdate: now() + 2 * DAY }));
    await eventually('the longer list', () =>
      stage.revocation.crls.some(({ nextUpdate }) => (nextUpdate ?? 0) > now() + DAY + SECOND),
    );
    expect(stage.state.policy.snapshot.revision).toBe(revision);
  });

  test('ok/asked again with validators, and 304 keeps the list', async () => {
    server.serve('/b.crl', list());
    const stage = await stageWith();
    const peer = peerOf();
    await becomes(stage, peer, 'trusted agreement-covers');
    await stage.revocation.refresh(undefined);
    expect(server.requests.at(-1)?.headers['if-none-match']).toBeDefined();
    expect(await stage.errors()).toEqual(['']);
    expect(stage.told(peer)).toBe('trusted agreement-covers');
  });

  test('ok/the list of an intermediate is fetched before anybody comes', async () => {
    const times = { notBefore: now() - DAY, notAfter: now() + DAY };
    const sub = ca(b.ca, { ...times, add: [ext.crlPoints([{ names: [{ uri: server.url('/root.crl') }] }])] });
    const below = leaf(sub, {
      ...times,
      extensions: { altNames: ext.altNames([{ dns: 'b.example' }]) },
      add: [ext.crlPoints([{ names: [{ uri: server.url('/sub.crl') }] }])],
    });
    server.serve('/root.crl', list());
    server.serve('/sub.crl', list({}, sub));
    const stage = await stageWith({ agreement: { intermediates: [sub.facts] } });
    await eventually('the list of the root', () => stage.revocation.crls.length === 1);
    await becomes(stage, below, 'trusted agreement-covers');
    server.serve('/root.crl', list({ revoked: [{ serial: sub.serial }] }));
    await becomes(stage, below, 'reject revoked');
  });

  test('ok/PEM is read too', async () => {
    server.serve('/b.crl', Buffer.from(crl(b.ca, { thisUpdate: now() - SECOND, nextUpdate: now() + DAY }).pem));
    const peer = peerOf();
    await becomes(await stageWith(), peer, 'trusted agreement-covers');
  });

  test('ok/one list at two URLs is held once', async () => {
    const octets = list();
    server.serve('/1.crl', octets);
    server.serve('/2.crl', octets);
    const stage = await stageWith();
    stage.ask(b.peer({ crls: [server.url('/1.crl'), server.url('/2.crl')] }));
    await eventually('both answers', async () =>
      (await stage.revocation.rows()).every(({ checkedAt }) => checkedAt !== undefined),
    );
    expect(stage.revocation.crls).toHaveLength(1);
  });
});

describe('what is not fetched', () => {
  test('fail/a certificate that no CA of the policy has signed makes nobody ask', async () => {
    server.serve('/b.crl', list());
    const stage = await stageWith();
    const stranger = partner();
    const peer = stranger.peer({ crls: [server.url('/b.crl')] });
    expect(stage.ask(peer).verdict).toBe('untrusted');
    expect(await stage.revocation.rows()).toEqual([]);
    expect(server.requests).toEqual([]);
  });
  test('fail/a host that is not listed', async () => {
    const stage = await stageWith({ settings: { hosts: [{ host: 'crl.b.example', port: 80 }] } });
    expect(stage.told(peerOf())).toBe('untrusted rev-unknown');
    expect(await stage.revocation.rows()).toEqual([]);
    expect(server.requests).toEqual([]);
  });
  test('fail/nothing at all with fetch: off', async () => {
    const stage = await stageWith({ settings: { fetch: false } });
    expect(stage.told(peerOf())).toBe('untrusted rev-unknown');
    expect(await stage.revocation.refresh(undefined)).toBe(0);
    expect(server.requests).toEqual([]);
  });
  test('fail/nothing for agreements with revocation: off', async () => {
    const stage = await stageWith({ agreement: { revocation: 'off' } });
    expect(stage.told(peerOf())).toBe('trusted agreement-covers');
    expect(await stage.revocation.rows()).toEqual([]);
  });
  test('ok/soft: trusted and flagged meanwhile (T-20)', async () => {
    const stage = await stageWith({ agreement: { revocation: 'soft' } });
    const { verdict, findings } = stage.ask(peerOf());
    expect([verdict, ...findings.map(({ code }) => code)]).toEqual(['trusted', 'agreement-covers', 'rev-unknown']);
  });
});

describe('one partner does not take the room of others', () => {
  test('fail/more URLs of one issuer than a public CA has lists (128) are not fetched', async () => {
    const stage = await stageWith({ settings: { interval: 3600 } });
    stage.ask(b.peer({ crls: Array.from({ length: 140 }, (_, at) => server.url(`/${at}.crl`)) }));
    expect(await stage.revocation.rows()).toHaveLength(128);
    expect(stage.log.filter(({ message }) => message.startsWith('too many URLs'))).toHaveLength(1);
  });

  test('fail/nor under the names of as many CRL issuers, whom any certificate can name', async () => {
    const stage = await stageWith({ settings: { interval: 3600 } });
    const points = Array.from({ length: 140 }, (_, at) => ({
      names: [{ uri: server.url(`/${at}.crl`) }],
      crlIssuer: `CN=${at}`,
    }));
    const altNames = ext.altNames([{ dns: 'b.example' }]);
    const times = { notBefore: now() - DAY, notAfter: now() + DAY };
    stage.ask(leaf(b.ca, { ...times, extensions: { altNames }, add: [ext.crlPoints(points)] }));
    expect(await stage.revocation.rows()).toHaveLength(128);
  });
});

describe('a CA that makes CAs', () => {
  test('fail/has room for 256 URLs, however many CAs it makes; the rest is left to others', async () => {
    const stage = await stageWith({ settings: { interval: 3600 } });
    const times = { notBefore: now() - DAY, notAfter: now() + DAY };
    const altNames = ext.altNames([{ dns: 'b.example' }]);
    const shown: { readonly peer: Issued; readonly sub: Issued }[] = [];
    for (let made = 0; made < 6; made++) {
      const sub = ca(b.ca, { ...times, subject: `O=Operator B,CN=Sub ${made}` });
      const points = Array.from({ length: 45 }, (_, at) => ({ names: [{ uri: server.url(`/${made}/${at}.crl`) }] }));
      const peer = leaf(sub, { ...times, extensions: { altNames }, add: [ext.crlPoints(points)] });
      stage.ask(peer, [sub]);
      shown.push({ peer, sub });
    }
    expect(await stage.revocation.rows()).toHaveLength(256);
    for (const { peer, sub } of shown) stage.revocation.observe(peer.facts, [sub.facts], 'op-b');
    expect(await stage.revocation.rows()).toHaveLength(256);
    expect(stage.log.filter(({ message }) => message.startsWith('too many URLs'))).toHaveLength(1);
  });
});

describe('servers that are gone, slow or lying leave the last good list in force', () => {
  const nothing: Answer = () => {};
  const otherCa = partner('O=Operator C,CN=Operator C CA').ca;
  const bad: readonly (readonly [name: string, error: RegExp, answer: () => Answer | Uint8Array])[] = [
    ['silence', /within 300 ms/, () => nothing],
    ['404', /found 404/, () => (response) => void response.writeHead(404).end()],
    ['HTML', /expected a CRL in DER, found \d+ other octets \(text\/html\)/, () => html],
    [
      'PEM that is too long',
      /found PEM of \d+ octets, which is read up to 1048576/,
      () => Buffer.from(`-----BEGIN X509 CRL-----\n${'A'.repeat(2 ** 20)}`),
    ],
    ['nothing', /expected a CRL in DER, found 0 other octets/, () => new Uint8Array()],
    ['a truncated list', /expected a CRL in DER/, () => list().subarray(0, 100)],
    ['a list of another CA', /expected a CRL of the issuer/, () => list({}, otherCa)],
    ["another key's list in the name of the CA", /signed by a CA of the policy/, () => list({ signer: otherCa.key })],
    ['a list that has run out', /expected nextUpdate after/, () => list({ nextUpdate: now() - SECOND })],
    ['a list without nextUpdate', /expected nextUpdate/, () => list({ nextUpdate: 'absent' })],
    [
      'a list of the future',
      /expected thisUpdate before/,
      () => list({ thisUpdate: now() + DAY, nextUpdate: now() + 2 * DAY }),
    ],
    ['an older list', /or later/, () => list({ thisUpdate: now() - DAY })],
    ['a list with a lower number', /CRL number/, () => list({ number: 1 })],
    [
      'the list of other certificates of the CA',
      /of the scope of the one before/,
      () => list({ scope: { cas: true } }),
    ],
    ['a delta', /a delta/, () => list({ base: 5 })],
    ['a gigabyte', /at most \d+ octets/, () => gigabyte],
    ['a redirection away', /redirected: host/, () => away],
  ];
  for (const [name, error, make] of bad) {
    test(`fail/${name}`, async () => {
      server.serve('/b.crl', list());
      // Only silence has to run into it.
      const stage = await stageWith({ settings: { timeout: name === 'silence' ? 0.3 : 10, interval: 3600 } });
      const peer = peerOf();
      await becomes(stage, peer, 'trusted agreement-covers');
      const held = stage.revocation.crls[0];
      const answer = make();
      if (answer instanceof Uint8Array) server.serve('/b.crl', answer, 'text/html');
      else server.on('/b.crl', answer);
      await stage.revocation.refresh(server.url('/b.crl'));
      const [row] = await stage.revocation.rows();
      expect(row?.error).toMatch(error);
      expect(row?.state).toBe('current');
      expect(stage.revocation.crls).toEqual([held]);
      expect(stage.told(peer)).toBe('trusted agreement-covers');
      expect(row?.nextAt).toBeGreaterThan(now());
    });
  }
  test('fail/a list of another partner whose CA bears the same name', async () => {
    const peer = peerOf();
    const twin = partner().ca;
    server.serve('/b.crl', list({ revoked: [{ serial: peer.serial }] }));
    const stage = await stageWith({
      agreement: { revocation: 'soft' },
      snapshot: {
        agreements: plainAgreements(
          ...[b.ca, twin].map(({ facts }, at) =>
            agreementWith({ name: `${at}`, revocation: 'soft', anchors: { client: [facts], server: [] } }),
          ),
        ),
      },
    });
    await becomes(stage, peer, 'reject revoked');
    server.serve('/b.crl', list({}, twin));
    await stage.revocation.refresh(undefined);
    expect(stage.told(peer)).toBe('reject revoked');
  });
  test('fail/a newer list with an unknown critical extension clears nobody, and revokes what it lists', async () => {
    server.serve('/b.crl', list());
    const stage = await stageWith({ settings: { interval: 3600 } });
    const [peer, other] = [peerOf(), peerOf()];
    await becomes(stage, peer, 'trusted agreement-covers');
    const critical = [extension('1.3.6.1.4.1.55738.666.1', der.null(), true)];
    const accusing = list({ revoked: [{ serial: peer.serial }], add: critical });
    const before = list({ thisUpdate: now() - 90 * SECOND, add: critical, revoked: [{ serial: other.serial }] });
    server.serve('/b.crl', accusing);
    await stage.revocation.refresh(undefined);
    expect(stage.told(peer)).toBe('reject revoked');
    expect(stage.told(other)).toBe('trusted agreement-covers');
    // Who puts an older one there does not clear anybody.
    server.serve('/b.crl', before);
    await stage.revocation.refresh(undefined);
    expect(stage.told(peer)).toBe('reject revoked');
    server.serve('/b.crl', list());
    await stage.revocation.refresh(undefined);
    expect(stage.told(peer)).toBe('trusted agreement-covers');
  });
  test('fail/with no list before, nothing is at hand', async () => {
    server.on('/b.crl', html);
    const stage = await stageWith();
    const peer = peerOf();
    expect(stage.told(peer)).toBe('untrusted rev-unknown');
    await eventually('a failure', async () => (await stage.errors())[0] !== '');
    expect((await stage.revocation.rows())[0]).toMatchObject({ state: 'none' });
    expect(stage.told(peer)).toBe('untrusted rev-unknown');
    // Nobody has to ask every two seconds while the server is down.
    stage.state.caches.flush();
    expect(stage.ask(peer).validUntil).toBeGreaterThan(now() + 60 * SECOND);
  });
  test('ok/tried again until it works', async () => {
    let answers = 0;
    server.on('/b.crl', (response) => {
      answers += 1;
      if (answers < 2) response.destroy();
      else response.end(list());
    });
    const stage = await stageWith();
    await becomes(stage, peerOf(), 'trusted agreement-covers');
    expect(answers).toBe(2);
  });
  test('ok/a redirection within the list', async () => {
    server.on('/b.crl', (response) => void response.writeHead(301, { Location: '/new.crl' }).end());
    server.serve('/new.crl', list());
    await becomes(await stageWith(), peerOf(), 'trusted agreement-covers');
  });
});

function html(response: Parameters<Answer>[0]): void {
  response.writeHead(200, { 'Content-Type': 'text/html' });
  response.end('<html><body>Please log in</body></html>');
}

function away(response: Parameters<Answer>[0]): void {
  response.writeHead(302, { Location: 'http://169.254.169.254/latest/meta-data' }).end();
}

function gigabyte(response: Parameters<Answer>[0]): void {
  response.writeHead(200, { 'Content-Type': 'application/pkix-crl', 'Content-Length': '1073741824' });
  const more = (): void => {
    while (!response.destroyed && response.write(Buffer.alloc(65_536)));
    if (!response.destroyed) response.once('drain', more);
  };
  more();
}

describe('over restarts', () => {
  async function fetched(): Promise<Issued> {
    server.serve('/b.crl', list());
    const peer = peerOf();
    const stage = await stageWith();
    await becomes(stage, peer, 'trusted agreement-covers');
    await stage.close();
    return peer;
  }
  const files = () => readdirSync(directory.path).sort();

  test('ok/the list on disk answers the first question, with the server gone', async () => {
    const peer = await fetched();
    const { rules } = server;
    await server.close();
    server = await HttpServer.start();
    const stage = await stageWith({ settings: rules });
    expect(stage.told(peer)).toBe('trusted agreement-covers');
  });
  test('ok/and is asked about with its validators', async () => {
    const peer = await fetched();
    const before = server.count('/b.crl');
    const stage = await stageWith();
    expect(stage.told(peer)).toBe('trusted agreement-covers');
    await stage.revocation.refresh(undefined);
    expect(server.count('/b.crl')).toBe(before + 1);
    expect(server.requests.at(-1)?.headers['if-none-match']).toBeDefined();
  });
  test('ok/it lies there as DER, for openssl and others, readable by nobody else', async () => {
    await fetched();
    const [name = '', note = ''] = files();
    expect(name).toMatch(/^[0-9a-f]{64}\.crl$/);
    expect(readFileSync(join(directory.path, name))[0]).toBe(0x30);
    expect(JSON.parse(readFileSync(join(directory.path, note), 'utf8'))).toMatchObject({ url: server.url('/b.crl') });
  });
  test('fail/a list that was changed on disk is not used', async () => {
    const peer = await fetched();
    const path = join(directory.path, files()[0] ?? '');
    const octets = readFileSync(path);
    octets[octets.length - 1] = (octets.at(-1) ?? 0) ^ 1;
    writeFileSync(path, octets);
    server.on('/b.crl', (response) => response.destroy());
    const stage = await stageWith();
    expect(stage.told(peer)).toBe('untrusted rev-unknown');
  });
  test('fail/a list whose host left the policy is not used', async () => {
    const peer = await fetched();
    const stage = await stageWith({ settings: { hosts: [{ host: 'crl.b.example', port: 80 }] } });
    expect(stage.told(peer)).toBe('untrusted rev-unknown');
  });
  test('ok/rubbish and halves of writes beside it', async () => {
    const peer = await fetched();
    const half = `${'0'.repeat(64)}.crl.new`;
    writeFileSync(join(directory.path, half), 'x');
    writeFileSync(join(directory.path, `${'1'.repeat(64)}.crl`), 'x');
    writeFileSync(join(directory.path, `${'2'.repeat(64)}.json`), '{');
    writeFileSync(join(directory.path, 'notes.txt'), 'of an operator');
    const stage = await stageWith();
    expect(stage.told(peer)).toBe('trusted agreement-covers');
    expect(files()).not.toContain(half);
    expect(files()).toContain('notes.txt');
  });
  test('fail/a directory that cannot be made is told, and lists stay in memory', async () => {
    writeFileSync(join(directory.path, 'file'), '');
    server.serve('/b.crl', list());
    const stage = await stageWith({ directory: join(directory.path, 'file', 'below') });
    expect(stage.log).toContainEqual(
      expect.objectContaining({ level: 'error', message: 'fetched CRLs are not kept on disk' }),
    );
    await becomes(stage, peerOf(), 'trusted agreement-covers');
  });
});

describe('another policy', () => {
  test('ok/a reload keeps the lists, and follows new intermediates', async () => {
    server.serve('/b.crl', list());
    const stage = await stageWith();
    const peer = peerOf();
    await becomes(stage, peer, 'trusted agreement-covers');
    const times = { notBefore: now() - DAY, notAfter: now() + DAY };
    const sub = ca(b.ca, { ...times, add: [ext.crlPoints([{ names: [{ uri: server.url('/sub.crl') }] }])] });
    const agreement = agreementWith({
      anchors: { client: [b.ca.facts], server: [b.ca.facts] },
      intermediates: [sub.facts],
      revocation: 'hard',
    });
    await stage.reload(snapshotWith([agreement]));
    expect(stage.told(peer)).toBe('trusted agreement-covers');
    await eventually('a question about the new list', () => server.count('/sub.crl') > 0);
  });
});

describe('operators', () => {
  test('ok/rows tell source, issuer, times, entries and state', async () => {
    server.serve('/b.crl', list({ revoked: [{ serial: Uint8Array.of(7) }] }));
    const stage = await stageWith({ settings: { interval: 3600 }, agreement: { crls: [crl(b.ca).facts] } });
    const peer = peerOf();
    stage.ask(peer);
    await eventually('the list', () => stage.revocation.crls.length === 1);
    const [file, fetched] = await stage.revocation.rows();
    // NOW of the certificates is long past: the list of the file has run out.
    expect(file).toMatchObject({ kind: 'crl', source: 'agreement op-b', state: 'stale', nextAt: undefined });
    expect(fetched).toMatchObject({
      kind: 'crl',
      source: server.url('/b.crl'),
      issuer: expect.stringContaining('Operator B CA'),
      entries: 1,
      state: 'current',
      error: '',
    });
    expect(fetched?.checkedAt).toBeLessThanOrEqual(now());
    expect(fetched?.nextAt).toBeGreaterThan(now() + 1000 * SECOND);
  });
  test('ok/the log says when a list has run out', async () => {
    const stage = await stageWith({ agreement: { crls: [crl(b.ca).facts] } });
    // Lists are looked through in turns of their own.
    await eventually('a word in the log', () => stage.log.length > 0);
    expect(stage.log).toContainEqual({
      level: 'error',
      message: expect.stringContaining('a CRL is stale'),
      fields: expect.objectContaining({ source: 'agreement op-b' }),
    });
  });
});

test('ok/a policy that is in force no more is held by nobody, that of the start neither', async () => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  let first: Agreement | undefined = agreementWith();
  const held = new WeakRef(first);
  const revocation = await Revocation.open({
    settings: DEFAULT_SETTINGS.revocation,
    snapshot: snapshotWith([first]),
    clock: now,
    log: { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} },
    random: () => 0,
  });
  first = undefined;
  await revocation.follow(snapshotWith([agreementWith()]));
  const collected = (): boolean => {
    collect();
    return held.deref() === undefined;
  };
  // What a WeakRef has shown in a turn stays until that turn is over.
  expect(await eventually('the agreement of the start is gone', collected, 10_000)).toBe(true);
  await revocation.close();
});
