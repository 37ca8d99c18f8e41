/** Messages that are large, and what they may cost (rulebook T-75; G-9). */

import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { longestShare, sharesOf } from '../support/cpu-time.js';
import { type Caller, freshCallId, request } from '../support/live/caller.js';
import { builds } from '../support/live/kamailio.js';
import { Network } from '../support/live/network.js';
import { expectNothingPrivate } from '../support/live/relayed.js';
import { headerOf, statusOf } from '../support/live/sip-text.js';
import { Uas } from '../support/live/uas.js';
import { REPEATED, ROWS } from '../support/repeated.js';

const MOST_MS = 2_000;

describe.each(builds('full'))('size, Kamailio $version', (build) => {
  let network: Network;
  let trusted: Caller;
  let stranger: Caller;

  beforeAll(async () => {
    network = await Network.start({ build });
    trusted = await network.overTls(network.certificateOfA());
    stranger = await network.overTls(network.certificateOfA({ names: ['DNS:c.example'] }));
  });
  afterAll(() => network?.stop());

  async function timed(caller: Caller, sent: string): Promise<number> {
    const start = performance.now();
    caller.send(sent);
    const status = statusOf(await caller.final(headerOf(sent, 'Call-ID') ?? ''));
    expect(performance.now() - start).toBeLessThan(MOST_MS);
    return status;
  }

  const many = (count: number, line: string): readonly string[] => Array.from({ length: count }, () => line);

  it.each([
    ['200 header fields', many(200, 'X-Padding: 0123456789')],
    ['200 rows of P-Asserted-Identity', many(200, 'P-Asserted-Identity: <sip:a@a.example>')],
    ['600 values in one row', [`P-Asserted-Identity: ${many(600, '<sip:a@b.c>').join(', ')}`]],
    ['a value of 12 KB', [`P-Asserted-Identity: "${'x'.repeat(12_000)}" <sip:a@a.example>`]],
    ['a value of blanks', [`Subject: ${' \t'.repeat(5_000)}x`, 'P-Asserted-Identity: <sip:a@a.example>']],
    ['many folds', ['Subject: a', ...many(2_000, ' b'), 'P-Asserted-Identity: <sip:a@a.example>']],
    ['many semicolons', [`Subject: ${';'.repeat(10_000)}`, 'P-Asserted-Identity: <sip:a@a.example>']],
    ['many question marks', [`Subject: ${'sip:?'.repeat(2_000)}`, 'P-Asserted-Identity: <sip:a@a.example>']],
  ])('ok/T-75 %s from a stranger: bounded time, nothing private goes on', async (_what, headers) => {
    const sent = request({ headers: [...headers] });
    const status = await timed(stranger, sent);
    expect([200, 400, 503, 513]).toContain(status);
    const got = network.uas.find(headerOf(sent, 'Call-ID') ?? '', 'INVITE');
    if (status === 200) expect(got).toBeDefined();
    if (got !== undefined) expectNothingPrivate(got);
  });

  it.each([
    ['200 rows', many(200, 'P-Asserted-Identity: <sip:a@b.example>')],
    ['600 values in one row', [`P-Asserted-Identity: ${many(600, '<sip:a@b.c>').join(', ')}`]],
    ['a value of 12 KB', [`P-Asserted-Identity: "${'x'.repeat(12_000)}" <sip:a@b.example>`]],
  ])('ok/T-75 %s of foreign assertions from a partner: none goes on', async (_what, headers) => {
    const sent = request({ headers: [...headers] });
    const status = await timed(trusted, sent);
    expect([200, 400, 513]).toContain(status);
    const got = network.uas.find(headerOf(sent, 'Call-ID') ?? '', 'INVITE');
    if (got !== undefined) expectNothingPrivate(got);
  });

  it('ok/T-75 10,000 values over UDP: bounded time, and the next call is served', async () => {
    const caller = await network.overUdp();
    caller.send(request({ transport: 'UDP', headers: [`P-Asserted-Identity: ${many(10_000, '<sip:a>').join(',')}`] }));
    const next = request({ transport: 'UDP', headers: ['P-Asserted-Identity: <sip:a@a.example>'] });
    expect(await timed(await network.overUdp(), next)).toBe(200);
    expect(network.cscf.running).toBe(true);
    for (const text of network.uas.got) expectNothingPrivate(text);
  });

  describe('G-9: 64 KB of one unit cost three times what plain text of that size costs, at most', () => {
    const SIZE = 60_000;
    const PLACES: readonly (readonly [string, (text: string) => readonly string[]])[] = [
      ['a value', (text) => [`Subject: a${text}`]],
      ['a URI', (text) => [`Refer-To: <sip:a@b.example;x=${text}>`]],
      ['a list of words', (text) => [`Privacy: ${text}`]],
    ];

    /** Nanoseconds of the process that took most over it. */
    async function cost(caller: Caller, headers: readonly string[], ruri: string): Promise<number> {
      const before = sharesOf(network.cscf.pid);
      const callId = freshCallId();
      caller.send(request({ method: 'MESSAGE', transport: 'UDP', callId, ruri, headers }));
      for (let wait = 0; wait < 40; wait += 1) {
        if (caller.answers.some((text) => statusOf(text) >= 200 && headerOf(text, 'Call-ID') === callId)) break;
        await pause(5);
      }
      return longestShare(before, sharesOf(network.cscf.pid));
    }

    it.each(['in', 'out'] as const)('ok/on the way %s', { timeout: 120_000 }, async (way) => {
      const party = await Uas.start(network.host(way === 'in' ? 13 : 12));
      const caller = way === 'in' ? await network.overUdp() : await network.ownUser();
      const ruri = way === 'in' ? 'sip:bob@own.example' : `sip:bob@${party.host}:${party.port};transport=udp`;
      const found: string[] = [];
      for (const [place, rows] of PLACES) {
        const several = [];
        for (let time = 0; time < 5; time += 1) several.push(await cost(caller, rows('x'.repeat(SIZE)), ruri));
        const plain = Math.min(...several);
        // Rows by the thousand of our own side cost Kamailio itself more than anything here.
        for (const unit of way === 'in' ? [...REPEATED, ...ROWS] : REPEATED) {
          const text = unit.repeat(Math.ceil(SIZE / unit.length)).slice(0, SIZE);
          let share = Number.POSITIVE_INFINITY;
          for (let time = 0; time < 4 && share > 3; time += 1) share = (await cost(caller, rows(text), ruri)) / plain;
          if (share > 3) found.push(`${place} of ${JSON.stringify(unit)}: ${share.toFixed(1)}`);
        }
      }
      party.stop();
      expect(found).toEqual([]);
    });
  });
});
