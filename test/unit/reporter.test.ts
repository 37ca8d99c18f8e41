import { expect, test } from 'vitest';
import { reporter } from '../../src/reporter.js';
import { keptLog } from '../support/kept-log.js';

type State = Parameters<typeof reporter>[1];

test('ok/a reload that many have asked for is told once', async () => {
  const log = keptLog();
  const report = { ok: true, revision: 7, problems: [], warnings: ['a warning'] };
  const reports = [report, report, report, { ...report, revision: 8 }];
  const state = { changes: { reload: async () => reports.shift() }, policy: {}, pins: undefined } as unknown as State;
  let looks = 0;
  const reload = reporter(log as unknown as Parameters<typeof reporter>[0], state, async () => {
    looks += 1;
  });
  const told = await Promise.all(Array.from({ length: 4 }, () => reload('SIGHUP')));
  expect(told.map(({ revision }) => revision)).toEqual([7, 7, 7, 8]);
  const loaded = log.lines.filter(({ message }) => message === 'policy loaded');
  const warnings = log.lines.filter(({ message }) => message === 'a warning');
  expect([loaded.length, warnings.length, looks]).toEqual([2, 2, 2]);
});
