import { expect } from 'vitest';
import { type Case, type Expectation, type Row, table } from './message-support.js';

const NOTHING: Expectation = { remove: [], append: [], ruri: '' };
const trusted: Case = { trusted: true };
const out: Case = { direction: 'out' };
const sos: Case = { ruri: 'urn:service:sos' };

table('P-9, P-10: every field that holds a URI', [
  [
    'ok/P-9 Geolocation of an emergency call: the location stays, what it embeds goes',
    ['Geolocation: <sip:x@a.example?P-Asserted-Identity=%3Csip:al%40a.example%3E>;routing-allowed=yes'],
    { ...out, ...sos },
    { append: ['Geolocation: <sip:x@a.example>;routing-allowed=yes'] },
  ],
  ...['"x <sip:l@a.example', '<sip:l@a.example;cpc=ordinary'].map(
    (location): Row => [
      `ok/P-9 nor out of one that cannot be read: ${location}`,
      [`Geolocation: ${location}?P-Asserted-Identity=%3Csip:al%40a.example%3E>x>;loc-src=a.example`],
      { ...out, ...sos },
      { append: [`Geolocation: ${location}>x>`] },
    ],
  ),
  ...[
    ['Route: <sip:edge.a.example;x=a b;orig>', 'Route: <sip:edge.a.example;x=a b>'],
    ['Route: <sip:+49;x=a:b;orig@a.example>', 'Route: <sip:+49;x=a:b@a.example>'],
    ['Contact: <sip:a b@c?P-Asserted-Identity=x>;q=1', 'Contact: <sip:a b@c>;q=1'],
    ['Contact: "x <sip:a,b@c?P-Asserted-Identity=x>', 'Contact: "x <sip:a,b@c>'],
    ['To: "x <sip:a@c;cpc=operator>', 'To: "x <sip:a@c>'],
    ['Refer-To: "x <sip:a@c?P-Asserted-Identity=x>', 'Refer-To: "x <sip:a@c>'],
    ['Route: sip:a b@c?X=1, <sip:edge;lr>', 'Route: sip:a b@c, <sip:edge;lr>'],
    ['Route: <sip:edge;lr>, sip:a b@c?X=1, sip:d e@f?Y=1,', 'Route: <sip:edge;lr>, sip:a b@c, sip:d e@f,'],
    ['To: "112" sip:112@c?X=1;tag=1', 'To: "112" sip:112@c;tag=1'],
  ].map(
    ([sent = '', left = '']): Row => [
      `ok/T-79 nor does a stranger bring it in behind what nobody can read, by calling it an emergency: ${sent}`,
      [sent],
      sos,
      { action: 'continue', append: [left] },
    ],
  ),
  ...['From', 'Contact'].map(
    (name): Row => [
      `ok/#47 a partner that may not verify says so neither behind what nobody can read: ${name}`,
      [`${name}: <sip:+49;x=a:b;verstat=TN-Validation-Passed@b.example>;q=1`],
      trusted,
      { append: [`${name}: <sip:+49;x=a:b@b.example>;q=1`] },
    ],
  ),
  [
    'ok/#58a RFC 8787 §4 a stranger says not who added a location',
    ['Geolocation: <cid:x@b.example>, <https://lis.b.example/y;z> ;loc-src = edge.a.example;q=1, <sip:l@c>;LOC-SRC=x'],
    {},
    { append: ['Geolocation: <cid:x@b.example>, <https://lis.b.example/y;z> ;q=1, <sip:l@c>'] },
  ],
  ['ok/#58a a partner does', ['Geolocation: <cid:x@b.example>;loc-src=edge.b.example'], trusted, NOTHING],
  [
    'ok/#58a RFC 8787 §3 nor is a stranger told in an emergency call',
    ['Geolocation: <https://lis.a.example/y>;loc-src=edge.a.example'],
    { ...out, ...sos },
    { append: ['Geolocation: <https://lis.a.example/y>'] },
  ],
  [
    'ok/#65 RFC 8599 §13 no stranger is told where a device gets its push notifications',
    [
      'm: "a;pn-prid" <sip:a@a.example;pn-provider=apns;ob;pn-param=D.b;PN-%50RID=00fc;pn-purr=1>;expires=1',
      'History-Info: <sip:a@a.example;pn-prid=x>;index=1',
    ],
    { ...out, mode: 'rfc3325' },
    {
      append: [
        'Contact: "a;pn-prid" <sip:a@a.example;ob;pn-purr=1>;expires=1',
        'History-Info: <sip:a@a.example>;index=1',
      ],
    },
  ],
  [
    'ok/#65 the Request-URI is theirs, and what a stranger says of itself stays',
    ['Contact: <sip:b@b.example;pn-prid=x>'],
    {},
    NOTHING,
  ],
  ['ok/#65 to a stranger', [], { ...out, ruri: 'sip:b@b.example;pn-prid=x' }, NOTHING],
  [
    'ok/#64 RFC 7255 §8 the number of a handset that is asked for, or refused',
    [
      'a: *;audio;+sip.instance="<urn:gsma:imei:1>";require',
      'Reject-Contact: *;+sip.instance="<urn:device-id:meid:1>"',
    ],
    out,
    { append: ['Accept-Contact: *;audio;require', 'Reject-Contact: *'] },
  ],
  [
    'ok/#64 nor by what a registrar made of it',
    [
      'm: <sip:a@a.example;gr=urn:gsma:imei:1;ob>;pub-gruu="sip:a@a.example;gr=urn:gsma:imei:1";q=1, <sip:b@c;gr=urn:uuid:1>',
    ],
    out,
    { append: ['Contact: <sip:a@a.example;ob>;q=1, <sip:b@c;gr=urn:uuid:1>'] },
  ],
  [
    'ok/#64 nor where that address is passed on, in a transfer or as where a call was sent to',
    [
      'r: "A" <sip:a@a.example;gr=urn:gsma:imei:1?Replaces=1%40c%3Bto-tag%3Da%3Bfrom-tag%3Db>',
      'History-Info: <sip:a@a.example>;index=1, <sip:a@a.example;gr=urn:gsma:imei:1>;index=1.1;rc=1',
    ],
    { ...out, mode: 'ims24229' },
    {
      append: [
        'Refer-To: "A" <sip:a@a.example?Replaces=1%40c%3Bto-tag%3Da%3Bfrom-tag%3Db>',
        'History-Info: <sip:a@a.example>;index=1, <sip:a@a.example>;index=1.1;rc=1',
      ],
    },
  ],
  [
    'ok/#64 a phone of ours is told what it has told us (RFC 5626 §6)',
    ['Contact: <sip:a@b.example>;pub-gruu="sip:a@a.example;gr=urn:gsma:imei:1";+sip.instance="<urn:gsma:imei:1>"'],
    { ...out, message: 'response', method: 'REGISTER' },
    NOTHING,
  ],
  [
    'ok/#64 in an emergency call it stays',
    ['Contact: <sip:a@a.example;gr=urn:gsma:imei:1>'],
    { ...out, ...sos },
    { ...NOTHING, flags: ['emergency'] },
  ],
  [
    'ok/#61 RFC 8497 no stranger has our calls logged, nor the other way round',
    ['Session-ID: 1;LOGME ;remote=2', 'Session-ID: 3;remote=4;logmein'],
    {},
    { append: ['Session-ID: 1;remote=2', 'Session-ID: 3;remote=4;logmein'] },
  ],
  ['ok/#61 out', ['Session-ID: 1;remote=2;logme'], out, { append: ['Session-ID: 1;remote=2'] }],
  [
    'ok/#61 behind quotes that readers disagree on',
    [
      'Session-ID: 1a";logme',
      'Session-ID: 1a";logme;x="',
      'Session-ID: 1a;x="y;LogMe',
      'Session-ID: 1a;x=\\";logme',
      'Session-ID: 1a;x = "logme;logme";remote="a;logme=b"',
    ],
    {},
    { append: ['Session-ID: 1a;x = "logme;logme";remote="a;logme=b"'] },
  ],
  ['ok/#61 a partner does', ['Session-ID: 1;remote=2;logme'], trusted, NOTHING],
  [
    'ok/#64 one that another parameter seems to quote',
    ['Contact: <sip:a@a.example>;+g.x="y;+sip.instance="<urn:gsma:imei:1>"'],
    out,
    { append: ['Contact: <sip:a@a.example>;+g.x="y'] },
  ],
  [
    'ok/#53 a third name of Diversion',
    ['CC-Redirect: <sip:x@a.example>;reason=unconditional'],
    out,
    { remove: ['CC-Redirect'] },
  ],
  [
    'ok/#44 orig in Geolocation',
    ['Geolocation: <sip:x@a.example;orig>'],
    {},
    { append: ['Geolocation: <sip:x@a.example>'] },
  ],
  [
    'ok/P-9 Refer-Events-At, Policy-Contact, Permission-Missing',
    [
      'Refer-Events-At: <sip:x@a.example?P-Asserted-Identity=y>',
      'Policy-Contact: <sip:x@a.example;cpc=operator>',
      'Permission-Missing: sip:x@a.example;oli=1',
    ],
    out,
    {
      append: [
        'Refer-Events-At: <sip:x@a.example>',
        'Policy-Contact: <sip:x@a.example>',
        'Permission-Missing: sip:x@a.example',
      ],
    },
  ],
  [
    'ok/P-9 one that cannot be read and embeds something goes as a whole',
    ['Trigger-Consent: sip:x@a.example?P-Asserted-Identity=y'],
    {},
    { remove: ['Trigger-Consent'], append: [] },
  ],
  [
    'ok/P-9 in the quotes of a feature tag',
    ['Contact: <sip:b@b.example>;+x="<sip:y@c.example?P-Asserted-Identity=sip:alice>";q=1'],
    out,
    { append: ['Contact: <sip:b@b.example>;+x="<sip:y@c.example>";q=1'] },
  ],
  [
    'ok/P-9 in Feature-Caps, where the mode keeps it',
    ['Feature-Caps: *;+g.3gpp.trf="<sip:t.a.example?P-Asserted-Identity=z>"'],
    { ...out, mode: 'ims24229' },
    { append: ['Feature-Caps: *;+g.3gpp.trf="<sip:t.a.example>"'] },
  ],
  [
    'ok/#14 in Reject-Contact',
    ['j: *;+g.3gpp.trf="<sip:t.a.example;iotl=a-b>"'],
    {},
    { append: ['Reject-Contact: *;+g.3gpp.trf="<sip:t.a.example>"'] },
  ],
  [
    'ok/P-9 the query of an http URI in quotes is none',
    ['Contact: <sip:b@b.example>;x="<http://c/?a=sip>"'],
    {},
    NOTHING,
  ],
  [
    'ok/P-14 Replaces that becomes two lines when it becomes a header field',
    ['Refer-To: <sip:a@c.example?Replaces=1%0D%0AP-Asserted-Identity:%20x>'],
    { ...out, method: 'REFER' },
    { append: ['Refer-To: <sip:a@c.example>'] },
  ],
  [
    'ok/#53 the older name of Diversion',
    ['CC-Diversion: <sip:x@a.example>;reason=unconditional'],
    { ...out, mode: 'rfc3325' },
    { remove: ['CC-Diversion'], append: [] },
  ],
  ['ok/P-10 escaped in the user part', [], { ruri: 'sip:+1%3Bcpc=operator@a.example' }, { ruri: 'sip:+1@a.example' }],
  [
    'ok/P-10 escaped name in the user part',
    [],
    { ruri: 'sip:+1;%63%70%63=operator@a.example' },
    { ruri: 'sip:+1@a.example' },
  ],
  ['ok/P-10 not in a display name', ['From: "x;cpc=1" <tel:+1>;tag=9'], {}, NOTHING],
  [
    'fail/P-6 a blank before the name of a parameter',
    ['Route: <sip:p.a.example;lr; orig>'],
    {},
    { action: 'reject', code: 400 },
  ],
  [
    'fail/P-6 Refer-To without brackets',
    ['Refer-To: sip:a@b.example?P-Asserted-Identity=x'],
    { method: 'REFER' },
    { action: 'reject', code: 400 },
  ],
]);

table('a phone that answers by itself lets whoever calls listen', [
  ...[
    'Answer-Mode: Auto',
    'priv-answer-mode : Auto;require',
    'Alert-Info: <http://x>;info=alert-autoanswer',
    'ALERT-INFO: Ring Answer',
  ].map(
    (row): Row => [
      `fail/${row}`,
      [row],
      {},
      { remove: [expect.stringMatching(new RegExp(`^${row.split(/ *:/)[0]}$`, 'i'))] },
    ],
  ),
  [
    'fail/the option tag goes with it',
    ['Priv-Answer-Mode: Auto', 'Require: timer, answermode', 'Proxy-Require: answermode'],
    {},
    { remove: ['Priv-Answer-Mode', 'Require', 'Proxy-Require'], append: ['Require: timer'] },
  ],
  [
    'fail/Call-Info',
    ['Call-Info: <sip:x@c.example>;answer-after=0, <http://c.example/y>;Answer-After=0;purpose=icon'],
    {},
    { append: ['Call-Info: <sip:x@c.example>, <http://c.example/y>;purpose=icon'] },
  ],
  ...['\\;answer-after=0', ';answer-after=0', 'answer-after=0', ' Answer-After = 0', '<answer-after=0>'].map(
    (value): Row => [
      `fail/Call-Info without a URI: ${value}`,
      [`Call-Info: ${value}`],
      {},
      { remove: ['Call-Info'], append: [] },
    ],
  ),
  [
    'fail/Call-Info, what a reader of semicolons finds',
    ['Call-Info: <sip:x@c.example>\\;answer-after=0', 'Call-Info: <http://c.example/y>;purpose=icon'],
    {},
    { remove: ['Call-Info'], append: ['Call-Info: <http://c.example/y>;purpose=icon'] },
  ],
  [
    'ok/of a partner',
    ['Answer-Mode: Auto', 'Alert-Info: <urn:alert:x>', 'Call-Info: <sip:x>;answer-after=0'],
    trusted,
    NOTHING,
  ],
  [
    'ok/to a stranger, who may be a phone of ours',
    ['Answer-Mode: Auto', 'Call-Info: <sip:x@c>;answer-after=0'],
    out,
    NOTHING,
  ],
  [
    'ok/a call that waits, in an answer',
    ['Alert-Info: <urn:alert:service:call-waiting>', 'Answer-Mode: Manual'],
    { message: 'response', status: 180 },
    NOTHING,
  ],
]);

table('who a partner says that a call is of besides, and who pays for it', [
  ...['Additional-Identity', 'P-Charge-Info'].flatMap((name): Row[] => [
    [`ok/${name} of its own`, [`${name}: <sip:+4930@b.example;user=phone>;npi=ISDN`], { trusted: true }, NOTHING],
    [
      `fail/${name} of ours, and of others`,
      [`${name}: <sip:x@a.example>`, `${name}: <sip:x@c.example>`, `${name}: "B" <sip:y@b.example>`],
      { trusted: true },
      { remove: [name], append: [`${name}: "B" <sip:y@b.example>`] },
    ],
    [
      `ok/${name} of ours where our users roam`,
      [`${name}: <sip:x@a.example>`],
      { trusted: true, agreement: { interconnect: 'roaming' } },
      NOTHING,
    ],
  ]),
]);

table('§4.4 bodies, by any spelling of their type', [
  [
    'fail/B-2 blanks around the slash',
    ['Content-Type: application / 3gpp-ims+xml', 'Content-Disposition: render;handling = "required"'],
    {},
    { action: 'reject', code: 415 },
  ],
  [
    'fail/B-2 behind another type',
    ['Content-Type: application/sdp', 'c: application/isup', 'Content-Disposition: signal;handling=required'],
    {},
    { action: 'reject', code: 415 },
  ],
  [
    'fail/B-2 in capitals',
    ['CONTENT-TYPE: Application/ISUP;version=x', 'content-disposition: signal ; Handling=REQUIRED'],
    {},
    { action: 'reject', code: 415 },
  ],
  [
    'ok/B-3 T-54 whatever a multipart body holds is flagged, not used',
    ['Content-Type: multipart/mixed;boundary=x'],
    {},
    { ...NOTHING, flags: ['body-untrusted'] },
  ],
]);

table('#24a P-Charging-Vector over a non-roaming interconnect', [
  [
    'ok/only icid and ioi cross, whatever a release calls the rest',
    ['P-Charging-Vector: icid-value=1;eth-charging-info="x;y";orig-ioi=b;ecid=3;GGSN=192.0.2.1;flag;related-icid=9'],
    trusted,
    { append: ['P-Charging-Vector: icid-value=1;orig-ioi=b;related-icid=9'] },
  ],
  [
    'ok/all that RFC 7315 §5.6 defines crosses',
    [
      'P-Charging-Vector: icid-value="1";icid-generated-at=192.0.2.1;orig-ioi=b;term-ioi=c;transit-ioi="d.1,void"' +
        ';related-icid=9;related-icid-generated-at="[2001:db8::1]"',
    ],
    trusted,
    NOTHING,
  ],
  [
    'ok/what stands first goes too',
    ['P-Charging-Vector: fe-identifier="x";ICID-Value = 1 ;term-ioi=b'],
    { ...out, trusted: true },
    { append: ['P-Charging-Vector: ICID-Value = 1 ;term-ioi=b'] },
  ],
  [
    'ok/all of it legal stays, byte for byte',
    ['P-Charging-Vector: icid-value="a;ggsn=1" ; orig-ioi=b.example;'],
    trusted,
    NOTHING,
  ],
  [
    'ok/nothing legal in it',
    ['P-Charging-Vector: "x, y" <tel:+4930>'],
    trusted,
    { remove: ['P-Charging-Vector'], append: [] },
  ],
  [
    'ok/P-7 an open quote takes the row',
    ['P-Charging-Vector: icid-value="a;ggsn=1'],
    trusted,
    { remove: ['P-Charging-Vector'], append: [] },
  ],
  [
    'ok/roaming keeps the detail',
    ['P-Charging-Vector: icid-value=1;ggsn=192.0.2.1'],
    { trusted: true, agreement: { interconnect: 'roaming' } },
    NOTHING,
  ],
]);

table('§5.6 S-1, S-2: what speaks for a domain', [
  [
    'fail/S-2 From, a local number of ours',
    ['From: <tel:7042;phone-context=a.example>;tag=1'],
    trusted,
    { action: 'reject', code: 403, codes: ['assert-own'] },
  ],
  [
    'fail/S-2 a local number of ours in the user part',
    ['P-Asserted-Identity: <sip:7042;phone-context=A.example.@b.example;user=phone>'],
    trusted,
    { action: 'reject', code: 403, codes: ['assert-own'] },
  ],
  [
    'fail/S-2 a local number of ours behind the host',
    ['P-Asserted-Identity: <sip:7042@b.example;user=phone;phone-context=a.example>'],
    trusted,
    { action: 'reject', code: 403 },
  ],
  [
    'fail/S-1 a local number of somebody else',
    ['P-Asserted-Identity: <sip:7042;phone-context=c.example@b.example;user=phone>'],
    trusted,
    { remove: ['P-Asserted-Identity'], append: [], codes: ['assert-foreign'] },
  ],
  [
    'ok/S-1 a local number of the peer',
    ['P-Asserted-Identity: <sip:7042;phone-context=b.example@b.example>'],
    trusted,
    NOTHING,
  ],
  [
    'ok/S-1 a context that is a prefix',
    ['P-Asserted-Identity: <sip:7042;phone-context=+4930@b.example>'],
    trusted,
    NOTHING,
  ],
  [
    'ok/S-7 From of a local number of somebody else is flagged',
    ['From: <tel:7042;phone-context=c.example>;tag=1'],
    trusted,
    { ...NOTHING, flags: ['from-foreign'] },
  ],
  [
    'ok/S-7 a global number speaks for no domain',
    ['From: <tel:+4930;phone-context=a.example>;tag=1'],
    trusted,
    NOTHING,
  ],
  ...['UPDATE', 'MESSAGE', 'SUBSCRIBE', 'PUBLISH', 'NOTIFY', 'REFER', 'INFO', 'OPTIONS', 'BYE', 'PRACK'].map(
    (method): Row => [
      `fail/S-2 H-4 in ${method} too`,
      ['P-Asserted-Identity: <sip:x@a.example>'],
      { ...trusted, method },
      { action: 'reject', code: 403, codes: ['assert-own'] },
    ],
  ),
]);

table('§5.2, §5.3 anonymous in part is not anonymous', [
  [
    'fail/T-57 user, critical: the display name still tells',
    ['From: "Alice" <sip:anonymous@anonymous.invalid>;tag=1', 'Privacy: user;critical'],
    out,
    { action: 'reject', code: 500 },
  ],
  [
    'fail/T-57 user, critical: the user part still tells',
    ['From: <sip:alice@anonymous.invalid>;tag=1', 'Privacy: user;critical'],
    out,
    { action: 'reject', code: 500 },
  ],
  [
    'ok/user needs a B2BUA then',
    ['From: <sip:alice@anonymous.invalid>;tag=1', 'Privacy: user'],
    out,
    { flags: ['needs-b2bua'] },
  ],
  [
    'ok/user and all of From anonymous',
    ['From: Anonymous <sip:Anonymous@anonymous.invalid>;tag=1', 'Privacy: user'],
    out,
    { flags: [] },
  ],
  [
    'ok/user and a From of nobody whose number is not known (TS 23.003 §13.7)',
    ['From: <sip:unavailable@unknown.invalid>;tag=1', 'Privacy: user'],
    out,
    { flags: [] },
  ],
  [
    'ok/T-60 History-Info: a name before a host of nobody',
    ['History-Info: "Alice" <sip:alice@unknown.invalid>;index=1', 'Privacy: history'],
    { ...out, mode: 'ims24229' },
    { remove: ['History-Info', 'Privacy'], append: ['History-Info: <sip:anonymous@anonymous.invalid>;index=1'] },
  ],
  [
    'ok/T-60 History-Info: a name before an anonymous host',
    ['History-Info: "Alice" <sip:alice@anonymous.invalid>;index=1', 'Privacy: history'],
    { ...out, mode: 'ims24229' },
    { remove: ['History-Info', 'Privacy'], append: ['History-Info: <sip:anonymous@anonymous.invalid>;index=1'] },
  ],
  [
    'ok/#53 Diversion: a name before an anonymous host',
    ['Diversion: "Alice" <sip:alice@anonymous.invalid>;privacy=full;counter=1'],
    { ...out, mode: 'ims24229' },
    { append: ['Diversion: <sip:anonymous@anonymous.invalid>;counter=1'] },
  ],
  [
    'ok/T-60 an escaped host cannot be read, so the entry goes',
    ['History-Info: <sip:al@%61.example>;index=1', 'Privacy: history'],
    { ...out, mode: 'ims24229' },
    { remove: ['History-Info', 'Privacy'], append: [] },
  ],
]);

table('option tags go with their header field', [
  [
    'ok/#3a histinfo',
    ['History-Info: <sip:x@c.example>;index=1', 'Require: histinfo, 100rel'],
    {},
    { remove: ['History-Info', 'Require'], append: ['Require: 100rel'] },
  ],
  [
    'ok/#3a where History-Info stays, the tag does',
    ['History-Info: <sip:x@c.example>;index=1', 'Require: histinfo'],
    trusted,
    NOTHING,
  ],
  [
    'ok/#43a path',
    ['Path: <sip:x@b.example>', 'Proxy-Require: Path'],
    {},
    { remove: ['Path', 'Proxy-Require'], append: [] },
  ],
  [
    'ok/V-6 what is only supported stays',
    ['Resource-Priority: ets.0', 'k: resource-priority, histinfo'],
    {},
    { remove: ['Resource-Priority'], append: [] },
  ],
]);

table('§9.2 methods', [
  [
    'fail/1.6 REGISTER in small letters: a registrar may be lenient',
    [],
    { method: 'register' },
    { action: 'reject', code: 403 },
  ],
  [
    'ok/TS 29.165 Table 6.1 REGISTER where nobody roams',
    [],
    { ...trusted, method: 'REGISTER' },
    { ...NOTHING, flags: ['register-not-roaming'] },
  ],
  [
    'ok/REGISTER of roamers',
    [],
    { trusted: true, agreement: { interconnect: 'roaming' }, method: 'REGISTER' },
    { ...NOTHING, flags: [] },
  ],
  ['ok/MESSAGE is a matter of agreement', [], { method: 'MESSAGE' }, { ...NOTHING, flags: ['method-by-agreement'] }],
  ['ok/UPDATE is not', [], { method: 'UPDATE' }, { ...NOTHING, flags: [] }],
  ['ok/nor is anything on the way out', [], { ...out, method: 'MESSAGE' }, { ...NOTHING, flags: [] }],
]);

table('P-9 a question mark in the user part', [
  [
    'ok/RFC 4475 3.1.1.2',
    [],
    { ruri: "sip:1_x.~(y!z)&isn't+it$/crazy?,/;;*:&it+has=1,w!*p$o~d_t.(d't-it)@a.example" },
    NOTHING,
  ],
  [
    'fail/but not with a private name behind it',
    [],
    { ruri: 'sip:x?P-Asserted-Identity=y@a.example' },
    { action: 'reject', code: 400 },
  ],
]);

table('a name is another one to readers that decode it (drachtio, node-sip)', [
  ...(['in', 'out'] as const).flatMap((direction): readonly Row[] =>
    [false, true].map((isTrusted) => [
      `fail/no identity, and no second length: ${direction}, trusted ${isTrusted}`,
      ['P%2dAsserted-Identity: <sip:b@b.example>', '%u0058-Foo: 1', 'Content-L%65ngth: 0', 'Subject%00: x'],
      { direction, trusted: isTrusted },
      { remove: ['P%2dAsserted-Identity', '%u0058-Foo', 'Content-L%65ngth'], append: [] },
    ]),
  ),
  ['ok/RFC 4475 §3.1.1.5 others stay', ['C%6Fntact: <sip:a@b>', "extensionHeader-!.%*+_`'~: x"], {}, NOTHING],
]);

table('P-10 parameters behind what some readers take for a blank, or for a separator', [
  ...['\x0b', '\x0c', '\xa0', '\xc2\xa0', '\x7f', '%20', '%0B'].map(
    (blank): Row => [
      `ok/${JSON.stringify(blank)} before the name, on the way out`,
      [`Contact: <sip:+1;x=y;${blank}cpc=operator@a.example>`],
      { ...out, method: 'OPTIONS' },
      /[\x00-\x1f\x7f]/.test(blank) ? { action: 'reject' } : { append: ['Contact: <sip:+1;x=y@a.example>'] },
    ],
  ),
  [
    'ok/an escaped equals sign behind the >',
    ['From: <sip:bob@b.example>;cpc%3Doperator;tag=1'],
    {},
    { append: ['From: <sip:bob@b.example>;tag=1'] },
  ],
  [
    'ok/an escaped semicolon in the quotes of a feature tag',
    ['Accept-Contact: *;+g.3gpp.trf="<sip:+1%3Biotl%3DhomeA-homeB@b.example>"'],
    {},
    { append: ['Accept-Contact: *;+g.3gpp.trf="<sip:+1@b.example>"'] },
  ],
  [
    'ok/an escaped semicolon where no URI can be read',
    ['Call-Info: <sip:+1%3Bcpc =operator@b.example>;purpose=info'],
    {},
    { remove: ['Call-Info'], append: [] },
  ],
  [
    'ok/a word of URN and of Replaces is none',
    [
      'Contact: <sip:b@b.example>;+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service.ims.icsi.mmtel"',
      'Refer-To: <sip:x@b.example?Replaces=1%40c%3Bto-tag%3Da%3Bfrom-tag%3Db>',
    ],
    { method: 'REFER' },
    NOTHING,
  ],
]);

/** Contacts in which `pn-prid` or `cpc`, by one reading or another, stands where no edit can reach it. */
const BEYOND_EDIT: readonly ((param: string) => string)[] = [
  (param) => `"a <sip:a@a.example;${param}=SECRET>"`,
  (param) => `"a <sip:a@a.example;${param}=SECRET>`,
  (param) => `<sip:a@a.example;${param}=SECRET`,
  (param) => `<sip:a@a.example;${param}=SECRET>>`,
  (param) => `<sip:c@a.example>, "a <sip:a@a.example;${param}=SECRET>, <sip:d@a.example>`,
  (param) => `"a" <sip:a@a.example> <sip:b;${param}=SECRET>`,
  (param) => `<sip:a@a.example;x=%3b${param}=SECRET>`,
  (param) => `<sip:a@a.example;lr>;x=" ;${param}=SECRET`,
  (param) => `*;x="<sip:a@a.example;${param}=SECRET>"`,
];
const REFUSED: Expectation = { action: 'reject', code: 400, codes: ['malformed-header'] };
const MODES: readonly Case[] = [
  out,
  { ...out, mode: 'ims24229' },
  { ...out, agreement: { interconnect: 'roaming' } },
  { ...out, method: 'ACK' },
  { ...out, message: 'response', status: 200 },
];

table('what cannot be taken out of a Contact does not leave with it', [
  ...BEYOND_EDIT.flatMap((contact) =>
    ['cpc', 'pn-prid', 'PN-Provider', 'pn-%70aram'].flatMap((param) =>
      MODES.map(
        (spec): Row => [
          `fail/#65 ${contact(param)}, ${JSON.stringify(spec)}`,
          [`Contact: ${contact(param)}`],
          spec,
          REFUSED,
        ],
      ),
    ),
  ),
  ...BEYOND_EDIT.flatMap((contact): readonly Row[] => [
    [`ok/#65 to a partner: ${contact('pn-prid')}`, [`m: ${contact('pn-prid')}`], { ...out, ...trusted }, NOTHING],
    [`ok/#65 from a stranger: ${contact('pn-prid')}`, [`Call-Info: ${contact('pn-prid')}`], {}, NOTHING],
    [
      `ok/#65 an emergency call goes on without: ${contact('pn-prid')}`,
      [`m: ${contact('pn-prid')}`, 'P-Asserted-Identity: <sip:a@a.example>'],
      { ...out, ...sos },
      {
        remove: ['Contact', 'P-Asserted-Identity'],
        append: [`Contact: ${contact('pn-prid').replace(/(?:;|%3b)pn-prid=SECRET/, '')}`],
      },
    ],
    [
      `ok/#65 History-Info goes as a whole: ${contact('pn-prid')}`,
      ['History-Info: <sip:b@a.example>;index=1', `History-Info: ${contact('pn-prid')}`],
      { ...out, mode: 'ims24229' },
      { remove: ['History-Info'], append: ['History-Info: <sip:b@a.example>;index=1'] },
    ],
    [
      `ok/#58a Geolocation too, from a stranger: ${contact('loc-src')}`,
      [`Geolocation: ${contact('loc-src')}`, 'Geolocation: <sip:b@b.example>'],
      {},
      { remove: ['Geolocation'], append: ['Geolocation: <sip:b@b.example>'] },
    ],
  ]),
]);

/** Parameters of a handset's number, none of which ends where it should. */
const UNENDED: readonly string[] = [
  ';+sip.instance="<urn:gsma:imei:SECRET>',
  ';+SIP.Instance = "<URN:GSMA:IMEI:SECRET>',
  ';+g.x="y";+sip.instance="<urn:device-id:meid:SECRET>',
  ';+sip.instance="<urn:gsma:imei:SECRET>\\"',
  ';+sip.instance="\\"<urn:gsma:imei:SECRET>',
  ';+sip.instance=""<urn:gsma:imei:SECRET>""',
  ';+sip.instance="<urn:uuid:1>" <urn:gsma:imei:SECRET>',
  ';+sip.instance= x "<urn:gsma:imei:SECRET>"',
  ';+sip.instance=<urn:gsma:imei:SECRET',
  ';+g.x="y;+sip.instance="\\<urn:gsma:imei:SECRET>"',
  ' +sip.instance="<urn:gsma:imei:SECRET>"',
  '%3b+sip.instance="<urn:gsma:imei:SECRET>"',
  ';\xc2\xa0+sip.instance="<urn:gsma:imei:SECRET>"',
];

table('the number of a handset in quotes that end nowhere', [
  ...UNENDED.flatMap((param): readonly Row[] => [
    ...MODES.map(
      (spec): Row => [
        `fail/#64 <sip:a@a.example>${param}, ${JSON.stringify(spec)}`,
        [`Contact: <sip:a@a.example>${param}`],
        spec,
        REFUSED,
      ],
    ),
    [
      `ok/#64 Accept-Contact and Reject-Contact go as a whole: ${param}`,
      ['Accept-Contact: *;audio', `a: *${param}`, `j: *${param}`],
      out,
      { remove: ['Accept-Contact', 'Reject-Contact'], append: ['Accept-Contact: *;audio'] },
    ],
    [
      `ok/#64 an emergency call keeps it: ${param}`,
      [`Contact: <sip:a@a.example>${param}`],
      { ...out, ...sos },
      NOTHING,
    ],
    [`ok/#64 a partner gets it: ${param}`, [`m: <sip:a@a.example>${param}`], { ...out, ...trusted }, NOTHING],
    [`ok/#64 a stranger may tell its own: ${param}`, [`j: *${param}`], {}, NOTHING],
  ]),
  [
    'ok/#64 one in another parameter, and in a name, is none of this row',
    ['Contact: "urn:gsma:imei:1" <sip:a@a.example>;+sip.instance="<urn:uuid:1>";+g.x="urn:gsma:imei:1"'],
    out,
    NOTHING,
  ],
]);

table('a Request-URI with bytes that no answer can carry', [
  [
    'ok/#44 Latin-1 hides no parameter',
    [],
    { ruri: 'sip:m\xfcller;orig@a.example;orig' },
    { ruri: 'sip:m%FCller@a.example' },
  ],
  [
    'ok/P-9 nor an embedded field',
    [],
    { ruri: 'sip:m\xfc@a.example?P-Asserted-Identity=x' },
    { ruri: 'sip:m%FC@a.example' },
  ],
  [
    'ok/a line end of Unicode neither',
    [],
    { ruri: 'sip:a\xe2\x80\xa8;cpc=x@a.example' },
    { ruri: 'sip:a%E2%80%A8@a.example' },
  ],
  ['ok/what needs no change is not touched', [], { ruri: 'sip:m\xfcller@a.example' }, NOTHING],
]);

table('RFC 3261 §7 asks for UTF-8, and equipment sends Latin-1', [
  [
    'ok/a display name in Latin-1 drops no call',
    ['From: "M\xfcller" <sip:+49301@b.example>;tag=1', 'Contact: <sip:b@b.example;orig>'],
    {},
    { remove: ['Contact'], append: ['Contact: <sip:b@b.example>'] },
  ],
  [
    'ok/where the row has to be written anew, it is written in UTF-8',
    ['From: "M\xfcller" <sip:+49301@b.example;cpc=ordinary>;tag=1'],
    {},
    { append: ['From: "M\xc3\xbcller" <sip:+49301@b.example>;tag=1'] },
  ],
  [
    'fail/what a decoder may make a line end of',
    ['Subject: x\xc0\x8d\xc0\x8aP-Asserted-Identity: <sip:x@a.example>'],
    {},
    { action: 'reject', code: 400 },
  ],
]);

table('#13, #55 values that somebody may read more loosely', [
  ['ok/with a parameter', ['Priority: psap-callback;x=y'], {}, { remove: ['Priority'], append: [] }],
  ['ok/in quotes', ['Priority: "psap-callback"'], {}, { remove: ['Priority'], append: [] }],
  ['ok/other values stay', ['Priority: emergency;x=y'], {}, NOTHING],
  [
    'ok/a quoted-pair in a purpose',
    ['Call-Info: <http://b.example/a>;purpose="jc\\ard", <http://b.example/b>;purpose=icon'],
    {},
    { append: ['Call-Info: <http://b.example/b>;purpose=icon'] },
  ],
]);

table('RFC 3966 §3: a telephone number with signs', [
  ['ok/an escaped #', ['To: <tel:%2330%23123;phone-context=b.example>'], {}, NOTHING],
  [
    'ok/and a parameter behind it',
    [],
    { ruri: 'tel:%2331%23+4930;cpc=operator', method: 'OPTIONS' },
    { action: 'reject' },
  ],
  [
    'ok/S-3 is screened as what it is',
    ['P-Asserted-Identity: <tel:%2B1555>'],
    { trusted: true, agreement: { asserts: { domains: ['b.example'], numbers: ['+49'], transit: false } } },
    { remove: ['P-Asserted-Identity'], append: [] },
  ],
]);
