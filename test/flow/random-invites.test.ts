/**
 * Random INVITEs of a stranger through the live proxy: what is well-formed arrives, less what is private; and of what is
 * not, nothing private arrives, in whatever way a reader takes it.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, udpCaller } from '../support/live/caller.js';
import { builds } from '../support/live/kamailio.js';
import { Network } from '../support/live/network.js';
import { eventually } from '../support/live/places.js';
import { type RandomInvite, randomInvite } from '../support/live/random-invites.js';
import { methodOf, type SipText, startLine, statusOf } from '../support/live/sip-text.js';
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

describe.each(builds('smoke'))('random INVITEs, Kamailio $version', (build) => {
  let network: Network;
  let caller: Caller;

  beforeAll(async () => {
    network = await Network.start({ build });
    caller = await udpCaller(network.address, 5060, network.host(20));
  });
  afterAll(async () => {
    caller?.close();
    await network?.stop();
  });

  const idOf = (text: SipText) => /z9hG4bK(r\w+)/.exec(text)?.[1];

  /** Sends them all; what came back, and what arrived, by id. */
  async function sent(wrong: boolean) {
    const random = seeded(SEED);
    const invites = new Map<string, RandomInvite>();
    for (let at = 0; at < RUNS; at += 1) {
      const id = `r${wrong ? 'w' : 'f'}${at}`;
      const invite = randomInvite(random, id, `SIP/2.0/UDP ${caller.source}`, wrong);
      invites.set(id, invite);
      caller.send(invite.text);
      if (at % BATCH !== BATCH - 1 && at !== RUNS - 1) continue;
      // A good one after each batch: when it is answered, so are most of those before that ever will be.
      const good = wrong ? [`rp${at}`] : [...invites.keys()];
      if (wrong) caller.send(randomInvite(seeded(1), `rp${at}`, `SIP/2.0/UDP ${caller.source}`, false).text);
      await eventually('the proxy answers', () => {
        const answered = new Set(caller.answers.map(idOf));
        return good.every((each) => answered.has(each));
      });
    }
    const answers = new Map(
      caller.answers.filter((text) => statusOf(text) >= 200).map((text) => [idOf(text), statusOf(text)]),
    );
    const arrived = new Map(
      network.uas.got
        .filter((text) => methodOf(text) === 'INVITE')
        .map((text) => [/^INVITE sip:(r\w+)@/.exec(startLine(text))?.[1] ?? '', text]),
    );
    return { invites, answers, arrived };
  }

  it('ok/what is well-formed arrives, less what is private', { timeout: 120_000 }, async () => {
    const { invites, answers, arrived } = await sent(false);
    for (const [id, { text, open, hidden }] of invites) {
      expect(answers.get(id), text).toBe(200);
      const got = arrived.get(id) ?? '';
      for (const row of open) expect(got, text).toContain(`\r\n${row}\r\n`);
      for (const row of hidden) expect(got, text).not.toContain(`\r\n${row}`);
      expect(privateLines(got), text).toEqual([]);
    }
  });

  it('fail/nothing private arrives in what is not', { timeout: 120_000 }, async () => {
    const { invites, arrived } = await sent(true);
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
