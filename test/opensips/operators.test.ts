/** What operators run on their edge: gateways by rule, plan and load over failures; phones that are woken; b2b scenarios, presence and registrations of our own. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, inDialog, type RequestTerms, request } from '../support/live/caller.js';
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
  withDialogFlags,
} from './stage.js';

const SECRET = privateRows('secret');
const FORGED = privateRows('forged');
const NEEDED = [
  ...['db_text', 'dialog', 'topology_hiding', 'drouting', 'dialplan', 'load_balancer', 'tcp_mgm'],
  ...['usrloc', 'registrar', 'event_routing'],
  ...['b2b_entities', 'b2b_logic', 'uac_auth', 'uac_registrant', 'presence', 'xcap', 'presence_xml'],
];
const OF_TABLES = ['drouting', 'dialplan', 'load_balancer', 'tcp_mgm', 'uac_registrant', 'presence', 'xcap'];

// (Since OpenSIPS 4.0 the address of record in events bears its domain, where nothing else is said.)
const LOADED = `${NEEDED.map((name) => `loadmodule "${name}.so"\n`).join('')}
${OF_TABLES.map((name) => `modparam("${name}", "db_url", "text://FOLDER")\n`).join('')}
modparam("drouting", "probing_interval", 1)
modparam("usrloc", "working_mode_preset", "single-instance-no-db")
modparam("usrloc", "use_domain", 0)
modparam("uac_registrant", "timer_interval", 10)
modparam("presence_xml", "force_active", 1)
modparam("b2b_logic", "script_req_route", "B2B_REQUEST")
modparam("b2b_logic", "script_reply_route", "B2B_REPLY")
`;

/** By the first letters of the user part: a dialog, a hidden one; a plan, load, rules; b2b and presence. */
const FEATURES = `
	if (is_method("PUBLISH")) {
		handle_publish();
		exit;
	}
	if (is_method("SUBSCRIBE") && $rU == "watched") {
		handle_subscribe();
		exit;
	}
	if (is_method("REGISTER")) {
		save("location");
		exit;
	}
	if (is_method("INVITE") && !has_totag()) {
		if ($rU =~ "^asleep") {
			record_route();
			t_newtran();
			t_wait_for_new_branches();
			$avp(filter) = "aor=" + $rU;
			notify_on_event("E_UL_CONTACT_INSERT", $avp(filter), "WOKEN", 20);
			xlog("L_ERR", "waits for $rU\\n");
			exit;
		}
		if ($rU =~ "^b2b") {
			b2b_server_new("server");
			b2b_client_new("client", "sip:$rU@$(rU{s.substr,3,0}):5060");
			b2b_init_request("scene");
			exit;
		}
		if ($rU =~ "^d") {
			create_dialog("BYE_LATE");
			$rU = $(rU{s.substr,1,0});
		}
		if ($rU =~ "^h") {
			topology_hiding("UC");
			$rU = $(rU{s.substr,1,0});
		} else {
			record_route();
		}
		if ($rU =~ "^0") {
			dp_translate(1, $rU, $rU);
		}
		if ($rU =~ "^8") {
			lb_start(1, "channel");
			t_on_failure("BALANCED");
			route(RELAY);
		}
		if ($rU =~ "^4") {
			do_routing(1);
			t_on_failure("ROUTED");
			route(RELAY);
		}
	}
`;
const ROUTES = `
route[WOKEN] {
	t_inject_branches("event");
}

failure_route[ROUTED] {
	route(SIPTRUST_SHUT);
	if (t_check_status("[345][0-9][0-9]") && use_next_gw()) {
		t_relay();
	}
}

failure_route[BALANCED] {
	route(SIPTRUST_SHUT);
	if (t_check_status("[345][0-9][0-9]") && lb_next()) {
		t_relay();
	}
}

route[B2B_REQUEST] {
	if ($rm == "REFER") {
		b2b_send_reply(202, "Accepted");
		b2b_client_new("third", $(hdr(Refer-To){nameaddr.uri}));
		b2b_bridge("peer", "third");
		exit;
	}
	b2b_pass_request();
}

route[B2B_REPLY] {
	b2b_handle_reply();
}
`;

describe.skipIf((absent(NEEDED) ?? noTables()) !== undefined)('what operators run', () => {
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
      settings: { siptrust_registrar: '1', siptrust_keepalive: '1' },
      agreement: { headers: { Authorization: { out: 'keep' } } },
      edit: (sample, host) => {
        const at = (place: number) => value(`sip:${host(place)}:${place === 5 ? '5061;transport=tls' : '5060'}`);
        const folder = tables(sample, {
          dr_gateways: [12, 13, 3, 5].map((place) => `${place}:gw${place}:0:${at(place)}:0:::1:0::`),
          dr_rules: [
            '1:1:44::1::gw12,gw13:N:0::',
            '2:1:46::1::gw12,gw3:N:0::',
            '3:1:45::1::gw12,gw5:N:0::',
            '4:1:47::1::gw5,gw13:N:0::',
          ],
          dialplan: ['1:1:1:1:^0([0-9]+)$:0:^0([0-9]+)$:44\\\\1::0:'],
          load_balancer: [12, 13].map((place) => `${place}:1:${at(place)}:channel=100:1::`),
          // (OpenSIPS 4.0 has no parallel_read.)
          tcp_mgm: [
            `1:any::0::0:0::100:3600:4:0:0:1:${Number.parseInt(theBuild().version, 10) < 4 ? '1:' : ''}0:9:7200:75`,
          ],
          registrant: [
            `1:${at(12)}::${value(`sip:us@${host(12)}`)}::us:word:${value(`sip:us@${host(2)}`)}:${value(';+sip.instance="<urn:gsma:imei:secret>"')}:60:${value(`udp:${host(2)}:5060`)}::0`,
            `2:${at(5)}::${value('sip:us@b.example')}::us:word:${value(`sip:us@${host(2)}`)}::60:${value(`tls:${host(2)}:5061`)}::0`,
          ],
        });
        return replaced(sample, [
          ['loadmodule "rr.so"\n', `loadmodule "rr.so"\n${LOADED}`],
          ['\t# No open relay', `${withDialogFlags(FEATURES)}\t# No open relay`],
          ['\t\tif (!loose_route()) {\n', '\t\tif (!topology_hiding_match() && !loose_route()) {\n'],
        ])
          .concat(ROUTES)
          .replaceAll('FOLDER', folder);
      },
    });
    ({ network, stranger, other, partner, user, outsider } = all);
    const challenge = ['WWW-Authenticate: Digest realm="r", nonce="n"', ...FORGED];
    for (const registrar of [stranger, partner]) {
      const ordinary = registrar.answer;
      registrar.answer = (text, at) =>
        methodOf(text) === 'REGISTER' && rowsOf(text, 'Authorization').length === 0
          ? [answered(text, '401 Unauthorized', challenge)]
          : ordinary(text, at);
    }
    await eventually('the partner is proven', () => partner.got.length > 3);
  });
  afterAll(() => all?.stop());
  const own = '<sip:user@own.example>;tag=1';

  /** While `during` runs, the stranger, or somebody else, gives this answer to each INVITE. */
  async function answering(line: string, during: () => Promise<void>, who = stranger): Promise<void> {
    const { answer } = who;
    const rows = [...FORGED, 'Contact: <sip:x@own.example;cpc=forged?P-Asserted-Identity=forged>'];
    who.answer = (text, at) => (methodOf(text) === 'INVITE' ? [answered(text, line, rows)] : answer(text, at));
    await during().finally(() => {
      who.answer = answer;
    });
  }

  const NAMES = ['441', 'd441', 'h441', 'dh441', '01', 'dh01', '8', 'dh8'];

  it.each(NAMES)('fail/%s: our user calls', async (name) => {
    await talk(user, [stranger, other, partner], { ruri: `sip:${name}@own.example`, from: own, headers: SECRET }, [
      'INFO',
      'UPDATE',
      'BYE',
    ]);
    clean();
  });

  it.each(NAMES.flatMap((name) => ['302 Moved', '503 Full'].map((line) => [name, line] as const)))(
    'fail/%s: the first gateway answers %s, and the next one takes the call',
    (name, line) =>
      answering(line, async () => {
        const before = other.got.length;
        await talk(user, [stranger, other, partner], { ruri: `sip:${name}@own.example`, from: own, headers: SECRET });
        expect(other.got.slice(before).map(methodOf)).toContain('BYE');
        clean();
      }),
  );

  it('fail/the next one is our own side: a stranger calls, and our user', () =>
    answering('503 Full', async () => {
      network.uas.options = { extra: SECRET };
      await talk(outsider, [network.uas], { ruri: 'sip:461@own.example', headers: FORGED });
      network.uas.options = {};
      expect(statusOf(await answerTo(user, { ruri: 'sip:h461@own.example', from: own, headers: SECRET }))).toBe(200);
      clean();
    }));

  const OURS = 'P-Asserted-Identity: <sip:user@own.example>';
  const told = (text: SipText | undefined) => text && rowsOf(text, 'P-Asserted-Identity');

  it.each(['451', 'd451', 'h451', 'dh451'])('ok/%s: a stranger fails, and a partner takes the call', (name) =>
    answering('503 Full', async () => {
      const before = [partner, stranger].map(({ got }) => got.length);
      await talk(user, [stranger, other, partner], { ruri: `sip:${name}@own.example`, from: own, headers: [OURS] });
      const [there = [], strange = []] = [partner, stranger].map(({ got }, i) => got.slice(before[i]));
      expect(told(there.find((text) => methodOf(text) === 'INVITE'))).toEqual(['<sip:user@own.example>']);
      expect(there.map(methodOf)).toContain('BYE');
      expect(strange.map(methodOf)).toContain('INVITE');
      for (const text of strange) expect(told(text)).toEqual([]);
    }),
  );

  it.each(['471', 'd471', 'h471', 'dh471'])('fail/%s: a partner fails, and a stranger takes the call', (name) =>
    answering(
      '503 Full',
      async () => {
        const before = partner.got.length;
        await talk(user, [stranger, other, partner], {
          ruri: `sip:${name}@own.example`,
          from: own,
          headers: [...SECRET.slice(1), OURS],
        });
        expect(told(partner.got.slice(before).find((text) => methodOf(text) === 'INVITE'))).toContain(
          '<sip:user@own.example>',
        );
        for (const text of other.got) expect(told(text)).toEqual([]);
        clean();
      },
      partner,
    ),
  );

  /** Whoever is called in the meantime: a phone registers, and the call goes on to it. */
  async function woken(caller: Caller, by: Caller, name: string, contact: string, more: RequestTerms): Promise<void> {
    const callId = freshCallId();
    caller.send(request({ callId, transport: 'UDP', ruri: `sip:${name}@own.example`, ...more }));
    await eventually('the call waits', () => network.proxy.log.includes(`waits for ${name}`));
    const terms = { method: 'REGISTER', ruri: 'sip:own.example', to: `<sip:${name}@own.example>` };
    const text = request({ ...terms, callId: freshCallId(), transport: 'UDP', headers: ['Expires: 60'] });
    by.send(text.replace(/^Contact: .*$/m, `Contact: <${contact}>`));
    expect(statusOf(await caller.final(callId, 'INVITE'))).toBe(200);
    clean();
  }

  it('fail/a phone of ours is woken for the call of a stranger', async () => {
    network.uas.options = { extra: SECRET };
    const more = { from: '<sip:alice@a.example;cpc=forged>;tag=1', headers: FORGED };
    await woken(outsider, user, 'asleep1', `sip:bob@${network.called}:5060`, more);
    network.uas.options = {};
  });

  it('fail/a phone elsewhere is woken for the call of our user', () =>
    woken(user, outsider, 'asleep2', stranger.uri('udp'), { from: own, headers: SECRET }));

  it('fail/a b2b scenario: our user calls a stranger, with a From that no stranger may read', async () => {
    const from = '<sip:user@own.example;cpc=secret>;tag=1';
    await talk(user, [stranger, other, partner], {
      ruri: `sip:b2b${stranger.host}@own.example`,
      from,
      headers: SECRET,
    });
    clean();
  });

  it.each(['', ';cpc=forged', '?P-Asserted-Identity=forged', ';oli=1?P-Served-User=forged'])(
    'fail/a b2b scenario: a stranger calls us, and has us call a third one of ours with "%s"',
    async (tail) => {
      const from = '<sip:alice@a.example;cpc=forged>;tag=1';
      const answer = await answerTo(outsider, { ruri: `sip:b2b${network.called}@own.example`, from, headers: FORGED });
      expect(statusOf(answer), answer).toBe(200);
      const { route, ...terms } = inDialog(answer);
      const before = network.uas.got.length;
      outsider.send(request({ ...terms, transport: 'UDP', from, method: 'ACK', headers: [...route, ...FORGED] }));
      // (Another process may take the REFER before this one has taken the ACK.)
      await eventually('the ACK', () => network.uas.got.slice(before).some((text) => methodOf(text) === 'ACK'));
      const headers = [...route, ...FORGED, `Refer-To: <sip:third@${network.called}:5060${tail}>`];
      expect(statusOf(await answerTo(outsider, { ...terms, from, method: 'REFER', cseq: 2, headers }))).toBe(202);
      await eventually('the third', () =>
        network.uas.got.slice(before).some((text) => /^INVITE sip:third@/.test(text)),
      );
      clean();
    },
  );

  it('fail/a stranger watches what our user publishes', async () => {
    const to = '<sip:watched@own.example>';
    const body =
      '<?xml version="1.0"?><presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:watched@own.example"><tuple id="1"><status><basic>open</basic></status></tuple></presence>';
    const terms = { ruri: 'sip:watched@own.example', to };
    const rows = ['Event: presence', 'Expires: 60'];
    const headers = [...rows, ...SECRET, 'Content-Type: application/pidf+xml'];
    expect(statusOf(await answerTo(user, { ...terms, method: 'PUBLISH', from: own, headers, body }))).toBe(200);
    const callId = freshCallId();
    const from = '<sip:alice@a.example;cpc=forged>;tag=9';
    const watch: SipText = request({
      ...{ ...terms, callId, from, transport: 'UDP', method: 'SUBSCRIBE' },
      headers: [...rows, ...FORGED],
    });
    outsider.send(watch.replace(/^Contact: .*$/m, `Contact: <${stranger.uri('udp')};cpc=forged>`));
    expect(headerOf(await stranger.received(callId, 'NOTIFY'), 'To')).toBe('<sip:alice@a.example>;tag=9');
    clean();
  });

  const registered = (registrar: Party) =>
    eventually('it is told our word', () =>
      registrar.got.some((text) => methodOf(text) === 'REGISTER' && rowsOf(text, 'Authorization').length === 1),
    );

  it('fail/we register with a stranger, by a handset', async () => {
    await registered(stranger);
    expect(stranger.got.filter((text) => methodOf(text) === 'REGISTER').join('')).not.toContain('imei');
  });

  it('ok/we register with a partner whose agreement lets our word out', () => registered(partner));
});
