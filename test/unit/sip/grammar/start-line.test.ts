import { describe, expect, it } from 'vitest';
import { parseStartLine } from '../../../../src/sip/grammar/start-line.js';

describe('start lines', () => {
  const ok: readonly (readonly [string, string, object])[] = [
    [
      'ok/request',
      'INVITE sip:a@b SIP/2.0',
      { kind: 'request', method: 'INVITE', uri: { kind: 'sip' }, version: 'SIP/2.0' },
    ],
    [
      'ok/unknown method',
      "!a%indeed'~ tel:+1 sip/2.0",
      { kind: 'request', method: "!a%indeed'~", uri: { kind: 'tel' } },
    ],
    ['ok/a bad URI is told apart', 'BYE sip: SIP/2.0', { kind: 'request', uri: { kind: 'malformed' } }],
    ['ok/response', 'SIP/2.0 200 OK then', { kind: 'response', status: 200, reason: 'OK then' }],
    ['ok/empty reason (RFC 4475 §3.1.1.13)', 'SIP/2.0 100 ', { kind: 'response', status: 100, reason: '' }],
    ['ok/UTF-8 reason', 'SIP/2.0 200 \xd0\xbd', { kind: 'response', reason: '\xd0\xbd' }],
    ['ok/other version', 'BYE sip:a SIP/7.0', { kind: 'request', version: 'SIP/7.0' }],
  ];
  it.each(ok)('%s', (_case, line, expected) => {
    expect(parseStartLine(line)).toMatchObject(expected);
  });

  const fail = [
    '',
    'INVITE',
    'INVITE sip:a@b',
    'INVITE sip:a@b SIP/2.0 ',
    'INVITE  sip:a@b SIP/2.0',
    'INVITE\tsip:a@b SIP/2.0',
    ' INVITE sip:a@b SIP/2.0',
    'INVITE sip:a@b; lr SIP/2.0',
    'IN(VITE sip:a@b SIP/2.0',
    'INVITE sip:a@b HTTP/1.1',
    'INVITE sip:a@b SIP/2',
    'INVITE sip:a@b SIP/2.0\r',
    'INVITE sip:\x00@b SIP/2.0',
    'SIP/2.0 99 x',
    'SIP/2.0 700 x',
    'SIP/2.0 4294967301 x',
    'SIP/2.0  200 OK',
    'SIP/2.0',
  ];
  it.each(fail)('fail/%j', (line) => {
    expect(parseStartLine(line)).toMatchObject({ kind: 'malformed' });
  });
});
