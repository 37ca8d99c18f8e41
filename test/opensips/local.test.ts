/** Requests that OpenSIPS writes itself: they pass no branch_route, and no route of the script but local_route. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OpensipsNetwork } from '../support/live/opensips-network.js';
import type { Party } from '../support/live/party.js';
import { eventually } from '../support/live/places.js';
import { expectNowhere, privateRows } from '../support/live/secrets.js';
import { headerOf, rowsOf } from '../support/live/sip-text.js';
import { type Cast, cast, noOrders, ordered, takingOrders } from './stage.js';

const SECRET = privateRows('secret');

describe.skipIf(noOrders() !== undefined)('requests of the proxy itself', () => {
  let network: OpensipsNetwork;
  let stranger: Party;
  let all: Cast | undefined;

  beforeAll(async () => {
    all = await cast({ edit: takingOrders });
    ({ network, stranger } = all);
  });
  afterAll(() => all?.stop());

  let count = 0;
  /** Has OpenSIPS send a request, a MESSAGE where nothing else is said, as an operator does by MI, and modules for themselves. */
  async function written(
    ruri: string,
    headers: readonly string[],
    { from = '<sip:proxy@own.example>;tag=1', tag = '', method = 'MESSAGE' } = {},
  ): Promise<string> {
    const subject = `local-${++count}`;
    const rows = [`From: ${from}`, `To: <${ruri}>${tag}`, `Subject: ${subject}`, `Call-ID: ${subject}`, ...headers];
    await ordered(network, 't_uac_dlg', { method, ruri, headers: `${rows.join('\r\n')}\r\n` });
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

  it('fail/to a stranger, OPTIONS that look as those to places of partners do', async () => {
    const terms = { method: 'OPTIONS', from: '<sip:options@anonymous.invalid>;tag=1' };
    const subject = await written(stranger.uri('udp'), SECRET, terms);
    expectNowhere('secret', [await eventually(subject, () => arrived(subject))]);
  });

  it('fail/to a stranger, and nothing can clean it: not sent', async () => {
    const before = stranger.got.length;
    await written(stranger.uri('udp'), ['Refer-To: <sip:x@own.example?P-Asserted-Identity=secret>']).catch(() => '');
    const subject = await written(stranger.uri('udp'), []);
    await eventually('the next one', () => arrived(subject));
    expectNowhere('secret', stranger.got.slice(before));
  });

  it.each([';cpc=secret', '?P-Asserted-Identity=secret', ';user=phone;oli=secret'])(
    'fail/to a stranger, with "%s" in its Request-URI: it goes without',
    async (tail) => {
      const subject = await written(`${stranger.uri('udp')}${tail}`, SECRET);
      expectNowhere('secret', [await eventually(subject, () => arrived(subject))]);
    },
  );

  it.each(['MESSAGE', 'INVITE'])(
    'fail/%s to a stranger whose From no stranger may read: it goes without',
    async (method) => {
      const subject = await written(stranger.uri('udp'), SECRET, {
        from: '<sip:proxy@own.example;cpc=secret>;tag=1',
        method,
      });
      const got = await eventually(subject, () => arrived(subject));
      expect(rowsOf(got, 'From')).toEqual(['<sip:proxy@own.example>;tag=1']);
      expectNowhere('secret', stranger.got);
      expect(network.proxy.log).not.toContain('failed to update shortcut pointers');
    },
  );

  it('ok/to our own side: as it is', async () => {
    const subject = await written(`sip:bob@${network.called}:5060`, SECRET);
    const got = await eventually('it', () => network.uas.got.find((text) => headerOf(text, 'Subject') === subject));
    expect(rowsOf(got, 'P-Charging-Vector')).toEqual(['icid-value=secret;orig-ioi=own.example']);
  });

  const own = () => `sip:bob@${network.called}:5060`;
  const inside = (subject: string) =>
    eventually('it', () => network.uas.got.find((text) => headerOf(text, 'Call-ID') === subject));
  const REFER_TO = 'Refer-To: <sip:x@own.example?P-Asserted-Identity=forged>';
  const CALLER = '<sip:alice@own.example;cpc=ordinary>;tag=1';

  it.each([
    ['From of a message that msilo has stored', '', { from: '<sip:alice@a.example;cpc=forged>;tag=1' }, []],
    ['Contact, the same', '', {}, ['Contact: <sip:alice@a.example?P-Asserted-Identity=forged>;msilo=yes']],
    ['Refer-To that b2b follows', '?P-Asserted-Identity=forged', {}, []],
    ['Refer-To within a dialog', '', { tag: ';tag=2' }, [REFER_TO]],
  ] as const)(
    'fail/to our own side, with what a stranger has written into %s: cleaned',
    async (_, tail, terms, rows) => {
      const got = await inside(await written(`${own()}${tail}`, rows, terms));
      expectNowhere('forged', [got]);
    },
  );

  it('fail/the same within a dialog, and the plan refuses it: it goes on bare', async () => {
    network.relay.tamper = (method, answer) =>
      method === 'trust.message' ? answer.replace('"action":"continue"', '"action":"reject"') : undefined;
    const got = await inside(await written(own(), [REFER_TO], { tag: ';tag=2' }));
    network.relay.tamper = () => undefined;
    expect(rowsOf(got, 'Via')).toHaveLength(1);
    expect(rowsOf(got, 'To')).toEqual([`<${own()}>;tag=2`]);
    expectNowhere('forged', [got]);
  });

  it.each([CALLER, '<sip:alice@own.example;verstat=No>;tag=1', '<tel:+15550100;cpc=ordinary>;tag=1'])(
    'ok/to our own side, From %s: our own fields stay',
    async (from) => {
      const got = await inside(await written(own(), SECRET, { from }));
      expect(rowsOf(got, 'From')).toEqual([from.replace(/;(?:cpc|verstat)=\w+/, '')]);
      for (const row of SECRET) expect(got).toContain(`\r\n${row}\r\n`);
    },
  );

  it('ok/REGISTER to our own registrar, with parameters that no stranger may say: as it is', async () => {
    const contact = `<sip:proxy@${network.address};cpc=ordinary>`;
    const got = await inside(await written(own(), [`Contact: ${contact}`], { method: 'REGISTER' }));
    expect(rowsOf(got, 'Contact')).toEqual([contact]);
  });

  it('fail/to our own side while nobody answers: cleaned, and it arrives', async () => {
    await network.daemon.stop('SIGKILL');
    const got = await inside(
      await written(own(), ['Content-Type: text/plain; charset="utf-8"', REFER_TO], { from: CALLER }),
    );
    expect(rowsOf(got, 'From')).toEqual(['<sip:alice@own.example>;tag=1']);
    expect(rowsOf(got, 'Content-Type')).toEqual(['text/plain; charset="utf-8"']);
    expectNowhere('forged', [got]);
  });
});
