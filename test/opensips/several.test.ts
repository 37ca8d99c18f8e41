/** An OpenSIPS and a Kamailio at one siptrustd, whose peers have one address and port. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, request, tlsCaller } from '../support/live/caller.js';
import { builds } from '../support/live/kamailio.js';
import { Network } from '../support/live/network.js';
import { OpensipsNetwork } from '../support/live/opensips-network.js';
import type { Identity } from '../support/live/pki.js';
import { eventually, freePort } from '../support/live/places.js';
import { expectNothingPrivate } from '../support/live/relayed.js';
import { headerOf, rowsOf, type SipText } from '../support/live/sip-text.js';
import { BUILD, theBuild } from './stage.js';

const BOB = '<sip:bob@own.example>';
const PAI = 'P-Asserted-Identity: <sip:alice@a.example>';
const [KAMAILIO] = builds('smoke');

describe.skipIf(BUILD === undefined || KAMAILIO === undefined)('an OpenSIPS and a Kamailio at one siptrustd', () => {
  let one: OpensipsNetwork;
  let two: Network;
  let partner: Identity;
  let stranger: Identity;

  beforeAll(async () => {
    one = await OpensipsNetwork.start({ build: theBuild() });
    const sidecar = { string: `siptrust1=>http://${one.daemon.host}:7061/rpc` };
    if (KAMAILIO === undefined) throw new Error('no Kamailio');
    two = await Network.start({
      ...{ build: KAMAILIO, authorities: [one.operatorA.certificate] },
      defines: () => ({ SIPTRUST_HTTP_1: sidecar }),
    });
    await two.daemon.stop();
    partner = one.certificateOfA();
    stranger = one.certificateOfA({ names: ['DNS:c.example'] });
  });
  afterAll(() => Promise.all([two?.stop(), one?.stop()]));

  type Place = Pick<Network, 'address' | 'uas'>;

  /** The request as it came in, and the answer, after something has happened while it rang. */
  async function call(place: Place, identity: Identity, port: number) {
    const caller: Caller = await tlsCaller(place.address, 5061, identity, one.host(20), undefined, port);
    place.uas.options = { extra: [`P-Asserted-Identity: ${BOB}`], ringing: true };
    const callId = freshCallId();
    caller.send(request({ callId, headers: [PAI] }));
    await eventually('it rings', () => caller.answers.some((text) => headerOf(text, 'Call-ID') === callId));
    return async (): Promise<readonly [SipText, SipText]> => {
      place.uas.pickUp();
      const answer = await caller.final(callId, 'INVITE');
      caller.close();
      return [await place.uas.received(callId, 'INVITE'), answer];
    };
  }

  it.each([
    ['partner at the OpenSIPS', 'nothing happens', () => undefined],
    ['partner at the Kamailio', 'nothing happens', () => undefined],
    ['partner at the OpenSIPS', 'the policy changes', () => one.daemon.reload(one.standardPolicy)],
    ['partner at the Kamailio', 'the policy changes', () => one.daemon.reload(one.standardPolicy)],
    ['partner at the OpenSIPS', 'siptrustd starts anew', () => one.daemon.stop().then(() => one.daemon.start())],
    ['partner at the Kamailio', 'siptrustd starts anew', () => one.daemon.stop().then(() => one.daemon.start())],
  ])('fail/%s, a stranger from his address and port at the other one: %s', async (where, _what, happens) => {
    const port = await freePort(one.host(20));
    const places: Place[] = where.endsWith('OpenSIPS') ? [one, two] : [two, one];
    const [here, there] = places;
    if (here === undefined || there === undefined) throw new Error('not started');
    const ofPartner = await call(here, partner, port);
    const ofStranger = await call(there, stranger, port);
    await happens();
    const { revision } = await one.daemon.call('core.status');
    await eventually('the Kamailio knows', () => two.knownRevision() === Number(revision));
    await one.polled();
    const [got, answer] = await ofPartner();
    expect(rowsOf(got, 'P-Asserted-Identity')).toHaveLength(1);
    expect(rowsOf(answer, 'P-Asserted-Identity')).toEqual([BOB]);
    for (const text of await ofStranger()) expectNothingPrivate(text);
  });
});
