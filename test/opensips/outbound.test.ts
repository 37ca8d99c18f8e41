/** What leaves: private to a proven partner, stripped or refused to everybody else. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, request } from '../support/live/caller.js';
import type { StandardPolicy } from '../support/live/daemon.js';
import { replaced } from '../support/live/opensips.js';
import { agreementByWords, OpensipsNetwork, type OpensipsNetworkOptions } from '../support/live/opensips-network.js';
import { answered, Party } from '../support/live/party.js';
import { eventually } from '../support/live/places.js';
import { headerOf, methodOf, rowsOf, type SipText, statusOf } from '../support/live/sip-text.js';
import { TlsUas, Uas } from '../support/live/uas.js';
import { absent, answerTo, BUILD, theBuild } from './stage.js';

const OURS = 'P-Asserted-Identity: <sip:user@own.example>';

describe.skipIf(BUILD === undefined)('what leaves', () => {
  let network: OpensipsNetwork;
  let user: Caller;
  const parties: TlsUas[] = [];
  beforeAll(async () => {
    network = await OpensipsNetwork.start({
      build: theBuild(),
      settings: { siptrust_keepalive: '2' },
      edit: (sample, host) => {
        const place = `${host(7)}:5061;transport=tls`;
        const centre = `if ($hdr(Subject) == "centre") {\n\t\t\t$ru = "sip:centre@${place}";\n\t\t}`;
        const odd = `if ($hdr(Subject) == "odd") {\n\t\t\t$du = NULL;\n\t\t\t$ru = "sip:centre;cpc=a@${place};cpc=secret?X=y";\n\t\t}`;
        const help = `\tif ($ru =~ "^urn:") {\n\t\t$du = "sip:${place}";\n\t\t${centre}\n\t\t${odd}\n\t}\n`;
        return replaced(sample, [['route[RELAY] {\n', `route[RELAY] {\n${help}`]]);
      },
      policy: (standard, host) => ({
        ...standard,
        agreements: [
          ['op-b', 'b.example', 5, {}],
          ['op-c', 'c.example', 6, {}],
          ['op-d', 'd.example', 7, { require_tls: true }],
        ].map(([name, domain, at, more]) =>
          agreementByWords(name as string, domain as string, standardAnchor(standard), {
            targets: [`${host(at as number)}:5061`],
            ...(more as object),
          }),
        ),
      }),
    });
    user = await network.user();
    for (const [at, name] of [
      [5, 'b.example'],
      [6, 'somebody.example'],
      [7, 'somebody.example'],
    ] as const) {
      const identity = network.pki.certificate({ issuer: network.operatorB, names: [`DNS:${name}`] });
      parties.push(await TlsUas.start(network.host(at), identity));
    }
    await eventually('the place of b.example is called', () =>
      parties[0]?.got.some((text) => methodOf(text) === 'OPTIONS'),
    );
    await network.polled();
  });
  afterAll(async () => {
    for (const party of parties) party.stop();
    await network?.stop();
  });

  const party = (i: number): TlsUas => parties[i]!;

  async function sent(ruri: string, to: TlsUas, headers: readonly string[] = [OURS]): Promise<SipText | undefined> {
    const text = request({ method: 'MESSAGE', ruri, headers, transport: 'UDP', from: '<sip:user@own.example>;tag=1' });
    const callId = headerOf(text, 'Call-ID') ?? '';
    user.send(text);
    await user.final(callId);
    return to.find(callId, 'MESSAGE');
  }

  it('ok/a partner whose certificate has been seen on that connection gets it', async () => {
    const got = await eventually('it is proven', async () => {
      const arrived = await sent('sip:bob@b.example', party(0));
      return arrived !== undefined && rowsOf(arrived, 'P-Asserted-Identity').length === 1 && arrived;
    });
    expect(rowsOf(got, 'P-Asserted-Identity')).toEqual(['<sip:user@own.example>']);
  });

  it('ok/a Route to this proxy, as an outbound proxy is written, ends here: nobody behind it would send it back', async () => {
    const got = await sent('sip:bob@b.example', party(0), [`Route: <sip:${network.inside}:5060;lr>`, 'Subject: kept']);
    expect(rowsOf(got ?? '', 'Subject')).toEqual(['kept']);
    expect(rowsOf(got ?? '', 'Route')).toEqual([]);
  });

  it.each([[], [OURS]])('fail/such a Route does not come back by a plan that writes it anew: %s', async (...more) => {
    const rows = [`Route: <sip:${network.inside}:5060;lr;cpc=operator>`, 'Subject: kept', ...more];
    const got = await sent(`sip:bob@${party(1).host}:5061;transport=tls`, party(1), rows);
    expect(rowsOf(got ?? '', 'Subject')).toEqual(['kept']);
    expect([...rowsOf(got ?? '', 'Route'), ...rowsOf(got ?? '', 'P-Asserted-Identity')]).toEqual([]);
  });

  const SAID = ';lr;cpc=operator>';
  it.each([
    [(ours: string) => [ours]],
    [(_: string, away: string) => [away]],
    [(ours: string, away: string) => [`${ours}, ${away}`]],
    [(ours: string, away: string) => [ours, away]],
    [(ours: string, away: string) => [ours.replace(SAID, ';lr>'), away]],
  ])('fail/nor does that of somebody outside: %s', async (route) => {
    const callId = freshCallId();
    const [ours, away] = [network.address, party(1).host].map((host) => `<sip:${host}:5060${SAID}`) as [string, string];
    const headers = [...route(ours, away).map((row) => `Route: ${row}`), 'Refer-To: <sip:x@a.example;cpc=operator>'];
    expect(statusOf(await answerTo(await network.udp(), { callId, method: 'MESSAGE', headers }))).toBe(200);
    const got = network.uas.find(callId, 'MESSAGE') ?? '';
    expect(rowsOf(got, 'Route')).toEqual([]);
    expect(rowsOf(got, 'Refer-To')).toEqual(['<sip:x@a.example>']);
  });

  it.each([
    (ours: string, next: string) => [`${ours}, ${next}`],
    (ours: string, next: string) => [ours, next],
    (ours: string, next: string) => [ours.replace(SAID, ';lr>'), next.replace(';lr>', SAID)],
  ])('ok/what leads on within our network stays: %s', async (route) => {
    const [ours, next] = [`<sip:${network.address}:5060${SAID}`, `<sip:${network.called}:5060;lr>`] as const;
    const callId = freshCallId();
    const headers = route(ours, next).map((row) => `Route: ${row}`);
    const terms = { callId, method: 'INFO', to: '<sip:bob@own.example>;tag=2', headers };
    expect(statusOf(await answerTo(await network.udp(), terms))).toBe(200);
    expect(rowsOf(network.uas.find(callId, 'INFO') ?? '', 'Route')).toEqual([next]);
  });

  it.each([
    ['in one row', (ours: string, out: string, next: string) => [`${ours}${SAID},${out};lr>`, next]],
    ['in two rows', (ours: string, out: string, next: string) => [`${ours}${SAID}`, `${out};lr>`, next]],
    ['before what leads on', (ours: string, out: string, next: string) => [`${ours}${SAID}, ${out};lr>, ${next}`]],
    ['and what leads on has it', (ours: string, out: string, next: string) => [`${ours};lr>,${out};lr>`, next]],
  ] as const)('fail/nor does one that loose_route() has taken out, %s: what leads on stays', async (name, rows) => {
    const [next, last] = [1, 2].map((i) => `<sip:as@${party(i).host}:5061;transport=tls;lr>`) as [string, string];
    for (const [first, more] of [
      [next, [last]],
      ['', []],
    ] as const) {
      const said = name.startsWith('and') ? first.replace(';lr>', SAID) : first;
      const ours = `<sip:${network.inside}:5060;r2=on`;
      const route = rows(ours, `<sip:${network.address}:5061;transport=tls;r2=on`, said).map((row) =>
        row.replace(/, $/, ''),
      );
      const text = request({
        ...{ method: 'INFO', ruri: `sip:bob@${party(1).host}:5061;transport=tls`, to: '<sip:bob@own.example>;tag=2' },
        headers: [...route, ...more].filter((row) => row !== '').map((row) => `Route: ${row}`),
        transport: 'UDP',
      });
      const callId = headerOf(text, 'Call-ID') ?? '';
      user.send(text);
      const answer = await user.final(callId);
      const got = party(1).find(callId, 'INFO') ?? '';
      expect(rowsOf(got, 'Route').join(), `${text}${answer}${got}`).toBe(
        [first, ...more].filter((row) => row !== '').join(),
      );
    }
  });

  it('fail/the place of a partner shows another name: stripped', async () => {
    const got = await sent(`sip:bob@${party(1).host}:5061;transport=tls`, party(1));
    expect(rowsOf(got ?? '', 'P-Asserted-Identity')).toEqual([]);
    expect(got).toBeDefined();
  });

  it('fail/require_tls, and the place shows another name: not sent', async () => {
    const text = request({ method: 'MESSAGE', ruri: 'sip:bob@d.example', headers: [OURS], transport: 'UDP' });
    const callId = headerOf(text, 'Call-ID') ?? '';
    user.send(text);
    expect(statusOf(await user.final(callId))).toBe(503);
    expect(party(2).find(callId, 'MESSAGE')).toBeUndefined();
  });

  it.each([
    ['', []],
    [', and nothing can clean it', ['Subject: x\r\n P-Asserted-Identity: <sip:x@y.example>']],
  ] as const)(
    'ok/require_tls, and the place shows another name%s: a call for help goes there all the same, stripped',
    async (_, rows) => {
      const got = await sent('urn:service:sos', party(2), [OURS, ...rows]);
      expect(rowsOf(got ?? '', 'P-Asserted-Identity')).toEqual([]);
      expect(got).toBeDefined();
    },
  );

  it.each(['', ';cpc=secret'])(
    'ok/the script knows the centre that a call for help is for, From with "%s": it goes there, with the place of who calls',
    async (param) => {
      const rows = ['Geolocation: <cid:place@own.example>', 'Geolocation-Routing: yes'];
      const callId = freshCallId();
      const from = `<sip:user@own.example${param}>;tag=1`;
      const headers = [OURS, 'Subject: centre', ...rows];
      user.send(request({ callId, from, ruri: 'urn:service:sos', headers, transport: 'UDP' }));
      const answer = await user.final(callId);
      expect(statusOf(answer), answer).toBe(200);
      const got = party(2).find(callId, 'INVITE') ?? '';
      expect(got).toMatch(/^INVITE sip:centre@/);
      for (const row of rows) expect(got).toContain(`\r\n${row}\r\n`);
      expect(rowsOf(got, 'P-Asserted-Identity')).toEqual([]);
      expect(got).not.toContain('secret');
    },
  );

  it.each([
    ['a user', ''],
    ['a user', 'Warning: x\r\n P-Asserted-Identity: <sip:x@y.example>'],
    ['somebody outside', ''],
    ['somebody outside', 'Warning: x\r\n P-Asserted-Identity: <sip:x@y.example>'],
    ['while siptrustd says nothing, a user', ''],
  ])(
    'ok/the script writes the centre with what no stranger gets, %s calls for help, "%s": it goes there without',
    async (who, row) => {
      const caller = who === 'somebody outside' ? await network.udp() : user;
      if (who.startsWith('while')) network.relay.tamper = (method) => (method === 'trust.message' ? '{}' : undefined);
      const callId = freshCallId();
      const headers = ['Subject: odd', row].filter((each) => each !== '');
      const from = `<sip:user@${caller === user ? 'own' : 'a'}.example>;tag=1`;
      caller.send(request({ callId, from, ruri: 'urn:service:sos', headers, transport: 'UDP' }));
      const answer = await caller.final(callId);
      network.relay.tamper = () => undefined;
      expect(statusOf(answer), answer).toBe(200);
      const got = party(2).find(callId, 'INVITE') ?? '';
      expect(got).toMatch(/^INVITE sip:centre@[0-9.]+:5061(;transport=tls)? SIP/);
      expect([...rowsOf(got, 'From'), ...rowsOf(got, 'P-Asserted-Identity')]).toHaveLength(1);
    },
  );

  it.each(['', ';x=1'])(
    'ok/somebody outside calls for help outside, From with cpc and "%s": it stays, without',
    async (tail) => {
      const callId = freshCallId();
      const from = `<sip:away@a.example;cpc=operator>;tag=1${tail}`;
      const answer = await answerTo(await network.udp(), { callId, from, ruri: 'urn:service:sos' });
      expect(statusOf(answer), answer).toBe(200);
      const got = party(2).find(callId, 'INVITE') ?? '';
      expect(rowsOf(got, 'From')).toEqual(['<sip:away@a.example>;tag=1']);
      for (const name of ['To', 'Call-ID', 'CSeq', 'Max-Forwards', 'Content-Length', 'Contact'])
        expect(rowsOf(got, name), got).toHaveLength(1);
    },
  );

  it('ok/our user calls for help outside, with bytes behind its length: without anything private, and with one length', async () => {
    const headers = ['Content-Type: application/sdp', OURS];
    const text = `${request({ ruri: 'urn:service:sos', headers, body: 'v=0', transport: 'UDP' })}\r\n`;
    const callId = headerOf(text, 'Call-ID') ?? '';
    user.send(text);
    expect(statusOf(await user.final(callId))).toBe(200);
    const got = party(2).find(callId, 'INVITE') ?? '';
    expect(rowsOf(got, 'Content-Length')).toEqual(['0']);
    expect(rowsOf(got, 'P-Asserted-Identity')).toEqual([]);
  });

  it('fail/a stranger: stripped, over TLS as over UDP', async () => {
    const stranger = await Uas.start(network.host(30));
    const text = request({ method: 'MESSAGE', ruri: `sip:x@${stranger.host}`, headers: [OURS], transport: 'UDP' });
    const callId = headerOf(text, 'Call-ID') ?? '';
    user.send(text);
    await user.final(callId);
    expect(rowsOf(stranger.find(callId, 'MESSAGE') ?? '', 'P-Asserted-Identity')).toEqual([]);
    stranger.stop();
  });

  it('fail/after the partner has hung up, the connection is not proven any more', async () => {
    party(0).present(network.pki.certificate({ issuer: network.operatorB, names: ['DNS:thief.example'] }));
    party(0).hangUp();
    for (let i = 0; i < 5; i++) {
      const text = request({ method: 'MESSAGE', ruri: 'sip:bob@b.example', headers: [OURS], transport: 'UDP' });
      const callId = headerOf(text, 'Call-ID') ?? '';
      user.send(text);
      await user.final(callId);
      const got = party(0).find(callId, 'MESSAGE');
      if (got !== undefined) expect(rowsOf(got, 'P-Asserted-Identity')).toEqual([]);
    }
  });
});

describe.skipIf(BUILD === undefined)('what is known of the places of a partner', () => {
  let network: OpensipsNetwork;
  let partner: Party;
  let user: Caller;

  beforeAll(async () => {
    network = await OpensipsNetwork.start({
      build: theBuild(),
      alone: true,
      // Nobody is asked anew for its own sake: what is known otherwise has to do.
      settings: { siptrust_grace: '3', siptrust_keepalive: '1000' },
    });
    const identity = network.pki.certificate({ issuer: network.operatorB, names: ['DNS:sbc.b.example'] });
    partner = await Party.start(network.host(10), identity);
    await load();
    await network.daemon.start();
    user = await network.user();
    await eventually('b3.example is proven', async () => (await call('b3.example'))[1] === 1);
  });
  afterAll(async () => {
    partner?.stop();
    await network?.stop();
  });

  const load = async (ttl = 300, more: readonly object[] = []): Promise<void> => {
    const targets = [`${network.host(10)}:5061`];
    const terms = { server_names: ['sbc.b.example'], domains: ['b.example', 'b2.example', 'b3.example'], targets };
    const agreements = [agreementByWords('op-b', 'b.example', network.operatorB, terms), ...more];
    const policy = { ...network.standardPolicy, defaults: { ttl }, agreements };
    if (user === undefined) return network.daemon.write(policy);
    await network.daemon.reload(policy);
    await network.polled();
  };
  const strict = () =>
    agreementByWords('op-r', 'r.example', network.operatorB, {
      require_tls: true,
      targets: [`${network.host(11)}:5061`],
    });

  /** The answer, and how many identities the partner was told. */
  async function call(domain: string): Promise<readonly [number, number | undefined]> {
    const callId = freshCallId();
    const terms = { method: 'MESSAGE', from: '<sip:user@own.example>;tag=1', headers: [OURS] };
    const status = statusOf(await answerTo(user, { ...terms, callId, ruri: `sip:bob@${domain}` }));
    const got = partner.find(callId, 'MESSAGE');
    return [status, got === undefined ? undefined : rowsOf(got, 'P-Asserted-Identity').length];
  }

  it.each(['b.example', 'b2.example', 'b3.example'])(
    'ok/several domains at one place: %s is proven there',
    async (name) => {
      expect(await call(name)).toEqual([200, 1]);
    },
  );

  it('ok/several agreements at one place: each may say there what its own may', async () => {
    // As DNS would say it.
    network.relay.tamper = (method, answer) =>
      method === 'hop.list'
        ? answer.replace(/c\.example\|0\|[^"]*/, `c.example|0|tls:${network.host(10)}:5061`)
        : undefined;
    await load(300, [agreementByWords('op-c', 'c.example', network.operatorB, { server_names: ['sbc.b.example'] })]);
    await eventually('c.example is proven', async () => (await call('c.example'))[1] === 1);
    const { answer } = partner;
    for (const domain of ['b.example', 'c.example']) {
      const said = `<sip:bob@${domain}>`;
      const [there, back] = [freshCallId(), freshCallId()];
      const headers = [`P-Asserted-Identity: ${said}`];
      partner.answer = (text) =>
        headerOf(text, 'Call-ID') === there
          ? [
              answered(text, '200 OK', headers),
              request({ method: 'MESSAGE', callId: back, from: `${said};tag=1`, headers }),
            ]
          : [answered(text, '200 OK')];
      const got = await answerTo(user, { callId: there, method: 'MESSAGE', to: said, ruri: `sip:bob@${domain}` });
      expect(rowsOf(got, 'P-Asserted-Identity')).toEqual([said]);
      expect(rowsOf(await network.uas.received(back, 'MESSAGE'), 'P-Asserted-Identity')).toEqual([said]);
    }
    partner.answer = answer;
    network.relay.tamper = () => undefined;
    await load();
  });

  it('ok/when the policy has changed: the partner stays known, and what is new is known at once', async () => {
    expect(await call('r.example')).toEqual([500, undefined]);
    await load(300, [strict()]);
    expect(await call('b.example')).toEqual([200, 1]);
    expect(await call('r.example')).toEqual([503, undefined]);
    await load();
    expect(await call('r.example')).toEqual([500, undefined]);
  });

  it('ok/when the time of the verdict has ended: it is asked for again', async () => {
    await load(1);
    const before = network.relay.count('trust.peer');
    await eventually('it is asked twice', async () => {
      expect(await call('b.example')).toEqual([200, 1]);
      return network.relay.count('trust.peer') > before + 1;
    });
  });

  it('ok/a list without places takes the place of no other one', async () => {
    network.relay.tamper = (method, answer) =>
      method === 'hop.list' ? answer.replaceAll(/\|tls:[^"]*/g, '|') : undefined;
    await load(300, [strict()]);
    network.relay.tamper = () => undefined;
    expect(await call('b.example')).toEqual([200, 1]);
    expect(await call('r.example')).toEqual([503, undefined]);
  });

  it('ok/a list that fails is not asked for at each poll', async () => {
    network.relay.tamper = (method) => (method === 'hop.list' ? 'garbage' : undefined);
    const before = network.relay.count('hop.list');
    await load(300, [strict()]);
    network.relay.tamper = () => undefined;
    expect(network.relay.count('hop.list') - before).toBeLessThanOrEqual(2);
  });

  it('ok/while nobody answers: stripped, to where the call went last; refused where the agreement asks for proof', async () => {
    await load(300, [strict()]);
    await network.daemon.stop('SIGKILL');
    await eventually('it is trusted no more', async () => (await call('b.example'))[1] !== 1);
    for (const name of ['b.example', 'b2.example']) expect(await call(name)).toEqual([200, 0]);
    expect(await call('r.example')).toEqual([503, undefined]);
  });
});

describe.skipIf(BUILD === undefined)('a place of more domains than an entry holds', () => {
  const long = ['x', 'y', 'z'].map((letter) => letter.repeat(60)).join('.');
  const names = Array.from({ length: 120 }, (_, i) => `b${i}.${long}.example`);
  let network: OpensipsNetwork;
  let partner: Party;
  let user: Caller;
  beforeAll(async () => {
    ({ network, partner, user } = await placed({ terms: { server_names: ['b.example'], domains: names } }));
  });
  afterAll(async () => {
    partner?.stop();
    await network?.stop();
  });

  const told = async (ruri: string): Promise<number | undefined> => {
    const callId = freshCallId();
    await answerTo(user, { callId, method: 'MESSAGE', from: '<sip:user@own.example>;tag=1', headers: [OURS], ruri });
    const got = partner.find(callId, 'MESSAGE');
    return got === undefined ? undefined : rowsOf(got, 'P-Asserted-Identity').length;
  };

  it('ok/each of them is proven there', async () => {
    for (const name of [names[0], names[119]])
      await eventually('it is proven', async () => (await told(`sip:bob@${name}`)) === 1);
  });

  it('fail/the policy has them no more: whoever speaks from there is judged for none of them', async () => {
    await network.daemon.reload(network.standardPolicy);
    await network.polled();
    const callId = freshCallId();
    partner.answer = (text) => [
      answered(text, '200 OK'),
      request({ method: 'MESSAGE', callId, from: '<sip:x@b.example>;tag=1' }),
    ];
    expect(await told(partner.uri('tls'))).toBe(0);
    await network.uas.received(callId, 'MESSAGE');
    const last = async () => (await network.daemon.decisionsOn(`${network.host(10)}:5061`)).at(-1);
    await expect.poll(last).toMatchObject({ direction: 'in' });
  });
});

describe.skipIf(BUILD === undefined)('a list without places, for longer than what was said of them last counts', () => {
  let network: OpensipsNetwork;
  beforeAll(async () => {
    network = await OpensipsNetwork.start({
      build: theBuild(),
      settings: { siptrust_keepalive: '1' },
      plugin: (text) => replaced(text, [['$Ts + 600', '$Ts + 2']]),
      policy: (standard, host) => ({
        ...standard,
        agreements: [
          agreementByWords('op-r', 'r.example', standardAnchor(standard), {
            require_tls: true,
            targets: [`${host(11)}:5061`],
          }),
        ],
      }),
    });
  });
  afterAll(() => network?.stop());

  it('fail/the agreement asks for proof, and siptrustd answers: still refused', async () => {
    const user = await network.user();
    const status = async () =>
      statusOf(await answerTo(user, { method: 'MESSAGE', ruri: 'sip:bob@r.example', headers: [OURS] }));
    expect(await status()).toBe(503);
    network.relay.tamper = (method, answer) =>
      method === 'hop.list' ? answer.replaceAll(/\|tls:[^"]*/g, '|') : undefined;
    for (let i = 0; i < 2; i++) {
      await network.polled();
      expect(await status()).toBe(503);
    }
  });
});

const MOVED = `
failure_route[MOVED] {
	route(SIPTRUST_SHUT);
	if (t_check_status("302") && get_redirects(3, 3)) {
		t_relay();
	}
}
`;

describe.skipIf(absent(['uac_redirect']) !== undefined)('a stranger redirects to a proven partner', () => {
  let network: OpensipsNetwork;
  let stranger: Party;
  let partner: Party;
  let user: Caller;
  const terms = { from: '<sip:user@own.example>;tag=1', headers: [OURS] };

  beforeAll(async () => {
    ({ network, partner, user } = await placed({
      edit: (sample, host) =>
        replaced(sample, [
          ['loadmodule "rr.so"\n', 'loadmodule "rr.so"\nloadmodule "uac_redirect.so"\n'],
          [
            '\t# No open relay',
            `\tif ($rU == "moved") {\n\t\tt_on_failure("MOVED");\n\t\t$du = "sip:${host(12)}:5060";\n\t\troute(RELAY);\n\t}\n\t# No open relay`,
          ],
        ]).concat(MOVED),
    }));
    const identity = network.pki.certificate({ issuer: network.operatorB, names: ['DNS:stranger.example'] });
    stranger = await Party.start(network.host(12), identity);
    await network.polled();
    await eventually('b.example is proven', async () => {
      const callId = freshCallId();
      await answerTo(user, { ...terms, callId, method: 'MESSAGE', ruri: 'sip:bob@b.example' });
      return rowsOf(partner.find(callId, 'MESSAGE') ?? '', 'P-Asserted-Identity').length === 1;
    });
  });
  afterAll(async () => {
    stranger?.stop();
    partner?.stop();
    await network?.stop();
  });

  it.each([
    ['fail', ';cpc=forged', 302],
    ['fail', ';user=phone;oli=forged', 302],
    ['fail', '?P-Asserted-Identity=forged', 302],
    ['fail', ';x=1%3Bcpc=forged', 302],
    ['ok', ';user=phone', 200],
  ] as const)('%s/with %s', async (_, tail, status) => {
    stranger.answer = (text) => [answered(text, '302 Moved', [`Contact: <sip:bob@b.example${tail}>`])];
    const callId = freshCallId();
    const got = await answerTo(user, { ...terms, callId, ruri: 'sip:moved@own.example' });
    expect(statusOf(got), got).toBe(status);
    const arrived = partner.find(callId, 'INVITE');
    expect(arrived?.includes('forged') ?? false).toBe(false);
    // What the partner is believed to get stays what it was.
    if (status === 200) expect(rowsOf(arrived ?? '', 'P-Asserted-Identity')).toEqual(['<sip:user@own.example>']);
  });
});

/** A network of ours, a user of it, and b.example at a place of its agreement. */
async function placed({ terms, ...more }: Pick<OpensipsNetworkOptions, 'edit'> & { readonly terms?: object }) {
  const network = await OpensipsNetwork.start({
    build: theBuild(),
    settings: { siptrust_keepalive: '1' },
    policy: (standard, host) => {
      const all = { ...terms, targets: [`${host(10)}:5061`] };
      return { ...standard, agreements: [agreementByWords('op-b', 'b.example', standardAnchor(standard), all)] };
    },
    ...more,
  });
  const identity = network.pki.certificate({ issuer: network.operatorB, names: ['DNS:b.example'] });
  return { network, partner: await Party.start(network.host(10), identity), user: await network.user() };
}

function standardAnchor(standard: StandardPolicy) {
  const certificate = standard.agreements.find(({ name }) => name === 'op-b')?.anchors[0] ?? '';
  return { name: 'Operator B', certificate, key: '' };
}
