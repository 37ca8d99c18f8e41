/** A wall clock that was ahead and is set back, under what runs: nothing waits for it to come to the same time again. */

import { describe, expect, test } from 'vitest';
import { hasPassed } from '../../src/elapsed.js';
import { onceAMinute } from '../../src/log/logger.js';
import { seldom } from '../../src/log/seldom.js';
import { Failures } from '../../src/rpc/access/failures.js';
import { type Job, JobQueue } from '../../src/state/fetch/job-queue.js';
import { DnsCache } from '../../src/state/hops/dns-cache.js';
import { Alarms } from '../../src/state/verdicts/alarms.js';
import { eventually } from '../support/live/places.js';

const RIGHT = Date.UTC(2026, 10, 29);
const AHEAD = RIGHT + 365 * 86_400_000;

/** A clock that is a year ahead until it is set. */
function wrongClock() {
  let now = AHEAD;
  return { clock: () => now, set: (to: number) => (now = to) };
}

test.each<[age: number, passed: boolean]>([
  [0, false],
  [59_999, false],
  [60_000, true],
  [-1000, false],
  [-1001, true],
])('hasPassed: a minute, %i ms later', (age, passed) => {
  expect(hasPassed(RIGHT, 60_000, RIGHT + age)).toBe(passed);
});

describe('a clock that is set back by a year', () => {
  test('ok/wrong credentials block a source for a minute', () => {
    const { clock, set } = wrongClock();
    const failures = new Failures(clock, 1);
    failures.add('192.0.2.1');
    expect(failures.blocked('192.0.2.1')).toBe(true);
    set(RIGHT);
    expect(failures.blocked('192.0.2.1')).toBe(false);
    failures.add('192.0.2.1');
    expect(failures.blocked('192.0.2.1')).toBe(true);
  });
  test('ok/events, losses and alarms are told', () => {
    const { clock, set } = wrongClock();
    const told: string[] = [];
    const event = seldom(clock);
    const lost = onceAMinute(() => told.push('lost'), clock);
    const alarms = new Alarms(clock);
    const log = { error: () => told.push('alarm'), warn: () => {}, info: () => {}, debug: () => {} };
    const stop = alarms.start(log);
    const all = () => {
      event('a', {}, () => told.push('event'));
      lost(1, 'why');
      const alarmed = () => ({ peer: '192.0.2.1', agreement: '', id: '' });
      alarms.tell([{ code: 'bad-signature', detail: '' }], alarmed);
    };
    all();
    all();
    expect(told).toEqual(['event', 'lost', 'alarm']);
    set(RIGHT);
    all();
    expect(told).toEqual(['event', 'lost', 'alarm', 'event', 'lost', 'alarm']);
    stop();
  });
  test('ok/a DNS answer has ended', () => {
    const { clock, set } = wrongClock();
    const cache = new DnsCache(9, clock);
    cache.put({ type: 'A', name: 'b.example' }, { kind: 'records', records: ['192.0.2.1'], ttl: 60, authentic: false });
    expect(cache.get('A', 'b.example')).toMatchObject({ ttl: 60 });
    set(AHEAD - 500);
    expect(cache.get('A', 'b.example')).toBeDefined();
    set(RIGHT);
    expect(cache.get('A', 'b.example')).toBeUndefined();
  });
  test('ok/a list that was to be fetched again in an hour is', async () => {
    const { clock, set } = wrongClock();
    const queue = new JobQueue(clock);
    let runs = 0;
    const job: Job = {
      host: 'a',
      nextAt: 0,
      run: async () => {
        runs += 1;
        job.nextAt = clock() + 3_600_000;
      },
    };
    queue.add(job);
    queue.start();
    await eventually('the first run', () => runs === 1);
    set(RIGHT);
    queue.wake();
    await eventually('the job follows the clock', () => job.nextAt === RIGHT + 3_600_000);
    set(RIGHT + 3_600_000);
    queue.wake();
    await eventually('the second run', () => runs === 2);
    await queue.close();
  });
});
