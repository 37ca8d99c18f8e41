/** Keys by which nodes take revisions, changed while nodes run. */

import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { siptrustctl } from '../support/command-line.js';
import { FleetStage } from '../support/fleet.js';
import { CA_PEM } from '../unit/policy/fixtures.js';

let stage: FleetStage;
beforeAll(async () => {
  stage = await FleetStage.start();
});
afterAll(async () => {
  await stage?.stop();
});

async function key(name: string): Promise<{ readonly secret: string; readonly pub: string }> {
  const secret = stage.file('keys', name);
  const { output } = await siptrustctl(['--json', 'policy', 'key', 'new', secret]);
  return { secret, pub: (JSON.parse(output) as { public: string }).public };
}

function policy(name: string): string {
  const agreement = { name: 'op-b', domains: ['b.example'], mechanism: 'tls', anchors: ['b.pem'] };
  const main = { own_domains: ['a.example', `${name}.example`], agreements: [agreement] };
  return stage.policy(name, main, { 'b.pem': CA_PEM });
}

test('ok/a key is changed by adding one, pushing with it, and taking the other away; what that one signs is refused then', async () => {
  const [old, next] = [await key('old'), await key('next')];
  const node = await stage.node('border-1', { daemon: { policy_keys: [old.pub] } });
  const keys = async (...files: readonly string[]) => {
    stage.config('border-1', { policy_keys: files });
    return node.holder.reload(Date.now);
  };
  await stage.done('policy', 'push', policy('first'), '--key', old.secret, '--wait', '20');
  expect(node.number).toBe(1);

  // The revision in force would be no good: the old key stays, and that is said.
  expect(await keys(next.pub)).toMatchObject({
    ok: false,
    problems: [expect.stringMatching(/^revision 1: expected a signature by the key of daemon\.policy_keys/)],
  });
  await stage.done('agreement', 'disable', 'op-b', '--fleet', '--key', old.secret, '--wait', '20');
  expect([node.number, node.enabled('op-b')]).toEqual([2, false]);

  expect(await keys(old.pub, next.pub)).toMatchObject({ ok: true });
  await stage.done('policy', 'push', policy('second'), '--key', next.secret, '--wait', '20');
  expect(await keys(next.pub)).toMatchObject({ ok: true });
  expect(node.number).toBe(3);

  const stolen = await stage.ctl('agreement', 'enable', 'op-b', '--fleet', '--key', old.secret, '--wait', '20');
  expect(stolen.code).toBe(1);
  expect(JSON.parse(stolen.output).nodes).toMatchObject([
    {
      node: 'border-1',
      state: 'refused',
      problem: expect.stringContaining('expected a signature by the key of daemon.policy_keys'),
    },
  ]);
  expect([node.number, node.enabled('op-b')]).toEqual([3, false]);
  await node.stop();

  // A start finds the last good one, and not what the stolen key signed.
  const again = await stage.node('border-1', { daemon: { policy_keys: [next.pub] } });
  expect([again.number, again.enabled('op-b')]).toEqual([3, false]);
  await again.stop();
});

test('ok/what a node refused as it did not know the key is taken once it does', async () => {
  await stage.cluster.sql('DELETE FROM siptrust.node');
  const [noc, other] = [await key('noc'), await key('other')];
  const node = await stage.node('border-3', { daemon: { policy_keys: [noc.pub] } });
  const refused = await stage.ctl('policy', 'push', policy('other'), '--key', other.secret, '--wait', '20');
  expect(JSON.parse(refused.output).nodes).toMatchObject([{ state: 'refused' }]);
  const { number } = node;
  stage.config('border-3', { policy_keys: [noc.pub, other.pub] });
  expect(await node.holder.reload(Date.now)).toMatchObject({ ok: true });
  await expect.poll(() => node.number).toBeGreaterThan(number);
  expect(node.follower.status.problem).toBe('');
  await node.stop();
});

test('fail/a content that stands in the store under the hash of another, before that is pushed, is refused to whoever pushes; one that comes after is on no node', async () => {
  await stage.cluster.sql('DELETE FROM siptrust.node');
  const { secret, pub } = await key('foreign');
  const node = await stage.node('border-2', { daemon: { policy_keys: [pub] } });
  const push = (name: string) => stage.ctl('policy', 'push', policy(name), '--key', secret, '--wait', '20');
  expect(await push('good')).toMatchObject({ code: 0 });
  const { number } = node;
  const path = policy('foreign');
  const sha256 = hash('sha256', readFileSync(path));
  // What whoever owns the database would have in force: nobody has signed it.
  const content = Buffer.from(readFileSync(path, 'utf8').replace('b.example', 'x.example')).toString('hex');
  await stage.cluster.sql(`INSERT INTO siptrust.policy_file (sha256, octets, content)
    VALUES ('${sha256}', ${content.length / 2}, decode('${content}', 'hex'))`);
  const refused = await push('foreign');
  expect([refused.code, refused.error]).toEqual([
    2,
    expect.stringContaining(`policy_file ${sha256}: expected the content of this SHA-256`),
  ]);
  // Where it takes the place of the right one after the push, each node finds out by itself.
  await stage.cluster.sql(`DELETE FROM siptrust.policy_file WHERE sha256 = '${sha256}'`);
  await stage.cluster.sql(`CREATE FUNCTION foreign_content() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN NEW.content = decode(''${content}'', ''hex''); NEW.octets = length(NEW.content); RETURN NEW; END';
    CREATE TRIGGER foreign_content BEFORE INSERT ON siptrust.policy_file FOR EACH ROW
    WHEN (NEW.sha256 = '${sha256}') EXECUTE FUNCTION foreign_content()`);
  const pushed = await push('foreign');
  await stage.cluster.sql('DROP FUNCTION foreign_content CASCADE');
  expect(pushed.code).toBe(1);
  expect(JSON.parse(pushed.output).nodes).toContainEqual(
    expect.objectContaining({ node: 'border-2', revision: number, problem: expect.stringContaining(sha256) }),
  );
  expect(node.number).toBe(number);
  expect(node.holder.snapshot.agreements.at(0)?.domains).toEqual(['b.example']);
  await node.stop();
  const again = await stage.node('border-2', { daemon: { policy_keys: [pub] } });
  expect(again.number).toBe(number);
  expect(again.holder.snapshot.agreements.at(0)?.domains).toEqual(['b.example']);
  await stage.cluster.sql(`DELETE FROM siptrust.policy_file WHERE sha256 = '${sha256}'`);
  expect(await push('foreign')).toMatchObject({ code: 0 });
  expect(again.number).toBeGreaterThan(number);
  await again.stop();
});
