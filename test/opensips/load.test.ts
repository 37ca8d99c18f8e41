/** Many connections at a time, and what siptrust costs a request beside the same script without it. */

import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Caller } from '../support/live/caller.js';
import { request } from '../support/live/caller.js';
import { OpensipsNetwork } from '../support/live/opensips-network.js';
import { rowsOf, statusOf } from '../support/live/sip-text.js';
import { ASSERTED, BUILD, called, theBuild } from './stage.js';

/** Answers OPTIONS by itself, so that nothing but the proxy is measured. */
const ANSWER = '\tif (is_method("OPTIONS")) {\n\t\tsend_reply(200, "OK");\n\t\texit;\n\t}\n';
const FIRST = '\troute(SIPTRUST_IN);\n';

describe.skipIf(BUILD === undefined)('load', () => {
  let network: OpensipsNetwork;
  let plain: OpensipsNetwork;
  beforeAll(async () => {
    const build = theBuild();
    network = await OpensipsNetwork.start({ build, edit: (script) => script.replace(FIRST, FIRST + ANSWER) });
    plain = await OpensipsNetwork.start({ build, edit: (script) => script.replace(FIRST, ANSWER) });
  });
  afterAll(async () => {
    await network?.stop();
    await plain?.stop();
  });

  it('ok/50 TLS clients at a time: each is asked about once, partners and strangers are told apart', async () => {
    const partner = network.certificateOfA();
    const other = network.certificateOfA({ names: ['DNS:x.example'] });
    const before = network.relay.count('trust.peer');
    const callers = await Promise.all(Array.from({ length: 50 }, (_, i) => network.tls(i % 2 === 0 ? partner : other)));
    for (let round = 0; round < 3; round++) {
      const results = await Promise.all(callers.map((caller) => called(network, caller)));
      results.forEach(({ answer, arrived }, i) => {
        expect(statusOf(answer)).toBe(200);
        expect(rowsOf(arrived ?? '', 'P-Asserted-Identity').length).toBe(i % 2 === 0 ? 1 : 0);
      });
    }
    expect(network.relay.count('trust.peer') - before).toBe(50);
  });

  /** Milliseconds for `count` requests with these rows, `depth` of them under way at a time. */
  async function timed(caller: Caller, count: number, rows: readonly string[], depth = 8): Promise<number> {
    const before = caller.answers.length;
    const start = performance.now();
    for (let sent = 0; sent < count; ) {
      const batch = Math.min(depth, count - sent);
      for (let i = 0; i < batch; i++) caller.send(request({ method: 'OPTIONS', headers: rows }));
      sent += batch;
      const end = performance.now() + 20_000;
      while (caller.answers.length < before + sent) {
        if (performance.now() > end) throw new Error(`${caller.answers.length - before} of ${sent} were answered`);
        await setImmediate();
      }
    }
    return performance.now() - start;
  }

  it('ok/a request on a known connection costs no question, and little beside the script alone', async () => {
    const [own, alone] = [await network.tls(network.certificateOfA()), await plain.tls(plain.certificateOfA())];
    await timed(own, 20, [ASSERTED]);
    await timed(alone, 20, [ASSERTED]);
    const before = network.relay.questions.length;
    const costs: { readonly own: number; readonly alone: number }[] = [];
    for (let round = 0; round < 12; round++) {
      costs.push({ own: await timed(own, 160, [ASSERTED]), alone: await timed(alone, 160, [ASSERTED]) });
    }
    expect(network.relay.questions.length).toBe(before);
    // The best round of each: what else runs on the machine only adds.
    const best = (of: 'own' | 'alone'): number => Math.min(...costs.map((cost) => cost[of])) / 160;
    console.log(`a request: ${best('own').toFixed(3)} ms with siptrust, ${best('alone').toFixed(3)} ms without`);
    expect(best('own') / best('alone')).toBeLessThan(12);
  });

  it('ok/a message that is built to be slow costs little more than plain filler', async () => {
    const caller = await network.tcp();
    const size = 30_000;
    const cost = async (unit: string): Promise<number> => {
      const row = `X-Filler: ${unit.repeat(Math.floor(size / unit.length))}`;
      const times = [];
      for (let i = 0; i < 5; i++) times.push(await timed(caller, 1, [row], 1));
      return Math.min(...times);
    };
    // A row of nobody's list, so that the expressions go through all of it; what they do not settle is asked.
    const asked = await cost('?x');
    for (const unit of ['x', 'sip:', 'sip:<', ';o', ';cp', ',;i', '<sip:a?', 'a: ', ';%6', '"']) {
      const relative = (await cost(unit)) / asked;
      console.log(`${JSON.stringify(unit)}: ${relative.toFixed(2)} of a message that is asked about`);
      expect(relative, unit).toBeLessThan(10);
    }
  });
});
