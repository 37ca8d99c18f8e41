/** Scripts that leave out a line that docs/opensips.md asks for: what has not passed siptrust does not go out. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, type RequestTerms, request } from '../support/live/caller.js';
import { replaced } from '../support/live/opensips.js';
import { OpensipsNetwork } from '../support/live/opensips-network.js';
import { answered, type Party } from '../support/live/party.js';
import { expectNowhere, privateRows } from '../support/live/secrets.js';
import { methodOf, rowsOf, statusOf } from '../support/live/sip-text.js';
import { BUILD, type Cast, cast, theBuild } from './stage.js';

const SECRET = privateRows('secret');

/** Fields that the script adds itself, by user part: some of each kind in the header table, as scripts write them. */
const ADDED: Readonly<Record<string, string>> = {
  added: 'P-Asserted-Identity: <sip:secret@own.example>',
  diverted: 'Diversion: <sip:secret@own.example>',
  traced: 'P-Origination-ID : secret',
  ranked: 'Resource-Priority: secret.1',
  routed: 'Service-Route: <sip:secret@own.example;lr>',
  charged: 'relayed-charge: secret',
  keyed: 'Security-Verify\t: secret',
  capable: 'Feature-Caps: *;secret',
  attested: 'X-Attestation-Info: secret',
  located: 'Geolocation-Routing: secret',
};
const ADDING = Object.entries(ADDED).map(
  ([name, row]) => `if ($rU == "${name}") {\n\t\tappend_hf("${row.replaceAll('\t', '\\t')}\\r\\n");\n\t}\n`,
);

/** By user part of the Request-URI: routes of an operator, without the lines for siptrust. */
const CHOICES = `
	if ($rU == "bare") {
		t_on_branch("BARE");
		t_on_reply("BARE");
	}
	if ($rU == "half") {
		t_on_branch("HALF");
	}
	if ($rU == "unasked") {
		t_on_branch("SIPTRUST_BRANCH");
	}
	if ($rU =~ "^(late|later|tardy)$") {
		$T_fr_timeout = 1;
		t_on_failure("LATE");
	}
	if ($rU == "again") {
		t_on_failure("AGAIN");
	}
	ADDED
	if ($rU == "hinted") {
		append_hf("P-hint: outbound\\r\\n");
	}
	if ($rU == "both") {
		$branch = "sip:both@CALLED:5060";
	}
	if ($rU == "copied") {
		t_newtran();
		t_replicate("sip:copy@PLACE:5060");
		exit;
	}
`;
const ROUTES = `
branch_route[BARE] {
	xlog("L_DBG", "a branch to $ru\\n");
}

onreply_route[BARE] {
	xlog("L_DBG", "an answer $rs\\n");
}

# Some branches alone, and a route for answers that is not ours.
branch_route[HALF] {
	t_on_reply("BARE");
	if ($rd != "PLACE") {
		route(SIPTRUST_OUT);
	}
}

# As docs/opensips.md has it; the branch_route that it arms is not.
failure_route[LATE] {
	route(SIPTRUST_SHUT);
	if ($rU == "late") {
		t_on_branch("BARE");
	}
	if ($rU == "later") {
		append_hf("P-Charging-Vector: icid-value=secret\\r\\n");
	}
	$ru = "sip:second@PLACE:5060";
	t_relay();
}

failure_route[AGAIN] {
	if (t_was_cancelled()) {
		exit;
	}
	t_on_branch("BARE");
	$ru = "sip:second@PLACE:5060";
	t_relay();
}
`;

describe.skipIf(BUILD === undefined)('a line that is missing', () => {
  let network: OpensipsNetwork;
  let stranger: Party;
  let user: Caller;
  let outsider: Caller;
  let all: Cast | undefined;

  beforeAll(async () => {
    all = await cast({
      edit: (script, host) =>
        `${replaced(script, [
          ['route[RELAY] {\n', `route[RELAY] {\n${CHOICES.replace('ADDED', () => ADDING.join('\t'))}`],
          ['\troute(SIPTRUST_IN);\n', '\tif ($rU != "unasked") {\n\t\troute(SIPTRUST_IN);\n\t}\n'],
        ])}${ROUTES}`
          .replaceAll('PLACE', host(12))
          .replaceAll('CALLED', host(3)),
    });
    ({ network, stranger, user, outsider } = all);
  });
  afterAll(() => all?.stop());

  function send(terms: RequestTerms): string {
    const callId = freshCallId();
    user.send(request({ callId, transport: 'UDP', from: '<sip:user@own.example>;tag=1', headers: SECRET, ...terms }));
    return callId;
  }
  const to = (name: string) => stranger.uri('udp', name);

  it.each(['INVITE', 'MESSAGE', 'REFER'])(
    'fail/a branch_route without route(SIPTRUST_OUT): the %s is not sent',
    async (method) => {
      const callId = send({ method, ruri: to('bare') });
      expect(statusOf(await user.final(callId))).toBeGreaterThanOrEqual(400);
      expect(stranger.find(callId, method)).toBeUndefined();
      await expect.poll(() => network.proxy.log).toMatch(/siptrust: \w+ .* was not sent: .*route\(SIPTRUST_OUT\)/);
    },
  );

  it('fail/a branch_route that calls it for some branches alone', async () => {
    const callId = send({ ruri: to('half') });
    expect(statusOf(await user.final(callId))).toBeGreaterThanOrEqual(400);
    expect(stranger.find(callId, 'INVITE')).toBeUndefined();
  });

  it('fail/a route without route(SIPTRUST_IN), and a branch_route that calls route(SIPTRUST_OUT)', async () => {
    const callId = freshCallId();
    const rows = privateRows('forged');
    outsider.send(request({ ruri: 'sip:unasked@own.example', callId, transport: 'UDP', headers: rows }));
    expect(statusOf(await outsider.final(callId))).toBe(500);
    expect(network.uas.find(callId, 'INVITE')).toBeUndefined();
    await expect.poll(() => network.proxy.log).toMatch(/siptrust: INVITE .* was not sent: .*route\(SIPTRUST_IN\)/);
  });

  it.each(Object.keys(ADDED))('fail/%s: the script itself adds what is private', async (name) => {
    const callId = send({ method: 'MESSAGE', ruri: to(name), headers: [] });
    expect(statusOf(await user.final(callId))).toBe(500);
    expectNowhere(
      'secret',
      stranger.got.filter((text) => text.includes(callId)),
    );
    await expect.poll(() => network.proxy.log).toMatch(/siptrust: MESSAGE .* was not sent: .*private/);
  });

  it('ok/the same to our own side', async () => {
    const callId = send({ method: 'MESSAGE', ruri: `sip:added@${network.called}:5060`, headers: [] });
    expect(statusOf(await user.final(callId))).toBe(200);
    expect(rowsOf(network.uas.find(callId, 'MESSAGE') ?? '', 'P-Asserted-Identity')).toHaveLength(1);
  });

  it('ok/what it adds that is not private goes on', async () => {
    const callId = send({ method: 'MESSAGE', ruri: to('hinted'), headers: [] });
    expect(statusOf(await user.final(callId))).toBe(200);
    expect(rowsOf(stranger.find(callId, 'MESSAGE') ?? '', 'P-hint')).toEqual(['outbound']);
  });

  it('ok/a fork to both: our own side gets all of it, the stranger what is not private', async () => {
    const callId = send({ method: 'MESSAGE', ruri: to('both') });
    await user.final(callId);
    const got = await network.uas.received(callId, 'MESSAGE');
    expect(rowsOf(got, 'P-Charging-Vector')).toEqual(['icid-value=secret;orig-ioi=own.example']);
    expectNowhere('secret', [await stranger.received(callId, 'MESSAGE')]);
  });

  it('fail/t_replicate(), past every branch_route', async () => {
    const callId = send({ method: 'MESSAGE', ruri: to('copied') });
    await user.final(send({ method: 'MESSAGE', ruri: to('ordinary') }));
    expect(stranger.got.filter((text) => text.includes(callId) && text.includes('secret'))).toEqual([]);
  });

  it('fail/forward(): such a script does not start, since answers would pass by siptrust when their transaction has ended', async () => {
    const edit = (script: string) => script.replace('route[RELAY] {\n', (line) => `${line}\tforward();\n`);
    await expect(OpensipsNetwork.start({ build: theBuild(), alone: true, edit })).rejects.toThrow(
      /forward\(\) is used/,
    );
  });

  it('fail/a failure_route that arms such a branch_route, after an answer', async () => {
    const { answer } = stranger;
    stranger.answer = (text, at) =>
      text.includes('sip:again@') && methodOf(text) === 'INVITE' ? [answered(text, '486 Busy')] : answer(text, at);
    const callId = send({ ruri: to('again') });
    await user.final(callId);
    stranger.answer = answer;
    expectNowhere('secret', stranger.got);
    expect(stranger.got.filter((text) => text.includes(callId) && text.startsWith('INVITE sip:second@'))).toEqual([]);
  });

  describe('a failure_route because nobody answered', () => {
    async function second(name: string) {
      const { answer } = stranger;
      stranger.answer = (text, at) => (text.includes(`sip:${name}@`) ? [] : answer(text, at));
      const callId = send({ method: 'MESSAGE', ruri: to(name) });
      const status = statusOf(await user.final(callId));
      stranger.answer = answer;
      expectNowhere('secret', stranger.got);
      return { status, got: stranger.got.filter((text) => text.includes(callId) && text.includes('sip:second@')) };
    }

    it.each(['late', 'later'])('fail/%s: it arms such a branch_route, or adds what is private', async (name) => {
      const { status, got } = await second(name);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(got).toEqual([]);
    });

    it('ok/what passes siptrust goes to the second place, cleaned', async () => {
      const { status, got } = await second('tardy');
      expect(status).toBe(200);
      expect(got).toHaveLength(1);
    });
  });

  it('fail/an onreply_route without route(SIPTRUST_BACK): the answer of our side', async () => {
    network.uas.options = { extra: SECRET };
    const callId = freshCallId();
    outsider.send(request({ method: 'INVITE', ruri: 'sip:half@own.example', callId, transport: 'UDP' }));
    const got = await outsider.final(callId);
    network.uas.options = {};
    expect(statusOf(got)).toBe(200);
    expect(rowsOf(got, 'P-Asserted-Identity')).toEqual([]);
    expectNowhere('secret', outsider.answers);
  });

  it('ok/what passes siptrust goes on, cleaned', async () => {
    const callId = send({ method: 'MESSAGE', ruri: to('ordinary') });
    expect(statusOf(await user.final(callId))).toBe(200);
    expect(rowsOf(stranger.find(callId, 'MESSAGE') ?? '', 'P-Asserted-Identity')).toEqual([]);
  });
});
