import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contentHash, type Revision } from '../../src/policy/revision/revision.js';
import { signed } from '../../src/policy/revision/signature.js';
import { CuttableRelay } from '../support/cuttable-relay.js';
import { FleetStage } from '../support/fleet.js';
import { CA_PEM } from '../unit/policy/fixtures.js';

let stage: FleetStage;
beforeAll(async () => {
  stage = await FleetStage.start();
});
afterAll(async () => {
  await stage?.stop();
});

const FILES = { 'b.pem': CA_PEM };

function policy(name: string, changes: object = {}): string {
  const agreement = { name: 'op-b', domains: ['b.example'], mechanism: 'tls', anchors: ['b.pem'], ...changes };
  return stage.policy(name, { own_domains: ['a.example'], agreements: [agreement] }, FILES);
}

// No second try: a half of a switch is a fault however seldom it is.
describe('a node that dies in the middle of a switch', { retry: 0 }, () => {
  test.each([
    ['before it has kept it', 'before', 0],
    ['after it has kept it, before it is in force', 'after', 1],
  ] as const)('ok/%s starts with one of the two revisions, whole', async (_, when, ahead) => {
    await stage.done('policy', 'push', policy('calm'), '--author', 'calm');
    const name = `dying-${when}`;
    const calm = await stage.node(name);
    const before = calm.number;
    await calm.stop();
    const { KeptRevision } = await import('../../src/state/fleet/kept-revision.js');
    let release = (): void => {};
    const dead = new Promise<void>((resolve) => {
      release = resolve;
    });
    const asked: boolean[] = [];
    const dying = await stage.node(name, {
      keep: async (settings, revision, durable) => {
        if (when === 'after') await new KeptRevision(settings.fleet.directory).keep(revision, durable);
        asked.push(durable);
        // From here on nothing that this process does has an effect any more.
        await dead;
      },
    });
    await stage.done('agreement', 'disable', 'op-b', '--fleet', '--wait', '0');
    // A withdrawal does not wait for the disk.
    await expect.poll(() => asked).toEqual([false]);
    const file = join(stage.directory, name, 'kept/revision.json');
    const kept = (JSON.parse(readFileSync(file, 'utf8')) as Revision).number;
    // Many turns: what does not wait for what it keeps would be in force by now.
    await stage.done('policy', 'list');
    expect([kept, dying.number, dying.enabled('op-b')]).toEqual([before + ahead, before, true]);
    await dying.connection.close();
    const away = await stage.node(name, { store: { hosts: [{ host: '127.0.0.1', port: 1 }] } });
    expect([away.number, away.enabled('op-b')]).toEqual([before + ahead, ahead === 0]);
    await away.stop();
    const again = await stage.node(name);
    expect([again.number, again.enabled('op-b')]).toEqual([before + 1, false]);
    await again.stop();
    await stage.done('agreement', 'enable', 'op-b', '--fleet');
    release();
    await dying.stop();
    await stage.done('fleet', 'forget', name);
  });

  test('ok/one that dies while it fetches leaves no half of a file that would count', async () => {
    const node = await stage.node('fetching');
    const files = join(stage.directory, 'fetching/kept/files');
    const tree = (JSON.parse(readFileSync(join(files, '../revision.json'), 'utf8')) as Revision).tree;
    await node.stop();
    // Half of it under its name, as a disk may leave it, and half of it under the name of a draft.
    writeFileSync(join(files, tree), readFileSync(join(files, tree)).subarray(0, 20));
    writeFileSync(join(files, `${tree}.new`), 'half');
    const again = await stage.node('fetching');
    expect([...again.holder.snapshot.agreements].map(({ name }) => name)).toEqual(['op-b']);
    expect(existsSync(join(files, `${tree}.new`))).toBe(false);
    await again.stop();
  });
});

test('ok/a node that refuses the files of a push takes out all the same whom a withdrawal after it takes out', async () => {
  await stage.cluster.sql('DELETE FROM siptrust.node');
  await stage.done('policy', 'push', policy('small'));
  const daemon = { limits: { agreements: 1 } };
  const node = await stage.node('narrow', { daemon });
  const { number } = node;
  const terms = { mechanism: 'tls', anchors: ['b.pem'] };
  const main = {
    own_domains: ['a.example'],
    agreements: ['b', 'c'].map((name) => ({ name: `op-${name}`, domains: [`${name}.example`], ...terms })),
  };
  await stage.ctl('policy', 'push', stage.policy('two', main, FILES), '--wait', '20');
  const told = await stage.ctl('agreement', 'disable', 'op-b', '--fleet');
  expect([told.code, JSON.parse(told.output).nodes]).toMatchObject([1, [{ node: 'narrow', state: 'refused' }]]);
  expect([node.number, node.enabled('op-b'), node.source.withdrawn]).toEqual([number, false, ['op-b']]);
  await node.stop();
  // What was kept is that of before: the withdrawal is found in the store again.
  const again = await stage.node('narrow', { daemon });
  expect([again.number, again.enabled('op-b')]).toEqual([number, false]);
  await stage.ctl('agreement', 'enable', 'op-b', '--fleet', '--wait', '20');
  expect(again.enabled('op-b')).toBe(true);
  await again.stop();
  await stage.done('policy', 'push', policy('calm'));
});

test('ok/a withdrawal for which the disk had no room is in force once there is', async () => {
  await stage.cluster.sql('DELETE FROM siptrust.node');
  await stage.done('policy', 'push', policy('roomy'));
  const { KeptRevision } = await import('../../src/state/fleet/kept-revision.js');
  let full = false;
  const node = await stage.node('full', {
    keep: async ({ fleet }, revision, durable) => {
      if (full) throw new Error('ENOSPC: no space left on device, write');
      await new KeptRevision(fleet.directory).keep(revision, durable);
    },
  });
  full = true;
  const told = await stage.ctl('agreement', 'disable', 'op-b', '--fleet');
  // Whoever takes a partner out hears where he is not.
  expect([told.code, JSON.parse(told.output).nodes]).toEqual([
    1,
    expect.arrayContaining([
      expect.objectContaining({ node: 'full', state: 'refused', problem: expect.stringContaining('ENOSPC') }),
    ]),
  ]);
  // He is out at once, in memory alone.
  const { number } = node;
  expect(node.enabled('op-b')).toBe(false);
  full = false;
  await expect.poll(() => node.number).toBe(number + 1);
  expect(node.enabled('op-b')).toBe(false);
  await stage.done('agreement', 'enable', 'op-b', '--fleet');
  await node.stop();
});

describe('what a network and a database do', () => {
  test('ok/a node that was cut off goes on, and catches up when it is back', async () => {
    const relay = await CuttableRelay.to(stage.cluster.port);
    const store = { hosts: [{ host: '127.0.0.1', port: relay.port }] };
    const [cut, other] = [await stage.node('cut', { store }), await stage.node('other')];
    relay.cut();
    await expect.poll(() => cut.connection.status.up).toBe(false);
    const pushed = await stage.ctl('agreement', 'disable', 'op-b', '--fleet', '--wait', '1');
    expect(pushed.code).toBe(1);
    expect(JSON.parse(pushed.output).nodes).toContainEqual(expect.objectContaining({ node: 'cut', state: 'behind' }));
    expect([other.enabled('op-b'), cut.enabled('op-b')]).toEqual([false, true]);
    relay.join();
    await expect.poll(() => cut.enabled('op-b'), { timeout: 15_000 }).toBe(false);
    await stage.done('agreement', 'enable', 'op-b', '--fleet');
    await cut.stop();
    await other.stop();
    relay.close();
  });

  test('fail/a file of a revision that somebody altered in the database is not taken, and its hash is named', async () => {
    const { revision } = await stage.done('policy', 'push', policy('altered', { privacy: 'rfc3325' }));
    const flip = 'UPDATE siptrust.policy_file SET content = set_byte(content, 0, get_byte(content, 0) # 1)';
    await stage.cluster.sql(flip);
    const fresh = await stage.node('fresh');
    expect([fresh.number, [...fresh.holder.snapshot.agreements]]).toEqual([0, []]);
    expect(fresh.follower.status.problem).toMatch(/expected content of SHA-256 [0-9a-f]{64}, found [0-9a-f]{64}/);
    await fresh.stop();
    await stage.cluster.sql(flip);
    const again = await stage.node('fresh');
    expect(again.number).toBe(revision);
    await again.stop();
  });

  test('ok/a notification that was lost is made up for by the poll', async () => {
    const deaf = await stage.node('deaf', { deaf: true });
    const { revision } = await stage.done('policy', 'push', policy('unheard'));
    await expect.poll(() => deaf.number, { timeout: 15_000 }).toBe(revision);
    await deaf.stop();
  });

  test('ok/clocks that are a minute apart decide nothing, and what scripts see only grows', async () => {
    // Those that were stopped a moment ago would be missed.
    await stage.cluster.sql('DELETE FROM siptrust.node');
    const nodes = [await stage.node('slow', { skew: -60_000 }), await stage.node('fast', { skew: 60_000 })];
    for (const text of ['disable', 'enable', 'disable', 'enable']) {
      const told = await stage.done('agreement', text, 'op-b', '--fleet', '--wait', '20');
      expect(told.complete).toBe(true);
    }
    for (const { shown } of nodes) {
      expect(shown.length).toBeGreaterThan(4);
      expect(shown).toEqual([...new Set(shown)].sort((a, b) => a - b));
    }
    // The fast one restarts with a clock that is right: the fleet's number does not go back.
    const [, fast] = nodes;
    const number = fast?.number;
    for (const node of nodes) await node.stop();
    const right = await stage.node('fast');
    expect(right.number).toBe(number);
    await right.stop();
  });

  test('ok/in a database that was restored nobody goes back, and the next push is above all', async () => {
    const node = await stage.node('ahead');
    // Where the machine is busy the store may be away for the first look.
    await expect.poll(() => node.number, { timeout: 15_000 }).toBeGreaterThan(0);
    const before = node.number;
    await stage.cluster.sql(`DELETE FROM siptrust.policy_revision WHERE number > ${before - 2}`);
    await stage.cluster.sql("NOTIFY siptrust_policy, 'x'");
    const said = `revision ${before} is in force here, and the newest of the store is ${before - 2}: it was restored`;
    await expect.poll(() => node.follower.status.problem, { timeout: 15_000 }).toContain(said);
    expect(node.number).toBe(before);
    await node.stop();
    const again = await stage.node('ahead');
    expect(again.number).toBe(before);
    // What was pushed since then may have taken somebody out: nobody lets him in again unawares.
    const restored = policy('restored', { privacy: 'rfc3325' });
    for (const words of [
      ['policy', 'push', restored],
      ['agreement', 'disable', 'op-b', '--fleet'],
      ['policy', 'rollback', String(before - 2)],
    ]) {
      const refused = await stage.ctl(...words);
      expect([refused.code, refused.error]).toEqual([
        1,
        expect.stringMatching(
          `^nothing was pushed: revision ${before} is in force on a node, and the newest of the store is ${before - 2}: it was restored\\. .*policy push FILE --base ${before - 2}$`,
        ),
      ]);
    }
    const waited = await stage.ctl('fleet', 'wait', '0');
    expect([waited.code, JSON.parse(waited.output)]).toEqual([
      1,
      expect.arrayContaining([
        expect.objectContaining({ node: 'ahead', state: 'refused', problem: expect.stringContaining(said) }),
      ]),
    ]);
    const pushed = await stage.done('policy', 'push', restored, '--base', String(before - 2));
    expect([pushed.revision, pushed.base]).toEqual([before + 1, before - 2]);
    await expect.poll(() => again.number, { timeout: 15_000 }).toBe(before + 1);
    // The same number with another content: neither is taken for the other.
    const edited = (from: string, to: string) =>
      `UPDATE siptrust.policy_revision SET content = convert_to(replace(convert_from(content, 'UTF8'), '${from}', '${to}'),
       'UTF8') WHERE number = ${before + 1}`;
    await stage.cluster.sql(edited('"withdrawn":[]', '"withdrawn":["op-b"]'));
    await stage.cluster.sql("NOTIFY siptrust_policy, 'x'");
    await expect
      .poll(() => again.follower.status.problem, { timeout: 15_000 })
      .toContain(`revision ${before + 1} of the store is another one than that in force here`);
    expect(again.enabled('op-b')).toBe(true);
    await stage.cluster.sql(edited('"withdrawn":["op-b"]', '"withdrawn":[]'));
    await again.stop();
  });
});

describe('signatures', () => {
  test('ok/a node with policy_keys takes what is signed, and nothing that the owner of the database makes of it', async () => {
    const key = stage.file('keys', 'noc');
    const { public: outside } = await stage.done('policy', 'key', 'new', key).catch(async () => {
      // It asks no store: --config is none of its options.
      const { siptrustctl } = await import('../support/command-line.js');
      return JSON.parse((await siptrustctl(['--json', 'policy', 'key', 'new', key])).output) as { public: string };
    });
    const node = await stage.node('careful', { daemon: { policy_keys: [outside], fleet: { name: 'borders' } } });
    const unsigned = /expected a signature by the key of daemon\.policy_keys, found none/;
    await expect.poll(() => node.follower.status.problem, { timeout: 15_000 }).toMatch(unsigned);
    expect(node.number).toBe(0);
    // An operator whose own file has the keys is told before anything is stored.
    stage.config('operator', { policy_keys: [outside], fleet: { name: 'borders' }, store_timeout: 20_000 });
    expect((await stage.ctl('policy', 'push', policy('unsigned'))).error).toContain('the nodes would not take it');
    const { revision } = await stage.done('policy', 'push', policy('signed'), '--key', key, '--wait', '20');
    expect(node.number).toBe(revision);
    await stage.done('agreement', 'disable', 'op-b', '--fleet', '--key', key, '--wait', '20');
    const disabled = node.number;
    const forge = async (make: (head: Revision, old: Revision) => Revision) => {
      const head = (await node.database.head())?.revision as Revision;
      const old = (await node.database.revision(Number(revision)))?.revision as Revision;
      const forged = make(head, old);
      await node.database.push(forged);
      const why = new RegExp(`^revision ${forged.number}: expected a signature`);
      await expect.poll(() => node.follower.status.problem, { timeout: 15_000 }).toMatch(why);
      expect([node.number, node.enabled('op-b')]).toEqual([disabled, false]);
    };
    const next = (head: Revision) => ({ number: head.number + 1, base: head.number });
    // What was signed when the partner was let in, shown again under a new number.
    await forge((head, old) => ({ ...old, ...next(head) }));
    // The last one, with the partner let in.
    await forge((head) => ({ ...head, ...next(head), withdrawn: [] }));
    const stranger = generateKeyPairSync('ed25519').privateKey;
    await forge(({ signature: _, ...head }) =>
      signed('borders', { ...head, ...next(head), withdrawn: [] }, stranger, 0),
    );
    const own = (await import('../../src/ctl/fleet/policy-key-file.js')).readPolicyKey(key);
    await forge(({ signature: _, ...head }) => signed('laboratory', { ...head, ...next(head), withdrawn: [] }, own, 0));
    await forge(({ signature: _, ...head }) => ({ ...head, ...next(head), withdrawn: [] }));
    const enabled = await stage.done('agreement', 'disable', 'op-x', '--fleet', '--force', '--key', key);
    await expect.poll(() => node.number, { timeout: 15_000 }).toBe(enabled.revision);
    expect(contentHash(node.source.inForce as Revision)).toMatch(/^[0-9a-f]{64}$/);
    await node.stop();
    // Another revision on the disk than the one that was signed is none.
    const file = join(stage.directory, 'careful/kept/revision.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"op-x"', '"op-y"'));
    const daemon = { policy_keys: [outside], fleet: { name: 'borders' } };
    const again = await stage.node('careful', { daemon, store: { hosts: [{ host: '127.0.0.1', port: 1 }] } });
    expect([again.number, [...again.holder.snapshot.agreements]]).toEqual([0, []]);
    await again.stop();
    stage.config('operator', { store_timeout: 20_000 });
    rmSync(key);
  });
});
