/** Other networks, or our own side, over IPv6, beside IPv4 on the other side: nothing leaks, and partners are partners. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Caller,
  freshCallId,
  inDialog,
  type RequestTerms,
  request,
  tcpCaller,
  tlsCaller,
  udpCaller,
} from '../../support/live/caller.js';
import { builds } from '../../support/live/kamailio.js';
import { Network } from '../../support/live/network.js';
import { answered, Party, type Transport } from '../../support/live/party.js';
import { eventually, freePort } from '../../support/live/places.js';
import { expectNowhere, privateRows } from '../../support/live/secrets.js';
import { rowsOf, statusOf } from '../../support/live/sip-text.js';
import { TRANSPORTS } from '../../support/live/stage.js';

const SECRET = privateRows('secret');
const OURS = 'P-Asserted-Identity: <sip:user@own.example>';

function send(caller: Caller, transport: Transport, terms: RequestTerms): string {
  const callId = terms.callId ?? freshCallId();
  caller.send(request({ callId, transport: transport.toUpperCase(), ...terms }));
  return callId;
}

describe.each(builds('full'))('IPv6, Kamailio $version', (build) => {
  describe('other networks', () => {
    let network: Network;
    let ports: { readonly sip: number; readonly sips: number; readonly nds: number };
    let stranger: Party;
    let partner: Party;
    let user: Caller;
    const callers: Caller[] = [];

    beforeAll(async () => {
      const [sip, sips, nds] = [await freePort('::1'), await freePort('::1'), await freePort('::1')];
      ports = { sip, sips, nds };
      const [at, there] = [
        { sip: await freePort('::1'), sips: await freePort('::1') },
        { sip: await freePort('::1'), sips: await freePort('::1') },
      ];
      network = await Network.start({
        build,
        script: 'kamailio-cfg/cscf.cfg',
        defines: (host) => ({
          // ::1 is in none of them. To Kamailio it is, once it has been cut to the length of the first prefix.
          SIPTRUST_INSIDE_NETS: { string: `fd00::/8, ::/128, ${[3, 4, 5].map((at) => host(at)).join(',')}` },
          OUTSIDE_UDP: `udp:[::1]:${sip}`,
          OUTSIDE_TCP: `tcp:[::1]:${sip}`,
          OUTSIDE_TLS: `tls:[::1]:${sips}`,
          OUTSIDE_NDS: `udp:[::1]:${nds}`,
          SIPTRUST_SOCKET_UDP: { string: `udp:[::1]:${sip}` },
          SIPTRUST_SOCKET_TCP: { string: `tcp:[::1]:${sip}` },
          SIPTRUST_SOCKET_TLS: { string: `tls:[::1]:${sips}` },
        }),
        policy: (standard) => {
          const [a, b] = standard.agreements;
          const path = {
            name: 'op-n',
            domains: ['n.example'],
            mechanism: 'nds-ip',
            interface: 'za',
            sources: ['::1/128'],
          };
          return {
            ...standard,
            interfaces: [
              { name: 'za', listen: `[0:0::1]:${nds}`, mechanism: 'nds-ip', implicit_trust: true, shared: false },
            ],
            agreements: [a, { ...b, targets: [`[0:0::1]:${there.sips}`] }, path],
          };
        },
        before: async ({ pki, cast }) => {
          const of = (domain: string) => pki.certificate({ issuer: cast.operatorB, names: [`DNS:${domain}`] });
          stranger = await Party.start('::1', of('stranger.example'), at);
          partner = await Party.start('::1', of('b.example'), there);
        },
      });
      user = await network.ownUser();
      await network.proven('b.example');
    });
    afterAll(async () => {
      for (const caller of callers) caller.close();
      stranger?.stop();
      partner?.stop();
      await network?.stop();
    });

    async function connect(transport: Transport, identity?: Parameters<typeof tlsCaller>[2]): Promise<Caller> {
      const caller =
        transport === 'udp'
          ? await udpCaller('::1', ports.sip, '::1')
          : transport === 'tcp'
            ? await tcpCaller('::1', ports.sip)
            : await tlsCaller('::1', ports.sips, identity);
      callers.push(caller);
      return caller;
    }

    it.each(TRANSPORTS)(
      'fail/a stranger who calls over %s says nothing private, and is told nothing',
      async (transport) => {
        network.uas.options = { extra: SECRET };
        const caller = await connect(transport);
        for (const method of ['INVITE', 'MESSAGE', 'OPTIONS']) {
          const callId = send(caller, transport, { method, headers: privateRows('forged') });
          expect(statusOf(await caller.final(callId)), method).toBe(200);
          await network.uas.received(callId, method);
        }
        network.uas.options = {};
        expectNowhere('forged', network.uas.got);
        expectNowhere('secret', caller.answers);
      },
    );

    it('ok/a partner who calls asserts an identity, and is told one', async () => {
      network.uas.options = { extra: [OURS] };
      const caller = await connect('tls', network.certificateOfA());
      const asserted = 'P-Asserted-Identity: <sip:alice@a.example>';
      const callId = send(caller, 'tls', { headers: [asserted] });
      const answer = await caller.final(callId);
      expect(statusOf(answer), answer).toBe(200);
      expect(rowsOf(answer, 'P-Asserted-Identity')).toHaveLength(1);
      expect(rowsOf(await network.uas.received(callId, 'INVITE'), 'P-Asserted-Identity')).toHaveLength(1);
      network.uas.options = {};
    });

    it('ok/a path through a security gateway stands for its partner, on the way in and back', async () => {
      network.uas.options = { extra: [OURS] };
      const caller = await udpCaller('::1', ports.nds, '::1');
      callers.push(caller);
      const callId = send(caller, 'udp', {
        from: '<sip:alice@n.example>;tag=1',
        headers: ['P-Asserted-Identity: <sip:alice@n.example>'],
      });
      const answer = await caller.final(callId);
      expect(statusOf(answer), answer).toBe(200);
      expect(rowsOf(await network.uas.received(callId, 'INVITE'), 'P-Asserted-Identity')).toHaveLength(1);
      expect(rowsOf(answer, 'P-Asserted-Identity')).toHaveLength(1);
      network.uas.options = {};
    });

    it.each(TRANSPORTS)(
      'fail/a call to a stranger over %s, with all that follows, says nothing private',
      async (transport) => {
        const callId = send(user, 'udp', { ruri: stranger.uri(transport), headers: SECRET });
        const answer = await user.final(callId);
        expect(statusOf(answer), answer).toBe(200);
        const { route, ...terms } = inDialog(answer);
        for (const [method, cseq] of [
          ['ACK', 1],
          ['INFO', 2],
          ['BYE', 3],
        ] as const) {
          send(user, 'udp', { ...terms, method, cseq, headers: [...route, ...SECRET] });
          await stranger.received(callId, method);
        }
        expectNowhere('secret', stranger.got);
      },
    );

    it('ok/a call to a partner, by domain and by address, bears the identity, over the proven connection', async () => {
      for (const ruri of ['sip:bob@b.example', partner.uri('tls')]) {
        const callId = send(user, 'udp', { ruri, headers: [OURS] });
        const answer = await user.final(callId);
        expect(statusOf(answer), answer).toBe(200);
        expect(rowsOf(await partner.received(callId, 'INVITE'), 'P-Asserted-Identity'), ruri).toHaveLength(1);
        const { route, ...terms } = inDialog(answer);
        for (const [method, cseq] of [
          ['ACK', 1],
          ['BYE', 2],
        ] as const) {
          send(user, 'udp', { ...terms, method, cseq, headers: route });
          await partner.received(callId, method);
        }
      }
    });
  });

  describe('our own side', () => {
    let network: Network;
    let stranger: Party;
    let called: Party;
    let user: Caller;
    const none = [
      ...['10.0.0.0/x', '10.0.0.0/ 8', '10.0.0.0/33', '192.0.2.0/255.255.255.0', '10/8', '192.0.2.1 192.0.2.2'],
      ...['::ffff:192.0.2.1', 'fe80::1%lo', '[2001:db8::1]', 'sbc.example'],
    ];
    const callers: Caller[] = [];

    beforeAll(async () => {
      const inside = await freePort('::1');
      const there = { sip: await freePort('::1'), sips: await freePort('::1') };
      network = await Network.start({
        build,
        script: 'test/support/live/other.cfg',
        privateMemory: 16,
        defines: (host) => ({
          INSIDE: `udp:[::1]:${inside}`,
          BEHIND_NAT: `udp:${host(3)}:5070 advertise 203.0.113.5:5070`,
          NEXT_HOP: { string: `sip:[::1]:${there.sip}` },
          // What is no prefix names nobody; to Kamailio it is everybody.
          SIPTRUST_INSIDE_NETS: { string: `2001:db8:7::/48, ${none.join(', ')},, ::1/0128` },
        }),
        before: async ({ host, pki, cast }) => {
          const identity = pki.certificate({ issuer: cast.operatorB, names: ['DNS:stranger.example'] });
          stranger = await Party.start(host(12), identity);
          called = await Party.start('::1', identity, there);
        },
      });
      user = await udpCaller('::1', inside, '::1');
      callers.push(user);
    });
    afterAll(async () => {
      for (const caller of callers) caller.close();
      stranger?.stop();
      called?.stop();
      await network?.stop();
    });

    it.each(none)('fail/%s is no network: a line says so', async (text) => {
      const line = `SIPTRUST_INSIDE_NETS: expected ADDRESS or ADDRESS/LENGTH, found '${text}'`;
      await eventually('the line', () => network.cscf.log.includes(line));
    });

    it.each(TRANSPORTS)('fail/a call of ours to a stranger over %s says nothing private', async (transport) => {
      const callId = send(user, 'udp', { ruri: stranger.uri(transport), headers: SECRET });
      const answer = await user.final(callId);
      expect(statusOf(answer), answer).toBe(200);
      await stranger.received(callId, 'INVITE');
      expectNowhere('secret', stranger.got);
    });

    it('ok/among ourselves all stays', async () => {
      called.answer = (text) => [answered(text, '200 OK', [OURS])];
      const callId = send(user, 'udp', { ruri: 'sip:bob@own.example', headers: [OURS] });
      const answer = await user.final(callId);
      expect(rowsOf(answer, 'P-Asserted-Identity'), answer).toHaveLength(1);
      expect(rowsOf(await called.received(callId, 'INVITE'), 'P-Asserted-Identity')).toHaveLength(1);
    });

    it.each(['with', 'without'])('ok/a stranger and a partner who call us, %s a transaction', async (how) => {
      called.answer = (text) => [answered(text, '200 OK', [...SECRET, OURS])];
      const headers = how === 'with' ? [] : ['Subject: stateless'];
      for (const transport of TRANSPORTS) {
        const caller = await (transport === 'udp'
          ? network.overUdp()
          : transport === 'tcp'
            ? network.overTcp()
            : network.overTls());
        const callId = send(caller, transport, { headers: [...headers, ...privateRows('forged')] });
        expect(statusOf(await caller.final(callId)), transport).toBe(200);
        await called.received(callId, 'INVITE');
        expectNowhere('secret', caller.answers);
      }
      const partner = await network.overTls(network.certificateOfA());
      const answer = await partner.final(send(partner, 'tls', { headers }));
      expect(rowsOf(answer, 'P-Asserted-Identity').join(), answer).toContain('user@own.example');
      expectNowhere('forged', called.got);
    });
  });
});
