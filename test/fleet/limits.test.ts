/** What one row of the policy in the database may have: whoever owns it fills no memory and no disk of a node. */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BundledFile } from '../../src/policy/fleet/bundle.js';
import type { Revision } from '../../src/policy/revision/revision.js';
import { CuttableRelay } from '../support/cuttable-relay.js';
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

test('fail/a node that says it has a number beyond all others is not believed: the next push has the next number', async () => {
  const { number } = node;
  for (const revision of ['9223372036854775807', '9007199254740991', `${number + 1_000_001}`]) {
    await stage.cluster.sql(`
      INSERT INTO siptrust.node (name, version, started_at, revision) VALUES ('broken', 'none', now(), ${revision})
      ON CONFLICT (name) DO UPDATE SET revision = excluded.revision`);
    expect(await node.database.lastNumber()).toBe(number);
  }
  // A database that was restored is behind its nodes by as many as were pushed since.
  await stage.cluster.sql(`UPDATE siptrust.node SET revision = ${number + 1000} WHERE name = 'broken'`);
  expect(await node.database.lastNumber()).toBe(number + 1000);
  await stage.done('fleet', 'forget', 'broken');
  await push('fourth', '--wait', '20');
  expect(node.number).toBe(number + 1);
});

test('ok/a problem with letters that PostgreSQL has not is reported: else the node would be silent for all', async () => {
  const said = { name: 'broken', instance: 'i', version: '1', startedAt: 0, revision: 0, wanted: 0, scriptRevision: 1 };
  await node.database.report({ ...said, problem: 'p.yaml:1:1: found "\0\ud800"' }, true);
  const [row] = (await node.database.nodes()).filter(({ name }) => name === 'broken');
  expect(row?.problem).toBe('p.yaml:1:1: found "\uFFFD\uFFFD"');
  await stage.done('fleet', 'forget', 'broken');
});

test('fail/a node that was heard of at no time, or at one that is yet to come, is silent, and keeps nobody from the list', async () => {
  for (const seen of ["'infinity'", "'-infinity'", "now() + interval '1 year'"]) {
    await stage.cluster.sql(`
      INSERT INTO siptrust.node (name, version, started_at, seen_at) VALUES ('broken', 'none', now(), ${seen})
      ON CONFLICT (name) DO UPDATE SET seen_at = excluded.seen_at`);
    const rows = (await node.database.nodes()).filter(({ name }) => ['border-1', 'broken'].includes(name));
    expect(rows.map(({ name, alive }) => [name, alive])).toEqual([
      ['border-1', true],
      ['broken', false],
    ]);
    expect(rows.every(({ silent, lag }) => Number.isFinite(silent) && Number.isFinite(lag))).toBe(true);
  }
  await stage.done('fleet', 'forget', 'broken');
});

test('ok/a file takes a third more octets on its way than it has, not twice as many', async () => {
  const octets = 100_000;
  const content = Buffer.alloc(octets, 'a file');
  const sha256 = createHash('sha256').update(content).digest('hex');
  await node.database.contents.store(new Map([[sha256, content]]));
  const relay = await CuttableRelay.to(stage.cluster.port);
  const hosts = [{ host: '127.0.0.1', port: relay.port }];
  const far = await stage.node('far', { store: { hosts } });
  for (const read of [() => far.database.contents.whole(sha256), () => together(far, { path: 'x', sha256, octets })]) {
    const before = relay.octets;
    expect(content.equals(await read())).toBe(true);
    expect(relay.octets - before).toBeLessThan(1.5 * octets);
  }
  await far.stop();
  relay.close();
});

async function together({ database }: FleetNode, file: BundledFile): Promise<Uint8Array> {
  return (await database.contents.together([file])).get(file.sha256) ?? new Uint8Array();
}

test('ok/a node that was off for hundreds of revisions, of which the old ones are gone from the database, takes the newest', async () => {
  const away = await stage.node('away');
  const last = away.number;
  await away.stop();
  for (let pushes = 0; pushes < 5; pushes += 1) await push(`meanwhile-${pushes}`);
  const head = await node.database.head();
  if (head === undefined) throw new Error('expected a revision');
  for (let number = head.revision.number + 1; number <= head.revision.number + 300; number += 1) {
    await node.database.push({ ...head.revision, number, base: number - 1 });
  }
  // Nobody needs them any more but `policy diff` and `rollback`; a disk that is full is cleared by hand.
  await stage.cluster.sql(`
    DELETE FROM siptrust.policy_revision WHERE number < ${head.revision.number + 300};
    DELETE FROM siptrust.policy_file WHERE stored_at < (SELECT max(stored_at) FROM siptrust.policy_file) - interval '1 hour';
    UPDATE siptrust.node SET seen_at = now() - interval '31 days' WHERE name = 'away'`);
  const back = await stage.node('away');
  expect(back.number).toBe(head.revision.number + 300);
  expect(back.number).toBeGreaterThan(last + 300);
  expect(back.follower.status.problem).toBe('');
  await push('after', '--wait', '20');
  expect(back.number).toBe(head.revision.number + 301);
  await back.stop();
});
