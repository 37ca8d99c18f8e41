/** Two proxies at one siptrustd: each counts its connections from 1, and their peers may have one address and port. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, request, tlsCaller } from '../support/live/caller.js';
import { builds } from '../support/live/kamailio.js';
import { Network } from '../support/live/network.js';
import type { Identity } from '../support/live/pki.js';
import { eventually, freePort } from '../support/live/places.js';
import { expectNothingPrivate } from '../support/live/relayed.js';
import { headerOf, rowsOf, type SipText } from '../support/live/sip-text.js';

const BOB = '<sip:bob@own.example>';
/** The second row no list can clean: it takes a plan. */
const SAID = [
  `P-Asserted-Identity: ${BOB}`,
  'Contact: <sip:carol@own.example?P-Asserted-Identity=%3Csip%3Asecret%40own.example%3E>',
];

describe.each(builds('smoke'))('two proxies at one siptrustd, Kamailio $version', (build) => {
  const networks: Network[] = [];
  let identities: readonly [partner: Identity, stranger: Identity];

  beforeAll(async () => {
    const one = await Network.start({ build, uas: { extra: SAID } });
    networks.push(one);
    const sidecar = { string: `siptrust1=>http://${one.daemon.host}:7061/rpc` };
    const two = await Network.start({
      ...{ build, uas: { extra: SAID }, authorities: [one.cast.operatorA.certificate] },
      defines: () => ({ SIPTRUST_HTTP_1: sidecar }),
    });
    networks.push(two);
    await two.daemon.stop();
    identities = [one.certificateOfA(), one.certificateOfA({ names: ['DNS:c.example'] })];
  });
  afterAll(() => Promise.all(networks.map((network) => network.stop())));

  interface Ringing {
    readonly caller: Caller;
    readonly callId: string;
    readonly answer: () => Promise<SipText>;
  }

  async function rings(
    network: Network,
    identity: Identity,
    said: readonly string[],
    from: string,
    port: number,
  ): Promise<Ringing> {
    const caller = await tlsCaller(network.address, 5061, identity, from, undefined, port);
    network.uas.options = { extra: said, ringing: true };
    const callId = freshCallId();
    caller.send(request({ callId }));
    await eventually('it rings', () => caller.answers.some((text) => headerOf(text, 'Call-ID') === callId));
    const answer = async () => {
      network.uas.pickUp();
      const final = await caller.final(callId, 'INVITE');
      caller.close();
      return final;
    };
    return { caller, callId, answer };
  }

  it.each([
    ['nothing happens', 0, SAID, () => undefined],
    ['nothing happens, and the stranger has asked last', 1, SAID, () => undefined],
    ['the policy changes', 0, SAID, (one: Network) => one.reload({ ...one.standardPolicy })],
    // (The stranger's plan would wait until he asks again: here he is the partner, as far as siptrustd knows.)
    ['siptrustd starts anew', 1, SAID.slice(0, 1), (one: Network) => one.daemon.stop().then(() => one.daemon.start())],
  ])(
    'fail/a partner there has the number, address and port of a stranger here: %s',
    async (_what, first, said, happens) => {
      const [one, two] = networks;
      if (one === undefined || two === undefined) throw new Error('not started');
      const from = one.host(20);
      const port = await freePort(from);
      const start = [
        () => rings(one, identities[0], said, from, port),
        () => rings(two, identities[1], said, from, port),
      ];
      const calls: Ringing[] = [];
      for (const at of [first, 1 - first]) calls[at] = (await start[at]?.()) as Ringing;
      const asked = await eventually('both are asked about', async () => {
        const decisions = await one.daemon.decisionsOn(`${from}:${port}`);
        return decisions.filter(({ method }) => method === 'trust.peer').length === 2 && decisions;
      });
      expect(new Set(asked.map(({ conid }) => conid)).size).toBe(1);
      await happens(one);
      const { revision } = await one.daemon.call('core.status');
      for (const network of networks) {
        const known = () => network.knownRevision() === Number(revision) && !network.sidecarIsDown();
        await eventually('the proxy knows', known);
      }
      const [partner, stranger] = [await calls[0]?.answer(), await calls[1]?.answer()];
      expect(rowsOf(partner ?? '', 'P-Asserted-Identity')).toEqual([BOB]);
      expectNothingPrivate(stranger ?? '');
      expect(stranger).not.toContain('secret');
    },
  );
});
