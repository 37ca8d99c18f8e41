import { describe, expect, test } from 'vitest';
import type { LoadedPolicy } from '../../../../src/policy/loading/loader.js';
import { DEFAULT_SETTINGS } from '../../../../src/policy/settings/settings.js';
import { PolicyHolder } from '../../../../src/state/policy/holder.js';
import { agreementWith, snapshotWith } from '../../../support/snapshot.js';

const NOW = Date.UTC(2026, 10, 24);

function open(load: (revision: number) => LoadedPolicy | Promise<LoadedPolicy>) {
  let first = true;
  const holder = PolicyHolder.open((revision) => {
    if (!first) return load(revision) as LoadedPolicy;
    first = false;
    return good([agreementWith({ name: 'op-b' })])(revision);
  }, NOW);
  if ('problems' in holder) throw new Error(holder.problems.join('\n'));
  return holder;
}

const good =
  (agreements: Parameters<typeof snapshotWith>[0]) =>
  (revision: number): LoadedPolicy => {
    return { ok: true, snapshot: snapshotWith(agreements, { revision }), settings: DEFAULT_SETTINGS, warnings: [] };
  };
const kinds = (holder: PolicyHolder) => holder.history.events().map(({ kind, count }) => [kind, count]);

describe('PolicyHistory', () => {
  test('ok/each reload with who asked for it and what it changed, the newest first', async () => {
    const next = [
      agreementWith({ name: 'op-b', requireTls: true }),
      agreementWith({ name: 'op-c', domains: ['c.example'] }),
    ];
    const holder = open(good(next));
    await holder.reload(() => NOW + 5_000, 'token noc from 192.0.2.7:1');
    const [reload, start] = holder.history.events();
    expect([start?.kind, start?.at, reload?.kind, reload?.at, reload?.revision]).toEqual([
      ...['start', NOW, 'reload', NOW + 5_000],
      holder.snapshot.revision,
    ]);
    expect(reload?.by).toEqual(['token noc from 192.0.2.7:1']);
    expect(await reload?.differences).toEqual({
      rows: [
        { subject: 'agreement op-b', change: 'changed', key: 'require_tls', before: 'false', after: 'true' },
        { subject: 'agreement op-c', change: 'added', key: '', before: '', after: '' },
      ],
      more: false,
    });
  });
  test('ok/who asks while a reload is under way shares the next one', async () => {
    const holder = open(async (revision) => good([])(revision));
    const all = ['first', 'second', 'third', 'second'].map((by) => holder.reload(() => NOW, by));
    await Promise.all(all);
    expect(holder.history.events().map(({ by }) => by)).toEqual([['second', 'third'], ['first'], []]);
  });
  test('fail/a file that is no good changes nothing; tried again and again it is one row', async () => {
    const holder = open(() => ({ ok: false, problems: ['a', 'b'] }));
    const { revision } = holder.snapshot;
    for (const by of ['SIGHUP', 'SIGHUP', 'somebody']) await holder.reload(() => NOW, by);
    expect(kinds(holder)).toEqual([
      ['refused', 1],
      ['refused', 2],
      ['start', 1],
    ]);
    expect(holder.history.events()[0]).toMatchObject({ revision, problems: 2, by: ['somebody'] });
  });
  test('ok/lists that come all day push out no reload', async () => {
    const holder = open(good([]));
    await holder.reload(() => NOW, 'SIGHUP');
    for (let count = 0; count < 1_000; count += 1) holder.touch(NOW + count);
    expect(kinds(holder)).toEqual([
      ['renewed', 1_000],
      ['reload', 1],
      ['start', 1],
    ]);
  });
  test('ok/of very many differences the first 200, of very many reloads the last 100', async () => {
    const many = Array.from({ length: 300 }, (_, at) =>
      agreementWith({ name: `op-${at}`, domains: [`d${at}.example`] }),
    );
    const holder = open(good(many));
    for (let count = 0; count < 150; count += 1) await holder.reload(() => NOW, `try ${count}`);
    const events = holder.history.events();
    expect([events.length, events[0]?.by]).toEqual([100, ['try 149']]);
    const first = open(good(many));
    await first.reload(() => NOW);
    const { rows, more } = (await first.history.events()[0]?.differences) ?? { rows: [], more: false };
    expect([rows.length, more]).toEqual([200, true]);
  });
});
