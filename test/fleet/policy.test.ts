import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FleetStage } from '../support/fleet.js';
import { eventually } from '../support/live/places.js';
import { CA_PEM, CRL_PEM } from '../unit/policy/fixtures.js';

let stage: FleetStage;
beforeAll(async () => {
  stage = await FleetStage.start();
});
afterAll(async () => {
  await stage?.stop();
});

const FILES = { 'ca/b.pem': CA_PEM, 'b.crl': CRL_PEM };
/** A race that is lost once is one too many, whatever the machine does (vitest.fleet.config.ts). */
const NO_SECOND_TRY = { retry: 0 };
const AGREEMENT = { mechanism: 'tls', anchors: ['ca/b.pem'] };

/** A policy of two partners, one of them in a file of its own. */
function policy(name: string, changes: object = {}) {
  const more = `agreements:\n  - {name: op-c, domains: [c.example], mechanism: tls, anchors: [../ca/b.pem]}\n`;
  const main = {
    ...{ own_domains: ['a.example'], include: 'partners/*.yaml', daemon: { listen: { http: 'off' } } },
    agreements: [{ name: 'op-b', domains: ['b.example'], ...AGREEMENT, crls: ['b.crl'], ...changes }],
  };
  return stage.policy(name, main, { ...FILES, 'partners/c.yaml': more });
}

describe('a policy of the fleet', () => {
  test('ok/nobody is trusted before the first push; then each node loads it without the disk of who pushed', async () => {
    const early = await stage.node('early');
    expect([...early.holder.snapshot.agreements]).toEqual([]);
    const file = policy('first');
    const pushed = await stage.done('policy', 'push', file, '-m', 'the first', '--wait', '20');
    expect(pushed).toMatchObject({ revision: 1, base: 0, agreements: 2, files: 4, disabled: [], complete: true });
    expect(pushed.warnings).toContainEqual(expect.stringContaining('daemon: has no effect in a policy of the fleet'));
    expect(pushed.nodes).toEqual([{ node: 'early', revision: 1, state: 'there', problem: '' }]);
    rmSync(join(stage.directory, 'first'), { recursive: true });
    const late = await stage.node('late');
    for (const node of [early, late]) {
      expect(node.number).toBe(1);
      expect([...node.holder.snapshot.agreements].map(({ name }) => name)).toEqual(['op-b', 'op-c']);
      expect(node.holder.snapshot.agreements.at(0)?.anchors.client).toHaveLength(1);
      expect(node.holder.snapshot.agreements.at(0)?.crls).toHaveLength(1);
      // What is in the node's own file beside daemon: would have no effect, and what the fleet says of daemon: has none.
      expect(node.holder.settings.listen.http).toBeDefined();
    }
    const [row] = (await stage.done('policy', 'list')) as unknown as object[];
    expect(row).toMatchObject({ revision: 1, base: 0, comment: 'the first', disabled: [], signed_by: '' });
  });

  test('fail/a policy with a mistake is not pushed, and the mistake has its place', async () => {
    const outcome = await stage.ctl('policy', 'push', policy('bad', { privacy: 'none' }));
    expect(outcome.code).toBe(2);
    expect(outcome.error).toMatch(/\/bad\/policy\.yaml:\d+:\d+: error: agreements\[0\]\.privacy: expected/);
    const including = policy('including');
    const bad =
      '# a line\nagreements:\n  - {name: op-c, domains: [c.example], mechanism: tls, anchors: [../ca/none.pem]}\n';
    writeFileSync(join(stage.directory, 'including/partners/c.yaml'), bad);
    expect((await stage.ctl('policy', 'push', including)).error).toMatch(
      /\/including\/partners\/c\.yaml:3:\d+: error: agreements\[\d\]\.anchors/,
    );
    expect((await stage.done('policy', 'list')).length).toBe(1);
  });

  test.each([
    [
      'a comment of 10,001 characters',
      ['policy', 'push', '-m', 'x'.repeat(10_001)],
      /^-m: expected at most 10000 characters, found 10001$/,
    ],
    [
      'an author of 501',
      ['policy', 'push', '--author', 'x'.repeat(501)],
      /^--author: expected at most 500 characters, found 501$/,
    ],
    [
      'an agreement without a name',
      ['agreement', 'disable', '', '--fleet', '--force'],
      /^nothing was pushed: .*withdrawn\.0/,
    ],
  ])('fail/what nobody could read again is not stored: %s', async (_, [group = '', command = '', ...more], why) => {
    const file = command === 'push' ? [policy('unreadable')] : [];
    const outcome = await stage.ctl(group, command, ...file, ...more);
    expect([outcome.code, outcome.error]).toEqual([2, expect.stringMatching(why)]);
    expect(await stage.done('policy', 'list')).toHaveLength(1);
  });

  test('fail/a revision that nobody can read, whoever wrote it, is named by its number, with what to do', async () => {
    await stage.cluster.sql(`INSERT INTO siptrust.policy_revision (number, base, content, sha256, author)
      VALUES (2, 1, '{}', repeat('a', 64), 'owner')`);
    for (const words of [
      ['policy', 'list'],
      ['agreement', 'disable', 'op-b', '--fleet'],
    ]) {
      expect((await stage.ctl(...words)).error).toMatch(
        /^store \S+: revision 2: expected a policy revision, found .*; next: delete that row as the owner of the database$/,
      );
    }
    await stage.cluster.sql('DELETE FROM siptrust.policy_revision WHERE number = 2');
  });

  test('ok/disable takes a partner out on all nodes, a push keeps him out, enable lets him in', async () => {
    const node = await stage.node('withdrawing');
    expect(await stage.done('agreement', 'disable', 'op-b', '--fleet', '--wait')).toMatchObject({ disabled: ['op-b'] });
    expect([node.enabled('op-b'), node.enabled('op-c')]).toEqual([false, true]);
    expect(node.holder.snapshot.byDomain.get('b.example')?.enabled).toBe(false);
    const pushed = await stage.done('policy', 'push', policy('second', { privacy: 'rfc3325' }), '--wait');
    expect(pushed).toMatchObject({ disabled: ['op-b'], complete: true });
    expect(node.enabled('op-b')).toBe(false);
    // By another name he would be in again.
    const renamed = await stage.done('policy', 'push', policy('renamed', { name: 'op-bb' }), '--wait');
    expect(renamed.warnings).toContainEqual(expect.stringMatching(/^disabled: op-b: no agreement here is named so/));
    const rolled = await stage.done('policy', 'rollback', String(pushed.revision), '--wait');
    expect(rolled.warnings).toEqual([]);
    await stage.done('agreement', 'enable', 'op-b', '--fleet', '--wait');
    expect([node.enabled('op-b'), node.holder.snapshot.agreements.at(0)?.privacy]).toEqual([true, 'rfc3325']);
  });

  test.each([
    ['policy', 'push', 'none.yaml', '--base', 'x'],
    ['agreement', 'disable', 'op-b', '--fleet', '--wait', 'x'],
    // Of a file that comes after --wait the same is said: it was taken for the seconds.
    ['policy', 'push', '--wait', 'x'],
    ['policy', 'list', '--limit', 'x'],
  ])('fail/%s %s: what is no number is named with its option', async (...words) => {
    const { error } = await stage.ctl(...words);
    expect(error).toMatch(new RegExp(`^${words.at(-2)}: expected .*, found "x"$`));
  });

  test.each([
    [
      'a name that no agreement has',
      ['op-x', '--fleet'],
      /no agreement of revision \d+ is named "op-x" \(--force disables the name all the same\)/,
    ],
    ['no --fleet', ['op-b'], /expected --fleet/],
  ])('fail/disable with %s', async (_, args, why) => {
    expect((await stage.ctl('agreement', 'disable', ...args)).error).toMatch(why);
  });

  test('ok/rollback is a new revision with the old content; what is disabled stays disabled', async () => {
    const node = await stage.node('rolling');
    await stage.done('agreement', 'disable', 'op-c', '--fleet');
    const before = node.number;
    const rolled = await stage.done('policy', 'rollback', '1', '--wait');
    expect(rolled).toMatchObject({ content_of: 1, disabled: ['op-c'], complete: true });
    expect(rolled.revision).toBeGreaterThan(before);
    expect(node.holder.snapshot.agreements.at(0)?.privacy).toBe('strict33203');
    await stage.done('agreement', 'enable', 'op-c', '--fleet', '--wait');
  });

  test('ok/diff tells two revisions apart, or a revision and a file', async () => {
    const [{ revision = 0 } = {}] = (await stage.done('policy', 'list')) as unknown as { revision: number }[];
    const next = policy('third', { privacy: 'ims24229' });
    const { revision: pushed } = await stage.done('policy', 'push', next);
    const expected = {
      subject: 'agreement op-b',
      change: 'changed',
      key: 'privacy',
      before: 'strict33203',
      after: 'ims24229',
    };
    for (const after of [String(pushed), next]) {
      const outcome = await stage.ctl('policy', 'diff', String(revision), after);
      expect(JSON.parse(outcome.output)).toEqual([expected]);
      expect(outcome.code).toBe(1);
    }
  });

  test('ok/show writes the files of a revision out, and they can be pushed again', async () => {
    const out = join(stage.directory, 'shown');
    expect(await stage.done('policy', 'show', '1', '--out', out)).toMatchObject({ revision: 1, main: 'policy.yaml' });
    expect(readFileSync(join(out, 'ca/b.pem'), 'utf8')).toBe(CA_PEM);
    await stage.done('policy', 'push', join(out, 'policy.yaml'));
    const [row] = (await stage.done('policy', 'list')) as unknown as { revision: number }[];
    expect((await stage.ctl('policy', 'diff', '1', String(row?.revision))).output.trim()).toBe('[]');
  });

  test('fail/who says that his files were made on a revision that is not the newest any more is told who was first', async () => {
    const base = await stage.ctl('policy', 'push', policy('based'), '--base', '1');
    expect(base.error).toMatch(
      /came first: yours was made on revision 1, and nothing was pushed\. See .*policy diff 1 \d+/,
    );
    expect(base.code).toBe(1);
  });

  test(
    'ok/the newest revision is read before the files: who pushes while they are read comes first, and that is told',
    NO_SECOND_TRY,
    async () => {
      const file = policy('reading', { privacy: 'none' });
      const waits = "pg_stat_activity WHERE application_name = 'siptrustctl' AND wait_event_type = 'Lock'";
      await stage.cluster.sql('CREATE SEQUENCE mended');
      const held = stage.cluster.sql(`BEGIN; LOCK TABLE siptrust.policy_revision IN ACCESS EXCLUSIVE MODE;
      DO $$ BEGIN FOR turn IN 1..1200 LOOP
        EXIT WHEN (SELECT is_called FROM mended);
        PERFORM pg_sleep(0.05);
      END LOOP; END $$; COMMIT`);
      const pushed = stage.ctl('policy', 'push', file);
      await expect.poll(() => stage.cluster.sql(`SELECT pid FROM ${waits}`)).toHaveLength(1);
      policy('reading');
      await stage.cluster.sql("SELECT nextval('mended')");
      await held;
      expect(await pushed).toMatchObject({ code: 0, error: '' });
      await stage.cluster.sql('DROP SEQUENCE mended');
      const [, before] = (await stage.done('policy', 'list')) as unknown as { author: string; at: string }[];
      expect(JSON.parse((await pushed).output)).toMatchObject({ base_by: before?.author, base_at: before?.at });
    },
  );

  test(
    'fail/of two who have both read the newest revision and write at one moment, one wins',
    NO_SECOND_TRY,
    async () => {
      const [before] = (await stage.done('policy', 'list')) as unknown as { revision: number }[];
      const files = ['clara', 'david'].map((who) => [who, policy(who)] as const);
      // Both may read and neither may write, until both wait for it: that is seen where the locks are.
      const held = stage.cluster.sql(`BEGIN; LOCK TABLE siptrust.policy_revision IN SHARE ROW EXCLUSIVE MODE;
      DO $$ BEGIN FOR turn IN 1..600 LOOP
        EXIT WHEN (SELECT count(*) FROM pg_locks
                   WHERE NOT granted AND relation = 'siptrust.policy_revision'::regclass) = 2;
        PERFORM pg_sleep(0.05);
        IF turn = 600 THEN RAISE 'expected two pushes that wait'; END IF;
      END LOOP; END $$; COMMIT`);
      const pushes = await Promise.all(
        files.map(([who, file]) => stage.ctl('policy', 'push', file, '--author', who, '-m', `by ${who}`)),
      );
      await held;
      expect(pushes.map(({ code }) => code).sort()).toEqual([0, 1]);
      const [winner = '', loser] = pushes[0]?.code === 0 ? ['clara', pushes[1]] : ['david', pushes[0]];
      const number = Number(before?.revision) + 1;
      expect(loser?.error).toMatch(
        new RegExp(`^revision ${number} by ${winner} at 20[^ ]+Z .* came first: yours was made on`),
      );
      expect(loser?.error).toContain(`yours was made on revision ${number - 1}, and nothing was pushed`);
      const rows = (await stage.done('policy', 'list')) as unknown as { revision: number; author: string }[];
      expect(rows.slice(0, 2).map(({ revision }) => revision)).toEqual([number, number - 1]);
      expect(rows[0]?.author).toBe(winner);
    },
  );

  test('fail/a node that does not take a revision says why; the others take it', async () => {
    const strange = await stage.node('strange', { keep: () => Promise.reject(new Error('ENOSPC: no space left')) });
    const before = strange.number;
    const pushed = await stage.ctl('policy', 'push', policy('fourth'), '--wait', '20');
    expect(pushed.code).toBe(1);
    const { nodes, revision } = JSON.parse(pushed.output) as {
      nodes: { node: string; state: string; problem: string }[];
      revision: number;
    };
    expect(nodes.find(({ node }) => node === 'strange')).toMatchObject({
      state: 'refused',
      problem: `revision ${revision} cannot be kept on this node's disk: ENOSPC: no space left`,
    });
    expect(nodes.filter(({ state }) => state === 'there').length).toBe(nodes.length - 1);
    expect(strange.number).toBe(before);
    expect(strange.follower.status.lag).toBeGreaterThan(0);
    const watching = await stage.node('watching');
    expect(watching.follower.status.lag).toBe(0);
    await expect.poll(() => watching.follower.status.nodes).toMatchObject({ problem: 1, behind: 0 });
    await strange.stop();
    await stage.done('fleet', 'forget', 'strange');
  });

  test('ok/--require-all pushes nothing while a known node is away', async () => {
    const gone = await stage.node('gone');
    await gone.stop();
    await stage.cluster.sql(`UPDATE siptrust.node SET seen_at = now() - interval '1 hour' WHERE name = 'gone'`);
    const outcome = await stage.ctl('policy', 'push', policy('fifth'), '--require-all');
    expect(outcome.error).toMatch(
      /^nothing was pushed: not all nodes are there .*\ngone: silent, revision \d+ not heard of for 36\d\d s$/s,
    );
    expect((await stage.done('fleet', 'forget', 'gone')).forgotten).toBe('gone');
    expect(await stage.done('policy', 'push', policy('fifth'), '--require-all')).toMatchObject({ complete: true });
  });

  test('fail/a wait that is stopped ends at once with 130, and says who is there', async () => {
    await (await stage.node('leaving')).stop();
    const { revision } = await stage.done('policy', 'push', policy('sixth'));
    const before = process.listenerCount('SIGINT');
    const outcome = stage.ctl('fleet', 'wait', '600', '--require-all');
    await eventually('it waits', () => process.listenerCount('SIGINT') > before);
    process.emit('SIGINT');
    expect(await outcome).toMatchObject({
      code: 130,
      error: expect.stringMatching(`^stopped by SIGINT: revision ${revision} is the newest, in force on .*leaving`),
    });
    expect((await stage.done('fleet', 'forget', 'leaving')).forgotten).toBe('leaving');
  });

  test('ok/a start while the store is away serves what was kept, also what was disabled', async () => {
    await stage.done('agreement', 'disable', 'op-c', '--fleet');
    const node = await stage.node('restarted');
    const { number } = node;
    await node.stop();
    const away = { hosts: [{ host: '127.0.0.1', port: 1 }] };
    const again = await stage.node('restarted', { store: away });
    expect([again.number, again.enabled('op-b'), again.enabled('op-c')]).toEqual([number, true, false]);
    expect(again.connection.status.up).toBe(false);
    await again.stop();
    // A disk that says something else than it was told.
    writeFileSync(join(stage.directory, 'restarted/kept/revision.json'), '{}');
    const broken = await stage.node('restarted', { store: away });
    expect(broken.number).toBe(0);
    expect([...broken.holder.snapshot.agreements]).toEqual([]);
    expect(broken.holder.status().warnings).toContainEqual(expect.stringContaining('expected a policy revision'));
    await broken.stop();
    expect((await stage.node('restarted')).number).toBe(number);
  });
});
