/** Scripts that come with OpenSIPS, turned trusting by the steps of docs/opensips.md and by nothing else. */

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, inDialog, type RequestTerms, request } from '../support/live/caller.js';
import { replaced } from '../support/live/opensips.js';
import { OpensipsNetwork } from '../support/live/opensips-network.js';
import { opensipsSteps, stepsTaken, stockScript, withoutLocalRoute } from '../support/live/opensips-steps.js';
import { Party } from '../support/live/party.js';
import { expectNowhere, privateRows } from '../support/live/secrets.js';
import { rowsOf, type SipText, statusOf } from '../support/live/sip-text.js';
import { ASSERTED, BUILD, theBuild } from './stage.js';

const SECRET = privateRows('secret');
const FORGED = privateRows('forged');

/** Why this script cannot be tried on this build; said once, where it cannot. */
function obstacle(name: 'residential' | 'loadbalancer', modules: readonly string[]): string | undefined {
  const build = BUILD;
  if (build === undefined) return 'no OpenSIPS';
  const script = stockScript(build, name);
  const absent = modules.filter((module) => !existsSync(join(build.modules, module, `${module}.so`)));
  const why =
    typeof script !== 'string' ? script.missing : absent.length > 0 ? `no modules ${absent.join(', ')}` : undefined;
  if (why !== undefined) console.warn(`skipped: ${name} of OpenSIPS ${build.version}: ${why}`);
  return why;
}

/** What an operator has of their own: addresses, certificates, and where the modules and the log are. */
function ours(script: string, sample: string, host: (host: number) => string): string {
  const tls = /"\[outside\](.*)\/own\.pem"/.exec(sample)?.[1] ?? '';
  const modules = /mpath = "(.*)"/.exec(sample)?.[1] ?? '';
  return replaced(script, [
    [/stderror_enabled=no/, 'stderror_enabled=yes'],
    [/syslog_enabled=yes/, 'syslog_enabled=no'],
    [/^mpath=.*$/m, `mpath="${modules}"`],
    [/"[^"]*opensips_fifo"/, `"${tls}/fifo"`],
    ['10.0.0.1:', `${host(4)}:`],
    ['192.0.2.1:', `${host(2)}:`],
    ['/etc/opensips/tls', tls],
    ['/etc/opensips/siptrust/', ''],
  ]);
}

describe.skipIf(obstacle('residential', ['usrloc', 'registrar', 'acc', 'mi_fifo']) !== undefined)(
  'the residential script',
  () => {
    let network: OpensipsNetwork;
    let stranger: Party;
    let user: Caller;

    beforeAll(async () => {
      const stock = stockScript(theBuild(), 'residential');
      if (typeof stock !== 'string') throw new Error(stock.missing);
      network = await OpensipsNetwork.start({
        build: theBuild(),
        edit: (sample, host) => ours(stepsTaken(stock, theBuild()), sample, host),
        plugin: (text) => {
          for (const [, name] of (opensipsSteps().get(4) ?? '').matchAll(/\$var\((\w+)\)/g))
            if (!text.includes(`\t$var(${name}) = `)) throw new Error(`siptrust.cfg has no ${name}`);
          return text;
        },
      });
      stranger = await Party.start(
        network.host(12),
        network.pki.certificate({ issuer: network.operatorB, names: ['DNS:stranger.example'] }),
      );
      user = await network.user();
      const contact = `Contact: <sip:bob@${network.called}:5060>`;
      const terms = { method: 'REGISTER', ruri: `sip:${network.inside}`, headers: [contact, 'Expires: 600'] };
      expect(statusOf(await asked(user, terms))).toBe(200);
    });
    afterAll(async () => {
      stranger?.stop();
      await network?.stop();
    });

    const bob = () => `sip:bob@${network.address}`;
    const own = () => `<sip:user@${network.inside}>;tag=1`;

    /** Sends it, and gives the final answer. */
    function asked(caller: Caller, terms: RequestTerms): Promise<SipText> {
      const { callId = freshCallId(), method = 'INVITE' } = terms;
      const plain = request({ transport: 'UDP', to: `<sip:bob@${network.address}>`, ...terms, callId });
      caller.send(method === 'REGISTER' ? plain.replace('Contact: <sip:alice@sbc.a.example>\r\n', '') : plain);
      return caller.final(callId, method);
    }

    it.each(['udp', 'tcp', 'tls'] as const)(
      'fail/a stranger over %s: nothing it claims comes in, nothing of ours goes back',
      async (transport) => {
        const caller = await network[transport]();
        network.uas.options = { extra: SECRET };
        const callId = freshCallId();
        const via = transport.toUpperCase();
        const answer = await asked(caller, { callId, ruri: bob(), headers: FORGED, transport: via });
        expect(statusOf(answer)).toBe(200);
        const { route, ...terms } = inDialog(answer);
        caller.send(request({ ...terms, callId, method: 'ACK', headers: [...route, ...FORGED], transport: via }));
        await network.uas.received(callId, 'ACK');
        const bye = await asked(caller, {
          ...terms,
          callId,
          method: 'BYE',
          cseq: 2,
          headers: [...route, ...FORGED],
          transport: via,
        });
        expect(statusOf(bye)).toBe(200);
        network.uas.options = {};
        expectNowhere('forged', network.uas.got);
        expectNowhere('secret', caller.answers);
      },
    );

    it('ok/a partner over TLS keeps what it asserts, and gets what we assert', async () => {
      const caller = await network.tls(network.certificateOfA());
      network.uas.options = { extra: ['P-Asserted-Identity: <sip:bob@own.example>'] };
      const callId = freshCallId();
      const answer = await asked(caller, { callId, ruri: bob(), headers: [ASSERTED], transport: 'TLS' });
      network.uas.options = {};
      expect(statusOf(answer)).toBe(200);
      expect(rowsOf(answer, 'P-Asserted-Identity')).toEqual(['<sip:bob@own.example>']);
      expect(rowsOf(network.uas.find(callId, 'INVITE') ?? '', 'P-Asserted-Identity')).toEqual([
        '<sip:alice@a.example>',
      ]);
    });

    it.each(['udp', 'tcp', 'tls'] as const)('fail/our user calls a stranger over %s', async (transport) => {
      const { answer } = stranger;
      const terms = { ruri: stranger.uri(transport), from: own(), headers: SECRET };
      const callId = freshCallId();
      const got = await asked(user, { ...terms, callId });
      expect(statusOf(got)).toBe(200);
      await asked(user, { ...terms, method: 'MESSAGE' });
      stranger.answer = answer;
      expect(stranger.find(callId, 'INVITE')).toBeDefined();
      expectNowhere('secret', stranger.got);
      expectNowhere('forged', user.answers);
    });

    it('ok/our users among themselves: as it is', async () => {
      const callId = freshCallId();
      const got = await asked(user, { callId, ruri: bob(), from: own(), headers: SECRET });
      expect(statusOf(got), got).toBe(200);
      expect(rowsOf(network.uas.find(callId, 'INVITE') ?? '', 'P-Charging-Vector')).toHaveLength(1);
    });
  },
);

/** The tables of its database, as text files: one gateway, on our own side. */
function database(folder: string, gateway: string): string {
  mkdirSync(folder, { recursive: true });
  const escaped = gateway.replaceAll(':', '\\:');
  writeFileSync(join(folder, 'version'), 'table_name(string) table_version(int) \nload_balancer:3\n');
  writeFileSync(
    join(folder, 'load_balancer'),
    `id(int,auto) group_id(int) dst_uri(string) resources(string) probe_mode(int) attrs(string,null) description(string,null) \n1:1:${escaped}:channel=100:0::\n`,
  );
  return folder;
}

const BALANCING = ['dialog', 'load_balancer', 'db_text', 'acc', 'mi_fifo'];
describe.skipIf(obstacle('loadbalancer', BALANCING) !== undefined)('the load balancer', () => {
  let network: OpensipsNetwork;

  beforeAll(async () => {
    const stock = stockScript(theBuild(), 'loadbalancer');
    if (typeof stock !== 'string') throw new Error(stock.missing);
    network = await OpensipsNetwork.start({
      build: theBuild(),
      edit: (sample, host) => {
        const tables = database(
          join(/"\[outside\](.*)\/own\.pem"/.exec(sample)?.[1] ?? '', 'db'),
          `sip:${host(3)}:5060`,
        );
        // Its database, instead of a MySQL.
        return replaced(ours(stepsTaken(stock, theBuild()), sample, host), [
          ['loadmodule "db_mysql.so"', 'loadmodule "db_text.so"'],
          [/^loadmodule "sqlops\.so"\n/m, ''],
          [/modparam\("dialog", "db_mode", 2\)/, 'modparam("dialog", "db_mode", 0)'],
          [/mysql:[^"]*/, `text://${tables}`],
          [/mysql:[^"]*/, `text://${tables}`],
        ]);
      },
      plugin: withoutLocalRoute,
    });
  });
  afterAll(async () => {
    await network?.stop();
  });

  it.each(['udp', 'tcp', 'tls'] as const)(
    'fail/a stranger over %s: nothing comes in, nothing goes back',
    async (transport) => {
      const caller = await network[transport]();
      network.uas.options = { extra: SECRET };
      const callId = freshCallId();
      const via = transport.toUpperCase();
      const ruri = `sip:bob@${network.address}`;
      caller.send(request({ callId, ruri, headers: FORGED, transport: via }));
      const answer = await caller.final(callId);
      network.uas.options = {};
      expect(statusOf(answer), answer).toBe(200);
      const { route, ...terms } = inDialog(answer);
      caller.send(request({ ...terms, callId, method: 'ACK', headers: [...route, ...FORGED], transport: via }));
      caller.send(
        request({ ...terms, callId, method: 'BYE', cseq: 2, headers: [...route, ...FORGED], transport: via }),
      );
      expect(statusOf(await caller.final(callId, 'BYE'))).toBe(200);
      expect(network.uas.find(callId, 'INVITE')).toBeDefined();
      expectNowhere('forged', network.uas.got);
      expectNowhere('secret', caller.answers);
    },
  );

  it('ok/a partner keeps what it asserts; a gateway that fails is told of', async () => {
    const caller = await network.tls(network.certificateOfA());
    const ruri = `sip:bob@${network.address}`;
    const callId = freshCallId();
    caller.send(request({ callId, ruri, headers: [ASSERTED] }));
    expect(statusOf(await caller.final(callId))).toBe(200);
    expect(rowsOf(network.uas.find(callId, 'INVITE') ?? '', 'P-Asserted-Identity')).toEqual(['<sip:alice@a.example>']);
    network.uas.options = { status: '503 Service Unavailable' };
    const next = freshCallId();
    caller.send(request({ callId: next, ruri, headers: [ASSERTED] }));
    expect(statusOf(await caller.final(next))).toBe(500);
    network.uas.options = {};
  });
});
