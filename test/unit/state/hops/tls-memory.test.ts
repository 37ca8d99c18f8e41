import { describe, expect, test } from 'vitest';
import { TlsMemory } from '../../../../src/state/hops/tls-memory.js';
import { StoreError, type TlsSeen, type TlsSeenStore } from '../../../../src/state/store/store.js';

const DAY = 86_400_000;

function stage(kept: readonly TlsSeen[] = [], failing = false) {
  let now = 100 * DAY;
  const saved: (readonly TlsSeen[])[] = [];
  const warnings: string[] = [];
  const store: TlsSeenStore = {
    loadTlsSeen: async () => kept,
    saveTlsSeen: async (seen) => {
      if (failing) throw new StoreError('state.db', 'the disk is full');
      saved.push(seen);
    },
  };
  const memory = new TlsMemory({ clock: () => now, log: { warn: (text) => warnings.push(text) }, store });
  return {
    memory,
    saved,
    warnings,
    pass: (ms: number) => {
      now += ms;
    },
  };
}

describe('which domains were seen to offer TLS', () => {
  test('ok/seen, and forgotten after 30 days', () => {
    const { memory, pass } = stage();
    memory.note('b.example', true);
    memory.note('stranger.example', false);
    pass(30 * DAY - 1);
    expect([memory.has('b.example'), memory.has('stranger.example'), memory.has('c.example')]).toEqual([
      true,
      true,
      false,
    ]);
    pass(1);
    expect([memory.has('b.example'), memory.has('stranger.example')]).toEqual([false, false]);
  });
  test('ok/strangers push no partner out, and are as many as fit', () => {
    const { memory } = stage();
    memory.note('b.example', true);
    for (let at = 0; at < 20_000; at++) memory.note(`s${at}.example`, false);
    expect([memory.has('b.example'), memory.has('s0.example'), memory.has('s19999.example')]).toEqual([
      true,
      false,
      true,
    ]);
  });
  test('ok/partners alone are written, once a day each', async () => {
    const { memory, saved, pass } = stage();
    memory.note('b.example', true);
    memory.note('stranger.example', false);
    await memory.close();
    memory.note('b.example', true);
    await memory.close();
    pass(DAY);
    memory.note('b.example', true);
    await memory.close();
    expect(saved).toEqual([[{ domain: 'b.example', seenAt: 100 * DAY }], [{ domain: 'b.example', seenAt: 101 * DAY }]]);
  });
  test('ok/what was written while the clock was a year ahead keeps nothing from being written once it is set right', async () => {
    const { memory, saved, pass } = stage();
    pass(365 * DAY);
    memory.note('b.example', true);
    await memory.close();
    pass(-365 * DAY);
    memory.note('b.example', true);
    await memory.close();
    expect(saved).toEqual([[{ domain: 'b.example', seenAt: 465 * DAY }], [{ domain: 'b.example', seenAt: 100 * DAY }]]);
  });
  test('ok/what an earlier run saw counts, unless it is too old', async () => {
    const kept = [
      { domain: 'b.example', seenAt: 90 * DAY },
      { domain: 'old.example', seenAt: 60 * DAY },
    ];
    const { memory } = stage(kept);
    await memory.load();
    expect([memory.has('b.example'), memory.has('old.example')]).toEqual([true, false]);
  });
  test('fail/a store that cannot be written is told, and costs nothing else', async () => {
    const { memory, warnings } = stage([], true);
    memory.note('b.example', true);
    await memory.close();
    expect(memory.has('b.example')).toBe(true);
    expect(warnings).toHaveLength(1);
  });
});
