import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PolicyThread, startReading } from '../../../../src/state/policy/thread.js';
import { startThread } from '../../../../src/state/work/index.js';
import { CA_PEM, NOW, tls } from '../../../unit/policy/fixtures.js';

const folder = mkdtempSync(join(tmpdir(), 'siptrust-thread-'));
const path = join(folder, 'p.yaml');

beforeAll(() => writeFileSync(join(folder, 'ca.pem'), CA_PEM, { mode: 0o600 }));
afterAll(() => rmSync(folder, { recursive: true }));

const threadOf = (code: string) => () => new Worker(code, { eval: true, execArgv: [] });
const failure = (why: string) => ({
  ok: false,
  problems: [`${path}:1:1: error: the policy cannot be read: ${why}`],
});

describe('the thread that reads the policy', () => {
  test('ok/a policy, one with a mistake, and the policy again: with what has not changed', {
    timeout: 120_000,
  }, async () => {
    const thread = new PolicyThread(path);
    writeFileSync(path, tls(), { mode: 0o600 });
    const first = await thread.load(7, NOW);
    writeFileSync(path, tls('privacy: x'), { mode: 0o600 });
    const bad = await thread.load(8, NOW);
    expect(bad).toMatchObject({
      ok: false,
      problems: [expect.stringContaining(`${path}:7:14: error: agreements[0].privacy`)],
    });
    writeFileSync(path, tls().replace('own_domains: [', 'own_domains: [z.example, '), { mode: 0o600 });
    const second = await thread.load(9, NOW);
    if (!first.ok || !second.ok) throw new Error('expected policies');
    expect([first.snapshot.revision, second.snapshot.revision]).toEqual([7, 9]);
    expect(second.snapshot.ownDomains.has('z.example')).toBe(true);
    const { agreements } = second.snapshot;
    expect(agreements.same(0, first.snapshot.agreements, 0)).toBe(true);
    expect(agreements.at(0)?.anchors.client[0]).toBe(first.snapshot.agreements.at(0)?.anchors.client[0]);
    await thread.close();
  });

  test('ok/its nursery is small: what a reading makes stays, and would be copied twice', async () => {
    const thread = startReading();
    try {
      // Without the setting it is 48 MiB on machines of today.
      expect(thread.resourceLimits).toMatchObject({ maxYoungGenerationSizeMb: 6, maxOldGenerationSizeMb: 1000 });
    } finally {
      await thread.terminate();
    }
  });

  test('ok/a policy beyond the usual memory is read again by a thread that may take more', async () => {
    const each = (at: number) => `  - {name: op-${at}, domains: [d${at}.example], mechanism: tls, anchors: [ca.pem]}\n`;
    const entries = Array.from({ length: 20_000 }, (_, at) => each(at));
    writeFileSync(path, `own_domains: [a.example]\nagreements:\n${entries.join('')}`, { mode: 0o600 });
    const module = new URL('../../../../src/policy/loading/worker.js', import.meta.url);
    const started: boolean[] = [];
    const thread = new PolicyThread(path, (much) => {
      started.push(much);
      return startThread(module, undefined, much ? undefined : { maxOldGenerationSizeMb: 24 });
    });
    const loaded = await thread.load(1, NOW);
    expect(loaded.ok && loaded.snapshot.agreements.length).toBe(20_000);
    expect(started).toEqual([false, true]);
    await thread.close();
  });

  test('fail/one that dies is a problem of that load, and the next one has another thread', async () => {
    const codes = ['throw new Error("out of memory")', 'process.exit(3)', 'setTimeout(() => {}, 1e6)'];
    let at = 0;
    const thread = new PolicyThread(path, () => threadOf(codes[at++] ?? '')());
    expect(await thread.load(1, NOW)).toEqual(failure('the thread that reads it failed: out of memory'));
    expect(await thread.load(2, NOW)).toEqual(failure('the thread that reads it ended with 3'));
    const waiting = thread.load(3, NOW);
    await thread.close();
    expect(await waiting).toEqual(failure('siptrustd is stopping'));
    expect(at).toBe(3);
  });
});
