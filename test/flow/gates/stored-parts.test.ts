/** What Kamailio makes of what it has kept, and no message bears as it is: the Route out of a Path, requests of the proxy itself within dialogs. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, inDialog } from '../../support/live/caller.js';
import { builds } from '../../support/live/kamailio.js';
import type { Network } from '../../support/live/network.js';
import type { Party } from '../../support/live/party.js';
import { eventually } from '../../support/live/places.js';
import { expectNowhere, privateRows } from '../../support/live/secrets.js';
import { headerOf, methodOf, rowsOf, statusOf } from '../../support/live/sip-text.js';
import { Stage, TRANSPORTS } from '../../support/live/stage.js';

const ROWS = privateRows('secret');

describe.each(builds('full'))('what has been kept, Kamailio $version', (build) => {
  let stage: Stage;
  let network: Network;
  let user: Caller;
  let stranger: Party;

  beforeAll(async () => {
    stage = await Stage.start({ build, script: 'test/support/live/stored.cfg' });
    ({ network, user, stranger } = stage);
  });
  afterAll(() => stage?.stop());

  /** Calls a user who has registered by way of these; gives the Call-ID. */
  async function callsBy(path: string): Promise<string> {
    const name = freshCallId().replace(/@.*/, '');
    const to = `<sip:${name}@own.example>`;
    const headers = ['Supported: path', `Path: ${path}`];
    const registered = stage.send(user, 'udp', { method: 'REGISTER', ruri: 'sip:own.example', to, headers });
    expect(statusOf(await user.final(registered))).toBe(200);
    return stage.send(user, 'udp', { ruri: `sip:${name}@own.example`, headers: ROWS });
  }

  it.each(TRANSPORTS)(
    'ok/a user who has registered by way of a stranger over %s is called, stripped',
    async (transport) => {
      const path = `<${stranger.uri(transport, 'a%3Fb')};lr>,<sip:next.example;lr;originator=1>`;
      const callId = await callsBy(path);
      expect(statusOf(await user.final(callId))).toBe(200);
      expect(rowsOf(await stranger.received(callId, 'INVITE'), 'Route')).toEqual([path]);
      expectNowhere('secret', stranger.got);
    },
  );

  it.each([';iotl=secret', ';orig', ';%63pc=secret', '?P-Asserted-Identity=secret'])(
    'fail/where that way itself bears %s, nothing is sent, and the log names the Route',
    async (private_) => {
      for (const path of [
        `<${stranger.uri('udp')};lr${private_}>`,
        `<${stranger.uri('udp')};lr>,<sip:next.example;lr${private_}>`,
      ]) {
        const callId = await callsBy(path);
        expect(statusOf(await user.final(callId))).toBe(477);
        expect(stranger.find(callId, 'INVITE')).toBeUndefined();
      }
      await eventually('the line', () => /siptrust: not sent to .* bears Route/.test(network.cscf.log));
    },
  );

  it.each(TRANSPORTS)(
    'fail/a stranger who calls over %s is told where by no answer of the proxy itself (sip_warning)',
    async (transport) => {
      await stage.registered('away', `sip:secret@${network.uas.host}:9;transport=tcp;cpc=secret`);
      const caller = await stage.connect(transport);
      const answer = await caller.final(stage.send(caller, transport, { ruri: 'sip:away@own.example' }));
      expect(statusOf(answer), answer).toBe(477);
      expectNowhere('secret', caller.answers);
    },
  );

  it.each(TRANSPORTS)(
    'ok/Routes of ours that loose_route() has taken do not come back with the next one, to a stranger over %s',
    async (transport) => {
      const ours = `<sip:${network.host(3)};lr>`;
      const both = [3, 3].map((index) => `<sip:${network.host(index)};r2=on;lr>`);
      const routes = [`<${stranger.uri(transport, 'a')};lr>`, '<sip:next.example;lr>'];
      const private_ = routes.map((each) => each.replace('>', ';iotl=secret>'));
      for (const rows of [
        [ours, ...private_],
        [[ours, ...private_].join(', ')],
        [...both, ...private_],
        [both.join(','), private_.join(' , ')],
        [[...both, private_[0]].join(','), private_[1]],
      ]) {
        const terms = { method: 'BYE', to: '<sip:x@x.example>;tag=3', ruri: 'sip:x@x.example' };
        const headers = rows.map((each) => `Route: ${each}`);
        const callId = stage.send(user, 'udp', { ...terms, headers });
        expect(statusOf(await user.final(callId))).toBe(200);
        expect(
          rowsOf(await stranger.received(callId, 'BYE'), 'Route')
            .join(', ')
            .replace(' ,', ','),
        ).toBe(routes.join(', '));
      }
    },
  );

  it.each(['', ';cpc=secret', '?P-Asserted-Identity=secret'])(
    'fail/a Request-URI with %j goes to no stranger in the Route that a strict router needs; ok/another one does',
    async (private_) => {
      const strict = [
        `Route: <sip:${network.host(3)};lr>`,
        `Route: <${stranger.uri('udp')}>`,
        'Route: <sip:next.example>',
      ];
      const terms = { method: 'MESSAGE', to: '<sip:x@x.example>;tag=3', ruri: `sip:x@x.example${private_}` };
      const callId = stage.send(user, 'udp', { ...terms, headers: strict });
      expect(statusOf(await user.final(callId))).toBe(private_ === '' ? 200 : 477);
      const routes = rowsOf(stranger.find(callId, 'MESSAGE') ?? '', 'Route');
      expect(routes).toEqual(private_ === '' ? ['<sip:next.example>', '<sip:x@x.example>'] : []);
    },
  );

  it.each(TRANSPORTS)('ok/a dialog with a stranger over %s that the proxy ends: stripped', async (transport) => {
    const from = '<sip:user@own.example;cpc=secret>;tag=1';
    const to = '<sip:party@own.example;cpc=secret>';
    const callId = freshCallId();
    stage.send(user, 'udp', { ruri: stranger.uri(transport), from, to, callId, headers: ROWS });
    const answer = await user.final(callId);
    expect(statusOf(answer), answer).toBe(200);
    const { route, ...dialog } = inDialog(answer);
    stage.send(user, 'udp', { ...dialog, from, method: 'ACK', headers: route });
    await stranger.received(callId, 'ACK');
    network.cscf.rpc('dlg.terminate_dlg', callId, '1', 'party');
    expect(headerOf(await stranger.received(callId, 'BYE'), 'From')).toBe('<sip:user@own.example>;tag=1');
    expectNowhere('secret', stranger.got);
  });

  it.each(TRANSPORTS)('ok/a stranger over %s whom the proxy connects with a user: stripped', async (transport) => {
    network.cscf.rpc(
      'dlg.bridge_dlg',
      stranger.uri(transport, `bridged-${transport}`),
      'sip:u@own.example;cpc=secret',
      '.',
    );
    const told = await eventually('a REFER', () =>
      stranger.got.find((text) => methodOf(text) === 'REFER' && text.includes(`bridged-${transport}`)),
    );
    expect(headerOf(told, 'Refer-To')).toBe('sip:u@own.example');
    expectNowhere('secret', stranger.got);
  });
});
