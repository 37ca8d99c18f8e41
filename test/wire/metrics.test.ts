/** GET /metrics of a daemon with partners, strangers, pins and lists: what it says, to whom, and what it costs. */

import { execFileSync } from 'node:child_process';
import { afterEach, describe, expect, test } from 'vitest';
import { NO_AUDIT_LOG } from '../../src/log/audit.js';
import type { DaemonSettings } from '../../src/policy/settings/daemon-settings.js';
import { DEFAULT_SETTINGS } from '../../src/policy/settings/settings.js';
import { openListeners } from '../../src/rpc/listeners/listeners.js';
import { METRICS } from '../../src/rpc/metrics/table.js';
import { PolicyHolder } from '../../src/state/policy/holder.js';
import { type TrustState, trustState } from '../../src/state/trust/trust-state.js';
import type { Agreement } from '../../src/trust/agreement/agreement.js';
import type { Snapshot } from '../../src/trust/agreement/snapshot.js';
import { DAY, ext, leaf, NOW, root } from '../support/certificates.js';
import { question } from '../support/evidence.js';
import { agreementWith, snapshotWith } from '../support/snapshot.js';
import { http, portOf } from '../support/wires.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const ca = root({ subject: 'O=Operator B,CN=B CA', notBefore: NOW - DAY, notAfter: NOW + 10 * DAY });
// A CA by the same name with another key.
const otherCa = root({ subject: 'O=Operator B,CN=B CA', notBefore: NOW - DAY, notAfter: NOW + 10 * DAY });
const names = { altNames: ext.altNames([{ dns: 'b.example' }]) };
const peer = leaf(ca, { extensions: names, notBefore: NOW - DAY, notAfter: NOW + DAY });
const impostor = leaf(otherCa, { extensions: names, notBefore: NOW - DAY, notAfter: NOW + DAY });

interface Opened {
  readonly port: number;
  readonly state: TrustState;
  readonly holder: PolicyHolder;
}

async function open(
  agreements: readonly Agreement[],
  metrics: DaemonSettings['access']['metrics'] = 'open',
  policy: () => { readonly ok: boolean } = () => ({ ok: true }),
): Promise<Opened> {
  const off = { netstring: undefined, https: undefined, unix: undefined, viewer: undefined, fifo: undefined };
  const settings: DaemonSettings = {
    ...DEFAULT_SETTINGS,
    listen: { ...DEFAULT_SETTINGS.listen, ...off, http: { address: '127.0.0.1', port: 0 } },
    access: { ...DEFAULT_SETTINGS.access, metrics },
  };
  const holder = PolicyHolder.open((revision) => {
    if (!policy().ok) return { ok: false, problems: ['bad.yaml:1:1: error: bad'] };
    const snapshot: Snapshot = { ...snapshotWith(agreements), revision };
    return { ok: true, snapshot, settings, warnings: ['a warning'] };
  }, NOW);
  if ('problems' in holder) throw new Error('expected a policy');
  const state = trustState({ policy: holder, clock: () => NOW });
  const log = {
    ...{ error: () => {}, warn: () => {}, info: () => {}, debug: () => {}, setLevel: () => {} },
    ...{ level: () => 'info' as const, close: async () => {} },
  };
  const audit = NO_AUDIT_LOG;
  const opened = await openListeners(settings, { state, log, audit, reload: () => state.changes.reload() });
  if ('failed' in opened) throw new Error(opened.failed);
  cleanups.push(() => opened.close(0));
  return { port: portOf(opened.addresses[0] ?? ''), state, holder };
}

const get = (port: number, path = '/metrics') => http(port, { path, method: 'GET' });
const ask = (port: number, method: string, params: object = {}) =>
  http(port, { body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }) });

/** Samples by the text before the value. */
function samplesOf(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

const opB = () => agreementWith({ name: 'op-b', anchors: { client: [ca.facts], server: [ca.facts] }, pinned: false });

describe('what /metrics says', () => {
  test('ok/verdicts, alarms, questions, policy, expiry', async () => {
    let good = true;
    const { port, state } = await open(
      [opB(), agreementWith({ name: 'op-c', domains: ['c.example'], enabled: false })],
      'open',
      () => ({ ok: good }),
    );
    for (const pem of [peer.pem, peer.pem, impostor.pem]) await ask(port, 'trust.peer', question(pem));
    await ask(port, 'trust.peer', { direction: 'in', proto: 'udp', src_ip: '192.0.2.1' });
    await ask(port, 'cache.flush');
    await ask(port, 'trust.peer', { nonsense: 1 });
    good = false;
    await state.changes.reload();
    const { status, text, headers } = await get(port);
    expect([status, headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    const found = samplesOf(text);
    const sample = (name: string) => [name, found.get(name)];
    for (const [name, value] of [
      ['siptrust_verdicts_total{agreement="op-b",direction="in",verdict="trusted",reason="agreement-covers"}', 2],
      ['siptrust_verdicts_total{agreement="(other)",direction="in",verdict="untrusted",reason="no-tls"}', 1],
      ['siptrust_questions_total{method="trust.peer",outcome="ok"}', 4],
      ['siptrust_questions_total{method="trust.peer",outcome="error"}', 1],
      ['siptrust_questions_total{method="cache.flush",outcome="forbidden"}', 1],
      ['siptrust_questions_total{method="trust.message",outcome="ok"}', 0],
      ['siptrust_question_duration_seconds_count{method="trust.peer"}', 5],
      ['siptrust_forbidden_total{wire="http"}', 1],
      ['siptrust_http_refused_total{status="401"}', 1],
      ['siptrust_policy_problems', 1],
      ['siptrust_ready', 0],
      ['siptrust_policy_warnings', 1],
      ['siptrust_policy_loaded_timestamp_seconds', NOW / 1000],
      ['siptrust_agreements{state="enabled"}', 1],
      ['siptrust_agreements{state="disabled"}', 1],
      ['siptrust_cache_requests_total{cache="verdicts",result="hit"}', 1],
      ['siptrust_expires_timestamp_seconds{agreement="op-b",kind="anchor"}', (NOW + 10 * DAY) / 1000],
      ['siptrust_expires_timestamp_seconds{agreement="op-b",kind="peer-certificate"}', (NOW + DAY) / 1000],
    ] as const) {
      expect(sample(name)).toEqual([name, value]);
    }
    const alarms = [...found].filter(([name]) => name.startsWith('siptrust_alarms_total'));
    const raised = alarms.filter(([, count]) => count > 0);
    expect(raised).toEqual([[expect.stringMatching(/agreement="op-b",reason="bad-signature",outcome=""/), 1]]);
    expect([...found.keys()].some((name) => name.startsWith('process_resident_memory_bytes'))).toBe(true);
  });

  test('ok/alarms are there at 0 before the first one, of strangers and of agreements', async () => {
    const many = Array.from({ length: 5000 }, (_, at) =>
      agreementWith({ name: `op-${at}`, domains: [`d${at}.example`] }),
    );
    const { port, state } = await open(many);
    const alarms = async () =>
      new Map([...samplesOf((await get(port)).text)].filter(([name]) => name.startsWith('siptrust_alarms_total')));
    const before = await alarms();
    const name = (agreement: string) => `siptrust_alarms_total{agreement="${agreement}",reason="revoked",outcome=""}`;
    expect([before.get(name('(other)')), before.get(name('op-0')), before.get(name('op-4999'))]).toEqual([
      0,
      0,
      undefined,
    ]);
    expect([...before.values()].every((count) => count === 0)).toBe(true);
    expect(before.size).toBeLessThan(2100);
    for (const agreement of [undefined, 'op-0', 'op-4999']) {
      state.counters.verdictCounts.add(agreement, 'in', 'untrusted', 'revoked');
    }
    const after = await alarms();
    expect([after.get(name('(other)')), after.get(name('op-0')), after.get(name('op-4999'))]).toEqual([1, 1, 1]);
  });

  test('ok/a certificate of two partners counts for each: agreements are those of the policy', async () => {
    const opC = { ...opB(), name: 'op-c', domains: ['c.example'] };
    const { port } = await open([opB(), opC]);
    const both = ext.altNames([{ dns: 'b.example' }, { dns: 'c.example' }]);
    const hub = leaf(ca, { extensions: { altNames: both }, notBefore: NOW - DAY, notAfter: NOW + DAY });
    await ask(port, 'trust.peer', question(hub.pem));
    const found = [...samplesOf((await get(port)).text)].filter(([name]) => name.startsWith('siptrust_verdicts_total'));
    const counted = (agreement: string) => [
      `siptrust_verdicts_total{agreement="${agreement}",direction="in",verdict="trusted",reason="agreement-covers"}`,
      1,
    ];
    expect(found.filter(([, count]) => count > 0)).toEqual([counted('op-b'), counted('op-c')]);
  });

  test('ok/alarms of messages, whatever the verdict on their sender', async () => {
    const { port } = await open([opB()]);
    const INVITE = { direction: 'in', message: 'request', method: 'INVITE', ruri: 'sip:bob@a.example' };
    const assertsOurs = 'From: <sip:x@b.example>;tag=1\r\nP-Asserted-Identity: <sip:alice@a.example>\r\n';
    await ask(port, 'trust.message', { ...question(peer.pem), ...INVITE, headers: assertsOurs });
    const breaksIn = 'From: <sip:x@x.example>;tag=1\r\nP-DCS-OSPS: BLV\r\n';
    const stranger = { proto: 'udp', src_ip: '192.0.2.1' };
    await ask(port, 'trust.message', { ...stranger, ...INVITE, headers: breaksIn });
    // An answer of a call that was diverted back to us, with something lesser in front.
    const diverted =
      'From: <sip:x@a.example>;tag=1\r\nP-Asserted-Identity: <sip:x@else.example>, <sip:alice@a.example>\r\n';
    const answered = { direction: 'in', message: 'response', status: 200 };
    await ask(port, 'trust.message', { ...question(peer.pem), ...answered, headers: diverted });
    const found = samplesOf((await get(port)).text);
    const raised = [...found].filter(([name, count]) => name.startsWith('siptrust_alarms_total') && count > 0);
    expect(raised.sort()).toEqual([
      ['siptrust_alarms_total{agreement="(other)",reason="operator-service",outcome="refused"}', 1],
      ['siptrust_alarms_total{agreement="op-b",reason="assert-own",outcome="edited"}', 1],
      ['siptrust_alarms_total{agreement="op-b",reason="assert-own",outcome="refused"}', 1],
    ]);
    expect(found.get('siptrust_alarms_total{agreement="op-b",reason="operator-service",outcome="refused"}')).toBe(0);
    expect(
      found.get('siptrust_verdicts_total{agreement="op-b",direction="in",verdict="trusted",reason="agreement-covers"}'),
    ).toBe(2);
  });

  test('ok/a candidate: how much was asked, and what would change, by agreement', async () => {
    const { port, state } = await open([opB()]);
    const of = async (name: string) => samplesOf((await get(port)).text).get(name);
    expect([await of('siptrust_candidate'), await of('siptrust_candidate_asked_total')]).toEqual([0, 0]);
    state.candidate.take('/candidate.yaml', { snapshot: snapshotWith([]), settings: DEFAULT_SETTINGS }, NOW, 300_000);
    for (const pem of [peer.pem, peer.pem]) await ask(port, 'trust.peer', question(pem));
    await ask(port, 'trust.peer', { direction: 'in', proto: 'udp', src_ip: '192.0.2.1' });
    await expect.poll(() => of('siptrust_candidate_asked_total')).toBe(3);
    expect(await of('siptrust_candidate_changed_total')).toBe(2);
    expect(await of('siptrust_candidate_changes{agreement="op-b"}')).toBe(2);
    state.candidate.drop();
    expect([await of('siptrust_candidate'), await of('siptrust_candidate_changes{agreement="op-b"}')]).toEqual([
      0,
      undefined,
    ]);
  });

  test('ok/every metric of the table is declared, and no other of ours', async () => {
    const { port } = await open([opB()]);
    const { text } = await get(port);
    const declared = [...text.matchAll(/^# TYPE (siptrust_[a-z_]+) ([a-z]+)$/gm)].map(([, name, type]) => [name, type]);
    expect(declared.sort()).toEqual(
      Object.values(METRICS)
        .map(({ name, type }) => [name, type])
        .sort(),
    );
  });

  test('ok/promtool finds nothing to say', async ({ skip }) => {
    const { port } = await open([opB()]);
    await ask(port, 'trust.peer', question(peer.pem));
    const { text } = await get(port);
    try {
      execFileSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      skip('promtool is not installed: make setup');
    }
  });

  test('ok/a scrape of many partners holds no question up: labels are bounded', async () => {
    const many = Array.from({ length: 5000 }, (_, at) =>
      agreementWith({ name: `op-${at}`, domains: [`d${at}.example`], anchors: opB().anchors }),
    );
    const { port, state } = await open(many);
    for (const { name } of many) state.counters.verdictCounts.add(name, 'in', 'trusted', 'agreement-covers');
    const { text } = await get(port);
    const series = samplesOf(text);
    const of = (metric: string) => [...series.keys()].filter((name) => name.startsWith(`${metric}{`)).length;
    expect([of('siptrust_verdicts_total'), of('siptrust_expires_timestamp_seconds')]).toEqual([2001, 2000]);
    expect(
      series.get(
        'siptrust_verdicts_total{agreement="(other)",direction="in",verdict="trusted",reason="agreement-covers"}',
      ),
    ).toBe(3000);
  });
});

describe('who gets it', () => {
  test('ok/viewer: not without a credential; off: nobody', async () => {
    expect((await get((await open([opB()], 'viewer')).port)).status).toBe(401);
    expect((await get((await open([opB()], 'off')).port)).status).toBe(404);
  });
  test('fail/DNS rebinding, POST', async () => {
    const { port } = await open([opB()]);
    expect((await http(port, { path: '/metrics', method: 'GET', headers: { Host: 'evil.example' } })).status).toBe(421);
    expect((await http(port, { path: '/metrics', body: '{}' })).status).toBe(405);
  });
});
