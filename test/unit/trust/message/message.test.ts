import { describe, expect, it } from 'vitest';
import { COMPACT_FORMS } from '../../../../src/sip/grammar/field-names.js';
import { BOUNDARY_RULES } from '../../../../src/sip/table/boundary.js';
import { planMessage } from '../../../../src/trust/message/message.js';
import { applyPlan, text, values } from '../../../support/apply-plan.js';
import { scanText } from '../../sip/support.js';
import { type Case, type Expectation, inputOf, type Row, run, table } from './message-support.js';

/** Values that are plausible for a field, so that the audit has nothing to say. */
const SAMPLE: Readonly<Record<string, string>> = {
  'history-info': '<sip:x@c.example>;index=1',
  diversion: '<sip:x@c.example>;reason=unconditional',
  'remote-party-id': '<sip:x@b.example>;party=calling',
  geolocation: '<cid:x@b.example>',
};

/** Within a dialog. */
const TAGGED = 'To: <sip:alice@a.example>;tag=2';

const stripped = BOUNDARY_RULES.filter(
  (rule) => rule.kind === 'header' && !rule.name.endsWith('*') && rule.methods.length === 0,
);

/** All the ways in which RFC 3261 §7.3.1 lets one field be written (P-1 to P-5). */
function spellingsOf(name: string, value: string): readonly (readonly [string, readonly string[]])[] {
  const mixed = [...name].map((char, i) => (i % 2 === 0 ? char.toUpperCase() : char.toLowerCase())).join('');
  const compact = [...COMPACT_FORMS].find(([, long]) => long === name.toLowerCase())?.[0];
  return [
    ['plain', [`${name}: ${value}`]],
    ['upper case', [`${name.toUpperCase()}: ${value}`]],
    ['lower case', [`${name.toLowerCase()}: ${value}`]],
    ['mixed case', [`${mixed}:${value}`]],
    ['space before the colon', [`${name} : ${value}`]],
    ['tab before the colon', [`${name}\t:${value}`]],
    ['folded', [`${name}:\r\n ${value}`]],
    ['folded twice', [`${name}: ${value},\r\n\t${value}\r\n   ,${value}`]],
    ['three rows', [`${name}: ${value}`, `${name.toUpperCase()}: ${value}`, `${name}:`]],
    ['comma-joined', [`${name}: ${value}, ${value},${value}`]],
    ...(compact === undefined ? [] : [['compact', [`${compact}: ${value}`]] as const]),
  ];
}

describe('P-1..P-5: every spelling of every field of the table', () => {
  for (const direction of ['in', 'out'] as const) {
    const rows = stripped.filter((rule) => {
      const action = direction === 'in' ? rule.in : rule.out;
      return (typeof action === 'string' ? action : action.strict33203) === 'remove';
    });
    for (const rule of rows) {
      for (const message of rule.applies) {
        it(`ok/${rule.name} ${direction}, ${message}: gone in all spellings (row ${rule.row})`, () => {
          const key = rule.name.toLowerCase();
          for (const [how, lines] of spellingsOf(rule.name, SAMPLE[key] ?? 'x')) {
            const { plan, after } = run([...lines, 'Supported: 100rel'], { direction, message, status: 200 });
            expect(plan.action, how).toBe('continue');
            expect(values(after, key), how).toEqual([]);
            expect(plan.remove, how).toContain(rule.name);
            expect(plan.append, how).toEqual([]);
            expect(values(after, 'supported'), how).toEqual(['100rel']);
          }
        });
      }
    }
  }

  it('ok/P-11 a field of the other message class goes too', () => {
    expect(
      values(run(['P-Asserted-Service: x'], { message: 'response', status: 200 }).after, 'p-asserted-service'),
    ).toEqual([]);
    expect(values(run(['Response-Source: x']).after, 'response-source')).toEqual([]);
  });

  it('ok/#63 unknown P- and X- fields go by their own names, others stay', () => {
    const { plan } = run(['X-Foo: 1', 'p-unheard-of: 2', 'x-FOO: 3', 'Xylophone: 4', 'Prefer: 5']);
    expect(plan.remove).toEqual(['X-Foo', 'p-unheard-of']);
  });

  it('ok/the rows that nothing touches stay byte for byte', () => {
    const rows = [
      'P-Foo: 1',
      'Contact:  <sip:b@b.example;transport=tls>;+g.3gpp.icsi-ref="urn%3Ax"',
      'Subject:\r\n folded',
      'k: 100rel',
    ];
    const { after, input } = run(rows);
    expect(text(after)).toBe(text(input.block).replace('P-Foo: 1\n', ''));
  });
});

const NOTHING: Expectation = { remove: [], append: [], ruri: '' };
const trusted: Case = { trusted: true };
const out: Case = { direction: 'out' };

table('screening of trusted peers (§5.4, §5.6)', [
  ['ok/own identity of the peer', ['P-Asserted-Identity: "Bob" <sip:bob@b.example>'], trusted, NOTHING],
  [
    'ok/host in any case, with port and trailing dot',
    ['P-Asserted-Identity: <sip:bob@B.Example.:5061>'],
    trusted,
    NOTHING,
  ],
  [
    'ok/sip and tel, two rows',
    ['P-Asserted-Identity: <sip:bob@b.example>', 'p-asserted-identity:<tel:+49-30-1>'],
    trusted,
    NOTHING,
  ],
  ['ok/a bare addr-spec', ['P-Asserted-Identity: sip:bob@b.example'], trusted, NOTHING],
  [
    'fail/T-12 S-1 an identity of somebody else',
    ['P-Asserted-Identity: <sip:x@c.example>'],
    trusted,
    { remove: ['P-Asserted-Identity'], append: [], codes: ['assert-foreign'] },
  ],
  [
    'fail/S-1 the foreign one goes, the legal rest stays whole and in order',
    ['P-Asserted-Identity: <sip:x@c.example>, "B, b" <sip:bob@b.example>', 'P-Asserted-Identity: <tel:+4930>'],
    trusted,
    {
      remove: ['P-Asserted-Identity'],
      append: ['P-Asserted-Identity: "B, b" <sip:bob@b.example>', 'P-Asserted-Identity: <tel:+4930>'],
      codes: ['assert-foreign'],
    },
  ],
  [
    'fail/S-1 a subdomain is another domain',
    ['P-Asserted-Identity: <sip:x@sbc.b.example>'],
    trusted,
    { remove: ['P-Asserted-Identity'] },
  ],
  [
    'fail/S-1 a suffix is another domain',
    ['P-Asserted-Identity: <sip:x@evilb.example>'],
    trusted,
    { remove: ['P-Asserted-Identity'] },
  ],
  [
    'fail/S-1 the domain in the user part is none',
    ['P-Asserted-Identity: <sip:b.example@c.example>'],
    trusted,
    { remove: ['P-Asserted-Identity'] },
  ],
  [
    'fail/S-1 the display name is no identity',
    ['P-Asserted-Identity: "<sip:x@b.example>" <sip:x@c.example>'],
    trusted,
    { remove: ['P-Asserted-Identity'], append: [] },
  ],
  [
    'fail/T-13 S-2 one of our domains',
    ['P-Asserted-Identity: <sip:alice@a.example>'],
    trusted,
    { action: 'reject', code: 403, codes: ['assert-own'], remove: [], append: [] },
  ],
  [
    'fail/T-13 S-2 behind a legal one',
    ['P-Asserted-Identity: <sip:bob@b.example>', 'P-Asserted-Identity: <sips:x@IMS.a.example>'],
    trusted,
    { action: 'reject', code: 403 },
  ],
  [
    'fail/T-13 S-2 in From',
    ['From: <sip:alice@a.example>;tag=1'],
    trusted,
    { action: 'reject', code: 403, codes: ['assert-own'] },
  ],
  [
    'ok/S-2 within a dialog, where the called party writes what our user dialled',
    ['From: <sip:+4930123@a.example>;tag=1', 'To: <sip:alice@a.example>;tag=2'],
    trusted,
    { ...NOTHING, codes: [] },
  ],
  ...[';tag=', ';tag', ';tag=""', ';tag=2;tag=', ';tag=2;tag', ';tag=2;tag=3', ';tag=2%(', ';ta%67=2', ''].map(
    (tags): Parameters<typeof table>[1][number] => [
      `fail/T-13 S-2 in From, with what no script takes for a dialog: To:...${tags}`,
      ['From: <sip:alice@a.example>;tag=1', `To: <sip:alice@a.example>${tags}`],
      trusted,
      { action: 'reject', code: 403, codes: ['assert-own'] },
    ],
  ),
  [
    'ok/S-2 a tag that not every reader finds is one that they do: else it would be a call',
    ['From: <sip:+4930123@a.example>;tag=1', 't: "; tag = 1" <sip:alice@a.example>;x ; Tag\t= 2 ;y'],
    trusted,
    { action: 'continue', remove: ['To'], append: ['To: "; tag = 1" <sip:alice@a.example>;x ;tag=2 ;y'] },
  ],
  [
    'ok/S-2 nor is a call that is up broken for what is asserted within it: the value goes',
    ['From: <sip:bob@b.example>;tag=1', 'To: <sip:alice@a.example>;tag=2', 'P-Asserted-Identity: <sip:x@a.example>'],
    trusted,
    { action: 'continue', remove: ['P-Asserted-Identity'], codes: ['assert-own'] },
  ],
  ['fail/T-13 S-2 in From, compact', ['f: "x" <sip:alice@A.example.>;tag=1'], trusted, { action: 'reject', code: 403 }],
  [
    'fail/S-2 as the context of a local number',
    ['P-Asserted-Identity: <tel:7042;phone-context=a.example>'],
    trusted,
    { action: 'reject', code: 403 },
  ],
  [
    'ok/S-2 roaming explains it',
    ['P-Asserted-Identity: <sip:alice@a.example>'],
    { trusted: true, agreement: { interconnect: 'roaming' } },
    NOTHING,
  ],
  [
    'ok/S-2 loopback explains it',
    ['From: <sip:alice@a.example>;tag=1'],
    { trusted: true, agreement: { interconnect: 'loopback' } },
    NOTHING,
  ],
  [
    'ok/S-2 an answer may come from a user of ours that was diverted to: the value goes, the answer stays',
    ['P-Asserted-Identity: <sip:alice@a.example>'],
    { trusted: true, message: 'response', status: 200 },
    { remove: ['P-Asserted-Identity'], codes: ['assert-own'] },
  ],
  [
    'ok/S-4 transit asserts for others',
    ['P-Asserted-Identity: <sip:x@c.example>'],
    { trusted: true, agreement: { asserts: { domains: [], numbers: 'any', transit: true } } },
    NOTHING,
  ],
  [
    'fail/S-4 transit, but not for us',
    ['P-Asserted-Identity: <sip:x@a.example>'],
    { trusted: true, agreement: { asserts: { domains: [], numbers: 'any', transit: true } } },
    { action: 'reject', code: 403 },
  ],
  ...[
    ['S-4 transit, but not for a name below ours', '<sip:x@sub.a.example>'],
    ['S-4 transit, nor for one further below', '<sip:x@deep.sub.a.example.>'],
    ['S-4 transit, nor for a context below ours', '<tel:4711;phone-context=pbx.a.example>'],
  ].map(
    ([name, value]): Row => [
      `fail/${name}`,
      [`P-Asserted-Identity: ${value}`],
      { trusted: true, agreement: { asserts: { domains: [], numbers: 'any', transit: true } } },
      { remove: ['P-Asserted-Identity'], codes: ['assert-own'] },
    ],
  ),
  ...[
    ['a network below ours that an agreement names', '<sip:x@hosted.a.example>', {}],
    ['a network below ours that this agreement names', '<sip:x@own.a.example>', {}],
    ['a name that only ends like ours', '<sip:x@sub.aa.example>', {}],
    ['roaming', '<sip:x@sub.a.example>', { interconnect: 'roaming' }],
  ].map(
    ([name, value, more]): Row => [
      `ok/S-4 transit: ${name}`,
      [`P-Asserted-Identity: ${value}`],
      {
        trusted: true,
        agreement: { asserts: { domains: ['own.a.example'], numbers: 'any', transit: true }, ...(more as object) },
      },
      NOTHING,
    ],
  ),
  [
    'fail/S-5 an IPv4 address',
    ['P-Asserted-Identity: <sip:x@192.0.2.1>'],
    trusted,
    { remove: ['P-Asserted-Identity'], codes: ['assert-foreign'] },
  ],
  [
    'fail/S-5 an IPv6 address',
    ['P-Asserted-Identity: <sip:x@[2001:db8::1]:5060>'],
    trusted,
    { remove: ['P-Asserted-Identity'] },
  ],
  ['ok/S-6 anonymous', ['P-Asserted-Identity: <sip:anonymous@anonymous.invalid>'], trusted, NOTHING],
  ['ok/S-6 unavailable', ['P-Asserted-Identity: <sip:unavailable@UNAVAILABLE.invalid>'], trusted, NOTHING],
  [
    'fail/S-6 no other .invalid',
    ['P-Asserted-Identity: <sip:x@other.invalid>'],
    trusted,
    { remove: ['P-Asserted-Identity'] },
  ],
  [
    'fail/S-7 From of another network is only flagged',
    ['From: <sip:x@c.example>;tag=1'],
    trusted,
    { ...NOTHING, flags: ['from-foreign'] },
  ],
  ['ok/S-7 From of nobody is of no network', ['From: <sip:x@other.invalid>;tag=1'], trusted, { ...NOTHING, flags: [] }],
  [
    'ok/S-6 unavailable (TS 23.003 §13.7)',
    ['P-Asserted-Identity: <sip:unavailable@unknown.invalid>'],
    trusted,
    NOTHING,
  ],
  [
    'ok/S-6 somebody beside nobody is who stays, whatever their order',
    [
      'P-Asserted-Identity: <sip:unavailable@unknown.invalid>, <sip:bob@b.example>, <tel:+1>',
      'P-Asserted-Identity: <sip:anonymous@anonymous.invalid>',
    ],
    trusted,
    {
      append: ['P-Asserted-Identity: <sip:bob@b.example>, <tel:+1>'],
      codes: ['assert-invalid', 'assert-invalid'],
    },
  ],
  [
    'ok/S-6 beside somebody of another network, who goes, nobody stays',
    ['P-Asserted-Identity: <sip:unavailable@unknown.invalid>, <sip:bob@c.example>'],
    trusted,
    { append: ['P-Asserted-Identity: <sip:unavailable@unknown.invalid>'], codes: ['assert-foreign'] },
  ],
  [
    'ok/S-3 one of another network goes before they are counted: his own behind it is the first',
    ['P-Asserted-Identity: <sip:bob@c.example>, <sip:alice@b.example>'],
    trusted,
    { append: ['P-Asserted-Identity: <sip:alice@b.example>'], codes: ['assert-foreign'] },
  ],
  [
    'ok/S-7 From of ours over a roaming interconnect: our user is there',
    ['From: <sip:alice@a.example>;tag=1'],
    { trusted: true, agreement: { interconnect: 'roaming' } },
    { ...NOTHING, flags: [] },
  ],
  [
    'fail/T-51 sip, sip, tel, mailto, sips: the first sip and the tel',
    [
      'P-Asserted-Identity: <sip:a@b.example>, <sip:b@b.example>, <tel:+1>',
      'P-Asserted-Identity: <mailto:x@b.example>, <sips:c@b.example>',
    ],
    trusted,
    {
      append: ['P-Asserted-Identity: <sip:a@b.example>, <tel:+1>'],
      codes: ['assert-invalid', 'assert-invalid', 'assert-invalid'],
    },
  ],
  [
    'fail/RFC 5876 two tel',
    ['P-Asserted-Identity: <tel:+1>, <tel:+2>'],
    trusted,
    { append: ['P-Asserted-Identity: <tel:+1>'] },
  ],
  [
    'fail/P-7 a quoted string without end takes the whole row',
    ['P-Asserted-Identity: "x <sip:a@b.example>, <sip:y@c.example>'],
    trusted,
    { remove: ['P-Asserted-Identity'], append: [], codes: ['assert-invalid'] },
  ],
  [
    'fail/P-6 a bare URI that needs brackets',
    ['P-Asserted-Identity: sip:a@b.example?x=y'],
    trusted,
    { remove: ['P-Asserted-Identity'], append: [] },
  ],
  [
    'fail/an empty field says nothing',
    ['P-Asserted-Identity:'],
    trusted,
    { remove: ['P-Asserted-Identity'], append: [] },
  ],
  [
    'fail/T-72 in ACK',
    ['P-Asserted-Identity: <sip:bob@b.example>'],
    { ...trusted, method: 'ACK' },
    { remove: ['P-Asserted-Identity'], append: [] },
  ],
  [
    'fail/T-72 in CANCEL',
    ['P-Asserted-Identity: <sip:bob@b.example>'],
    { ...trusted, method: 'CANCEL' },
    { remove: ['P-Asserted-Identity'], append: [] },
  ],
  [
    'fail/T-72 one of ours in ACK is removed, since an ACK cannot be refused',
    ['P-Asserted-Identity: <sip:x@a.example>'],
    { ...trusted, method: 'ACK' },
    { action: 'continue', remove: ['P-Asserted-Identity'] },
  ],
  [
    'fail/T-53 the twin is screened alike',
    ['Remote-Party-ID: <sip:x@c.example>;party=calling, <sip:bob@b.example>'],
    trusted,
    { append: ['Remote-Party-ID: <sip:bob@b.example>'] },
  ],
  [
    'fail/T-68 #9 another private network',
    ['P-Private-Network-Indication: c.example'],
    trusted,
    { remove: ['P-Private-Network-Indication'] },
  ],
  ['ok/T-68 #9 the agreed private network', ['P-Private-Network-Indication: B.example'], trusted, NOTHING],
  [
    'ok/T-68 #9 one that the peer may assert, though it is not theirs',
    ['P-Private-Network-Indication: d.example'],
    { trusted: true, agreement: { asserts: { domains: ['d.example'], numbers: 'any', transit: false } } },
    NOTHING,
  ],
]);

const numbers = (list: readonly string[]): Case => ({
  trusted: true,
  agreement: { asserts: { domains: ['b.example'], numbers: list, transit: false } },
});
table('S-3 number prefixes', [
  ['ok/tel', ['P-Asserted-Identity: <tel:+49-30-123>'], numbers(['+4930']), NOTHING],
  ['ok/sip with user=phone', ['P-Asserted-Identity: <sip:+4930123@b.example;user=phone>'], numbers(['+4930']), NOTHING],
  ['ok/a name is no number', ['P-Asserted-Identity: <sip:bob@b.example>'], numbers(['+4930']), NOTHING],
  [
    'ok/percent-encoded (P-8)',
    ['P-Asserted-Identity: <sip:%2B4930123@b.example;user=phone>'],
    numbers(['+4930']),
    NOTHING,
  ],
  [
    'fail/another number',
    ['P-Asserted-Identity: <tel:+49891>'],
    numbers(['+4930']),
    { remove: ['P-Asserted-Identity'], append: [] },
  ],
  [
    'fail/another number without user=phone',
    ['P-Asserted-Identity: <sip:+49891@b.example>'],
    numbers(['+4930']),
    { remove: ['P-Asserted-Identity'] },
  ],
  [
    'fail/another number, percent-encoded (P-8)',
    ['P-Asserted-Identity: <sip:%2B4989@b.example>'],
    numbers(['+4930']),
    { remove: ['P-Asserted-Identity'] },
  ],
  [
    'fail/another number, with parameters',
    ['P-Asserted-Identity: <sip:+4989;isub=1@b.example>'],
    numbers(['+4930']),
    { remove: ['P-Asserted-Identity'] },
  ],
  [
    'fail/a local number',
    ['P-Asserted-Identity: <tel:030123;phone-context=b.example>'],
    numbers(['+4930']),
    { remove: ['P-Asserted-Identity'] },
  ],
  [
    'ok/a local number in a global context',
    ['P-Asserted-Identity: <tel:123;phone-context=+4930>'],
    numbers(['+4930']),
    NOTHING,
  ],
  ['fail/none allowed', ['P-Asserted-Identity: <tel:+4930>'], numbers([]), { remove: ['P-Asserted-Identity'] }],
]);

table('parameters, values and tags from untrusted peers', [
  [
    'ok/T-61 #14 #44 orig and iotl in Route',
    ['Route: <sip:p.a.example;lr;orig>, <sip:q.a.example;iotl=homea-homeb;lr>'],
    {},
    { remove: ['Route'], append: ['Route: <sip:p.a.example;lr>, <sip:q.a.example;lr>'] },
  ],
  ...(
    [
      ['in rows of their own', ['Route: <sip:own;lr>', 'Route: <sip:own:5062;lr>', 'Route: <sip:p;lr;iotl=x>']],
      ['in one row', ['Route: "a, <sip:p;lr>" <sip:own;lr> , <sip:own:5062;lr>,<sip:p;lr;iotl=x>']],
    ] as const
  ).map(
    ([where, rows]): Row => [
      `ok/Routes in front of the next hop are gone, and do not come back (${where})`,
      [...rows, 'Route: <sip:own;lr>'],
      { direction: 'out', next: 'sip:p;lr;iotl=x' },
      { remove: ['Route'], append: ['Route: <sip:p;lr>', 'Route: <sip:own;lr>'] },
    ],
  ),
  [
    'ok/the next hop is that of maddr',
    ['Route: <sip:own;lr>, <sip:p:5062;lr;maddr=192.0.2.1;orig>'],
    { direction: 'out', next: 'sip:192.0.2.1:5062' },
    { remove: ['Route'], append: ['Route: <sip:p:5062;lr;maddr=192.0.2.1>'] },
  ],
  [
    'ok/a strict router is in the Request-URI',
    ['Route: <sip:own;lr>', 'Route: <sip:p;iotl=x>', 'Route: <sip:q;orig>'],
    { direction: 'out', next: 'sip:p;iotl=x', ruri: 'sip:p;iotl=x' },
    { remove: ['Route'], append: ['Route: <sip:q>'], ruri: 'sip:p' },
  ],
  [
    'ok/where nothing of Route has to go, it stays',
    ['Route: <sip:own;lr>, <sip:p;lr>'],
    { direction: 'out', next: 'sip:p;lr' },
    NOTHING,
  ],
  ...(
    [
      ['somewhere else', { direction: 'out', next: 'sip:q;lr' }],
      ['on its way in', { direction: 'in', next: 'sip:p;lr;orig' }],
    ] as const
  ).map(
    ([where, spec]): Row => [
      `ok/all Routes stay where the request goes ${where}`,
      ['Route: <sip:own;lr>, <sip:p;lr;orig>'],
      spec,
      { remove: ['Route'], append: ['Route: <sip:own;lr>, <sip:p;lr>'] },
    ],
  ),
  [
    'ok/T-61 in the Request-URI',
    [],
    { ruri: 'sip:alice@a.example;orig;user=phone;IOTL=x' },
    { ruri: 'sip:alice@a.example;user=phone' },
  ],
  ['ok/T-61 with an escaped name', [], { ruri: 'sip:alice@a.example;%6Frig' }, { ruri: 'sip:alice@a.example' }],
  ['ok/a parameter that only starts alike stays', [], { ruri: 'sip:alice@a.example;original=1;origin' }, NOTHING],
  [
    'ok/#14 in a feature tag of Contact',
    ['Contact: <sip:b@b.example>;+g.3gpp.trf="<sip:trf.b.example;iotl=a-b>";q=1'],
    {},
    { append: ['Contact: <sip:b@b.example>;+g.3gpp.trf="<sip:trf.b.example>";q=1'] },
  ],
  [
    'ok/T-62 #11 cpc in the user part',
    ['From: <sip:+1;cpc=operator@b.example;user=phone>;tag=1'],
    {},
    { append: ['From: <sip:+1@b.example;user=phone>;tag=1'] },
  ],
  [
    'ok/T-62 #11 cpc behind the host',
    ['From: <sip:+1@b.example;cpc=operator;user=phone>;tag=1'],
    {},
    { append: ['From: <sip:+1@b.example;user=phone>;tag=1'] },
  ],
  ['ok/T-62 #11 oli in a tel URI', ['From: <tel:+1;oli=29>;tag=1'], {}, { append: ['From: <tel:+1>;tag=1'] }],
  [
    'ok/T-62 #11 in the Request-URI',
    [],
    { ruri: 'tel:+1;CPC=operator;phone-context=+1' },
    { ruri: 'tel:+1;phone-context=+1' },
  ],
  [
    'ok/T-63 #47 verstat in the user part',
    ['From: <sip:+1;verstat=TN-Validation-Passed@b.example>;tag=1'],
    {},
    { append: ['From: <sip:+1@b.example>;tag=1'] },
  ],
  [
    'ok/T-63 #47 verstat behind the host',
    ['From: <sip:+1@b.example;verstat=TN-Validation-Passed>;tag=1'],
    {},
    { append: ['From: <sip:+1@b.example>;tag=1'] },
  ],
  [
    'ok/T-63 #47 verstat behind the bracket',
    ['From: <sip:+1@b.example>;verstat=TN-Validation-Passed;tag=1'],
    {},
    { append: ['From: <sip:+1@b.example>;tag=1'] },
  ],
  [
    'ok/T-63 #47 from a trusted peer that does not verify',
    ['P-Asserted-Identity: <sip:+1@b.example;verstat=TN-Validation-Passed>'],
    trusted,
    { append: ['P-Asserted-Identity: <sip:+1@b.example>'] },
  ],
  [
    'ok/T-63 #47 from one that does, by its agreement',
    ['P-Asserted-Identity: <tel:+1;verstat=TN-Validation-Passed>'],
    { trusted: true, agreement: { headers: new Map([['verstat', { in: 'keep' }]]) } },
    NOTHING,
  ],
  [
    'ok/T-63 #47 over a roaming interconnect',
    ['P-Asserted-Identity: <tel:+1;verstat=TN-Validation-Passed>'],
    { trusted: true, agreement: { interconnect: 'roaming' } },
    NOTHING,
  ],
  [
    'ok/#44 orig from a trusted peer whose users do not roam here',
    ['Route: <sip:scscf.own.example;lr;orig>'],
    { ...trusted, ruri: 'sip:bob@own.example;orig' },
    { append: ['Route: <sip:scscf.own.example;lr>'], ruri: 'sip:bob@own.example' },
  ],
  [
    'ok/#44 orig over a roaming interconnect',
    ['Route: <sip:scscf.own.example;lr;orig>'],
    { trusted: true, agreement: { interconnect: 'roaming' } },
    NOTHING,
  ],
  [
    'ok/#44 orig of one that hosts services of ours, by its agreement',
    ['Route: <sip:scscf.own.example;lr;orig>'],
    { trusted: true, agreement: { headers: new Map([['orig', { in: 'keep' }]]) } },
    NOTHING,
  ],
  ['ok/T-64 #13 psap-callback goes', ['Priority: PSAP-Callback'], {}, { remove: ['Priority'], append: [] }],
  [
    'ok/T-64 #13 the other rows stay',
    ['Priority: urgent', 'Priority: psap-callback'],
    {},
    { append: ['Priority: urgent'] },
  ],
  ['ok/T-64 #13 urgent stays', ['Priority: urgent'], {}, NOTHING],
  [
    'ok/T-65 #5 with its option tag',
    ['Resource-Priority: ets.0', 'Require: resource-priority,100rel'],
    {},
    { remove: ['Resource-Priority', 'Require'], append: ['Require: 100rel'] },
  ],
  [
    'ok/T-65 #5 the only tag',
    ['Resource-Priority: ets.0', 'Proxy-Require: Resource-Priority'],
    {},
    { remove: ['Resource-Priority', 'Proxy-Require'], append: [] },
  ],
  ['ok/T-65 #5 the tag alone stays', ['Require: resource-priority'], {}, NOTHING],
  [
    'ok/T-66 #42 integrity-protected',
    ['Authorization: Digest username="a,b",integrity-protected="auth-done",nonce="x"'],
    {},
    { append: ['Authorization: Digest username="a,b",nonce="x"'] },
  ],
  [
    'ok/T-66 #42 as the first parameter',
    ['Authorization: Digest Integrity-Protected=yes, username="a"'],
    {},
    { append: ['Authorization: Digest username="a"'] },
  ],
  [
    'ok/T-66 #42 not inside a quoted string',
    ['Authorization: Digest username="x, integrity-protected=yes"'],
    {},
    NOTHING,
  ],
  [
    'ok/#42 ik and ck',
    ['WWW-Authenticate: Digest realm="x", nonce="y", ik="0011", ck="2233"'],
    { message: 'response', status: 401 },
    { append: ['WWW-Authenticate: Digest realm="x", nonce="y"'] },
  ],
  [
    'ok/#42 ik and ck reach the P-CSCF of the network where a user of ours roams',
    ['WWW-Authenticate: Digest realm="x", ik="0011", ck="2233"'],
    { trusted: true, direction: 'out', message: 'response', status: 401, agreement: { interconnect: 'roaming' } },
    NOTHING,
  ],
  [
    'ok/#42 ik and ck reach our P-CSCF from the network of a user who roams here',
    ['WWW-Authenticate: Digest realm="x", ik="0011", ck="2233"'],
    { trusted: true, message: 'response', status: 401, agreement: { interconnect: 'roaming' } },
    NOTHING,
  ],
  [
    'ok/#42 ik and ck cross no other border, trusted or not',
    ['WWW-Authenticate: Digest realm="x", ik="0011"'],
    { trusted: true, direction: 'out', message: 'response', status: 401, agreement: { interconnect: 'enterprise' } },
    { append: ['WWW-Authenticate: Digest realm="x"'] },
  ],
  [
    'ok/#41 sec-agree with its tags',
    ['Security-Verify: ipsec-3gpp', 'Require: sec-agree', 'Proxy-Require: sec-agree, x'],
    {},
    { remove: ['Security-Verify', 'Require', 'Proxy-Require'], append: ['Proxy-Require: x'] },
  ],
  [
    'ok/#54 the privacy tag of the draft',
    ['RPID-Privacy: full', 'Proxy-Require: privacy'],
    {},
    { remove: ['RPID-Privacy', 'Proxy-Require'] },
  ],
  [
    'ok/#54 the privacy tag of RFC 3323 stays with its header field',
    ['RPID-Privacy: full', 'Privacy: id', 'Proxy-Require: privacy'],
    {},
    { remove: ['RPID-Privacy'] },
  ],
  [
    'ok/#55 a card, and only the card',
    ['Call-Info: <http://x/?a=b>;purpose=icon, <http://y>;purpose="Card"'],
    {},
    { append: ['Call-Info: <http://x/?a=b>;purpose=icon'] },
  ],
  [
    'ok/T-73 #34 operator break-in',
    ['P-DCS-OSPS: BLV'],
    {},
    { action: 'reject', code: 403, codes: ['operator-service'] },
  ],
  ['ok/#34 another operator service is only removed', ['P-DCS-OSPS: RING'], {}, { remove: ['P-DCS-OSPS'] }],
  [
    'ok/T-73 in a response there is nothing to refuse',
    ['P-DCS-OSPS: EI'],
    { message: 'response', status: 200 },
    { remove: ['P-DCS-OSPS'] },
  ],
  [
    'ok/T-76 #30 preferred and asserted',
    ['P-Preferred-Identity: <sip:x@b.example>', 'P-Asserted-Identity: <sip:x@b.example>'],
    {},
    { remove: ['P-Preferred-Identity', 'P-Asserted-Identity'], flags: ['preferred-and-asserted'] },
  ],
  [
    'ok/T-76 #30 preferred goes from trusted peers too',
    ['P-Preferred-Identity: <sip:x@b.example>'],
    trusted,
    { remove: ['P-Preferred-Identity'] },
  ],
  [
    'ok/a location in a body that leaves to a stranger is flagged',
    ['Content-Type: Application / pidf+xml;charset=utf-8'],
    { direction: 'out' },
    { ...NOTHING, flags: ['body-location'] },
  ],
  [
    'ok/so is one in a part of the body, which Geolocation names',
    ['Geolocation: <CID:target123@b.example>', 'Content-Type: multipart/mixed;boundary=b'],
    { direction: 'out' },
    { remove: ['Geolocation'], flags: ['body-location'] },
  ],
  ...[
    ['Content-Type: application/EmergencyCallData.eCall.MSD'],
    ['Content-Type: application/EmergencyCallData.VEDS+xml'],
    ['Call-Info: <cid:1@b.example>; purpose=EmergencyCallData.eCall.MSD', 'Content-Type: multipart/mixed;boundary=b'],
  ].map(
    (rows): Row => [
      `ok/so is what a vehicle sends in distress (RFC 8147, RFC 8148): ${rows[0]}`,
      rows,
      { direction: 'out' },
      { ...NOTHING, flags: ['body-location'] },
    ],
  ),
  ...(['request', 'response'] as const).flatMap((message): readonly Row[] => {
    const tagged = (uri: string) => ['From: <sip:psap@b.example>;tag=1', `To: <${uri}>;tag=2`];
    const given = { direction: 'out', message, ...(message === 'response' && { status: 200 }) } as const;
    const msd = 'Content-Type: application/EmergencyCallData.eCall.MSD';
    const location = 'Content-Type: application/pidf+xml';
    return [
      [
        `ok/not what a vehicle sends within a dialog (RFC 8147): ${message}`,
        [...tagged('sip:1@b.example'), msd],
        given,
        { ...NOTHING, flags: [] },
      ],
      [
        `ok/nor a location in the dialog of an emergency call: ${message}`,
        [...tagged('URN:service:sos.ecall.automatic'), location],
        given,
        { ...NOTHING, flags: [] },
      ],
      [
        `ok/but one in another dialog: ${message}`,
        [...tagged('sip:1@b.example'), location],
        given,
        { ...NOTHING, flags: ['body-location'] },
      ],
    ];
  }),
  [
    'ok/a location that leaves with an urn in To alone is flagged',
    ['To: <urn:service:sos>', 'Content-Type: application/pidf+xml'],
    { direction: 'out' },
    { ...NOTHING, flags: ['body-location'] },
  ],
  [
    'ok/not a part that another value of Call-Info names',
    [
      'Call-Info: <https://x.example/y>;purpose=EmergencyCallData.VEDS, <cid:2@b.example>;purpose=icon',
      'Content-Type: multipart/mixed;boundary=b',
    ],
    { direction: 'out' },
    { ...NOTHING, flags: [] },
  ],
  [
    'ok/not other data for emergency calls (RFC 7852), which say nothing of where',
    ['Call-Info: <cid:1@b.example>; purpose=EmergencyCallData.ServiceInfo', 'Content-Type: multipart/mixed;boundary=b'],
    { direction: 'out' },
    NOTHING,
  ],
  [
    'ok/not what is named, and not there',
    ['Geolocation: <cid:target123@b.example>'],
    { direction: 'out' },
    { remove: ['Geolocation'], flags: [] },
  ],
  [
    'ok/not a body that is empty',
    ['Geolocation: <cid:target123@b.example>', 'c: application/pidf+xml', 'l: 0'],
    { direction: 'out' },
    { remove: ['Geolocation'], flags: [] },
  ],
  [
    'ok/not in an emergency call',
    ['Geolocation: <cid:target123@b.example>', 'Content-Type: multipart/mixed;boundary=b'],
    { direction: 'out', ruri: 'urn:service:sos' },
    { ...NOTHING, flags: ['emergency'] },
  ],
  [
    'ok/#64 RFC 7255 §8 the number of a handset leaves to no stranger',
    ['Contact: "A;B" <sip:+491@b.example;ob>;+g.3gpp.smsip;+Sip.Instance="<URN:gsma:imei:35622410-483840-0>";audio'],
    { direction: 'out' },
    { remove: ['Contact'], append: ['Contact: "A;B" <sip:+491@b.example;ob>;+g.3gpp.smsip;audio'], flags: [] },
  ],
  [
    'ok/#64 RFC 8465 §9 nor in an answer, nor by its short name, nor one of several',
    ['m: <sip:a@b.example>;+sip.instance="<urn:uuid:1>", sip:c@b.example ; +sip.instance = "<urn:device-id:meid:1>"'],
    { direction: 'out', message: 'response' },
    { remove: ['Contact'], append: ['Contact: <sip:a@b.example>;+sip.instance="<urn:uuid:1>", sip:c@b.example'] },
  ],
  [
    'ok/#64 nor from an address that cannot be read',
    ['Contact: <sip:a@b.example;+sip.instance="<urn:gsma:imei:1>"'],
    { direction: 'out' },
    { remove: ['Contact'], append: ['Contact: <sip:a@b.example'] },
  ],
  [
    'ok/#55 RFC 7852 an emergency call says where the data of its vehicle is, whatever Privacy asks for',
    [
      'Privacy: user;header',
      'Subject: x',
      'Call-Info: <cid:1@v.example>;purpose=EmergencyCallData.eCall.MSD, <https://p.example/x>;purpose=icon',
    ],
    { ...out, ruri: 'urn:service:sos.ecall.automatic' },
    { remove: ['Subject'], append: [] },
  ],
  [
    'ok/#64 RFC 7255 §5 in an emergency call it stays',
    ['Contact: <sip:a@b.example>;+sip.instance="<urn:gsma:imei:1>"'],
    { direction: 'out', ruri: 'urn:service:sos.fire' },
    { ...NOTHING, flags: ['emergency'] },
  ],
  [
    'fail/whoever calls himself urn:service:sos makes no emergency call of a dialog, whatever his tag is',
    [
      'To: <sip:x@y.example>;TAG=',
      'Contact: <sip:a@b.example>;+sip.instance="<urn:gsma:imei:1>"',
      'Geolocation: <sip:p@b.example>',
    ],
    { direction: 'out', ruri: 'urn:service:sos.fire' },
    { remove: ['Contact', 'Geolocation'], append: ['Contact: <sip:a@b.example>'], flags: [] },
  ],
  [
    'ok/#64 and to a partner, who may be where the handset is registered',
    ['Contact: <sip:a@b.example>;+sip.instance="<urn:gsma:imei:1>"'],
    { direction: 'out', trusted: true },
    NOTHING,
  ],
  [
    'ok/#64 an agreement can take it out',
    ['Contact: <sip:a@b.example>;+sip.instance="<urn:gsma:imei:1>"'],
    { direction: 'out', trusted: true, agreement: { headers: new Map([['+sip.instance', { out: 'remove' }]]) } },
    { remove: ['Contact'], append: ['Contact: <sip:a@b.example>'] },
  ],
  [
    'ok/#64 and from a stranger it tells us nothing that we believe',
    ['Contact: <sip:a@b.example>;+sip.instance="<urn:gsma:imei:1>"'],
    {},
    NOTHING,
  ],
  [
    'ok/T-54 B-3 a body with an identity is flagged',
    ['Content-Type: message/sipfrag;version=2.0'],
    { method: 'NOTIFY' },
    { ...NOTHING, flags: ['method-by-agreement', 'body-untrusted'] },
  ],
  [
    'ok/T-54 B-3 a whole message as a body is flagged like a part of one',
    ['c: Message/SIP ;version=2.0'],
    { method: 'NOTIFY' },
    { ...NOTHING, flags: ['method-by-agreement', 'body-untrusted'] },
  ],
  [
    'ok/T-54 B-2 optional, within a call',
    [TAGGED, 'c: application/3gpp-ims+xml', 'Content-Disposition: x;handling=optional'],
    { method: 'PRACK' },
    { ...NOTHING, flags: ['body-untrusted'] },
  ],
  [
    'fail/T-54 B-2 required, within a call',
    [TAGGED, 'Content-Type: application/vnd.3gpp.srvcc-info+xml', 'Content-Disposition: x; handling=required'],
    { method: 'PRACK' },
    { action: 'reject', code: 415 },
  ],
  ...(
    [
      ['MESSAGE', []],
      ['MESSAGE', ['Content-Disposition: render;handling=optional']],
      ['MESSAGE', [TAGGED]],
      ['INVITE', ['Content-Disposition: signal;handling=optional']],
    ] as const
  ).map(
    ([method, rows]): Row => [
      `fail/T-54 B-2 a short message of a phone, in ${method} with ${rows.join()}: phones and SMS centres act on it, whatever the row says`,
      ['Content-Type: application/vnd.3gpp.sms', ...rows],
      { method },
      { action: 'reject', code: 415 },
    ],
  ),
  [
    'ok/T-54 B-2 of a partner it goes on',
    ['Content-Type: application/vnd.3gpp.sms'],
    { ...trusted, method: 'MESSAGE' },
    { ...NOTHING, flags: ['method-by-agreement'] },
  ],
  [
    'ok/T-54 B-2 in an emergency call, too',
    ['Content-Type: application/3gpp-ims+xml'],
    { ruri: 'urn:service:sos' },
    { ...NOTHING, flags: ['body-untrusted', 'emergency'] },
  ],
  [
    'fail/REGISTER from outside',
    ['P-Asserted-Identity: <sip:x@b.example>'],
    { method: 'REGISTER' },
    { action: 'reject', code: 403, codes: ['register-untrusted'] },
  ],
  ['ok/REGISTER from a trusted network', [], { ...trusted, method: 'REGISTER' }, NOTHING],
]);

table('P-9 header fields embedded in URIs', [
  [
    'ok/T-52 Contact of a redirection',
    ['Contact: "x" <sip:a@c.example;q?P-Asserted-Identity=%3Csip:x%40a.example%3E&Subject=y>;q=0.5, <sip:b@c.example>'],
    { message: 'response', status: 302 },
    { append: ['Contact: "x" <sip:a@c.example;q>;q=0.5, <sip:b@c.example>'] },
  ],
  [
    'ok/T-52 Refer-To, Replaces stays',
    ['r: <sip:a@c.example?P-Asserted-Identity=x&Replaces=1%3Bto-tag%3D2>'],
    { method: 'REFER' },
    { remove: ['Refer-To'], append: ['Refer-To: <sip:a@c.example?Replaces=1%3Bto-tag%3D2>'] },
  ],
  [
    'ok/T-52 Referred-By',
    ['b: <sip:a@c.example?Remote-Party-ID=x>'],
    {},
    { append: ['Referred-By: <sip:a@c.example>'] },
  ],
  [
    'ok/T-52 with an escaped name',
    ['Refer-To: <sip:a@c.example?%50-Asserted-Identity=x>'],
    {},
    { append: ['Refer-To: <sip:a@c.example>'] },
  ],
  [
    'ok/T-52 towards an untrusted peer',
    ['Contact: <sip:a@c.example?P-Asserted-Identity=x>'],
    { direction: 'out', message: 'response', status: 302 },
    { append: ['Contact: <sip:a@c.example>'] },
  ],
  [
    'ok/the Request-URI',
    [],
    { ruri: 'sip:alice@a.example?P-Asserted-Identity=x&Route=%3Csip:x%3E' },
    { ruri: 'sip:alice@a.example' },
  ],
  [
    'ok/from a trusted peer they stay',
    ['Contact: <sip:a@c.example?P-Asserted-Identity=x>'],
    { trusted: true, message: 'response', status: 302 },
    NOTHING,
  ],
  ['ok/an http query is none', ['Call-Info: <http://c.example/x?y=z>;purpose=info'], {}, NOTHING],
]);

table('P-12..P-14 malformed blocks', [
  [
    'fail/a control byte in a name',
    ['P-Asserted-Identity\x01: <sip:x@b.example>'],
    {},
    { action: 'reject', code: 400, codes: ['malformed-header'] },
  ],
  ['fail/NUL in a name', ['Foo\0: x'], {}, { action: 'reject', code: 400 }],
  ['fail/NUL in a value', ['Subject: a\0b'], {}, { action: 'reject', code: 400 }],
  ['fail/a no-break space in a name', ['P-Asserted-Identity\xa0: x'], {}, { action: 'reject', code: 400 }],
  ['fail/a fold before the colon', ['P-Asserted-Identity\r\n : x'], {}, { action: 'reject', code: 400 }],
  ['fail/a bare CR', ['Foo: a\rP-Asserted-Identity: x'], {}, { action: 'reject', code: 400 }],
  ['fail/a bare LF', ['Foo: a\nP-Asserted-Identity: x'], {}, { action: 'reject', code: 400 }],
  [
    'fail/a continuation line that looks like a field',
    ['Foo: a\r\n P-Asserted-Identity: x'],
    {},
    { action: 'reject', code: 400 },
  ],
  [
    'fail/two From',
    ['From: <sip:x@b.example>;tag=1', 'f: <sip:y@b.example>;tag=2'],
    {},
    { action: 'reject', code: 400 },
  ],
  ['ok/bytes that are no UTF-8 drop no call', ['Subject: \xff\xfe'], {}, NOTHING],
  ['fail/overlong UTF-8', ['Subject: \xc0\x8a'], {}, { action: 'reject', code: 400 }],
  ['fail/T-75 200 fields', Array.from({ length: 200 }, (_, i) => `Foo-${i}: x`), {}, { action: 'reject', code: 513 }],
  ['fail/T-75 64 KB', [`Subject: ${'x'.repeat(65_000)}`], {}, { action: 'reject', code: 513 }],
  [
    'fail/T-75 a Request-URI of 5,000 parameters',
    [],
    { ruri: `sip:alice@a.example${';p=x'.repeat(5_000)}` },
    { action: 'reject', code: 414 },
  ],
  [
    'fail/T-75 one from a trusted peer',
    [],
    { ...trusted, ruri: `sip:alice@a.example${';p=x'.repeat(5_000)}` },
    { action: 'reject', code: 414 },
  ],
  [
    'fail/T-75 10,000 values',
    [`P-Asserted-Identity: ${'<sip:x@b.example>,'.repeat(10_000)}<tel:+1>`],
    {},
    { action: 'reject', code: 513 },
  ],
  [
    'ok/from a trusted peer what touches no identity is carried',
    ['Foo\x01: x'],
    trusted,
    { ...NOTHING, flags: ['malformed-tolerated'] },
  ],
  [
    'ok/from a trusted peer overlong UTF-8',
    ['Subject: \xc0\x8a'],
    trusted,
    { ...NOTHING, flags: ['malformed-tolerated'] },
  ],
  [
    'fail/from a trusted peer what touches one is not',
    ['P-Asserted-Identity\x01: <sip:x@b.example>'],
    trusted,
    { action: 'reject', code: 400 },
  ],
  [
    'fail/from a trusted peer a disguised one',
    ['P-Asserted\xa0-Identity: <sip:x@b.example>'],
    trusted,
    { action: 'reject', code: 400 },
  ],
  [
    'fail/from a trusted peer one behind a bare CR',
    ['Foo: a\rP-Asserted-Identity: x'],
    trusted,
    { action: 'reject', code: 400 },
  ],
  [
    'fail/from a trusted peer two From',
    ['From: <sip:x@b.example>;tag=1', 'f: <sip:y@a.example>;tag=2'],
    trusted,
    { action: 'reject', code: 400 },
  ],
  [
    'fail/from a trusted peer NUL in an identity',
    ['P-Asserted-Identity: "\0" <sip:x@b.example>'],
    trusted,
    { action: 'reject', code: 400 },
  ],
  [
    'fail/towards an untrusted peer what hides a field',
    ['P-Asserted-Identity\x01: <sip:x@a.example>'],
    out,
    { action: 'reject', code: 400 },
  ],
]);

table('privacy towards untrusted peers (§5.2, §5.5)', [
  ...(
    [
      ['strict33203', '', false],
      ['strict33203', 'none', false],
      ['strict33203', 'id', false],
      ['rfc3325', '', true],
      ['rfc3325', 'none', true],
      ['rfc3325', 'id', false],
      ['rfc3325', 'ID ; header', false],
      ['rfc3325', 'user', false],
      ['rfc3325', 'session', true],
      ['rfc3325', 'none;id', false],
      ['rfc3325', 'something-new', false],
      ['ims24229', '', false],
      ['ims24229', 'none', true],
      ['ims24229', 'id', false],
    ] as const
  ).flatMap(([mode, value, stays]) =>
    (['request', 'response'] as const).map(
      (message): Row => [
        `${stays ? 'ok' : 'fail'}/T-58 T-59 ${mode}, Privacy "${value}", ${message}`,
        [
          ...(value === '' ? [] : [`Privacy: ${value}`]),
          'P-Asserted-Identity: <sip:x@a.example>',
          'P-Asserted-Identity: <tel:+1>',
        ],
        { direction: 'out', mode, message, status: 200 },
        { remove: stays ? [] : ['P-Asserted-Identity'], append: [] },
      ],
    ),
  ),
  [
    'ok/T-56 none;id counts as id',
    ['Privacy: none;id', 'P-Asserted-Identity: <sip:x@a.example>'],
    { ...out, mode: 'rfc3325' },
    { remove: ['P-Asserted-Identity'], flags: ['privacy-syntax'] },
  ],
  [
    'ok/T-56 two rows',
    ['Privacy: none', 'Privacy: id', 'P-Asserted-Identity: <sip:x@a.example>'],
    { ...out, mode: 'rfc3325' },
    { remove: ['P-Asserted-Identity'] },
  ],
  [
    'ok/T-56 a comma',
    ['Privacy: ID ,none', 'P-Asserted-Identity: <sip:x@a.example>'],
    { ...out, mode: 'ims24229' },
    { remove: ['P-Asserted-Identity'] },
  ],
  [
    'ok/T-59 strict says so',
    ['Privacy: none', 'P-Asserted-Identity: <sip:x@a.example>'],
    out,
    { flags: ['none-overridden'] },
  ],
  [
    'ok/RFC 5876 kept, but only the legal ones',
    ['P-Asserted-Identity: <sip:x@a.example>, <sip:y@a.example>'],
    { ...out, mode: 'rfc3325' },
    { append: ['P-Asserted-Identity: <sip:x@a.example>'] },
  ],
  [
    'ok/T-72 never in an ACK',
    ['P-Asserted-Identity: <sip:x@a.example>'],
    { ...out, mode: 'rfc3325', method: 'ACK' },
    { remove: ['P-Asserted-Identity'], append: [] },
  ],
  ['ok/T-77 Identity stays', ['Privacy: id', 'Identity: abc;info=<https://x>', 'y: def'], out, NOTHING],
  [
    'fail/T-57 critical',
    ['Privacy: critical;header'],
    out,
    { action: 'reject', code: 500, phrase: 'Privacy Failure: header', codes: ['privacy-critical'] },
  ],
  [
    'fail/T-57 critical, several',
    ['Privacy: session;header;id;critical'],
    out,
    { action: 'reject', code: 500, phrase: 'Privacy Failure: session, header' },
  ],
  [
    'fail/T-57 critical and unknown',
    ['Privacy: foo;critical'],
    out,
    { action: 'reject', code: 500, phrase: 'Privacy Failure: foo' },
  ],
  [
    'fail/T-57 critical and unknown, and no word for a phrase',
    ['Privacy: foo_bar;critical'],
    out,
    { action: 'reject', code: 500, phrase: 'Privacy Failure' },
  ],
  [
    'fail/T-57 critical and unknown, and too long for a phrase',
    [`Privacy: ${'x'.repeat(70)};critical`],
    out,
    { action: 'reject', code: 500, phrase: 'Privacy Failure' },
  ],
  ['fail/T-57 on the way in', ['Privacy: critical;header'], {}, { action: 'reject', code: 500 }],
  [
    'ok/T-57 critical that can be met',
    ['Privacy: id;critical', 'P-Asserted-Identity: <sip:x@a.example>'],
    out,
    { action: 'continue', remove: ['P-Asserted-Identity'] },
  ],
  [
    'ok/T-57 not in a response',
    ['Privacy: critical;header'],
    { ...out, message: 'response', status: 200 },
    { action: 'continue' },
  ],
  ['ok/T-57 not in an ACK', ['Privacy: critical;header'], { ...out, method: 'ACK' }, { action: 'continue' }],
  [
    'ok/not towards a trusted peer',
    ['Privacy: critical;header;user;id', 'P-Asserted-Identity: <sip:x@a.example>', 'Subject: x'],
    { ...out, trusted: true },
    NOTHING,
  ],
  ['ok/header needs a B2BUA', ['Privacy: header'], out, { ...NOTHING, flags: ['needs-b2bua'] }],
  [
    'ok/user: informational fields go, compact ones too',
    [
      'Privacy: user',
      's: x',
      'Organization: x',
      'User-Agent: x',
      'Reply-To: <sip:x@a.example>',
      'In-Reply-To: x',
      'Call-Info: <http://x>',
      'Server: x',
    ],
    out,
    {
      remove: ['Subject', 'Organization', 'User-Agent', 'Reply-To', 'In-Reply-To', 'Call-Info', 'Server'],
      append: [],
      flags: ['needs-b2bua'],
    },
  ],
  [
    'ok/user and From anonymous already',
    ['From: "Anonymous" <sip:anonymous@anonymous.invalid>;tag=1', 'Privacy: user;critical', 'Subject: x'],
    out,
    { action: 'continue', remove: ['Subject'] },
  ],
  [
    'ok/#6 Reason goes in a response',
    ['Reason: Q.850;cause=16'],
    { ...out, message: 'response', status: 486 },
    { remove: ['Reason'] },
  ],
  ['ok/#6 Reason stays in a request', ['Reason: Q.850;cause=16'], { ...out, method: 'BYE' }, NOTHING],
  [
    'ok/T-69 Reason stays on the way in',
    ['Reason: Q.850;cause=16', 'Feature-Caps: *', 'Response-Source: x', 'P-Asserted-Identity: <sip:x@b.example>'],
    { message: 'response', status: 486 },
    { remove: ['Feature-Caps', 'Response-Source', 'P-Asserted-Identity'] },
  ],
  [
    'ok/#58 location stays at home',
    ['Geolocation: <cid:x>', 'Geolocation-Routing: yes'],
    out,
    { remove: ['Geolocation', 'Geolocation-Routing'] },
  ],
  [
    'ok/#12 Feature-Caps in ims24229',
    ['Feature-Caps: *;+g.3gpp.trf="<sip:t.a.example;iotl=x>"'],
    { ...out, mode: 'ims24229' },
    { append: ['Feature-Caps: *;+g.3gpp.trf="<sip:t.a.example>"'] },
  ],
]);

const history =
  'History-Info: <sip:u1@a.example?Privacy=history>;index=1, "B" <sip:u2@c.example;cause=302?Reason=SIP%3Bcause%3D302&Privacy=history>;index=1.1;rc=1';
table('History-Info and Diversion (§5.3)', [
  [
    'ok/strict: gone, and history with it',
    [history, 'Privacy: history;id'],
    out,
    { remove: ['History-Info', 'Privacy'], append: ['Privacy: id'] },
  ],
  [
    'ok/T-60 own entry anonymised, embedded Privacy gone everywhere',
    [history],
    { ...out, mode: 'ims24229' },
    {
      append: [
        'History-Info: <sip:anonymous@anonymous.invalid>;index=1, "B" <sip:u2@c.example;cause=302?Reason=SIP%3Bcause%3D302>;index=1.1;rc=1',
      ],
    },
  ],
  [
    'ok/Privacy: history: executed and taken off',
    ['History-Info: <sip:u1@a.example>;index=1', 'Privacy: history', 'Proxy-Require: privacy, foo'],
    { ...out, mode: 'ims24229' },
    { append: ['History-Info: <sip:anonymous@anonymous.invalid>;index=1', 'Proxy-Require: foo'] },
  ],
  [
    'ok/critical does not stay alone',
    ['History-Info: <sip:u1@a.example>;index=1', 'Privacy: history;critical'],
    { ...out, mode: 'ims24229' },
    { append: ['History-Info: <sip:anonymous@anonymous.invalid>;index=1'] },
  ],
  [
    'ok/Privacy: header does it too and stays',
    ['History-Info: <sip:u1@pcscf.a.example>;index=1', 'Privacy: header'],
    { ...out, mode: 'rfc3325' },
    { remove: ['History-Info'], append: ['History-Info: <sip:anonymous@anonymous.invalid>;index=1'] },
  ],
  [
    'ok/only id, but the entry asks',
    [history, 'Privacy: id'],
    { ...out, mode: 'rfc3325' },
    { remove: ['History-Info'] },
  ],
  [
    'ok/nobody asks: nothing changes',
    ['History-Info: <sip:u1@a.example>;index=1'],
    { ...out, mode: 'rfc3325' },
    NOTHING,
  ],
  [
    'ok/whose number is nobody can say',
    ['History-Info: <tel:+4930>;index=1', 'Privacy: history'],
    { ...out, mode: 'rfc3325' },
    { append: ['History-Info: <sip:anonymous@anonymous.invalid>;index=1'] },
  ],
  [
    'ok/an entry that cannot be read goes',
    ['History-Info: <sip:u1@a.example;index=1', 'Privacy: history'],
    { ...out, mode: 'rfc3325' },
    { remove: ['History-Info', 'Privacy'], append: [] },
  ],
  [
    'ok/bare quotes within a name, as Asterisk writes them of who redirected: whether they ask is unknown',
    [
      'Diversion: "Front "Q" Desk" <sip:+49301@a.example>;reason=user-busy',
      'History-Info: "Front "Q" Desk" <sip:+49301@a.example>;index=1',
    ],
    { ...out, mode: 'rfc3325' },
    { remove: ['Diversion', 'History-Info'] },
  ],
  [
    'ok/towards a trusted peer by its agreement',
    [history],
    { ...out, trusted: true, agreement: { headers: new Map([['history-info', { out: 'anonymise' }]]) } },
    { remove: ['History-Info'] },
  ],
  ['ok/towards a trusted peer untouched', [history, 'Privacy: history'], { ...out, trusted: true }, NOTHING],
  [
    'ok/#53 Diversion by its parameter',
    ['Diversion: <sip:u1@a.example>;reason=unconditional;privacy="full";counter=1, <sip:u2@a.example>;privacy=off'],
    { ...out, mode: 'ims24229' },
    {
      append: [
        'Diversion: <sip:anonymous@anonymous.invalid>;reason=unconditional;counter=1, <sip:u2@a.example>;privacy=off',
      ],
    },
  ],
  [
    'ok/#53 Diversion under Privacy: header',
    ['Diversion: <sip:u2@a.example>;privacy=off', 'Privacy: header'],
    { ...out, mode: 'ims24229' },
    { append: ['Diversion: <sip:anonymous@anonymous.invalid>'] },
  ],
  ['ok/#53 strict: gone', ['Diversion: <sip:u2@a.example>'], out, { remove: ['Diversion'] }],
  ['ok/#3 in, lax: kept as unverified', [history], { mode: 'ims24229' }, NOTHING],
]);

const sos: Case = { ruri: 'urn:service:sos.police' };
table('T-79 emergency calls are never refused for lack of trust', [
  [
    'ok/stripped, location stays',
    ['P-Asserted-Identity: <sip:x@b.example>', 'Geolocation: <cid:x>'],
    sos,
    { remove: ['P-Asserted-Identity'], flags: ['emergency'] },
  ],
  [
    'ok/location stays on the way out',
    ['Geolocation: <cid:x>', 'P-Access-Network-Info: x'],
    { ...sos, direction: 'out' },
    { remove: ['P-Access-Network-Info'] },
  ],
  [
    'ok/a location that cannot be read stays, without what says who added it',
    ['Geolocation: "x <https://lis.a.example/y>;loc-src=a.example', 'Geolocation: <https://lis.a.example/y;cpc=1>'],
    { ...sos, direction: 'out' },
    { append: ['Geolocation: "x <https://lis.a.example/y>', 'Geolocation: <https://lis.a.example/y;cpc=1>'] },
  ],
  [
    'ok/one of our identities is removed, not refused',
    ['P-Asserted-Identity: <sip:x@a.example>'],
    { ...sos, trusted: true },
    { remove: ['P-Asserted-Identity'], codes: ['assert-own'] },
  ],
  [
    'ok/one of our domains in From',
    ['From: <sip:x@a.example>;tag=1'],
    { ...sos, trusted: true },
    { ...NOTHING, codes: ['assert-own'] },
  ],
  ['ok/critical privacy', ['Privacy: header;critical'], sos, { action: 'continue' }],
  ['ok/break-in', ['P-DCS-OSPS: EI'], sos, { remove: ['P-DCS-OSPS'] }],
  [
    'ok/a malformed field that holds no identity',
    ['Foo\x01: x'],
    sos,
    { action: 'continue', flags: ['malformed-tolerated', 'emergency'] },
  ],
  ['ok/in capitals', ['P-DCS-OSPS: EI'], { ruri: 'URN:SERVICE:SOS' }, { action: 'continue' }],
  [
    'fail/no emergency by a name that only starts alike',
    ['P-DCS-OSPS: EI'],
    { ruri: 'urn:service:sosx' },
    { action: 'reject' },
  ],
]);

table('interconnects (§4.5)', [
  ['ok/#16 never, though trusted', ['Relayed-Charge: x'], { ...out, trusted: true }, { remove: ['Relayed-Charge'] }],
  [
    'ok/#25 never, though trusted',
    ['P-Charging-Function-Addresses: ccf=x'],
    trusted,
    { remove: ['P-Charging-Function-Addresses'] },
  ],
  [
    'ok/#26 roaming only',
    ['P-Visited-Network-ID: x', 'Path: <sip:x@b.example>', 'Service-Route: <sip:y>'],
    trusted,
    { remove: ['P-Visited-Network-ID', 'Path', 'Service-Route'] },
  ],
  [
    'ok/#26 roaming',
    ['P-Visited-Network-ID: x', 'Path: <sip:x@b.example>'],
    { trusted: true, agreement: { interconnect: 'roaming' } },
    NOTHING,
  ],
  [
    'ok/#20 not over roaming',
    ['Attestation-Info: A', 'Origination-Id: x'],
    { trusted: true, agreement: { interconnect: 'roaming' } },
    { remove: ['Attestation-Info', 'Origination-Id'] },
  ],
  ['ok/#20 non-roaming', ['Attestation-Info: A'], trusted, NOTHING],
  [
    'ok/#24 P-Charging-Vector, non-roaming: only icid and ioi',
    ['P-Charging-Vector: icid-value="a;b";orig-ioi=b.example;fe-identifier="x"'],
    trusted,
    { append: ['P-Charging-Vector: icid-value="a;b";orig-ioi=b.example'] },
  ],
  [
    'ok/#2 #8 #22 #54 trusted keeps',
    [
      'P-Access-Network-Info: 3GPP',
      'Additional-Identity: <sip:x@b.example>',
      'X-Foo: 1',
      'P-Bar: 2',
      'History-Info: <sip:x@c.example>;index=1',
    ],
    trusted,
    NOTHING,
  ],
  [
    'ok/#52 Identity over roaming is flagged',
    ['Identity: x'],
    { trusted: true, agreement: { interconnect: 'roaming' } },
    { ...NOTHING, flags: ['identity-unexpected'] },
  ],
]);

describe('overrides of an agreement', () => {
  const headers = (name: string, rule: { in?: 'keep' | 'remove'; out?: 'keep' | 'remove' }) => ({
    headers: new Map([[name, rule]]),
  });
  it('ok/a trusted peer: removed on demand', () => {
    expect(
      run(['History-Info: <sip:x@c.example>'], { trusted: true, agreement: headers('history-info', { in: 'remove' }) })
        .plan.remove,
    ).toEqual(['History-Info']);
    expect(run(['X-Foo: 1'], { trusted: true, agreement: headers('x-foo', { in: 'remove' }) }).plan.remove).toEqual([
      'X-Foo',
    ]);
  });
  it('fail/an untrusted peer gains nothing', () => {
    for (const name of ['P-Asserted-Identity', 'P-Served-User', 'X-Foo']) {
      const { plan } = run([`${name}: <sip:x@b.example>`], {
        agreement: headers(name.toLowerCase(), { in: 'keep', out: 'keep' }),
      });
      expect(plan.remove).toEqual([name]);
    }
  });
  it('fail/screening is not switched off by keep', () => {
    const { plan } = run(['P-Asserted-Identity: <sip:x@c.example>'], {
      trusted: true,
      agreement: headers('p-asserted-identity', { in: 'keep' }),
    });
    expect(plan.remove).toEqual(['P-Asserted-Identity']);
  });
  it('fail/what has no place at any border stays out', () => {
    const { plan } = run(['P-User-Database: x'], {
      trusted: true,
      agreement: headers('p-user-database', { in: 'keep' }),
    });
    expect(plan.remove).toEqual(['P-User-Database']);
  });
  it('fail/a message is never robbed of what makes it one', () => {
    const { plan } = run([], { trusted: true, agreement: headers('from', { in: 'remove' }) });
    expect(plan.remove).toEqual([]);
  });
});

describe('where the pieces come from', () => {
  it('ok/method, Request-URI from the start line', () => {
    const input = {
      ...inputOf(['P-DCS-OSPS: EI']),
      method: undefined,
      ruri: undefined,
      startLine: 'INVITE urn:service:sos SIP/2.0',
    };
    expect(planMessage(input)).toMatchObject({ action: 'continue', flags: ['emergency'] });
  });
  it('ok/the method of a response from CSeq', () => {
    const input = inputOf(['P-Asserted-Identity: <sip:bob@b.example>'], {
      trusted: true,
      message: 'response',
      status: 200,
    });
    expect(planMessage({ ...input, method: undefined }).remove).toEqual([]);
  });
  it('fail/a verdict of trusted without an agreement is no ground for trust', () => {
    const input = inputOf(['P-Asserted-Identity: <sip:bob@b.example>'], { trusted: true });
    expect(planMessage({ ...input, verdict: { ...input.verdict, agreement: undefined } }).remove).toEqual([
      'P-Asserted-Identity',
    ]);
  });
  it('ok/a verdict of reject refuses, but no emergency call', () => {
    const input = inputOf([]);
    const verdict = {
      ...input.verdict,
      verdict: 'reject' as const,
      action: 'reject' as const,
      code: 403,
      phrase: 'No',
    };
    expect(planMessage({ ...input, verdict })).toMatchObject({ action: 'reject', code: 403, phrase: 'No' });
    expect(planMessage({ ...input, verdict, ruri: 'urn:service:sos' }).action).toBe('continue');
  });
  it('ok/LF line ends throughout are read alike', () => {
    const block = scanText('From: <sip:x@b.example>;tag=1\nP-Asserted-Identity: <sip:x@b.example>\n\n');
    const plan = planMessage({ ...inputOf([]), block });
    expect(plan).toMatchObject({ action: 'continue', remove: ['P-Asserted-Identity'] });
    expect(values(applyPlan(block, plan), 'p-asserted-identity')).toEqual([]);
  });
});

const VIA_FLAG = ['via-transport-mismatch'];
const viaBy = (transport: string, via: string): readonly [readonly string[], Case] => [
  [`Via: ${via}`],
  { ruri: 'sips:alice@a.example', transport: transport as NonNullable<Case['transport']> },
];
table('T-5: the topmost Via claims a transport', [
  ['ok/T-5 TLS, over TCP', ...viaBy('tcp', 'SIP/2.0/TLS b.example;branch=z9hG4bK1'), { ...NOTHING, flags: VIA_FLAG }],
  ['ok/T-5 blanks and case', ...viaBy('udp', 'SIP / 2.0 / tLs b.example'), { ...NOTHING, flags: VIA_FLAG }],
  ['ok/T-5 UDP, over TLS', ...viaBy('tls', 'SIP/2.0/UDP b.example'), { ...NOTHING, flags: VIA_FLAG }],
  [
    'ok/T-5 of two values the first is the claim of the peer',
    ...viaBy('tcp', 'SIP/2.0/TCP b.example, SIP/2.0/TLS c.example'),
    { ...NOTHING, flags: [] },
  ],
  ['ok/T-5 what it came by', ...viaBy('tls', 'SIP/2.0/TLS b.example'), { ...NOTHING, flags: [] }],
  ['ok/T-5 TLS over SCTP', ...viaBy('sctp', 'SIP/2.0/TLS-SCTP b.example'), { ...NOTHING, flags: [] }],
  ['ok/T-5 nobody said', ...viaBy('unknown', 'SIP/2.0/TLS b.example'), { ...NOTHING, flags: [] }],
  [
    'ok/T-5 the identity goes, whatever Via and Request-URI claim',
    ['Via: SIP/2.0/TLS b.example', 'P-Asserted-Identity: <sip:x@b.example>'],
    { transport: 'tcp', ruri: 'sips:alice@a.example' },
    { remove: ['P-Asserted-Identity'], append: [], flags: VIA_FLAG },
  ],
  [
    'ok/T-5 of a response the topmost Via is ours',
    ['Via: SIP/2.0/TLS a.example'],
    { message: 'response', status: 200, transport: 'tcp' },
    { ...NOTHING, flags: [] },
  ],
]);
