import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodePercent,
  hostKey,
  type ParsedUri,
  parseHostPort,
  parseUri,
  type SipUri,
} from '../../../../src/sip/grammar/uri.js';

const sip = (text: string): SipUri => {
  const uri = parseUri(text);
  if (uri.kind !== 'sip') throw new Error(`${text}: ${JSON.stringify(uri)}`);
  return uri;
};
const pairs = (params: readonly { readonly key: string; readonly value: string | undefined }[]): string =>
  params.map(({ key, value }) => (value === undefined ? key : `${key}=${value}`)).join(' ');

describe('sip and sips URIs', () => {
  // [case, text, user, host, port, params, user params, embedded fields]
  const ok: readonly (readonly [
    string,
    string,
    string | undefined,
    string,
    number | undefined,
    string,
    string,
    string,
  ])[] = [
    ['ok/plain', 'sip:a@b.example', 'a', 'b.example', undefined, '', '', ''],
    ['ok/without user', 'sip:b.example', undefined, 'b.example', undefined, '', '', ''],
    [
      'ok/sips, port, params',
      'SIPS:a@B.example:5061;transport=tls;lr',
      'a',
      'B.example',
      5061,
      'transport=tls lr',
      '',
      '',
    ],
    ['ok/password', 'sip:a:b;c@d', 'a', 'd', undefined, '', '', ''],
    [
      'ok/embedded fields (P-9)',
      'sip:a@b?Subject=x&P-Asserted-Identity=%3Csip:c%3E',
      'a',
      'b',
      undefined,
      '',
      '',
      'subject=x p-asserted-identity=%3Csip:c%3E',
    ],
    ['ok/embedded compact form', 'sip:b?f=x&Y=z', undefined, 'b', undefined, '', '', 'from=x identity=z'],
    [
      'ok/embedded escaped name',
      'sip:b?P%2DAsserted%2didentity=x',
      undefined,
      'b',
      undefined,
      '',
      '',
      'p-asserted-identity=x',
    ],
    ['ok/? inside an embedded value', 'sip:b?a=x?y', undefined, 'b', undefined, '', '', 'accept-contact=x?y'],
    [
      'ok/parameters in the user part (P-10)',
      'sip:+1;cpc=x;Verstat=y@h;user=phone',
      '+1;cpc=x;Verstat=y',
      'h',
      undefined,
      'user=phone',
      'cpc=x verstat=y',
      '',
    ],
    ['ok/escaped semicolon in the user part', 'sip:+1%3Bcpc=x@h', '+1%3Bcpc=x', 'h', undefined, '', 'cpc=x', ''],
    ['ok/escaped equals sign', 'sip:+1;cpc%3dx@h;cpc%3Dy', '+1;cpc%3dx', 'h', undefined, 'cpc', 'cpc', ''],
    [
      'ok/escaped parameter name (RFC 4475 §3.1.1.3)',
      'sip:a@b;%6C%72;n%61me=v%61lue%25%34%31',
      'a',
      'b',
      undefined,
      'lr name=v%61lue%25%34%31',
      '',
      '',
    ],
    [
      'ok/all user characters (RFC 4475 §3.1.1.2)',
      "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com",
      "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*",
      'example.com',
      undefined,
      '',
      '*',
      '',
    ],
    ['ok/NUL escaped (P-8)', 'sip:null-%00-null@b', 'null-%00-null', 'b', undefined, '', '', ''],
    ['ok/IPv6 (P-13)', 'sip:a@[2001:db8::1]:5070;lr', 'a', '[2001:db8::1]', 5070, 'lr', '', ''],
    [
      'ok/IPv6 that swallows the port (RFC 5118 §4.3)',
      'sip:[2001:db8::10:5070]',
      undefined,
      '[2001:db8::10:5070]',
      undefined,
      '',
      '',
      '',
    ],
    ['ok/empty parameters', 'sip:b;;lr;', undefined, 'b', undefined, 'lr', '', ''],
    ['ok/trailing dot', 'sip:b.example.', undefined, 'b.example.', undefined, '', '', ''],
  ];
  it.each(ok)('%s', (_case, text, user, host, port, params, userParams, headers) => {
    const uri = sip(text);
    expect({ user: uri.user, host: uri.host, port: uri.port }).toEqual({ user, host, port });
    expect(pairs(uri.params)).toBe(params);
    expect(pairs(uri.userParams)).toBe(userParams);
    expect(pairs(uri.headers)).toBe(headers);
    for (const param of [...uri.params, ...uri.userParams]) {
      expect(text.slice(param.start, param.end)).toMatch(/^(;|%3b)/i);
      expect(text.slice(param.start, param.end).endsWith(param.value ?? param.name)).toBe(true);
    }
    for (const header of uri.headers) {
      expect(text.slice(header.start, header.end)).toBe(`${header.name}=${header.value}`);
    }
  });

  it('ok/the password is apart from the user', () => {
    expect(sip('sip:a:b;c@d')).toMatchObject({ user: 'a', password: 'b;c' });
  });

  const fail: readonly (readonly [string, string, string])[] = [
    ['fail/nothing', '', 'scheme'],
    ['fail/no scheme', 'a@b.example', 'scheme'],
    ['fail/scheme with a digit first', '1sip:a@b', 'scheme'],
    ['fail/no host', 'sip:', 'host'],
    ['fail/no host behind user', 'sip:a@', 'host'],
    ['fail/no user', 'sip:@b', 'user'],
    ['fail/two @', 'sip:a@b@c', 'user'],
    ['fail/@ in embedded fields', 'sip:a@b?Replaces=c@d', 'user'],
    ['fail/@ in parameters', 'sip:a@b;x=c@d', 'user'],
    ['fail/escaped host', 'sip:a@%62', 'host'],
    ['fail/slash behind host', 'sip:a@b/c', 'host'],
    ['fail/star', 'sip:*', 'host'],
    ['fail/port', 'sip:b:x', 'port'],
    ['fail/empty port', 'sip:b:', 'port'],
    ['fail/port out of range', 'sip:b:65536', 'port'],
    ['fail/text behind IPv6', 'sip:[::1]x', 'port'],
    ['fail/IPv6 without brackets', 'sip:2001:db8::10', 'ipv6'],
    ['fail/IPv6 without end', 'sip:[::1', 'ipv6'],
    ['fail/a name in brackets', 'sip:[b.example]', 'ipv6'],
    ['fail/space', 'sip:a b@c', 'characters'],
    ['fail/NUL', 'sip:a\x00@c', 'characters'],
    ['fail/quote', 'sip:"a"@c', 'characters'],
    ['fail/brackets', '<sip:a@c>', 'characters'],
    ['fail/tel of nothing', 'tel:', 'number'],
    ['fail/tel of an escaped letter', 'tel:%78yz', 'number'],
    ['fail/tel of a name', 'tel:alice', 'number'],
    ['fail/tel with an @', 'tel:+1@b', 'number'],
  ];
  it.each(fail)('%s', (_case, text, fault) => {
    expect(parseUri(text)).toMatchObject({ kind: 'malformed', fault, raw: text });
  });
});

describe('other URIs', () => {
  const ok: readonly (readonly [string, string, Partial<ParsedUri>])[] = [
    [
      'ok/tel',
      'tel:+1-201-555-0123;phone-context=x;cpc=y',
      { kind: 'tel', number: '+1-201-555-0123' } as Partial<ParsedUri>,
    ],
    ['ok/local tel', 'TEL:*21#;phone-context=+49', { kind: 'tel', number: '*21#' } as Partial<ParsedUri>],
    ['ok/urn', 'urn:service:sos', { kind: 'other', scheme: 'urn' } as Partial<ParsedUri>],
    ['ok/unknown', 'nobodyKnowsThisScheme:x', { kind: 'other', scheme: 'nobodyknowsthisscheme' } as Partial<ParsedUri>],
    ['ok/with dot', 'soap.beep://192.0.2.103:3002', { kind: 'other', scheme: 'soap.beep' } as Partial<ParsedUri>],
  ];
  it.each(ok)('%s', (_case, text, expected) => {
    expect(parseUri(text)).toMatchObject({ ...expected, raw: text });
  });

  it('ok/tel parameters', () => {
    const uri = parseUri('tel:+1;cpc=a;OLI=2');
    expect(uri.kind === 'tel' && pairs(uri.params)).toBe('cpc=a oli=2');
  });
});

describe('for comparison', () => {
  it('ok/percent-decoding leaves what is no escape, and no byte ends it (P-8)', () => {
    expect(decodePercent('%61%2B%zz%4')).toBe('a+%zz%4');
    expect(decodePercent('a%00b')).toBe('a\x00b');
    expect(decodePercent('%2561')).toBe('%61');
  });

  it('ok/host keys', () => {
    expect(hostKey(sip('sip:a@B.Example.'))).toBe('b.example');
    expect(hostKey(sip('sip:[2001:DB8::1]'))).toBe('[2001:db8::1]');
  });

  it('ok/host and port', () => {
    expect(parseHostPort('h_1.example:5060')).toEqual({ host: 'h_1.example', port: 5060 });
    expect(parseHostPort('')).toHaveProperty('malformed');
  });
});

describe('properties', () => {
  it('ok/parsing never throws', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseUri(`sip:${text}`)));
  });

  it('ok/what is built is what is read', () => {
    const word = fc.stringMatching(/^[a-z0-9]{1,8}$/);
    const param = fc.tuple(word, fc.option(word, { nil: undefined }));
    const params = fc.array(param, { maxLength: 4 });
    const text = (list: readonly (readonly [string, string | undefined])[]): string =>
      list.map(([name, value]) => (value === undefined ? `;${name}` : `;${name}=${value}`)).join('');
    const expected = (list: readonly (readonly [string, string | undefined])[]) =>
      list.map(([key, value]) => ({ key, value }));
    fc.assert(
      fc.property(word, params, word, params, fc.array(fc.tuple(word, word)), (user, inUser, host, behind, fields) => {
        const query = fields.map(([name, value]) => `zz${name}=${value}`).join('&');
        const uri = sip(`sip:${user}${text(inUser)}@${host}${text(behind)}${query === '' ? '' : `?${query}`}`);
        expect(uri.user).toBe(user + text(inUser));
        expect(uri.host).toBe(host);
        expect(uri.userParams).toMatchObject(expected(inUser));
        expect(uri.params).toMatchObject(expected(behind));
        expect(uri.headers).toMatchObject(fields.map(([name, value]) => ({ key: `zz${name}`, value })));
      }),
    );
  });
});
