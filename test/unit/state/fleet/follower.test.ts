import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Revision } from '../../../../src/policy/revision/revision.js';
import type { NodeReport } from '../../../../src/state/fleet/fleet-database.js';
import { AGAIN_MS, Follower, type FollowerOptions, REPORT_MS } from '../../../../src/state/fleet/follower.js';
import { compile, compiled, tls } from '../../policy/fixtures.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const { settings } = compiled(compile(tls()));
const hash = 'a'.repeat(64);
const revision = (number: number): Revision => ({
  ...{ number, base: number - 1, main: 'p.yaml', tree: hash, names: hash, author: 'ann', comment: '', withdrawn: [] },
});

/** A node that hears no notification; what it copies comes when `copying` says. */
function stage(copying: () => Promise<void>) {
  const reports: NodeReport[] = [];
  const store = { head: revision(1) };
  const follower = new Follower({
    ...{ follows: true, clock: Date.now, settings: () => settings, scriptRevision: () => 1 },
    node: { name: 'one', instance: 'i', version: '1', startedAt: 0 },
    database: {
      onChange: () => {},
      head: async () => ({ revision: store.head }),
      report: async (report: NodeReport) => {
        reports.push(report);
        return { newest: store.head.number, taken: true, twin: false, lag: 0, nodes: undefined };
      },
      contents: { pieces: () => [] },
    },
    kept: { has: async () => false, put: copying, read: async () => Buffer.from('no list of files') },
    policy: { inForce: undefined, want: () => {}, unkept: false },
    log: { info: () => {}, warn: () => {}, error: () => {} },
  } as unknown as FollowerOptions);
  return { follower, reports, store };
}

test('ok/a node that copies for longer than a silence says all the while that it is there', async () => {
  const { follower, reports } = stage(() => new Promise(() => {}));
  void follower.start();
  await vi.advanceTimersByTimeAsync(4 * REPORT_MS);
  expect(reports.length).toBeGreaterThanOrEqual(5);
  expect(reports.at(-1)).toMatchObject({ revision: 0, wanted: 1, problem: '' });
});

test('ok/while a revision is copied, what was wrong with the one before is not said of it', async () => {
  const copying = vi.fn(async () => {});
  const { follower, reports, store } = stage(copying);
  await follower.start();
  const wrong = expect.stringMatching(/^revision 1: /);
  expect(follower.status).toMatchObject({ wanted: 1, problem: wrong });
  copying.mockReturnValue(new Promise(() => {}));
  store.head = revision(2);
  await vi.advanceTimersByTimeAsync(3 * REPORT_MS);
  expect(reports.at(-1)).toMatchObject({ wanted: 2, problem: '' });
});

/** A node whose files are here already; `unkept` says whether the disk took the revision, `room` whether it would. */
function refusing() {
  const hash = 'a'.repeat(64);
  const state = { head: revision(1), settings, unkept: false, room: true };
  const calls = {
    reload: vi.fn(async () => ({ ok: false, problems: ['not this one'] })),
    doubt: vi.fn(),
    error: vi.fn(),
  };
  const follower = new Follower({
    ...{
      follows: true,
      clock: Date.now,
      settings: () => state.settings,
      scriptRevision: () => 1,
      reload: calls.reload,
    },
    node: { name: 'one', instance: 'i', version: '1', startedAt: 0 },
    database: {
      onChange: () => {},
      head: async () => ({ revision: state.head }),
      report: async () => ({ newest: state.head.number, taken: true, twin: false }),
    },
    kept: {
      ...{ has: async () => true, doubt: calls.doubt, hasRoom: async () => state.room },
      read: async () => Buffer.from(`["p.yaml","${hash}",1]\n`),
    },
    policy: {
      ...{ inForce: undefined, want: () => {}, unfit: ['no room'] },
      get unkept() {
        return state.unkept;
      },
    },
    log: { info: () => {}, warn: () => {}, error: calls.error },
  } as unknown as FollowerOptions);
  return { follower, state, ...calls };
}

test('ok/a revision that was refused is tried again by other settings, and after long, and is told once; its files are looked at anew', async () => {
  const { follower, state, reload, doubt, error } = refusing();
  await follower.start();
  await vi.advanceTimersByTimeAsync(4 * REPORT_MS);
  expect([reload.mock.calls.length, doubt.mock.calls.length, error.mock.calls.length]).toEqual([1, 1, 1]);
  state.settings = { ...settings };
  await vi.advanceTimersByTimeAsync(4 * REPORT_MS);
  expect(reload).toHaveBeenCalledTimes(2);
  await vi.advanceTimersByTimeAsync(AGAIN_MS);
  expect([reload.mock.calls.length, error.mock.calls.length]).toEqual([3, 1]);
  await follower.close();
});

test('ok/a revision for which the disk has no room is read again only where there is some', async () => {
  const { follower, state, reload } = refusing();
  Object.assign(state, { unkept: true, room: false });
  await follower.start();
  await vi.advanceTimersByTimeAsync(4 * REPORT_MS);
  expect([reload.mock.calls.length, follower.status.problem]).toEqual([0, 'no room']);
  state.room = true;
  await vi.advanceTimersByTimeAsync(REPORT_MS);
  expect(reload).toHaveBeenCalledTimes(1);
  await follower.close();
});
