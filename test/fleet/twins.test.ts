/** Two nodes with one name: somebody copied the file of one of them. */

import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleOf } from '../../src/policy/fleet/bundle.js';
import { FleetDatabase } from '../../src/state/fleet/fleet-database.js';
import { siptrustctl } from '../support/command-line.js';
import { FleetStage } from '../support/fleet.js';
import { CA_PEM } from '../unit/policy/fixtures.js';
import { SlowWay } from './slow-way.js';

let stage: FleetStage;
beforeAll(async () => {
  stage = await FleetStage.start();
});
afterAll(async () => {
  await stage?.stop();
});

const AGREEMENT = { name: 'op-b', domains: ['b.example'], mechanism: 'tls', anchors: ['b.pem'] };
const policy = (name: string, changes: object = {}) =>
  stage.policy(name, { own_domains: ['a.example'], agreements: [{ ...AGREEMENT, ...changes }] }, { 'b.pem': CA_PEM });
const names = async () =>
  (await stage.cluster.sql<{ name: string }>('SELECT name FROM siptrust.node ORDER BY name')).map(({ name }) => name);

test('fail/both are seen and told of, and a wait ends with the one that refused; alone again, the name is as before', async () => {
  await stage.done('policy', 'push', policy('first'));
  let full = false;
  const keep = () => (full ? Promise.reject(new Error('ENOSPC: no space left')) : Promise.resolve());
  const first = await stage.node('border-1', { keep });
  expect(await names()).toEqual(['border-1']);
  const copy = await stage.node('copy-of-1', { called: 'border-1' });
  const shown = expect.stringMatching(/^border-1#[0-9a-f]{8}$/);
  await expect.poll(names).toEqual(['border-1', shown]);
  full = true;
  const pushed = await stage.ctl('policy', 'push', policy('second', { privacy: 'rfc3325' }), '--wait', '20');
  expect(pushed.code).toBe(1);
  const { nodes } = JSON.parse(pushed.output) as { nodes: object[] };
  expect(nodes).toEqual([
    expect.objectContaining({ node: 'border-1', state: 'there' }),
    expect.objectContaining({ node: shown, state: 'refused', problem: expect.stringContaining('ENOSPC') }),
  ]);
  const message = 'two nodes use one name (daemon.node): the fleet shows one of them under another';
  for (const node of [first, copy]) {
    await expect.poll(() => node.follower.status.problem).toMatch(/ENOSPC|another node uses the name of this one/);
    await expect.poll(() => node.log.lines.filter((line) => line.message === message)).toHaveLength(1);
  }
  // The copy ends by itself; the name is free again once it was not heard of for a while.
  await copy.stop();
  await stage.cluster.sql("UPDATE siptrust.node SET seen_at = now() - interval '20 seconds' WHERE name = 'border-1'");
  full = false;
  await expect.poll(names).toEqual(['border-1']);
  const { revision } = await stage.done('policy', 'push', policy('third'), '--wait', '20');
  expect(first.number).toBe(revision);
  expect(first.follower.status.problem).toBe('');
  await first.stop();
  await stage.done('fleet', 'forget', 'border-1');
});

test('ok/whoever loses its name to another one hears of it at once, and nobody else does', async () => {
  const node = await stage.node('border-7', { deaf: true });
  const heard: string[] = [];
  const listening = new FleetDatabase(node.connection);
  for (const name of ['border-7', 'border-8']) listening.onChange(() => heard.push(name), name);
  const report = (name: string, instance: string, takes: boolean) =>
    node.database.report(
      {
        ...{ name, instance, version: 'test', startedAt: Date.now() },
        ...{ revision: 0, wanted: 0, problem: '', scriptRevision: 1 },
      },
      takes,
    );
  /** Who was told until now: news for all comes after what was sent before it. */
  const told = async () => {
    await stage.cluster.sql("SELECT pg_notify('siptrust_policy', '1')");
    await expect.poll(() => heard.at(-1)).toBe('border-8');
    return heard.splice(0);
  };
  // Whoever begins to listen is told as well, for what he may have missed.
  await told();
  await told();
  await report('border-7', 'another', true);
  expect(await told()).toEqual(['border-7', 'border-7', 'border-8']);
  await report('border-7', 'another', true);
  await report('border-7', 'third', false);
  await report('border-9', 'first', true);
  expect(await told()).toEqual(['border-7', 'border-8']);
  await node.stop();
  await stage.cluster.sql('DELETE FROM siptrust.node');
});

test('ok/a node that starts again at once has its name, and one that was displaced leaves none behind', async () => {
  const before = await stage.node('border-2');
  await before.connection.close();
  const again = await stage.node('border-2');
  expect(await names()).toEqual(['border-2']);
  const copy = await stage.node('copy-of-2', { called: 'border-2' });
  await expect.poll(names).toHaveLength(2);
  await again.stop();
  expect(await names()).toEqual(['border-2']);
  await copy.stop();
  await before.stop();
});

test('ok/a name besides that nobody has used for a day goes with the next report, and no other does', async () => {
  const node = await stage.node('border-4');
  const row = (name: string, silent: string) =>
    stage.cluster.sql(`INSERT INTO siptrust.node (name, version, started_at, seen_at)
      VALUES ('${name}', 'test', now(), now() - interval '${silent}')`);
  await row('border-4#0123abcd', '25 hours');
  await row('border-4#4567abcd', '23 hours');
  await row('border-4#one', '25 hours');
  await row('border-5#0123abcd', '25 hours');
  await node.follower.look();
  const left = async () => (await names()).filter((name) => /^border-[45]/.test(name));
  await expect.poll(left).toEqual(['border-4', 'border-4#4567abcd', 'border-4#one', 'border-5#0123abcd']);
  await node.stop();
  await stage.cluster.sql('DELETE FROM siptrust.node');
});

test.each(["'infinity'", "'-infinity'", "now() + interval '1 year'"])(
  'fail/a row that was heard of at %s has no name, is no twin, and goes',
  async (seen) => {
    const node = await stage.node('border-6-aside');
    const report = (instance: string, takes = false) =>
      node.database.report(
        {
          ...{ name: 'border-6', instance, version: 'test', startedAt: Date.now() },
          ...{ revision: 0, wanted: 0, problem: '', scriptRevision: 1 },
        },
        takes,
      );
    await report('another', true);
    expect(await report('own')).toMatchObject({ taken: false });
    await stage.cluster.sql(`UPDATE siptrust.node SET seen_at = ${seen} WHERE name = 'border-6';
      INSERT INTO siptrust.node (name, version, started_at, seen_at) VALUES ('border-6#0123abcd', 'test', now(), ${seen})`);
    expect(await report('own')).toMatchObject({ taken: true, twin: false });
    expect(await names()).toEqual(['border-6', 'border-6-aside']);
    await node.stop();
    await stage.cluster.sql('DELETE FROM siptrust.node');
  },
);

test('fail/a rollback to a revision that is no policy any more is refused, and nothing is pushed', async () => {
  const node = await stage.node('border-3');
  const { number } = node;
  // As a version before this one may have taken it.
  const { tree, blobs } = bundleOf(new Map([['policy.yaml', Buffer.from('agreements: 7\n')]]));
  await node.database.contents.store(blobs);
  const said = { main: 'policy.yaml', tree, names: tree, withdrawn: [], author: 'noc', comment: '' };
  await node.database.push({ number: number + 1, base: number, ...said });
  await stage.done('policy', 'push', policy('fourth'), '--wait', '20');
  const outcome = await stage.ctl('policy', 'rollback', String(number + 1));
  expect(outcome).toMatchObject({ code: 2, output: '' });
  expect(outcome.error).toMatch(/^the policy is not good\n.*policy\.yaml:1:13: error: agreements: /s);
  expect(node.number).toBe(number + 2);
  await stage.done('policy', 'rollback', String(number), '--wait', '20');
  expect(node.number).toBe(number + 3);
});

test('ok/a rollback asks for its files together, however many they are', async () => {
  const files = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`a${at}.pem`, `file ${at}\n${CA_PEM}`]));
  const anchors = Object.keys(files);
  const wide = stage.policy('wide', { own_domains: ['a.example'], agreements: [{ ...AGREEMENT, anchors }] }, files);
  const { revision } = await stage.done('policy', 'push', wide);
  const way = await SlowWay.open(stage.cluster.port);
  const config = stage.config('far', { store_timeout: 20_000 });
  writeFileSync(config, readFileSync(config, 'utf8').replaceAll(`:${stage.cluster.port}`, `:${way.port}`));
  const back = await siptrustctl(['--json', 'policy', 'rollback', String(revision), '--config', config]);
  expect(back).toMatchObject({ code: 0, error: '' });
  expect(way.pieces).toBeGreaterThan(5);
  expect(way.pieces).toBeLessThan(100);
  way.close();
});
