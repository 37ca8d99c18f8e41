import { describe, expect, test } from 'vitest';
import { ExpirySamples } from '../../../../src/rpc/metrics/expiry-samples.js';
import type { ExpiryRow } from '../../../../src/state/expiry/index.js';
import type { TrustState } from '../../../../src/state/trust/trust-state.js';
import { DAY, NOW } from '../../../support/certificates.js';

const row = (agreement: string, what: ExpiryRow['what'], days: number, life?: number): ExpiryRow => {
  const ends = NOW + days * DAY;
  return { what, agreement, subject: '', ends, days, state: 'current', begins: life && ends - life * DAY };
};

/** A state of which only this is asked, and how often its rows were. */
function asked(rows: () => Promise<readonly ExpiryRow[]>) {
  const told = { now: NOW, times: 0, revision: 1 };
  const state = {
    now: () => told.now,
    policy: {
      get snapshot() {
        return { revision: told.revision };
      },
    },
    ends: {
      rows: () => {
        told.times += 1;
        return rows();
      },
    },
  } as unknown as TrustState;
  return { told, samples: new ExpirySamples(state) };
}

describe('what ends, as samples', () => {
  test('ok/the first to end of each kind, and the last notice that came for any of it', async () => {
    const { samples } = asked(async () => [
      // It ends first, and a quarter of its life is left: no notice.
      row('op-b', 'peer-certificate', 5, 20),
      row('op-b, op-c', 'crl', 0.5),
      row('op-b', 'peer-certificate', 6.5, 365),
      row('', 'own-certificate', 29, 365),
      row('op-c', 'anchor', 300),
    ]);
    expect(await samples.ending()).toEqual({
      ends: [
        [['op-b', 'peer-certificate'], NOW / 1000 + 5 * 86_400],
        [['op-b', 'crl'], NOW / 1000 + 43_200],
        [['op-c', 'crl'], NOW / 1000 + 43_200],
        [['(other)', 'own-certificate'], NOW / 1000 + 29 * 86_400],
        [['op-c', 'anchor'], NOW / 1000 + 300 * 86_400],
      ],
      notices: [
        [['op-b', 'peer-certificate'], 7],
        [['(other)', 'own-certificate'], 30],
      ],
    });
  });

  test('ok/all that ask at once, and in the next minute, wait for one look; a new policy is looked through', async () => {
    const { told, samples } = asked(async () => []);
    await Promise.all([samples.ending(), samples.ending()]);
    told.now += 59_999;
    await samples.ending();
    expect(told.times).toBe(1);
    told.now += 1;
    await samples.ending();
    expect(told.times).toBe(2);
    told.revision += 1;
    await samples.ending();
    expect(told.times).toBe(3);
  });

  test('ok/a clock that was ahead and was set back: looked through again', async () => {
    const { told, samples } = asked(async () => []);
    await samples.ending();
    told.now -= 30 * DAY;
    await samples.ending();
    expect(told.times).toBe(2);
  });

  test('fail/a look that failed is not kept', async () => {
    const { told, samples } = asked(async () => {
      if (told.times === 1) throw new Error('stopped');
      return [];
    });
    await expect(samples.ending()).rejects.toThrow('stopped');
    expect(await samples.ending()).toEqual({ ends: [], notices: [] });
    expect(told.times).toBe(2);
  });
});
