/** The 28 spellings of a private field, in requests and answers, from strangers and to strangers. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bearsAssertion, SPELLINGS } from '../support/header-spellings.js';
import { type Caller, freshCallId, request } from '../support/live/caller.js';
import { OpensipsNetwork } from '../support/live/opensips-network.js';
import { eventually } from '../support/live/places.js';
import { headerOf, type SipText, statusOf } from '../support/live/sip-text.js';
import { TlsUas } from '../support/live/uas.js';
import { BUILD, theBuild } from './stage.js';

describe.skipIf(BUILD === undefined)('28 spellings', () => {
  let network: OpensipsNetwork;
  let stranger: TlsUas;
  let user: Caller;
  let outsider: Caller;
  beforeAll(async () => {
    network = await OpensipsNetwork.start({ build: theBuild() });
    stranger = await TlsUas.start(
      network.host(5),
      network.pki.certificate({ issuer: network.operatorB, names: ['DNS:stranger.example'] }),
    );
    user = await network.user();
    outsider = await network.tcp();
  });
  afterAll(async () => {
    stranger?.stop();
    await network?.stop();
  });

  /** Sends it and a plain request behind it: when that is answered, the first one has been dealt with. */
  async function settled(caller: Caller, text: string, next: string): Promise<void> {
    caller.send(text);
    caller.send(next);
    const answer = await caller.final(headerOf(next, 'Call-ID') ?? '');
    expect(statusOf(answer)).toBe(200);
  }

  function clean(got: readonly SipText[], before: number): void {
    for (const text of got.slice(before)) expect(bearsAssertion(text) ? text : '').toBe('');
  }

  for (const method of ['MESSAGE', 'ACK']) {
    it.each([...SPELLINGS])(`fail/${method} from a stranger: %s`, async (_, row) => {
      const callId = freshCallId();
      const before = network.uas.got.length;
      const caller = row.includes('\n ') || !row.includes('\0') ? outsider : await network.udp();
      await settled(
        caller,
        request({ method, callId, headers: [row, 'Max-Breadth: 60'], transport: 'TCP' }),
        request({ method: 'MESSAGE', transport: 'TCP' }),
      );
      clean(network.uas.got, before);
    });
  }

  it.each([...SPELLINGS].filter(([, row]) => !row.includes('\0')))(
    'fail/a partner asserts what is not his: %s',
    async (_, row) => {
      const partner = await network.tls(network.certificateOfA());
      for (const rows of [[row], ['P-Asserted-Identity: <sip:alice@a.example>', row]]) {
        const before = network.uas.got.length;
        const headers = [...rows, 'Max-Breadth: 60'];
        await settled(partner, request({ method: 'MESSAGE', headers }), request({ method: 'MESSAGE' }));
        for (const text of network.uas.got.slice(before)) expect(text).not.toContain('forged@stranger');
      }
    },
  );

  it.each(['urn:service:sos', 'sip:bob@own.example'])(
    'fail/a field in the first line of a request for %s',
    async (ruri) => {
      const before = network.uas.got.length;
      for (const method of ['MESSAGE', 'ACK']) {
        for (const end of ['\r', ' \r', '\v', '\0\r\n']) {
          const odd = request({ method, ruri, transport: 'TCP' });
          await settled(
            outsider,
            odd.replace(' SIP/2.0\r\n', ` SIP/2.0${end}P-Asserted-Identity: <sip:forged@stranger.example>\r\n`),
            request({ method: 'MESSAGE', transport: 'TCP' }),
          );
        }
      }
      clean(network.uas.got, before);
    },
  );

  it.each([...SPELLINGS])('fail/MESSAGE to a stranger: %s', async (_, row) => {
    const ruri = `sip:x@${stranger.host}:5061;transport=tls`;
    const before = stranger.got.length;
    const terms = { method: 'MESSAGE', ruri, transport: 'UDP' };
    await settled(user, request({ ...terms, headers: [row, 'Max-Breadth: 60'] }), request(terms));
    clean(stranger.got, before);
  });

  it.each([...SPELLINGS])('fail/an answer of a stranger to our user: %s', async (_, row) => {
    const before = user.answers.length;
    stranger.options = { extra: [row, 'Server: x'] };
    const ruri = `sip:x@${stranger.host}:5061;transport=tls`;
    const text = request({ method: 'MESSAGE', ruri, transport: 'UDP' });
    user.send(text);
    await eventually('the stranger has it', () => stranger.find(headerOf(text, 'Call-ID') ?? '', 'MESSAGE'));
    stranger.options = {};
    const next = request({ method: 'MESSAGE', ruri, transport: 'UDP' });
    user.send(next);
    await user.final(headerOf(next, 'Call-ID') ?? '');
    clean(user.answers, before);
  });

  it.each([...SPELLINGS])('fail/an answer of our user to a stranger: %s', async (_, row) => {
    const before = outsider.answers.length;
    network.uas.options = { extra: [row, 'Server: x'] };
    const text = request({ method: 'MESSAGE', transport: 'TCP' });
    outsider.send(text);
    await eventually('our user has it', () => network.uas.find(headerOf(text, 'Call-ID') ?? '', 'MESSAGE'));
    network.uas.options = {};
    const next = request({ method: 'MESSAGE', transport: 'TCP' });
    outsider.send(next);
    await outsider.final(headerOf(next, 'Call-ID') ?? '');
    clean(outsider.answers, before);
  });

  it('ok/after all of it the proxy stands', () => {
    expect(network.proxy.running).toBe(true);
    expect(network.proxy.log).not.toContain('CRITICAL');
  });
});
