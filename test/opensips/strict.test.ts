/** Strict routers (RFC 2543): loose_route() writes the Request-URI into a Route as it came, behind everything that is cleaned. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshCallId } from '../support/live/caller.js';
import { expectNowhere } from '../support/live/secrets.js';
import { rowsOf, statusOf } from '../support/live/sip-text.js';
import { answerTo, BUILD, type Cast, cast } from './stage.js';

describe.skipIf(BUILD === undefined)('a Route to a strict router', () => {
  let all: Cast;
  beforeAll(async () => {
    all = await cast();
  });
  afterAll(() => all?.stop());

  /** A request within a dialog, by way of the proxy at `own`, to the strict router at `hop`. */
  async function within(who: 'user' | 'outsider', hop: string, ruri: string, method: string) {
    const { network } = all;
    const own = who === 'user' ? network.inside : network.address;
    const callId = freshCallId();
    const headers = [`Route: <sip:${own}:5060;lr>`, `Route: <sip:${hop}:5060>`];
    const terms = { callId, method, ruri, headers, to: '<sip:x@y.example>;tag=2', from: '<sip:u@z.example>;tag=1' };
    return { callId, status: statusOf(await answerTo(all[who], terms)) };
  }

  const TAILS = [';cpc=', '?P-Asserted-Identity=', ';user=phone;oli='];
  const METHODS = ['INVITE', 'INFO'];
  const cases = TAILS.flatMap((tail) => METHODS.map((method) => [tail, method] as const));

  it.each(cases)('fail/our user, with %s in the Request-URI of an %s: no stranger gets it', async (tail, method) => {
    const { stranger } = all;
    const { status } = await within('user', stranger.host, `sip:x@${stranger.host}:5060${tail}secret`, method);
    expectNowhere('secret', stranger.got);
    expect(status).toBeGreaterThanOrEqual(400);
  });

  it.each(cases)(
    'fail/a stranger, with %s in the Request-URI of an %s: our side does not get it',
    async (tail, method) => {
      const { network } = all;
      const { status } = await within('outsider', network.called, `sip:x@${network.called}:5060${tail}forged`, method);
      expectNowhere('forged', network.uas.got);
      expect(status).toBeGreaterThanOrEqual(400);
    },
  );

  it('ok/without such a thing it goes on, and so does what our own side says to itself', async () => {
    const { network, stranger } = all;
    const plain = `sip:x@${stranger.host}:5060;transport=udp`;
    const { callId, status } = await within('user', stranger.host, plain, 'INFO');
    expect(status).toBe(200);
    expect(rowsOf(stranger.find(callId, 'INFO') ?? '', 'Route')).toEqual([`<${plain}>`]);
    const inside = await within('user', network.called, `sip:x@${network.called}:5060;cpc=ordinary`, 'INFO');
    expect(inside.status).toBe(200);
  });
});
