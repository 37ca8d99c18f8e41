import { describe, expect, test } from 'vitest';
import type { DnsAnswer, DnsQuery } from '../../../../src/net/dns/answer.js';
import { DEFAULT_SETTINGS } from '../../../../src/policy/settings/settings.js';
import { DnsResolver } from '../../../../src/state/hops/dns-resolver.js';

/** A resolver whose servers answer when they are told to. */
function silent() {
  const asked: string[] = [];
  const answer: (() => void)[] = [];
  const resolver = new DnsResolver({
    settings: { ...DEFAULT_SETTINGS.dns, servers: [{ address: '127.0.0.1', port: 53 }] },
    clock: () => 0,
    count: () => {},
    ask: ({ name }: DnsQuery) => {
      asked.push(name);
      return new Promise<DnsAnswer>((resolve) => answer.push(() => resolve({ kind: 'failed', ttl: 0 } as DnsAnswer)));
    },
  });
  return { resolver, asked, answer };
}

const query = (name: string): DnsQuery => ({ type: 'SRV', name });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('questions for partners do not wait for what users dial', () => {
  test('ok/with all places and the queue full of dead domains, a partner is asked for at once', async () => {
    const { resolver, asked } = silent();
    for (let at = 0; at < 3000; at++) void resolver.resolve(query(`dead-${at}.example`));
    await turn();
    expect(asked).toHaveLength(64);
    void resolver.resolve(query('_sips._tcp.b.example'), 'partner');
    await turn();
    expect(asked.at(-1)).toBe('_sips._tcp.b.example');
  });
  test('ok/a question that somebody dialled first moves to the front once a partner needs it', async () => {
    const { resolver, asked } = silent();
    for (let at = 0; at < 100; at++) void resolver.resolve(query(`dead-${at}.example`));
    const both = [resolver.resolve(query('b.example')), resolver.resolve(query('b.example'), 'partner')];
    await turn();
    expect(asked.at(-1)).toBe('b.example');
    expect(both[0]).toBe(both[1]);
  });
  test('ok/partners are first when a place is free, strangers next', async () => {
    const { resolver, asked, answer } = silent();
    for (let at = 0; at < 70; at++) void resolver.resolve(query(`dead-${at}.example`));
    for (let at = 0; at < 40; at++) void resolver.resolve(query(`partner-${at}.example`), 'partner');
    await turn();
    expect(asked).toHaveLength(96);
    for (const give of answer.splice(0, 8)) give();
    await turn();
    expect(asked.slice(96)).toEqual(Array.from({ length: 8 }, (_, at) => `partner-${at + 32}.example`));
    for (let round = 0; round < 40; round++) {
      for (const give of answer.splice(0)) give();
      await turn();
    }
    expect(asked).toHaveLength(110);
  });
});
