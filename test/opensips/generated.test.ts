/** Scripts of menuconfig with every option on, turned trusting by the steps of docs/opensips.md and by nothing else. */

import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, inDialog, type RequestTerms, request } from '../support/live/caller.js';
import { replaced } from '../support/live/opensips.js';
import type { OpensipsNetwork } from '../support/live/opensips-network.js';
import { type StockName, stepsTaken, stockScript, withoutLocalRoute } from '../support/live/opensips-steps.js';
import { answered, type Party } from '../support/live/party.js';
import { expectNowhere, privateRows } from '../support/live/secrets.js';
import { headerOf, methodOf, rowsOf, type SipText, statusOf } from '../support/live/sip-text.js';
import {
  ASSERTED,
  absent,
  answerTo,
  apart,
  type Cast,
  cast,
  folderOf,
  noTables,
  tables,
  talk,
  theBuild,
  value,
} from './stage.js';

const SECRET = privateRows('secret');
const FORGED = privateRows('forged');
const SDP = 'v=0\r\no=- 1 1 IN IP4 10.1.1.1\r\ns=-\r\nc=IN IP4 10.1.1.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n';

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

/** The script with all of its options, and what an operator has of their own: addresses, certificates, tables. */
function everything(name: StockName, sample: string, host: (host: number) => string): string {
  const stock = stockScript(theBuild(), name, /^ENABLE_|^DISABLE_/);
  if (typeof stock !== 'string') throw new Error(stock.missing);
  const tls = folderOf(sample);
  const gateway = (at: number) => `${at}:gw${at}:0:${host(at)}:0:::0:0::`;
  const old = theBuild().version.startsWith('3.4');
  const folder = tables(sample, {
    domain: [2, 4].map((at) => `${at}:${host(at)}::0${old ? '' : ':0'}`),
    subscriber: [`1:bob:${host(4)}`, `2:carol:${host(2)}`].map((row) => `${row}:word:x:x:x${old ? ':x:' : ''}`),
    dbaliases: [`1:bob:${host(2)}:bob:${host(4)}`],
    dr_gateways: [gateway(3), gateway(12), gateway(13)],
    dr_rules: ['1:0:44::1::gw12,gw13:N:0::', '2:1:44::1::gw3:N:0::', '3:1:46::1::gw12,gw13:N:0::'],
    dialplan: ['1:0:1:1:^00([0-9]+)$:0:^00([0-9]+)$:+\\\\1::0:'],
    address: [`1:1:${host(9)}:32:0:any::`, `2:1:${host(3)}:32:0:any::`, '3:1:127.0.0.1:32:0:any::'],
    dispatcher: [12, 13].map((at) => `${at}:1:${value(`sip:${host(at)}:5060`)}::0:1:1:0:x:x`),
  });
  const modules = /mpath = "(.*)"/.exec(sample)?.[1] ?? '';
  const script = replaced(stepsTaken(stock, theBuild()), [
    [/stderror_enabled=no/, 'stderror_enabled=yes'],
    [/syslog_enabled=yes/, 'syslog_enabled=no'],
    [/^mpath=.*$/m, `mpath="${modules}"`],
    [/"[^"]*opensips_fifo"/, `"${tls}/fifo"`],
    ['modparam("httpd", "port", 8888)', `modparam("httpd", "ip", "${host(4)}")\nmodparam("httpd", "port", 8888)`],
    ['loadmodule "db_mysql.so"', 'loadmodule "db_text.so"'],
    ['mysql://opensips:opensipsrw@localhost/opensips', `text://${folder}`],
    ['10.0.0.1:', `${host(4)}:`],
    ['192.0.2.1:', `${host(2)}:`],
    ['/etc/opensips/tls', tls],
    ['/etc/opensips/siptrust/', ''],
  ]);
  return (
    script
      .replace(/^loadmodule "sqlops\.so"\n/m, '')
      // (All addresses of this stage are private ones.)
      .replaceAll('private-via,diff-ip-src-via,private-contact', 'diff-ip-src-via')
      .replaceAll('udp:localhost:', `udp:${host(8)}:`)
      .replaceAll('sip:pinger@127.0.0.1', 'sip:pinger@own.example')
      .replaceAll('sip:127.0.0.2:5060', `sip:${host(3)}:5060`)
  );
}

describe.skipIf(
  (absent([
    'db_text',
    'dialog',
    'drouting',
    'dialplan',
    'presence_xml',
    'rtpproxy',
    'nathelper',
    'mi_http',
    'auth_db',
    'domain',
    'alias_db',
  ]) ?? noTables()) !== undefined,
)('the residential script, all of it', () => {
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

  const relay = createSocket('udp4');

  beforeAll(async () => {
    // Each question of rtpproxy is a cookie, a blank, and a command.
    relay.on('message', (bytes, from) => {
      const [cookie = '', command = ''] = bytes.toString('latin1').split(' ');
      const told = command.startsWith('VF') ? '1' : command.startsWith('V') ? '20040107' : '4000 192.0.2.99';
      relay.send(`${cookie} ${told}\n`, from.port, from.address);
    });
    all = await cast({
      edit: (sample, host) => {
        relay.bind(12_221, host(8));
        return everything('residential', sample, host);
      },
      plugin: withoutLocalRoute,
    });
    ({ network, stranger, other, user, outsider } = all);
  });
  afterAll(async () => {
    await all?.stop();
    relay.close();
  });

  /** Sends it as bob, who registers from behind no NAT, and again with the password that the script asks for. */
  async function asBob(terms: RequestTerms & { readonly ruri: string }): Promise<SipText> {
    const { method = 'INVITE', ruri, headers = [], callId = freshCallId() } = terms;
    const from = `<sip:bob@${network.inside}>;tag=1`;
    const ask = (id: string, rows: readonly string[]) => {
      const text = request({ transport: 'UDP', ...terms, callId: id, from, headers: [...headers, ...rows] });
      const [contact = ''] = rowsOf(text, 'Contact');
      const there = text.replace(contact, `<sip:bob@${network.called}:5060>`);
      user.send(method === 'REGISTER' ? there.replace('sbc.a.example:5061', user.source) : there);
      return user.final(id, method);
    };
    const challenged = await ask(freshCallId(), []);
    const challenge = headerOf(challenged, 'WWW-Authenticate') ?? headerOf(challenged, 'Proxy-Authenticate') ?? '';
    const [realm = '', nonce = ''] = ['realm', 'nonce'].map(
      (name) => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1] ?? '',
    );
    const tail = ['00000001', 'c', 'auth', md5(`${method}:${ruri}`)].join(':');
    const response = md5(`${md5(`bob:${realm}:word`)}:${nonce}:${tail}`);
    const words = `username="bob", realm="${realm}", nonce="${nonce}", uri="${ruri}", qop=auth, nc=00000001, cnonce="c", response="${response}"`;
    return ask(callId, [`${statusOf(challenged) === 401 ? '' : 'Proxy-'}Authorization: Digest ${words}`]);
  }
  const withBody = (terms: RequestTerms): RequestTerms => ({
    ...terms,
    headers: [...(terms.headers ?? []), 'Content-Type: application/sdp'],
    body: SDP,
  });

  it('ok/our user registers with a password', async () => {
    const to = `<sip:bob@${network.inside}>`;
    const answer = await asBob({ method: 'REGISTER', ruri: `sip:${network.inside}`, to, headers: ['Expires: 600'] });
    expect(statusOf(answer), answer).toBe(200);
  });

  it.each(['udp', 'tcp', 'tls'] as const)('fail/a stranger over %s calls our user', async (transport) => {
    const caller = await network[transport]();
    network.uas.options = { extra: SECRET };
    const via = transport.toUpperCase();
    const callId = freshCallId();
    caller.send(request(withBody({ callId, ruri: `sip:bob@${network.address}`, headers: FORGED, transport: via })));
    const answer = await caller.final(callId);
    expect(statusOf(answer), answer).toBe(200);
    const { route, ...terms } = inDialog(answer);
    caller.send(request({ ...terms, callId, method: 'ACK', headers: [...route, ...FORGED], transport: via }));
    for (const [method, cseq] of [
      ['INFO', 2],
      ['BYE', 3],
    ] as const) {
      caller.send(request({ ...terms, callId, method, cseq, headers: [...route, ...FORGED], transport: via }));
      expect(statusOf(await caller.final(callId, method))).toBe(200);
    }
    network.uas.options = {};
    expect(network.uas.find(callId, 'INVITE')).toContain('192.0.2.99');
    expect(caller.answers.join('')).not.toContain('secret');
    clean();
  });

  it('ok/a partner calls our user, who sees what it asserts', async () => {
    const caller = await network.tls(network.certificateOfA());
    const callId = freshCallId();
    caller.send(request(withBody({ callId, ruri: `sip:bob@${network.address}`, headers: [ASSERTED] })));
    expect(statusOf(await caller.final(callId))).toBe(200);
    expect(rowsOf(network.uas.find(callId, 'INVITE') ?? '', 'P-Asserted-Identity')).toEqual(['<sip:alice@a.example>']);
  });

  it('ok/nobody is there: the voice mail of our side', async () => {
    const callId = freshCallId();
    const answer = await answerTo(outsider, { callId, ruri: `sip:carol@${network.address}`, headers: FORGED });
    expect(statusOf(answer), answer).toBe(200);
    expect(network.uas.find(callId, 'INVITE')).toBeDefined();
    clean();
  });

  it('fail/our user calls a number: the next gateway where one fails, nothing private to either', async () => {
    const { answer } = stranger;
    stranger.answer = (text, at) =>
      methodOf(text) === 'INVITE' ? [answered(text, '486 Busy Here', FORGED)] : answer(text, at);
    const callId = freshCallId();
    const headers = [...SECRET, 'Content-Type: application/sdp'];
    const got = await asBob({ callId, ruri: `sip:004412345@${network.inside}`, headers, body: SDP });
    stranger.answer = answer;
    expect([486, 200], got).toContain(statusOf(got));
    expect(stranger.find(callId, 'INVITE')).toBeDefined();
    clean();
  });

  it.each(['udp', 'tcp', 'tls'] as const)('fail/our user calls another network over %s', async (transport) => {
    const headers = [...SECRET, 'Content-Type: application/sdp'];
    const callId = freshCallId();
    const got = await asBob({ callId, ruri: stranger.uri(transport), headers, body: SDP });
    expect(statusOf(got), got).toBe(200);
    expect(stranger.find(callId, 'INVITE')).toContain('192.0.2.99');
    clean();
  });

  it.each(['PUBLISH', 'SUBSCRIBE'])('fail/%s of a stranger: told so by us, and nothing private', async (method) => {
    const headers = ['Event: presence', 'Expires: 60', ...FORGED];
    const got = await answerTo(outsider, {
      ruri: `sip:bob@${network.address}`,
      to: `<sip:bob@${network.address}>`,
      method,
      headers,
    });
    expect(statusOf(got), got).toBeLessThan(500);
    clean();
  });
});

const TRUNKS = ['db_text', 'dialog', 'drouting', 'dialplan', 'permissions', 'mi_http', 'acc'];
const BALANCED = ['db_text', 'dispatcher', 'mi_http', 'acc'];
describe.each([
  ['trunking', TRUNKS, '4612345', 1],
  // (Its ds_select_dst() keeps no other place for the failure_route.)
  ['loadbalancer', BALANCED, '1', 0],
] as const)('the %s script, all of it', (name, modules, number, failing) => {
  const none = absent(modules) ?? noTables();
  let all: Cast | undefined;
  beforeAll(async () => {
    if (none !== undefined) return;
    all = await cast({
      edit: (sample, host) => everything(name, sample, host),
      plugin: name === 'trunking' ? withoutLocalRoute : (text) => text,
    });
  });
  afterAll(() => all?.stop());

  it.skipIf(none !== undefined)(
    'fail/our user calls: the next gateway where one fails, nothing private to either',
    async () => {
      if (all === undefined) return;
      const { network, stranger, other, user } = all;
      const first: string[] = [];
      for (const party of [stranger, other]) {
        const { answer } = party;
        party.answer = (text, at) => {
          if (methodOf(text) !== 'INVITE' || first.length >= failing) return answer(text, at);
          first.push(party.host);
          return [answered(text, '503 Service Unavailable', FORGED)];
        };
      }
      const headers = [...SECRET, 'Content-Type: application/sdp'];
      const from = '<sip:user@own.example>;tag=1';
      await talk(user, [stranger, other], { ruri: `sip:${number}@${network.inside}`, from, headers }, ['INFO', 'BYE']);
      const got = [...stranger.got, ...other.got];
      expect(got.filter((text) => methodOf(text) === 'INVITE')).toHaveLength(failing + 1);
      expectNowhere('secret', got);
      expectNowhere('forged', user.answers);
    },
  );

  it.skipIf(none !== undefined || name !== 'trunking')('fail/a stranger calls our side', async () => {
    if (all === undefined) return;
    const { network, outsider } = all;
    network.uas.options = { extra: SECRET };
    await talk(outsider, [network.uas], { ruri: `sip:4412345@${network.address}`, headers: FORGED }, ['INFO', 'BYE']);
    network.uas.options = {};
    expectNowhere('forged', network.uas.got);
    expectNowhere('secret', outsider.answers);
  });
});
