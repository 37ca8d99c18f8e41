/** What scripts of others do beside the include: places after a failure, providers that ask, users who register from outside. */

import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Caller,
  freshCallId,
  type RequestTerms,
  request,
  tlsCaller,
  udpCaller,
} from '../../support/live/caller.js';
import { builds } from '../../support/live/kamailio.js';
import { Network } from '../../support/live/network.js';
import { answered, type Party, type Transport } from '../../support/live/party.js';
import { eventually } from '../../support/live/places.js';
import { expectNowhere, privateRows } from '../../support/live/secrets.js';
import { headerOf, methodOf, rowsOf, statusOf } from '../../support/live/sip-text.js';
import { Stage, TRANSPORTS } from '../../support/live/stage.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const SECRET = 'P-Asserted-Identity: <sip:secret@own.example>';

const md5 = (text: string) => createHash('md5').update(text).digest('hex');

describe.each(builds('full'))('scripts of others, Kamailio $version', (build) => {
  let stage: Stage;
  let network: Network;
  let user: Caller;
  let stranger: Party;
  let partner: Party;

  beforeAll(async () => {
    stage = await Stage.start({
      build,
      partner: true,
      script: 'test/support/live/other.cfg',
      privateMemory: 16,
      policy: ({ agreements, ...standard }) => {
        const [a, b] = agreements;
        return { ...standard, agreements: [{ ...a, targets: ['[2001:db8::9]:5061'] }, b] };
      },
      // Where there is one socket for both sides, the script's own choice holds.
      defines: (host) => ({
        BEHIND_NAT: `udp:${host(3)}:5070 advertise 203.0.113.5:5070`,
        DMQ: { string: `sip:${host(3)}:5060` },
        SIPTRUST_KEEPALIVE: '300',
      }),
    });
    ({ network, user, stranger, partner } = stage);
  });
  afterAll(() => stage?.stop());

  /** A call of our user, with an identity. */
  async function call(ruri: string, subject: string, from = '<sip:user@own.example>;tag=1') {
    const callId = freshCallId();
    user.send(request({ callId, ruri, from, transport: 'UDP', headers: [SECRET, `Subject: ${subject}`] }));
    return { callId, answer: await user.final(callId) };
  }

  /** While `work` runs, `party` answers INVITE by this, as long as it is the first of a call. */
  async function whileAnswering(party: Party, line: string, rows: readonly string[], work: () => Promise<void>) {
    const { answer } = party;
    party.answer = (text, at) =>
      methodOf(text) === 'INVITE' && headerOf(text, 'Proxy-Authorization') === undefined
        ? [answered(text, line, rows)]
        : answer(text, at);
    await work();
    party.answer = answer;
  }

  it('ok/a place is asked once when its connection is opened', async () => {
    await network.proven('b.example');
    const round = () => network.cscf.rpc('pv.shvGet', 'siptrust_list');
    const first = round();
    await eventually('the poll has gone on', () => round() !== first);
    expect(partner.got.filter((text) => methodOf(text) === 'OPTIONS')).toHaveLength(1);
  });

  it('ok/after a failure, to a partner: with the identity', async () => {
    await whileAnswering(stranger, '486 Busy Here', [], async () => {
      const { callId, answer } = await call(stranger.uri('udp'), 'sip:party@b.example');
      expect(statusOf(answer), answer).toBe(200);
      expect(rowsOf(await partner.received(callId, 'INVITE'), 'P-Asserted-Identity')).toHaveLength(1);
    });
    expectNowhere('secret', stranger.got);
  });

  it.each(TRANSPORTS)('ok/after a failure, to a stranger over %s: stripped', async (transport) => {
    await whileAnswering(partner, '486 Busy Here', [], async () => {
      const { callId, answer } = await call('sip:party@b.example', stranger.uri(transport));
      expect(statusOf(answer), answer).toBe(200);
      await stranger.received(callId, 'INVITE');
    });
    expectNowhere('secret', stranger.got);
  });

  it.each(TRANSPORTS)('ok/a provider that is no partner asks who calls, over %s', async (transport) => {
    const challenge = 'Proxy-Authenticate: Digest realm="provider", nonce="n", algorithm=MD5';
    await whileAnswering(stranger, '407 Proxy Authentication Required', [challenge], async () => {
      const { answer } = await call(stranger.uri(transport), 'none');
      expect(statusOf(answer), answer).toBe(200);
    });
    expectNowhere('secret', stranger.got);
  });

  it('ok/sips: to a stranger goes over TLS, stripped; fail/and over nothing else, and the log names the place', async () => {
    for (const place of [`${stranger.host}:5061`, `${stranger.host};transport=tcp`]) {
      const { callId, answer } = await call(`sips:party@${place}`, 'none');
      expect(statusOf(answer), answer).toBe(200);
      expect(headerOf(await stranger.received(callId, 'INVITE'), 'Via')).toMatch(/^SIP\/2\.0\/TLS /);
    }
    const { callId, answer } = await call(`sips:party@${stranger.host}:5060;transport=udp`, 'none');
    expect(statusOf(answer)).toBeGreaterThan(399);
    expect(stranger.find(callId, 'INVITE')).toBeUndefined();
    expect(network.cscf.log).toContain(`a branch is not sent, next hop ${stranger.host}: tls-downgrade`);
    expectNowhere('secret', stranger.got);
  });

  it.each(TRANSPORTS)(
    'fail/a Request-URI that the script writes (enum, lcr, a table): stripped over %s',
    async (transport) => {
      const place = stranger.uri(transport);
      const targets = [
        `${place};cpc=secret`,
        `${place}?P-Asserted-Identity=%3Csip%3Asecret%40own.example%3E`,
        `${place};x=1?Subject=a&P-Charging-Vector=icid-value%3Dsecret`,
      ];
      for (const target of targets) {
        // With an identity, which the list removes, and with nothing to remove.
        for (const rows of [[SECRET], []]) {
          const callId = freshCallId();
          user.send(
            request({ callId, ruri: 'sip:1@x.example', transport: 'UDP', headers: [`X-Target: ${target}`, ...rows] }),
          );
          const answer = await user.final(callId);
          expect(statusOf(answer), answer).toBe(200);
          await stranger.received(callId, 'INVITE');
        }
      }
      expectNowhere('secret', stranger.got);
    },
  );

  it('fail/a branch_route without the line: the log names the field that is private, not the last one', async () => {
    const { callId, answer } = await call(stranger.uri('udp'), 'held');
    expect(statusOf(answer)).toBeGreaterThan(399);
    expect(stranger.find(callId, 'INVITE')).toBeUndefined();
    await eventually('the line', () =>
      /siptrust: not sent to \S+: INVITE, Call-ID \S+ bears P-Asserted-Identity: .*SIPTRUST_OUT/.test(network.cscf.log),
    );
  });

  it.each(TRANSPORTS)(
    'ok/what the script appends: done as the log says it goes on over %s, cleaned',
    async (transport) => {
      expect(statusOf((await call(stranger.uri(transport), 'appended')).answer)).toBeGreaterThan(399);
      expect(network.cscf.log).toMatch(
        /siptrust: not sent to .*msg_apply_changes\(\) after it, before record_route\(\)/,
      );
      // (Of what it replaces in From, a plan would bring back what stood there.)
      const from = '"Secret" <sip:secret;cpc=secret@own.example>;tag=1';
      const { callId, answer } = await call(stranger.uri(transport), 'applied', from);
      expect(statusOf(answer), answer).toBe(200);
      expect(rowsOf(await stranger.received(callId, 'INVITE'), 'X-Hint')).toEqual([]);
      expectNowhere('secret', stranger.got);
    },
  );

  it.each(TRANSPORTS)(
    'fail/what the script writes over in a private row, or in From, leaves as the name of the next row over %s, ok/applied: cleaned',
    async (transport) => {
      const identity = 'P-Asserted-Identity: <sip:05551234@own.example>';
      // The one by the list, the other by a plan.
      const messages = [
        { from: '<sip:user@own.example>;tag=1', headers: [identity, 'Supported: 100rel'] },
        { from: '"Secret" <sip:secret;cpc=secret@own.example>;tag=1', headers: [] },
        { from: '"Secret" <sip:secret@own.example;cpc=secret>;tag=1', headers: [] },
      ];
      const expectAnswers = async (subject: string, least: number, most: number) => {
        for (const { from, headers } of messages) {
          const callId = freshCallId();
          const terms = { callId, from, ruri: stranger.uri(transport), transport: 'UDP' };
          user.send(request({ ...terms, headers: [`Subject: ${subject}`, ...headers] }));
          const status = statusOf(await user.final(callId));
          expect(status).toBeGreaterThanOrEqual(least);
          expect(status).toBeLessThanOrEqual(most);
        }
      };
      await expectAnswers('written over', 400, 699);
      await expectAnswers('written over, applied', 200, 200);
      expectNowhere('5551234', stranger.got);
      expectNowhere('secret', stranger.got);
      // None is held that calls for help.
      const callId = freshCallId();
      const headers = [
        'Subject: written over',
        `X-Target: ${stage.other.uri(transport)}`,
        identity,
        'Supported: 100rel',
      ];
      user.send(
        request({ callId, ruri: 'urn:service:sos', from: '<sip:user@own.example>;tag=1', transport: 'UDP', headers }),
      );
      expect(statusOf(await user.final(callId))).toBe(200);
    },
  );

  it.each(TRANSPORTS)(
    'ok/an identity that the script writes in a branch_route, as the log says: to partners and inside, fail/to nobody over %s',
    async (transport) => {
      expect(network.cscf.log).toMatch(
        /siptrust: not sent to .*in a branch_route if \(\$var\(siptrust_p\) >= SIPTRUST_P_TRUSTED\)/,
      );
      const inside = `sip:uas@${network.uas.host}:${network.uas.port}`;
      // (The branch to our own side after one to a stranger: nothing is left of that one.)
      const { callId, answer } = await call(stranger.uri(transport), `identity ${inside} sip:party@b.example`);
      expect(statusOf(answer), answer).toBe(200);
      await stranger.received(callId, 'INVITE');
      for (const party of [network.uas, partner])
        expect(await party.received(callId, 'INVITE')).toContain(
          'P-Asserted-Identity: <sip:written-secret@own.example>',
        );
      expectNowhere('secret', stranger.got);
    },
  );

  it('ok/a partner whose Via lends its connection (;alias, RFC 5923) is called over that, with the identity', async () => {
    const terms = { names: ['DNS:b.example'], extendedKeyUsage: 'serverAuth,clientAuth' };
    const identity = network.pki.certificate({ issuer: network.cast.operatorB, ...terms });
    const peer = await tlsCaller(network.address, 5061, identity, partner.host);
    const lent = request({ from: '<sip:dave@b.example>;tag=1' });
    peer.send(lent.replace('sbc.a.example:5061', `${partner.host}:5061;alias`));
    const asked = await eventually('an OPTIONS', () => peer.answers.find((text) => methodOf(text) === 'OPTIONS'));
    peer.send(answered(asked, '200 OK'));
    await eventually('both connections are proven', () => network.provenConnections('b.example') > 1);
    const expectCalled = async () => {
      const callId = freshCallId();
      user.send(request({ callId, ruri: 'sip:party@b.example', transport: 'UDP', headers: [SECRET] }));
      const got = await eventually('the call', () =>
        peer.answers.find((text) => methodOf(text) === 'INVITE' && headerOf(text, 'Call-ID') === callId),
      );
      expect(rowsOf(got, 'P-Asserted-Identity')).toHaveLength(1);
    };
    await expectCalled();
    // Its verdict is renewed by a request: what it is called by holds on, too.
    const [, conid = ''] = /name: (\d+):\s/.exec(network.cscf.rpc('htable.dump', 'siptrust_servers')) ?? [];
    network.cscf.rpc('htable.delete', 'siptrust', `s:${conid}`);
    network.cscf.rpc('htable.setex', 'siptrust_servers', `s:${conid}`, '1');
    network.cscf.rpc('htable.sets', 'siptrust_servers', 'ends', '1');
    network.cscf.rpc('htable.setex', 'siptrust_servers', 'ends', '1');
    const again = request({ from: '<sip:dave@b.example>;tag=1' });
    peer.send(again);
    await peer.final(headerOf(again, 'Call-ID') ?? '');
    await eventually('that time is over', () =>
      /error/.test(network.cscf.rpc('htable.get', 'siptrust_servers', 'ends')),
    );
    network.cscf.rpc('htable.flush', 'siptrust_proven');
    network.cscf.rpc('htable.flush', 'siptrust_lately');
    await expectCalled();
    peer.close();
    await eventually('the connection of before is taken', async () => {
      const { answer } = await call('sip:party@b.example', 'none');
      return statusOf(answer) === 200;
    });
  });

  it('ok/a place of a partner that no socket of ours leads to: nothing is said of the script', async () => {
    const { log } = await eventually('it was tried', () =>
      network.cscf.log.includes('siptrust: tls:[2001:db8::9]:5061 (a.example) does not answer') ? network.cscf : false,
    );
    expect(log).not.toContain('does not call route(SIPTRUST_LOCAL)');
  });

  it.each(TRANSPORTS)(
    'ok/what the proxy itself sends and a plan alone can clean leaves over %s, cleaned',
    async (transport) => {
      const callId = freshCallId();
      const from = '<sip:user@own.example;isup-oli=62;cpc=secret>;tag=1';
      user.send(request({ callId, from, ruri: stranger.uri(transport), transport: 'UDP', headers: ['Subject: own'] }));
      expect(statusOf(await user.final(callId))).toBe(202);
      const got = await stranger.received(callId, 'MESSAGE');
      expect(headerOf(got, 'From')).toMatch(/^<sip:user@own[.]example>;tag=\S+$/);
      expect(headerOf(got, 'Subject')).toBe('kept');
      expectNowhere('secret', stranger.got);
    },
  );

  it.each(TRANSPORTS)('ok/answers to a stranger that only a plan lets go, over %s', async (transport) => {
    const caller = await stage.connect(transport);
    // As Avaya writes it: an escaped URI behind a parameter.
    const from = '<sip:1@x.example>;tag=1;epv=%3csip:1%40x.example%3bgr%3d3a%3e';
    network.uas.options = { extra: privateRows('secret') };
    const answer = await caller.final(stage.send(caller, transport, { from }));
    expect(statusOf(answer), answer).toBe(200);
    expectNowhere('secret', caller.answers);
    network.uas.options = {};
    // The poll takes the number back.
    await eventually('the gate out knows an answer again that nothing had to be done with', async () => {
      await caller.final(stage.send(caller, transport, {}));
      return network.cscf.statistic('siptrust_seen') > 0;
    });
  });

  it('ok/calls of strangers by the dozen for which nobody rings yet: the log says nothing of the gate out', async () => {
    network.uas.options = { provisional: ['100 Trying'], ringing: true };
    const caller = await stage.connect('tcp');
    const sent = Array.from({ length: 60 }, () => stage.send(caller, 'tcp', {}));
    for (const callId of sent) await network.uas.received(callId, 'INVITE');
    for (let round = 0; round < 3; round += 1) {
      const heard = network.cscf.rpc('pv.shvGet', 'siptrust_heard');
      await eventually('the poll has run', () => network.cscf.rpc('pv.shvGet', 'siptrust_heard') !== heard);
    }
    expect(network.cscf.log).not.toContain('replies do not pass the gate out');
    network.uas.options = {};
  });

  it('ok/an answer that the script drops: what comes next to that process is judged by its own transaction', async () => {
    const caller = await stage.connect('tcp');
    for (let time = 0; time < 8; time += 1) {
      // The last that the process has seen.
      network.uas.options = { provisional: ['183 Session Progress'], ringing: true };
      const dropped = freshCallId();
      user.send(request({ callId: dropped, transport: 'UDP' }));
      await network.uas.received(dropped, 'INVITE');
      network.uas.options = { provisional: [], extra: privateRows('secret') };
      const answer = await caller.final(stage.send(caller, 'tcp', {}));
      expect(statusOf(answer), answer).toBe(200);
    }
    // Nor does a request take the branch_route of another one.
    for (let time = 0; time < 24; time += 1) {
      expect(statusOf((await call(stranger.uri('udp'), 'held')).answer)).toBeGreaterThan(399);
      network.uas.options = { provisional: ['183 Session Progress'], ringing: true };
      const dropped = freshCallId();
      user.send(request({ callId: dropped, transport: 'UDP' }));
      await network.uas.received(dropped, 'INVITE');
      expect(statusOf((await call(stranger.uri('udp'), 'none')).answer)).toBe(200);
    }
    expectNowhere('secret', [...caller.answers, ...stranger.got]);
    expect(user.answers.filter((text) => statusOf(text) === 183)).toEqual([]);
    network.uas.options = {};
  });

  it('ok/answers to what went on without a transaction: cleaned for strangers, whole for partners and users', async () => {
    network.uas.options = { extra: privateRows('secret') };
    const answerTo = async (caller: Caller, transport: Transport) =>
      caller.final(stage.send(caller, transport, { headers: ['Subject: stateless'] }));
    for (const transport of TRANSPORTS) {
      const caller = await stage.connect(transport);
      const answer = await answerTo(caller, transport);
      expect(statusOf(answer), transport).toBe(200);
      expectNowhere('secret', caller.answers);
    }
    for (const [caller, transport] of [
      [await network.overTls(network.certificateOfA()), 'tls'],
      [user, 'udp'],
    ] as const)
      expect(await answerTo(caller, transport), transport).toContain('secret');
    network.uas.options = {};
  });

  it('fail/nor does the port in the Via of a stranger at the address of a partner open what is for the partner', async () => {
    network.uas.options = { extra: privateRows('secret') };
    const partnerPeer = await network.overTls(network.certificateOfA());
    const terms = { headers: ['Subject: stateless'] };
    await partnerPeer.final(stage.send(partnerPeer, 'tls', terms));
    const known = partnerPeer.answers.length;
    const forged = await network.overTls();
    for (const port of ['', `;rport=${partnerPeer.source.split(':').at(-1)}`]) {
      const callId = stage.send(forged, 'tls', terms, (text) =>
        text.replace('sbc.a.example:5061', partnerPeer.source).replace(/;rport/, port),
      );
      expect(statusOf(await forged.final(callId)), port).toBe(200);
    }
    expectNowhere('secret', forged.answers);
    expect(partnerPeer.answers.length).toBe(known);
    network.uas.options = {};
  });

  it('ok/an answer without a transaction to a partner, whose Via asks for no port: what a plan leaves of it', async () => {
    const kept = 'P-Asserted-Identity: <sip:user@own.example>';
    network.uas.options = {
      extra: [kept, 'P-Charging-Vector: icid-value=1;orig-ioi=own.example;access-network-charging-info="secret"'],
    };
    const peer = await network.overTls(network.certificateOfA());
    const answer = await peer.final(
      stage.send(peer, 'tls', { headers: ['Subject: stateless'] }, (text) => text.replace(/;rport/, '')),
    );
    expect(answer).toContain(kept);
    expect(rowsOf(answer, 'P-Charging-Vector')).toEqual(['icid-value=1;orig-ioi=own.example']);
    network.uas.options = {};
  });

  it('fail/an address of ours at a socket that advertises one of the world: whoever can write it is a stranger', async () => {
    const caller = await udpCaller(network.host(3), 5070, network.host(5));
    const callId = freshCallId();
    caller.send(request({ callId, transport: 'UDP', headers: [SECRET] }));
    expect(statusOf(await caller.final(callId))).toBe(200);
    caller.close();
    expect(rowsOf(await network.uas.received(callId, 'INVITE'), 'P-Asserted-Identity')).toEqual([]);
  });

  it.each([...TRANSPORTS, 'partner'] as const)(
    'fail/tables of this Kamailio are written by nobody outside, over %s; ok/by our own side',
    async (from) => {
      const transport = from === 'partner' ? 'tls' : from;
      const outside = from === 'partner' ? network.overTls(network.certificateOfA()) : stage.connect(transport);
      // The script of other.cfg hands on KDMQ alone, as it should, or with this row whatever comes.
      const anyMethod = ['Subject: any method'];
      const written = async (caller: Caller, over: Transport, method: string) => {
        // As htable writes it: in whatever table there is.
        const cname = `${method}-${from}-${caller === user}`;
        const body = JSON.stringify({ action: 2, htname: 'siptrust_near', cname, type: 0, intval: 20, mode: 1 });
        const ruri = method === 'X' ? 'tel:htable' : 'sip:htable@own.example';
        const callId = stage.send(caller, over, { method, ruri, body, headers: anyMethod });
        const status = statusOf(await caller.final(callId));
        return { status, there: network.cscf.rpc('htable.dump', 'siptrust_near').includes(`name: ${cname}`) };
      };
      const caller = await outside;
      for (const method of ['KDMQ', 'OPTIONS', 'MESSAGE', 'INVITE', 'X']) {
        expect(await written(caller, transport, method), method).toEqual({ status: 403, there: false });
        expect(await written(user, 'udp', method), method).toEqual({ status: 200, there: true });
      }
      // On 5.6 JSON that is no object ends Kamailio; by this channel machines become some of those that write each other's tables.
      for (const [channel, body] of [
        ...['0', ' \r\n"x"', '[1]', '--x', 'null', '{}'].map((text) => ['htable', text] as const),
        ['notification_peer', ''],
        ['notification_peer', `sip:${caller.source};status=active\r\n`],
      ] as const) {
        const terms = { method: 'MESSAGE', ruri: `sip:${channel}@own.example`, body, headers: anyMethod };
        expect(statusOf(await caller.final(stage.send(caller, transport, terms))), `${channel} ${body}`).toBe(403);
      }
      expect(network.cscf.rpc('dmq.list_nodes')).not.toContain(caller.source);
      for (const body of ['', 'v=0\r\n', '<?xml version="1.0"?>']) {
        const terms = { ruri: 'sip:dialog@own.example', body };
        expect(statusOf(await caller.final(stage.send(caller, transport, terms))), body).toBe(200);
      }
      expect(network.cscf.log).toMatch(/siptrust: KDMQ from outside is refused \(\S+\): .*SIPTRUST_INSIDE_NETS/);
    },
  );

  it('fail/nor does a line stand for each address that somebody makes up: they are of one kind', async () => {
    const callers = [await stage.connect('udp'), await udpCaller(network.host(3), 5070, network.host(5))];
    for (const caller of callers) {
      const callId = freshCallId();
      caller.send(request({ callId, method: 'KDMQ', ruri: 'sip:htable@own.example', transport: 'UDP' }));
      expect(statusOf(await caller.final(callId))).toBe(403);
      caller.close();
    }
    const kinds = network.cscf.rpc('htable.dump', 'siptrust_minute').matchAll(/name: \d+:([0-9a-f]+)/gi);
    const ofKdmq = [...kinds]
      .map(([, hex = '']) => Buffer.from(hex, 'hex').toString())
      .filter((text) => /^KDMQ/.test(text));
    expect([...new Set(ofKdmq)]).toEqual(['KDMQ from outside is ref']);
  });

  describe.each(TRANSPORTS)('SIPTRUST_REGISTRAR: a user in another network, over %s', (transport) => {
    const REALM = 'own.example';
    let caller: Caller;
    beforeAll(async () => {
      caller = await stage.connect(transport);
    });

    async function register(more: Partial<RequestTerms>, cseq: number) {
      const to = '<sip:dora@own.example>';
      const terms = { method: 'REGISTER', ruri: `sip:${REALM}`, to, from: `${to};tag=1`, cseq, ...more };
      caller.send(request({ ...terms, transport: transport.toUpperCase() }));
      return eventually('an answer', () =>
        caller.answers.find(
          (text) => headerOf(text, 'Call-ID') === more.callId && headerOf(text, 'CSeq') === `${cseq} REGISTER`,
        ),
      );
    }

    it('ok/is challenged and registers; fail/nobody says for the edge that they are authenticated', async () => {
      const callId = freshCallId();
      const challenged = await register({ callId }, 1);
      expect(statusOf(challenged), challenged).toBe(401);
      const nonce = /nonce="([^"]+)"/.exec(challenged)?.[1];
      const response = md5(`${md5(`dora:${REALM}:password`)}:${nonce}:${md5(`REGISTER:sip:${REALM}`)}`);
      const credentials = `Authorization: Digest username="dora", realm="${REALM}", nonce="${nonce}", uri="sip:${REALM}", response="${response}", algorithm=MD5`;
      const rows = privateRows('forged');
      expect(statusOf(await register({ callId, headers: [credentials, ...rows] }, 2))).toBe(200);
      expect(statusOf(await register({ callId, headers: [`${credentials}, integrity-protected="yes"`] }, 3))).toBe(403);
    });
  });
});

describe.each(builds('full'))('a script in Lua that says nothing of it, Kamailio $version', (build) => {
  it('fail/no request gets anywhere, and the log says why', async () => {
    const network = await Network.start({
      build,
      plain: true,
      script: (directory) => {
        const text = readFileSync(join(ROOT, 'kamailio-cfg/cscf.cfg'), 'utf8')
          .replace('#!ifdef CSCF_LUA\n#!define SIPTRUST_LUA\n#!endif\n', '')
          .replace('include_file "..', () => `include_file "${ROOT}`);
        writeFileSync(join(directory, 'lua.cfg'), text);
        return relative(ROOT, join(directory, 'lua.cfg'));
      },
      lua: true,
    });
    try {
      // Of users of our own nothing is asked: theirs was the call that went without a word.
      const caller = await network.ownUser();
      const callId = freshCallId();
      caller.send(request({ callId, transport: 'UDP', headers: [SECRET] }));
      await eventually('the line', () => /siptrust: the poll has not run yet.*siptrust\.lua/.test(network.cscf.log));
      expect(network.uas.find(callId, 'INVITE')).toBeUndefined();
    } finally {
      await network.stop();
    }
  });
});
