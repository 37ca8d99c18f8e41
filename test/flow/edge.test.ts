/** The whole way: users (sipp) over UDP to an edge, mutual TLS between two Kamailios, and what the far side sees. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builds } from '../support/live/kamailio.js';
import { Network } from '../support/live/network.js';
import { eventually } from '../support/live/places.js';
import { expectNothingPrivate } from '../support/live/relayed.js';
import { headerBlock, headerOf, methodOf, rowsOf, type SipText } from '../support/live/sip-text.js';
import { startSipp } from '../support/live/sipp.js';
import { AT_ONCE } from '../support/live/uas.js';

const PAI = 'P-Asserted-Identity: "Alice" <sip:alice@a.example>';

describe.each(builds('smoke'))('two networks, Kamailio $version', (build) => {
  let network: Network;

  beforeAll(async () => {
    network = await Network.start({ build, uas: AT_ONCE });
  });
  afterAll(() => network?.stop());

  /** Ten calls from an edge with this certificate; gives what the called party got, without what every proxy adds. */
  async function tenCalls(identity: Parameters<Network['edge']>[0], subject: string): Promise<readonly SipText[]> {
    const { host } = await network.edge(identity);
    const { result } = startSipp({
      directory: network.directory,
      target: `${host}:5060`,
      source: network.host(50),
      rate: 20,
      calls: 10,
      headers: [PAI, 'P-Charging-Vector: icid-value=1234', `Subject: ${subject}`],
      later: [PAI, `Subject: ${subject}`],
    });
    expect(await result).toMatchObject({ succeeded: 10, failed: 0 });
    const got = () => network.uas.got.filter((text) => headerOf(text, 'Subject') === subject);
    // An ACK may be on its way still when the answer to the BYE behind it is there.
    await eventually('each message of ten calls has arrived', () => got().length >= 30);
    return got();
  }

  it('ok/a partner: the assertion arrives, byte for byte', async () => {
    const got = await tenCalls(network.certificateOfA(), 'trusted');
    const invites = got.filter((text) => methodOf(text) === 'INVITE');
    expect(invites.length).toBe(10);
    for (const invite of invites) expect(headerBlock(invite).split('\r\n')).toContain(PAI);
    for (const bye of got.filter((text) => methodOf(text) === 'BYE')) {
      expect(rowsOf(bye, 'P-Asserted-Identity')).toEqual(['"Alice" <sip:alice@a.example>']);
    }
    for (const ack of got.filter((text) => methodOf(text) === 'ACK')) expectNothingPrivate(ack);
    expect(got.length).toBe(30);
  });

  it('fail/a network that nobody listed: all calls arrive, nothing private does', async () => {
    const got = await tenCalls(network.certificateOfA({ names: ['DNS:c.example'] }), 'stranger');
    expect(got.length).toBe(30);
    for (const text of got) expectNothingPrivate(text);
  });

  it('fail/another operator under the name of a partner: all calls arrive, nothing private does', async () => {
    const got = await tenCalls(network.certificateOfA({ issuer: network.cast.operatorB }), 'impostor');
    expect(got.length).toBe(30);
    for (const text of got) expectNothingPrivate(text);
    await eventually('the impostor is named in the log', () =>
      network.daemon.decisions().some(({ reasons }) => (reasons as string[]).includes('anchor-mismatch')),
    );
  });
});
