/**
 * Random INVITEs of a stranger, and to one, through the live proxy: what is well-formed arrives, less what is private; and
 * of what is not, nothing private arrives, in whatever way a reader takes it.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Caller } from '../support/live/caller.js';
import { builds } from '../support/live/kamailio.js';
import { Network } from '../support/live/network.js';
import { eventually } from '../support/live/places.js';
import { type RandomInvite, randomInvite } from '../support/live/random-invites.js';
import { methodOf, type SipText, startLine, statusOf } from '../support/live/sip-text.js';
import { Uas } from '../support/live/uas.js';
import { seeded } from '../support/random.js';

const RUNS = Number(process.env.SIPTRUST_LIVE_RUNS ?? 500);
const SEED = Number(process.env.SIPTRUST_SEED ?? 20_261_125);
/** So many at a time. */
const BATCH = 25;

const PRIVATE =
  /^[\0- ]*(?:p-[^:\s]*|x-[^:\s]*|remote-party-id|diversion|history-info|resource-priority|security-client|service-route)[ \t]*:/i;

/** Lines of the header block that some reader takes for a private field, wherever it thinks that lines end. */
function privateLines(text: SipText): readonly string[] {
  const block = text.split('\r\n\r\n')[0] ?? '';
  return block.split(/\r\n|\r|\n/).filter((line) => PRIVATE.test(line));
}

/** The gate in unfolds, as RFC 3261 §7.3.1 lets a proxy do. */
function unfolded(text: SipText): SipText {
  return text.replace(/[ \t]*\r\n[ \t]+/g, ' ');
}

interface Way {
  readonly caller: Caller;
  /** Who is called there, and what the Request-URI says behind the @. */
  readonly callee: Uas;
  readonly to: string;
}

describe.each(builds('smoke'))('random INVITEs, Kamailio $version', (build) => {
  let network: Network;
  const ways = {} as Record<string, Way>;

  beforeAll(async () => {
    network = await Network.start({ build, defines: () => ({ TRANSIT: '' }) });
    const outside = await Uas.start(network.host(12));
    ways['of a stranger'] = { caller: await network.overUdp(), callee: network.uas, to: 'own.example' };
    const there = `${outside.host}:${outside.port};transport=udp`;
    ways['to a stranger'] = { caller: await network.ownUser(), callee: outside, to: there };
  });
  afterAll(async () => {
    ways['to a stranger']?.callee.stop();
    await network?.stop();
  });

  const idOf = (text: SipText) => /z9hG4bK(r\w+)/.exec(text)?.[1];

  /** Sends them all; what came back, and what arrived, by id. */
  async function sent({ caller, callee, to }: Way, wrong: boolean) {
    const random = seeded(SEED);
    const invites = new Map<string, RandomInvite>();
    const terms = (id: string, bad: boolean) => ({ id, to, via: `SIP/2.0/UDP ${caller.source}`, wrong: bad });
    for (let at = 0; at < RUNS; at += 1) {
      const id = `r${wrong ? 'w' : 'f'}${at}`;
      const invite = randomInvite(random, terms(id, wrong));
      invites.set(id, invite);
      caller.send(invite.text);
      if (at % BATCH !== BATCH - 1 && at !== RUNS - 1) continue;
      // A good one after each batch: when it is answered, so are most of those before that ever will be.
      const good = wrong ? [`rp${at}`] : [...invites.keys()];
      if (wrong) caller.send(randomInvite(seeded(1), terms(`rp${at}`, false)).text);
      await eventually('the proxy answers', () => {
        const answered = new Set(caller.answers.filter((text) => statusOf(text) >= 200).map(idOf));
        return good.every((each) => answered.has(each));
      });
    }
    const finals = caller.answers.filter((text) => statusOf(text) >= 200);
    const arrived = callee.got.filter((text) => methodOf(text) === 'INVITE');
    return {
      invites,
      answers: new Map(finals.map((text) => [idOf(text), statusOf(text)])),
      arrived: new Map(arrived.map((text) => [/^INVITE sip:(r\w+)@/.exec(startLine(text))?.[1] ?? '', text])),
    };
  }

  describe.each(['of a stranger', 'to a stranger'])('%s', (name) => {
    const way = (): Way => {
      const found = ways[name];
      if (found === undefined) throw new Error(`no way ${name}`);
      return found;
    };

    it('ok/what is well-formed arrives, less what is private', { timeout: 120_000 }, async () => {
      const { invites, answers, arrived } = await sent(way(), false);
      for (const [id, { text, open, hidden }] of invites) {
        expect(answers.get(id), text).toBe(200);
        const got = arrived.get(id) ?? '';
        for (const row of open) expect(unfolded(got), text).toContain(`\r\n${unfolded(row)}\r\n`);
        for (const row of hidden) expect(got, text).not.toContain(`\r\n${row}`);
        expect(privateLines(got), text).toEqual([]);
      }
    });

    it('fail/nothing private arrives in what is not', { timeout: 120_000 }, async () => {
      const { invites, arrived } = await sent(way(), true);
      let through = 0;
      for (const [id, { text }] of invites) {
        const got = arrived.get(id);
        if (got === undefined) continue;
        through += 1;
        expect(privateLines(got), text).toEqual([]);
      }
      expect(network.cscf.running).toBe(true);
      // Some of it is refused, and some is not so wrong.
      expect(through).toBeGreaterThan(RUNS * 0.1);
      expect(through).toBeLessThan(RUNS * 0.95);
    });
  });
});
