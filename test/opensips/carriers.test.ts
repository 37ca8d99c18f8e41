/** What carriers build of OpenSIPS: gateways by sets, redirections that are followed, users who register from outside. */

import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, type RequestTerms, request } from '../support/live/caller.js';
import { replaced } from '../support/live/opensips.js';
import type { OpensipsNetwork } from '../support/live/opensips-network.js';
import { answered, Party } from '../support/live/party.js';
import { privateRows } from '../support/live/secrets.js';
import { headerOf, methodOf, rowsOf, type SipText, statusOf } from '../support/live/sip-text.js';
import { absent, answerTo, apart, type Cast, cast, folderOf, gateways, talk } from './stage.js';

const SECRET = privateRows('secret');
const FORGED = privateRows('forged');
const NEEDED = ['dispatcher', 'db_text', 'compression', 'uac_redirect', 'mid_registrar', 'usrloc'];

const LOADED = `
loadmodule "db_text.so"
loadmodule "dispatcher.so"
modparam("dispatcher", "db_url", "text://FOLDER")
modparam("dispatcher", "ds_ping_interval", 1)
modparam("dispatcher", "ds_probing_mode", 1)
loadmodule "compression.so"
loadmodule "uac_redirect.so"
loadmodule "usrloc.so"
modparam("usrloc", "working_mode_preset", "single-instance-no-db")
loadmodule "mid_registrar.so"
modparam("mid_registrar", "mode", 0)
`;

/** By user part. */
const FEATURES = `
	if (is_method("REGISTER")) {
		$du = "sip:REGISTRAR:5060";
		$var(saved) = mid_registrar_save("location");
		if ($var(saved) == 1) {
			route(RELAY);
		}
		exit;
	}
	if ($ru =~ ";ctid=") {
		if (!mid_registrar_lookup("location")) {
			send_reply(404, "Gone");
			exit;
		}
		route(RELAY);
	}
	if ($rU == "trunk") {
		t_on_failure("TRUNK");
		ds_select_dst(1, 8, "f");
		route(RELAY);
	}
	if ($rU == "moved") {
		t_on_failure("MOVED");
		$du = "sip:STRANGER:5060";
		route(RELAY);
	}
	if ($rU == "away") {
		t_on_failure("AWAY");
		$du = "sip:REGISTRAR:5060";
		route(RELAY);
	}
	if ($rU == "compact") {
		mc_compact();
	}
	if ($rU == "added") {
		async(usleep(300000), ADDED);
	}
	if ($rU == "late") {
		t_on_reply("LATE");
	}
`;
const ROUTES = `
failure_route[TRUNK] {
	route(SIPTRUST_SHUT);
	if (t_check_status("5[0-9][0-9]|408") && ds_next_dst()) {
		t_relay();
	}
}

failure_route[MOVED] {
	route(SIPTRUST_SHUT);
	if (t_check_status("302") && get_redirects(3, 3)) {
		t_relay();
	}
}

failure_route[AWAY] {
	route(SIPTRUST_SHUT);
	if (t_check_status("480")) {
		$ru = "sip:bob@STRANGER:5060";
		$du = NULL;
		t_relay();
	}
}

route[ADDED] {
	append_hf("P-Served-User: <sip:secret@own.example>\\r\\n");
	route(RELAY);
}

onreply_route[LATE] {
	route(SIPTRUST_BACK);
	async(usleep(1000), RESUMED);
}

route[RESUMED] {
	xlog("L_DBG", "resumed\\n");
}
`;

describe.skipIf(absent(NEEDED) !== undefined)('what carriers build', () => {
  let network: OpensipsNetwork;
  let stranger: Party;
  let other: Party;
  let registrar: Party;
  let user: Caller;
  let outsider: Caller;
  let all: Cast | undefined;
  const clean = apart(
    () => [stranger, other, outsider],
    () => [network.uas, registrar, user],
  );

  beforeAll(async () => {
    all = await cast({
      patience: 4,
      settings: (host) => ({
        siptrust_registrar: '1',
        siptrust_inside_networks: `"${host(3)}/32|${host(15)}/32"`,
        siptrust_inside_hops: `"${host(3)}/32|${host(15)}/32"`,
      }),
      edit: (sample, host) => {
        const folder = join(folderOf(sample), 'db');
        return replaced(sample, [
          ['loadmodule "rr.so"\n', `loadmodule "rr.so"\n${LOADED}`],
          ['route {\n\troute(SIPTRUST_IN);\n', 'route {\n\tmc_decompress();\n\troute(SIPTRUST_IN);\n'],
          ['\t# No open relay', `${FEATURES}\t# No open relay`],
        ])
          .concat(ROUTES)
          .replaceAll(
            'FOLDER',
            gateways(
              folder,
              [12, 13].map((at) => `sip:${host(at)}:5060`),
            ),
          )
          .replaceAll('STRANGER', host(12))
          .replaceAll('REGISTRAR', host(15));
      },
    });
    ({ network, stranger, other, user, outsider } = all);
    const identity = network.pki.certificate({ issuer: network.operatorB, names: ['DNS:registrar.example'] });
    registrar = await Party.start(network.host(15), identity);
  });
  afterAll(async () => {
    registrar?.stop();
    await all?.stop();
  });
  const own = '<sip:user@own.example>;tag=1';

  /** While `during` runs, the stranger gives this answer to each INVITE. */
  async function answering(line: string, rows: readonly string[], during: () => Promise<void>): Promise<void> {
    const { answer } = stranger;
    stranger.answer = (text, at) => (methodOf(text) === 'INVITE' ? [answered(text, line, rows)] : answer(text, at));
    await during();
    stranger.answer = answer;
  }

  it('fail/a set of gateways: the next one where one fails, nothing private to either', () =>
    answering('503 Service Unavailable', FORGED, async () => {
      const callId = freshCallId();
      const got = await answerTo(user, { callId, ruri: 'sip:trunk@own.example', from: own, headers: SECRET });
      expect(statusOf(got), got).toBe(200);
      expect(stranger.find(callId, 'INVITE')).toBeDefined();
      expect(other.find(callId, 'INVITE')).toBeDefined();
      clean();
    }));

  it.each(['?P-Asserted-Identity=forged', ';cpc=forged', ';user=phone;oli=forged', ';x=1%3Bcpc=forged'])(
    'fail/a stranger redirects to our own side with %s',
    (tail) =>
      answering('302 Moved', [`Contact: <sip:bob@${network.called}:5060${tail}>`, ...FORGED], async () => {
        const got = await answerTo(user, { ruri: 'sip:moved@own.example', from: own });
        clean();
        expect(statusOf(got), got).toBe(302);
      }),
  );

  it('ok/a stranger redirects to our own side, and to strangers', async () => {
    for (const place of [network.called, other.host])
      await answering('302 Moved', [`Contact: <sip:bob@${place}:5060;user=phone>`, ...FORGED], async () => {
        const got = await answerTo(user, { ruri: 'sip:moved@own.example', from: own, headers: SECRET });
        expect(statusOf(got), got).toBe(200);
        clean();
      });
  });

  describe('a stranger reaches nobody on our own side, and then goes on to another one', () => {
    async function away(terms: RequestTerms): Promise<readonly [number, SipText | undefined]> {
      registrar.answer = (text) => [answered(text, '480 Away', SECRET)];
      const callId = freshCallId();
      const got = await answerTo(outsider, { ...terms, callId, ruri: 'sip:away@own.example', method: 'MESSAGE' });
      expect(registrar.find(callId, 'MESSAGE')).toBeDefined();
      clean();
      return [statusOf(got), stranger.find(callId, 'MESSAGE')];
    }

    it('ok/with what the list takes out', async () => {
      const [status, there] = await away({ headers: [...FORGED, 'Geolocation: <cid:a@b.example>'] });
      expect(status).toBe(200);
      expect(rowsOf(there ?? '', 'Geolocation')).toEqual([]);
    });

    it('ok/with a From that was written anew: it stands there once, and the list takes out the rest', async () => {
      const from = '<sip:alice@a.example;cpc=forged>;tag=1';
      const [status, there] = await away({ from, headers: ['Geolocation: <cid:a@b.example>'] });
      expect(status).toBe(200);
      expect(rowsOf(there ?? '', 'From')).toEqual(['<sip:alice@a.example>;tag=1']);
      expect(rowsOf(there ?? '', 'Geolocation')).toEqual([]);
    });
  });

  it('fail/what a script adds behind async(), in a process that has opened the door for our own side since', async () => {
    const to = (ruri: string): SipText => request({ ruri, from: own, method: 'MESSAGE', transport: 'UDP' });
    const added = Array.from({ length: 20 }, () => to(stranger.uri('udp', 'added')));
    for (const text of added) user.send(text);
    // Nobody answers there: it is the last that the process has done.
    for (let i = 0; i < 20; i++) user.send(to(`sip:x@${network.called}:5999`));
    for (const text of added) expect(statusOf(await user.final(headerOf(text, 'Call-ID') ?? ''))).toBe(500);
    clean();
  });

  it.each(['MESSAGE', 'INVITE'])('fail/answers that wait in async(), %s', async (method) => {
    network.uas.options = { extra: SECRET };
    expect(statusOf(await answerTo(outsider, { ruri: 'sip:late@own.example', method, headers: FORGED }))).toBe(200);
    network.uas.options = {};
    await answering('200 OK', FORGED, async () => {
      await answerTo(user, { ruri: stranger.uri('udp', 'late'), from: own, method, headers: SECRET });
    });
    clean();
  });

  it('ok/short names on their way out', async () => {
    await talk(user, [stranger], {
      ruri: stranger.uri('udp', 'compact'),
      from: own,
      headers: [...SECRET, 'Subject: x'],
    });
    expect(stranger.got.filter((text) => /^INVITE sip:compact@/.test(text)).at(-1)).toMatch(/\r\nf: /);
    clean();
  });

  it('fail/fields that a stranger has packed, and the script unpacks before route(SIPTRUST_IN)', async () => {
    const packed = deflateSync(Buffer.from('P-Asserted-Identity: <sip:forged@own.example>\r\nSubject: packed\r\n'));
    const callId = freshCallId();
    const headers = [`Comp-Hdrs: ${packed.toString('base64')}`, 'Headers-Encoding: base64, deflate', ...FORGED];
    const got = await answerTo(outsider, { callId, method: 'MESSAGE', headers });
    expect(statusOf(got), got).toBe(200);
    clean();
    expect(rowsOf(network.uas.find(callId, 'MESSAGE') ?? '', 'Subject')).toEqual(['packed']);
  });

  describe('users of ours in other networks', () => {
    const CONTACT = 'sip:alice@sbc.a.example';

    /** As the phones of several makers write it. */
    const PHONES: readonly (readonly string[])[] = [
      ['Supported: path, outbound, gruu', 'Expires: 600', 'Allow: INVITE, ACK, BYE'],
      ['Expires: 0', 'Authorization: Digest username="alice", realm="own.example", nonce="n", uri="sip:own.example"'],
      ['Expires: 600', 'Require: path', 'User-Agent: é ’', 'P-Preferred-Identity: <sip:alice@own.example>'],
      ['Expires: 600', 'Allow-Events: presence, reg', 'X-Phone: a?b;cpc=c'],
    ];

    async function registered(headers: readonly string[]): Promise<readonly [SipText, SipText | undefined]> {
      registrar.answer = (text) => {
        const contact = rowsOf(text, 'Contact').map((value) => `Contact: ${value}`);
        return [answered(text, '200 OK', [...contact, 'Service-Route: <sip:secret.own.example;lr>', ...SECRET])];
      };
      const callId = freshCallId();
      const [to, from] = ['<sip:alice@own.example>', '<sip:alice@own.example>;tag=1'];
      const terms = { callId, method: 'REGISTER', ruri: 'sip:own.example', to, from };
      const text = Buffer.from(request({ ...terms, transport: 'UDP', headers })).toString('latin1');
      outsider.send(text);
      return [await outsider.final(callId, 'REGISTER'), registrar.find(callId, 'REGISTER')];
    }

    it.each(PHONES)('ok/they register: %s', async (...headers) => {
      const [answer, arrived] = await registered([...headers, ...FORGED]);
      expect(statusOf(answer), answer).toBe(200);
      expect(headerOf(arrived ?? '', 'Contact')).toContain(`${network.inside}:5060;ctid=`);
      clean();
    });

    it.each(['Contact: <sip:x@a.example;cpc=forged>', 'Refer-To: <sip:x@a.example?P-Asserted-Identity=forged>'])(
      'fail/with what no stranger may say, and no list takes out: they are told so: %s',
      async (row) => {
        const [answer, arrived] = await registered(['Expires: 600', row]);
        expect(answer).toMatch(/^SIP\/2.0 403 Private Parameter Not Allowed\r\n/);
        expect(arrived).toBeUndefined();
      },
    );

    it('ok/and are called', async () => {
      const [answer, arrived] = await registered(['Expires: 600']);
      expect(statusOf(answer), answer).toBe(200);
      const ruri = /<(.*)>/.exec(headerOf(arrived ?? '', 'Contact') ?? '')?.[1] ?? '';
      // (The name of the contact stands for nobody; that it was found is what counts.)
      const got = await answerTo(user, { ruri, from: own, method: 'MESSAGE', headers: SECRET });
      expect(statusOf(got), got).not.toBe(404);
      expect(network.proxy.log).toContain(`to ${CONTACT}`);
      clean();
    });
  });

  it('ok/the log says nothing of expressions that fail', () => {
    expect(network.proxy.log.match(/.*(?:error in expression|comp_scriptvar).*/g) ?? []).toEqual([]);
  });
});
