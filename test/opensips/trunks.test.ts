/** Trunks to a partner with two places: which of them a call takes, what happens when one fails, and when the agreement ends. */

import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, inDialog, request, tlsCaller } from '../support/live/caller.js';
import type { Policy } from '../support/live/daemon.js';
import { replaced } from '../support/live/opensips.js';
import { agreementByWords, OpensipsNetwork } from '../support/live/opensips-network.js';
import { answered, Party } from '../support/live/party.js';
import { eventually } from '../support/live/places.js';
import { methodOf, rowsOf, type SipText, statusOf } from '../support/live/sip-text.js';
import { TlsUas } from '../support/live/uas.js';
import { absent, answerTo, BUILD, folderOf, gateways, theBuild } from './stage.js';

const OURS = 'P-Asserted-Identity: <sip:user@own.example>';

const LOADED = `
modparam("tm", "fr_timeout", 2)
loadmodule "db_text.so"
loadmodule "dispatcher.so"
modparam("dispatcher", "db_url", "text://FOLDER")
`;
const FEATURES = `
	if ($rU == "trunk") {
		t_on_failure("TRUNK");
		ds_select_dst(1, 8, "f");
		record_route();
		route(RELAY);
	}
`;
const ROUTES = `
failure_route[TRUNK] {
	route(SIPTRUST_SHUT);
	if (t_check_status("5[0-9][0-9]|408") && ds_next_dst()) {
		t_relay();
	}
}
`;

describe.skipIf(absent(['dispatcher', 'db_text']) !== undefined)('trunks', () => {
  let network: OpensipsNetwork;
  let user: Caller;
  const places: Party[] = [];
  const [first, second] = [() => places[0]!, () => places[1]!];

  beforeAll(async () => {
    network = await OpensipsNetwork.start({
      build: theBuild(),
      patience: 4,
      settings: { siptrust_keepalive: '1' },
      edit: (sample, host) =>
        replaced(sample, [
          ['loadmodule "rr.so"\n', `loadmodule "rr.so"\n${LOADED}`],
          ['\t# No open relay', `${FEATURES}\t# No open relay`],
          ['tcp_workers = ', 'tcp_connection_lifetime = 6\ntcp_workers = '],
        ])
          .concat(ROUTES)
          .replaceAll(
            'FOLDER',
            gateways(
              join(folderOf(sample), 'db'),
              [5, 6].map((at) => `sip:${host(at)}:5061;transport=tls`),
            ),
          ),
    });
    await network.daemon.reload(policy([5, 6]));
    user = await network.user();
    for (const at of [5, 6]) {
      const identity = network.pki.certificate({ issuer: network.operatorB, names: ['DNS:b.example'] });
      places.push(await Party.start(network.host(at), identity));
    }
    await proven();
  });
  afterAll(async () => {
    for (const place of places) place.stop();
    await network?.stop();
  });
  beforeEach(proven);

  const own = '<sip:user@own.example>;tag=1';

  /** The partner alone, at these hosts. */
  function policy(hosts: readonly number[]): Policy {
    const targets = hosts.map((at) => `${network.host(at)}:5061`);
    const terms = agreementByWords('op-b', 'b.example', network.operatorB, { targets });
    return { ...network.standardPolicy, agreements: [terms] };
  }

  /** Both have shown who they are. */
  async function proven(): Promise<void> {
    const before = places.map(({ got }) => got.length);
    await eventually('both places are asked again', () =>
      places.every(({ got }, i) => got.slice(before[i]).filter((text) => methodOf(text) === 'OPTIONS').length > 2),
    );
  }

  const asserted = (text: SipText | undefined) => text && rowsOf(text, 'P-Asserted-Identity');

  async function trunk(callId: string): Promise<SipText> {
    return answerTo(user, { callId, ruri: 'sip:trunk@own.example', from: own, headers: [OURS] });
  }

  it('ok/the place that the script has chosen gets the call; the next one where it fails', async () => {
    const { answer } = first();
    first().answer = (text, at) =>
      methodOf(text) === 'INVITE' ? [answered(text, '503 Service Unavailable')] : answer(text, at);
    const callId = freshCallId();
    const got = await trunk(callId);
    first().answer = answer;
    expect(asserted(first().find(callId, 'INVITE'))).toEqual(['<sip:user@own.example>']);
    expect(asserted(second().find(callId, 'INVITE'))).toEqual(['<sip:user@own.example>']);
    expect(statusOf(got), got).toBe(200);
  });

  it('ok/the next one, where the first one is silent', async () => {
    const { answer } = first();
    first().answer = (text, at) => (methodOf(text) === 'INVITE' ? [] : answer(text, at));
    const callId = freshCallId();
    const got = await trunk(callId);
    first().answer = answer;
    expect(asserted(second().find(callId, 'INVITE'))).toEqual(['<sip:user@own.example>']);
    expect(statusOf(got), got).toBe(200);
  });

  const named = async (): Promise<string> => {
    const callId = freshCallId();
    const ruri = 'sip:bob@b.example';
    await answerTo(user, { callId, ruri, from: own, method: 'MESSAGE', headers: [OURS] });
    return callId;
  };
  async function start(name: string): Promise<void> {
    const identity = network.pki.certificate({ issuer: network.operatorB, names: [`DNS:${name}`] });
    places[0] = await Party.start(network.host(5), identity);
  }
  /** In the place of the first one, with this name. */
  async function replace(name: string): Promise<void> {
    first().stop();
    await start(name);
  }

  it('ok/by name: the other place from when one hangs up; the first again from when it is back', async () => {
    first().stop();
    const callId = await eventually('the second place gets it', async () => {
      const id = await named();
      return second().find(id, 'MESSAGE') !== undefined && id;
    });
    expect(asserted(second().find(callId, 'MESSAGE'))).toEqual(['<sip:user@own.example>']);
    await start('b.example');
    await proven();
    const next = await named();
    expect(asserted(first().find(next, 'MESSAGE'))).toEqual(['<sip:user@own.example>']);
  });

  it('fail/somebody else answers at a place that was proven: nothing private, and no call, goes there', async () => {
    await replace('thief.example');
    await proven();
    for (let i = 0; i < 10; i++) {
      const callId = await named();
      expect(asserted(second().find(callId, 'MESSAGE'))).toEqual(['<sip:user@own.example>']);
    }
    const callId = freshCallId();
    expect(statusOf(await trunk(callId))).toBe(200);
    expect(first().find(callId, 'INVITE')).toBeUndefined();
    expect(first().got.filter((text) => text.includes('P-Asserted-Identity'))).toEqual([]);
    await replace('b.example');
  });

  it('fail/the certificate of a place ends under the connection: the call goes there stripped, and once nobody calls a new one is opened', async () => {
    const at = network.host(7);
    await network.daemon.reload({ ...policy([7]), defaults: { skew: 0 } });
    await network.polled();
    const identity = (until: number) =>
      network.pki.certificate({ issuer: network.operatorB, names: ['DNS:b.example'], until });
    const place = await TlsUas.start(at, identity(20 / 86_400));
    const told = async () => {
      const callId = freshCallId();
      await answerTo(user, { callId, method: 'MESSAGE', ruri: 'sip:x@b.example', from: own, headers: [OURS] });
      return asserted(place.find(callId, 'MESSAGE'));
    };
    await expect.poll(told, { interval: 1000, timeout: 15_000 }).toEqual(['<sip:user@own.example>']);
    await expect.poll(told, { interval: 1000, timeout: 25_000 }).toEqual([]);
    place.present(identity(1));
    const before = place.serverNames.length;
    await eventually('a new connection', () => place.serverNames.length > before, 30_000);
    await expect.poll(told, { interval: 1000, timeout: 15_000 }).toEqual(['<sip:user@own.example>']);
    place.stop();
    await network.daemon.reload(policy([5, 6]));
  });

  it('ok/what had ended counts again, by a clock that is right or another policy: the connection is kept up again', async () => {
    const told = async () => {
      const callId = freshCallId();
      await answerTo(user, { callId, method: 'MESSAGE', ruri: 'sip:x@b.example', from: own, headers: [OURS] });
      return asserted(first().find(callId, 'MESSAGE'));
    };
    const reloaded = async () => {
      await network.daemon.reload(policy([5]));
      await network.polled();
    };
    network.relay.tamper = (method, text) => {
      if (method !== 'trust.peer' || text === '') return undefined;
      const answer = JSON.parse(text) as { result: object };
      return JSON.stringify({ ...answer, result: { ...answer.result, trusted: 0, reason: 'cert-time' } });
    };
    await reloaded();
    await expect.poll(told, { timeout: 10_000 }).toEqual([]);
    network.relay.tamper = () => undefined;
    await reloaded();
    await expect.poll(told, { timeout: 10_000 }).toEqual(['<sip:user@own.example>']);
    const asked = () => first().got.filter((text) => methodOf(text) === 'OPTIONS').length;
    const before = asked();
    // (One alone opens a new connection in the place of one that nothing went over.)
    await eventually('it is asked again and again', () => asked() > before + 2, 5000);
    await network.daemon.reload(policy([5, 6]));
  });

  it('fail/the agreement ends while a call is up: stripped with the next request of it, which goes', async () => {
    const callId = freshCallId();
    const answer = await trunk(callId);
    expect(statusOf(answer), answer).toBe(200);
    expect(asserted(first().find(callId, 'INVITE'))).toEqual(['<sip:user@own.example>']);
    const { route, ...terms } = inDialog(answer);
    user.send(request({ ...terms, transport: 'UDP', from: own, method: 'ACK', headers: route }));
    await network.daemon.reload({ ...network.standardPolicy, agreements: [] });
    await network.polled();
    for (const method of ['INFO', 'BYE']) {
      const headers = [...route, OURS];
      const got = await answerTo(user, { ...terms, from: own, method, cseq: method === 'BYE' ? 3 : 2, headers });
      expect(statusOf(got), got).toBe(200);
      const arrived = first()
        .got.filter((text) => methodOf(text) === method && text.includes(callId))
        .at(-1);
      expect(asserted(arrived)).toEqual([]);
    }
  });
});

describe.skipIf(BUILD === undefined)('a partner whose border starts anew', () => {
  let network: OpensipsNetwork;
  let place: Party | undefined;
  beforeAll(async () => {
    network = await OpensipsNetwork.start({
      build: theBuild(),
      patience: 4,
      settings: { siptrust_keepalive: '600' },
      edit: (sample) => replaced(sample, [['tcp_workers = ', 'tcp_accept_aliases = 1\ntcp_workers = ']]),
    });
  });
  afterAll(async () => {
    place?.stop();
    await network?.stop();
  });

  /** A call of ours reaches the partner, who sees who calls. */
  async function call(there: Party): Promise<void> {
    const user = await network.user();
    const rows = { from: '<sip:user@own.example>;tag=1', method: 'MESSAGE', headers: [OURS] };
    const reached = async () => {
      const callId = freshCallId();
      const got = await answerTo(user, { callId, ruri: 'sip:bob@b.example', ...rows });
      return statusOf(got) === 200 && callId;
    };
    const callId = await eventually('it is reached', reached, 25_000);
    expect(rowsOf(there.find(callId, 'MESSAGE') ?? '', 'P-Asserted-Identity')).toEqual(['<sip:user@own.example>']);
  }

  it('ok/it is reached again at once, and not when the next OPTIONS are due', async () => {
    const identity = network.pki.certificate({ issuer: network.operatorB, names: ['DNS:b.example'] });
    const targets = [`${network.host(5)}:5061`];
    const terms = agreementByWords('op-b', 'b.example', network.operatorB, { targets, require_tls: true });
    place = await Party.start(network.host(5), identity);
    await network.daemon.reload({ ...network.standardPolicy, agreements: [terms] });
    await call(place);
    place.stop();
    place = await Party.start(network.host(5), identity);
    await call(place);
  });

  it('fail/somebody else at its address says that its port is theirs (;alias): calls go over the proven connection', async () => {
    if (place === undefined) throw new Error('nobody there');
    const alias = `${network.host(5)}:5061;alias;`;
    const open = () => tlsCaller(network.address, 5061, undefined, network.host(5));
    // (OpenSIPS looks through its connections in 32 heaps: some of these stand before the partner's.)
    const thieves = await Promise.all(Array.from({ length: 40 }, open));
    for (const thief of thieves) {
      const callId = freshCallId();
      thief.send(request({ callId, method: 'MESSAGE' }).replace('sbc.a.example:5061;', alias));
      await thief.final(callId);
    }
    await call(place);
    for (const thief of thieves) thief.close();
    expect(thieves.flatMap(({ answers }) => answers).filter((text) => statusOf(text) === 0)).toEqual([]);
  });
});
