/** What goes on in calls beside INVITE: requests within dialogs, forks and their CANCEL, redirections that the script follows, bodies, long and broken up messages. */

import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, inDialog, type RequestTerms, request } from '../../support/live/caller.js';
import { builds } from '../../support/live/kamailio.js';
import type { Network } from '../../support/live/network.js';
import { answered, type Party } from '../../support/live/party.js';
import { expectNowhere, privateRows } from '../../support/live/secrets.js';
import { bodyOf, headerOf, methodOf, rowsOf, statusOf } from '../../support/live/sip-text.js';
import { Stage, TRANSPORTS } from '../../support/live/stage.js';

const SECRET = privateRows('secret');
const FORGED = privateRows('forged');
const NO_LIST_CLEANS = [
  'Call-Info: <sip:x@own.example;cpc=secret>;purpose=info',
  'Reply-To: <sip:u@own.example?P-Asserted-Identity=secret>',
  'Subject: a\r\n P-Asserted-Identity: secret',
];
const WITHIN = ['PRACK', 'UPDATE', 'INFO', 'MESSAGE', 'REFER', 'NOTIFY', 'INVITE', 'BYE'];

describe.each(builds('full'))('what goes on in calls, Kamailio $version', (build) => {
  let stage: Stage;
  let network: Network;
  let user: Caller;
  let stranger: Party;
  let other: Party;
  let partner: Party;

  beforeAll(async () => {
    stage = await Stage.start({
      build,
      partner: true,
      script: 'test/support/live/flows.cfg',
      privateMemory: 16,
    });
    ({ network, user, stranger, other, partner } = stage);
  });
  afterAll(() => stage?.stop());

  async function whileAnswering(party: Party, answer: Party['answer'], work: () => Promise<void>) {
    const before = party.answer;
    party.answer = answer;
    try {
      await work();
    } finally {
      party.answer = before;
    }
  }

  const send = (terms: RequestTerms): string => stage.send(user, 'udp', terms);

  it.each(TRANSPORTS)(
    'fail/requests within a dialog with a stranger over %s arrive, and say nothing private',
    async (transport) => {
      // Contacts of phones have parameters without values (RFC 5626 §5.4).
      const contact = `Contact: <${stranger.uri(transport)};ob>`;
      await whileAnswering(
        stranger,
        (text) => [answered(text, '200 OK', [contact])],
        async () => {
          // What the list removes, and what only a plan does: gateways to the PSTN write who calls into From.
          for (const from of ['<sip:user@own.example>;tag=1', '<sip:user;cpc=secret@own.example>;tag=1']) {
            const callId = send({ ruri: stranger.uri(transport), from, headers: SECRET });
            const final = await user.final(callId);
            expect(statusOf(final), final).toBe(200);
            const { route, ...dialog } = inDialog(final);
            expect(dialog.ruri).toContain(';ob');
            send({ ...dialog, from, callId, method: 'ACK', headers: [...route, ...SECRET] });
            await stranger.received(callId, 'ACK');
            let cseq = 2;
            for (const method of WITHIN) {
              send({ ...dialog, from, callId, method, cseq, headers: [...route, ...SECRET] });
              await stranger.received(callId, method);
              cseq += 1;
            }
          }
        },
      );
      expectNowhere('secret', stranger.got);
    },
  );

  it.each(TRANSPORTS)(
    'ok/an ACK with what a list cannot settle arrives at a stranger over %s, less what is private',
    async (transport) => {
      const open = [
        'Authorization: Digest username="user",\r\n realm="own.example"',
        'Subject: a\r\n\tb',
        'Call-Info: <http://own.example/card?of=user>;purpose=icon',
        'Refer-To: <sip:other@own.example?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>',
        'Error-Info: <sip:a%3Bb@own.example>',
      ];
      const rowSets = [...open.map((row) => [row]), open, [...open, ...SECRET]];
      for (const rows of [...rowSets, [...open, 'Reply-To: <sip:user@own.example;cpc=secret>']]) {
        const callId = send({ ruri: stranger.uri(transport) });
        const { route, ...dialog } = inDialog(await user.final(callId));
        send({ ...dialog, callId, method: 'ACK', headers: [...route, ...rows] });
        const ack = await stranger.received(callId, 'ACK');
        for (const row of open) if (rows.includes(row)) expect(ack).toContain(`\r\n${row}\r\n`);
      }
      expectNowhere('secret', stranger.got);
    },
  );

  it.each(TRANSPORTS)(
    'ok/a call to a stranger over %s with an address of ours as maddr, which Kamailio does not know, arrives, clean',
    async (transport) => {
      const callId = send({ ruri: `${stranger.uri(transport)};maddr=${network.host(4)}`, headers: SECRET });
      expect(statusOf(await user.final(callId))).toBe(200);
      await stranger.received(callId, 'INVITE');
      expectNowhere('secret', stranger.got);
    },
  );

  it.each(TRANSPORTS)(
    'fail/challenges of a fork, which tm puts together, tell a stranger over %s no keys',
    async (transport) => {
      const challenge = (keys: string) => `Digest realm="own.example", nonce="x"${keys}, qop="auth"`;
      const extra = [`WWW-Authenticate: ${challenge(', ck="secret", ik="secret"')}`, 'Reason: secret'];
      const caller = await stage.connect(transport);
      network.uas.options = { status: '401 Unauthorized', extra };
      const { host, port } = network.uas;
      const callId = stage.send(caller, transport, { headers: [`Subject: fork sip:other@${host}:${port}`] });
      const final = await caller.final(callId);
      network.uas.options = {};
      expect(statusOf(final), final).toBe(401);
      expect(rowsOf(final, 'WWW-Authenticate')).toEqual([challenge(''), challenge('')]);
      expectNowhere('secret', caller.answers);
    },
  );

  it.each(TRANSPORTS)(
    'fail/a Contact that the script writes over for NAT, and a plan cleans, tells a stranger over %s no handset',
    async (transport) => {
      const nat = (user: string) => `Contact: <sip:${user}@10.1.1.1;gr=urn:gsma:imei:90420156-025763-0>`;
      const headers = ['Subject: behind NAT'];
      const asked = (rows: readonly string[]) =>
        stage.send(user, 'udp', { method: 'SUBSCRIBE', ruri: stranger.uri(transport), headers: rows }, (text) =>
          text.replace(/^Contact: .*$/m, nat('user')),
        );
      const out = asked(headers);
      const refused = await user.final(out, 'SUBSCRIBE');
      expect(statusOf(refused), refused).toBeGreaterThan(399);
      expect(stranger.find(out, 'SUBSCRIBE')).toBeUndefined();
      // What doctor says helps.
      const applied = await stranger.received(asked(['Subject: behind NAT, applied']), 'SUBSCRIBE');
      expect(rowsOf(applied, 'Contact')[0]).toMatch(/^<sip:user@10\.1\.1\.1;alias=/);
      network.uas.options = { toName: `${nat('uas')}\r\nTo:`, extra: ['Server: x'] };
      const caller = await stage.connect(transport);
      const final = await caller.final(stage.send(caller, transport, { headers }));
      network.uas.options = {};
      expect(statusOf(final), final).toBe(200);
      expect(rowsOf(final, 'Contact')[0]).toMatch(/^<sip:uas@10\.1\.1\.1;alias=/);
      expect(rowsOf(final, 'Server')).toEqual(['x']);
      expectNowhere('imei', [...caller.answers, ...stranger.got]);
    },
  );

  it.each(TRANSPORTS)('fail/requests within a dialog of a stranger over %s bring nothing in', async (transport) => {
    const caller = await stage.connect(transport);
    const terms = { transport: transport.toUpperCase(), callId: freshCallId() };
    caller.send(request({ ...terms, headers: FORGED }));
    const final = await caller.final(terms.callId);
    expect(statusOf(final), final).toBe(200);
    const { route, ...dialog } = inDialog(final);
    let cseq = 2;
    for (const method of ['ACK', ...WITHIN]) {
      caller.send(
        request({ ...terms, ...dialog, method, cseq: method === 'ACK' ? 1 : cseq++, headers: [...route, ...FORGED] }),
      );
      await network.uas.received(terms.callId, method);
    }
    expectNowhere('forged', network.uas.got);
  });

  it.each(TRANSPORTS)('ok/methods without a dialog, and bodies of all kinds, over %s', async (transport) => {
    const caller = await stage.connect(transport);
    const part = 'Content-Type: application/sdp\r\n\r\nv=0\r\n';
    const bodies: readonly [string, string][] = [
      ['multipart/mixed;boundary=x', `--x\r\n${part}--x\r\nContent-Type: text/plain\r\n\r\nx\r\n--x--\r\n`],
      ['message/sipfrag', 'SIP/2.0 200 OK\r\nTo: <sip:a@a.example>\r\n'],
      ['message/sip', 'OPTIONS sip:a@a.example SIP/2.0\r\nTo: <sip:a@a.example>\r\n\r\n'],
    ];
    for (const method of ['PUBLISH', 'SUBSCRIBE', 'NOTIFY', 'MESSAGE', 'REFER']) {
      for (const [type, body] of bodies) {
        const out = send({ method, ruri: stranger.uri(transport), body, headers: [...SECRET, `c: ${type}`] });
        expect((await stranger.received(out, method)).endsWith(body), `${method} ${type}`).toBe(true);
        const terms = { method, callId: freshCallId(), transport: transport.toUpperCase(), body };
        caller.send(request({ ...terms, headers: [...FORGED, `c: ${type}`] }));
        expect((await network.uas.received(terms.callId, method)).endsWith(body), `${method} ${type}`).toBe(true);
      }
    }
    expectNowhere('secret', stranger.got);
    expectNowhere('forged', network.uas.got);
  });

  it.each(TRANSPORTS)('fail/a redirection that the script follows, from a stranger over %s', async (transport) => {
    for (const embedded of ['?P-Asserted-Identity=%3Csip%3Aforged%40own.example%3E', ';cpc=forged', ';%63pc=forged']) {
      const place = embedded.startsWith('?')
        ? `${other.uri(transport)}${embedded}`
        : `sip:party${embedded}@${other.uri(transport).split('@')[1]}`;
      const moved: Party['answer'] = (text) => [answered(text, '302 Moved Temporarily', [`Contact: <${place}>`])];
      await whileAnswering(stranger, moved, async () => {
        const callId = send({ ruri: stranger.uri(transport), headers: SECRET });
        const final = await user.final(callId);
        expect(statusOf(final), final).toBe(200);
        expect(other.find(callId, 'INVITE')).toBeDefined();
        expectNowhere('forged', user.answers);
      });
    }
    expectNowhere('secret', [...stranger.got, ...other.got]);
    expectNowhere('forged', other.got);
  });

  it.each(TRANSPORTS)('fail/a partner redirects to a stranger over %s: stripped', async (transport) => {
    const moved: Party['answer'] = (text, at) =>
      methodOf(text) === 'OPTIONS'
        ? [answered(text, '200 OK', [partner.contact(at)])]
        : [answered(text, '302 Moved Temporarily', [`Contact: <${stranger.uri(transport)}>`])];
    await whileAnswering(partner, moved, async () => {
      const callId = send({ ruri: 'sip:party@b.example', headers: SECRET });
      const final = await user.final(callId);
      expect(statusOf(final), final).toBe(200);
      await stranger.received(callId, 'INVITE');
      expect(partner.find(callId, 'INVITE')).toContain('secret');
    });
    expectNowhere('secret', stranger.got);
  });

  it.each(TRANSPORTS)('fail/a fork to a partner and a stranger over %s, and its CANCEL', async (transport) => {
    const ringing: Party['answer'] = (text, at) => {
      const { answer } = other;
      return methodOf(text) === 'INVITE' ? [answered(text, '180 Ringing', [partner.contact(at)])] : answer(text, at);
    };
    await whileAnswering(partner, ringing, () =>
      whileAnswering(stranger, ringing, async () => {
        const branch = 'z9hG4bKfork';
        const terms = {
          ruri: stranger.uri(transport),
          branch: `${branch}${freshCallId().slice(0, 8)}`,
          callId: freshCallId(),
          from: '<sip:user;cpc=secret@own.example>;tag=1',
          to: '<sip:party;oli=secret@stranger.example>',
        };
        send({ ...terms, headers: ['Subject: fork sip:party@b.example', ...SECRET] });
        await stranger.received(terms.callId, 'INVITE');
        expect(rowsOf(await partner.received(terms.callId, 'INVITE'), 'P-Asserted-Identity')).toHaveLength(2);
        await pause(100);
        send({ ...terms, method: 'CANCEL', headers: SECRET });
        for (const party of [stranger, partner]) {
          expect(rowsOf(await party.received(terms.callId, 'CANCEL'), 'P-Asserted-Identity')).toEqual([]);
        }
      }),
    );
    expectNowhere('secret', stranger.got);
  });

  it('ok/of a fork the answer that was kept goes out by its own plan, where the last one needed none', async () => {
    const { agreements, ...policy } = network.standardPolicy;
    await network.reload({ ...policy, agreements, defaults: { privacy: 'rfc3325' } });
    const extra = ['P-Asserted-Identity: <sip:bob@own.example>'];
    const asked = new Set<string>();
    for (const toName of ['To:', 't:', 'tO \t:\r\n']) {
      network.uas.options = { status: '404 Not Found', extra, toName };
      // The last one to answer: only when it is asked again.
      const late: Party['answer'] = (text) =>
        asked.size === asked.add(headerOf(text, 'Call-ID') ?? '').size
          ? [answered(text, '486 Busy Here').replace('\r\nTo:', `\r\n${toName}`)]
          : [];
      await whileAnswering(other, late, async () => {
        for (const transport of ['tcp', 'tls'] as const) {
          const caller = await stage.connect(transport);
          const callId = stage.send(caller, transport, {
            ruri: other.uri('udp'),
            headers: [`Subject: fork sip:bob@${network.host(4)}`],
          });
          const final = await caller.final(callId);
          expect(statusOf(final), `${toName} over ${transport}`).toBe(404);
        }
      });
    }
    network.uas.options = {};
    await network.reload({ ...policy, agreements });
  });

  it.each(TRANSPORTS)(
    'fail/nor does its CANCEL to an address of ours that the script leads to a stranger, over %s',
    async (transport) => {
      await whileAnswering(
        stranger,
        (text, at) => (methodOf(text) === 'INVITE' ? [answered(text, '180 Ringing')] : other.answer(text, at)),
        async () => {
          for (const headers of [SECRET, NO_LIST_CLEANS]) {
            const branch = `z9hG4bK${freshCallId().slice(0, 12)}`;
            const terms = { ruri: `sip:party@${network.host(4)}`, branch, callId: freshCallId() };
            send({ ...terms, headers: [`X-Place: ${stranger.uri(transport)}`, ...SECRET] });
            await stranger.received(terms.callId, 'INVITE');
            await pause(100);
            send({ ...terms, method: 'CANCEL', headers });
            await stranger.received(terms.callId, 'CANCEL');
          }
        },
      );
      expectNowhere('secret', stranger.got);
    },
  );

  it.each(TRANSPORTS)(
    'ok/an ACK arrives, clean, where the Contact of a stranger is an address of ours, over %s',
    async (transport) => {
      // Behind NAT, where addresses are like ours, and a proxy that stays in the way.
      const stays = `Record-Route: <${stranger.uri(transport)};lr>`;
      const nat = `Contact: <sip:party@${network.host(4)}>`;
      await whileAnswering(
        stranger,
        (text) => [answered(text, '200 OK', [nat]).replace('\r\nRecord-Route:', `\r\n${stays}\r\nRecord-Route:`)],
        async () => {
          for (const headers of [SECRET, NO_LIST_CLEANS]) {
            const answer = await user.final(send({ ruri: stranger.uri(transport) }));
            const { route, ...terms } = inDialog(answer);
            const callId = send({ ...terms, method: 'ACK', headers: [...route, ...headers] });
            await stranger.received(callId, 'ACK');
          }
        },
      );
      expectNowhere('secret', stranger.got);
    },
  );

  it.each(TRANSPORTS)('fail/nor does the ACK to a refusal say more than the INVITE, over %s', async (transport) => {
    await whileAnswering(
      stranger,
      (text) => [answered(text, '486 Busy Here')],
      async () => {
        const from = '<sip:user;cpc=secret@own.example>;tag=1';
        const callId = send({ ruri: stranger.uri(transport), from, headers: SECRET });
        await stranger.received(callId, 'ACK');
        expect(statusOf(await user.final(callId))).toBe(486);
      },
    );
    expectNowhere('secret', stranger.got);
  });

  it('fail/a long message that comes in many pieces is one message, cleaned', async () => {
    const rows = Array.from({ length: 200 }, (_, i) => `X-Long-${i}: ${'a'.repeat(100)}`);
    for (const transport of ['tcp', 'tls'] as const) {
      const caller = await stage.connect(transport);
      const callId = freshCallId();
      const text = request({ transport: transport.toUpperCase(), callId, headers: [...FORGED, ...rows, 'k: timer'] });
      for (let at = 0; at < text.length; at += 1500) {
        caller.send(text.slice(at, at + 1500));
        await pause(2);
      }
      expect(statusOf(await caller.final(callId))).toBe(200);
      expect(headerOf(await network.uas.received(callId, 'INVITE'), 'Supported') ?? 'timer').toBe('timer');
    }
    expectNowhere('forged', network.uas.got);
  });

  it.each(TRANSPORTS)(
    'ok/an emergency call leaves with the place of the caller, over %s (RFC 8787)',
    async (transport) => {
      const ruri = 'urn:service:sos';
      const rows = [
        'Geolocation: <cid:place@own.example>',
        'Geolocation-Routing: yes',
        `X-Place: ${stranger.uri(transport)}`,
      ];
      // What a phone says of its place, of who calls and how it is reached, may be long.
      for (const body of ['', 'x'.repeat(20_000)]) {
        const callId = send({ ruri, headers: [...SECRET, ...rows], body });
        const final = await user.final(callId);
        expect(statusOf(final), final).toBe(200);
        const got = await stranger.received(callId, 'INVITE');
        expect(rowsOf(got, 'Geolocation')).toHaveLength(1);
        expect(bodyOf(got)).toBe(body);
        expectNowhere('secret', [got]);
      }
    },
  );

  it.each(TRANSPORTS)(
    'ok/an eCall says where the data of the vehicle is, and what it is, over %s, whatever Privacy asks for (RFC 8147)',
    async (transport) => {
      const type = 'application/EmergencyCallData.eCall.MSD';
      const part = `--b\r\nContent-Type: ${type}\r\nContent-ID: <1@v.example>\r\n\r\nMSD\r\n--b--\r\n`;
      const rows = [
        'Call-Info: <cid:1@v.example>;purpose=EmergencyCallData.eCall.MSD',
        'Geolocation: <cid:2@v.example>',
        'Recv-Info: EmergencyCallData.eCall.MSD',
        'Content-Type: multipart/mixed;boundary=b',
      ];
      for (const privacy of ['none', 'id', 'user', 'header', 'user;header;session;id;critical']) {
        const more = [`Privacy: ${privacy}`, `X-Place: ${stranger.uri(transport)}`];
        const headers = [...SECRET, ...rows, ...more];
        const callId = send({ ruri: 'urn:service:sos.ecall.automatic', headers, body: part });
        const final = await user.final(callId);
        expect(statusOf(final), final).toBe(200);
        const got = await stranger.received(callId, 'INVITE');
        for (const row of rows) expect(got, privacy).toContain(`\r\n${row}\r\n`);
        expect(bodyOf(got)).toBe(part);
        expectNowhere('secret', [got]);
      }
    },
  );

  it('fail/a stranger with a long certificate and a long request makes nobody else a stranger', async () => {
    const names = Array.from({ length: 400 }, (_, at) => `DNS:tenant-${at}.nobody.example`);
    const caller = await network.overTls(network.pki.certificate({ issuer: network.cast.operatorB, names }));
    const from = '<sip:x@nobody.example;cpc=forged>;tag=1';
    const callId = stage.send(caller, 'tls', { from, body: 'x'.repeat(39_000) });
    expect(statusOf(await caller.final(callId))).toBe(200);
    expectNowhere('forged', [await network.uas.received(callId, 'INVITE')]);
    expect(network.cscf.log).toContain('siptrustd refuses a question (trust.message)');
    expect(network.cscf.log).not.toContain('No post data given');
  });

  describe.each(TRANSPORTS)('an emergency call whose Request-URI the script writes, over %s', (transport) => {
    it.each([
      ['urn:service:sos.fire', '', 'the centre that it knows'],
      ['urn:service:sos', ';cpc=secret', 'that centre, behind a plan'],
      ['sip:112@own.example;user=phone', '', 'whoever helps, since it knows the number'],
      ['sip:112@own.example;user=phone', ';cpc=secret', 'that one, behind a plan'],
    ])('ok/%s%s: for %s, with the place and the handset', async (ruri, param) => {
      const handset = 'Contact: <sip:user@own.example>;+sip.instance="<urn:gsma:imei:35622410-483840-0>"';
      const rows = ['Geolocation: <cid:place@own.example>', 'Geolocation-Routing: yes'];
      const place = `X-Place: ${stranger.uri(transport)}`;
      const from = `<sip:user@own.example${param}>;tag=1`;
      const callId = send({ ruri, from, headers: [...SECRET, ...rows, handset, 'Subject: centre', place] });
      const final = await user.final(callId);
      expect(statusOf(final), final).toBe(200);
      const got = await stranger.received(callId, 'INVITE');
      for (const row of [...rows, handset]) expect(got).toContain(`\r\n${row}\r\n`);
      expectNowhere('secret', [got]);
    });

    it.each(['urn:service:sos', 'sip:112@own.example;user=phone'])(
      'fail/%s: who says where somebody is does not leave, nor what the place embeds',
      async (ruri) => {
        const place = '<https://lis.example/x>';
        for (const geolocation of [
          `${place};loc-src="secret.own.example"`,
          '<sip:x@own.example?P-Asserted-Identity=secret>',
        ]) {
          const rows = [`Geolocation: ${geolocation}`, 'Subject: centre', `X-Place: ${stranger.uri(transport)}`];
          const callId = send({ ruri, headers: [...SECRET, ...rows] });
          const final = await user.final(callId);
          expect(statusOf(final), final).toBe(200);
          const got = await stranger.received(callId, 'INVITE');
          expect(rowsOf(got, 'Geolocation')).toHaveLength(1);
          expectNowhere('secret', [got]);
        }
      },
    );
  });

  it.each(TRANSPORTS)(
    'fail/the number of a handset leaves over %s in an emergency call alone, and nobody is asked for it (RFC 7255 §8)',
    async (transport) => {
      const asked = network.cscf.statistic('siptrust_asked_message');
      const handset = 'Contact: <sip:user@own.example>;+sip.instance="<urn:gsma:imei:35622410-483840-0>";audio';
      const calls = [
        { ruri: stranger.uri(transport), headers: [...SECRET, handset] },
        { ruri: 'urn:service:sos', headers: [...SECRET, handset, `X-Place: ${stranger.uri(transport)}`] },
      ];
      for (const call of calls) {
        const callId = send(call);
        const final = await user.final(callId);
        expect(statusOf(final), final).toBe(200);
        const got = await stranger.received(callId, 'INVITE');
        expect(got.includes('urn:gsma:imei')).toBe(call.ruri === 'urn:service:sos');
        expect(rowsOf(got, 'Contact').at(-1)).toMatch(/^<sip:user@own[.]example>.*;audio$/);
        expectNowhere('secret', [got]);
      }
      expect(network.cscf.statistic('siptrust_asked_message')).toBe(asked);
    },
  );

  it.each(TRANSPORTS)(
    'fail/whoever answers as urn:service:sos is told over %s neither the place nor the handset of whom he talks to',
    async (transport) => {
      const place = `Record-Route: <${stranger.uri(transport)};lr>\r\n`;
      const handset = 'Contact: <sip:user@own.example>;+sip.instance="<urn:gsma:imei:secret>"';
      await whileAnswering(
        stranger,
        (text) => [
          answered(text, '200 OK', ['Contact: <urn:service:sos.fire>']).replace('Record-Route', `${place}Record-Route`),
        ],
        async () => {
          const callId = send({ ruri: stranger.uri(transport), headers: SECRET });
          const { route, ...dialog } = inDialog(await user.final(callId));
          const headers = [...route, ...SECRET, handset, 'Geolocation: <cid:secret@own.example>'];
          let cseq = 1;
          for (const method of ['ACK', ...WITHIN]) {
            send({ ...dialog, callId, method, cseq, headers });
            const got = await stranger.received(callId, method);
            expect(got.startsWith(`${method} urn:service:sos.fire `) || method === 'INVITE', got).toBe(true);
            cseq += 1;
          }
        },
      );
      expectNowhere('secret', stranger.got);
    },
  );

  it.each(TRANSPORTS)(
    'fail/a redirection to an address that begins as urn:service:sos does makes no call for help, over %s',
    async (transport) => {
      const handset = 'Contact: <sip:user@own.example>;+sip.instance="<urn:gsma:imei:secret>"';
      const headers = [...SECRET, handset, 'Geolocation: <cid:secret@own.example>'];
      for (const label of ['.fire', ';x', '?x', '.fire:x']) {
        const target = `urn:service:sos${label}@${other.host}`;
        await whileAnswering(
          stranger,
          (text) => [answered(text, '302 Moved', [`Contact: <${target}>`])],
          async () => {
            await user.final(send({ ruri: stranger.uri(transport), headers }));
          },
        );
      }
      expectNowhere('secret', [...stranger.got, ...other.got]);
    },
  );

  it.each(TRANSPORTS)(
    'fail/a field that the script puts in too late leaves in no emergency call, over %s',
    async (transport) => {
      const rows = [
        `X-Place: ${stranger.uri(transport)}`,
        'Geolocation: <cid:place@own.example>',
        'Subject: late field',
      ];
      const callId = send({ ruri: 'urn:service:sos', headers: [...SECRET, ...rows] });
      expect(statusOf(await user.final(callId))).toBeGreaterThan(399);
      expect(stranger.find(callId, 'INVITE')).toBeUndefined();
      expect(network.cscf.log).toMatch(/siptrust: not sent to .* bears P-Asserted-Identity/);
    },
  );

  it.each(TRANSPORTS)('ok/what a plan tolerates in an emergency call stops none, over %s', async (transport) => {
    for (const row of [
      'Refer-To: <sip:a@b.example?Replaces=x%40y%3Bto-tag%3D1%3Borig%3D2>',
      'Organization: Smith\r\n & Sons',
      'Reply-To: H&M; Orig <sip:bob@b.example>',
    ]) {
      const callId = send({
        ruri: 'urn:service:sos',
        headers: [...SECRET, row, `X-Place: ${stranger.uri(transport)}`],
      });
      const final = await user.final(callId);
      expect(statusOf(final), row).toBe(200);
      expectNowhere('secret', [await stranger.received(callId, 'INVITE')]);
    }
  });
});
