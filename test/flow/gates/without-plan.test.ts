/** siptrustd is away: calls whose From bears what only a plan cleans (gateways to the PSTN write who calls into it). */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inDialog } from '../../support/live/caller.js';
import { builds } from '../../support/live/kamailio.js';
import { expectNowhere, privateRows } from '../../support/live/secrets.js';
import { headerOf, rowsOf, startLine, statusOf } from '../../support/live/sip-text.js';
import { Stage, TRANSPORTS } from '../../support/live/stage.js';

const SOS = 'urn:service:sos';

describe.each(builds('full'))('siptrustd is away, Kamailio $version', (build) => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await Stage.start({ build, script: 'test/support/live/flows.cfg', privateMemory: 16 });
    await stage.network.daemon.stop('SIGKILL');
  });
  afterAll(() => stage?.stop());

  describe.each(TRANSPORTS)('over %s', (transport) => {
    it.each([SOS, 'sip:bob@own.example'])('ok/a stranger calls %s: is answered, and heard', async (ruri) => {
      const { network } = stage;
      const caller = await stage.connect(transport);
      const from = '<sip:+4930123;cpc=forged@stranger.example>;tag=1';
      const callId = stage.send(caller, transport, { ruri, from, headers: privateRows('forged') });
      const final = await caller.final(callId);
      expect(statusOf(final), final).toBe(200);
      const { route, ...dialog } = inDialog(final);
      stage.send(caller, transport, { ...dialog, from, callId, method: 'ACK', headers: route });
      await network.uas.received(callId, 'ACK');
      expectNowhere('forged', network.uas.got);
    });

    it('ok/a stranger is called by what a gateway writes: it goes, and the call goes on', async () => {
      const caller = await stage.connect(transport);
      const callId = stage.send(caller, transport, {
        ruri: 'sip:+1202;npdi;rn=+1900;cic=+1-67@own.example;user=phone',
        from: '<sip:+4930123@stranger.example;verstat=TN-Validation-Passed>;tag=1',
        to: '<tel:+1202;npdi;rn=+1900>',
      });
      const final = await caller.final(callId);
      expect(statusOf(final), final).toBe(200);
      const got = await stage.network.uas.received(callId, 'INVITE');
      expect(got).not.toMatch(/;(?:npdi|rn=|cic|verstat)/);
      expect(startLine(got)).toBe('INVITE sip:+1202@own.example;user=phone SIP/2.0');
      expect([headerOf(got, 'From'), headerOf(got, 'To')]).toEqual([
        '<sip:+4930123@stranger.example>;tag=1',
        '<tel:+1202>',
      ]);
    });

    it.each([
      ['sip:or\x80ig@x.example', 'Subject: a\x01b'],
      ['sip:isc\x80mark@x.example', 'Subject: a\x01b'],
      ['sip:x.example;orig', 'Subject: a\x01b'],
      ['sip:x.example;orig', `Subject: ${';a'.repeat(600)}\r\nDate: ${'x'.repeat(3_500)}`],
    ])('fail/a stranger starts no services by a call for help: %j', async (route, row) => {
      const caller = await stage.connect(transport);
      const headers = [`Route: <${route};lr>`, row];
      const callId = stage.send(caller, transport, { ruri: SOS, headers });
      const final = await caller.final(callId);
      expect(statusOf(final), final).toBe(200);
      expect(rowsOf(await stage.network.uas.received(callId, 'INVITE'), 'Route')).toEqual([]);
    });

    it.each([
      '<sip:x@stranger.example;%63pc=forged>',
      '<sip:x@stranger.example;cpc=forged?X=y>',
      '<sip:x@stranger.example;orig>',
      '<sip:x@stranger.example;cpc=x%3bcpc=forged>',
    ])('fail/a stranger is %s: says nothing that no plan has cleaned', async (uri) => {
      const caller = await stage.connect(transport);
      const from = `${uri};tag=1`;
      for (const each of [{ from }, { from, headers: ['Reply-To: <sip:x@y;cpc=forged>'] }, { to: uri }]) {
        const callId = stage.send(caller, transport, each);
        const final = await caller.final(callId);
        if (statusOf(final) !== 200) expect(stage.network.uas.find(callId, 'INVITE')).toBeUndefined();
        else
          expect(headerOf(await stage.network.uas.received(callId, 'INVITE'), 'From')).not.toMatch(/forged|orig|cpc/);
      }
      expectNowhere('forged', stage.network.uas.got);
    });

    it.each([SOS, 'x'])('ok/our user calls %s there', async (service) => {
      const { user, stranger } = stage;
      const from = '<sip:+4930123;cpc=secret@own.example>;tag=1';
      const ruri = service === SOS ? SOS : stranger.uri(transport);
      const headers = [...privateRows('secret'), `X-Place: ${stranger.uri(transport)}`];
      const callId = stage.send(user, 'udp', { ruri, from, headers });
      const final = await user.final(callId);
      expect(statusOf(final), final).toBe(200);
      expect(rowsOf(final, 'From')).toHaveLength(1);
      const { route, ...dialog } = inDialog(final);
      stage.send(user, 'udp', { ...dialog, from, callId, method: 'ACK', headers: route });
      await stranger.received(callId, 'ACK');
      expectNowhere('secret', stranger.got);
    });
  });
});
