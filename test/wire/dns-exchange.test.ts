/** Servers that lie, cut short, hang and refuse: real sockets, and a server that says what the test wants. */

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import { decode, encode, type Packet } from 'dns-packet';
import { afterEach, describe, expect, test } from 'vitest';
import type { DnsQuery } from '../../src/net/dns/answer.js';
import type { ResolverAddress } from '../../src/net/dns/resolver-list.js';
import type { DnsSettings } from '../../src/policy/settings/daemon-settings.js';
import { DEFAULT_SETTINGS } from '../../src/policy/settings/settings.js';
import { askDns } from '../../src/state/hops/dns-exchange.js';
import { DnsResolver } from '../../src/state/hops/dns-resolver.js';

const QUERY: DnsQuery = { type: 'A', name: 'sbc.b.example' };
const TC = 1 << 9;
const GOOD = '192.0.2.1';
const EVIL = '192.0.2.66';

type Say = (octets: Buffer) => void;
type OnQuestion = (question: ReturnType<typeof decode>, say: Say, from: RemoteInfo, socket: Socket) => void;

const open: { close(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

function reply(question: ReturnType<typeof decode>, address: string, over: Packet = {}): Buffer {
  const { id = 0, questions = [] } = question;
  const answers = [{ type: 'A' as const, name: QUERY.name, ttl: 60, data: address }];
  return encode({ type: 'response', id, questions, answers, ...over });
}

/** A UDP server, and a TCP one on the same port where `overTcp` is given. */
async function server(
  onUdp: OnQuestion,
  onTcp?: (question: ReturnType<typeof decode>) => Buffer | undefined,
): Promise<ResolverAddress> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  open.push(socket);
  const { port } = socket.address();
  socket.on('message', (octets, from) =>
    onUdp(decode(octets), (answer) => socket.send(answer, from.port, from.address), from, socket),
  );
  if (onTcp !== undefined) {
    const listener: Server = createServer((connection) => {
      connection.on('error', () => {});
      connection.on('data', (octets) => {
        const answer = onTcp(decode(octets.subarray(2)));
        if (answer === undefined) return void connection.end();
        const length = Buffer.alloc(2);
        length.writeUInt16BE(answer.length);
        // In pieces: a stream has no messages.
        connection.write(length.subarray(0, 1));
        setImmediate(() => connection.write(Buffer.concat([length.subarray(1), answer.subarray(0, 5)])));
        setImmediate(() => setImmediate(() => connection.write(answer.subarray(5))));
      });
    });
    await new Promise<void>((resolve) => listener.listen(port, '127.0.0.1', resolve));
    open.push(listener);
  }
  return { address: '127.0.0.1', port };
}

const ask = (servers: readonly ResolverAddress[], timeoutMs = 5000, attempts = 1) =>
  askDns(QUERY, { servers, timeoutMs, attempts }, new AbortController().signal);

describe('an answer counts only from the server that was asked, to the question that was asked', () => {
  const lies: readonly [name: string, lie: (question: ReturnType<typeof decode>) => Buffer][] = [
    ['another id', (question) => reply({ ...question, id: ((question.id ?? 0) + 1) & 0xffff }, EVIL)],
    ['another name', (question) => reply(question, EVIL, { questions: [{ type: 'A', name: 'evil.example' }] })],
    ['another type', (question) => reply(question, EVIL, { questions: [{ type: 'AAAA', name: QUERY.name }] })],
    ['no question', (question) => reply(question, EVIL, { questions: [] })],
    ['octets of nothing', () => Buffer.from('nothing at all, and that at some length')],
  ];
  for (const [name, lie] of lies) {
    test(`fail/${name} is passed over, and the right answer counts`, async () => {
      const from = await server((question, say) => {
        say(lie(question));
        say(reply(question, GOOD));
      });
      expect(await ask([from])).toMatchObject({ records: [GOOD] });
    });
  }

  test('fail/another source is not heard', async () => {
    const stranger = createSocket('udp4');
    await new Promise<void>((resolve) => stranger.bind(0, '127.0.0.1', resolve));
    open.push(stranger);
    const from = await server((question, say, { port, address }) => {
      stranger.send(reply(question, EVIL), port, address, () => say(reply(question, GOOD)));
    });
    expect(await ask([from])).toMatchObject({ records: [GOOD] });
  });

  test('fail/who guesses ids gets us to ask over TCP', async () => {
    const from = await server(
      (question, say) => {
        for (let at = 1; at <= 8; at++) say(reply({ ...question, id: ((question.id ?? 0) + at) & 0xffff }, EVIL));
      },
      (question) => reply(question, GOOD),
    );
    expect(await ask([from])).toMatchObject({ records: [GOOD] });
  });

  test('ok/ids and ports differ', async () => {
    const seen: string[] = [];
    const from = await server((question, say, { port }) => {
      seen.push(`${question.id} ${port}`);
      say(reply(question, GOOD));
    });
    for (let at = 0; at < 20; at++) await ask([from]);
    expect(new Set(seen.map((each) => each.split(' ')[0])).size).toBeGreaterThan(15);
    expect(new Set(seen.map((each) => each.split(' ')[1])).size).toBeGreaterThan(5);
  });
});

describe('what does not fit, or does not come', () => {
  test('ok/a truncated answer is asked for over TCP', async () => {
    const from = await server(
      (question, say) => say(reply(question, EVIL, { flags: TC })),
      (question) => reply(question, GOOD),
    );
    expect(await ask([from])).toMatchObject({ records: [GOOD] });
  });

  test('fail/over TCP it is truncated too, or ends, or is to something else', async () => {
    const cut: OnQuestion = (question, say) => say(reply(question, EVIL, { flags: TC }));
    const servers = [
      await server(cut, (question) => reply(question, EVIL, { flags: TC })),
      await server(cut, () => undefined),
      await server(cut, (question) => reply({ ...question, id: ((question.id ?? 0) + 1) & 0xffff }, EVIL)),
    ];
    const answer = await ask(servers);
    expect(answer).toEqual({
      silent: [
        `127.0.0.1 port ${servers[0]?.port}: a truncated answer over TCP`,
        `127.0.0.1 port ${servers[1]?.port}: the server ends the connection without an answer`,
        `127.0.0.1 port ${servers[2]?.port}: over TCP an answer to something else`,
      ].join('; '),
    });
  });

  test('fail/a server that says nothing costs its time, as often as it is asked', async () => {
    let asked = 0;
    const from = await server(() => {
      asked += 1;
    });
    expect(await ask([from], 50, 3)).toEqual({ silent: `127.0.0.1 port ${from.port}: no answer in time` });
    expect(asked).toBe(3);
  });

  test('ok/SERVFAIL of one server is not the word of the next', async () => {
    const bad = await server((question, say) => say(reply(question, EVIL, { flags: 2, answers: [] })));
    const good = await server((question, say) => say(reply(question, GOOD)));
    expect(await ask([bad, good])).toMatchObject({ records: [GOOD] });
  });

  test('ok/who stops does not wait', async () => {
    const stop = new AbortController();
    const from = await server(() => stop.abort());
    const answer = await askDns(QUERY, { servers: [from], timeoutMs: 60_000, attempts: 5 }, stop.signal);
    expect(answer).toHaveProperty('silent');
  });
});

describe('the resolver', () => {
  const resolver = (servers: readonly ResolverAddress[], over: Partial<DnsSettings> = {}) => {
    const counts: string[] = [];
    let now = 0;
    const made = new DnsResolver({
      settings: { ...DEFAULT_SETTINGS.dns, servers, timeout: 5, attempts: 1, ...over },
      clock: () => now,
      count: (name) => counts.push(name),
    });
    return {
      made,
      counts,
      pass: (ms: number) => {
        now += ms;
      },
    };
  };

  test('ok/equal questions at one time are asked once', async () => {
    let asked = 0;
    const from = await server((question, say) => {
      asked += 1;
      say(reply(question, GOOD));
    });
    const { made } = resolver([from]);
    await Promise.all(Array.from({ length: 100 }, () => made.resolve(QUERY)));
    expect(asked).toBe(1);
    expect(made.answers.A.get(QUERY.name)).toMatchObject({ records: [GOOD], ttl: 60, authentic: false });
  });

  test('ok/the AD bit counts only where the policy says so', async () => {
    const from = await server((question, say) => say(reply(question, GOOD, { flags: 1 << 5 })));
    const believes = resolver([from], { trustAd: true });
    await believes.made.resolve(QUERY);
    expect(believes.made.answers.A.get(QUERY.name)?.authentic).toBe(true);
    const doubts = resolver([from]);
    await doubts.made.resolve(QUERY);
    expect(doubts.made.answers.A.get(QUERY.name)?.authentic).toBe(false);
  });

  test('ok/more answers than fit push out the oldest', async () => {
    const from = await server((question, say) => {
      const name = question.questions?.[0]?.name ?? '';
      say(reply(question, GOOD, { answers: [{ type: 'A', name, ttl: 60, data: GOOD }] }));
    });
    const { made } = resolver([from], { cache: 10 });
    for (let at = 0; at < 50; at++) await made.resolve({ type: 'A', name: `h${at}.example` });
    expect(made.cache.size).toBe(10);
  });

  test('fail/a failure does not push out what still holds', async () => {
    let fails = false;
    const from = await server((question, say) =>
      say(fails ? reply(question, EVIL, { flags: 2, answers: [] }) : reply(question, GOOD)),
    );
    const { made, pass, counts } = resolver([from]);
    await made.resolve(QUERY);
    fails = true;
    pass(55_000);
    await made.resolve(QUERY);
    expect(counts).toContain('dns.answers.failed');
    expect(made.answers.A.get(QUERY.name)).toMatchObject({ records: [GOOD], ttl: 5 });
    pass(6_000);
    expect(made.answers.A.get(QUERY.name)).toBeUndefined();
    await made.resolve(QUERY);
    expect(made.answers.A.get(QUERY.name)).toMatchObject({ kind: 'failed' });
  });

  test('ok/switched off it asks nobody', async () => {
    const { made, counts } = resolver([{ address: '127.0.0.1', port: 1 }], { resolve: false });
    await made.resolve(QUERY);
    expect(made.answers.A.get(QUERY.name)).toMatchObject({ kind: 'failed' });
    expect(counts).not.toContain('dns.questions');
  });
});
