/** Answers on their way back: what our side says in them stays inside unless the caller's network is trusted (H-1, T-70). */

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, request } from '../support/live/caller.js';
import { builds } from '../support/live/kamailio.js';
import { Network } from '../support/live/network.js';
import { eventually } from '../support/live/places.js';
import { expectNothingPrivate } from '../support/live/relayed.js';
import { headerOf, rowsOf, type SipText, statusOf } from '../support/live/sip-text.js';
import { Uas } from '../support/live/uas.js';

const BOB = '<sip:bob@own.example>';
/** A row that no list can clean: it takes a plan. */
const HIDDEN = 'Contact: <sip:carol@own.example?P-Asserted-Identity=%3Csip%3Asecret%40own.example%3E>';
const SAID = [`P-Asserted-Identity: ${BOB}`, 'Reason: SIP;cause=182;text="queued"', 'Server: kept'];

describe.each(builds('smoke'))('answers, Kamailio $version', (build) => {
  let network: Network;
  let trusted: Caller;

  beforeAll(async () => {
    // (Longer than by default, since the machine may be busy.)
    const defines = () => ({ SIPTRUST_TIMEOUT_MS: '1000' });
    network = await Network.start({ build, uas: { extra: SAID }, defines });
    trusted = await network.overTls(network.certificateOfA());
  });
  afterAll(() => network?.stop());

  /** All answers to one call: the final one, and the provisional one unless another process of the proxy was faster. */
  async function answersTo(caller: Caller, transport: string): Promise<readonly SipText[]> {
    const callId = freshCallId();
    caller.send(request({ callId, transport }));
    await caller.final(callId);
    return caller.answers.filter((text) => headerOf(text, 'Call-ID') === callId);
  }

  it('ok/a trusted caller gets to know who answers', async () => {
    const answers = await answersTo(trusted, 'TLS');
    expect(answers.map(statusOf)).toContain(200);
    for (const answer of answers) expect(rowsOf(answer, 'P-Asserted-Identity')).toEqual([BOB]);
  });

  it('ok/one that comes again when its call is forgotten, or belongs to none, leaves no line in the log', async () => {
    const rows = [`SIP/2.0/TLS ${network.address}:5061`, `SIP/2.0/UDP ${network.host(4)}:5060`].map(
      (by, at) => `Via: ${by};branch=z9hG4bKforgotten${at}`,
    );
    const dialog = ['From: <sip:bob@own.example>;tag=1', 'To: <sip:alice@a.example>;tag=2', 'Call-ID: forgotten'];
    trusted.send(['SIP/2.0 200 OK', ...rows, ...dialog, 'CSeq: 1 INVITE', 'Content-Length: 0', '', ''].join('\r\n'));
    await answersTo(trusted, 'TLS');
    expect(network.cscf.log).not.toMatch(/t_check_status/);
  });

  it('ok/so does our own side', async () => {
    for (const answer of await answersTo(await network.ownUser(), 'UDP')) {
      expect(rowsOf(answer, 'P-Asserted-Identity')).toEqual([BOB]);
      expect(rowsOf(answer, 'Reason')).toHaveLength(1);
    }
  });

  it.each([
    ['TLS, no agreement', 'TLS', () => network.overTls(network.certificateOfA({ names: ['DNS:c.example'] }))],
    ['TLS, no certificate', 'TLS', () => network.overTls()],
    ['TCP', 'TCP', () => network.overTcp()],
    ['UDP', 'UDP', () => network.overUdp()],
  ])('fail/T-70 a caller that is not trusted does not: %s', async (_what, transport, connect) => {
    const answers = await answersTo(await connect(), transport);
    expect(answers.map(statusOf)).toContain(200);
    for (const answer of answers) {
      expectNothingPrivate(answer);
      // #6: a Reason in a response does not leave.
      expect(rowsOf(answer, 'Reason')).toEqual([]);
      expect(headerOf(answer, 'Server')).toBe('kept');
    }
  });

  describe('T-80 the policy changes while it rings', () => {
    type Change = (agreement: object) => object;

    /** Calls, has something happen while it rings, gives up or waits, and gives the last answer to the call. */
    async function answered(
      end: 'gives up' | 'waits',
      happen: () => unknown,
      caller = trusted,
      more: readonly string[] = [],
    ): Promise<SipText> {
      network.uas.options = { extra: [...SAID, ...more], ringing: true };
      const callId = freshCallId();
      const branch = `z9hG4bK${callId.slice(0, 12)}`;
      caller.send(request({ callId, branch }));
      await eventually('it rings', () => caller.answers.some((text) => headerOf(text, 'Call-ID') === callId));
      await happen();
      // (The caller's own request shows its certificate again; an answer of ours shows none.)
      if (end === 'waits') network.uas.pickUp();
      else caller.send(request({ callId, branch, method: 'CANCEL' }));
      const answer = await caller.final(callId, 'INVITE');
      network.uas.options = { extra: SAID };
      return answer;
    }

    function reloaded(change: Change): Promise<void> {
      const { agreements, ...rest } = network.standardPolicy;
      return network.reload({ ...rest, agreements: agreements.map(change) });
    }

    const changed = (change: Change, end: 'gives up' | 'waits') => answered(end, () => reloaded(change));
    afterEach(() => network.reload(network.standardPolicy));

    it.each([
      ['gives up', 487],
      ['waits', 200],
    ] as const)('fail/the caller is not trusted any more, and %s: the answer is stripped', async (end, status) => {
      const answer = await changed((agreement) => ({ ...agreement, enabled: false }), end);
      expect(statusOf(answer)).toBe(status);
      expectNothingPrivate(answer);
    });

    it.each([
      ['gives up', 487],
      ['waits', 200],
    ] as const)('ok/the caller still is, and %s: the answer is whole', async (end, status) => {
      const answer = await changed((agreement) => ({ ...agreement, privacy: 'rfc3325' }), end);
      expect(statusOf(answer)).toBe(status);
      expect(rowsOf(answer, 'P-Asserted-Identity')).toEqual([BOB]);
    });

    it('ok/the verdict has ended by itself: the answer is whole', async () => {
      const answer = await answered('waits', () => network.cscf.rpc('htable.flush', 'siptrust'));
      expect(rowsOf(answer, 'P-Asserted-Identity')).toEqual([BOB]);
    });

    /** A rule of one agreement alone takes a plan. */
    const WITHOUT_HISTORY: Change = (agreement) => ({ ...agreement, headers: { 'History-Info': { out: 'remove' } } });

    const anew = async () => {
      await network.daemon.stop();
      await network.daemon.start();
      const { revision } = await network.daemon.call('core.status');
      const known = () => network.knownRevision() === Number(revision) && !network.sidecarIsDown();
      await eventually('the proxy knows', known);
    };

    it('fail/siptrustd starts anew: what a stranger gets is cleaned by a plan as before', async () => {
      const stranger = await network.overTls(network.certificateOfA({ names: ['DNS:c.example'] }));
      const answer = await answered('waits', anew, stranger, [HIDDEN]);
      expect(statusOf(answer)).toBe(200);
      expectNothingPrivate(answer);
    });

    it.each([
      ['a certificate of the anchor', [], []],
      ['one below it', ['Sub'], []],
      ['a plan', [], ['History-Info: <sip:secret@own.example>;index=1']],
    ])('ok/siptrustd starts anew: the answer is whole (%s)', async (_what, below, more) => {
      const { pki, cast } = network;
      const chain = below.map((name) => pki.authority(name, { issuer: cast.operatorA }));
      const identity = network.certificateOfA({ issuer: chain[0] ?? cast.operatorA });
      const caller = await network.overTls(pki.chained(identity, chain));
      if (more.length > 0) await reloaded(WITHOUT_HISTORY);
      const answer = await answered('waits', anew, caller, more);
      expect(rowsOf(answer, 'P-Asserted-Identity')).toEqual([BOB]);
      expect(answer).not.toContain('secret');
    });

    it('ok/nor does it change a call of a caller that is only monitored', async () => {
      const monitored: Change = (agreement) => ({ ...agreement, enforcement: 'monitor' });
      await reloaded(monitored);
      const answer = await changed((agreement) => ({ ...monitored(agreement), privacy: 'rfc3325' }), 'waits');
      expect(rowsOf(answer, 'P-Asserted-Identity')).toEqual([BOB]);
    });
  });

  it('ok/many at a time, each of which takes a plan: all of them arrive, cleaned', async () => {
    network.uas.options = { status: '302 Moved Temporarily', extra: [HIDDEN] };
    const callers = await Promise.all([network.overUdp(), network.overTcp(), network.overTls()]);
    const calls = callers.flatMap((caller) => Array.from({ length: 40 }, () => ({ caller, callId: freshCallId() })));
    for (const { caller, callId } of calls) caller.send(request({ callId }));
    for (const { caller, callId } of calls) expect(statusOf(await caller.final(callId))).toBe(302);
    for (const { answers } of callers) for (const answer of answers) expect(answer).not.toContain('secret');
  });

  it('fail/siptrustd hangs: what takes a plan does not leave, and what does not is not held up for long', async () => {
    network.daemon.signal('SIGSTOP');
    network.uas.options = { status: '302 Moved Temporarily', extra: [HIDDEN] };
    const caller = await network.overUdp();
    const callIds = Array.from({ length: 40 }, freshCallId);
    for (const callId of callIds) caller.send(request({ callId, transport: 'UDP' }));
    for (const callId of callIds) await network.uas.received(callId, 'INVITE');
    network.uas.options = { extra: SAID };
    const callId = freshCallId();
    caller.send(request({ callId, transport: 'UDP' }));
    expectNothingPrivate(await caller.final(callId));
    for (const answer of caller.answers) expect(answer).not.toContain('secret');
    network.daemon.signal('SIGCONT');
    await eventually('siptrustd is asked again', async () => {
      network.uas.options = { status: '302 Moved Temporarily', extra: [HIDDEN] };
      const again = freshCallId();
      caller.send(request({ callId: again, transport: 'UDP' }));
      return caller.final(again).then((answer) => statusOf(answer) === 302);
    });
  });

  describe('siptrustd is dead', () => {
    beforeAll(() => network.daemon.stop('SIGKILL'));

    it('fail/an answer that no list can clean does not leave', async () => {
      network.uas.options = { status: '302 Moved Temporarily', provisional: ['180 Ringing'], extra: [HIDDEN] };
      const caller = await network.overUdp();
      const callId = freshCallId();
      caller.send(request({ callId, transport: 'UDP' }));
      await network.uas.received(callId, 'INVITE');
      // The next one is clean: when its answer is there, those before it have been handled.
      network.uas.options = { extra: SAID };
      const after = freshCallId();
      caller.send(request({ callId: after, transport: 'UDP' }));
      expectNothingPrivate(await caller.final(after));
      for (const answer of caller.answers) expect(answer).not.toContain('secret');
    });

    it('fail/nor does an ACK of our own side: what no list cleans goes on bare, whatever was dropped before', async () => {
      const outside = await Uas.start(network.host(12));
      const user = await network.ownUser();
      const ruri = `sip:bob@${outside.host}:${outside.port};transport=udp`;
      const ack = (row: string) => {
        const headers = [`Route: <sip:${network.host(3)}:5060;lr>`, row];
        const terms = { method: 'ACK', ruri, to: '<sip:bob@stranger.example>;tag=1', transport: 'UDP', headers };
        const callId = freshCallId();
        user.send(request({ callId, ...terms }));
        return callId;
      };
      const bare = ack('P-Served-User: <sip:secret@own.example>\r\nSubject: \0');
      // At least one for each process that has dropped an answer.
      const kept = Array.from({ length: 12 }, () => ack('Subject: kept'));
      for (const callId of kept) await outside.received(callId, 'ACK');
      const got = await outside.received(bare, 'ACK');
      expect(headerOf(got, 'Subject')).toBeUndefined();
      expectNothingPrivate(got);
      outside.stop();
    });
  });
});
