/** What a status line hides: some readers take a lone CR, or the like, for the end of a line, and what follows for a field. */

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, request } from '../support/live/caller.js';
import { answered, type Transport } from '../support/live/party.js';
import { eventually } from '../support/live/places.js';
import { bodyOf, headerOf, rowsOf, type SipText, startLine, statusOf } from '../support/live/sip-text.js';
import { answerTo, BUILD, type Cast, cast } from './stage.js';

const TRANSPORTS: readonly Transport[] = ['udp', 'tcp', 'tls'];
const FORGED = 'P-Asserted-Identity: <sip:forged@own.example>';
const LINES = [' \r', ' OK\r', ' OK\r\r', ' OK\v', ' OK\f', ' OK\0', ' OK \x1c', ' \0'].map(
  (end) => `200${end}${FORGED}`,
);
const SDP = 'v=0\r\no=- 1 1 IN IP4 10.1.1.1\r\n';

/** No field and no line of the head hides another one, and the message is as long as it says. */
function expectOneMessage(text: SipText): void {
  const head = text.slice(0, text.indexOf('\r\n\r\n'));
  expect(head).not.toMatch(/forged|[^\t -~\r\n]|\r(?!\n)/);
  expect(startLine(text)).toMatch(/^SIP\/2\.0 200( [ -~]*)?$/);
  for (const name of ['Via', 'From', 'To', 'Call-ID', 'CSeq']) expect(rowsOf(text, name), text).toHaveLength(1);
  for (const length of rowsOf(text, 'Content-Length')) expect(bodyOf(text)?.length, text).toBe(Number(length));
}

describe.skipIf(BUILD === undefined)('a status line', () => {
  let all: Cast;
  const clients: Caller[] = [];
  beforeAll(async () => {
    all = await cast();
    clients.push(all.outsider, await all.network.tcp(), await all.network.tls());
  });
  afterEach(() => expect(all.network.proxy.running).toBe(true));
  afterAll(() => all?.stop());

  const EDITS: readonly (readonly [string, (text: SipText) => SipText])[] = [
    ['as it is', (text) => text],
    [
      'with a body',
      (text) => text.replace(/Content-Length: 0\r\n\r\n$/, `Content-Length: ${SDP.length}\r\n\r\n${SDP}`),
    ],
    ['without a length', (text) => text.replace(/Content-Length: 0\r\n\r\n$/, `\r\n${SDP}`)],
    ['with bytes behind its length', (text) => `${text}${SDP}`],
    ['of which some count', (text) => text.replace(/Content-Length: 0\r\n\r\n$/, `Content-Length: 5\r\n\r\n${SDP}`)],
  ];

  describe.each(TRANSPORTS)('of a stranger over %s', (transport) => {
    it.each(EDITS)('fail/hides nothing: %s', async (what, edit) => {
      // (Over a connection, a message has a length, and what is behind that is another message.)
      if (transport !== 'udp' && /length|count/.test(what)) return;
      for (const line of LINES) {
        all.stranger.answer = (request, over) => [edit(answered(request, line, [all.stranger.contact(over)]))];
        const answer = await answerTo(all.user, { method: 'MESSAGE', ruri: all.stranger.uri(transport) });
        expectOneMessage(answer);
      }
    });
  });

  it.each(['200 OK', ...LINES])('fail/behind empty lines: the answer is as long as it says: %j', async (line) => {
    for (const body of ['', SDP, `${SDP}\r\n\r\nx\n\nx`]) {
      for (const [before, end] of [
        ['\r\n\r\n', '\r\n'],
        ['\n\n', '\r\n'],
        ['\r\n\r\n', '\n'],
      ] as const) {
        all.stranger.answer = (request) => {
          const text = answered(request, line)
            .replaceAll('\r\n', end)
            .replace(/: 0\r?\n\r?\n$/, `: ${body.length}${end}${end}`);
          return [`${before}${text}${body}`];
        };
        const callId = freshCallId();
        all.user.send(request({ callId, method: 'MESSAGE', transport: 'UDP', ruri: all.stranger.uri('udp') }));
        const got = await eventually('the answer', () => all.user.answers.find((text) => text.includes(callId)));
        const text = got.trimStart();
        const [, head = '', rest = ''] = /^([\s\S]*?\n)\r?\n([\s\S]*)$/.exec(text) ?? [];
        expect(head).not.toContain('forged');
        expect(/Content-Length: (\d+)/.exec(head)?.[1] ?? `${rest.length}`, got).toBe(`${rest.length}`);
      }
    }
  });

  it('fail/of ours hides nothing from a stranger over any transport, and the answer behind it is found', async () => {
    for (const client of clients) {
      for (const line of LINES) {
        all.network.uas.options = { provisional: [], status: line.replace('forged', 'forged-by-us') };
        const answer = await answerTo(client, { transport: 'TLS' });
        expectOneMessage(answer);
      }
      all.network.uas.options = {};
      expect(statusOf(await answerTo(client, { method: 'OPTIONS' }))).toBe(200);
    }
  });

  it.each(['200 ', '200 OK', '200 \tOK\t', '200 Ça va', '200 OK;x="y"', '299 Very Good'])(
    'ok/which is plain goes on as it came: "%s"',
    async (line) => {
      const bytes = Buffer.from(line).toString('latin1');
      all.stranger.answer = (request, over) => [answered(request, bytes, [all.stranger.contact(over)])];
      const answer = await answerTo(all.user, { method: 'MESSAGE', ruri: all.stranger.uri('udp') });
      expect(startLine(answer)).toBe(`SIP/2.0 ${bytes}`);
      expect(headerOf(answer, 'Contact')).toContain(all.stranger.host);
    },
  );
});
