import { describe, expect, test, vi } from 'vitest';
import { assembleInSteps, type SnapshotParts } from '../../../../src/policy/snapshot/assemble.js';
import type { Agreement } from '../../../../src/trust/agreement/agreement.js';
import { NameTable } from '../../../../src/trust/agreement/name-table.js';
import type { Snapshot } from '../../../../src/trust/agreement/snapshot.js';
import { entryAt } from '../../../../src/typed.js';
import { atOnce } from '../../../../src/x509/der/in-steps.js';
import { root } from '../../../support/certificates.js';
import { type Random, seeded } from '../../../support/random.js';
import { agreementWith, emptySnapshot } from '../../../support/snapshot.js';

const AUTHORITIES = Array.from({ length: 6 }, (_, at) => root({ subject: `CN=CA ${at % 4}` }).facts);

function partsOf(agreements: readonly Agreement[]): SnapshotParts {
  const { byName, byDomain, byWildcard, byTarget, byServerName, authorities, sources, ...rest } = emptySnapshot;
  return { ...rest, ownDomains: new Set(), ocsp: { ...rest.ocsp }, agreements, sources: new Map() };
}

function assembled(agreements: readonly Agreement[], before?: Snapshot): Snapshot {
  return atOnce(assembleInSteps(partsOf([...agreements]), before));
}

/** All that the tables of a snapshot answer, in an order of its own. */
function told({ byName, byDomain, byWildcard, byTarget, byServerName, authorities }: Snapshot) {
  const entries = [byName, byDomain, byWildcard, byTarget, byServerName].map((table) =>
    [...table].map(([name, agreement]) => [name, agreement] as const).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  return [entries, AUTHORITIES.map(({ subjectKeys }) => authorities.named(subjectKeys.text))];
}

let made = 0;

function anyAgreement(random: Random, name: string): Agreement {
  const list = () => AUTHORITIES.filter(() => random.chance(0.2));
  return agreementWith({
    name,
    domains: [`${name}.example`, ...(random.chance(0.5) ? [`more.${name}.example`] : [])],
    wildcardNames: random.chance(0.3) ? [`pstn.${name}.example`] : [],
    targets: random.chance(0.3) ? [{ address: `192.0.2.${++made % 256}`, port: made }] : [],
    serverNames: random.chance(0.3) ? [`shared-${random.below(4)}.example`] : [],
    anchors: { client: list(), server: list() },
    intermediates: list(),
  });
}

/** Agreements replaced, taken out, put in; at times the order of all, at times most of them. */
function changed(agreements: readonly Agreement[], random: Random): readonly Agreement[] {
  const rate = random.pick([0.02, 0.1, 0.6]);
  const next = agreements.flatMap((agreement) => {
    if (!random.chance(rate)) return [agreement];
    const others = random.chance(0.3) ? [anyAgreement(random, `op-${++made}`)] : [];
    // Nothing but its terms is another: it still names the same.
    if (random.chance(0.4)) return [{ ...agreement, enabled: !agreement.enabled }];
    return random.chance(0.5) ? [...others, anyAgreement(random, agreement.name)] : others;
  });
  return random.chance(0.2) ? random.shuffle(next) : next;
}

describe('the tables of a policy', () => {
  test('ok/made of those of the policy before they answer as if they were made anew', () => {
    const random = seeded(11);
    let agreements: readonly Agreement[] = Array.from({ length: 60 }, (_, at) => anyAgreement(random, `first-${at}`));
    let snapshot = assembled(agreements);
    for (let round = 0; round < 300; round++) {
      if (agreements.length < 20) agreements = Array.from({ length: 60 }, () => anyAgreement(random, `op-${++made}`));
      agreements = changed(agreements, random);
      const before = told(snapshot);
      const next = assembled(agreements, snapshot);
      expect(told(next)).toEqual(told(assembled(agreements)));
      // The policy before is in force meanwhile.
      expect(told(snapshot)).toEqual(before);
      snapshot = next;
    }
  });

  test('ok/where one agreement of 5,000 has changed, all pieces of the tables but its own stay as they are', () => {
    const agreement = (at: number, more: Partial<Agreement> = {}) =>
      agreementWith({ name: `op-${at}`, domains: [`d${at}.example`], ...more });
    const agreements = Array.from({ length: 5000 }, (_, at) => agreement(at));
    const before = assembled(agreements);
    const after = assembled(agreements.toSpliced(2500, 1, agreement(2500, { enabled: false })), before);
    for (const key of ['byName', 'byDomain', 'byTarget'] as const) {
      const [old, now] = [before[key] as NameTable<Agreement>, after[key] as NameTable<Agreement>];
      const { shared, of } = now.sharedWith(old);
      expect(of - shared, key).toBe(key === 'byTarget' ? 0 : 1);
    }
    expect(after.byName.get('op-2500')?.enabled).toBe(false);
    expect(before.byName.get('op-2500')?.enabled).toBe(true);
    expect(() => (after.byName as NameTable<Agreement>).delete('op-1')).toThrow('part of a snapshot');
  });

  test.each([1, 5000])(
    'ok/where %i of 5,000 have changed no map is large: one that grows holds up all that ask',
    (many) => {
      const agreement = (at: number) => agreementWith({ name: `op-${at}`, domains: [`d${at}.example`] });
      const agreements = Array.from({ length: 5000 }, (_, at) => agreement(at));
      const before = assembled(agreements);
      const set = Map.prototype.set;
      let largest = 0;
      const watched = vi.spyOn(Map.prototype, 'set').mockImplementation(function (
        this: Map<unknown, unknown>,
        key,
        value,
      ) {
        set.call(this, key, value);
        largest = Math.max(largest, this.size);
        return this;
      });
      try {
        assembled([...Array.from({ length: many }, (_, at) => agreement(at)), ...agreements.slice(many)], before);
      } finally {
        watched.mockRestore();
      }
      expect(largest).toBeGreaterThan(0);
      expect(largest).toBeLessThanOrEqual(256);
    },
  );

  test.each(['in front', 'at the end'])(
    'ok/one agreement that is put %s of 5,000: others get their turn as often',
    (place) => {
      const agreements = Array.from({ length: 5000 }, (_, at) => agreementWith({ name: `op-${at}`, domains: [] }));
      const before = assembled(agreements);
      const one = agreementWith({ name: 'one', domains: [] });
      const after = place === 'in front' ? [one, ...agreements] : [...agreements, one];
      const work = assembleInSteps(partsOf(after), before);
      let turns = 0;
      while (work.next().done !== true) turns += 1;
      expect(turns).toBeGreaterThanOrEqual(5000 / 200);
    },
  );

  test('ok/where the terms of one are changed in its place, nobody looks through all others for who names the same CAs', () => {
    const agreement = (at: number, more: Partial<Agreement> = {}) =>
      agreementWith({ name: `op-${at}`, domains: [], intermediates: AUTHORITIES.slice(0, 1), ...more });
    const agreements = Array.from({ length: 5000 }, (_, at) => agreement(at));
    const before = assembled(agreements);
    let looked = 0;
    const watched = agreements.map(
      (each) =>
        new Proxy(each, {
          get: (of, key) => {
            if (key === 'intermediates') looked += 1;
            return Reflect.get(of, key);
          },
        }),
    );
    const watching = assembled(watched);
    looked = 0;
    const after = assembled(watched.toSpliced(1, 1, agreement(1, { enabled: false })), watching);
    expect(looked).toBeLessThan(10);
    const first = (of: Snapshot) => of.authorities.named(AUTHORITIES[0]?.subjectKeys.text ?? '')[0]?.agreements;
    expect(first(after)?.map(({ name, enabled }) => [name, enabled])).toEqual([
      ['op-0', true],
      ['op-1', false],
    ]);
    expect(first(before)?.map(({ enabled }) => enabled)).toEqual([true, true]);
  });

  test('ok/one whose terms are changed and that stands elsewhere now is the first to name a CA, or is no more', () => {
    const all = Array.from({ length: 9 }, (_, at) =>
      agreementWith({
        name: `op-${at}`,
        domains: [],
        serverNames: ['s.example'],
        intermediates: AUTHORITIES.slice(0, 1),
      }),
    );
    const before = assembled(all);
    const off = (at: number) => ({ ...entryAt(all, at), enabled: false });
    for (const after of [
      [off(8), ...all.slice(0, 8)],
      [...all.slice(1), off(0)],
    ]) {
      expect(told(assembled(after, before))).toEqual(told(assembled(after)));
    }
  });

  test('ok/a table takes what another one has, which stays as it is', () => {
    const before = NameTable.of([
      ['a', 1],
      ['b', 2],
    ]);
    const table = NameTable.from(before);
    table.set('c', 3);
    table.delete('a');
    table.delete('nobody');
    expect(new Map(table.seal())).toEqual(
      new Map([
        ['b', 2],
        ['c', 3],
      ]),
    );
    expect(new Map(before)).toEqual(
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
    );
  });
});
