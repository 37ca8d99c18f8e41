import { describe, expect, test } from 'vitest';
import type { LoadedPolicy } from '../../../../src/policy/loading/loader.js';
import { DEFAULT_SETTINGS } from '../../../../src/policy/settings/settings.js';
import { PolicyHolder } from '../../../../src/state/policy/holder.js';
import { RevisionFloor } from '../../../../src/state/policy/revision-floor.js';
import { seeded } from '../../../support/random.js';
import { emptySnapshot } from '../../../support/snapshot.js';

const NOW = Date.UTC(2026, 10, 24);
const SECONDS = NOW / 1000;

const good = (revision: number): LoadedPolicy => {
  return { ok: true, snapshot: { ...emptySnapshot, revision }, settings: DEFAULT_SETTINGS, warnings: [] };
};

/** What outlives a run. */
class Disk {
  revision = 0;
  writes = 0;
  failing = false;
  /** Writes that are under way end when this one says so. */
  held: Promise<void> | undefined;
  readonly failures: unknown[] = [];

  floor(): RevisionFloor {
    const save = async (revision: number): Promise<void> => {
      await this.held;
      if (this.failing) throw new Error('disk full');
      this.writes += 1;
      this.revision = Math.max(this.revision, revision);
    };
    return new RevisionFloor(this.revision, save, (error) => this.failures.push(error));
  }

  /** A start as siptrustd does it: nobody has seen a revision before it settles. */
  async start(now: number): Promise<PolicyHolder> {
    const holder = PolicyHolder.open(good, now);
    if ('problems' in holder) throw new Error(holder.problems.join('\n'));
    if (this.revision >= holder.snapshot.revision) holder.touch(now, this.revision);
    await holder.remember(this.floor());
    return holder;
  }
}

describe('RevisionFloor', () => {
  test.each([
    ['a second', 1_000],
    ['an hour', 3_600_000],
    ['ten years', 10 * 365 * 86_400_000],
  ])('ok/a clock that stepped back by %s before a restart takes no revision back', async (_, back) => {
    const disk = new Disk();
    const before = await disk.start(NOW);
    expect(before.snapshot.revision).toBe(SECONDS);
    await before.reload(() => NOW + 5_000);
    const seen = before.touch(NOW + 6_000);
    const after = await disk.start(NOW + 6_000 - back);
    expect(after.snapshot.revision).toBeGreaterThan(seen);
    expect((await after.reload(() => NOW - back)).revision).toBe(after.snapshot.revision);
    expect(after.touch(NOW - back)).toBeGreaterThan(seen + 1);
  });

  test('ok/a run that dies while a write is under way has given out nothing above what was kept', async () => {
    const disk = new Disk();
    const before = await disk.start(NOW);
    disk.held = new Promise(() => {});
    let seen = 0;
    // A clock that leaps, and changes in quick succession.
    for (let at = 1; at <= 50; at += 1) seen = before.touch(NOW + at * 3_600_000);
    disk.held = undefined;
    expect((await disk.start(NOW)).snapshot.revision).toBeGreaterThan(seen);
  });

  test('ok/over 300 runs with clocks that go anywhere and ends in each moment, revisions only grow', async () => {
    const random = seeded(20261128);
    const disk = new Disk();
    let last = 0;
    for (let run = 0; run < 300; run += 1) {
      let now = NOW + Math.floor((random.next() - 0.5) * 2 * 86_400_000);
      const holder = await disk.start(now);
      expect(holder.snapshot.revision).toBeGreaterThan(last);
      last = holder.snapshot.revision;
      for (let at = Math.floor(random.next() * 40); at > 0; at -= 1) {
        now += Math.floor((random.next() - 0.3) * 100_000);
        const next = random.next() < 0.5 ? holder.touch(now) : (await holder.reload(() => now)).revision;
        expect(next).toBeGreaterThan(last);
        last = next;
      }
    }
  });

  test('ok/a run that goes on writes once in many revisions, and not before they are needed', async () => {
    const disk = new Disk();
    const holder = await disk.start(NOW);
    expect(disk.writes).toBe(1);
    for (let at = 0; at < 300; at += 1) {
      holder.touch(NOW);
      await Promise.resolve();
    }
    await expect.poll(() => disk.revision).toBeGreaterThanOrEqual(holder.snapshot.revision + 30);
    expect(disk.writes).toBeLessThanOrEqual(11);
  });

  test('fail/a disk that takes nothing is told; what is in force goes on, and it is kept with the next revision', async () => {
    const disk = new Disk();
    disk.failing = true;
    const holder = await disk.start(NOW);
    expect(disk.failures.map(String)).toEqual(['Error: disk full']);
    disk.failing = false;
    const seen = holder.touch(NOW + 3_600_000);
    expect(seen).toBe(SECONDS + 1);
    await expect.poll(() => disk.revision).toBe(seen + 60);
    expect((await disk.start(0)).snapshot.revision).toBeGreaterThan(seen);
  });

  test('ok/where scripts can count no further, nothing greater is kept', async () => {
    const disk = new Disk();
    disk.revision = 2 ** 31 - 30;
    const holder = await disk.start(NOW);
    expect(holder.snapshot.revision).toBe(2 ** 31 - 29);
    expect(disk.revision).toBe(2 ** 31 - 1);
  });
});
