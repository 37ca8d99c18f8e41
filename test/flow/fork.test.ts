/** A request that goes to several networks at once: each branch is cleaned for its own next hop (H-2, T-71). */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, request } from '../support/live/caller.js';
import { withPartnerB } from '../support/live/daemon.js';
import { builds } from '../support/live/kamailio.js';
import { Network } from '../support/live/network.js';
import { expectNothingPrivate, expectRelayed } from '../support/live/relayed.js';
import { rowsOf, statusOf } from '../support/live/sip-text.js';
import { TlsUas } from '../support/live/uas.js';

describe.each(builds('smoke'))('forks, Kamailio $version', (build) => {
  let network: Network;
  let partner: TlsUas;
  let stranger: TlsUas;
  let trusted: Caller;

  async function start(more: Readonly<Record<string, string>> = {}): Promise<void> {
    network = await Network.start({
      build,
      script: 'test/support/live/fork.cfg',
      policy: (standard, host) => withPartnerB(standard, { targets: [`${host(10)}:5061`] }),
      defines: (host) => ({
        FORK_1: { string: 'sip:bob@b.example' },
        FORK_2: { string: `sip:bob@${host(11)}:5061;transport=tls` },
        FORK_3: { string: `sip:bob@${host(4)}:5060` },
        ...more,
      }),
      uas: { ringing: true },
      before: async ({ host, pki, cast }) => {
        const identity = (name: string) => pki.certificate({ issuer: cast.operatorB, names: [`DNS:${name}`] });
        partner = await TlsUas.start(host(10), identity('b.example'), { ringing: true });
        stranger = await TlsUas.start(host(11), identity('stranger.example'), { ringing: true });
      },
    });
    trusted = await network.overTls(network.certificateOfA());
    await network.proven('b.example');
  }

  async function stop(): Promise<void> {
    partner?.stop();
    stranger?.stop();
    await network?.stop();
  }

  /** Calls, and gives up when it rings everywhere. */
  async function forked(headers: readonly string[]) {
    const callId = freshCallId();
    const branch = `z9hG4bK${callId.slice(0, 12)}`;
    const sent = request({ callId, branch, headers });
    trusted.send(sent);
    const places = [partner, stranger, network.uas];
    const [toPartner = '', toStranger = '', inside = ''] = await Promise.all(
      places.map((place) => place.received(callId, 'INVITE')),
    );
    trusted.send(request({ callId, branch, method: 'CANCEL', headers }));
    expect(statusOf(await trusted.final(callId, 'INVITE'))).toBe(487);
    for (const place of places) expectNothingPrivate(await place.received(callId, 'CANCEL'));
    return { sent, toPartner, toStranger, inside };
  }

  /** All rows of a header block but the start line, which forking changes. */
  function sameTarget(got: string, sent: string): string {
    return got.replace(/^\S+ \S+/, sent.split(' ').slice(0, 2).join(' '));
  }

  describe('as it is', () => {
    beforeAll(() => start());
    afterAll(stop);

    it('ok/T-71 each next hop gets what it may see; CANCEL bears nothing', async () => {
      const { sent, toPartner, toStranger, inside } = await forked(['P-Asserted-Identity: <sip:alice@a.example>']);
      expectRelayed(sameTarget(toPartner, sent), sent);
      expectRelayed(sameTarget(inside, sent), sent);
      expectRelayed(sameTarget(toStranger, sent), sent, ['P-Asserted-Identity']);
    });

    it('ok/T-12 what is rewritten on the way in reaches each as it may', async () => {
      const { toPartner, toStranger, inside } = await forked([
        'P-Asserted-Identity: <sip:alice@a.example>, <sip:eve@other.example>',
      ]);
      expect(rowsOf(toPartner, 'P-Asserted-Identity')).toEqual(['<sip:alice@a.example>']);
      expect(rowsOf(inside, 'P-Asserted-Identity')).toEqual(['<sip:alice@a.example>']);
      expectNothingPrivate(toStranger);
    });
  });

  describe('when a connection has been replaced in between', () => {
    beforeAll(() => start({ REPLACED: '' }));
    afterAll(stop);

    it('fail/what was meant for it is not sent; the other branches are', async () => {
      const callId = freshCallId();
      trusted.send(request({ callId, headers: ['P-Asserted-Identity: <sip:alice@a.example>'] }));
      await network.uas.received(callId, 'INVITE');
      expectNothingPrivate(await stranger.received(callId, 'INVITE'));
      expect(partner.find(callId, 'INVITE')).toBeUndefined();
      expect(network.cscf.log).toMatch(/siptrust: not sent to \S+: INVITE/);
    });
  });
});
