/**
 * What scripts and modules of operators do to a request on its way to somebody who is not trusted: whatever that is, no
 * private byte of ours leaves by it.
 */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SPELLINGS } from '../support/header-spellings.js';
import { type Caller, freshCallId, inDialog, request } from '../support/live/caller.js';
import { replaced } from '../support/live/opensips.js';
import { OpensipsNetwork } from '../support/live/opensips-network.js';
import { answered, type Party, type Transport } from '../support/live/party.js';
import { eventually, freePort } from '../support/live/places.js';
import { expectNowhere, privateRows } from '../support/live/secrets.js';
import { headerOf, methodOf, rowsOf, type SipText, statusOf } from '../support/live/sip-text.js';
import { absent, answerTo, apart, BUILD, type Cast, cast, talk, theBuild, withDialogFlags } from './stage.js';

const SECRET = privateRows('secret');
const FORGED = privateRows('forged');
const TRANSPORTS: readonly Transport[] = ['udp', 'tcp', 'tls'];

const LOADED = `
loadmodule "dialog.so"
modparam("dialog", "default_timeout", 60)
modparam("dialog", "options_ping_interval", 1)
modparam("dialog", "reinvite_ping_interval", 1)
loadmodule "topology_hiding.so"
`;

/** What a script does before it relays, by user part of the Request-URI: each goes on its way, cleaned. */
const ORDINARY: Readonly<Record<string, string>> = {
  plain: '',
  hidden: 'if (is_method("INVITE")) { topology_hiding("U"); }',
  encoded: 'if (is_method("INVITE")) { topology_hiding("C"); }',
  dialogued: 'if (is_method("INVITE")) { create_dialog("BYE_LATE"); }',
  pinged: 'if (is_method("INVITE")) { create_dialog("PINGS"); }',
  invited: 'if (is_method("INVITE")) { create_dialog("INVITES"); }',
  forked: '$branch = "sip:forked@OTHER:5060";',
  appended: 'append_hf("X-Own: 1\\r\\n"); remove_hf("Subject");',
  removed: 'remove_hf("P-Asserted-Identity"); remove_hf("Server");',
  flagged: 'if (!t_relay("no-auto-477,no-dns-failover")) { route(SIPTRUST_UNSENT); } exit;',
  transacted: 't_newtran();',
  slept: 'async(usleep(1000), RESUMED);',
  launched: 'launch(usleep(1000), LAUNCHED);',
  serial: 't_on_failure("NEXT"); $branch = "sip:serial@OTHER:5060"; serialize_branches(1, 1); next_branches();',
  again: 't_on_failure("AGAIN");',
  branched: 't_on_branch("OWN");',
  refreshed: '$du = "sip:HOST:5060";',
};
/** The same, and each adds something that no stranger gets: it is not sent. */
const WRONG: Readonly<Record<string, string>> = {
  inserted: 'insert_hf("P-Charging-Vector: icid-value=secret\\r\\n");',
  located: 'append_hf("P-Access-Network-Info: secret\\r\\n", "Call-ID");',
  substituted: 'subst("/^Subject: .*$/Diversion: <sip:secret@own.example>/");',
  replaced: 'replace("Subject: .*", "Remote-Party-ID: <sip:secret@own.example>");',
  compounded: 'append_hf("X-Own: 1\\r\\nP-Served-User: <sip:secret@own.example>\\r\\n");',
  late: 't_on_branch("LATE");',
};
/** What it writes into the Request-URI itself, of which the plan leaves what may leave. */
const REWRITTEN: Readonly<Record<string, string>> = {
  embedded: '$ru = "sip:x@HOST:5060?P-Asserted-Identity=secret";',
  parameter: '$ru = "sip:x@HOST:5060;oli=secret";',
  subscriber: '$ru = "sip:x@HOST:5060;user=phone;cpc=secret";',
  twice: '$branch = "sip:x@OTHER:5060;isup-oli=secret";',
  later: 't_on_branch("REWRITES");',
};

const CHOICES = (host: (host: number) => string) =>
  Object.entries({ ...ORDINARY, ...WRONG, ...REWRITTEN })
    .map(([name, lines]) => `\tif ($rU == "${name}" && !has_totag()) {\n\t\t${lines}\n\t}\n`)
    .join('')
    .replaceAll('OTHER', host(13))
    .replaceAll('HOST', host(12));

const ROUTES = (host: (host: number) => string) =>
  `
route[RESUMED] {
	route(RELAYED);
}

route[LAUNCHED] {
	xlog("L_DBG", "launched\\n");
}

route[RELAYED] {
	if (!t_relay("no-auto-477")) {
		route(SIPTRUST_UNSENT);
	}
	exit;
}

branch_route[OWN] {
	append_hf("X-Branch: 1\\r\\n");
	route(SIPTRUST_OUT);
}

branch_route[REWRITES] {
	$ru = "sip:x@FIRST:5060;oli=secret";
	route(SIPTRUST_OUT);
}

branch_route[LATE] {
	route(SIPTRUST_OUT);
	append_hf("P-Profile-Key: <sip:secret@own.example>\\r\\n");
}

failure_route[NEXT] {
	route(SIPTRUST_SHUT);
	if (next_branches()) {
		t_relay();
	}
}

failure_route[AGAIN] {
	route(SIPTRUST_SHUT);
	$ru = "sip:again@HOST:5060";
	t_relay();
}
`
    .replaceAll('HOST', host(13))
    .replaceAll('FIRST', host(12));

describe.skipIf(absent(['dialog', 'topology_hiding', 'textops']) !== undefined)('whatever a script does', () => {
  let network: OpensipsNetwork;
  let stranger: Party;
  let other: Party;
  let user: Caller;
  let outsider: Caller;
  let all: Cast | undefined;
  const clean = apart(
    () => [stranger, other, outsider],
    () => [network.uas, user],
  );

  beforeAll(async () => {
    all = await cast({
      patience: 4,
      edit: (sample, host) =>
        replaced(sample, [
          ['loadmodule "rr.so"\n', `loadmodule "rr.so"\n${LOADED}`],
          ['route[RELAY] {\n', `route[RELAY] {\n${withDialogFlags(CHOICES(host))}`],
          ['\t\tif (!loose_route()) {\n', '\t\tif (!topology_hiding_match() && !loose_route()) {\n'],
        ]).concat(ROUTES(host)),
    });
    ({ network, stranger, other, user, outsider } = all);
    const ordinary = stranger.answer;
    stranger.answer = (text, at) =>
      /^INVITE sip:(?:serial|again)@/.test(text) ? [answered(text, '486 Busy Here', FORGED)] : ordinary(text, at);
  });
  afterAll(() => all?.stop());
  const own = '<sip:user@own.example>;tag=1';

  it.each(Object.keys(ORDINARY).flatMap((name) => TRANSPORTS.map((transport) => [name, transport] as const)))(
    'fail/%s, to a stranger over %s: the call goes, and nothing private with it',
    async (name, transport) => {
      const headers = [...SECRET, 'Subject: x'];
      await talk(user, [stranger, other], { ruri: stranger.uri(transport, name), from: own, headers }, ['INFO', 'BYE']);
      clean();
    },
  );

  it.each(Object.keys(ORDINARY))('fail/%s, the 28 spellings of one field', async (name) => {
    const texts = [...SPELLINGS.values()].map((row) =>
      request({
        ...{ method: 'MESSAGE', ruri: stranger.uri('udp', name), from: own, transport: 'UDP' },
        headers: [row.replaceAll('forged@stranger', 'secret@own'), 'Max-Breadth: 60'],
      }),
    );
    for (const text of texts) user.send(text);
    const last = await answerTo(user, { method: 'MESSAGE', ruri: stranger.uri('udp', name), from: own });
    expect(statusOf(last)).toBe(200);
    // (A datagram with a NUL, or without one end of a line, is answered by nobody.)
    await pause(100);
    clean();
  });

  it.each(Object.keys(WRONG).flatMap((name) => ['INVITE', 'MESSAGE'].map((method) => [name, method] as const)))(
    'fail/%s, %s: it is not sent',
    async (name, method) => {
      const answer = await answerTo(user, {
        ruri: stranger.uri('udp', name),
        method,
        from: own,
        headers: ['Subject: x'],
      });
      clean();
      expect(statusOf(answer), answer).toBeGreaterThanOrEqual(400);
    },
  );

  const BODIES = [
    'hello\r\nP-Asserted-Identity: <sip:x@y>',
    'P-Served-User: x',
    'Diversion : x',
    'path: the long one',
  ] as const;

  it.each(BODIES)('ok/a body is no header block, whatever its lines look like: %j', async (body) => {
    const callId = freshCallId();
    const headers = [...SECRET, 'Content-Type: text/plain'];
    const ruri = stranger.uri('udp', 'plain');
    const answer = await answerTo(user, { callId, ruri, method: 'MESSAGE', from: own, headers, body });
    expect(statusOf(answer), answer).toBe(200);
    expect(await stranger.received(callId, 'MESSAGE')).toMatch(new RegExp(`\r\n\r\n${body}$`));
    clean();
  });

  it.each(BODIES.flatMap((body) => Object.keys(WRONG).map((name) => [name, body] as const)))(
    'fail/%s, with the body %j: it is not sent',
    async (name, body) => {
      const headers = ['Subject: x', 'Content-Type: text/plain'];
      const ruri = stranger.uri('udp', name);
      const answer = await answerTo(user, { ruri, method: 'MESSAGE', from: own, headers, body });
      clean();
      expect(statusOf(answer), answer).toBeGreaterThanOrEqual(400);
    },
  );

  it.each(Object.keys(REWRITTEN).flatMap((name) => ['INVITE', 'MESSAGE'].map((method) => [name, method] as const)))(
    'fail/%s, %s: it goes without it',
    async (name, method) => {
      const callId = freshCallId();
      const ruri = stranger.uri('udp', name);
      const answer = await answerTo(user, { callId, ruri, method, from: own, headers: ['Subject: x'] });
      expect(statusOf(answer), answer).toBe(200);
      await Promise.any([stranger, other].map((party) => party.received(callId, method)));
      clean();
    },
  );

  it.each(Object.keys(WRONG))('ok/%s, to our own side: as the script has it', async (name) => {
    const callId = freshCallId();
    const ruri = `sip:${name}@${network.called}:5060`;
    const answer = await answerTo(user, { callId, ruri, method: 'MESSAGE', from: own, headers: ['Subject: x'] });
    expect(statusOf(answer), answer).toBe(200);
    expect(network.uas.find(callId, 'MESSAGE')).toContain('secret');
  });

  it.each(['plain', 'hidden', 'encoded', 'dialogued', 'slept', 'transacted', 'branched'])(
    'fail/%s, a stranger calls our user: nothing forged comes, nothing of ours goes back',
    async (name) => {
      network.uas.options = { extra: SECRET };
      await talk(outsider, [network.uas], { ruri: `sip:${name}@own.example`, headers: FORGED });
      network.uas.options = {};
      clean();
    },
  );

  it.each([
    ['pinged', 'OPTIONS'],
    ['invited', 'INVITE'],
  ])('fail/%s by the dialog module: %s', async (name, method) => {
    const callId = freshCallId();
    const answer = await answerTo(user, { callId, ruri: stranger.uri('udp', name), from: own, headers: SECRET });
    expect(statusOf(answer)).toBe(200);
    const { route, ...terms } = inDialog(answer);
    user.send(request({ ...terms, transport: 'UDP', from: own, method: 'ACK', headers: route }));
    const pings = () =>
      stranger.got.filter(
        (text) =>
          headerOf(text, 'Call-ID') === callId &&
          methodOf(text) === method &&
          !/^1 /.test(headerOf(text, 'CSeq') ?? ''),
      );
    await eventually('a ping', () => pings().length > 0, 15_000);
    await answerTo(user, { ...terms, from: own, method: 'BYE', cseq: 20, headers: route });
    clean();
  });
});

describe.skipIf(BUILD === undefined)('over IPv6', () => {
  let port: number;
  let network: OpensipsNetwork;
  const datagrams = createSocket('udp6');
  const got: SipText[] = [];
  beforeAll(async () => {
    datagrams.on('message', (bytes, from) => {
      const text = bytes.toString('latin1');
      got.push(text);
      if (statusOf(text) === 0) datagrams.send(answered(text, '200 OK'), from.port, from.address);
    });
    port = await freePort('::1');
    datagrams.bind(port + 1, '::1');
    await once(datagrams, 'listening');
    network = await OpensipsNetwork.start({
      build: theBuild(),
      edit: (sample) =>
        replaced(sample, [
          [/^(?=socket = tcp:)/m, `socket = udp:[::1]:${port}\n`],
          [
            'route[RELAY] {\n',
            'route[RELAY] {\n\tif ($rU == "added") {\n\t\tappend_hf("P-Served-User: <sip:secret@own.example>\\r\\n");\n\t}\n',
          ],
        ]),
    });
  });
  afterAll(async () => {
    datagrams.close();
    await network?.stop();
  });

  it('fail/to a stranger: cleaned; what the script adds is not sent', async () => {
    const user = await network.user();
    for (const [name, headers, status] of [
      ['x', SECRET, 200],
      ['added', [], 500],
    ] as const) {
      const callId = freshCallId();
      const ruri = `sip:${name}@[::1]:${port + 1}`;
      user.send(
        request({ callId, method: 'MESSAGE', transport: 'UDP', ruri, from: '<sip:user@own.example>;tag=1', headers }),
      );
      expect(statusOf(await user.final(callId))).toBe(status);
    }
    expect(got.filter((text) => methodOf(text) === 'MESSAGE')).toHaveLength(1);
    expectNowhere('secret', got);
  });

  it('fail/from a stranger: nothing comes in, nothing of ours goes back', async () => {
    network.uas.options = { extra: SECRET };
    const callId = freshCallId();
    datagrams.send(request({ callId, method: 'MESSAGE', transport: 'UDP', headers: FORGED }), port, '::1');
    const answer = await eventually('the answer', () =>
      got.find((text) => headerOf(text, 'Call-ID') === callId && statusOf(text) >= 200),
    );
    network.uas.options = {};
    expect(statusOf(answer)).toBe(200);
    expect(rowsOf(network.uas.find(callId, 'MESSAGE') ?? '', 'P-Asserted-Identity')).toEqual([]);
    expectNowhere('forged', network.uas.got);
    expectNowhere('secret', got);
  });
});
