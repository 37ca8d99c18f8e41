/** What a large message costs a real Kamailio with the plugin, in processor time of its processes (G-9). */

import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { longestShare, sharesOf } from '../../support/cpu-time.js';
import { type Caller, freshCallId, request } from '../../support/live/caller.js';
import { builds } from '../../support/live/kamailio.js';
import { Network } from '../../support/live/network.js';
import { headerOf, statusOf } from '../../support/live/sip-text.js';
import { Uas } from '../../support/live/uas.js';
import { REPEATED, ROWS } from '../../support/repeated.js';

describe.each(builds('full'))(
  'G-9, Kamailio $version: 64 KB of one unit cost three times what plain text of that size costs, at most',
  (build) => {
    let network: Network;
    beforeAll(async () => {
      network = await Network.start({ build });
    });
    afterAll(() => network?.stop());

    const SIZE = 60_000;
    const MOST = 3;
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
        // Rows by the thousand of our own side cost Kamailio itself more than anything here.
        for (const unit of way === 'in' ? [...REPEATED, ...ROWS] : REPEATED) {
          const text = unit.repeat(Math.ceil(SIZE / unit.length)).slice(0, SIZE);
          let share = Number.POSITIVE_INFINITY;
          // Each beside plain text of the same moment: what a processor does at a time differs by half.
          for (let time = 0; time < 6 && share > MOST; time += 1)
            share = (await cost(caller, rows(text), ruri)) / (await cost(caller, rows('x'.repeat(SIZE)), ruri));
          if (share > MOST) found.push(`${place} of ${JSON.stringify(unit)}: ${share.toFixed(1)}`);
        }
      }
      party.stop();
      expect(found).toEqual([]);
    });
  },
);
