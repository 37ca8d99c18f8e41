import { describe, expect, test, vi } from 'vitest';
import { PrefixList } from '../../../../src/net/address/prefix-list.js';
import { withdrawInSteps } from '../../../../src/policy/fleet/withdraw.js';
import { type Held, Packer, type SnapshotParts, snapshotOf, unpack } from '../../../../src/policy/snapshot/parcel.js';
import { missingApprovals } from '../../../../src/state/pins/approvals.js';
import type { Agreement } from '../../../../src/trust/agreement/agreement.js';
import type { Snapshot } from '../../../../src/trust/agreement/snapshot.js';
import { entryAt } from '../../../../src/typed.js';
import { atOnce } from '../../../../src/x509/der/in-steps.js';
import { root } from '../../../support/certificates.js';
import { plainAuthorities } from '../../../support/plain-agreements.js';
import { type Random, seeded } from '../../../support/random.js';
import { runs } from '../../../support/runs.js';
import { agreementWith, emptySnapshot, snapshotWith } from '../../../support/snapshot.js';

const AUTHORITIES = Array.from({ length: 6 }, (_, at) => root({ subject: `CN=CA ${at % 4}` }).facts);

function parts(agreements: readonly Agreement[]): SnapshotParts {
  const { byName, byDomain, byWildcard, byTarget, byServerName, authorities, sources, ...rest } = emptySnapshot;
  return { ...rest, ownDomains: new Set(), ocsp: { ...rest.ocsp }, agreements, sources: new Map() };
}

function packed(agreements: readonly Agreement[]): Snapshot {
  return snapshotOf(parts(agreements));
}

function anyAgreement(random: Random, name: string, at: number): Agreement {
  const list = () => AUTHORITIES.filter(() => random.chance(0.2));
  return agreementWith({
    name,
    domains: [`${name}.example`, ...(random.chance(0.5) ? [`more.${name}.example`] : [])],
    wildcardNames: random.chance(0.3) ? [`pstn.${name}.example`] : [],
    targets: random.chance(0.3) ? [{ address: `192.0.2.${at % 256}`, port: at + 1 }] : [],
    serverNames: random.chance(0.3) ? [`shared-${random.below(4)}.example`] : [],
    anchors: { client: list(), server: list() },
    intermediates: list(),
    enabled: random.chance(0.8),
    sources: PrefixList.of([]),
    valid: { from: Number.NEGATIVE_INFINITY, until: random.chance(0.5) ? Number.POSITIVE_INFINITY : 7 },
    migrationUntil: random.pick([undefined, 0, 9.5]),
    headers: new Map(random.chance(0.3) ? [['diversion', { out: 'keep' as const }]] : []),
  });
}

/** What a table answers to all names of any agreement, and to some that nobody has. */
function answers(snapshot: Snapshot, asked: readonly Agreement[]) {
  const names = {
    byName: asked.map(({ name }) => name),
    byDomain: asked.flatMap(({ domains }) => domains),
    byWildcard: asked.flatMap(({ wildcardNames }) => wildcardNames),
    byTarget: asked.flatMap(({ targets }) => targets.map(({ address, port }) => `${address} ${port}`)),
    byServerName: asked.flatMap(({ serverNames }) => serverNames),
  };
  const tables = (['byName', 'byDomain', 'byWildcard', 'byTarget', 'byServerName'] as const).map((table) => [
    snapshot[table].size,
    ...[...names[table], '', 'nobody', 'nobody.example'].map((name) => [
      snapshot[table].get(name),
      snapshot[table].has(name),
    ]),
  ]);
  return [tables, AUTHORITIES.map(({ subjectKeys }) => [...snapshot.authorities.named(subjectKeys.text)])];
}

/** First ones first, as a policy counts them. */
function plain(agreements: readonly Agreement[]): Snapshot {
  const byServerName = new Map(agreements.toReversed().flatMap((each) => each.serverNames.map((name) => [name, each])));
  return snapshotWith(agreements, { byServerName, authorities: plainAuthorities(agreements) });
}

describe('the agreements of a policy', () => {
  test('ok/are what they were before they were packed, and are found by all their names', () => {
    const random = seeded(11);
    for (let round = 0; round < 60; round++) {
      const agreements = Array.from({ length: random.below(60) }, (_, at) => anyAgreement(random, `op-${at}`, at));
      const snapshot = packed(agreements);
      expect([...snapshot.agreements]).toEqual(agreements);
      expect(answers(snapshot, agreements)).toEqual(answers(plain(agreements), agreements));
      const { agreements: list } = snapshot;
      expect([...list.where(({ enabled }, { crls }) => enabled && crls.length === 0)]).toEqual(
        agreements.filter(({ enabled }) => enabled),
      );
      expect([...list.shared()].map(([{ enabled }, { anchors }]) => [enabled, anchors])).toEqual(
        agreements.map(({ enabled, anchors }) => [enabled, anchors]),
      );
      expect([list.length, list.at(-1), list.at(list.length)]).toEqual([agreements.length, undefined, undefined]);
      expect(list.slice(2, 5)).toEqual(agreements.slice(2, 5));
      expect(agreements.map(({ name }, at) => [list.nameOf(at), list.numberOf(name)])).toEqual(
        agreements.map(({ name }, at) => [name, at]),
      );
    }
  });

  test('ok/are the same object for whoever holds one, by whatever name it is found', () => {
    const random = seeded(3);
    const agreements = Array.from({ length: 4000 }, (_, at) => anyAgreement(random, `op-${at}`, at));
    const { byName, byDomain, agreements: list } = packed(agreements);
    const held = agreements.map(({ name }) => byName.get(name));
    expect(agreements.every(({ domains: [domain = ''] }, at) => byDomain.get(domain) === held[at])).toBe(true);
    expect([...list].every((each, at) => each === held[at])).toBe(true);
    expect(list.slice(7, 8)[0]).toBe(held[7]);
  });

  test('ok/with some withdrawn: these are disabled wherever they are found, in the policy before they are not', () => {
    const random = seeded(5);
    const agreements = Array.from({ length: 60 }, (_, at) => anyAgreement(random, `op-${at}`, at));
    const snapshot = packed(agreements);
    const names = agreements.filter(() => random.chance(0.3)).map(({ name }) => name);
    const next = atOnce(withdrawInSteps(snapshot, [...names, 'nobody']));
    const expected = agreements.map((each) => (names.includes(each.name) ? { ...each, enabled: false } : each));
    expect([...next.agreements]).toEqual(expected);
    expect(answers(next, agreements)).toEqual(answers(plain(expected), agreements));
    expect(answers(snapshot, agreements)).toEqual(answers(plain(agreements), agreements));
    const same = agreements.map((_, at) => snapshot.agreements.same(at, next.agreements, at));
    expect(same).toEqual(agreements.map(({ name, enabled }) => !enabled || !names.includes(name)));
  });

  test('ok/are compared by all that they say', () => {
    const one = anyAgreement(seeded(1), 'op', 1);
    const others: readonly Partial<Agreement>[] = [
      { domains: ['x.example'] },
      { enabled: !one.enabled },
      { anchors: { client: AUTHORITIES, server: [] } },
      { valid: { from: 0, until: 0 } },
      { sources: PrefixList.of([{ bytes: Uint8Array.of(192, 0, 2, 0), length: 24 }]) },
    ];
    const { agreements } = packed([one]);
    expect(agreements.same(0, packed([{ ...one }]).agreements, 0)).toBe(true);
    for (const other of others) expect(agreements.same(0, packed([{ ...one, ...other }]).agreements, 0)).toBe(false);
  });

  test('ok/names of whatever length and script, and thousands that begin alike', () => {
    const names = [
      'é'.repeat(40),
      '\u{1f4de}',
      'ü',
      'x'.repeat(5000),
      ...Array.from({ length: 3000 }, (_, at) => `${'y'.repeat(80)}${at}`),
    ];
    const { byName } = packed(names.map((name) => agreementWith({ name, domains: [], sources: PrefixList.of([]) })));
    expect(names.filter((name) => byName.get(name)?.name !== name)).toEqual([]);
    expect(['e'.repeat(40), 'u', 'x'.repeat(4999), 'y'.repeat(80)].some((name) => byName.has(name))).toBe(false);
  });

  test('ok/none is made where a table is made or one is looked up', () => {
    const agreements = Array.from({ length: 500 }, (_, at) =>
      agreementWith({ name: `op-${at}`, domains: [`d${at}.example`], sources: PrefixList.of([]), pinned: true }),
    );
    const made = vi.spyOn(JSON, 'parse');
    const snapshot = packed(agreements);
    const { byDomain, agreements: list } = snapshot;
    const opened = made.mock.calls.length;
    expect(opened).toBeLessThan(10);
    byDomain.get('d7.example');
    expect([...list.where(({ enabled }) => !enabled)]).toEqual([]);
    expect(made.mock.calls.length - opened).toBe(1);
    expect(list.termsOf(7).pinned).toBe(true);
    const approved = new Map(agreements.map(({ name }) => [name, new Set(['key'])]));
    expect(atOnce(missingApprovals(snapshot, approved))).toEqual([]);
    expect(made.mock.calls.length - opened).toBe(1);
    approved.delete('op-9');
    expect(atOnce(missingApprovals(snapshot, approved))).toHaveLength(1);
    expect(made.mock.calls.length - opened).toBe(2);
    made.mockRestore();
  });

  test('ok/of the CAs of one name, and who names them, no more is made than is looked at', () => {
    const alike = AUTHORITIES.filter((_, at) => at % 4 === 0);
    const agreements = alike.map((client, at) =>
      agreementWith({ name: `op-${at}`, anchors: { client: [client], server: [] } }),
    );
    const { authorities } = packed(agreements.map((each) => ({ ...each, sources: PrefixList.of([]) })));
    const made = vi.spyOn(JSON, 'parse');
    for (const { certificate } of authorities.named(entryAt(alike, 0).subjectKeys.text)) {
      expect(certificate).toBe(alike[0]);
      break;
    }
    expect([alike.length, made.mock.calls.length]).toEqual([2, 1]);
    made.mockRestore();
  });
});

describe('agreements that are packed again', () => {
  /** Certificates by their hashes, and keys in one order. */
  function inText(value: unknown): string {
    return JSON.stringify(value, (_, each: unknown) => {
      if (typeof each !== 'object' || each === null || Array.isArray(each)) return each;
      if ('sha256' in each) return each.sha256;
      if (each instanceof PrefixList || each instanceof Map) return [...each];
      return Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)));
    });
  }

  /** Agreements of the next reading: the same objects, but for a few. */
  function next(random: Random, agreements: readonly Agreement[], step: number): readonly Agreement[] {
    const at = random.below(agreements.length);
    const old = agreements[at];
    if (old === undefined) throw new Error('expected an agreement');
    const other = anyAgreement(random, `new-${step}`, 100 + step);
    const terms: readonly Partial<Agreement>[] = [
      { enabled: !old.enabled },
      { valid: { from: step, until: Number.POSITIVE_INFINITY } },
      { asserts: { domains: ['x'.repeat(random.below(2000))], numbers: 'any', transit: false } },
      { sources: PrefixList.of(random.chance(0.5) ? [{ bytes: Uint8Array.of(192, 0, 2, step), length: 32 }] : []) },
    ];
    const names: readonly Partial<Agreement>[] = [
      { domains: other.domains },
      { wildcardNames: other.wildcardNames },
      { targets: other.targets },
      { serverNames: [`only-${step}.example`] },
      { name: other.name },
      { anchors: other.anchors, intermediates: other.intermediates },
    ];
    return random.pick([
      () => agreements,
      () => agreements.with(at, { ...old, ...random.pick(terms) }).with(0, { ...entryAt(agreements, 0) }),
      () => agreements.with(at, { ...old, ...random.pick(terms) }),
      () => agreements.with(at, { ...old, ...random.pick(names) }),
      () => agreements.toSpliced(at, 1, other, old),
      () => (agreements.length < 20 ? agreements : agreements.toSpliced(at, 1)),
      () => random.shuffle(agreements),
      () => agreements.map((each) => ({ ...each, enabled: step % 2 === 0 })),
    ])();
  }

  test('ok/whatever changes, they are as if nothing had been packed before, and those in force stay what they are', () => {
    const random = seeded(17);
    for (let round = 0; round < runs(10); round++) {
      const packer = new Packer();
      let agreements: readonly Agreement[] = Array.from({ length: 24 }, (_, at) =>
        anyAgreement(random, `op-${at}`, at),
      );
      let before: Held | undefined;
      let told = '';
      for (let step = 0; step < 12; step++) {
        const held: Held = atOnce(unpack(packer.pack(parts(agreements), before?.contents), before));
        const { snapshot } = held;
        const expected = plain(agreements);
        expect(inText([...snapshot.agreements])).toBe(inText(agreements));
        expect(inText(answers(snapshot, agreements))).toBe(inText(answers(expected, agreements)));
        if (before !== undefined) expect(inText([...before.snapshot.agreements])).toBe(told);
        before = held;
        told = inText(agreements);
        agreements = next(random, agreements, step);
      }
    }
  });

  test('ok/of thousands with one changed nothing but its terms and the chunk that it stands in is made anew', () => {
    const packer = new Packer();
    const agreements = Array.from({ length: 6000 }, (_, at) =>
      agreementWith({ name: `op-${at}`, domains: [`d${at}.example`], sources: PrefixList.of([]) }),
    );
    const pack = (changed: readonly Agreement[]) => packer.pack(parts(changed), undefined).agreements;
    const before = pack(agreements);
    const after = pack(agreements.with(3000, { ...entryAt(agreements, 3000), requireTls: true, pins: ['x'] }));
    expect(before.own.chunks.length).toBeGreaterThan(3);
    expect(after.own.chunks.filter((chunk) => !before.own.chunks.includes(chunk))).toHaveLength(1);
    for (const same of ['names', 'authorities', 'material', 'sources'] as const) expect(after[same]).toBe(before[same]);
  });
});
