/** Answers that the script parks (t_suspend in an onreply_route): another message goes on with them, in a process that has looked at others since. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Caller } from '../../support/live/caller.js';
import { builds } from '../../support/live/kamailio.js';
import type { Network } from '../../support/live/network.js';
import { answered } from '../../support/live/party.js';
import { eventually } from '../../support/live/places.js';
import { expectNowhere, privateRows } from '../../support/live/secrets.js';
import { rowsOf, statusOf } from '../../support/live/sip-text.js';
import { Stage } from '../../support/live/stage.js';

describe.each(builds('full'))('answers that the script parks, Kamailio $version', (build) => {
  let stage: Stage;
  let network: Network;
  let stranger: Caller;
  let mild: Caller;

  beforeAll(async () => {
    stage = await Stage.start({
      build,
      script: 'test/support/live/parked.cfg',
      // A network whose agreement has ended: it is not trusted, and may see who is called where nobody asks for privacy.
      policy: (standard) => {
        const [a, b] = standard.agreements;
        const ended = { valid: { from: '2020-01-01', until: '2021-01-01' }, privacy: 'rfc3325' };
        return { ...standard, agreements: [{ ...a, ...ended }, b] };
      },
    });
    ({ network } = stage);
    stranger = await network.overTls();
    mild = await network.overTls(network.certificateOfA());
  });
  afterAll(() => stage?.stop());

  /** The answer to a call of a stranger is parked, another one is cleaned for somebody else, and then it goes on. */
  async function parked(what: string, how: string): Promise<string> {
    network.uas.options = { extra: privateRows('private') };
    const callId = stage.send(stranger, 'tls', { headers: [`Subject: ${what}`] });
    await eventually('it is parked', () => network.cscf.rpc('htable.dump', 'parked').includes(what));
    network.uas.options = { extra: ['P-Asserted-Identity: <sip:bob@own.example>'] };
    const other = await mild.final(stage.send(mild, 'tls', { method: 'MESSAGE' }));
    expect(rowsOf(other, 'P-Asserted-Identity')).toHaveLength(1);
    network.uas.options = {};
    await stage.user.final(stage.send(stage.user, 'udp', { method: 'MESSAGE', headers: [`Subject: ${how}`] }));
    network.cscf.rpc('htable.flush', 'parked');
    return callId;
  }

  it.each(['in a request', 'in an answer'])('ok/gone on with %s: comes, stripped', async (how) => {
    expect(statusOf(await stranger.final(await parked('park', how)))).toBe(200);
    expectNowhere('private', stranger.answers);
  });

  it.each(['in a request', 'in an answer'])(
    'fail/what the script appends to it %s is not sent, whoever was answered last',
    async (how) => {
      const held = network.cscf.statistic('siptrust_not_sent');
      await parked('park and append', how);
      await eventually(
        'it is held or sent',
        () =>
          network.cscf.statistic('siptrust_not_sent') > held ||
          stranger.answers.some((text) => text.includes('secret')),
      );
      expectNowhere('secret', stranger.answers);
    },
  );

  it('fail/nor is it where another process goes on with it, at a message of the same number', async () => {
    network.uas.options = { extra: privateRows('private') };
    const outside = await network.overUdp();
    const callId = stage.send(stranger, 'tls', { headers: ['Subject: park and append'] });
    await eventually('it is parked', () => network.cscf.rpc('htable.dump', 'parked').includes('park and append'));
    stage.stranger.answer = (got) => [answered(got, '200 OK', ['Privacy: user'])];
    await mild.final(stage.send(mild, 'tls', { method: 'MESSAGE', ruri: stage.stranger.uri('udp') }));
    const held = network.cscf.statistic('siptrust_not_sent');
    for (let status = 404; status === 404; ) {
      const headers = ['Subject: of that number'];
      status = statusOf(await outside.final(stage.send(outside, 'udp', { method: 'OPTIONS', headers })));
    }
    await eventually(
      'it is held or sent',
      () =>
        network.cscf.statistic('siptrust_not_sent') > held || stranger.answers.some((text) => text.includes(callId)),
    );
    expectNowhere('secret', stranger.answers);
  });
});
