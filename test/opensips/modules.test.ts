/** Modules that tutorials use, in a script that has the lines of docs/opensips.md: what they keep, rewrite or send themselves. */

import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, inDialog, request } from '../support/live/caller.js';
import { replaced } from '../support/live/opensips.js';
import { OpensipsNetwork } from '../support/live/opensips-network.js';
import { answered, type Party } from '../support/live/party.js';
import { eventually } from '../support/live/places.js';
import { expectNowhere, privateRows } from '../support/live/secrets.js';
import { headerOf, methodOf, rowsOf, statusOf } from '../support/live/sip-text.js';
import { WebSocketCaller } from '../support/live/websocket.js';
import { absent, answerTo, apart, type Cast, cast, talk, theBuild, withDialogFlags } from './stage.js';

const SECRET = privateRows('secret');
const FORGED = privateRows('forged');
const NEEDED = ['dialog', 'topology_hiding', 'uac', 'uac_auth', 'b2b_entities', 'b2b_logic'];

const LOADED = `
loadmodule "dialog.so"
modparam("dialog", "default_timeout", 60)
loadmodule "topology_hiding.so"
loadmodule "uac_auth.so"
modparam("uac_auth", "credential", "user:stranger.example:secret-word")
loadmodule "uac.so"
loadmodule "b2b_entities.so"
loadmodule "b2b_logic.so"
`;

/** By user part. */
const FEATURES = `
	if (is_method("INVITE") && !has_totag()) {
		if ($rU == "hidden") {
			topology_hiding("C");
			route(RELAY);
		}
		if ($rU == "short") {
			create_dialog("BYE_LATE");
			$DLG_timeout = 2;
		}
		if ($rU == "renamed") {
			create_dialog();
			uac_replace_from("Anonymous", "sip:other@own.example");
		}
		if ($rU == "challenged") {
			t_on_failure("CHALLENGED");
		}
		if ($rU == "bridged") {
			b2b_init_request("top hiding");
			exit;
		}
		if ($rU == "waits") {
			$var(question) = "{\\"jsonrpc\\":\\"2.0\\",\\"id\\":1,\\"method\\":\\"core.status\\",\\"params\\":{}}";
			async(rest_post("http://SIDECAR:7061/rpc", $var(question), "application/json", $var(page)), RESUMED);
		}
	}
`;
const ROUTES = `
failure_route[CHALLENGED] {
	route(SIPTRUST_SHUT);
	if (t_check_status("401") && uac_auth()) {
		t_relay();
	}
}

route[RESUMED] {
	record_route();
	route(RELAY);
}
`;

describe.skipIf(absent(NEEDED) !== undefined)('with modules', () => {
  let network: OpensipsNetwork;
  let stranger: Party;
  let user: Caller;
  let outsider: Caller;
  let all: Cast | undefined;
  const clean = apart(
    () => [stranger, outsider],
    () => [network.uas, user],
  );

  beforeAll(async () => {
    all = await cast({
      edit: (sample, host) =>
        replaced(sample, [
          ['loadmodule "rr.so"\n', `loadmodule "rr.so"\n${LOADED}`],
          [
            '\tif (is_method("INVITE|SUBSCRIBE")) {\n',
            `${withDialogFlags(FEATURES)}\tif (is_method("INVITE|SUBSCRIBE")) {\n`,
          ],
          ['\t\tif (!loose_route()) {\n', '\t\tif (!topology_hiding_match() && !loose_route()) {\n'],
        ])
          .concat(ROUTES)
          .replaceAll('SIDECAR', host(8)),
    });
    ({ network, stranger, user, outsider } = all);
  });
  afterAll(() => all?.stop());
  const own = '<sip:user@own.example>;tag=1';

  it.each(['hidden', 'renamed', 'waits', 'bridged', 'short'])(
    'fail/%s: our user calls a stranger, and the call goes its way',
    async (name) => {
      const earlier = stranger.got.length;
      await talk(user, [stranger], { ruri: stranger.uri('udp', name), from: own, headers: SECRET });
      expect(stranger.got.slice(earlier).map(methodOf)).toContain('BYE');
      clean();
    },
  );

  it.each(['hidden', 'renamed', 'waits', 'bridged', 'short'])('fail/%s: a stranger calls our user', async (name) => {
    network.uas.options = { extra: SECRET };
    await talk(outsider, [network.uas], { ruri: `sip:${name}@own.example`, headers: FORGED });
    network.uas.options = {};
    clean();
  });

  it.each(['hidden', 'renamed', 'waits', 'bridged', 'short'])(
    'fail/%s: a stranger calls our user, with a From that has to change',
    async (name) => {
      const from = '<sip:alice@a.example;cpc=forged>;tag=1';
      const earlier = network.uas.got.length;
      await talk(outsider, [network.uas], { ruri: `sip:${name}@own.example`, from, headers: FORGED });
      const got = network.uas.got.slice(earlier);
      expect(got.map(methodOf)).toEqual(expect.arrayContaining(['INVITE', 'BYE']));
      for (const text of got) expect(rowsOf(text, 'From')).toHaveLength(1);
      clean();
    },
  );

  it('fail/a stranger wants a password of the proxy: it is sent again with that, and with nothing private', async () => {
    const { answer } = stranger;
    const challenge = 'WWW-Authenticate: Digest realm="stranger.example", nonce="n"';
    stranger.answer = (text, at) =>
      methodOf(text) === 'INVITE' && rowsOf(text, 'Authorization').length === 0
        ? [answered(text, '401 Unauthorized', [challenge, ...FORGED])]
        : answer(text, at);
    const callId = freshCallId();
    const got = await answerTo(user, { callId, ruri: stranger.uri('udp', 'challenged'), from: own, headers: SECRET });
    stranger.answer = answer;
    expect(statusOf(got), got).toBe(200);
    const sent = stranger.got.filter((text) => headerOf(text, 'Call-ID') === callId && methodOf(text) === 'INVITE');
    expect(sent.map((text) => rowsOf(text, 'Authorization').length)).toEqual([0, 1]);
    clean();
  });

  it('ok/a dialog that has lasted too long: both ends get a BYE', async () => {
    const answer = await answerTo(user, { ruri: stranger.uri('udp', 'short'), from: own, headers: SECRET });
    expect(statusOf(answer)).toBe(200);
    const { route, ...terms } = inDialog(answer);
    user.send(request({ ...terms, transport: 'UDP', from: own, method: 'ACK', headers: route }));
    const callId = headerOf(answer, 'Call-ID') ?? '';
    await eventually('the BYE', () => stranger.find(callId, 'BYE'));
    clean();
    expect(rowsOf(stranger.find(callId, 'BYE') ?? '', 'CSeq')).toHaveLength(1);
  });
});

describe.skipIf(absent(['proto_ws']) !== undefined)('over WebSocket', () => {
  let network: OpensipsNetwork;
  beforeAll(async () => {
    network = await OpensipsNetwork.start({
      build: theBuild(),
      edit: (sample, host) =>
        replaced(sample, [
          [/^(?=socket = tcp:)/m, `socket = ws:${host(2)}:5080\n`],
          ['loadmodule "proto_tcp.so"\n', 'loadmodule "proto_tcp.so"\nloadmodule "proto_ws.so"\n'],
        ]),
    });
  });
  afterAll(async () => {
    await network?.stop();
  });

  it('fail/a browser is a stranger in both directions', async () => {
    const browser = await WebSocketCaller.open(network.address, 5080, network.host(14));
    network.uas.options = { extra: SECRET };
    const callId = freshCallId();
    browser.send(request({ callId, method: 'MESSAGE', headers: FORGED, transport: 'WS' }));
    const answer = await eventually('the answer', () =>
      browser.answers.find((text) => headerOf(text, 'Call-ID') === callId),
    );
    network.uas.options = {};
    expect(statusOf(answer)).toBe(200);
    const user = await network.user();
    const next = freshCallId();
    user.send(request({ callId: next, method: 'MESSAGE', ruri: browser.uri, headers: SECRET, transport: 'UDP' }));
    expect(statusOf(await user.final(next))).toBe(200);
    expectNowhere('secret', [...browser.answers, ...browser.got]);
    expectNowhere('forged', network.uas.got);
    expect(browser.got).toHaveLength(1);
    browser.close();
  });
});

describe.skipIf(absent(['script_helper']) !== undefined)('with script_helper, as docs/opensips.md says', () => {
  let network: OpensipsNetwork;
  let stranger: Party;
  let user: Caller;
  let outsider: Caller;
  let all: Cast | undefined;
  const clean = apart(
    () => [stranger, outsider],
    () => [network.uas, user],
  );

  beforeAll(async () => {
    const document = readFileSync(new URL('../../docs/opensips.md', import.meta.url), 'utf8');
    const [, setting = '', route = ''] = /^(modparam\("script_helper".*\n)(route\[.*?^\}\n)/ms.exec(document) ?? [];
    all = await cast({
      edit: (sample) =>
        replaced(sample, [
          ['loadmodule "rr.so"\n', `loadmodule "rr.so"\nloadmodule "script_helper.so"\n${setting}`],
          ['\t\trecord_route();\n', '\t\t$var(recorded) = 1;\n'],
        ]).concat(route),
    });
    ({ network, stranger, user, outsider } = all);
  });
  afterAll(() => all?.stop());
  const own = '<sip:user@own.example>;tag=1';
  const METHODS = ['INFO', 'UPDATE', 'BYE'];

  it('fail/our user calls a stranger', async () => {
    await talk(user, [stranger], { ruri: stranger.uri('udp'), from: own, headers: SECRET }, METHODS);
    expect(stranger.got.map(methodOf)).toEqual(expect.arrayContaining(METHODS));
    clean();
  });

  it('fail/a stranger calls our user', async () => {
    network.uas.options = { extra: SECRET };
    await talk(outsider, [network.uas], { headers: FORGED }, METHODS);
    network.uas.options = {};
    expect(network.uas.got.map(methodOf)).toEqual(expect.arrayContaining(METHODS));
    clean();
  });

  it('fail/what is refused within the dialog stays here', async () => {
    const answer = await answerTo(outsider, { headers: FORGED });
    const { route, ...terms } = inDialog(answer);
    outsider.send(request({ ...terms, transport: 'UDP', method: 'ACK', headers: route }));
    const headers = [...route, ...FORGED];
    const refused = await answerTo(outsider, { ...terms, method: 'INFO', cseq: 2, headers: [...headers, 'l: 5'] });
    expect(statusOf(refused), refused).toBe(400);
    await answerTo(outsider, { ...terms, method: 'BYE', cseq: 3, headers });
    expect(network.uas.find(headerOf(answer, 'Call-ID') ?? '', 'INFO')).toBeUndefined();
    clean();
  });
});

describe.skipIf(absent(['dialog', 'rtpengine', 'rtp_relay', 'b2b_entities', 'siprec']) !== undefined)(
  'with a relay of media that edits bodies behind the script, and a recorder',
  () => {
    const SDP = 'v=0\r\no=- 1 1 IN IP4 10.1.1.1\r\ns=-\r\nc=IN IP4 10.1.1.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n';
    const RELAYED = SDP.replaceAll('10.1.1.1', '192.0.2.99');
    const relay = createSocket('udp4');
    let stranger: Party;
    let recorder: Party;
    let user: Caller;
    let all: Cast | undefined;

    beforeAll(async () => {
      // Each question of rtpengine is a cookie, a blank, and a dictionary in bencode.
      relay.on('message', (bytes, from) => {
        const [cookie = ''] = bytes.toString('latin1').split(' ', 1);
        const told = /7:command4:ping/.test(bytes.toString('latin1'))
          ? 'd6:result4:ponge'
          : `d6:result2:ok3:sdp${RELAYED.length}:${RELAYED}6:to-tag1:xe`;
        relay.send(`${cookie} ${told}`, from.port, from.address);
      });
      all = await cast({
        edit: (sample, host) => {
          relay.bind(2223, host(8));
          const loaded = ['dialog', 'rtpengine', 'rtp_relay', 'b2b_entities', 'siprec'].map(
            (name) => `loadmodule "${name}.so"\n`,
          );
          const sock = `modparam("rtpengine", "rtpengine_sock", "udp:${host(8)}:2223")\n`;
          const engaged = `\tif (is_method("INVITE") && !has_totag()) {\n\t\tcreate_dialog();\n\t\trtp_relay_engage("rtpengine");\n\t\tsiprec_start_recording("sip:${host(13)}:5060");\n\t}\n`;
          return replaced(sample, [
            ['loadmodule "rr.so"\n', `loadmodule "rr.so"\n${loaded.join('')}${sock}`],
            ['route[RELAY] {\n', `route[RELAY] {\n${engaged}`],
          ]);
        },
      });
      ({ stranger, other: recorder, user } = all);
    });
    afterAll(async () => {
      await all?.stop();
      relay.close();
    });

    const withBody = (text: string, length = SDP.length) =>
      text.replace(
        'Content-Length: 0\r\n\r\n',
        `Content-Type: application/sdp\r\nContent-Length: ${length}\r\n\r\n${SDP}`,
      );
    /** The answer to our user where a stranger sends one of this length. */
    function called(length: number, line = '200 OK') {
      stranger.answer = (text) =>
        methodOf(text) === 'INVITE'
          ? [withBody(answered(text, line, [stranger.contact('udp')]), length)]
          : [answered(text, '200 OK')];
      const headers = [...SECRET, 'Content-Type: application/sdp'];
      const from = '<sip:user@own.example>;tag=1';
      return answerTo(user, { ruri: stranger.uri('udp'), from, headers, body: SDP });
    }

    it('fail/a call: who talks and who records get nothing private', async () => {
      recorder.answer = (text) => [
        methodOf(text) === 'INVITE'
          ? withBody(answered(text, '200 OK', [recorder.contact('udp')]))
          : answered(text, '200 OK'),
      ];
      const answer = await called(SDP.length);
      expect(answer.split('\r\n\r\n')[1]).toBe(RELAYED);
      await eventually('the copy', () => recorder.got.some((text) => methodOf(text) === 'ACK'));
      expect(stranger.find(headerOf(answer, 'Call-ID') ?? '', 'INVITE')).toContain('192.0.2.99');
      expectNowhere('secret', [...stranger.got, ...recorder.got]);
    });

    it.each(
      [0, 5, SDP.length - 1, 900].flatMap((length) => ['200 OK', '486 Busy'].map((line) => [length, line] as const)),
    )('fail/an answer of a wrong length (%s), %s: it has one, the right one', async (length, line) => {
      const answer = await called(length, line);
      expect(rowsOf(answer, 'Content-Length'), answer).toEqual([`${answer.length - answer.indexOf('\r\n\r\n') - 4}`]);
    });
  },
);
