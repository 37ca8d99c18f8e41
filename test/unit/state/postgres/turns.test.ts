import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { coalesced, spaced, Turns } from '../../../../src/state/postgres/turns.js';

describe('turns', () => {
  test('ok/one after the other, and the next begins when whoever waited has gone on', async () => {
    const turns = new Turns();
    const told: string[] = [];
    const first = turns.take(async () => told.push('first')).then(() => told.push('who waited for it'));
    const second = turns.take(async () => told.push('second'));
    await Promise.all([first, second]);
    expect(told).toEqual(['first', 'who waited for it', 'second']);
  });
  test('ok/one that fails holds up nobody', async () => {
    const turns = new Turns();
    const failed = turns.take(() => Promise.reject(new Error('no')));
    const next = turns.take(async () => 'next');
    await expect(failed).rejects.toThrow('no');
    expect(await next).toBe('next');
  });
});

describe('work that does all there is', () => {
  test('ok/asked for while it runs it runs once more, for all who asked', async () => {
    let runs = 0;
    const open: (() => void)[] = [];
    const work = coalesced(async () => {
      runs += 1;
      await new Promise<void>((resolve) => open.push(resolve));
    });
    const all = [work(), work(), work()];
    expect(runs).toBe(1);
    for (const resolve of open.splice(0)) resolve();
    await expect.poll(() => runs).toBe(2);
    for (const resolve of open.splice(0)) resolve();
    await Promise.all(all);
    expect(runs).toBe(2);
  });
});

describe('work that somebody may ask for all the time', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('ok/is done at once, and for ten thousand who ask within its rest once more', () => {
    let runs = 0;
    const work = spaced(() => (runs += 1));
    for (let times = 0; times < 10_000; times += 1) work();
    expect(runs).toBe(1);
    vi.advanceTimersByTime(1000);
    expect(runs).toBe(2);
    work();
    expect(runs).toBe(3);
  });
});
