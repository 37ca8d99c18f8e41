import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { KeptCertificates } from '../../../../src/state/store/kept-certificates.js';
import { openSqliteStore, readCertificates } from '../../../../src/state/store/sqlite-store.js';
import { type CertificateStore, type KeptCertificate, StoreError } from '../../../../src/state/store/store.js';
import { DAY, leaf, NOW, root, selfSignedLeaf } from '../../../support/certificates.js';

const rootB = root({ subject: 'O=Operator B,CN=B CA' });
const partner = leaf(rootB).facts;
const strangers = Array.from({ length: 20 }, () => selfSignedLeaf().facts);

let now = NOW;
const warnings: string[] = [];
const log = { warn: (text: string) => void warnings.push(text) };
const options = { octets: 1_000_000, ageMs: 30 * DAY, clock: () => now, log };
beforeEach(() => {
  now = NOW;
  warnings.length = 0;
});

describe('certificates that answers were about, in the state file', () => {
  let directory: string;
  let file: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'siptrust-kept-'));
    file = join(directory, 'state.db');
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  /** Which of these are in the file. */
  function found(certificates: readonly { sha256: string; der: Uint8Array }[]): boolean[] {
    const store = readCertificates(file);
    try {
      return certificates.map(({ sha256, der }) => {
        const read = store.find(sha256);
        return read !== undefined && Buffer.from(read).equals(der);
      });
    } finally {
      store.close();
    }
  }

  async function keep(over: Partial<typeof options>, take: (kept: KeptCertificates) => void): Promise<void> {
    const store = openSqliteStore(file);
    const kept = new KeptCertificates(store, { ...options, ...over });
    take(kept);
    await kept.close();
    await store.close();
  }

  test('ok/what was seen can be read back, octet by octet, also by another process', async () => {
    await keep({}, (kept) => kept.observe([partner, rootB.facts], true));
    expect(found([partner, rootB.facts, ...strangers.slice(0, 1)])).toEqual([true, true, false]);
  });
  test('ok/strangers make room first, the one that was seen longest ago before the others', async () => {
    await keep({}, (kept) => kept.observe([partner], true));
    for (const each of strangers) {
      now += 1000;
      await keep({ octets: 3 * each.der.length + partner.der.length + 8 }, (kept) => kept.observe([each], false));
    }
    expect(found([partner, ...strangers])).toEqual([true, ...strangers.map((_, at) => at >= 17)]);
  });
  test('ok/who was not seen for long is forgotten', async () => {
    await keep({}, (kept) => kept.observe([partner], true));
    now += 31 * DAY;
    await keep({}, (kept) => kept.observe(strangers.slice(0, 1), false));
    expect(found([partner, strangers[0]!])).toEqual([false, true]);
  });
  test('ok/who is seen again stays', async () => {
    for (let week = 0; week < 8; week += 1) {
      await keep({}, (kept) => kept.observe([partner], true));
      now += 7 * DAY;
    }
    await keep({}, (kept) => kept.observe(strangers.slice(0, 1), false));
    expect(found([partner])).toEqual([true]);
  });
  test('fail/no file', () => {
    expect(() => readCertificates(join(directory, 'none.db'))).toThrow(StoreError);
  });
});

describe('nothing waits for the store', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function recording(): { store: CertificateStore; rows: KeptCertificate[][] } {
    const rows: KeptCertificate[][] = [];
    const saveCertificates = async (seen: readonly KeptCertificate[]) => void rows.push([...seen]);
    return { store: { saveCertificates }, rows };
  }
  const invented = (count: number, from = 0) =>
    Array.from({ length: count }, (_, at) => ({ ...partner, sha256: `${from + at}` }));

  test('ok/the same certificate is written once an hour', async () => {
    const { store, rows } = recording();
    const kept = new KeptCertificates(store, options);
    for (let minute = 0; minute < 120; minute += 1) {
      kept.observe([partner], true);
      now += 60_000;
      await vi.advanceTimersByTimeAsync(60_000);
    }
    expect(rows.flat()).toHaveLength(2);
  });
  test('ok/a flood of strangers leaves room for partners, in small transactions', async () => {
    const { store, rows } = recording();
    const kept = new KeptCertificates(store, options);
    kept.observe(invented(50_000), false);
    kept.observe([partner], true);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(rows.flat()).toHaveLength(501);
    expect(Math.max(...rows.map((each) => each.length))).toBeLessThanOrEqual(100);
    expect(rows.flat().some(({ sha256 }) => sha256 === partner.sha256)).toBe(true);
  });
  test('ok/a store that fails is told once, and tried again', async () => {
    let fails = true;
    const { rows, store } = recording();
    const saveCertificates: CertificateStore['saveCertificates'] = async (...given) => {
      if (fails) throw new StoreError('state.db', 'the disk is full');
      return store.saveCertificates(...given);
    };
    const kept = new KeptCertificates({ saveCertificates }, options);
    for (let second = 0; second < 5; second += 1) {
      kept.observe([partner], true);
      await vi.advanceTimersByTimeAsync(10_000);
    }
    expect(warnings).toHaveLength(1);
    fails = false;
    kept.observe([partner], true);
    await kept.close();
    expect(rows.flat()).toHaveLength(1);
  });
});
