/** What siptrust costs a request on OpenSIPS, beside the same script without it. */

import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ASSERTED, BUILD, theBuild } from '../../opensips/stage.js';
import { type Caller, request } from '../../support/live/caller.js';
import { OpensipsNetwork } from '../../support/live/opensips-network.js';

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

  /** Milliseconds for `count` requests with these rows, `depth` of them under way at a time; undefined: not all were answered. */
  async function timed(caller: Caller, count: number, rows: readonly string[], depth = 8): Promise<number | undefined> {
    const before = caller.answers.length;
    const start = performance.now();
    for (let sent = 0; sent < count; ) {
      const batch = Math.min(depth, count - sent);
      for (let i = 0; i < batch; i++) caller.send(request({ method: 'OPTIONS', headers: rows }));
      sent += batch;
      const end = performance.now() + 5_000;
      while (caller.answers.length < before + sent) {
        if (performance.now() > end) return undefined;
        await setImmediate();
      }
    }
    return performance.now() - start;
  }

  /** The same on connections of `connect`: one that loses answers gives way to the next one. OpenSIPS 4.0.1 does, busy over TLS. */
  class Measured {
    readonly #connect: () => Promise<Caller>;

    readonly times: number[] = [];
    connections = 0;
    lost = 0;
    #caller: Caller | undefined;

    constructor(connect: () => Promise<Caller>) {
      this.#connect = connect;
    }

    async round(): Promise<void> {
      if (this.#caller === undefined) {
        this.#caller = await this.#connect();
        this.connections++;
        await timed(this.#caller, 20, [ASSERTED], 1);
      }
      const took = await timed(this.#caller, 160, [ASSERTED]);
      if (took !== undefined) return void this.times.push(took / 160);
      this.lost++;
      this.#caller.close();
      this.#caller = undefined;
    }

    /** What else runs on the machine only adds. */
    get best(): number {
      return Math.min(...this.times);
    }
  }

  it('ok/a request on a known connection costs no question, and little beside the script alone', async () => {
    const own = new Measured(() => network.tls(network.certificateOfA()));
    const alone = new Measured(() => plain.tls(plain.certificateOfA()));
    const before = network.relay.questions.length;
    for (let round = 0; round < 12 && own.lost + alone.lost < 6; round++) {
      await own.round();
      await alone.round();
    }
    const asked = network.relay.questions.length - before;
    const lost = `rounds that were not answered whole: ${own.lost} with, ${alone.lost} without; ${asked} questions`;
    console.log(`a request: ${own.best.toFixed(3)} ms with siptrust, ${alone.best.toFixed(3)} ms without; ${lost}`);
    if (theBuild().version.startsWith('4.0')) {
      // It drops busy TLS connections, with and without siptrust; what is read off a connection that is gone is asked about.
      expect(asked).toBeLessThanOrEqual(own.connections + 8 * own.lost);
    } else {
      expect(own.lost + alone.lost).toBe(0);
      expect(asked).toBe(own.connections);
    }
    expect(own.best / alone.best).toBeLessThan(12);
  });

  it('ok/a message that is built to be slow costs little more than plain filler', async () => {
    const caller = await network.tcp();
    const size = 30_000;
    const cost = async (unit: string): Promise<number> => {
      const row = `X-Filler: ${unit.repeat(Math.floor(size / unit.length))}`;
      const times = [];
      for (let i = 0; i < 5; i++) times.push((await timed(caller, 1, [row], 1)) ?? Number.POSITIVE_INFINITY);
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
