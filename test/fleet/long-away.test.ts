/** A siptrustd that was off for a month, beside one that was there all the while: both as processes. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FleetStage } from '../support/fleet.js';
import { Daemon } from '../support/live/daemon.js';
import { loopbackBlock } from '../support/live/places.js';
import { CA_PEM } from '../unit/policy/fixtures.js';

const PUSHES = 20;
const block = loopbackBlock();
const daemons: Daemon[] = [];
let stage: FleetStage;
beforeAll(async () => {
  stage = await FleetStage.start();
});
afterAll(async () => {
  for (const daemon of daemons) await daemon.stop();
  await stage?.stop();
});

function daemonOf(node: string): Daemon {
  const { cluster } = stage;
  const daemon = new Daemon(block(daemons.length + 1), stage.directory, node);
  const own = { node, store: cluster.url(), store_password_file: cluster.passwordFile };
  const directory = join(stage.directory, node, 'kept');
  daemon.write({
    daemon: { ...own, state: { file: stage.file(node, 'state.db') }, fleet: { policy: 'on', directory } },
  });
  daemons.push(daemon);
  return daemon;
}

/** A policy of two partners; each version of it has a file that no other has. */
function policy(version: number): string {
  const agreements = ['op-b', 'op-c'].map((name) => ({
    ...{ name, domains: [`v${version}.${name}.example`], mechanism: 'tls', anchors: [`${version}.pem`] },
  }));
  const files = { [`${version}.pem`]: `version ${version}\n${CA_PEM}` };
  return stage.policy(`v${version}`, { own_domains: ['a.example'], agreements }, files);
}

/** What an operator sees of a node: its agreements, and the contents on its disk. */
async function seen(daemon: Daemon, node: string) {
  const agreements = (await daemon.call('agreement.list')) as unknown as { domains: unknown; state: unknown }[];
  const files = readdirSync(join(stage.directory, node, 'kept', 'files')).sort();
  return { agreements: agreements.map(({ domains, state }) => [domains, state]), files };
}

test(`ok/after ${PUSHES} pushes, a withdrawal, and a clearing of old revisions it has the newest in force and nothing else on its disk`, async () => {
  await stage.done('policy', 'push', policy(0));
  const [stays, away] = [daemonOf('stays'), daemonOf('away')];
  await stays.start();
  await away.start();
  const before = (await away.call('core.status')) as { revision: number };
  await away.stop();
  await stage.cluster.sql("UPDATE siptrust.node SET seen_at = now() - interval '31 days' WHERE name = 'away'");
  for (let version = 1; version <= PUSHES; version++) {
    await stage.done('policy', 'push', policy(version));
    if (version === PUSHES / 2) await stage.done('agreement', 'disable', 'op-c', '--fleet', '--wait', '0');
  }
  const newest = PUSHES + 2;
  // Nobody needs them any more but `policy diff` and `rollback`.
  await stage.cluster.sql(`DELETE FROM siptrust.policy_revision WHERE number < ${newest}`);
  await away.start();
  await expect
    .poll(async () => (await away.call('fleet.list')).nodes)
    .toMatchObject(['away', 'stays'].map((node) => ({ node, revision: newest, state: 'ok' })));
  const found = await seen(away, 'away');
  expect(found.agreements).toEqual([
    [[`v${PUSHES}.op-b.example`], 'in-force'],
    [[`v${PUSHES}.op-c.example`], 'disabled'],
  ]);
  expect(found.files).toHaveLength(3);
  expect(await seen(stays, 'stays')).toEqual(found);
  // A routing script that has kept verdicts of a month ago must not take them for ones of today.
  expect((await away.call('core.status')).revision).toBeGreaterThan(before.revision);
});
