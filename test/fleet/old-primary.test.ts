import { afterEach, describe, expect, test } from 'vitest';
import { PostgresCluster } from '../support/postgres-cluster.js';
import { certificate, FleetNode, migrated } from './node.js';

const nodes: FleetNode[] = [];
const clusters: PostgresCluster[] = [];
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.stop();
  for (const cluster of clusters.splice(0)) await cluster.stop();
});

const KEY = 'a'.repeat(43);

async function pair() {
  const old = await PostgresCluster.start();
  clusters.push(old);
  await migrated(old);
  const standby = await old.standby();
  clusters.push(standby);
  return { old, standby, settings: old.settings([standby]) };
}

describe('a start after a failover', () => {
  test('ok/where nobody but the old primary answers a node goes by its own disk, says so, and finds the new one again', async () => {
    const { old, standby, settings } = await pair();
    const before = await FleetNode.start('one', settings);
    nodes.push(before);
    expect(before.database.status.host).toBe(`127.0.0.1:${old.port}`);
    old.freeze();
    await standby.promote();
    await expect.poll(() => before.database.status.host, { timeout: 30_000 }).toBe(`127.0.0.1:${standby.port}`);
    before.pins.observe('op-b', certificate(KEY));
    await before.pins.approve(before.pins.list());
    await nodes.pop()?.stop(false);

    await standby.kill();
    old.thaw();
    const after = await FleetNode.start('one', settings, before.directory);
    nodes.push(after);
    const why = 'expected timeline 2 or later, found 1: a primary of before a failover is back';
    const problem = expect.stringContaining(why);
    expect(after.database.status).toMatchObject({ up: false, problem });
    expect(after.log.lines).toContainEqual(
      expect.objectContaining({ level: 'error', fields: expect.objectContaining({ problem }) }),
    );
    // The old primary knows nothing of the approval.
    expect(after.states()).toEqual({ [KEY]: 'approved' });
    await standby.restart();
    await expect.poll(() => after.database.status.host, { timeout: 30_000 }).toBe(`127.0.0.1:${standby.port}`);
    expect(after.states()).toEqual({ [KEY]: 'approved' });
  });

  test('ok/a database that was made anew has a history of its own: it is taken', async () => {
    const { standby } = await pair();
    await standby.promote();
    const first = await FleetNode.start('two', standby.settings());
    nodes.push(first);
    expect(first.database.status.up).toBe(true);
    await nodes.pop()?.stop(false);
    const anew = await PostgresCluster.start({ anew: true });
    clusters.push(anew);
    await migrated(anew);
    const second = await FleetNode.start('two', anew.settings(), first.directory);
    nodes.push(second);
    expect(second.database.status).toMatchObject({ up: true, problem: '' });
  });
});
