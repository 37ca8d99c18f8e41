import { describe, expect, test } from 'vitest';
import type { LoadedPolicy } from '../../../../src/policy/loading/loader.js';
import type { Revision } from '../../../../src/policy/revision/revision.js';
import { FleetPolicy } from '../../../../src/state/fleet/fleet-policy.js';
import { compile, compiled, tls } from '../../policy/fixtures.js';

const { snapshot, settings } = compiled(compile(tls()));

function revision(number: number): Revision {
  const hash = String(number).padStart(64, '0');
  const said = { author: 'ann', comment: '', withdrawn: [] };
  return { number, base: number - 1, main: 'p.yaml', tree: hash, names: hash, ...said };
}

/** A node that keeps revision 6; `bad` are the revisions with a mistake in them, `own` what its own file says. */
async function stage() {
  const bad = new Set<number>();
  const own = { node: 'one', full: false };
  let kept = revision(6);
  const policy = new FleetPolicy(
    async (_, __, wanted = kept): Promise<LoadedPolicy> =>
      bad.has(wanted.number)
        ? { ok: false, problems: [`revision ${wanted.number} has a mistake`] }
        : {
            ...{ ok: true, snapshot, warnings: [] },
            settings: { ...settings, node: own.node },
            fleet: { revision: wanted, refused: [] },
          },
    async (_, wanted) => {
      if (own.full) throw new Error('the disk is full');
      kept = wanted;
    },
  );
  await policy.load(1, 0);
  return { policy, bad, own };
}

describe('a revision that does not do', () => {
  test('fail/with a mistake does not keep the own file of the node out of force, and is told', async () => {
    const { policy, bad, own } = await stage();
    bad.add(7);
    policy.want(revision(7));
    expect(await policy.load(2, 0)).toEqual({ ok: false, problems: ['revision 7 has a mistake'] });
    own.node = 'two';
    const again = await policy.load(3, 0);
    expect(again).toMatchObject({ ok: true, settings: { node: 'two' }, warnings: ['revision 7 has a mistake'] });
    expect(policy.inForce?.number).toBe(6);
    expect(policy.unfit).toEqual(['revision 7 has a mistake']);
  });

  test('ok/for which there was no room on the disk is in force once there is', async () => {
    const { policy, own } = await stage();
    own.full = true;
    policy.want(revision(7));
    expect(await policy.load(2, 0)).toMatchObject({ ok: false });
    expect(await policy.load(3, 0)).toMatchObject({ ok: true, warnings: [expect.stringContaining('disk is full')] });
    expect([policy.inForce?.number, policy.unkept]).toEqual([6, true]);
    own.full = false;
    expect(await policy.load(4, 0)).toMatchObject({ ok: true, warnings: [] });
    expect([policy.inForce?.number, policy.unfit, policy.unkept]).toEqual([7, [], false]);
  });

  test('ok/with a mistake takes out all the same whom it disables, until one is in force that does not', async () => {
    const { policy, bad, own } = await stage();
    const [name = ''] = Array.from(snapshot.agreements, (each) => each.name);
    const enabled = async (load: Promise<LoadedPolicy>) => {
      const loaded = await load;
      return loaded.ok ? Array.from(loaded.snapshot.agreements, (each) => each.enabled)[0] : 'not loaded';
    };
    bad.add(7).add(8);
    policy.want({ ...revision(7), withdrawn: [name] });
    expect(await enabled(policy.load(2, 0))).toBe(false);
    expect([policy.inForce?.number, policy.unfit, policy.withdrawn]).toEqual([6, ['revision 7 has a mistake'], [name]]);
    // Tried again, or with another file of its own, it stays so.
    expect(await enabled(policy.load(3, 0))).toBe(false);
    policy.want({ ...revision(7), withdrawn: [name] });
    expect(await policy.load(4, 0)).toMatchObject({ ok: false });
    policy.want({ ...revision(8), withdrawn: [] });
    expect(await enabled(policy.load(5, 0))).toBe(true);
    own.full = true;
    policy.want({ ...revision(9), withdrawn: [name] });
    expect(await enabled(policy.load(6, 0))).toBe(false);
    own.full = false;
    policy.want(revision(10));
    expect([await enabled(policy.load(7, 0)), policy.inForce?.number, policy.withdrawn]).toEqual([true, 10, []]);
  });

  test('ok/that is wanted no more is not tried again', async () => {
    const { policy, bad } = await stage();
    bad.add(7);
    policy.want(revision(7));
    await policy.load(2, 0);
    bad.clear();
    policy.want(undefined);
    expect(await policy.load(3, 0)).toMatchObject({ ok: true });
    expect(policy.inForce?.number).toBe(6);
  });
});
