import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { auditLog } from '../../../src/log/audit.js';
import { temporaryDirectory } from '../../support/wires.js';

const directory = temporaryDirectory();
afterAll(() => directory.remove());

const log = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };
const record = (method: string) => ({
  ...{ at: 1_000, method, params: { agreement: 'op-b' }, wire: 'http', peer: '192.0.2.7:1', credential: 'token noc' },
  ...{ claimed: '', outcome: 'done', revisionBefore: 1, revisionAfter: 2 },
});

describe('auditLog', () => {
  test('fail/what is no file is refused: it is read back', () => {
    expect(() => auditLog('/dev/null', log)).toThrow(/^\/dev\/null: expected a file for the audit log, found none/);
  });
  test('ok/the latest lines can be asked for, those of earlier runs too', async () => {
    const file = join(directory.path, 'audit.jsonl');
    const before = auditLog(file, log);
    for (const method of ['pin.approve', 'pin.drop']) void before.write(record(method));
    await before.close();
    // What somebody wrote by hand, and what a full disk cut off.
    appendFileSync(file, '{"time":1}\nnot JSON\n{"time":"2026-11-28T00:0');
    const after = auditLog(file, log);
    void after.write(record('agreement.reload'));
    expect(after.recent().map(({ method }) => method)).toEqual(['agreement.reload', 'pin.drop', 'pin.approve']);
    expect(after.recent()[0]).toMatchObject({ time: '1970-01-01T00:00:01.000Z', old_revision: 1, new_revision: 2 });
    await after.close();
    expect(readFileSync(file, 'utf8')).toContain('agreement.reload');
  });
  test('ok/without a file those of this run; never more than 200', () => {
    const audit = auditLog(undefined, log);
    for (let count = 0; count < 300; count += 1) void audit.write(record(`method.${count}`));
    expect([audit.recent().length, audit.recent()[0]?.method]).toEqual([200, 'method.299']);
  });
  test('ok/of a large file only the end is read', () => {
    const file = join(directory.path, 'large.jsonl');
    const line = JSON.stringify({
      ...{ time: '2026-11-28T00:00:00Z', method: 'pin.drop', params: 'x'.repeat(2_000), outcome: 'done', wire: 'unix' },
      ...{ peer: '', credential: '', by: '', old_revision: 1, new_revision: 1 },
    });
    writeFileSync(file, `${line}\n`.repeat(1_000), { mode: 0o600 });
    const found = auditLog(file, log).recent();
    expect(found.length).toBeGreaterThan(100);
    expect(found.length).toBeLessThan(200);
  });
});
