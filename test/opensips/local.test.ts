/** Requests that OpenSIPS writes itself: they pass no branch_route, and no route of the script but local_route. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OpensipsNetwork } from '../support/live/opensips-network.js';
import { Party } from '../support/live/party.js';
import { eventually } from '../support/live/places.js';
import { expectNowhere, privateRows } from '../support/live/secrets.js';
import { headerOf, rowsOf } from '../support/live/sip-text.js';
import { BUILD, theBuild } from './stage.js';

const SECRET = privateRows('secret');

const MODULES = (host: string) => `
loadmodule "httpd.so"
loadmodule "mi_http.so"
modparam("httpd", "ip", "${host}")
modparam("httpd", "port", 8888)
`;

describe.skipIf(BUILD === undefined)('requests of the proxy itself', () => {
  let network: OpensipsNetwork;
  let stranger: Party;

  beforeAll(async () => {
    network = await OpensipsNetwork.start({
      build: theBuild(),
      edit: (script, host) => script.replace('loadmodule "rr.so"\n', (line) => line + MODULES(host(8))),
    });
    const identity = network.pki.certificate({ issuer: network.operatorB, names: ['DNS:stranger.example'] });
    stranger = await Party.start(network.host(12), identity);
  });
  afterAll(async () => {
    stranger?.stop();
    await network?.stop();
  });

  let count = 0;
  /** Has OpenSIPS send a MESSAGE, as an operator does by MI, and modules for themselves. */
  async function written(
    ruri: string,
    headers: readonly string[],
    from = '<sip:proxy@own.example>;tag=1',
  ): Promise<string> {
    const subject = `local-${++count}`;
    const rows = [`From: ${from}`, `To: <${ruri}>`, `Subject: ${subject}`, ...headers];
    const call = { jsonrpc: '2.0', id: 1, method: 't_uac_dlg' };
    const params = { method: 'MESSAGE', ruri, headers: `${rows.join('\r\n')}\r\n` };
    const answer = await fetch(`http://${network.host(8)}:8888/mi`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...call, params }),
      signal: AbortSignal.timeout(20_000),
    });
    expect(answer.status, await answer.text()).toBe(200);
    return subject;
  }
  const arrived = (subject: string) => stranger.got.find((text) => headerOf(text, 'Subject') === subject);

  it('fail/to a stranger: stripped', async () => {
    for (const transport of ['udp', 'tcp', 'tls'] as const) {
      const subject = await written(stranger.uri(transport), SECRET);
      await eventually(`${subject} over ${transport}`, () => arrived(subject));
    }
    expectNowhere('secret', stranger.got);
  });

  it('fail/to a stranger, and nothing can clean it: not sent', async () => {
    const before = stranger.got.length;
    await written(stranger.uri('udp'), ['Refer-To: <sip:x@own.example?P-Asserted-Identity=secret>']).catch(() => '');
    const subject = await written(stranger.uri('udp'), []);
    await eventually('the next one', () => arrived(subject));
    expectNowhere('secret', stranger.got.slice(before));
  });

  it('ok/to our own side: as it is', async () => {
    const subject = await written(`sip:bob@${network.called}:5060`, SECRET);
    const got = await eventually('it', () => network.uas.got.find((text) => headerOf(text, 'Subject') === subject));
    expect(rowsOf(got, 'P-Charging-Vector')).toEqual(['icid-value=secret;orig-ioi=own.example']);
  });

  it.each([
    ['From of a message that msilo has stored', '', '<sip:alice@a.example;cpc=forged>;tag=1', []],
    ['Contact, the same', '', undefined, ['Contact: <sip:alice@a.example?P-Asserted-Identity=forged>;msilo=yes']],
    ['Refer-To that b2b follows', '?P-Asserted-Identity=forged', undefined, []],
  ] as const)(
    'fail/to our own side, with what a stranger has written into %s: cleaned',
    async (_, tail, from, rows) => {
      const subject = await written(`sip:bob@${network.called}:5060${tail}`, rows, from);
      const got = await eventually('it', () => network.uas.got.find((text) => headerOf(text, 'Subject') === subject));
      expectNowhere('forged', [got]);
    },
  );
});
