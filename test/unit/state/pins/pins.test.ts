import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Pins } from '../../../../src/state/pins/pins.js';
import {
  type Pin,
  type PinKey,
  type PinNews,
  type Store,
  type StoreChanges,
  type Stored,
  StoreError,
} from '../../../../src/state/store/store.js';
import { Counters } from '../../../../src/state/verdicts/counters.js';
import type { CertificateFacts } from '../../../../src/x509/certificate/facts.js';
import { ext, leaf, NOW, root } from '../../../support/certificates.js';

const rootB = root({ subject: 'O=Operator B,CN=B CA' });
const made = (dns: string) =>
  leaf(rootB, { subject: `CN=${dns}`, extensions: { altNames: ext.altNames([{ dns }]) } }).facts;
const peer = made('b.example');
/** The same certificate under other hashes: keys are slow to make. */
const another = (key: string, over: Partial<CertificateFacts> = {}): CertificateFacts => ({
  ...peer,
  spkiSha256: key,
  sha256: `certificate of ${key}`,
  ...over,
});
const keyOf = (facts: CertificateFacts, agreement = 'op-b'): PinKey => ({ agreement, spkiSha256: facts.spkiSha256 });

/** A store in memory that can fail, and holds a save back until it is let go. */
class TestStore implements Store {
  readonly pins = new Map<string, Pin>();
  readonly saves: StoreChanges[] = [];
  revision = 0;
  failing = false;
  closed = false;
  held: Promise<void> | undefined;

  async load(): Promise<Stored> {
    return { pins: [...this.pins.values()].sort((a, b) => a.lastSeen - b.lastSeen), revision: this.revision };
  }

  async save(changes: StoreChanges): Promise<void> {
    await this.held;
    if (this.failing) throw new StoreError('test', 'expected a disk, found none');
    this.saves.push(changes);
    for (const pin of [...(changes.put ?? []), ...(changes.approve ?? [])])
      this.pins.set(`${pin.agreement} ${pin.spkiSha256}`, { ...pin });
    for (const { agreement, spkiSha256 } of [...(changes.remove ?? []), ...(changes.forget ?? [])]) {
      this.pins.delete(`${agreement} ${spkiSha256}`);
    }
    this.revision = Math.max(this.revision, changes.revision ?? 0);
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  states(): Readonly<Record<string, string>> {
    const entries = [...this.pins.values()].map((pin) => [pin.spkiSha256, pin.approvedAt === undefined ? 'o' : 'a']);
    return Object.fromEntries(entries);
  }
}

let now = NOW;
const warnings: string[] = [];
const log = { warn: (message: string) => void warnings.push(message), info: () => {} };

async function open(store: Store, most = 100) {
  const pins = await Pins.open(store, { most, clock: () => now, log });
  const counters = new Counters();
  const touched = { revision: Math.floor(NOW / 1000) - 1000, times: 0 };
  pins.start(counters, () => {
    touched.times += 1;
    touched.revision += 1;
    return touched.revision;
  });
  const observe = (...names: string[]): void => {
    for (const name of names) {
      now += 1;
      pins.observe('op-b', another(name));
    }
  };
  const keys = () => pins.list().map(({ spkiSha256 }) => spkiSha256);
  return { pins, counters, touched, observe, keys };
}

/** Lets the delay of writing pass. */
const written = () => vi.advanceTimersByTimeAsync(6_000);

beforeEach(() => {
  vi.useFakeTimers();
  now = NOW;
  warnings.length = 0;
});
afterEach(() => vi.useRealTimers());

describe('what is observed', () => {
  test('ok/a pin tells the key, the certificate that bore it last, and when and how often', async () => {
    const store = new TestStore();
    const { pins, counters } = await open(store);
    pins.observe('op-b', peer);
    now += 1000;
    const renewed = another(peer.spkiSha256, { subjectText: 'CN=new', notAfter: 77, sha256: 'new' });
    pins.observe('op-b', renewed);
    pins.observe('op-c', peer);
    const [first, second] = pins.list();
    expect(first).toEqual({
      agreement: 'op-b',
      spkiSha256: peer.spkiSha256,
      certificateSha256: 'new',
      subject: 'CN=new',
      identities: ['b.example'],
      notBefore: peer.notBefore,
      notAfter: 77,
      firstSeen: NOW,
      lastSeen: NOW + 1000,
      count: 2,
      approvedAt: undefined,
    });
    expect(second).toMatchObject({
      agreement: 'op-c',
      count: 1,
      certificateSha256: peer.sha256,
      subject: 'CN=b.example',
    });
    expect(pins.list('op-c')).toEqual([second]);
    expect(pins.sizes()).toEqual({ observed: 2, approved: 0 });
    expect(pins.approved.size).toBe(0);
    expect(counters.all()['pins.observed']).toBe(2);
  });
  test('ok/nothing waits for the store: many observations are one write, a little later', async () => {
    const store = new TestStore();
    const { observe } = await open(store);
    observe('k1', 'k2', 'k1', 'k3');
    expect(store.saves).toEqual([]);
    await written();
    expect(store.saves).toHaveLength(1);
    expect(store.states()).toEqual({ k1: 'o', k2: 'o', k3: 'o' });
    await written();
    expect(store.saves).toHaveLength(1);
    observe('k2');
    await written();
    expect(store.saves[1]?.put?.map(({ spkiSha256, count }) => [spkiSha256, count])).toEqual([['k2', 2]]);
  });
  test('ok/a thousand pins are written in parts', async () => {
    const store = new TestStore();
    const { observe } = await open(store, 2000);
    observe(...Array.from({ length: 1001 }, (_, at) => `k${at}`));
    await written();
    expect(store.saves.map(({ put }) => put?.length)).toEqual([500, 500, 1]);
    expect(store.pins.size).toBe(1001);
  });
  test('ok/they are there after a restart', async () => {
    const store = new TestStore();
    const first = await open(store);
    first.observe('k1', 'k2');
    await first.pins.approve([{ agreement: 'op-b', spkiSha256: 'k1' }]);
    await first.pins.close();
    expect(store.closed).toBe(true);
    const second = await open(store);
    expect(second.pins.list()).toEqual(first.pins.list());
    expect(second.pins.approved).toEqual(new Map([['op-b', new Set(['k1'])]]));
  });
  test('fail/a store that fails loses nothing that can be kept, and says so once', async () => {
    const store = new TestStore();
    const { observe, counters } = await open(store);
    store.failing = true;
    observe('k1');
    await written();
    observe('k2');
    await written();
    expect(counters.all()['pins.unwritten']).toBeGreaterThanOrEqual(2);
    expect(warnings).toEqual(['observed pins were not written']);
    store.failing = false;
    await written();
    expect(store.states()).toEqual({ k1: 'o', k2: 'o' });
  });
  test('ok/a certificate of endless names is cut short', async () => {
    const { pins } = await open(new TestStore());
    const names = Array.from({ length: 100 }, (_, at) => ({ dns: `n${at}.b.example` }));
    const long = leaf(rootB, { extensions: { altNames: ext.altNames(names) } }).facts;
    pins.observe('op-b', { ...long, subjectText: 'x'.repeat(10_000) });
    expect(pins.list()[0]?.identities).toHaveLength(16);
    expect(pins.list()[0]?.subject).toHaveLength(512);
  });
});

describe('the bound', () => {
  test('ok/the pin seen longest ago makes room, here and in the store', async () => {
    const store = new TestStore();
    const { pins, observe, keys, counters } = await open(store, 3);
    observe('k1', 'k2', 'k3');
    await written();
    observe('k1', 'k4');
    expect(keys()).toEqual(['k4', 'k1', 'k3']);
    await written();
    expect(Object.keys(store.states()).sort()).toEqual(['k1', 'k3', 'k4']);
    observe('k5', 'k6');
    observe('k3');
    await written();
    expect(Object.keys(store.states()).sort()).toEqual(keys().sort());
    expect(counters.all()['pins.evicted']).toBe(4);
    expect(pins.sizes()).toEqual({ observed: 3, approved: 0 });
  });
  test('ok/an approved pin never makes room, however long ago it was seen', async () => {
    const store = new TestStore();
    const { pins, observe, keys } = await open(store, 2);
    observe('k1');
    await pins.approve([{ agreement: 'op-b', spkiSha256: 'k1' }]);
    observe('k2', 'k3', 'k4');
    await written();
    expect(keys()).toEqual(['k4', 'k1']);
    expect(store.states()).toEqual({ k1: 'a', k4: 'o' });
  });
  test('fail/approved pins that fill the table leave no room: counted, and said once', async () => {
    const { pins, observe, keys, counters } = await open(new TestStore(), 2);
    observe('k1', 'k2');
    await pins.approve(pins.list());
    observe('k3', 'k4');
    expect(keys().sort()).toEqual(['k1', 'k2']);
    expect(counters.all()['pins.refused']).toBe(2);
    expect(warnings).toEqual(['no more pins are observed: the approved ones fill the table']);
    await pins.drop([{ agreement: 'op-b', spkiSha256: 'k1' }]);
    observe('k5');
    expect(keys().sort()).toEqual(['k2', 'k5']);
  });
  test('ok/a smaller bound after a restart lets observed pins go, and keeps approved ones', async () => {
    const store = new TestStore();
    const before = await open(store, 10);
    before.observe('k1', 'k2', 'k3', 'k4');
    await before.pins.approve(['k1', 'k2'].map((spkiSha256) => ({ agreement: 'op-b', spkiSha256 })));
    await before.pins.close();
    expect((await open(store, 3)).keys()).toEqual(['k4', 'k2', 'k1']);
    const { keys } = await open(store, 1);
    expect(keys()).toEqual(['k2', 'k1']);
    await written();
    expect(store.states()).toEqual({ k1: 'a', k2: 'a' });
  });
});

describe('what is approved', () => {
  const k1 = { agreement: 'op-b', spkiSha256: 'k1' };

  test('ok/an approval is stored before it holds, and holds under a new revision when it is settled', async () => {
    const store = new TestStore();
    const { pins, observe, touched } = await open(store);
    observe('k1', 'k2');
    const gate = withResolvers();
    store.held = gate.promise;
    const approval = pins.approve([k1]);
    await vi.advanceTimersByTimeAsync(100);
    expect([pins.approved.size, touched.times]).toEqual([0, 0]);
    gate.resolve();
    await approval;
    expect(store.states()).toEqual({ k1: 'a' });
    expect(pins.approved).toEqual(new Map([['op-b', new Set(['k1'])]]));
    expect(pins.find(k1)).toMatchObject({ approvedAt: now, count: 1 });
    expect(touched.times).toBe(1);
  });
  test('ok/approving again, or what is not recorded, changes nothing', async () => {
    const store = new TestStore();
    const { pins, observe, touched } = await open(store);
    observe('k1');
    await pins.approve([k1]);
    const { approvedAt } = pins.find(k1)!;
    now += 1000;
    await pins.approve([k1, { agreement: 'op-b', spkiSha256: 'k9' }, { agreement: 'op-c', spkiSha256: 'k1' }]);
    expect(pins.find(k1)).toMatchObject({ approvedAt });
    expect([pins.list().length, touched.times]).toEqual([1, 1]);
  });
  test('fail/an approval that is not stored does not hold', async () => {
    const store = new TestStore();
    const { pins, observe, touched } = await open(store);
    observe('k1');
    store.failing = true;
    await expect(pins.approve([k1])).rejects.toThrow('test: expected a disk, found none');
    expect([pins.approved.size, touched.times, pins.find(k1)?.approvedAt]).toEqual([0, 0, undefined]);
    store.failing = false;
    await pins.approve([k1]);
    expect(pins.approved.get('op-b')).toEqual(new Set(['k1']));
  });
  test('ok/an approved pin is still seen', async () => {
    const store = new TestStore();
    const { pins, observe } = await open(store);
    observe('k1');
    await pins.approve([k1]);
    observe('k1');
    await written();
    expect(store.pins.get('op-b k1')).toMatchObject({ count: 2, lastSeen: now, approvedAt: now - 1 });
  });
  test('ok/who held the approved keys before sees no change in them', async () => {
    const { pins, observe } = await open(new TestStore());
    observe('k1');
    const before = pins.approved;
    await pins.approve([k1]);
    expect(before.size).toBe(0);
    expect(pins.approved).not.toBe(before);
  });
  test('ok/a pin that makes room while it is being approved stays', async () => {
    const store = new TestStore();
    const { pins, observe } = await open(store, 1);
    observe('k1');
    await written();
    const gate = withResolvers();
    store.held = gate.promise;
    const approval = pins.approve([k1]);
    await vi.advanceTimersByTimeAsync(1);
    observe('k2');
    expect(pins.find(k1)).toBeUndefined();
    gate.resolve();
    await approval;
    await written();
    expect(pins.find(k1)?.approvedAt).toBeDefined();
    expect(store.states()).toMatchObject({ k1: 'a' });
  });

  test('ok/a pin that is dropped is gone, holds no more, and may be observed again', async () => {
    const store = new TestStore();
    const { pins, observe, touched } = await open(store);
    observe('k1', 'k2');
    await pins.approve([k1]);
    observe('k1');
    await pins.drop([k1]);
    expect([pins.approved.size, touched.times]).toEqual([0, 2]);
    await written();
    expect(store.states()).toEqual({ k2: 'o' });
    observe('k1');
    expect(pins.find(k1)).toMatchObject({ approvedAt: undefined, count: 1 });
  });
  test('ok/dropping a pin that was only observed changes no verdict', async () => {
    const { pins, observe, touched } = await open(new TestStore());
    observe('k1');
    await pins.drop([k1]);
    expect([pins.list(), touched.times]).toEqual([[], 0]);
  });
  test('fail/what could not be dropped still holds', async () => {
    const store = new TestStore();
    const { pins, observe } = await open(store);
    observe('k1');
    await pins.approve([k1]);
    store.failing = true;
    await expect(pins.drop([k1])).rejects.toBeInstanceOf(StoreError);
    expect(pins.approved.get('op-b')).toEqual(new Set(['k1']));
  });

  test('ok/without a store, pins are in memory alone', () => {
    const pins = new Pins({ pins: [], revision: 0 }, undefined, { most: 5, clock: () => now, log });
    pins.observe('op-b', peer);
    expect(vi.getTimerCount()).toBe(0);
    expect(pins.find(keyOf(peer))).toMatchObject({ count: 1 });
  });
});

function withResolvers(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

describe('news of others that share the store', () => {
  class SharedTestStore extends TestStore {
    tell: (news: PinNews) => void = () => {};
    followPins(told: (news: PinNews) => void): void {
      this.tell = told;
    }
  }
  const pinOf = (facts: CertificateFacts, over: Partial<Pin> = {}): Pin => ({
    ...{
      agreement: 'op-b',
      spkiSha256: facts.spkiSha256,
      certificateSha256: facts.sha256,
      subject: '',
      identities: [],
    },
    ...{ notAfter: NOW, firstSeen: NOW, lastSeen: NOW, count: 1, approvedAt: undefined },
    ...over,
  });

  test('ok/an approval, its withdrawal and a drop hold in the turn in which they are told', async () => {
    const store = new SharedTestStore();
    const pins = await Pins.open(store, { most: 10, clock: () => now, log });
    let changes = 0;
    pins.start(new Counters(), () => {
      changes += 1;
      return 0;
    });
    pins.observe('op-b', peer);
    const approvedKeys = () => [...(pins.approved.get('op-b') ?? [])];
    store.tell({ pins: [pinOf(peer, { approvedAt: 5, count: 7 })], removed: [] });
    expect([approvedKeys(), changes, pins.find(keyOf(peer))?.count]).toEqual([[peer.spkiSha256], 1, 7]);
    store.tell({ pins: [pinOf(peer, { approvedAt: 5, count: 8 })], removed: [] });
    expect(changes).toBe(1);
    store.tell({ pins: [pinOf(peer)], removed: [] });
    expect([approvedKeys(), changes, pins.sizes()]).toEqual([[], 2, { observed: 1, approved: 0 }]);
    store.tell({ pins: [pinOf(peer, { approvedAt: 5 })], removed: [] });
    store.tell({ pins: [], removed: [keyOf(peer)] });
    expect([approvedKeys(), changes, pins.sizes()]).toEqual([[], 4, { observed: 0, approved: 0 }]);
    await pins.close();
  });

  test('ok/what two have seen of a pin is put together, whoever saw it last', async () => {
    const store = new SharedTestStore();
    const pins = await Pins.open(store, { most: 10, clock: () => now, log });
    pins.observe('op-b', peer);
    const { firstSeen, lastSeen } = pins.find(keyOf(peer)) as Pin;
    const seen = () => {
      const pin = pins.find(keyOf(peer));
      return [pin?.firstSeen, pin?.lastSeen, pin?.count, pin?.certificateSha256];
    };
    store.tell({
      pins: [pinOf(peer, { firstSeen: firstSeen + 1, lastSeen: lastSeen - 1, count: 0, certificateSha256: 'older' })],
      removed: [],
    });
    expect(seen()).toEqual([firstSeen, lastSeen, 1, peer.sha256]);
    store.tell({
      pins: [pinOf(peer, { firstSeen: firstSeen - 1, lastSeen: lastSeen + 1, count: 3, certificateSha256: 'newer' })],
      removed: [],
    });
    expect(seen()).toEqual([firstSeen - 1, lastSeen + 1, 3, 'newer']);
    await pins.close();
  });
});
