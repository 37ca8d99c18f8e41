/** Services that answer and call by themselves: queues of a call centre, shared lines, chat, transfers, calls that last too long. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, inDialog, request } from '../support/live/caller.js';
import { replaced } from '../support/live/opensips.js';
import type { OpensipsNetwork } from '../support/live/opensips-network.js';
import type { Party } from '../support/live/party.js';
import { eventually } from '../support/live/places.js';
import { privateRows } from '../support/live/secrets.js';
import { headerOf, methodOf, rowsOf, type SipText, statusOf } from '../support/live/sip-text.js';
import { WebSocketCaller } from '../support/live/websocket.js';
import {
  absent,
  answerTo,
  apart,
  type CastWithPartner,
  castWithPartner,
  noTables,
  ordered,
  tables,
  takingOrders,
  talk,
  value,
  withDialogFlags,
} from './stage.js';

const SECRET = privateRows('secret');
const FORGED = privateRows('forged');
const OURS = 'P-Asserted-Identity: <sip:user@own.example>';
const OF_TABLES = ['pua', 'b2b_sca', 'call_center'];
const LOADED_TOO = ['proto_wss', 'proto_msrp', 'db_text', 'dialog', 'callops', 'uac_auth', 'b2b_entities', 'b2b_logic'];
const NEEDED = [...LOADED_TOO, ...OF_TABLES, 'msrp_ua', 'msrp_gateway'];

const LOADED = `${[...LOADED_TOO, 'pua', 'b2b_sca', 'call_center', 'msrp_ua', 'msrp_gateway'].map((name) => `loadmodule "${name}.so"\n`).join('')}
${OF_TABLES.map((name) => `modparam("${name}", "db_url", "text://FOLDER")\n`).join('')}
modparam("call_center", "acc_db_url", "text://FOLDER")
modparam("call_center", "rt_db_url", "text://FOLDER")
modparam("b2b_sca", "db_mode", 1)
modparam("b2b_sca", "presence_server", "sip:OTHER:5060")
modparam("b2b_sca", "shared_line_spec_param", "$var(shared_line)")
modparam("b2b_sca", "appearance_name_addr_spec_param", "$var(appearance)")
modparam("b2b_sca", "watchers_avp_spec", "$avp(watchers)")
modparam("msrp_ua", "my_uri", "msrp://OUTSIDE:2855;tcp")
modparam("msrp_ua", "advertised_contact", "sip:chat@OUTSIDE:5060")
`;

/** By the user part. */
const FEATURES = `
	if (is_method("MESSAGE") && $rU == "chat") {
		msg_to_msrp("$ci", "text/plain");
		exit;
	}
	if (is_method("INVITE") && !has_totag()) {
		if ($rU =~ "^queue") {
			cc_handle_call("$rU");
			exit;
		}
		if ($rU == "line") {
			$var(shared_line) = "line" + $ci;
			$var(appearance) = $fu;
			$avp(watchers) = "sip:watcher@own.example";
			sca_init_request(1);
			exit;
		}
		if ($rU =~ "^(short|moves)$") {
			create_dialog("BYE_LATE");
		}
		if ($rU == "short") {
			$DLG_timeout = 2;
		}
	}
`;

describe.skipIf((absent([...NEEDED, 'httpd', 'mi_http']) ?? noTables()) !== undefined)('services', () => {
  let network: OpensipsNetwork;
  let stranger: Party;
  let other: Party;
  let partner: Party;
  let user: Caller;
  let outsider: Caller;
  let all: CastWithPartner | undefined;
  const clean = apart(
    () => [stranger, other, outsider],
    () => [network.uas, user],
  );

  beforeAll(async () => {
    all = await castWithPartner({
      settings: { siptrust_keepalive: '1' },
      edit: (sample, host) => {
        const at = (place: number) => value(`sip:agent@${host(place)}:5060`);
        const flow = (id: number, name: string) => `${id}:${name}:1:${name}::1:0:0:0:0::${at(3)}::`;
        const agent = (id: number, place: number, skill: string) => `${id}:a${id}:${at(place)}:1::4:${skill}:0:1`;
        const folder = tables(sample, {
          cc_flows: [flow(1, 'queueout'), flow(2, 'queuein')],
          cc_agents: [agent(1, 12, 'queueout'), agent(2, 3, 'queuein')],
        });
        const script = replaced(sample, [
          ['loadmodule "rr.so"\n', `loadmodule "rr.so"\n${LOADED}`],
          [/^(?=socket = tcp:)/m, `socket = msrp:${host(2)}:2855\nsocket = wss:${host(2)}:5443\n`],
          ['\t# No open relay', `${withDialogFlags(FEATURES)}\t# No open relay`],
        ]);
        return takingOrders(script, host)
          .replaceAll('FOLDER', folder)
          .replaceAll('OTHER', host(13))
          .replaceAll('OUTSIDE', host(2));
      },
    });
    ({ network, stranger, other, partner, user, outsider } = all);
    await eventually('the partner is proven', () => partner.got.length > 3);
  });
  afterAll(() => all?.stop());
  const own = '<sip:user@own.example>;tag=1';
  const ours = '<sip:user@own.example;cpc=secret>;tag=1';
  const foreign = '<sip:alice@a.example;cpc=forged>;tag=1';

  type Where = { readonly got: readonly SipText[] };
  /** What comes there of this method while `during` runs, or soon behind it. */
  async function comes(method: string, where: Where, during: () => Promise<unknown>): Promise<SipText> {
    const before = where.got.length;
    await during();
    return eventually(`${method} comes`, () => where.got.slice(before).find((text) => methodOf(text) === method));
  }

  /** A call that is answered, with an offer and with its ACK; the answer. */
  async function call(caller: Caller, ruri: string, from: string, rows: readonly string[]): Promise<SipText> {
    const body = 'v=0\r\no=- 1 1 IN IP4 10.1.1.1\r\ns=-\r\nc=IN IP4 10.1.1.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n';
    const answer = await answerTo(caller, { ruri, from, body, headers: [...rows, 'Content-Type: application/sdp'] });
    expect(statusOf(answer), answer).toBe(200);
    const { route, ...terms } = inDialog(answer);
    caller.send(request({ ...terms, transport: 'UDP', from, method: 'ACK', headers: [...route, ...rows] }));
    return answer;
  }

  it('fail/our user calls a queue whose agent is a stranger', async () => {
    await comes('INVITE', stranger, () => call(user, 'sip:queueout@own.example', ours, SECRET));
    clean();
  });

  it('fail/a stranger calls a queue of ours', async () => {
    network.uas.options = { extra: SECRET };
    await comes('INVITE', network.uas, () => call(outsider, 'sip:queuein@own.example', foreign, FORGED));
    network.uas.options = {};
    clean();
  });

  it('fail/a shared line: our user calls a stranger, and a stranger watches', async () => {
    const headers = [...SECRET, 'Call-Info: <sip:own.example>;appearance-index=1'];
    await comes('PUBLISH', other, () =>
      talk(user, [stranger], { ruri: stranger.uri('udp', 'line'), from: ours, headers }),
    );
    clean();
  });

  it('fail/chat: our user writes to a stranger, and a stranger to us', async () => {
    const more = { method: 'MESSAGE', transport: 'UDP', body: 'x' };
    for (const [caller, from, rows, ruri, where] of [
      [user, ours, SECRET, stranger.uri('udp', 'chat'), stranger],
      [outsider, foreign, FORGED, `sip:chat@${network.called}:5060`, network.uas],
    ] as const)
      await comes('INVITE', where, async () =>
        caller.send(request({ ...more, ruri, from, headers: [...rows, 'Content-Type: text/plain'] })),
      );
    clean();
  });

  it('ok/a call to a partner that has lasted too long: it is told who calls, and gets a BYE', async () => {
    let callId = '';
    const bye = await comes('BYE', partner, async () => {
      callId = headerOf(await call(user, partner.uri('tls', 'short'), own, [OURS]), 'Call-ID') ?? '';
    });
    expect(headerOf(bye, 'Call-ID')).toBe(callId);
    expect(rowsOf(partner.find(callId, 'INVITE') ?? '', 'P-Asserted-Identity')).toEqual(['<sip:user@own.example>']);
  });

  it('fail/an operator transfers a call to an address with what no stranger may read', async () => {
    const callid = headerOf(await call(user, stranger.uri('udp', 'moves'), own, SECRET), 'Call-ID') ?? '';
    await stranger.received(callid, 'ACK');
    const destination = `${other.uri('udp')};cpc=secret`;
    await comes('REFER', stranger, () => ordered(network, 'call_transfer', { callid, leg: 'callee', destination }));
    clean();
  });

  it('fail/a browser with the certificate of a partner is a stranger', async () => {
    const browser = await WebSocketCaller.open(network.address, 5443, network.host(14), network.certificateOfA());
    network.uas.options = { extra: SECRET };
    const callId = freshCallId();
    browser.send(request({ callId, method: 'MESSAGE', headers: FORGED, transport: 'WSS' }));
    const answer = await eventually('the answer', () =>
      browser.answers.find((text) => headerOf(text, 'Call-ID') === callId),
    );
    network.uas.options = {};
    expect(statusOf(answer), answer).toBe(200);
    const ruri = browser.uri.replace(/ws$/, 'wss');
    const got = await answerTo(user, { ruri, from: own, headers: SECRET, method: 'MESSAGE' });
    expect(statusOf(got), got).toBe(200);
    expect(browser.got).toHaveLength(1);
    expect([...browser.answers, ...browser.got].join('')).not.toContain('secret');
    clean();
    browser.close();
  });
});
