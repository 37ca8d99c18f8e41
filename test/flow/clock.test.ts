/** A clock that is set back under a running proxy, as where a machine starts with the time of another zone. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, request } from '../support/live/caller.js';
import { withPartnerB } from '../support/live/daemon.js';
import { builds } from '../support/live/kamailio.js';
import { Network } from '../support/live/network.js';
import { eventually } from '../support/live/places.js';
import { expectRelayed } from '../support/live/relayed.js';
import { statusOf } from '../support/live/sip-text.js';
import { TlsUas } from '../support/live/uas.js';

describe.each(builds('full'))('a clock that was two hours ahead, Kamailio $version', (build) => {
  let network: Network;
  let place: TlsUas;
  let target: string;
  let user: Caller;
  let partner: Caller;

  beforeAll(async () => {
    network = await Network.start({
      build,
      policy: (standard, host) => withPartnerB(standard, { targets: [`${host(10)}:5061`], require_tls: true }),
    });
    target = `tls:${network.host(10)}:5061`;
    user = await network.ownUser();
    partner = await network.overTls(network.certificateOfA());
  }, 60_000);
  afterAll(async () => {
    place?.stop();
    await network?.stop();
  });

  /** What the proxy would have written down in two hours, by the clock as it is now. */
  function setAhead(): void {
    const { cscf } = network;
    const later = String(Math.floor(Date.now() / 1000) + 7_200);
    cscf.rpc('htable.seti', 'siptrust_primed', target, later);
    cscf.rpc('htable.seti', 'siptrust_due', target, '0');
    cscf.rpc('pv.shvSet', 'siptrust_list', 'int', later);
    cscf.rpc('pv.shvSet', 'siptrust_heard', 'int', later);
  }

  async function called(): Promise<void> {
    const callId = freshCallId();
    partner.send(request({ callId }));
    expect(statusOf(await partner.final(callId))).toBe(200);
  }

  it('ok/a partner that did not answer an OPTIONS of then is looked for again, and called with identities', async () => {
    setAhead();
    const identity = network.pki.certificate({ issuer: network.cast.operatorB, names: ['DNS:b.example'] });
    place = await TlsUas.start(network.host(10), identity);
    await network.proven('b.example', 40_000);
    const sent = request({
      ...{ ruri: 'sip:bob@b.example', transport: 'UDP', callId: freshCallId() },
      headers: ['P-Asserted-Identity: <sip:carol@own.example>'],
    });
    user.send(sent);
    const callId = /Call-ID: (\S+)/.exec(sent)?.[1] ?? '';
    expect(statusOf(await user.final(callId))).toBe(200);
    expectRelayed(await place.received(callId, 'INVITE'), sent);
  });

  it('ok/what is known of a connection since then is asked for again', async () => {
    await called();
    const asked = () => network.daemon.decisions().filter(({ src }) => src === partner.source).length;
    const before = await eventually('it was asked for', () => asked() > 0 && asked());
    setAhead();
    await eventually('it is asked for again', async () => {
      await called();
      return asked() > before;
    });
  });
});
