import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { PostgresCluster } from '../support/postgres-cluster.js';
import { Ledger } from './ledger.js';
import { FleetNode, migrated } from './node.js';

/** Acknowledged writes of one run; `make test-fleet-long` asks for more. */
const WRITES = Number(process.env.SIPTRUST_FLEET_WRITES ?? 10_000);
const MOST_MS = 90_000 * (WRITES / 10_000);
/** The least: a quiet machine has written all of them after two. */
const KILLS = 3;
/** From one kill to the next. */
const BETWEEN_MS = 1_500;

const clusters: PostgresCluster[] = [];
const nodes: FleetNode[] = [];
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.stop();
  for (const cluster of clusters.splice(0)) await cluster.stop();
});

async function fleet(cluster: PostgresCluster, others: readonly PostgresCluster[] = []): Promise<Ledger> {
  await migrated(cluster);
  const ledger = new Ledger();
  for (const name of ['a', 'b', 'c']) {
    const node = await FleetNode.start(name, cluster.settings(others));
    nodes.push(node);
    ledger.write(node);
  }
  return ledger;
}

/** All lines that wait on the disks of the nodes are in the database. */
async function settled(ledger: Ledger): Promise<void> {
  await ledger.stop();
  for (const node of nodes) await node.up();
  await expect.poll(() => nodes.map((node) => node.store.status().waiting), { timeout: 60_000 }).toEqual([0, 0, 0]);
}

function told(what: string, ledger: Ledger, faults: number, lost: number): void {
  const { audit, pin, token, revision } = ledger.acknowledged;
  const kinds = `${audit.size} audit lines, ${pin.size} approvals, ${token.size} tokens, ${revision.size} policy revisions`;
  console.log(
    `${what}: ${ledger.count} writes acknowledged (${kinds}), ${ledger.refused} refused, ${faults} times, ${lost} lost`,
  );
}

describe('what was acknowledged is there', () => {
  test(`ok/${WRITES} writes while the database is killed again and again`, { timeout: MOST_MS + 120_000 }, async () => {
    const cluster = await PostgresCluster.start();
    clusters.push(cluster);
    const ledger = await fleet(cluster);
    const end = Date.now() + MOST_MS;
    let kills = 0;
    const missing = () => Object.values(ledger.acknowledged).some(({ size }) => size === 0);
    while ((ledger.count < WRITES || kills < KILLS || missing()) && Date.now() < end) {
      await sleep(BETWEEN_MS);
      await cluster.kill();
      await cluster.restart();
      kills += 1;
    }
    await settled(ledger);
    const lost = await ledger.lost(cluster);
    told('killed', ledger, kills, lost.length);
    expect(lost).toEqual([]);
    expect(ledger.count).toBeGreaterThanOrEqual(WRITES);
    expect(kills).toBeGreaterThanOrEqual(KILLS);
    expect(missing()).toBe(false);
  });

  test('ok/a standby takes over from a primary that hangs, and that one is not taken back', async () => {
    const cluster = await PostgresCluster.start();
    clusters.push(cluster);
    await migrated(cluster);
    const standby = await cluster.standby();
    clusters.push(standby);
    const ledger = await fleet(cluster, [standby]);
    await expect.poll(() => ledger.acknowledged.pin.size).toBeGreaterThan(100);
    cluster.freeze();
    await sleep(1_000);
    await standby.promote();
    const before = ledger.acknowledged.pin.size;
    await expect.poll(() => ledger.acknowledged.pin.size).toBeGreaterThan(before + 100);
    // The old primary wakes up, and would take writes: nobody asks it for any, not even who begins to look anew.
    cluster.thaw();
    await sleep(1_000);
    await settled(ledger);
    const lost = await ledger.lost(standby);
    told('failed over', ledger, 1, lost.length);
    expect(lost).toEqual([]);
    const other = await FleetNode.start('late', cluster.settings([standby]));
    nodes.push(other);
    expect(other.database.status.host).toBe(`127.0.0.1:${standby.port}`);
  });

  test('ok/the disk of the database is full, and has room again', async (context) => {
    const disk = mkdtempSync(join(tmpdir(), 'siptrust-full-'));
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=192m,mode=0700', 'tmpfs', disk], { stdio: 'pipe' });
    } catch (error) {
      rmSync(disk, { recursive: true });
      console.log(
        `a full disk: not run, a small file system cannot be mounted here (${String(error).split('\n', 1)[0]})`,
      );
      return context.skip();
    }
    try {
      const cluster = await PostgresCluster.start({
        directory: disk,
        settings: ['min_wal_size = 32MB', 'max_wal_size = 64MB'],
      });
      clusters.push(cluster);
      const ledger = await fleet(cluster);
      await expect.poll(() => ledger.acknowledged.pin.size).toBeGreaterThan(100);
      const filler = join(disk, 'filler');
      // Until nothing fits any more: the database cannot write its log, and stops.
      const fill = () =>
        spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=64k', 'oflag=append', 'conv=notrunc'], { stdio: 'pipe' });
      const refused = ledger.refused;
      while (ledger.refused < refused + 100) {
        fill();
        await sleep(200);
      }
      rmSync(filler);
      await cluster.restart();
      const before = ledger.acknowledged.pin.size;
      await expect.poll(() => ledger.acknowledged.pin.size).toBeGreaterThan(before + 100);
      await settled(ledger);
      const lost = await ledger.lost(cluster);
      told('disk full', ledger, 1, lost.length);
      expect(lost).toEqual([]);
    } finally {
      for (const node of nodes.splice(0)) await node.stop();
      for (const cluster of clusters.splice(0)) await cluster.stop();
      // Lazily: what was killed may still be going.
      execFileSync('umount', ['-l', disk]);
      rmSync(disk, { recursive: true });
    }
  });
});
