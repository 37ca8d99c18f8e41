/** What one row of the policy in the database may have: whoever owns it fills no memory and no disk of a node. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Revision } from '../../src/policy/revision/revision.js';
import type { FleetNode } from '../support/fleet.js';
import { FleetStage } from '../support/fleet.js';
import { CA_PEM } from '../unit/policy/fixtures.js';

const MIB = 1024 * 1024;
let stage: FleetStage;
let node: FleetNode;
const ups: boolean[] = [];
beforeAll(async () => {
  stage = await FleetStage.start();
  await push('first');
  node = await stage.node('border-1');
  node.connection.onStatus((up) => ups.push(up));
});
afterAll(async () => {
  await stage?.stop();
});

function push(name: string, ...more: readonly string[]) {
  const agreement = { name: 'op-b', domains: ['b.example'], mechanism: 'tls', anchors: ['b.pem'] };
  const main = { own_domains: ['a.example', `${name}.example`], agreements: [agreement] };
  return stage.done('policy', 'push', stage.policy(name, main, { 'b.pem': CA_PEM }), ...more);
}

test('fail/a revision of 17 MiB is not read: its number is named, what is in force stays, and the next one is taken', async () => {
  const { number } = node;
  await stage.cluster.sql(`
    INSERT INTO siptrust.policy_revision (number, base, content, sha256, author)
    VALUES (${number + 1}, ${number}, decode(repeat('20', ${17 * MIB}), 'hex'), repeat('a', 64), 'owner');
    NOTIFY siptrust_policy`);
  await expect
    .poll(() => node.follower.status.problem, { timeout: 15_000 })
    .toContain(`revision ${number + 1}: expected at most ${16 * MIB} bytes, found ${17 * MIB}`);
  expect(node.log.lines.map(({ message }) => message)).toContain('the policy of the fleet could not be looked at');
  await stage.cluster.sql(`DELETE FROM siptrust.policy_revision WHERE number = ${number + 1}`);
  await push('second', '--wait', '20');
  expect(node.number).toBe(number + 1);
  expect(ups).toEqual([]);
});

test('ok/a list of revisions has as many as one may be long together, the newest first', async () => {
  const { number } = node;
  // JSON may have spaces: each of these is a revision of 7 MiB.
  await stage.cluster.sql(`
    INSERT INTO siptrust.policy_revision (number, base, content, sha256, author)
    SELECT number + n, number + n - 1, convert_to(replace(convert_from(content, 'UTF8'), '"number":' || number || ',',
        '"number":' || number + n || ',' || repeat(' ', ${7 * MIB})), 'UTF8'), sha256, author
    FROM siptrust.policy_revision, generate_series(1, 3) n WHERE number = ${number}`);
  const rows = (await stage.done('policy', 'list', '--limit', '100')) as unknown as { revision: number }[];
  expect(rows.map(({ revision }) => revision)).toEqual([number + 3, number + 2]);
  await stage.cluster.sql(`DELETE FROM siptrust.policy_revision WHERE number > ${number}`);
});

test('fail/a file or a list of files that is longer than it may be is not fetched, and leaves nothing on the disk', async () => {
  const { number } = node;
  const files = join(stage.directory, 'border-1/kept/files');
  const kept = () => readdirSync(files).sort();
  const before = kept();
  const { revision } = await push('third');
  // Before the node has looked it would have it already: a fresh one lacks all.
  await expect.poll(() => node.number, { timeout: 15_000 }).toBe(number + 1);
  const [row] = await stage.cluster.sql<{ content: Buffer }>(
    `SELECT content FROM siptrust.policy_revision WHERE number = ${Number(revision)}`,
  );
  const { tree } = JSON.parse(String(row?.content)) as Revision;
  const largest = '(SELECT sha256 FROM siptrust.policy_file ORDER BY octets DESC, sha256 LIMIT 1)';
  for (const [which, octets, problem] of [
    [`sha256 = '${tree}'`, 65 * MIB, `${tree}: expected at most ${64 * MIB} bytes, found ${65 * MIB}`],
    [`sha256 = ${largest}`, 2 * MIB, 'the store lacks some of its files'],
  ] as const) {
    await stage.cluster.sql(`
      CREATE TABLE saved AS SELECT * FROM siptrust.policy_file;
      UPDATE siptrust.policy_file SET octets = ${octets}, content = decode(repeat('00', ${octets}), 'hex') WHERE ${which}`);
    const fresh = await stage.node(`fresh-${octets}`);
    expect(fresh.number).toBe(0);
    expect(fresh.follower.status.problem).toContain(problem);
    const found = readdirSync(join(stage.directory, `fresh-${octets}/kept/files`)).map(
      (name) => readFileSync(join(stage.directory, `fresh-${octets}/kept/files`, name)).length,
    );
    expect(Math.max(0, ...found)).toBeLessThan(MIB);
    await stage.cluster.sql(`
      UPDATE siptrust.policy_file AS now SET octets = saved.octets, content = saved.content FROM saved
        WHERE now.sha256 = saved.sha256 AND now.octets <> saved.octets;
      DROP TABLE saved; NOTIFY siptrust_policy`);
    await expect.poll(() => fresh.number, { timeout: 15_000 }).toBe(number + 1);
    await fresh.stop();
  }
  expect(kept().length).toBe(before.length);
});
