/** Calls that are traced, timed, counted, limited and ranked, whose media is asked for from another process, and places that want a password. */

import { createSocket } from 'node:dgram';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, inDialog, request } from '../support/live/caller.js';
import { replaced } from '../support/live/opensips.js';
import type { OpensipsNetwork } from '../support/live/opensips-network.js';
import { answered, type Party } from '../support/live/party.js';
import { eventually } from '../support/live/places.js';
import { privateRows } from '../support/live/secrets.js';
import { headerOf, methodOf, rowsOf, type SipText, statusOf } from '../support/live/sip-text.js';
import {
  absent,
  answerTo,
  apart,
  type CastWithPartner,
  castWithPartner,
  noTables,
  tables,
  talk,
  theBuild,
  value,
} from './stage.js';

const SECRET = privateRows('secret');
const FORGED = privateRows('forged');
const SDP = 'v=0\r\no=- 1 1 IN IP4 10.1.1.1\r\ns=-\r\nc=IN IP4 10.1.1.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n';
const RELAYED = SDP.replaceAll('10.1.1.1', '192.0.2.99');
const NEEDED = [
  ...['db_text', 'dialog', 'drouting', 'qrouting', 'fraud_detection', 'ratelimit', 'sst', 'proto_hep', 'tracer'],
  ...['acc', 'event_datagram', 'rtpengine', 'uac_auth', 'uac'],
];

const LOADED = `${NEEDED.map((name) => `loadmodule "${name}.so"\n`).join('')}
${['drouting', 'qrouting', 'fraud_detection'].map((name) => `modparam("${name}", "db_url", "text://FOLDER")\n`).join('')}
modparam("dialog", "default_timeout", 60)
modparam("sst", "sst_flag", "TIMED")
modparam("sst", "min_se", 100)
modparam("proto_hep", "hep_id", "[collector] COLLECTOR:9060; transport=udp; version=3")
modparam("tracer", "trace_on", 1)
modparam("tracer", "trace_id", "[traced]uri=hep:collector")
modparam("tracer", "trace_id", "[copied]uri=sip:COLLECTOR:9061")
modparam("rtpengine", "rtpengine_sock", "udp:COLLECTOR:2223")
modparam("uac_auth", "credential", "user:b.example:secret-word")
`;
/** By user part. */
const FEATURES = `
	if (is_method("INVITE") && !has_totag()) {
		if ($rU == "traced") {
			create_dialog();
			trace("traced", "d", "sip|xlog");
		}
		if ($rU == "copied") {
			trace("copied", "t", "sip");
		}
		if ($rU == "timed") {
			if (sstCheckMin(1)) {
				exit;
			}
			create_dialog();
			setflag("TIMED");
		}
		if ($rU == "limited") {
			if (!rl_check("gold", 1000, "TAILDROP")) {
				send_reply(503, "Too Many");
				exit;
			}
		}
		if ($rU == "fraud") {
			create_dialog();
			check_fraud($fU, "4412345", 1);
		}
		if ($rU == "counted") {
			do_accounting("evi|log", "cdr|missed|failed");
		}
		if ($rU =~ "^media") {
			record_route();
			async(rtpengine_offer("replace-origin"), OFFERED);
		}
		if ($rU =~ "^4") {
			record_route();
			create_dialog();
			do_routing(1);
			t_on_failure("ROUTED");
			route(RELAY);
		}
		if ($rU == "password") {
			$ru = "sip:password@b.example";
			t_on_failure("PASSWORD");
		}
	}
`;
const ROUTES = `
route[OFFERED] {
	t_on_reply("MEDIA");
	if ($avp(siptrust_caller) != "inside") {
		$du = "sip:CALLED:5060";
	}
	route(RELAY);
}

onreply_route[MEDIA] {
	route(SIPTRUST_BACK);
	if (has_body("application/sdp")) {
		async(rtpengine_answer("replace-origin"), ANSWERED);
	}
}

route[ANSWERED] {
	xlog("L_DBG", "resumed\\n");
}

failure_route[ROUTED] {
	route(SIPTRUST_SHUT);
	if (t_check_status("[345][0-9][0-9]") && use_next_gw()) {
		t_relay();
	}
}

failure_route[PASSWORD] {
	route(SIPTRUST_SHUT);
	if (t_check_status("40[17]") && uac_auth()) {
		t_relay();
	}
}

startup_route {
	subscribe_event("E_ACC_CDR", "udp:COLLECTOR:9062");
}
`;

describe.skipIf((absent(NEEDED) ?? noTables()) !== undefined)('calls that are watched', () => {
  let network: OpensipsNetwork;
  let stranger: Party;
  let other: Party;
  let partner: Party;
  let user: Caller;
  let outsider: Caller;
  let all: CastWithPartner | undefined;
  const sockets = [2223, 9060, 9061, 9062].map((port) => ({ port, socket: createSocket('udp4') }));
  const collected = new Map<number, string[]>();
  const clean = apart(
    () => [stranger, other, outsider],
    () => [network.uas, user],
  );

  beforeAll(async () => {
    for (const { port, socket } of sockets)
      socket.on('message', (bytes, from) => {
        const text = bytes.toString('latin1');
        collected.set(port, [...(collected.get(port) ?? []), text]);
        if (port !== 2223) return;
        const [cookie = ''] = text.split(' ', 1);
        const told = /7:command4:ping/.test(text)
          ? 'd6:result4:ponge'
          : `d6:result2:ok3:sdp${RELAYED.length}:${RELAYED}6:to-tag1:xe`;
        setTimeout(() => socket.send(`${cookie} ${told}`, from.port, from.address), 50);
      });
    all = await castWithPartner({
      settings: { siptrust_keepalive: '1' },
      edit: (sample, host) => {
        for (const { port, socket } of sockets) socket.bind(port, host(8));
        const folder = tables(sample, {
          dr_gateways: [12, 13].map((at) => `${at}:gw${at}:0:${value(`sip:${host(at)}:5060`)}:0:::1:0::`),
          dr_rules: ['1:1:44::1::gw12,gw13:Q:1::'],
          qr_profiles: [`1:all${':0.5'.repeat(20)}`],
          fraud_detection: ['1:1:44:00\\:00:23\\:59:Mon-Sun:1:2:1:2:1:2:1:2:1:2'],
        });
        return (
          replaced(sample, [
            ['loadmodule "rr.so"\n', `loadmodule "rr.so"\n${LOADED}`],
            ['\t# No open relay', `${FEATURES}\t# No open relay`],
            [/^(?=socket = tcp:)/m, `socket = hep_udp:${host(2)}:9060\n`],
          ])
            .concat(ROUTES)
            // (3.4 waits for rtpengine itself.)
            .replace(/async\((rtpengine_.*?\)), (\w+)\)/g, (all, call: string, next: string) =>
              theBuild().version.startsWith('3.4') ? `${call};\n\t\troute(${next})` : all,
            )
            .replaceAll('FOLDER', folder)
            .replaceAll('CALLED', host(3))
            .replaceAll('COLLECTOR', host(8))
        );
      },
    });
    ({ network, stranger, other, partner, user, outsider } = all);
    await eventually('the partner is proven', () => partner.got.length > 3);
  });
  afterAll(async () => {
    await all?.stop();
    for (const { socket } of sockets) socket.close();
  });
  const own = '<sip:user@own.example>;tag=1';

  const NAMES = ['traced', 'copied', 'timed', 'limited', 'fraud', 'counted'];
  it.each(NAMES)('fail/%s: our user calls a stranger, and the call goes its way', async (name) => {
    const headers = [...SECRET, 'Supported: timer', 'Session-Expires: 1800', 'Min-SE: 120'];
    await talk(user, [stranger], { ruri: stranger.uri('udp', name), from: own, headers }, ['UPDATE', 'BYE']);
    clean();
  });

  it.each(NAMES)('fail/%s: a stranger calls our user', async (name) => {
    network.uas.options = { extra: SECRET };
    const headers = [...FORGED, 'Supported: timer', 'Session-Expires: 1800', 'Min-SE: 120'];
    await talk(outsider, [network.uas], { ruri: `sip:${name}@own.example`, headers }, ['UPDATE', 'BYE']);
    network.uas.options = {};
    clean();
  });

  it('fail/an interval that is too short: we say so, and nothing private', async () => {
    const headers = [...FORGED, 'Supported: timer', 'Session-Expires: 90', 'Min-SE: 90'];
    const got = await answerTo(outsider, { ruri: 'sip:timed@own.example', headers });
    expect(statusOf(got), got).toBe(422);
    clean();
  });

  it('ok/copies reach the collector', async () => {
    for (const port of [9060, 9061, 9062]) await eventually(`${port}`, () => (collected.get(port) ?? []).length > 0);
  });

  it('fail/gateways by quality: the next one where one fails, nothing private to either', async () => {
    const first: string[] = [];
    const answers = [stranger, other].map((party) => {
      const { answer } = party;
      party.answer = (text, at) => {
        if (methodOf(text) !== 'INVITE' || first.length > 0) return answer(text, at);
        first.push(party.host);
        return [answered(text, '503 Service Unavailable', FORGED)];
      };
      return answer;
    });
    await talk(user, [stranger, other], { ruri: 'sip:4412345@own.example', from: own, headers: SECRET });
    [stranger, other].forEach((party, i) => {
      party.answer = answers[i] ?? party.answer;
    });
    expect(first).toHaveLength(1);
    clean();
  });

  describe('media from rtpengine, in another process', () => {
    const body = (text: SipText) => text.split('\r\n\r\n')[1];
    const withBody = (text: SipText) =>
      text.replace(
        'Content-Length: 0\r\n\r\n',
        `Content-Type: application/sdp\r\nContent-Length: ${SDP.length}\r\n\r\n${SDP}`,
      );

    it('fail/our user calls a stranger', async () => {
      const { answer } = stranger;
      stranger.answer = (text) =>
        methodOf(text) === 'INVITE'
          ? [
              answered(text, '180 Ringing', FORGED),
              withBody(answered(text, '200 OK', [stranger.contact('udp'), ...FORGED])),
            ]
          : [answered(text, '200 OK')];
      const callId = freshCallId();
      const headers = [...SECRET, 'Content-Type: application/sdp'];
      const got = await answerTo(user, { callId, ruri: stranger.uri('udp', 'media'), from: own, headers, body: SDP });
      stranger.answer = answer;
      expect(statusOf(got), got).toBe(200);
      expect(body(got)).toBe(RELAYED);
      expect(body(stranger.find(callId, 'INVITE') ?? '')).toBe(RELAYED);
      clean();
    });

    it('fail/a stranger calls our user, and others call while it waits', async () => {
      network.uas.options = { extra: SECRET };
      const texts = Array.from({ length: 20 }, (_, i) =>
        request({
          ...{ ruri: `sip:media${i}@own.example`, transport: 'UDP', body: SDP },
          headers: [...FORGED, 'Content-Type: application/sdp'],
        }),
      );
      for (const text of texts) outsider.send(text);
      for (let i = 0; i < 20; i++)
        user.send(request({ ruri: `sip:x@${network.called}:5999`, from: own, method: 'MESSAGE', transport: 'UDP' }));
      for (const text of texts) expect(statusOf(await outsider.final(headerOf(text, 'Call-ID') ?? ''))).toBe(200);
      network.uas.options = {};
      clean();
    });
  });

  it('ok/a partner wants a password of the proxy: it is sent again with that, and sees who calls', async () => {
    const { answer } = partner;
    const challenge = 'Proxy-Authenticate: Digest realm="b.example", nonce="n"';
    partner.answer = (text, at) =>
      methodOf(text) === 'INVITE' && rowsOf(text, 'Proxy-Authorization').length === 0
        ? [answered(text, '407 Proxy Authentication Required', [challenge])]
        : answer(text, at);
    const callId = freshCallId();
    const headers = ['P-Asserted-Identity: <sip:user@own.example>'];
    const got = await answerTo(user, { callId, ruri: 'sip:password@b.example', from: own, headers });
    partner.answer = answer;
    expect(statusOf(got), got).toBe(200);
    const sent = partner.got.filter((text) => headerOf(text, 'Call-ID') === callId && methodOf(text) === 'INVITE');
    expect(sent.map((text) => rowsOf(text, 'Proxy-Authorization').length)).toEqual([0, 1]);
    for (const text of sent) expect(rowsOf(text, 'P-Asserted-Identity')).toEqual(['<sip:user@own.example>']);
    const { route, ...terms } = inDialog(got);
    user.send(request({ ...terms, transport: 'UDP', from: own, method: 'ACK', headers: route }));
  });

  it('ok/the log says nothing of expressions that fail', () => {
    expect(network.proxy.log.match(/.*(?:error in expression|comp_scriptvar).*/g) ?? []).toEqual([]);
  });
});
