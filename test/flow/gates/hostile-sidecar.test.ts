/**
 * Sidecars that answer wrongly, or not at all: a line with anything wrong in it is no answer, nothing is injected, what
 * needs a plan does not pass, and nobody waits twice (G-4, G-6, G-17).
 */

import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ANSWER_PATTERN } from '../../../src/sip/script/index.js';
import { type Caller, freshCallId, request } from '../../support/live/caller.js';
import { type Answer, FakeSidecar, lineOf } from '../../support/live/fake-sidecar.js';
import { builds } from '../../support/live/kamailio.js';
import { Network } from '../../support/live/network.js';
import { Party } from '../../support/live/party.js';
import type { Identity } from '../../support/live/pki.js';
import { eventually } from '../../support/live/places.js';
import { expectNowhere, privateRows } from '../../support/live/secrets.js';
import { statusOf } from '../../support/live/sip-text.js';

const FORGED = privateRows('forged');
/** A row that no list can clean. */
const EMBEDDED = 'Refer-To: <sip:carol@own.example?P-Asserted-Identity=%3Csip%3Aforged%40own.example%3E>';
/** What a partner may say. */
const ASSERTED = ['P-Asserted-Identity: <sip:forged@a.example>'];
const REVISION = 1_000_000;
const GOOD = {
  ...{ verdict: 'trusted', trusted: 1, action: 'continue', profile: 'trusted', agreement: 'op-a', code: 0, phrase: '' },
  ...{ reason: 'ok', id: 'x', ttl: 1, revision: REVISION, per: 'connection', asserts: ['a.example', 'own.example'] },
};
const HOP = { domain: 'd.example', require_tls: 0, agreement: '', action: 'continue', code: 0, reason: '', ttl: 5 };
const PLAN = { action: 'continue', trusted: 0, code: 0, phrase: '', revision: REVISION, ruri: '' };
const STATUS = lineOf('core.status', { revision: REVISION, stranger: 'untrusted', sockets: [] });

/** What may stand in the place of a field. */
const WRONG: readonly string[] = [
  ...['', '0', '-1', '7', '6;trusted', 'null', '[]', '{"trusted":1}', 'x', 'trusted', 'a|b', '|||||', '$fU', '$$', "'"],
  ...['"x"', '%', '%00', '%0d%0aX-Injected:%20forged', '\r\nX-Injected: forged', '\0', '\x80', 'x'.repeat(5000)],
];
const isLine = (line: string): boolean => new RegExp(ANSWER_PATTERN, 'i').test(line);

/** The line with each of its fields, and each part of a field, wrong in turn; those that are right after all left out. */
function spoiled(line: string): readonly string[] {
  const parts = line.split(/([;|,])/);
  const lines = parts.flatMap((part, at) =>
    /^[;|,]$/.test(part)
      ? ['', ':', '\0'].map((other) => parts.with(at, other).join(''))
      : WRONG.map((other) => parts.with(at, other).join('')),
  );
  const cut = Array.from({ length: 5 }, (_, index) => line.slice(0, Math.floor((line.length * index) / 5)));
  const more = [
    `${line}x`,
    `${line}\n`,
    `x${line}`,
    `${line}${line}`,
    line.replace(/;.$/, `;${'x,'.repeat(1_500_000)};.`),
  ];
  return [...new Set([...lines, ...cut, ...more])].filter((each) => !isLine(each));
}

describe.each(builds('full'))('hostile sidecars, Kamailio $version', (build) => {
  let network: Network;
  let fake: FakeSidecar;
  let stranger: Caller;
  let user: Caller;
  /** Made once: the sidecar of these tests answers nobody while openssl makes one. */
  let partner: Identity;
  let outside: Party;
  /** Answers by method; what is missing is an error. */
  let lines: Record<string, string> = {};
  /** What the next questions about peers are answered, one each. */
  let queue: string[] = [];
  /** Methods that were asked and are not answered. */
  let silent: readonly string[] = [];

  const trusts = (): void => {
    lines = { 'trust.peer': lineOf('trust.peer', GOOD) };
  };

  beforeAll(async () => {
    // (Who answers here shares the machine with all the rest.)
    network = await Network.start({ build, defines: () => ({ SIPTRUST_TIMEOUT_MS: '1000' }) });
    await network.daemon.stop('SIGKILL');
    fake = await FakeSidecar.start(network.host(1));
    fake.status = { bytes: STATUS };
    fake.answer = ({ method }): Answer => {
      if (silent.includes(method)) return 'none';
      const next = method === 'trust.peer' ? queue.shift() : undefined;
      return { bytes: next ?? lines[method] ?? 'error;-32603' };
    };
    await eventually('the proxy asks it', () => network.knownRevision() === REVISION);
    partner = network.certificateOfA();
    stranger = await network.overUdp();
    user = await network.ownUser();
    const identity = network.pki.certificate({ issuer: network.cast.operatorB, names: ['DNS:stranger.example'] });
    outside = await Party.start(network.host(12), identity);
  });
  beforeEach(async () => {
    await eventually('the proxy asks it', () => !network.sidecarIsDown());
  });
  afterAll(async () => {
    outside?.stop();
    fake?.stop();
    await network?.stop();
  });

  /** An INVITE over a connection of its own: its final answer. */
  async function invite(rows: readonly string[]): Promise<string> {
    const caller = await network.overTls(partner);
    const callId = freshCallId();
    caller.send(request({ callId, headers: rows }));
    const answer = await caller.final(callId);
    caller.close();
    return answer;
  }

  it('ok/a right answer trusts', async () => {
    trusts();
    expect(statusOf(await invite(['P-Asserted-Identity: <sip:kept@a.example>']))).toBe(200);
    expect(network.uas.got.some((text) => text.includes('sip:kept@a.example'))).toBe(true);
  });

  it('fail/G-6 trust.peer, each field wrong in turn', { timeout: 300_000 }, async () => {
    const all = spoiled(lineOf('trust.peer', GOOD));
    expect(all.length).toBeGreaterThan(300);
    lines = {};
    const taken = network.cscf.statistic('siptrust_asked_peer');
    for (let from = 0; from < all.length; from += 8) {
      queue = all.slice(from, from + 8);
      // Whom a busy machine makes late is not asked before the next poll.
      await eventually('all are given', async () => {
        if (!network.sidecarIsDown()) await Promise.all(queue.map(() => invite(ASSERTED)));
        return queue.length === 0;
      });
      expectNowhere('forged', network.uas.got);
    }
    expect(network.cscf.statistic('siptrust_asked_peer')).toBe(taken);
    expect(network.cscf.running).toBe(true);
  });

  it('fail/core.status, each field wrong in turn: the policy stays, nobody is trusted by it', {
    timeout: 300_000,
  }, async () => {
    trusts();
    const all = spoiled(
      lineOf('core.status', { revision: REVISION, stranger: 'untrusted', sockets: ['udp:192.0.2.1:5060'] }),
    );
    // Each takes a poll or two: a few of each kind.
    for (const bytes of [...all.filter((_, at) => at % 9 === 0), 'garbage {', lineOf('trust.peer', GOOD)]) {
      fake.status = { bytes };
      await eventually(`the proxy takes it for none: ${bytes.slice(0, 80)}`, () => network.sidecarIsDown(), 8_000);
      expect(network.knownRevision(), bytes.slice(0, 80)).toBe(REVISION);
      fake.status = { bytes: STATUS };
      await eventually('the right one is heard', () => !network.sidecarIsDown());
    }
    expect(network.cscf.running).toBe(true);
  });

  it('fail/hop.resolve and hop.list: nothing private leaves, nothing is injected, calls go on or are refused', {
    timeout: 300_000,
  }, async () => {
    const targets = [`udp:${outside.host}:5060`, `tls:${outside.host}:5061`];
    const right = lineOf('hop.resolve', { ...HOP, revision: REVISION, targets });
    const refuses = { ...HOP, action: 'reject', code: 503, reason: 'dns-pending', revision: REVISION, targets };
    const all = [
      ...spoiled(right),
      ...spoiled(lineOf('hop.resolve', refuses)),
      lineOf('trust.peer', GOOD),
      'garbage {',
    ];
    const listed = spoiled(lineOf('hop.list', { revision: REVISION, hops: [{ ...HOP, agreement: 'op-b', targets }] }));
    fake.list = () => ({ bytes: listed[Math.floor(Math.random() * listed.length)] ?? '' });
    const taken = network.cscf.statistic('siptrust_asked_hop');
    for (const bytes of all.filter((_, at) => at % 5 === 0)) {
      lines = { 'hop.resolve': bytes, 'trust.peer': lineOf('trust.peer', GOOD).replace(';trusted;', ';x;') };
      const callId = freshCallId();
      const ruri = `sip:bob@${outside.host}:5060;transport=udp;x=${freshCallId().slice(0, 8)}`;
      user.send(request({ callId, transport: 'UDP', method: 'MESSAGE', ruri, headers: privateRows('secret') }));
      const status = statusOf(await user.final(callId));
      expect([200, 403, 408, 477, 478, 480, 500, 503], bytes.slice(0, 80)).toContain(status);
    }
    // An OPTIONS of the poll would have it, too.
    await pause(600);
    fake.list = undefined;
    expect(network.cscf.statistic('siptrust_asked_hop')).toBe(taken);
    expect(network.cscf.rpc('htable.dump', 'siptrust_wanted')).not.toContain('d.example');
    expectNowhere('secret', outside.got);
    expectNowhere('forged', outside.got);
    expectNowhere('x-injected', outside.got);
    expect(network.cscf.running).toBe(true);
  });

  it('ok/a next hop of which nothing is known any more, and then nobody answers: it leads where it led last', async () => {
    const hop = { ...HOP, agreement: 'op-b', ttl: 1, revision: REVISION };
    const leads = async () => {
      const callId = freshCallId();
      user.send(request({ callId, transport: 'UDP', method: 'MESSAGE', ruri: 'sip:bob@nowhere.invalid' }));
      return statusOf(await user.final(callId)) === 200;
    };
    lines = { 'hop.resolve': lineOf('hop.resolve', { ...hop, targets: [`udp:${outside.host}:5060`] }) };
    await eventually('it leads there', leads);
    lines = { 'hop.resolve': lineOf('hop.resolve', { ...hop, targets: [] }) };
    await eventually('it leads nowhere', async () => !(await leads()));
    silent = ['hop.resolve'];
    await eventually('it leads there again', leads);
    silent = [];
  });

  it('ok/one that is frozen is waited for once, until the poll has heard it; then the first answer counts', async () => {
    trusts();
    silent = ['trust.peer', 'trust.message', 'hop.resolve'];
    fake.status = 'none';
    fake.questions.length = 0;
    for (let call = 0; call < 6; call += 1) {
      expect(statusOf(await invite(FORGED))).toBe(200);
      expectNowhere('forged', network.uas.got);
    }
    // The poll itself may have been the one that waited.
    expect(fake.questions.filter(({ method }) => method === 'trust.peer').length).toBeLessThan(2);
    silent = [];
    fake.status = { bytes: STATUS };
    await eventually('the poll hears it', () => !network.sidecarIsDown());
    expect(statusOf(await invite(['P-Asserted-Identity: <sip:first@a.example>']))).toBe(200);
    expect(network.uas.got.some((text) => text.includes('sip:first@a.example'))).toBe(true);
    // Slow for questions alone: each of them takes the sidecar away until the next poll.
    silent = ['trust.peer', 'trust.message', 'hop.resolve'];
    fake.questions.length = 0;
    const before = fake.polls;
    for (let call = 0; call < 3; call += 1) {
      expect(statusOf(await invite(FORGED))).toBe(200);
      expect(statusOf(await invite([EMBEDDED]))).toBeGreaterThan(399);
    }
    expectNowhere('forged', network.uas.got);
    const asked = fake.questions.filter(({ method }) => method.startsWith('trust.')).length;
    expect(asked).toBeLessThanOrEqual(fake.polls - before + 1);
    silent = [];
    await eventually('the poll hears it', () => !network.sidecarIsDown());
  });

  const odd: readonly [string, string][] = [
    ['nothing', ''],
    ['no line', 'garbage {'],
    ['JSON', JSON.stringify({ jsonrpc: '2.0', id: 1, result: { ...GOOD, ...PLAN, remove: [], append: [] } })],
    ['an error', 'error;-32603'],
    ['the answer to another question', STATUS],
  ];
  it.each(odd)('fail/trust.peer and trust.message: %s', async (_name, body) => {
    lines = { 'trust.peer': body, 'trust.message': body };
    await invite(FORGED);
    await invite([EMBEDDED]);
    expectNowhere('forged', network.uas.got);
  });

  it('ok/a plan is carried out', async () => {
    const plan = {
      ...PLAN,
      remove: ['Refer-To'],
      append: [`Subject: 'a' "$fU" %0d; 5 ¤`],
      ruri: 'sip:new@own.example;x=%41',
    };
    lines = {
      'trust.peer': lineOf('trust.peer', { ...GOOD, verdict: 'untrusted', trusted: 0 }),
      'trust.message': lineOf('trust.message', plan),
    };
    expect(statusOf(await invite([EMBEDDED]))).toBe(200);
    const got = Buffer.from(network.uas.got.find((text) => text.includes("Subject: 'a'")) ?? '', 'latin1').toString();
    expect(got).toContain(`Subject: 'a' "$fU" %0d; 5 ¤\r\n`);
    expect(got).not.toContain('Refer-To');
  });

  it('fail/G-6 a plan is carried out whole or not at all', { timeout: 300_000 }, async () => {
    const plan = {
      ...PLAN,
      remove: ['Refer-To', 'X-A*'],
      append: ['Subject: forged'],
      ruri: 'sip:new@own.example;x=1',
    };
    const all = spoiled(lineOf('trust.message', plan));
    const extra = [
      ['%0d%0a;;.', '%0d%0aP-Profile-Key%3a forged%0d%0a;;.'],
      ['forged%0d%0a', 'a%0d%0aP-Profile-Key: forged%0d%0a'],
      ['forged', 'a%0aforged'],
      ['sip:new', 'sip:a%0d%0aX-Injected:%20forged'],
      ['Refer-To|r', '.*|'],
    ].map(([from = '', to = '']) => lineOf('trust.message', plan).replace(from, to));
    const untrusted = lineOf('trust.peer', { ...GOOD, verdict: 'untrusted', trusted: 0 });
    const taken = network.cscf.statistic('siptrust_asked_message');
    for (const line of [...all.filter((_, at) => at % 3 === 0), ...extra].filter((each) => !isLine(each))) {
      lines = { 'trust.peer': untrusted, 'trust.message': line };
      await invite([EMBEDDED]);
      expectNowhere('forged', network.uas.got);
      expectNowhere('x-injected', network.uas.got);
    }
    expect(network.cscf.statistic('siptrust_asked_message')).toBe(taken);
  });

  it('fail/G-6 a phrase with CRLF adds no header to the answer', async () => {
    const refusal = { action: 'reject', code: 403, phrase: 'No Way' };
    const peer = { ...GOOD, ...refusal, verdict: 'reject', trusted: 0, profile: 'strict' };
    for (const phrase of ['No\r\nX-Injected: yes', 'No%0d%0aX-Injected: yes', '$hdr(Subject)']) {
      lines = { 'trust.peer': lineOf('trust.peer', peer).replace('No Way', phrase) };
      expect(await invite([])).not.toContain('X-Injected');
      const message = lineOf('trust.message', { ...PLAN, ...refusal }).replace('No Way', phrase);
      lines = { 'trust.peer': lineOf('trust.peer', { ...GOOD, trusted: 0 }), 'trust.message': message };
      expect(await invite([EMBEDDED])).not.toContain('X-Injected');
    }
    lines = { 'trust.peer': lineOf('trust.peer', peer) };
    expect(await invite([])).toMatch(/^SIP\/2.0 403 No Way\r\n/);
  });

  it('ok/it still serves strangers', async () => {
    lines = {};
    const callId = freshCallId();
    stranger.send(request({ callId, transport: 'UDP', headers: ['Subject: bare'] }));
    expect(statusOf(await stranger.final(callId))).toBe(200);
  });
});
