import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { callUnix } from '../../src/rpc/wire/client.js';
import { createNetstringParser, netstring } from '../../src/rpc/wire/netstring.js';
import { readSqliteStore } from '../../src/state/store/sqlite-store.js';
import { ext, leaf, root } from '../support/certificates.js';
import { SIPTRUSTCTL, SIPTRUSTD } from '../support/compiled.js';
import { question } from '../support/evidence.js';
import { Child } from '../support/live/child.js';
import { eventually } from '../support/live/places.js';
import { LONG } from '../support/runs.js';

const directory = mkdtempSync(join(tmpdir(), 'siptrust-pins-'));
const file = (name: string) => join(directory, name);
const KILLS = LONG ? 10 : 4;
const PEERS = 80;

const now = Date.now();
const times = { notBefore: now - 86_400_000, notAfter: now + 86_400_000 };
const rootB = root({ subject: 'O=Operator B,CN=B CA', ...times });
const altNames = ext.altNames([{ dns: 'b.example' }]);
const peers = Array.from({ length: PEERS }, () => leaf(rootB, { extensions: { altNames }, ...times }));
const pinOf = (peer: (typeof peers)[number]) => `sha256/${peer.facts.spkiSha256}`;

const POLICY = {
  own_domains: ['a.example'],
  agreements: [
    { name: 'op-b', domains: ['b.example'], mechanism: 'tls', anchors: ['ca.pem'], revocation: 'off', pinned: true },
  ],
  daemon: {
    listen: { netstring: 'off', http: 'off', unix: 'ctl.sock' },
    state: { file: 'state/state.db', pins: 1000 },
  },
};

const evidence = (peer: (typeof peers)[number]) => question(peer.pem);

type Answer = Readonly<Record<string, unknown>>;
const ask = (method: string, params: unknown = {}) => callUnix(file('ctl.sock'), method, params) as Promise<Answer>;

/** Sends all questions at once and hands each result over as it comes; ends when the daemon does. */
function askAll(questions: readonly { method: string; params: unknown }[], take: (at: number, result: Answer) => void) {
  return new Promise<void>((resolve) => {
    const socket = connect(file('ctl.sock'));
    const parser = createNetstringParser(1 << 20);
    let answered = 0;
    socket.on('connect', () => {
      for (const [id, { method, params }] of questions.entries()) {
        socket.write(netstring(JSON.stringify({ jsonrpc: '2.0', id, method, params })));
      }
    });
    socket.on('data', (chunk) => {
      parser.push(chunk, (text) => {
        const { id, result } = JSON.parse(text.toString()) as { id: number; result?: Answer };
        if (result !== undefined) take(id, result);
        answered += 1;
      });
      if (answered === questions.length) socket.end();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve());
  });
}

async function start(): Promise<Child> {
  const daemon = new Child('node', [SIPTRUSTD, '--config', file('siptrust.yaml')]);
  await eventually(
    'siptrustd is ready or ends',
    () => daemon.ended || daemon.output.includes('siptrustd is ready'),
    20_000,
  );
  return daemon;
}

beforeAll(() => {
  writeFileSync(file('ca.pem'), rootB.pem);
  writeFileSync(file('siptrust.yaml'), stringify(POLICY));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('pins of a daemon that is killed', () => {
  test(`ok/${KILLS} times SIGKILL: no acknowledged approval or removal is lost, and no revision comes twice`, async () => {
    /** What the daemon acknowledged, and what was asked for and not answered: that may be either way. */
    const approved = new Set<string>();
    const open = new Set<string>();
    let revision = 0;
    for (let kill = 0; kill <= KILLS; kill += 1) {
      const daemon = await start();
      try {
        expect(Number((await ask('core.status')).revision)).toBeGreaterThan(revision);
        const rows = (await ask('pin.list')) as unknown as readonly Answer[];
        const kept = new Set(rows.filter(({ state }) => state === 'enforced').map(({ pin }) => String(pin)));
        for (const pin of approved) if (!open.has(pin)) expect([kill, pin, kept.has(pin)]).toEqual([kill, pin, true]);
        for (const pin of kept) if (!open.has(pin)) expect([kill, pin, approved.has(pin)]).toEqual([kill, pin, true]);
        if (kill === KILLS) break;
        approved.clear();
        open.clear();
        for (const pin of kept) approved.add(pin);

        await askAll(
          peers.map((peer) => ({ method: 'trust.peer', params: evidence(peer) })),
          () => {},
        );
        const questions = peers.map((peer) => {
          const pin = pinOf(peer);
          return { method: approved.has(pin) ? 'pin.drop' : 'pin.approve', params: ['op-b', pin] };
        });
        for (const { params } of questions) open.add(params[1] ?? '');
        let acknowledged = 0;
        const victim = Math.floor(Math.random() * PEERS);
        await askAll(questions, (at, result) => {
          const pin = pinOf(peers[at]!);
          open.delete(pin);
          if (questions[at]?.method === 'pin.approve') approved.add(pin);
          else approved.delete(pin);
          revision = Number(result.revision);
          acknowledged += 1;
          if (acknowledged === victim) setTimeout(() => daemon.signal('SIGKILL'), Math.random() * 5);
        });
        daemon.signal('SIGKILL');
        expect(await daemon.exit()).toBeNull();
      } finally {
        await daemon.stop('SIGKILL');
      }
    }
  }, 600_000);

  test('fail/an agreement that asks for an approved key and has none: the start and a reload say so', async () => {
    rmSync(file('state'), { recursive: true, force: true });
    const daemon = await start();
    const missing = 'agreement op-b: pinned, and no key is approved for it: no certificate is trusted under it; next: ';
    expect(daemon.output).toContain(missing);
    expect((await ask('agreement.reload')).warnings).toEqual([expect.stringContaining(missing)]);
    await daemon.stop('SIGTERM');
  });

  test('ok/a daemon that is stopped loses no observation either', async () => {
    rmSync(file('state'), { recursive: true, force: true });
    const daemon = await start();
    await ask('trust.peer', evidence(peers[0]!));
    daemon.signal('SIGTERM');
    expect(await daemon.exit()).toBe(0);
    // Closed in order: all is in the one file.
    expect(existsSync(file('state/state.db-wal'))).toBe(false);
    expect(readSqliteStore(file('state/state.db'))?.pins.map(({ spkiSha256 }) => `sha256/${spkiSha256}`)).toEqual([
      pinOf(peers[0]!),
    ]);
  });
});

describe('a state file that is no good', () => {
  const ends = async (): Promise<Child> => {
    const daemon = await start();
    try {
      expect(await Promise.race([daemon.exit(), pause(10_000, 'runs', { ref: false })])).toBe(1);
    } finally {
      await daemon.stop();
    }
    return daemon;
  };

  test('fail/a damaged one: the daemon says so and does not start, and touches nothing', async () => {
    const damaged = readFileSync(file('state/state.db')).fill(0xff, 4096, 4160);
    writeFileSync(file('state/state.db'), damaged);
    expect((await ends()).output).toContain(
      `${file('state/state.db')}: expected a sound database, found a damaged one`,
    );
    expect(readFileSync(file('state/state.db'))).toEqual(damaged);
    expect(existsSync(file('ctl.sock'))).toBe(false);
  });
  test('fail/siptrustctl --config says so too', async () => {
    writeFileSync(file('in.jsonl'), `${JSON.stringify(evidence(peers[0]!))}\n`);
    const line = `node ${SIPTRUSTCTL} peer --config ${file('siptrust.yaml')} < ${file('in.jsonl')}`;
    const ctl = new Child('sh', ['-c', line]);
    expect([await ctl.exit(), ctl.output]).toEqual([2, expect.stringContaining('found a damaged one')]);
  });
  test('fail/one that another siptrustd has open', async () => {
    rmSync(file('state'), { recursive: true, force: true });
    const first = await start();
    try {
      writeFileSync(file('second.yaml'), stringify(POLICY).replace('ctl.sock', 'second.sock'));
      const args = [SIPTRUSTD, '--config', file('second.yaml')];
      const second = new Child('node', args);
      expect(await second.exit()).toBe(1);
      expect(second.output).toContain('expected a file of its own, found one that another siptrustd has open');
    } finally {
      await first.stop();
    }
  });
});
