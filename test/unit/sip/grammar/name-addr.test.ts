import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasOpenQuote, parseNameAddr, splitList } from '../../../../src/sip/grammar/name-addr.js';

describe('one address', () => {
  // [case, text, display, URI, header parameters]
  const ok: readonly (readonly [string, string, string, string, readonly (readonly [string, string | undefined])[]])[] =
    [
      ['ok/bare', 'sip:a@b', '', 'sip:a@b', []],
      [
        'ok/bare with header parameters (RFC 3261 §20)',
        'sip:a@b;tag=1;lr',
        '',
        'sip:a@b',
        [
          ['tag', '1'],
          ['lr', undefined],
        ],
      ],
      ['ok/blanks around them (RFC 4475 wsinv)', 'sip:a@b ;   tag    = 1', '', 'sip:a@b', [['tag', '1']]],
      ['ok/brackets', '<sip:a@b;x=y?Z=w>;tag=1', '', 'sip:a@b;x=y?Z=w', [['tag', '1']]],
      ['ok/quoted display', '"A, B; <C> \\"D\\"" <sip:a@b>', 'A, B; <C> "D"', 'sip:a@b', []],
      ['ok/no blank before < (RFC 4475 lwsdisp)', 'caller<sip:a@b>;tag=1', 'caller', 'sip:a@b', [['tag', '1']]],
      ['ok/tokens', "t1~` t2'+_ t3*%!.- <sip:a@b>", "t1~` t2'+_ t3*%!.-", 'sip:a@b', []],
      [
        'ok/unquoted UTF-8 and brackets, seen in the field',
        'J\xc3\xbcrgen (Sales) <sip:a@b>',
        'J\xc3\xbcrgen (Sales)',
        'sip:a@b',
        [],
      ],
      ['ok/@ in an unquoted display name', 'a@b <sip:a@b>', 'a@b', 'sip:a@b', []],
      [
        'ok/quoted parameter value',
        '<sip:a@b>;+sip.instance="<urn:x;y,z>";q=1',
        '',
        'sip:a@b',
        [
          ['+sip.instance', '"<urn:x;y,z>"'],
          ['q', '1'],
        ],
      ],
      ['ok/empty parameters (RFC 4475 badinv01)', '<sip:a@b>;;;tag=1;', '', 'sip:a@b', [['tag', '1']]],
      ['ok/tel', '"x" <tel:+1;cpc=y>', 'x', 'tel:+1;cpc=y', []],
      ['ok/bare tel: its parameters are header parameters', 'tel:+1;cpc=y', '', 'tel:+1', [['cpc', 'y']]],
      ['ok/other scheme', '<http://www.example.com>', '', 'http://www.example.com', []],
      ['ok/comma and ? inside <> (P-6)', '<sip:a,b?c@d>', '', 'sip:a,b?c@d', []],
      ['ok/key is lower case, the name stays', '<sip:a@b>;Tag=X', '', 'sip:a@b', [['tag', 'X']]],
    ];
  it.each(ok)('%s', (_case, text, display, uri, params) => {
    const addr = parseNameAddr(` ${text}\t`);
    if ('malformed' in addr) throw new Error(addr.malformed);
    expect(addr.display).toBe(display);
    expect(addr.raw).toBe(text);
    expect(addr.uri.raw).toBe(uri);
    expect(addr.raw.slice(addr.uriStart, addr.uriEnd)).toBe(uri);
    expect(addr.params.map((param) => [param.key, param.value])).toEqual(params);
    for (const param of addr.params) {
      expect(addr.raw.charAt(param.start)).toBe(';');
      expect(addr.raw.slice(param.start, param.end).endsWith(param.value ?? param.name)).toBe(true);
    }
  });

  const fail: readonly (readonly [string, string])[] = [
    ['fail/nothing', ''],
    ['fail/no URI', 'Alice'],
    ['fail/star', '*'],
    ['fail/open quote (P-7)', '"Alice <sip:a@b>'],
    ['fail/escaped closing quote (P-7)', '"Alice\\" <sip:a@b>'],
    ['fail/text behind the quoted string', '"Alice" Smith <sip:a@b>'],
    ['fail/quote inside tokens', 'Alice "x" <sip:a@b>'],
    ['fail/display name with a colon', 'sip:a@b <sip:c@d>'],
    ['fail/no >', '<sip:a@b'],
    ['fail/blanks inside <> (RFC 4475 badaspec)', '< sip:a@b >'],
    ['fail/two URIs', '<sip:a@b><sip:c@d>'],
    ['fail/text behind >', '<sip:a@b>tag=1'],
    ['fail/bare with ? (RFC 8217, P-6)', 'sip:a@b?X=y'],
    ['fail/bare with ; in the user part (P-6)', 'sip:1;cpc=x@b'],
    ['fail/bare tel with blanks', 'tel:+1 555'],
    ['fail/open quote in a parameter', '<sip:a@b>;x="y'],
    ['fail/a parameter without name', '<sip:a@b>;=y'],
    ['fail/a name that is no token', '<sip:a@b>;a/b=y'],
    ['fail/junk behind a quoted value', '<sip:a@b>;x="y"z'],
    ['fail/empty brackets', '<>'],
  ];
  it.each(fail)('%s', (_case, text) => {
    expect(parseNameAddr(text)).toMatchObject({ raw: text });
    expect(parseNameAddr(text)).toHaveProperty('malformed');
  });
});

describe('lists', () => {
  const ok: readonly (readonly [string, string, readonly string[]])[] = [
    ['ok/one', '<sip:a@b>', ['<sip:a@b>']],
    [
      'ok/commas in quotes and brackets (P-6)',
      '"A, B" <sip:a,b@c>;x="d,e" , <tel:+1>',
      ['"A, B" <sip:a,b@c>;x="d,e"', '<tel:+1>'],
    ],
    ['ok/escaped quote', '"a\\",b" <sip:c@d>,<sip:e@f>', ['"a\\",b" <sip:c@d>', '<sip:e@f>']],
    ['ok/quotes inside <> end nothing', '<sip:a"@b>,<sip:c@d>', ['<sip:a"@b>', '<sip:c@d>']],
    ['ok/empty elements stay', '<sip:a@b>,,', ['<sip:a@b>', '', '']],
    ['ok/an open quote takes the rest', '<sip:a@b>, "x, <sip:c@d>', ['<sip:a@b>', '"x, <sip:c@d>']],
    ['ok/an open < takes the rest', '<sip:a@b, <sip:c@d', ['<sip:a@b, <sip:c@d']],
  ];
  it.each(ok)('%s', (_case, value, raws) => {
    expect(splitList(value).map((piece) => parseNameAddr(piece).raw)).toEqual(raws);
    expect(splitList(value).join(',')).toBe(value);
  });

  it('fail/an empty element is malformed', () => {
    expect(splitList('<sip:a@b>,').map((piece) => 'malformed' in parseNameAddr(piece))).toEqual([false, true]);
  });

  it('ok/open quotes', () => {
    expect(hasOpenQuote('"a" "b\\""')).toBe(false);
    expect(hasOpenQuote('"a" "b\\"')).toBe(true);
    expect(hasOpenQuote('a\\"')).toBe(true);
  });
});

describe('properties', () => {
  it('ok/splitting is the inverse of joining, whatever quotes and brackets hold (P-6)', () => {
    const plain = fc.stringMatching(/^[a-z;=. ]{0,6}$/);
    const quoted = fc
      .array(fc.oneof(fc.constantFrom('\\"', '\\\\', ',', '<', '>', ';'), fc.stringMatching(/^[a-z]$/)), {
        maxLength: 6,
      })
      .map((parts) => `"${parts.join('')}"`);
    const angle = fc.stringMatching(/^[a-z,;?"]{0,8}$/).map((text) => `<${text}>`);
    const element = fc.array(fc.oneof(plain, quoted, angle), { maxLength: 4 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.array(element, { minLength: 1, maxLength: 5 }), (elements) => {
        expect(splitList(elements.join(','))).toEqual(elements);
      }),
      { numRuns: 500 },
    );
  });

  it('ok/splitting agrees with a naive reference on any text', () => {
    // The reference removes quoted strings and brackets by a regular expression, then counts the commas that are left.
    const reference = (text: string): number =>
      text.replace(/"(?:\\.|[^"\\])*(?:"|\\?$)|<[^>]*(?:>|$)/gs, '').split(',').length;
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('"', '\\', ',', '<', '>', 'a', ' ') }), (text) => {
        expect(splitList(text)).toHaveLength(reference(text));
      }),
      { numRuns: 1000 },
    );
  });

  it('ok/parsing never throws, and no element gets lost', () => {
    const spicy = fc.string({
      unit: fc.constantFrom('"', '\\', ',', '<', '>', ';', '=', ':', '@', 'sip:', 'a', ' ', '\t', '?'),
    });
    fc.assert(
      fc.property(spicy, (text) => {
        for (const piece of splitList(text)) expect(text).toContain(parseNameAddr(piece).raw);
      }),
      { numRuns: 500 },
    );
  });
});
