import { describe, expect, test } from 'vitest';
import type { LoadedPolicy } from '../../../src/policy/loader.js';
import { DEFAULT_SETTINGS } from '../../../src/policy/settings.js';
import { PolicyHolder } from '../../../src/state/policy-holder.js';
import { emptySnapshot } from '../../support/snapshot.js';

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
  test('ok/a good reload replaces the snapshot under a greater revision', () => {
    const holder = open(good);
    const before = holder.snapshot.revision;
    expect(holder.reload(NOW).ok).toBe(true);
    expect(holder.snapshot.revision).toBe(before + 1);
  });
  test('ok/a clock that was wrong for a moment leaves revisions where scripts can count (31 bits)', () => {
    const holder = open(good);
    const before = holder.snapshot.revision;
    holder.reload(Date.UTC(2100, 0, 1));
    expect(holder.snapshot.revision).toBe(before + 1);
    holder.touch(Date.UTC(2100, 0, 1), 4_102_444_800);
    expect(holder.snapshot.revision).toBe(before + 2);
    holder.touch(NOW, 2 ** 31 - 2);
    expect(holder.snapshot.revision).toBe(2 ** 31 - 1);
    holder.reload(NOW + 60_000);
    expect(holder.snapshot.revision).toBe(Math.floor(NOW / 1000) + 60);
  });
  test('ok/settings that need a restart are named, and what runs is what is said to run', () => {
    const listen = { ...DEFAULT_SETTINGS.listen, http: undefined, netstring: { address: '127.0.0.1', port: 7070 } };
    const dns = { ...DEFAULT_SETTINGS.dns, trustAd: true };
    const changed = { ...DEFAULT_SETTINGS, listen, dns, allowRemote: true };
    let settings = DEFAULT_SETTINGS;
    const holder = open((revision) => ({ ...good(revision), settings }) as LoadedPolicy);
    expect(holder.reload(NOW).warnings).toEqual([]);
    settings = changed;
    const needs = 'takes effect when siptrustd is started again; it runs with';
    const warnings = [
      `daemon.listen.netstring: ${needs} 127.0.0.1 port 7060, found 127.0.0.1 port 7070`,
      `daemon.listen.http: ${needs} 127.0.0.1 port 7061, found none`,
      `daemon.allow_remote: ${needs} false, found true`,
      `daemon.dns.trust_ad: ${needs} false, found true`,
    ];
    expect([...holder.reload(NOW).warnings].sort()).toEqual([...warnings].sort());
    expect(holder.status().warnings).toHaveLength(4);
    expect(holder.settings).toEqual(DEFAULT_SETTINGS);
    const certificates = [{ subject: 'CN=x' }] as never;
    settings = { ...DEFAULT_SETTINGS, access: { ...DEFAULT_SETTINGS.access, certificates } };
    expect(holder.reload(NOW).warnings).toEqual([]);
    expect(holder.settings.access.certificates).toBe(certificates);
    settings = DEFAULT_SETTINGS;
    expect(holder.reload(NOW).warnings).toEqual([]);
  });
  test('ok/revisions of a later run are greater than those of an earlier one', () => {
    const earlier = open(good);
    const later = PolicyHolder.open(good, NOW + 10_000);
    if ('problems' in later) throw new Error('not loaded');
    expect(later.snapshot.revision).toBeGreaterThan(earlier.snapshot.revision);
  });
  test('fail/a bad reload leaves the last good snapshot and says why', () => {
    let broken = false;
    const holder = open((revision) => (broken ? { ok: false, problems: ['a.yaml:1:1: error: x'] } : good(revision)));
    const { snapshot } = holder;
    broken = true;
    const report = holder.reload(NOW + 5000);
    expect(report).toMatchObject({ ok: false, revision: snapshot.revision, problems: ['a.yaml:1:1: error: x'] });
    expect(holder.snapshot).toBe(snapshot);
    expect(holder.status()).toMatchObject({ loadedAt: NOW, lastAttempt: NOW + 5000, problems: report.problems });
    broken = false;
    expect(holder.reload(NOW + 6000).problems).toEqual([]);
  });
  test('ok/a touch puts the same snapshot in force under a greater revision', () => {
    const holder = open(good);
    const before = holder.snapshot;
    expect(holder.touch(NOW)).toBe(before.revision + 1);
    expect(holder.snapshot).toEqual({ ...before, revision: before.revision + 1 });
    expect(Object.isFrozen(holder.snapshot)).toBe(true);
    expect(holder.touch(NOW + 10_000)).toBe(Math.floor((NOW + 10_000) / 1000));
    expect(holder.touch(NOW, before.revision + 500)).toBe(before.revision + 501);
    expect(holder.status()).toMatchObject({ loadedAt: NOW, revision: before.revision + 501 });
    expect(holder.reload(NOW).revision).toBe(before.revision + 502);
  });
});
