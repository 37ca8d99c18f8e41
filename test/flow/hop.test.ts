/** The hop itself: no TLS, no certificate, no trust (rulebook §10.1). */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, request } from '../support/live/caller.js';
import { builds } from '../support/live/kamailio.js';
import { Network } from '../support/live/network.js';
import { expectRelayed } from '../support/live/relayed.js';
import { statusOf } from '../support/live/sip-text.js';

const PAI = 'P-Asserted-Identity: "Alice" <sip:alice@a.example>';

describe.each(builds('smoke'))('the hop, Kamailio $version', (build) => {
  let network: Network;

  beforeAll(async () => {
    network = await Network.start({ build });
  });
  afterAll(() => network?.stop());

  /** Sends the request and gives what the called party got; the call itself must succeed. */
  async function arrives(caller: Caller, terms: Parameters<typeof request>[0]): Promise<{ sent: string; got: string }> {
    const callId = freshCallId();
    const sent = request({ callId, ...terms });
    caller.send(sent);
    expect(statusOf(await caller.final(callId))).toBe(200);
    return { sent, got: await network.uas.received(callId, 'INVITE') };
  }

  it('ok/a listed peer over mutual TLS keeps what it asserts', async () => {
    const caller = await network.overTls(network.certificateOfA());
    const { sent, got } = await arrives(caller, { headers: [PAI, 'Privacy: id'] });
    expectRelayed(got, sent);
    expect(await network.daemon.decisionsOn(caller.source)).toMatchObject([{ verdict: 'trusted', agreement: 'op-a' }]);
  });

  it('ok/one question for a connection, whatever comes over it', async () => {
    const caller = await network.overTls(network.certificateOfA());
    const asked = network.cscf.statistic('siptrust_asked_peer');
    for (let call = 0; call < 5; call += 1) await arrives(caller, { headers: [PAI] });
    expect(network.cscf.statistic('siptrust_asked_peer')).toBe(asked + 1);
    expect(network.cscf.statistic('siptrust_asked_message')).toBe(0);
    expect(await network.daemon.decisionsOn(caller.source)).toHaveLength(1);
  });

  it.each([
    ['UDP', (): Promise<Caller> => network.overUdp()],
    ['TCP', (): Promise<Caller> => network.overTcp()],
  ])('fail/T-1 the assertion of a listed peer over plain %s goes', async (transport, connect) => {
    const asked = network.cscf.statistic('siptrust_asked_peer');
    const { sent, got } = await arrives(await connect(), { headers: [PAI, 'Subject: hello'], transport });
    expectRelayed(got, sent, ['P-Asserted-Identity']);
    expect(network.cscf.statistic('siptrust_asked_peer')).toBe(asked);
  });

  it('fail/T-2 the source address of a listed peer proves nothing', async () => {
    const source = network.host(30);
    const trusted = await network.overTls(network.certificateOfA(), source);
    await arrives(trusted, { headers: [PAI] });
    const { sent, got } = await arrives(await network.overUdp(source), { headers: [PAI], transport: 'UDP' });
    expectRelayed(got, sent, ['P-Asserted-Identity']);
  });

  it('fail/T-5 Via and sips claim TLS, the message came over TCP', async () => {
    const terms = { headers: [PAI], transport: 'TLS', ruri: 'sips:bob@own.example' };
    const { sent, got } = await arrives(await network.overTcp(), terms);
    expectRelayed(got, sent, ['P-Asserted-Identity']);
  });

  it('fail/T-6 a TLS client without certificate', async () => {
    const caller = await network.overTls();
    const { sent, got } = await arrives(caller, { headers: [PAI] });
    expectRelayed(got, sent, ['P-Asserted-Identity']);
    const decisions = await network.daemon.decisionsOn(caller.source);
    expect(decisions).toMatchObject([{ verdict: 'untrusted', reasons: ['no-client-cert'] }]);
  });
});
