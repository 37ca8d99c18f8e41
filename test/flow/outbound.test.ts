/** What leaves for a network that is not known to be trusted: design rule 7, rulebook G-3. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, request } from '../support/live/caller.js';
import { builds } from '../support/live/kamailio.js';
import { Network } from '../support/live/network.js';
import { expectRelayed } from '../support/live/relayed.js';
import { statusOf } from '../support/live/sip-text.js';

describe.each(builds('smoke'))('outbound, Kamailio $version', (build) => {
  let network: Network;
  let trusted: Caller;
  beforeAll(async () => {
    network = await Network.start({ build, defines: () => ({ TRANSIT: '' }) });
    trusted = await network.overTls(network.certificateOfA());
  });
  afterAll(() => network?.stop());

  it('ok/what a trusted peer asserted does not leave', async () => {
    const callId = freshCallId();
    const headers = ['P-Asserted-Identity: <sip:alice@a.example>', 'P-Charging-Vector: icid-value=1', 'Subject: hello'];
    const sent = request({ callId, headers });
    trusted.send(sent);
    expect(statusOf(await trusted.final(callId))).toBe(200);
    expectRelayed(await network.uas.received(callId, 'INVITE'), sent, ['P-Asserted-Identity', 'P-Charging-Vector']);
  });

  it('fail/what was rewritten on the way in never leaves', async () => {
    const callId = freshCallId();
    const asserted = 'P-Asserted-Identity: <sip:alice@a.example>, <sip:eve@other.example>';
    trusted.send(request({ callId, headers: [asserted] }));
    expect(statusOf(await trusted.final(callId))).toBeGreaterThanOrEqual(400);
    expect(network.uas.got.filter((message) => message.includes(callId))).toEqual([]);
  });
});
