import { beforeEach, describe, expect, test } from 'vitest';
import { DEFAULT_SETTINGS } from '../../../../src/policy/settings/settings.js';
import { Candidate } from '../../../../src/state/verdicts/candidate.js';
import { judgePeer } from '../../../../src/trust/peer/peer.js';
import { treatmentOf } from '../../../../src/trust/verdict/treatment.js';
import { ext, leaf, NOW, root } from '../../../support/certificates.js';
import { presenting } from '../../../support/evidence.js';
import { agreementWith, snapshotWith } from '../../../support/snapshot.js';

const rootB = root({ subject: 'O=Operator B,CN=B CA' });
const peerB = leaf(rootB, { extensions: { altNames: ext.altNames([{ dns: 'b.example' }]) } }).facts;
const inForce = snapshotWith([agreementWith({ anchors: { client: [rootB.facts], server: [rootB.facts] } })]);
const strangers = snapshotWith([]);

let turns: (() => void)[];
let judged: number;
let counted: string[];
beforeEach(() => {
  turns = [];
  judged = 0;
  counted = [];
});

function candidate(snapshot = strangers): Candidate {
  return new Candidate('/candidate.yaml', { snapshot, settings: DEFAULT_SETTINGS }, NOW, 300_000, {
    judge: (...given) => {
      judged += 1;
      return judgePeer(...given);
    },
    later: (work) => void turns.push(work),
    count: (what) => void counted.push(what),
  });
}

function answered(id: string, sourceAddress = '192.0.2.1') {
  const evidence = presenting(peerB, {}, { sourceAddress });
  return { id, at: NOW, evidence, treatment: treatmentOf(judgePeer(evidence, inForce, NOW), inForce) };
}

/** Runs what waits for a turn of the event loop, until nothing does; the number of turns. */
function settle(): number {
  let count = 0;
  for (let work = turns.shift(); work !== undefined; work = turns.shift()) {
    work();
    count += 1;
  }
  return count;
}

describe('a candidate policy in the shadow', () => {
  test('ok/nothing is judged before the answer is out', () => {
    const shadow = candidate();
    shadow.observe(answered('x-1'));
    expect([judged, shadow.status().waiting]).toEqual([0, 1]);
    settle();
    expect(shadow.status()).toMatchObject({ asked: 1, changed: 1, waiting: 0, agreements: 0, file: '/candidate.yaml' });
    expect(counted).toEqual(['asked', 'changed']);
    expect(shadow.status().rows).toMatchObject([
      {
        partner: 'op-b',
        before: { verdict: 'trusted' },
        after: { verdict: 'untrusted', reason: 'not-listed' },
        count: 1,
      },
    ]);
  });
  test('ok/a candidate that says the same', () => {
    const shadow = candidate(inForce);
    shadow.observe(answered('x-1'));
    settle();
    expect(shadow.status()).toMatchObject({ asked: 1, changed: 0, rows: [] });
  });
  test('ok/a few in one turn, and the same question once', () => {
    const shadow = candidate();
    for (let at = 0; at < 100; at += 1) shadow.observe(answered(`x-${at}`));
    expect(settle()).toBe(25);
    expect([judged, shadow.status().rows[0]?.count, shadow.status().rows[0]?.last.id]).toEqual([1, 100, 'x-99']);
    shadow.flush();
    shadow.observe(answered('x-100'));
    settle();
    expect(judged).toBe(2);
  });
  test('ok/more than can be judged twice is left out, and counted', () => {
    const shadow = candidate();
    for (let at = 0; at < 1_500; at += 1) shadow.observe(answered(`x-${at}`));
    expect(shadow.status()).toMatchObject({ waiting: 1_000, leftOut: 500 });
    settle();
    expect(shadow.status()).toMatchObject({ asked: 1_000, waiting: 0, leftOut: 500 });
    shadow.observe(answered('later'));
    settle();
    expect(shadow.status().asked).toBe(1_001);
  });
});
