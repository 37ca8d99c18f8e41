import { describe, expect, it } from 'vitest';
import { anonymousEntry, historyEntry, withoutEmbeddedPrivacy } from '../../../../src/sip/edit/history-info.js';
import { parseNameAddr } from '../../../../src/sip/grammar/name-addr.js';

describe('History-Info (RFC 7044)', () => {
  // [case, entry, embedded privacy, without it, anonymous]
  const ok: readonly (readonly [string, string, readonly string[], string, string])[] = [
    [
      'ok/plain',
      '<sip:bob@a.example>;index=1',
      [],
      '<sip:bob@a.example>;index=1',
      '<sip:anonymous@anonymous.invalid>;index=1',
    ],
    [
      'ok/embedded Privacy (T-60)',
      '<sip:bob@a.example?Privacy=history>;index=1.1;rc=1',
      ['history'],
      '<sip:bob@a.example>;index=1.1;rc=1',
      '<sip:anonymous@anonymous.invalid>;index=1.1;rc=1',
    ],
    [
      'ok/embedded behind a second question mark',
      '<sip:bob@a.example?Reason=SIP%3Bcause%3D302?Privacy=history>;index=1',
      ['history'],
      '<sip:bob@a.example?Reason=SIP%3Bcause%3D302?Privacy=history>;index=1',
      '<sip:anonymous@anonymous.invalid>;index=1',
    ],
    [
      'ok/embedded behind a semicolon',
      '<sip:bob@a.example?Reason=SIP;Privacy=history>;index=1',
      ['history'],
      '<sip:bob@a.example?Reason=SIP;Privacy=history>;index=1',
      '<sip:anonymous@anonymous.invalid>;index=1',
    ],
    [
      'ok/several values, unescaped',
      '<sip:bob@a.example?Privacy=id;history>;index=1',
      ['id', 'history'],
      '<sip:bob@a.example>;index=1',
      '<sip:anonymous@anonymous.invalid>;index=1',
    ],
    [
      'ok/embedded in a URI of another scheme',
      '<im:bob@a.example?Subject=x&P%72ivacy=history>;index=1',
      ['history'],
      '<im:bob@a.example?Subject=x&P%72ivacy=history>;index=1',
      '<sip:anonymous@anonymous.invalid>;index=1',
    ],
    [
      'ok/Reason and Privacy',
      '<sip:bob@a?Reason=SIP%3Bcause%3D302&Privacy=history>;index=1;mp=1',
      ['history'],
      '<sip:bob@a?Reason=SIP%3Bcause%3D302>;index=1;mp=1',
      '<sip:anonymous@anonymous.invalid>;index=1;mp=1',
    ],
    [
      'ok/cause stays (RFC 4458)',
      '"Bob" <sip:bob@a;cause=486;x=y>;index=1;z=w',
      [],
      '"Bob" <sip:bob@a;cause=486;x=y>;index=1;z=w',
      '<sip:anonymous@anonymous.invalid;cause=486>;index=1',
    ],
    [
      'ok/cause that is no number goes',
      '<sip:bob@a;cause=bob>;index=1',
      [],
      '<sip:bob@a;cause=bob>;index=1',
      '<sip:anonymous@anonymous.invalid>;index=1',
    ],
    [
      'ok/escaped value and name',
      '<sip:bob@a?%50rivacy=%48istory%3Bid>;index=1',
      ['history', 'id'],
      '<sip:bob@a>;index=1',
      '<sip:anonymous@anonymous.invalid>;index=1',
    ],
    ['ok/tel', '<tel:+1>;index=1', [], '<tel:+1>;index=1', '<sip:anonymous@anonymous.invalid>;index=1'],
    [
      'ok/blanks stay',
      '<sip:bob@a> ; index = 1.2',
      [],
      '<sip:bob@a> ; index = 1.2',
      '<sip:anonymous@anonymous.invalid>; index = 1.2',
    ],
    ['ok/without index', '<sip:bob@a>', [], '<sip:bob@a>', '<sip:anonymous@anonymous.invalid>'],
  ];
  it.each(ok)('%s', (_case, value, privacy, plain, anonymous) => {
    const addr = parseNameAddr(value);
    if ('malformed' in addr) throw new Error(addr.malformed);
    const read = historyEntry(addr);
    expect([...read.privacy]).toEqual(privacy);
    expect(withoutEmbeddedPrivacy(read)).toBe(plain);
    expect(anonymousEntry(read)).toBe(anonymous);
  });
});
