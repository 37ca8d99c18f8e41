/** Random header blocks, right and wrong, for property tests. */

import fc from 'fast-check';
import { BOUNDARY_RULES } from '../../src/sip/table/boundary.js';

const NAMES = [
  ...new Set(
    BOUNDARY_RULES.filter(({ kind, name }) => kind === 'header' && !name.endsWith('*')).map(({ name }) => name),
  ),
  'P-Unheard-Of',
  'X-Custom',
  'Require',
  'Proxy-Require',
  'Priority',
  'Supported',
  'Content-Type',
  'Content-Disposition',
  'Session-Expires',
  'Refer-Events-At',
  'Reject-Contact',
  'f',
  't',
  'm',
  'r',
  'b',
  's',
  'y',
  'k',
  'c',
];

const PARAMS = [
  '',
  ';orig',
  ';iotl=a-b',
  ';cpc=operator',
  ';oli=29',
  ';verstat=TN-Validation-Passed',
  ';lr',
  ';%6Frig',
  ';VERSTAT=x',
  ';user=phone',
  ';cause=302',
];
const EMBEDDED = [
  '',
  '',
  '?P-Asserted-Identity=x',
  '?Privacy=history',
  '?Replaces=1&Subject=x',
  '?Replaces=1%3Bto-tag%3D2',
  '?',
  '?Reason=SIP%3Bcause%3D302',
];
const HOSTS = [
  'a.example',
  'b.example',
  'c.example',
  'ims.a.example',
  'x.a.example',
  '192.0.2.1',
  '[2001:db8::1]',
  'anonymous.invalid',
  'B.Example.',
];

const uri = fc.oneof(
  fc
    .tuple(
      fc.constantFrom('sip', 'sips', 'SIP'),
      fc.constantFrom('', 'alice@', '+4930;cpc=x@', '%2B49@', 'a?b@', '+49;verstat=y@'),
      fc.constantFrom(...HOSTS),
      fc.constantFrom(...PARAMS),
      fc.constantFrom(...PARAMS),
      fc.constantFrom(...EMBEDDED),
    )
    .map(([scheme, user, host, one, two, embedded]) => `${scheme}:${user}${host}${one}${two}${embedded}`),
  fc
    .tuple(
      fc.constantFrom(
        'tel:+4930',
        'tel:7042;phone-context=a.example',
        'urn:service:sos',
        'http://x/y?P-Asserted-Identity=z',
      ),
      fc.constantFrom(...PARAMS),
    )
    .map(([head, tail]) => head + tail),
);

const address = fc
  .tuple(
    fc.constantFrom('', '"x, y" ', 'Bob ', '"a;orig" ', '"unended ', 'J\xc3\xbcrgen '),
    uri,
    fc.boolean(),
    fc.constantFrom(
      '',
      ';tag=1',
      ';index=1',
      ';privacy=full',
      ';verstat=x',
      ' ;orig',
      ';+g.3gpp.trf="<sip:t;iotl=x>"',
      ';+sip.instance="<urn:gsma:imei:1>"',
      ';+sip.instance="<urn:uuid:1>"',
      ';x="',
    ),
  )
  .map(([display, inner, bare, tail]) => (bare && display === '' ? inner + tail : `${display}<${inner}>${tail}`));

const value = fc.oneof(
  { weight: 5, arbitrary: fc.array(address, { minLength: 1, maxLength: 3 }).map((list) => list.join(', ')) },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      'id',
      'none',
      'none;id',
      'history',
      'header;critical',
      'user',
      'session;id',
      'critical',
      'foo',
      'ID ,none',
      'resource-priority, 100rel',
      'sec-agree',
      'privacy',
      '100rel',
      'psap-callback',
      'urgent',
      'BLV',
      'RING',
      'Digest username="a", integrity-protected="yes", nonce=x',
      'Digest realm="x", ik="1", ck="2"',
      'Digest integrity-protected=yes',
      'icid-value=1;orig-ioi=x;fe-identifier=y',
      'icid-value="1;x" ; ORIG-IOI=x',
      'ggsn=1;icid-value=2',
      'icid-value=1;icid-values=2',
      'histinfo, path',
      'Path',
      'application / 3gpp-ims+xml;x',
      'multipart/mixed;boundary=x',
      '*;+g.3gpp.trf="<sip:t;iotl=x?P-Asserted-Identity=y>"',
      '<http://x?a=b>;purpose=card',
      '<http://x>;purpose=icon',
      'application/3gpp-ims+xml',
      'application/sdp',
      'x;handling=required',
      'b.example',
      '*',
      '',
      'x',
    ),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 12 }) },
);

const rowOf = fc
  .tuple(
    fc.constantFrom(...NAMES),
    fc.constantFrom('same', 'upper', 'lower', 'mixed'),
    fc.constantFrom('', '', '', ' ', '\t', ' \t '),
    fc.constantFrom(' ', '', '\r\n ', ' \r\n\t'),
    value,
  )
  .map(([name, how, before, after, text]) => {
    const spelled =
      how === 'upper'
        ? name.toUpperCase()
        : how === 'lower'
          ? name.toLowerCase()
          : how === 'mixed'
            ? name.replace(/./g, (c, i) => (i % 2 ? c.toUpperCase() : c.toLowerCase()))
            : name;
    return `${spelled}${before}:${after}${text}`;
  });

const oddRow = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(...NAMES),
      fc.constantFrom('\x01', '\0', '\xa0', '\r\n ', ';', ' x', '\x7f', '\xc2\xa0'),
      value,
    )
    .map(([name, odd, text]) => `${name}${odd}: ${text}`),
  fc
    .tuple(fc.constantFrom(' ', '\t', ''), fc.constantFrom(...NAMES), value)
    .map(([lead, name, text]) => `${lead}${name}: ${text}`),
  fc
    .tuple(fc.constantFrom(...NAMES), value, fc.constantFrom('\r', '\n', '\r\n ', '\0', '\x0b', '\xe2\x80\xa8'))
    .map(([name, text, odd]) => `Foo: a${odd}${name}: ${text}`),
  fc.constantFrom(
    'no colon here',
    '',
    ':x',
    'From: <sip:y@b.example>;tag=9',
    'Content-Length: 5',
    '\xff\xfe: x',
    'Subject: \xff',
  ),
);

/** Rows that a lenient sender may write: every field of the table, all spellings, plausible and implausible values. */
export const regularRows = fc.array(rowOf, { maxLength: 8 });

/** The same among rows that no two readers read alike. */
export const anyRows = fc.array(fc.oneof({ weight: 4, arbitrary: rowOf }, { weight: 1, arbitrary: oddRow }), {
  maxLength: 8,
});

export const requestUris = fc.oneof(
  fc.constantFrom('sip:alice@a.example', 'urn:service:sos', 'tel:+49', 'sip:alice@a.example;orig?Subject=x'),
  uri,
);

export const methods = fc.constantFrom(
  'INVITE',
  'ACK',
  'BYE',
  'CANCEL',
  'REGISTER',
  'REFER',
  'MESSAGE',
  'UPDATE',
  'NOTIFY',
);
