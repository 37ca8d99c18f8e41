import { describe, expect, it } from 'vitest';
import { latin1 } from '../../../../src/sip/grammar/ascii.js';
import { splitMessage } from '../../../../src/sip/grammar/message.js';
import { toBytes } from '../../../support/bytes.js';

const split = (text: string) => {
  const message = splitMessage(toBytes(text));
  if ('malformed' in message) return message;
  const { startLine, startLineEnd, headers, body } = message;
  return { startLine, startLineEnd, headers: latin1(headers), body: latin1(body) };
};

describe('splitMessage', () => {
  const start = 'BYE sip:a@b SIP/2.0';
  const ok: readonly (readonly [string, string, string, string, string])[] = [
    ['ok/plain', `${start}\r\nTo: a\r\n\r\nbody`, '\r\n', 'To: a\r\n\r\n', 'body'],
    ['ok/without body', `${start}\r\nTo: a\r\n\r\n`, '\r\n', 'To: a\r\n\r\n', ''],
    ['ok/body of empty lines', `${start}\r\nTo: a\r\n\r\n\r\n\r\n`, '\r\n', 'To: a\r\n\r\n', '\r\n\r\n'],
    ['ok/without the empty line', `${start}\r\nTo: a\r\n`, '\r\n', 'To: a\r\n', ''],
    ['ok/without header fields', `${start}\r\n\r\nx`, '\r\n', '\r\n', 'x'],
    ['ok/start line alone', `${start}\r\n`, '\r\n', '', ''],
    ['ok/empty lines before it (RFC 3261 §7.5)', `\r\n\r\n${start}\r\nTo: a\r\n\r\n`, '\r\n', 'To: a\r\n\r\n', ''],
    ['ok/LF alone', `${start}\nTo: a\n\nbody`, '\n', 'To: a\n\n', 'body'],
    [
      'ok/a fold of nothing ends nothing',
      `${start}\r\nTo: a\r\n \r\nX: b\r\n\r\n`,
      '\r\n',
      'To: a\r\n \r\nX: b\r\n\r\n',
      '',
    ],
    [
      'ok/the first empty line as a lenient reader finds it',
      `${start}\r\nTo: a\r\n\nX: b\r\n\r\n`,
      '\r\n',
      'To: a\r\n\n',
      'X: b\r\n\r\n',
    ],
    ['ok/8-bit bytes stay', `${start}\r\nTo: \xff\r\n\r\n\x80\x9f`, '\r\n', 'To: \xff\r\n\r\n', '\x80\x9f'],
  ];
  it.each(ok)('%s', (_case, text, startLineEnd, headers, body) => {
    expect(split(text)).toEqual({ startLine: start, startLineEnd, headers, body });
  });

  const fail: readonly (readonly [string, string])[] = [
    ['fail/nothing', ''],
    ['fail/only empty lines', '\r\n\r\n'],
    ['fail/no line end', start],
    ['fail/an empty first line by LF', `\n${start}\r\n`],
  ];
  it.each(fail)('%s', (_case, text) => {
    expect(split(text)).toHaveProperty('malformed');
  });
});
