import { describe, expect, test } from 'vitest';
import type { LoadedPolicy } from '../../../../src/policy/loading/loader.js';
import { DEFAULT_SETTINGS } from '../../../../src/policy/settings/settings.js';
import { PolicyHolder } from '../../../../src/state/policy/holder.js';
import { emptySnapshot } from '../../../support/snapshot.js';

const NOW = Date.UTC(2026, 10, 24);

function good(revision: number): LoadedPolicy {
  return { ok: true, snapshot: { ...emptySnapshot, revision }, settings: DEFAULT_SETTINGS, warnings: [] };
}

function open(results: (revision: number) => LoadedPolicy): PolicyHolder {
  const holder = PolicyHolder.open(results, NOW);
  if ('problems' in holder) throw new Error(holder.problems.join('\n'));
  return holder;
}

describe('PolicyHolder', () => {
  test('fail/without a good first policy there is nothing to hold', () => {
    expect(PolicyHolder.open(() => ({ ok: false, problems: ['x'] }), NOW)).toEqual({ problems: ['x'] });
  });
  test('ok/a good reload replaces the snapshot under a greater revision', async () => {
    const holder = open(good);
    const before = holder.snapshot.revision;
    expect((await holder.reload(() => NOW)).ok).toBe(true);
    expect(holder.snapshot.revision).toBe(before + 1);
  });
  test('ok/a clock that was wrong for a moment leaves revisions where scripts can count (31 bits)', async () => {
    const holder = open(good);
    const before = holder.snapshot.revision;
    await holder.reload(() => Date.UTC(2100, 0, 1));
    expect(holder.snapshot.revision).toBe(before + 1);
    holder.touch(Date.UTC(2100, 0, 1), 4_102_444_800);
    expect(holder.snapshot.revision).toBe(before + 2);
    holder.touch(NOW, 2 ** 31 - 2);
    expect(holder.snapshot.revision).toBe(2 ** 31 - 1);
    await holder.reload(() => NOW + 60_000);
    expect(holder.snapshot.revision).toBe(Math.floor(NOW / 1000) + 60);
  });
  test('ok/settings that need a restart are named, and what runs is what is said to run', async () => {
    const listen = { ...DEFAULT_SETTINGS.listen, http: undefined, netstring: { address: '127.0.0.1', port: 7070 } };
    const dns = { ...DEFAULT_SETTINGS.dns, trustAd: true };
    const changed = { ...DEFAULT_SETTINGS, listen, dns, allowRemote: true, unixMode: 0o600 };
    let settings = DEFAULT_SETTINGS;
    const holder = open((revision) => ({ ...good(revision), settings }) as LoadedPolicy);
    expect((await holder.reload(() => NOW)).warnings).toEqual([]);
    settings = changed;
    const needs = 'takes effect when siptrustd is started again; it runs with';
    const warnings = [
      `daemon.listen.netstring: ${needs} 127.0.0.1 port 7060, found 127.0.0.1 port 7070`,
      `daemon.listen.http: ${needs} 127.0.0.1 port 7061, found none`,
      `daemon.allow_remote: ${needs} false, found true`,
      `daemon.dns.trust_ad: ${needs} false, found true`,
      `daemon.unix_mode: ${needs} "0660", found "0600"`,
    ];
    expect([...(await holder.reload(() => NOW)).warnings].sort()).toEqual([...warnings].sort());
    expect(holder.status().warnings).toHaveLength(5);
    expect(holder.settings).toEqual(DEFAULT_SETTINGS);
    const certificates = [{ subject: 'CN=x' }] as never;
    settings = { ...DEFAULT_SETTINGS, access: { ...DEFAULT_SETTINGS.access, certificates } };
    expect((await holder.reload(() => NOW)).warnings).toEqual([]);
    expect(holder.settings.access.certificates).toBe(certificates);
    settings = DEFAULT_SETTINGS;
    expect((await holder.reload(() => NOW)).warnings).toEqual([]);
  });
  test('ok/revisions of a later run are greater than those of an earlier one', () => {
    const earlier = open(good);
    const later = PolicyHolder.open(good, NOW + 10_000);
    if ('problems' in later) throw new Error('not loaded');
    expect(later.snapshot.revision).toBeGreaterThan(earlier.snapshot.revision);
  });
  test('fail/a bad reload leaves the last good snapshot and says why', async () => {
    let broken = false;
    const holder = open((revision) => (broken ? { ok: false, problems: ['a.yaml:1:1: error: x'] } : good(revision)));
    const { snapshot } = holder;
    broken = true;
    const report = await holder.reload(() => NOW + 5000);
    expect(report).toMatchObject({ ok: false, revision: snapshot.revision, problems: ['a.yaml:1:1: error: x'] });
    expect(holder.snapshot).toBe(snapshot);
    expect(holder.status()).toMatchObject({ loadedAt: NOW, lastAttempt: NOW + 5000, problems: report.problems });
    broken = false;
    expect((await holder.reload(() => NOW + 6000)).problems).toEqual([]);
  });
  test('ok/a touch puts the same snapshot in force under a greater revision', async () => {
    const holder = open(good);
    const before = holder.snapshot;
    expect(holder.touch(NOW)).toBe(before.revision + 1);
    expect(holder.snapshot).toEqual({ ...before, revision: before.revision + 1 });
    expect(Object.isFrozen(holder.snapshot)).toBe(true);
    expect(holder.touch(NOW + 10_000)).toBe(Math.floor((NOW + 10_000) / 1000));
    expect(holder.touch(NOW, before.revision + 500)).toBe(before.revision + 501);
    expect(holder.status()).toMatchObject({ loadedAt: NOW, revision: before.revision + 501 });
    expect((await holder.reload(() => NOW)).revision).toBe(before.revision + 502);
  });

  /** A loader whose loads end when the test says so. */
  function slow() {
    const ends: ((policy: LoadedPolicy) => void)[] = [];
    const revisions: number[] = [];
    const load = (revision: number): LoadedPolicy | Promise<LoadedPolicy> => {
      revisions.push(revision);
      if (revisions.length === 1) return good(revision);
      return new Promise((resolve) => ends.push(resolve));
    };
    return { load, ends, revisions };
  }
  async function begin(load: (revision: number) => LoadedPolicy | Promise<LoadedPolicy>): Promise<PolicyHolder> {
    const holder = await PolicyHolder.begin(load, NOW);
    if ('problems' in holder) throw new Error(holder.problems.join('\n'));
    return holder;
  }
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  test('ok/while a policy is read the one before is in force', async () => {
    const { load, ends, revisions } = slow();
    const holder = await begin(load);
    const before = holder.snapshot;
    const report = holder.reload(() => NOW);
    await turn();
    expect(holder.snapshot).toBe(before);
    ends[0]?.(good(revisions[1] ?? 0));
    expect((await report).revision).toBe(before.revision + 1);
    expect(holder.snapshot).not.toBe(before);
  });
  test('ok/whoever asks during a reload gets the one after it, all of them the same one', async () => {
    const { load, ends, revisions } = slow();
    const holder = await begin(load);
    const first = holder.reload(() => NOW);
    const others = [holder.reload(() => NOW), holder.reload(() => NOW), holder.reload(() => NOW)];
    await turn();
    expect(revisions).toHaveLength(2);
    ends[0]?.({ ok: false, problems: ['half written'] });
    expect((await first).problems).toEqual(['half written']);
    await turn();
    expect(revisions).toHaveLength(3);
    ends[1]?.(good(revisions[2] ?? 0));
    const reports = await Promise.all(others);
    expect(new Set(reports).size).toBe(1);
    expect(reports[0]).toMatchObject({ ok: true, problems: [] });
    expect(revisions).toHaveLength(3);
  });
  test('ok/a touch during a reload does not bring revisions back', async () => {
    const { load, ends, revisions } = slow();
    const holder = await begin(load);
    const report = holder.reload(() => NOW);
    const touched = holder.touch(NOW, holder.snapshot.revision + 100);
    ends[0]?.(good(revisions[1] ?? 0));
    expect((await report).revision).toBe(touched + 1);
    expect(holder.snapshot.revision).toBe(touched + 1);
  });
  test('fail/after a stop nothing takes effect any more: neither what is under way nor what waits', async () => {
    const { load, ends, revisions } = slow();
    const holder = await begin(load);
    const before = holder.snapshot;
    const reports = [holder.reload(() => NOW), holder.reload(() => NOW)];
    holder.close();
    ends[0]?.(good(revisions[1] ?? 0));
    for (const report of await Promise.all([...reports, holder.reload(() => NOW)])) {
      expect(report).toMatchObject({ ok: false, problems: ['siptrustd is stopping: the policy was not read again'] });
    }
    expect(holder.snapshot).toBe(before);
    expect(revisions).toHaveLength(2);
  });
});
