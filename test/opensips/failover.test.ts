/** Several sidecars: the first that answers is believed, and none is waited for twice. */

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, request } from '../support/live/caller.js';
import { OpensipsNetwork } from '../support/live/opensips-network.js';
import { Party } from '../support/live/party.js';
import type { Identity } from '../support/live/pki.js';
import { eventually } from '../support/live/places.js';
import { Relay } from '../support/live/relay.js';
import { headerOf, methodOf, rowsOf, statusOf } from '../support/live/sip-text.js';
import { BUILD, called, theBuild } from './stage.js';

const KEPT = ['<sip:alice@a.example>'];
/** SIP workers of the sample that can hold a question: two for UDP, two for TCP and TLS. */
const WORKERS = 4;

describe.skipIf(BUILD === undefined)('two sidecars', () => {
  let network: OpensipsNetwork;
  let second: Relay;
  let partner: Identity;

  beforeAll(async () => {
    network = await OpensipsNetwork.start({
      build: theBuild(),
      patience: 1,
      settings: (host) => ({
        siptrust_sidecars: `"http://${host(8)}:7061/rpc|http://${host(20)}:7061/rpc"`,
        siptrust_grace: '6',
      }),
      // Whoever does not answer is sent to again after 0.5, 1, 2 seconds (RFC 3261 §17.1.1.2).
      edit: (script, host) =>
        script.replace(
          'route[RELAY] {\n',
          (line) => `${line}\tif ($rU == "deaf") {\n\t\t$du = "sip:${host(12)}:5060";\n\t}\n`,
        ),
    });
    second = await Relay.start(network.host(20), network.host(1));
    partner = network.certificateOfA();
    await heard();
  });
  afterAll(async () => {
    second?.stop();
    await network?.stop();
  });
  afterEach(async () => {
    for (const relay of [network.relay, second]) {
      relay.tamper = () => undefined;
      relay.late = 0;
    }
    await heard();
  });

  /** Until the proxy has heard both, and knows the revision of the first. */
  async function heard(): Promise<void> {
    for (const relay of [network.relay, second]) {
      const before = relay.count('core.status');
      await eventually('the proxy polls', () => relay.count('core.status') > before + 2);
    }
  }

  async function asserted(caller: Caller): Promise<readonly string[]> {
    const { answer, arrived } = await called(network, caller);
    expect(statusOf(answer)).toBe(200);
    return rowsOf(arrived ?? '', 'P-Asserted-Identity');
  }

  const peers = (relay: Relay): number => relay.count('trust.peer');

  it('ok/the second is not asked while the first answers', async () => {
    const [first, other] = [peers(network.relay), peers(second)];
    expect(await asserted(await network.tls(partner))).toEqual(KEPT);
    expect([peers(network.relay), peers(second)]).toEqual([first + 1, other]);
  });

  const ERROR = '{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"x"}}';
  /** What takes no time costs a question of each call until the poll has seen it as well. */
  const failures: readonly (readonly [string, (relay: Relay) => void])[] = [
    ['frozen', (relay) => (relay.tamper = () => 'none')],
    ['slow', (relay) => (relay.late = 3000)],
    ['garbage', (relay) => (relay.tamper = () => 'garbage {')],
    ['half of each answer', (relay) => (relay.tamper = (_, text) => text.slice(0, text.length / 2))],
    ['an error to everything', (relay) => (relay.tamper = () => ERROR)],
  ];
  it.each(failures)('ok/%s: the second is asked, the first no more until it is heard again', async (_, fail) => {
    fail(network.relay);
    expect(await asserted(await network.tls(partner))).toEqual(KEPT);
    if (network.relay.tamper('', '') !== 'none' && network.relay.late === 0) await heard();
    const before = peers(network.relay);
    for (let call = 0; call < 8; call += 1) expect(await asserted(await network.tls(partner))).toEqual(KEPT);
    expect(peers(network.relay) - before).toBeLessThanOrEqual(WORKERS);
    network.relay.tamper = () => undefined;
    network.relay.late = 0;
    await heard();
    const other = peers(second);
    expect(await asserted(await network.tls(partner))).toEqual(KEPT);
    expect(peers(second)).toBe(other);
  });

  it.each(failures)('fail/both %s: strangers, at once, and nobody waits twice', async (_, fail) => {
    fail(network.relay);
    fail(second);
    expect(await asserted(await network.tls(partner))).toEqual([]);
    if (second.tamper('', '') !== 'none' && second.late === 0) await heard();
    const before = network.relay.questions.length + second.questions.length;
    for (let call = 0; call < 8; call += 1) expect(await asserted(await network.tls(partner))).toEqual([]);
    expect(network.relay.questions.length + second.questions.length - before).toBeLessThanOrEqual(2 * WORKERS);
  });

  it('ok/another revision is in force with the second: what the first said is asked anew', async () => {
    const known = await network.tls(partner);
    expect(await asserted(known)).toEqual(KEPT);
    second.tamper = (_, text) => text.replace(/"revision":\d+/, '"revision":4711');
    network.relay.tamper = () => 'none';
    const before = peers(second);
    await eventually('the second is asked', async () => {
      expect(await asserted(known)).toEqual(KEPT);
      return peers(second) > before;
    });
    await heard();
    const then = peers(second);
    expect(await asserted(known)).toEqual(KEPT);
    expect(await asserted(known)).toEqual(KEPT);
    expect(peers(second) - then).toBeLessThanOrEqual(1);
  });

  it('fail/the second was asked for once, and trusts more under the same revision: the first counts again', async () => {
    network.relay.tamper = (method) => (method === 'trust.peer' ? 'none' : undefined);
    const known = await network.tls(partner);
    expect(await asserted(known)).toEqual(KEPT);
    network.relay.tamper = (_, text) =>
      text
        .replace('"verdict":"trusted","trusted":1', '"verdict":"untrusted","trusted":0')
        .replace('"profile":"trusted"', '"profile":"untrusted"');
    await heard();
    expect(await asserted(known)).toEqual([]);
  });

  it('ok/the first is frozen: timers go on, and a request that nobody answers is sent again', async () => {
    network.relay.tamper = () => 'none';
    const identity = network.pki.certificate({ issuer: network.operatorB, names: ['DNS:stranger.example'] });
    const deaf = await Party.start(network.host(12), identity);
    deaf.answer = () => [];
    const user = await network.user();
    const callId = freshCallId();
    user.send(
      request({
        callId,
        method: 'MESSAGE',
        transport: 'UDP',
        ruri: deaf.uri('udp', 'deaf'),
        from: '<sip:user@own.example>;tag=1',
      }),
    );
    const sent = () => deaf.got.filter((text) => methodOf(text) === 'MESSAGE' && headerOf(text, 'Call-ID') === callId);
    await eventually('three of them', () => sent().length >= 3, 5_000);
    deaf.stop();
  });
});
