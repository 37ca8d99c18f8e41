/** Modules that write to others what somebody has sent: a NOTIFY, a MESSAGE that was kept, one for a room, a frame of MSRP; later (async). */

import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, type RequestTerms, request } from '../../support/live/caller.js';
import { builds } from '../../support/live/kamailio.js';
import type { Network } from '../../support/live/network.js';
import type { Party, Transport } from '../../support/live/party.js';
import { eventually } from '../../support/live/places.js';
import { expectNowhere, privateRows } from '../../support/live/secrets.js';
import { bodyOf, headerOf, methodOf, rowsOf, type SipText, statusOf } from '../../support/live/sip-text.js';
import { Stage, TRANSPORTS } from '../../support/live/stage.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PIDF =
  '<?xml version="1.0"?><presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:user@own.example"><tuple id="a"><status><basic>open</basic></status></tuple></presence>';
/** What only a plan cleans, and an identity. */
const FROM = '<sip:user@own.example;cpc=secret>;tag=1';
const ROWS = privateRows('secret');

/** Tables of Kamailio's module db_text, whose columns may be empty: gives their place. */
function tables(directory: string): string {
  const place = join(directory, 'db');
  cpSync('/usr/share/kamailio/dbtext/kamailio', place, { recursive: true });
  for (const name of readdirSync(place)) {
    const text = readFileSync(join(place, name), 'utf8');
    writeFileSync(join(place, name), text.replaceAll(/\((string|int)\)/g, '($1,null)'));
  }
  return `text://${place}`;
}

// Of this machine alone: the trees of other releases have no presence, and no Python.
const here = builds('full').filter(({ root }) => root === '/');

describe.each(here)('modules, Kamailio $version', (build) => {
  let stage: Stage;
  let network: Network;
  let user: Caller;
  let stranger: Party;
  let partner: Party;

  beforeAll(async () => {
    let db = '';
    stage = await Stage.start({
      build,
      partner: true,
      script: (directory) => {
        db = tables(directory);
        return 'test/support/live/modules.cfg';
      },
      defines: (host) => ({
        DB: { string: db },
        SERVER: { string: `sip:server@${host(2)}:5060` },
        SELF: { string: `sip:${host(3)}:5060` },
      }),
    });
    ({ network, user, stranger, partner } = stage);
  });
  afterAll(() => stage?.stop());

  async function sends(method: string, terms: RequestTerms): Promise<number> {
    const callId = freshCallId();
    user.send(request({ method, callId, from: FROM, transport: 'UDP', ...terms }));
    return statusOf(await user.final(callId));
  }

  const heard = (method: string, part: string): Promise<SipText> =>
    eventually(`${method} with ${part}`, () =>
      stranger.got.find((text) => methodOf(text) === method && text.includes(part)),
    );

  it.each(TRANSPORTS)(
    'ok/a stranger watches a user of ours, over %s: told of what that one publishes',
    async (transport) => {
      const caller = await stage.connect(transport);
      const user = `<sip:${transport}@own.example>`;
      const ruri = `sip:${transport}@own.example`;
      const headers = ['Event: presence', 'Expires: 600'];
      const callId = stage.send(
        caller,
        transport,
        { method: 'SUBSCRIBE', ruri, to: user, headers: [...headers, ...privateRows('forged')] },
        (text) => text.replace(/^Contact: .*$/m, stranger.contact(transport)),
      );
      expect(statusOf(await caller.final(callId))).toBe(200);
      await stranger.received(callId, 'NOTIFY');
      const rows = [...headers, 'Content-Type: application/pidf+xml', ...ROWS];
      expect(await sends('PUBLISH', { ruri, to: user, headers: rows, body: PIDF })).toBe(200);
      const told = await eventually('what was published', () =>
        stranger.got.find((text) => headerOf(text, 'Call-ID') === callId && text.includes('<basic>open')),
      );
      expect(methodOf(told)).toBe('NOTIFY');
      expectNowhere('secret', stranger.got);
    },
  );

  it.each(TRANSPORTS)(
    'ok/a MESSAGE kept for a user who registers elsewhere, over %s: comes, stripped',
    async (transport) => {
      const to = `sip:away-${transport}@own.example`;
      const headers = ['Content-Type: text/plain', ...ROWS];
      expect(await sends('MESSAGE', { ruri: to, to: `<${to};cpc=secret>`, headers, body: `kept ${transport}` })).toBe(
        202,
      );
      await stage.registered(`away-${transport}`, stranger.uri(transport));
      expect(headerOf(await heard('MESSAGE', `kept ${transport}`), 'To')).toBe(`<${to}>`);
      expectNowhere('secret', stranger.got);
    },
  );

  it('ok/a room with somebody elsewhere: what is said there comes, stripped', async () => {
    for (const body of ['#create chat', `#add ${stranger.uri('udp')}`, 'to all']) {
      const headers = ['Content-Type: text/plain', ...ROWS];
      expect(
        await sends('MESSAGE', { ruri: 'sip:chat@own.example', to: '<sip:chat@own.example>', headers, body }),
      ).toBe(200);
    }
    expect(bodyOf(await heard('MESSAGE', 'to all'))).toContain('to all');
    expectNowhere('secret', stranger.got);
  });

  it.each(TRANSPORTS)(
    'ok/a user of ours elsewhere, whose registrar is inside (path), over %s: called, stripped',
    async (transport) => {
      const caller = await stage.connect(transport);
      const registered = stage.send(caller, transport, {
        method: 'REGISTER',
        ruri: 'sip:own.example',
        headers: ['Subject: path', 'Supported: path', 'Path: <sip:forged.example;lr>', ...privateRows('forged')],
      });
      expect(statusOf(await caller.final(registered))).toBe(200);
      const [path = ''] = rowsOf(await network.uas.received(registered, 'REGISTER'), 'Path');
      expect(path).toContain('received=');
      expectNowhere('forged', network.uas.got);
      // Where it is called is where it came from: there a caller records what comes.
      const callId = freshCallId();
      const headers = [`Route: ${path}`, ...ROWS];
      user.send(request({ callId, ruri: 'sip:phone@192.168.1.7', from: FROM, transport: 'UDP', headers }));
      const got = await eventually('the call', () =>
        caller.answers.find((text) => methodOf(text) === 'INVITE' && headerOf(text, 'Call-ID') === callId),
      );
      expect(headerOf(got, 'From')).not.toContain('cpc');
      expectNowhere('secret', caller.answers);
    },
  );

  describe.each(['task', 'sleep'])('what goes on in another process (async), %s', (way) => {
    const headers = [`Subject: ${way}`, ...privateRows('secret')];
    const call = async (ruri: string) => {
      const callId = freshCallId();
      user.send(request({ callId, ruri, from: FROM, transport: 'UDP', headers }));
      const answer = await user.final(callId);
      expect(statusOf(answer), answer).toBe(200);
      return callId;
    };

    it.each(TRANSPORTS)('ok/to a stranger over %s: stripped', async (transport) => {
      await stranger.received(await call(stranger.uri(transport)), 'INVITE');
      expectNowhere('secret', stranger.got);
    });

    it('ok/to a partner: with the identity, over the proven connection', async () => {
      const got = await partner.received(await call('sip:party@b.example'), 'INVITE');
      expect(got).toContain('P-Asserted-Identity: "secret"');
    });

    it.each(TRANSPORTS)('ok/of a stranger over %s: stripped, and so is the answer', async (transport) => {
      const caller = await stage.connect(transport);
      network.uas.options = { extra: privateRows('secret') };
      const terms = { headers: [`Subject: ${way}`, ...privateRows('forged')] };
      const callId = stage.send(caller, transport, terms);
      expect(statusOf(await caller.final(callId))).toBe(200);
      await network.uas.received(callId, 'INVITE');
      expectNowhere('forged', network.uas.got);
      expectNowhere('secret', caller.answers);
      network.uas.options = {};
    });

    it('ok/of a partner: with the identity, and so is the answer', async () => {
      const peer = await network.overTls(network.certificateOfA());
      network.uas.options = { extra: privateRows('secret') };
      const identity = 'P-Asserted-Identity: <sip:alice@a.example>';
      const callId = stage.send(peer, 'tls', { headers: [`Subject: ${way}`, identity] });
      expect(await peer.final(callId)).toContain('P-Asserted-Identity: "secret"');
      expect(await network.uas.received(callId, 'INVITE')).toContain(identity);
      network.uas.options = {};
    });
  });

  it('fail/MSRP that bears a message of SIP is written to nobody, ok/other MSRP is', async () => {
    const socket = connect({ host: network.address, port: 5060, localAddress: network.host(20) });
    let answers = '';
    socket.on('data', (bytes) => {
      answers += bytes.toString('latin1');
    });
    const frame = (id: string, to: string, body: string) =>
      socket.write(
        [
          `MSRP ${id} SEND`,
          `To-Path: msrp://${network.address}:5060/x;tcp ${to}`,
          `From-Path: msrp://${network.host(20)}:9/z;tcp`,
          'Message-ID: 1',
          'Content-Type: text/plain',
          '',
          `${body}`,
          `-------${id}$`,
          '',
        ].join('\r\n'),
      );
    const place = (of: Party, transport: Transport) =>
      transport === 'tls' ? `msrps://${of.host}:5061/a;tcp` : `msrp://${of.host}:5060/a;tcp`;
    const message = request({ ruri: 'sip:v@b.example', headers: privateRows('forged') });
    const forged = [
      message,
      `\0\r\n${message}`,
      message.replace(' SIP/2.0', ' sip/2.0'),
      `${'x'.repeat(11_500)}\r\n${message}`,
      `SIP/2.0 200 OK\r\nP-Asserted-Identity: <sip:forged@own.example>\r\n\r\n`,
    ];
    for (const [at, body] of forged.entries()) {
      frame(`forged${at}`, place(partner, 'tls'), body);
      await eventually(`an answer to frame ${at}`, () => answers.includes(`MSRP forged${at} 403 Forbidden`));
      expectNowhere('forged', partner.got);
    }
    frame('friendly', place(stranger, 'tcp'), 'hello\r\n\r\n');
    await eventually('the frame', () => stranger.got.some((text) => text.startsWith('MSRP friendly SEND')));
    expectNowhere('forged', partner.got);
    socket.destroy();
  });
});

describe.each(here)('routes in Python, Kamailio $version', (build) => {
  const PROGRAM = `import KSR
class Script:
    def child_init(self, rank):
        return 0
    def ksr_request_route(self, msg):
        if KSR.pv.gete("$rd") == "own.example":
            KSR.pv.sets("$du", "sip:NEXT_HOP:5060")
        KSR.tm.t_relay()
        return 1
    def ksr_reply_route(self, msg):
        return 1
def mod_init():
    return Script()
`;
  /** modules.cfg without its routes, and those above: gives its path below the repository. */
  const script = (more: string) => (directory: string, host: (host: number) => string) => {
    const program = join(directory, 'routes.py');
    writeFileSync(program, PROGRAM.replace('NEXT_HOP', host(4)));
    const [head = ''] = readFileSync(join(ROOT, 'test/support/live/modules.cfg'), 'utf8').split('event_route[msrp');
    const text = head
      .replaceAll(/^(load|mod).*\W(presence|presence_xml|msilo|imc|msrp|async|db_text)(\.so)?".*\n/gm, '')
      .replace('include_file "../../..', () => `${more}include_file "${ROOT}`);
    const python = `loadmodule "app_python3.so"\nmodparam("app_python3", "load", "${program}")\ncfgengine "python"\n`;
    writeFileSync(
      join(directory, 'python.cfg'),
      text.replace('#!define', (define) => python + define),
    );
    return relative(ROOT, join(directory, 'python.cfg'));
  };

  // With the line for Lua, too, which somebody may try.
  it.each(['', '#!define SIPTRUST_LUA\n'])('fail/nothing private passes, with %j', async (more) => {
    const stage = await Stage.start({ build, plain: true, script: script(more) });
    try {
      const { network, user, stranger } = stage;
      network.uas.options = { extra: ROWS };
      const callers: Caller[] = [];
      for (const transport of TRANSPORTS) {
        user.send(request({ ruri: stranger.uri(transport), transport: 'UDP', headers: ROWS }));
        const caller = await stage.connect(transport);
        callers.push(caller);
        stage.send(caller, transport, { headers: privateRows('forged') });
      }
      await eventually('the line', () => network.cscf.log.includes('siptrust: the poll has not run yet'));
      if (more !== '') await eventually('calls of strangers', () => network.uas.got.length >= TRANSPORTS.length);
      expectNowhere('forged', network.uas.got);
      expectNowhere('secret', [...stranger.got, ...callers.flatMap(({ answers }) => answers)]);
    } finally {
      await stage.stop();
    }
  });
});
