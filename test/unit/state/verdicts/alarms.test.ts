/** Alarms in the operator log (P-9): always, once a peer and minute, with a count of the rest. */

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Logger } from '../../../../src/log/logger.js';
import { maskMessageText } from '../../../../src/log/mask.js';
import { DEFAULT_SETTINGS } from '../../../../src/policy/settings/settings.js';
import { PolicyHolder } from '../../../../src/state/policy/holder.js';
import { trustState } from '../../../../src/state/trust/trust-state.js';
import { Alarms } from '../../../../src/state/verdicts/alarms.js';
import type { Agreement } from '../../../../src/trust/agreement/agreement.js';
import { ext, leaf, NOW, root } from '../../../support/certificates.js';
import { presenting, sent } from '../../../support/evidence.js';
import { agreementWith, snapshotWith } from '../../../support/snapshot.js';

type Line = readonly [message: string, fields: Readonly<Record<string, unknown>>];

function logTo(lines: Line[]): Logger {
  const never = () => {
    throw new Error('expected an error line');
  };
  return {
    error: (message, fields = {}) => void lines.push([message, { ...fields }]),
    warn: never,
    info: never,
    debug: never,
  };
}

const finding = (code: 'anchor-mismatch' | 'revoked' | 'not-listed', detail = 'why') => ({ code, detail });
const from = (peer: string) => () => ({ peer, agreement: 'op-b', id: 'x-1' });

let lines: Line[];
let now: number;
let alarms: Alarms;
let end: () => void;
beforeEach(() => {
  vi.useFakeTimers();
  lines = [];
  now = NOW;
  alarms = new Alarms(() => now);
  end = alarms.start(logTo(lines));
});
afterEach(() => {
  end();
  vi.useRealTimers();
});

const minute = () => {
  now += 60_000;
  vi.advanceTimersByTime(60_000);
};

describe('alarms', () => {
  test('ok/what a finding quotes out of a message is masked', () => {
    alarms.tell(
      [{ code: 'operator-service', detail: 'expected none, found "BLV;089123456"' }],
      from('192.0.2.1'),
      maskMessageText,
    );
    expect(lines[0]?.[1]).toMatchObject({ detail: 'expected none, found "BL***"' });
  });
  test('ok/the first at once: code, text, peer, agreement, detail, id', () => {
    alarms.tell([finding('anchor-mismatch')], from('192.0.2.1'));
    expect(lines).toEqual([
      [
        expect.stringMatching(/^alarm anchor-mismatch: the certificate names a partner but leads to somebody else/),
        { peer: '192.0.2.1', agreement: 'op-b', detail: 'why', id: 'x-1' },
      ],
    ]);
  });
  test('ok/what follows within a minute is a number after it', () => {
    for (let at = 0; at < 50; at += 1) alarms.tell([finding('anchor-mismatch', `why ${at}`)], from('192.0.2.1'));
    expect(lines).toHaveLength(1);
    minute();
    expect(lines.map(([, fields]) => [fields.detail, fields.more])).toEqual([
      ['why 0', undefined],
      ['why 49', 49],
    ]);
    minute();
    expect(lines).toHaveLength(2);
  });
  test('ok/one a second for ten minutes is a line a minute, with the number of the others', () => {
    for (let second = 0; second < 600; second += 1) {
      alarms.tell([finding('anchor-mismatch')], from('192.0.2.1'));
      now += 1000;
      vi.advanceTimersByTime(1000);
    }
    end();
    expect(lines.length).toBeGreaterThanOrEqual(10);
    expect(lines.length).toBeLessThanOrEqual(11);
    const more = lines.reduce((sum, [, fields]) => sum + Number(fields.more ?? 0), 0);
    expect(more).toBeGreaterThanOrEqual(600 - lines.length);
    expect(more).toBeLessThan(600);
  });
  test('ok/each peer and each reason by itself', () => {
    alarms.tell([finding('anchor-mismatch'), finding('revoked')], from('192.0.2.1'));
    alarms.tell([finding('anchor-mismatch')], from('192.0.2.2'));
    expect(lines).toHaveLength(3);
  });
  test('ok/a peer that comes back after a minute is told at once', () => {
    alarms.tell([finding('revoked')], from('192.0.2.1'));
    minute();
    alarms.tell([finding('revoked')], from('192.0.2.1'));
    expect(lines).toHaveLength(2);
  });
  test('ok/what is no alarm is not written, and costs nothing', () => {
    alarms.tell([finding('not-listed')], () => {
      throw new Error('nobody needs to know the peer');
    });
    expect(lines).toEqual([]);
  });
  test('ok/a flood of peers is a few hundred lines and a number', () => {
    for (let at = 0; at < 10_000; at += 1) alarms.tell([finding('revoked')], from(`2001:db8::${at.toString(16)}`));
    expect(lines).toHaveLength(200);
    minute();
    expect(lines.at(-1)).toEqual(['alarms of other peers were not written one by one', { count: 9800 }]);
  });
  test('ok/identities are masked', () => {
    alarms.tell([finding('revoked', 'found sip:alice.smith@b.example')], from('192.0.2.1'));
    expect(JSON.stringify(lines)).not.toContain('alice.smith');
  });
  test('ok/what is held is written at the end', () => {
    alarms.tell([finding('revoked')], from('192.0.2.1'));
    alarms.tell([finding('revoked')], from('192.0.2.1'));
    end();
    expect(lines.at(-1)?.[1]).toMatchObject({ more: 1 });
  });
});

describe('alarms of answers, without a decision log', () => {
  const [rootB, rootX] = [root({ subject: 'CN=B CA' }), root({ subject: 'CN=X CA' })];
  const certificate = leaf(rootX, { extensions: { altNames: ext.altNames([{ dns: 'b.example' }]) } }).facts;
  function answered(over: Partial<Agreement>) {
    const agreement = agreementWith({ anchors: { client: [rootB.facts], server: [rootB.facts] }, ...over });
    const policy = PolicyHolder.open(
      (revision) => ({
        ok: true,
        snapshot: snapshotWith([agreement], { revision }),
        settings: DEFAULT_SETTINGS,
        warnings: [],
      }),
      NOW,
    );
    if ('problems' in policy) throw new Error('expected a policy');
    const state = trustState({ policy, clock: () => NOW });
    const found: Line[] = [];
    const stop = state.answers.alarms.start(logTo(found));
    const evidence = presenting(certificate, { verified: false, ...sent([rootX.facts]) });
    const { id } = state.answers.record('trust.peer', evidence, state.judge.verdict(evidence));
    stop();
    return { found, id };
  }
  test.each(['enforce', 'monitor'] as const)('ok/%s: an impostor is told, with the id of the answer', (enforcement) => {
    const { found, id } = answered({ enforcement });
    expect(found).toHaveLength(1);
    expect(found[0]?.[1]).toMatchObject({ peer: '192.0.2.1', agreement: 'op-b', id });
  });
});
