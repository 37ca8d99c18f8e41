import { beforeEach, describe, expect, test, vi } from 'vitest';
import { DEFAULT_SETTINGS } from '../../../../src/policy/settings/settings.js';
import {
  type ExpiryRow,
  type ExpirySources,
  expiryRowsInSteps,
  expirySummary,
} from '../../../../src/state/expiry/expiry.js';
import { noticeOf } from '../../../../src/state/expiry/notices.js';
import { ExpiryWatch } from '../../../../src/state/expiry/watch.js';
import { PeerCertificates } from '../../../../src/state/pins/peer-certificates.js';
import { Pins } from '../../../../src/state/pins/pins.js';
import { sentAuthority } from '../../../../src/state/pins/sent-authority.js';
import { PolicyHolder } from '../../../../src/state/policy/holder.js';
import type { Pin } from '../../../../src/state/store/store.js';
import { trustState } from '../../../../src/state/trust/trust-state.js';
import { atOnce } from '../../../../src/x509/der/in-steps.js';
import { ca, crl, DAY, type Issued, leaf, NOW, root } from '../../../support/certificates.js';
import { plainAgreements } from '../../../support/plain-agreements.js';
import { agreementWith, emptySnapshot } from '../../../support/snapshot.js';

const rootB = root({ subject: 'O=Operator B,CN=B Root', notAfter: NOW + 20 * DAY });
const subB = ca(rootB, { subject: 'O=Operator B,CN=B TLS CA', notAfter: NOW + 10 * DAY });
const own = leaf(rootB, { subject: 'O=Own,CN=own', notBefore: NOW - 360 * DAY, notAfter: NOW + 5 * DAY });
const peer = leaf(subB, { subject: 'O=Operator B,CN=sbc', notAfter: NOW + 3 * DAY });
const list = (nextUpdate: number, thisUpdate = NOW - 4 * DAY) => crl(subB, { thisUpdate, nextUpdate }).facts;

const pin = (over: Partial<Pin> = {}): Pin => ({
  ...{ agreement: 'op-b', spkiSha256: 'x', certificateSha256: 'y', subject: 'CN=pinned', identities: ['b.example'] },
  ...{
    notBefore: NOW - 300 * DAY,
    notAfter: NOW + 7 * DAY,
    firstSeen: NOW,
    lastSeen: NOW,
    count: 1,
    approvedAt: undefined,
  },
  ...over,
});

const anchors = { client: [rootB.facts], server: [rootB.facts] };
const opB = agreementWith({
  ...{ anchors, intermediates: [subB.facts], revocation: 'hard', crls: [list(NOW + 2 * DAY)] },
  valid: { from: Number.NEGATIVE_INFINITY, until: NOW + 15 * DAY },
});

const sources = (over: Partial<ExpirySources> = {}): ExpirySources => ({
  snapshot: { agreements: [opB], ownCertificates: [own.facts] },
  ...{ access: [], pins: [], peers: [], fetched: [], crlWarnMs: DAY },
  ...over,
});

const expiryRows = (...asked: Parameters<typeof expiryRowsInSteps>) => atOnce(expiryRowsInSteps(...asked));
const lines = (rows: readonly ExpiryRow[]) =>
  rows.map(({ what, agreement, subject, days, state }) => [what, agreement, subject, days, state].join('|'));

describe('expiryRowsInSteps', () => {
  test('ok/all that has an end, the first to end first, each once', () => {
    const seen = new PeerCertificates(() => NOW);
    seen.observe('op-b', 'in', peer.facts);
    seen.observe('op-b', 'in', peer.facts);
    const pins = [pin(), pin({ spkiSha256: 'z', notAfter: NOW - DAY, approvedAt: NOW })];
    expect(lines(expiryRows(sources({ pins, peers: seen.list() }), 30, NOW))).toEqual([
      'pin-approved|op-b|CN=pinned|-1|ended',
      'crl|op-b|CN=B TLS CA,O=Operator B (file)|2|current',
      'peer-certificate|op-b|CN=sbc,O=Operator B|3|ending',
      'own-certificate||CN=own,O=Own|5|ending',
      'pin-observed|op-b|CN=pinned|7|ending',
      'intermediate|op-b|CN=B TLS CA,O=Operator B|10|ending',
      'agreement|op-b|b.example|15|ending',
      'anchor|op-b|CN=B Root,O=Operator B|20|ending',
    ]);
  });

  test('ok/a CA that was renewed with its key: the later certificate alone', () => {
    const again = { key: rootB.key, subject: 'O=Operator B,CN=B Root' };
    const [before, after] = [root({ ...again, notAfter: NOW - DAY }), root({ ...again, notAfter: NOW + 25 * DAY })];
    const other = root({ subject: 'O=Operator B,CN=B Root', notAfter: NOW - 2 * DAY });
    const both = [after.facts, before.facts, other.facts];
    const snapshot = {
      agreements: [{ ...opB, anchors: { client: both, server: both }, intermediates: both }],
      ownCertificates: [],
    };
    const found = expiryRows(sources({ snapshot }), 30, NOW).filter(({ what }) => /anchor|intermediate/.test(what));
    expect(found.map(({ what, days }) => `${what} ${days}`)).toEqual([
      ...['anchor -2', 'intermediate -2', 'anchor 25', 'intermediate 25'],
    ]);
  });

  test('fail/one of them that is renewed for callers alone, or by what has not begun: until then nobody is trusted', () => {
    const again = { key: rootB.key, subject: 'O=Operator B,CN=B Root' };
    const old = root({ ...again, notAfter: NOW - DAY }).facts;
    const next = root({ ...again, notBefore: NOW + 5 * DAY, notAfter: NOW + 900 * DAY }).facts;
    const found = (over: Partial<typeof opB>, now = NOW) => {
      const snapshot = { agreements: [{ ...opB, intermediates: [], ...over }], ownCertificates: [] };
      return expiryRows(sources({ snapshot }), 30, now).flatMap(({ what, days }) => (what === 'anchor' ? [days] : []));
    };
    expect(found({ anchors: { client: [old], server: [rootB.facts] } })).toEqual([-1, 20]);
    expect(found({ anchors: { client: [old, next], server: [] } })).toEqual([-1]);
    expect(found({ anchors: { client: [old, next], server: [] } }, NOW + 5 * DAY)).toEqual([]);
  });

  describe('what an earlier run, or another node, saw of a partner that is silent since the start', () => {
    const kept = (spkiSha256: string, days: number, lastSeen: number, over: Partial<Pin> = {}) =>
      pin({ spkiSha256, notAfter: NOW + days * DAY, firstSeen: lastSeen, lastSeen, notBefore: undefined, ...over });
    const told = (...pins: readonly Pin[]) =>
      expiryRows(sources({ pins }), 30, NOW).flatMap(({ what, days }) => (what === 'peer-certificate' ? [days] : []));

    test('ok/is told of by its key, until a week after its end; what was seen a month ago is the past', () => {
      expect(told(kept('a', 3, NOW - 29 * DAY))).toEqual([3]);
      expect(told(kept('a', -6, NOW - 7 * DAY))).toEqual([-6]);
      expect(told(kept('a', -8, NOW - 9 * DAY))).toEqual([]);
      expect(told(kept('a', 3, NOW - 31 * DAY))).toEqual([]);
    });
    test('ok/once: this daemon has seen it, or it is approved, which is a row of its own', () => {
      expect(told(kept('a', 3, NOW - DAY, { notBefore: NOW - 9 * DAY }))).toEqual([]);
      expect(told(kept('a', 3, NOW - DAY, { approvedAt: NOW - 2 * DAY }))).toEqual([]);
    });
    test('ok/not where one that ends later was seen since, here, elsewhere, or by a clock that was ahead', () => {
      const old = kept('a', -1, NOW - 2 * DAY);
      expect(told(old, kept('b', 400, NOW - DAY))).toEqual([]);
      expect(told(old, kept('b', 400, NOW, { notBefore: NOW - DAY }))).toEqual([]);
      expect(told(old, kept('b', 400, NOW + 365 * DAY))).toEqual([]);
      expect(told(old, kept('b', 400, NOW - 3 * DAY))).toEqual([-1]);
      expect(told(old, kept('b', 400, NOW, { agreement: 'op-c' }))).toEqual([-1]);
    });
    test('ok/of two that were shown side by side, as in the two roles, each is told; for an hour it is an exchange', () => {
      const one = kept('a', 3, NOW - 2 * DAY, { firstSeen: NOW - 200 * DAY });
      const sinceWhen = (lastSeenBefore: number) =>
        kept('b', 20, NOW - DAY, { firstSeen: NOW - 2 * DAY - lastSeenBefore });
      expect(told(one, sinceWhen(DAY / 24))).toEqual([3, 20]);
      expect(told(one, sinceWhen(DAY / 24 - 1))).toEqual([20]);
      expect(told(one, sinceWhen(100 * DAY))).toEqual([3, 20]);
    });
    test('ok/of one that was replaced nothing, whatever short one came after', () => {
      const old = kept('a', 5, NOW - 20 * DAY, { firstSeen: NOW - 300 * DAY });
      const next = kept('b', 390, NOW - DAY, { firstSeen: NOW - 20 * DAY });
      expect(told(old, next, kept('c', 4, NOW, { firstSeen: NOW - DAY }))).toEqual([4]);
    });
    test('ok/takes no row from a certificate that this daemon sees', () => {
      const seen = new PeerCertificates(() => NOW);
      seen.observe('op-b', 'out', peer.facts);
      const rows = expiryRows(sources({ peers: seen.list(), pins: [kept('b', 400, NOW + 365 * DAY)] }), 30, NOW);
      expect(rows.map(({ what }) => what)).toContain('peer-certificate');
    });
  });

  test('ok/a CA that a partner sends with its certificate, and that ends before it, is told in its place', () => {
    const outer = root({ subject: 'CN=Outer', notAfter: NOW + 900 * DAY });
    const above = ca(outer, { subject: 'CN=Sent', notBefore: NOW - 300 * DAY, notAfter: NOW + 2 * DAY });
    // Signed by somebody else, and over: no path of ours leads by it.
    const crossed = ca(rootB, { subject: 'CN=Outer', key: outer.key, notBefore: NOW - 900 * DAY, notAfter: NOW - DAY });
    const { facts } = leaf(above, { subject: 'CN=d', notBefore: NOW - 30 * DAY, notAfter: NOW + 300 * DAY });
    const renewed = ca(outer, { subject: 'CN=Sent', key: above.key, notAfter: NOW + 400 * DAY });
    const seen = new PeerCertificates(() => NOW);
    const told = (...sent: readonly Issued[]) => {
      const found = sent.map((each) => each.facts);
      seen.observe('op-b', 'in', facts, sentAuthority(facts, found, [outer.facts]));
      return seen.list().map(({ subject, notAfter }) => [subject, (notAfter - NOW) / DAY]);
    };
    expect(told(above, crossed)).toEqual([['CN=Sent, sent with CN=d', 2]]);
    expect(told(above, renewed)).toEqual([['CN=d', 300]]);
    expect(told()).toEqual([['CN=d', 300]]);
  });

  test('ok/what lives for days ends soon in the last third of its life', () => {
    const short = leaf(subB, { subject: 'O=Operator B,CN=sbc', notBefore: NOW - 2 * DAY, notAfter: NOW + 4 * DAY });
    const seen = new PeerCertificates(() => NOW);
    seen.observe('op-b', 'in', short.facts);
    const state = (now: number) =>
      expiryRows(sources({ peers: seen.list() }), 30, now).find(({ what }) => what === 'peer-certificate')?.state;
    expect([NOW, NOW + 2 * DAY - 1, NOW + 2 * DAY, NOW + 4 * DAY, NOW + 4 * DAY + 1].map(state)).toEqual([
      ...['current', 'current', 'ending', 'ending', 'ended'],
    ]);
  });

  const within: readonly (readonly [days: number, at: number, found: readonly string[]])[] = [
    [0, NOW, []],
    [4, NOW, ['crl']],
    [5, NOW, ['crl', 'own-certificate']],
    [10, NOW, ['crl', 'own-certificate', 'intermediate']],
    [0, NOW + 15 * DAY, ['crl', 'own-certificate', 'intermediate', 'agreement']],
  ];
  test.each(within)('ok/within %i days', (days, at, found) => {
    expect(expiryRows(sources(), days, at).map(({ what }) => what)).toEqual(found);
  });

  test('ok/both ends are in: the last instant still holds', () => {
    const at = (now: number) => expiryRows(sources(), 5, now).find(({ what }) => what === 'own-certificate');
    expect(at(own.facts.notAfter - 5 * DAY - 1)).toBeUndefined();
    expect(at(own.facts.notAfter - 5 * DAY)?.days).toBe(5);
    expect(at(own.facts.notAfter)).toMatchObject({ days: 0, state: 'ending' });
    expect(at(own.facts.notAfter + 1)).toMatchObject({ days: -1, state: 'ended' });
  });

  test('ok/what is far off is current', () => {
    const far = leaf(rootB, { notAfter: NOW + 31 * DAY });
    const snapshot = { agreements: [], ownCertificates: [far.facts] };
    expect(expiryRows(sources({ snapshot }), 40, NOW)).toMatchObject([{ days: 31, state: 'current' }]);
  });

  const crls: readonly (readonly [name: string, over: Partial<ExpirySources>, row: string])[] = [
    ['near its end', { crlWarnMs: 2 * DAY }, '2|current'],
    ['in the last quarter of its life', { fetched: [list(NOW + DAY, NOW - 3 * DAY)] }, '1|ending'],
    ['past it', { fetched: [list(NOW - DAY, NOW - 3 * DAY)] }, '-1|ended'],
    ['replaced by one that was fetched', { fetched: [list(NOW + 9 * DAY, NOW)] }, '9|current'],
  ];
  test.each(crls)('ok/a CRL %s', (_, over, row) => {
    const found = lines(expiryRows(sources(over), 30, NOW)).filter((line) => line.startsWith('crl'));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(new RegExp(`^crl\\|op-b\\|.*\\|${row.replace('|', '\\|')}$`));
  });

  test('ok/a CRL tells which agreements it serves, each once', () => {
    const opC = { ...opB, name: 'op-c', crls: [] };
    const found = expiryRows(sources({ snapshot: { agreements: [opB, opC], ownCertificates: [] } }), 4, NOW);
    expect(found).toMatchObject([{ what: 'crl', agreement: 'op-b, op-c' }]);
  });

  test('ok/nothing of agreements that are off or gone', () => {
    const off = { agreements: [{ ...opB, enabled: false }], ownCertificates: [] };
    expect(expiryRows(sources({ snapshot: off, pins: [pin()], fetched: [] }), 30, NOW)).toEqual([]);
  });

  test('ok/the summary leaves keys out that were only seen', () => {
    const rows = expiryRows(sources({ pins: [pin({ notAfter: NOW - 9 * DAY })] }), 30, NOW + 6 * DAY);
    expect(expirySummary(rows)).toEqual({ ended: 2, ending: 3 });
  });
});

describe('PeerCertificates', () => {
  const HOUR = DAY / 24;
  const lasting = (days: number) => leaf(subB, { notBefore: NOW, notAfter: NOW + days * DAY }).facts;
  const [first, next] = [lasting(6), lasting(10)];
  let now: number;
  let seen: PeerCertificates;
  beforeEach(() => {
    now = NOW;
    seen = new PeerCertificates(() => now);
  });
  const ends = () => seen.list().map(({ notAfter }) => (notAfter - NOW) / DAY);

  test('ok/silence does not forget, until a week after the end', () => {
    seen.observe('op-b', 'in', first);
    now = NOW + 13 * DAY;
    expect(ends()).toEqual([6]);
    now += 1;
    expect(ends()).toEqual([]);
  });
  test('ok/what was replaced is forgotten an hour after it was seen last', () => {
    seen.observe('op-b', 'in', first);
    now += HOUR - 1;
    seen.observe('op-b', 'in', next);
    expect(ends()).toEqual([10, 6]);
    now += 1;
    expect(ends()).toEqual([10, 6]);
    seen.observe('op-b', 'in', next);
    expect(ends()).toEqual([10]);
  });
  test('ok/of what lives for less than a day, after a share of its life', () => {
    seen.observe('op-b', 'in', lasting(1 / 4));
    now += HOUR / 4;
    seen.observe('op-b', 'in', lasting(1 / 2));
    expect(ends()).toEqual([1 / 2]);
  });
  test('ok/two edges, each with its own: none takes the place of the other', () => {
    for (let hours = 0; hours < 48; hours += 0.5) {
      now = NOW + hours * HOUR;
      seen.observe('op-b', 'in', hours % 1 === 0 ? first : next);
      expect(ends()).toEqual(hours === 0 ? [6] : [10, 6]);
    }
  });
  test('ok/each once; in another role, of another partner, or one that ends sooner takes no place', () => {
    seen.observe('op-b', 'in', first);
    now += 9 * HOUR;
    seen.observe('op-b', 'out', next);
    seen.observe('op-c', 'in', next);
    seen.observe('op-b', 'in', lasting(5));
    expect(ends()).toEqual([10, 10, 6, 5]);
    seen.observe('op-b', 'in', next);
    expect(ends()).toEqual([10, 10, 5]);
  });
  test('ok/what was shown in both roles is replaced where it is in one, unless it is still seen in the other', () => {
    seen.observe('op-b', 'in', first);
    seen.observe('op-b', 'out', first);
    now += 9 * HOUR;
    seen.observe('op-b', 'in', next);
    seen.observe('op-b', 'out', first);
    expect(ends()).toEqual([10, 6]);
    now += HOUR;
    seen.observe('op-b', 'in', next);
    expect(ends()).toEqual([10]);
  });
  test('ok/an agreement has room for a hundred: what was seen longest ago goes, nothing of others', () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, n) => ({ ...next, sha256: `${n}`, subjectText: `CN=${n}` }));
    seen.observe('op-c', 'in', first);
    for (const facts of many(100)) seen.observe('op-b', 'in', facts);
    // The first was seen since: the second goes.
    for (const facts of [...many(1), ...many(101).slice(100)]) seen.observe('op-b', 'in', facts);
    const names = seen.list().map(({ agreement, subject }) => `${agreement} ${subject}`);
    expect(names).toHaveLength(101);
    expect(names).toEqual(expect.arrayContaining(['op-b CN=0', 'op-b CN=2', 'op-b CN=100']));
    expect(names).not.toContain('op-b CN=1');
    for (const facts of many(20_000)) seen.observe('op-b', 'in', facts);
    expect(seen.list().filter(({ agreement }) => agreement === 'op-c')).toHaveLength(1);
  });
});

describe('the running daemon', () => {
  test('ok/a partner that is silent since the start: the end of its certificate is told all the same', async () => {
    const load = () => {
      const snapshot = { ...emptySnapshot, revision: 1, agreements: plainAgreements(opB) };
      return { ok: true, snapshot, settings: DEFAULT_SETTINGS, warnings: [] } as const;
    };
    const policy = PolicyHolder.open(load, NOW);
    if ('problems' in policy) throw new Error('expected a policy');
    const log = { info: () => {}, warn: () => {} };
    const kept = pin({ notBefore: undefined, notAfter: NOW + DAY / 2, lastSeen: NOW - 5 * DAY });
    const pins = new Pins({ pins: [kept], revision: 0 }, undefined, { most: 9, clock: () => NOW, log });
    const state = trustState({ policy, pins, clock: () => NOW });
    const row = (await state.ends.rows(30)).find(({ what }) => what === 'peer-certificate');
    expect(row).toMatchObject({ agreement: 'op-b', subject: 'CN=pinned', days: 0, state: 'ending' });
    expect(noticeOf({ begins: row?.begins, ends: row?.ends ?? 0 }, NOW)).toBe(1);
  });
});

describe('the summary of the running daemon', () => {
  test('ok/is counted once a minute, and again under another policy, or by a clock that was set back', async () => {
    let now = NOW;
    let ownCertificates = [own.facts];
    const load = (revision: number) => {
      const snapshot = { ...emptySnapshot, revision, ownCertificates };
      return { ok: true, snapshot, settings: DEFAULT_SETTINGS, warnings: [] } as const;
    };
    const holder = PolicyHolder.open(load, now);
    if ('problems' in holder) throw new Error('expected a policy');
    const state = trustState({ policy: holder, clock: () => now });
    expect(await state.ends.summary()).toEqual({ ended: 0, ending: 1 });
    now = own.facts.notAfter + 1;
    expect(await state.ends.summary()).toEqual({ ended: 1, ending: 0 });
    const counted = await state.ends.summary();
    now += 59_000;
    expect(await state.ends.summary()).toBe(counted);
    now = NOW;
    expect(await state.ends.summary()).toEqual({ ended: 0, ending: 1 });
    ownCertificates = [];
    await state.changes.reload();
    expect(await state.ends.summary()).toEqual({ ended: 0, ending: 0 });
  });
});

describe('ExpiryWatch', () => {
  function told(): { readonly lines: string[]; readonly watch: ExpiryWatch } {
    const lines: string[] = [];
    const line = (level: string) => (_: string, facts?: object) => {
      const { what, days } = facts as { what: string; days: number };
      lines.push(`${level} ${what} ${days}`);
    };
    return { lines, watch: new ExpiryWatch({ warn: line('warn'), error: line('error') }) };
  }
  const snapshot = { agreements: [], ownCertificates: [own.facts] };
  const rowsAt = (now: number, over: Partial<ExpirySources> = {}) =>
    expiryRows(sources({ snapshot, ...over }), 30, now);

  test('ok/once 30, 7 and 1 days before, on the day, and when it has ended', () => {
    const { lines: found, watch } = told();
    const end = own.facts.notAfter;
    for (let hours = -40 * 24; hours <= 48; hours += 1)
      atOnce(watch.look(rowsAt(end + (hours * DAY) / 24), end + (hours * DAY) / 24));
    expect(found).toEqual([
      'warn own-certificate 30',
      'warn own-certificate 7',
      'warn own-certificate 1',
      'warn own-certificate 0',
      'error own-certificate -1',
    ]);
  });
  test('ok/after a restart, of what is under way', () => {
    const { lines: found, watch } = told();
    atOnce(watch.look(rowsAt(NOW), NOW));
    atOnce(watch.look(rowsAt(NOW), NOW));
    expect(found).toEqual(['warn own-certificate 5']);
  });
  test('ok/what was replaced is told of no more, and what took its place in its own time', () => {
    const { lines: found, watch } = told();
    atOnce(watch.look(rowsAt(NOW), NOW));
    const next = leaf(rootB, { subject: 'O=Own,CN=own', notBefore: NOW - 300 * DAY, notAfter: NOW + 60 * DAY });
    const replaced = { agreements: [], ownCertificates: [next.facts] };
    atOnce(watch.look(rowsAt(NOW, { snapshot: replaced }), NOW));
    atOnce(watch.look(rowsAt(NOW + 31 * DAY, { snapshot: replaced }), NOW + 31 * DAY));
    expect(found).toEqual(['warn own-certificate 5', 'warn own-certificate 29']);
  });
  test('ok/of keys that were only seen, and of CRLs, others tell', () => {
    const { lines: found, watch } = told();
    atOnce(watch.look(rowsAt(NOW, { snapshot: { agreements: [opB], ownCertificates: [] }, pins: [pin()] }), NOW));
    expect(found.map((line) => line.split(' ')[1])).toEqual(['intermediate', 'agreement', 'anchor']);
  });

  /**
   * A partner that calls from 8 to 18 and has what lives for six days, looked at each hour for a month.
   * @param renewed hours from one to the next; the last is never renewed @returns what is told
   */
  async function month(renewed: number): Promise<readonly string[]> {
    const { lines: found, watch } = told();
    let now = NOW;
    const clock = () => now;
    const seen = new PeerCertificates(clock);
    const log = { warn: vi.fn(), info: vi.fn() };
    const pins = new Pins({ pins: [], revision: 0 }, undefined, { most: 9, clock, log });
    const bearing = (begins: number) =>
      leaf(subB, { subject: 'O=Operator B,CN=sbc', notBefore: begins, notAfter: begins + 6 * DAY, key: peer.key });
    const shown = Array.from({ length: Math.ceil((30 * 24) / renewed) }, (_, turn) =>
      bearing(NOW + (turn * renewed * DAY) / 24),
    );
    for (let hours = 0; hours < 30 * 24; hours += 1) {
      now = NOW + (hours * DAY) / 24;
      const { facts } = shown[Math.floor(hours / renewed)]!;
      if (hours % 24 < 10 && now <= facts.notAfter) {
        seen.observe('op-b', 'in', facts);
        pins.observe('op-b', facts);
      }
      if (hours === 0) await pins.approve([{ agreement: 'op-b', spkiSha256: facts.spkiSha256 }]);
      const rows = ofPartner(seen, pins, now);
      expect(rows.map(({ what }) => what)).toContain('pin-approved');
      atOnce(watch.look(rows, now));
    }
    return found;
  }

  test('ok/a renewal that goes as it should is told of by nobody, of the pin neither', async () => {
    expect(await month(4 * 24)).toEqual([]);
  });
  test('ok/nor is one that comes an hour late', async () => {
    expect(await month(4 * 24 + 1)).toEqual([]);
  });
  test('ok/what nobody renews is told of to its end, though its partner sleeps at night', async () => {
    const found = await month(30 * 24);
    for (const what of ['peer-certificate', 'pin-approved']) {
      expect(found.filter((line) => line.includes(what))).toEqual([
        ...[`warn ${what} 1`, `warn ${what} 1`, `warn ${what} 0`, `error ${what} -1`],
      ]);
    }
  });

  const ofPartner = (seen: PeerCertificates, pins: Pins, now: number): readonly ExpiryRow[] =>
    expiryRows(
      sources({
        ...{ peers: seen.list(), pins: pins.list() },
        snapshot: { agreements: [agreementWith({})], ownCertificates: [] },
      }),
      30,
      now,
    ).filter(({ what }) => what.startsWith('p'));
});

describe('noticeOf', () => {
  const lives: readonly (readonly [
    name: string,
    life: number | undefined,
    months: number,
    weeks: number,
    days: number,
  ])[] = [
    ['a CA, whatever it lives', undefined, 30, 7, 1],
    ['a year', 365, 30, 7, 1],
    ['90 days', 90, 18, 7, 1],
    ['six days', 6, 1.2, 1, 0.75],
    ['a day', 1, 1 / 5, 1 / 6, 1 / 8],
  ];
  test.each(lives)('ok/%s', (_, life, ...left) => {
    const begins = life === undefined ? undefined : NOW - life * DAY;
    const at = (days: number) => noticeOf({ begins, ends: NOW }, NOW - days * DAY);
    expect(left.map((days) => at(days * 1.001))).toEqual([undefined, 30, 7]);
    expect(left.map((days) => at(days))).toEqual([30, 7, 1]);
    expect([at(0), noticeOf({ begins, ends: NOW }, NOW + 1)]).toEqual([1, 0]);
  });
});

describe('a key of which another one took the place', () => {
  const rows = (...pins: readonly Pin[]) =>
    expiryRows(sources({ pins }), 30, NOW).filter(({ what }) => what === 'pin-approved').length;
  const old = pin({ notAfter: NOW - 9 * DAY, lastSeen: NOW - 10 * DAY, approvedAt: NOW - 99 * DAY });
  test('ok/is told of no more when the next one was seen after its end', () => {
    expect(rows(old)).toBe(1);
    expect(rows(old, pin({ spkiSha256: 'z', notAfter: NOW + 99 * DAY, approvedAt: NOW }))).toBe(0);
  });
  test('fail/the next one was not approved, or is of another partner', () => {
    expect(rows(old, pin({ spkiSha256: 'z' }))).toBe(1);
    expect(rows(old, pin({ agreement: 'op-c', approvedAt: NOW }))).toBe(1);
  });
});

describe('a pin whose certificate was not seen since the start', () => {
  /** As it is loaded from a store, or comes from another node. */
  const row = (left: number, sinceSeen: number) => {
    const now = NOW + sinceSeen * DAY;
    const stored = pin({ notBefore: undefined, notAfter: now + left * DAY, lastSeen: NOW, approvedAt: NOW });
    const [found] = expiryRows(sources({ pins: [stored] }), 99, now).filter(({ what }) => what === 'pin-approved');
    return [found?.state, found && noticeOf(found, now)];
  };
  test('ok/while its partner calls somewhere nothing is told of it', () => {
    expect([6, 2, 0.5, 0.01].map((left) => row(left, 0))).toEqual(Array(4).fill(['current', undefined]));
  });
  test('ok/when nobody sees it any more it is told of in the last shares of what is known of its life', () => {
    expect(row(2, 4)).toEqual(['ending', undefined]);
    expect(row(1.2, 4.8)).toEqual(['ending', 30]);
    expect(row(0.75, 5.25)).toEqual(['ending', 1]);
    expect(row(29, 336)).toEqual(['ending', 30]);
  });
  test('ok/its end is always told', () => {
    expect(row(-0.01, 1)).toEqual(['ended', 0]);
    expect(row(-0.01, 0)).toEqual(['ended', 0]);
  });
});
