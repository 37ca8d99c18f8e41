/** Scripts that come with OpenSIPS, turned trusting by the steps of docs/opensips.md and by nothing else. */

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, inDialog, type RequestTerms, request } from '../support/live/caller.js';
import { replaced } from '../support/live/opensips.js';
import { OpensipsNetwork } from '../support/live/opensips-network.js';
import {
  opensipsSteps,
  type StockName,
  stepsTaken,
  stockScript,
  withoutLocalRoute,
} from '../support/live/opensips-steps.js';
import { Party } from '../support/live/party.js';
import { expectNowhere, privateRows } from '../support/live/secrets.js';
import { rowsOf, type SipText, statusOf } from '../support/live/sip-text.js';
import { ASSERTED, BUILD, folderOf, theBuild } from './stage.js';

const SECRET = privateRows('secret');
const FORGED = privateRows('forged');

/** Why this script cannot be tried on this build; said once, where it cannot. */
function obstacle(name: StockName, modules: readonly string[]): string | undefined {
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
  const tls = folderOf(sample);
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

/** Tables of a database as text files: their columns and rows, and the versions that the modules ask for. */
type Tables = Readonly<
  Record<string, { readonly version: number; readonly columns: string; readonly rows: readonly string[] }>
>;

function database(folder: string, tables: Tables): string {
  mkdirSync(folder, { recursive: true });
  const versions = Object.entries(tables).map(([name, { version }]) => `${name}:${version}\n`);
  writeFileSync(join(folder, 'version'), `table_name(string) table_version(int) \n${versions.join('')}`);
  for (const [name, { columns, rows }] of Object.entries(tables))
    writeFileSync(join(folder, name), `${columns} \n${rows.map((row) => `${row}\n`).join('')}`);
  return folder;
}

/** A script that wants a MySQL, with these tables instead of one. */
function withTables(script: string, sample: string, tables: Tables): string {
  const folder = database(join(folderOf(sample), 'db'), tables);
  return replaced(script, [
    ['loadmodule "db_mysql.so"', 'loadmodule "db_text.so"'],
    [/^loadmodule "(?:sqlops|avpops)\.so"\n/m, ''],
    ['mysql://opensips:opensipsrw@localhost/opensips', `text://${folder}`],
  ]);
}

/** Both ways through a script behind which our side is the only gateway. */
function behindIt(network: () => OpensipsNetwork): void {
  const bob = () => `sip:4412345@${network().address}`;

  it.each(['udp', 'tcp', 'tls'] as const)(
    'fail/a stranger over %s: nothing comes in, nothing goes back',
    async (transport) => {
      const caller = await network()[transport]();
      const { uas } = network();
      uas.options = { extra: SECRET };
      const callId = freshCallId();
      const via = transport.toUpperCase();
      caller.send(request({ callId, ruri: bob(), headers: FORGED, transport: via }));
      const answer = await caller.final(callId);
      expect(statusOf(answer), answer).toBe(200);
      const { route, ...terms } = inDialog(answer);
      caller.send(request({ ...terms, callId, method: 'ACK', headers: [...route, ...FORGED], transport: via }));
      caller.send(
        request({ ...terms, callId, method: 'BYE', cseq: 2, headers: [...route, ...FORGED], transport: via }),
      );
      expect(statusOf(await caller.final(callId, 'BYE'))).toBe(200);
      uas.options = {};
      expect(uas.find(callId, 'INVITE')).toBeDefined();
      expectNowhere('forged', uas.got);
      expectNowhere('secret', caller.answers);
    },
  );

  it('ok/a partner keeps what it asserts; a gateway that fails is told of', async () => {
    const caller = await network().tls(network().certificateOfA());
    const { uas } = network();
    const callId = freshCallId();
    caller.send(request({ callId, ruri: bob(), headers: [ASSERTED] }));
    expect(statusOf(await caller.final(callId))).toBe(200);
    expect(rowsOf(uas.find(callId, 'INVITE') ?? '', 'P-Asserted-Identity')).toEqual(['<sip:alice@a.example>']);
    uas.options = { status: '503 Service Unavailable' };
    const next = freshCallId();
    caller.send(request({ callId: next, ruri: bob(), headers: [ASSERTED] }));
    expect(statusOf(await caller.final(next))).toBe(500);
    uas.options = {};
  });
}

const BALANCING = ['dialog', 'load_balancer', 'db_text', 'acc', 'mi_fifo'];
describe.skipIf(obstacle('loadbalancer', BALANCING) !== undefined)('the load balancer', () => {
  let network: OpensipsNetwork;
  beforeAll(async () => {
    const stock = stockScript(theBuild(), 'loadbalancer');
    if (typeof stock !== 'string') throw new Error(stock.missing);
    network = await OpensipsNetwork.start({
      build: theBuild(),
      edit: (sample, host) =>
        withTables(ours(stepsTaken(stock, theBuild()), sample, host), sample, {
          load_balancer: {
            version: 3,
            columns:
              'id(int,auto) group_id(int) dst_uri(string) resources(string) probe_mode(int) attrs(string,null) description(string,null)',
            rows: [`1:1:sip\\:${host(3)}\\:5060:channel=100:0::`],
          },
        }).replace('"db_mode", 2', '"db_mode", 0'),
      plugin: withoutLocalRoute,
    });
  });
  afterAll(async () => {
    await network?.stop();
  });
  behindIt(() => network);
});

const TRUNKING = ['drouting', 'permissions', 'db_text', 'acc', 'mi_fifo'];
describe.skipIf(obstacle('trunking', TRUNKING) !== undefined)('the trunking script', () => {
  let network: OpensipsNetwork;
  beforeAll(async () => {
    const stock = stockScript(theBuild(), 'trunking');
    if (typeof stock !== 'string') throw new Error(stock.missing);
    network = await OpensipsNetwork.start({
      build: theBuild(),
      edit: (sample, host) =>
        withTables(ours(stepsTaken(stock, theBuild()), sample, host), sample, {
          address: {
            version: 5,
            columns:
              'id(int,auto) grp(int) ip(string) mask(int) port(int) proto(string) pattern(string,null) context_info(string,null)',
            rows: [`1:1:${host(9)}:32:0:any::`, '2:1:127.0.0.1:32:0:any::'],
          },
          dr_gateways: {
            version: 6,
            columns:
              'id(int,auto) gwid(string) type(int) address(string) strip(int) pri_prefix(string,null) attrs(string,null) probe_mode(int) state(int) socket(string,null) description(string,null)',
            rows: [`1:gw:0:${host(3)}\\:5060:0:::0:0::`],
          },
          dr_rules: {
            version: 4,
            columns:
              'ruleid(int,auto) groupid(string) prefix(string) timerec(string,null) priority(int) routeid(string,null) gwlist(string,null) sort_alg(string) sort_profile(int,null) attrs(string,null) description(string,null)',
            rows: ['1:1:44::1::gw:N:0::'],
          },
          dr_carriers: {
            version: 3,
            columns:
              'id(int,auto) carrierid(string) gwlist(string) flags(int) sort_alg(string) state(int) attrs(string,null) description(string,null)',
            rows: [],
          },
          dr_groups: {
            version: 2,
            columns: 'id(int,auto) username(string) domain(string,null) groupid(int) description(string,null)',
            rows: [],
          },
        }),
    });
  });
  afterAll(async () => {
    await network?.stop();
  });
  behindIt(() => network);
});
