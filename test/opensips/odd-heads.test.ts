/** Rows that OpenSIPS cuts otherwise than whoever reads them next: behind a NUL, a lone CR, LF alone, or without an empty line. */

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freshCallId, request } from '../support/live/caller.js';
import { answered } from '../support/live/party.js';
import { eventually } from '../support/live/places.js';
import type { SipText } from '../support/live/sip-text.js';
import { answerTo, BUILD, type Cast, cast } from './stage.js';

const FORGED = 'P-Asserted-Identity: <sip:forged@own.example>';
const NAMES = ['\0', '\0X\r\n', 'Route\0\r\n', 'Content-Length\0\r\n', 'l\0\r\n'];

/** The message is as long as it says, and its head holds nothing of a stranger. */
function expectOneMessage(text: SipText): void {
  const [, head, rest] = /^([\s\S]*?\r\n)\r\n([\s\S]*)$/.exec(text.trimStart()) ?? [];
  expect(head ?? text).not.toMatch(/forged|\r(?!\n)|\0/);
  const lengths = [...(head ?? '').matchAll(/^Content-Length: (\d+)\r$/gm)].map(([, length]) => Number(length));
  expect(lengths, text).toEqual([rest?.length]);
}

describe.skipIf(BUILD === undefined)('a head that readers cut differently', () => {
  let all: Cast;
  beforeAll(async () => {
    all = await cast();
  });
  afterEach(() => expect(all.network.proxy.running).toBe(true));
  afterAll(() => all?.stop());

  const CUTS: readonly (readonly [string, (text: SipText) => SipText])[] = [
    ['a NUL within To', (text) => text.replace(/(To: <[^>]*>)/, `$1\0\r\n${FORGED}`)],
    ['a lone CR for the empty line', (text) => text.replace(/\r\n\r\n$/, `\r\n\r${FORGED}\r\n\r\n`)],
    ['a lone CR and no empty line', (text) => text.replace(/\r\n\r\n$/, `\r\n\r${FORGED}\r\n`)],
    ['no empty line', (text) => text.replace(/\r\n$/, '')],
    ['no empty line, LF alone', (text) => text.replaceAll('\r\n', '\n').replace(/\n$/, '')],
    ['LF alone, and a message behind', (text) => `${text.replaceAll('\r\n', '\n')}X\r\n${FORGED}\r\n\r\n`],
    ['LF alone, and empty lines behind', (text) => `${text.replaceAll('\r\n', '\n')}\r\n\r\n`],
    ...NAMES.map(
      (name) =>
        [
          `${JSON.stringify(name)} in a name`,
          (text: SipText) => text.replace('From:', `${name}${FORGED}\r\nFrom:`),
        ] as const,
    ),
  ];
  it.each(CUTS)('fail/an answer of a stranger says nothing: %s', async (_, cut) => {
    for (const rows of [[], [all.stranger.contact('udp')]]) {
      all.stranger.answer = (text) => [cut(answered(text, '200 OK', rows))];
      const callId = freshCallId();
      all.user.send(request({ callId, method: 'MESSAGE', transport: 'UDP', ruri: all.stranger.uri('udp') }));
      const got = await eventually('the answer', () => all.user.answers.find((text) => text.includes(callId)));
      expectOneMessage(got);
    }
  });

  it.each(NAMES)('fail/nor does a call for help: %j before a name', async (name) => {
    const callId = freshCallId();
    const headers = [`${name}${FORGED}`];
    const answer = await answerTo(all.outsider, { callId, ruri: 'urn:service:sos', headers });
    expect(answer).toMatch(/^SIP\/2\.0 (200|400) /);
    expect(all.network.uas.find(callId, 'INVITE') ?? '').not.toContain('forged');
  });
});
