/**
 * What the plugin settles without a question: its Perl-compatible groups, matched by PCRE, held against the plan that
 * siptrustd would make of the same message.
 */

import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { kamailioInclude, keptNames } from '../../../src/sip/kamailio/headers.js';
import { bearingParam } from '../../../src/sip/script/posix.js';
import { EMERGENCY_URI, PROFILES, type Profile, type ProfileName } from '../../../src/sip/table/profiles.js';
import { type Hook, hookClass, hookDirection } from '../../../src/sip/table/rules.js';
import { planMessage } from '../../../src/trust/message/message.js';
import { applyPlan } from '../../support/apply-plan.js';
import { groupMatcher } from '../../support/groups.js';
import { anyRows, methods, requestUris } from '../../support/header-blocks.js';
import { runs } from '../../support/runs.js';
import type { Case } from '../../unit/trust/message/message-support.js';
import { GROUPS, group, HOOK_NAMES, messageOf, WELL_FORMED } from './group-numbers.js';

const matcher = groupMatcher(GROUPS);
if (matcher === undefined)
  console.warn('skipped: matching as Kamailio does needs /usr/bin/python3 and PCRE, and they are not there');
afterAll(() => matcher?.close());

/** Rows of which PJSIP reads the host, or the comment, up to the next closing bracket, in whatever line that is. */
const OPEN = [
  ...['Contact', 'm', 'Record-Route', 'Route', 'Reply-To', 'From', 't', 'Path', 'R'].map((name) => `${name}: <sip:a@[`),
  ...['Contact: sip:[', 'Contact : "[x]" <sips:[::1>;y=[::1', 'Record-Route: <sip:a@[::1];lr>, <sip:[::1;lr>'],
  ...[
    'Via: SIP/2.0/UDP [',
    'v: SIP/2.0/UDP [::1',
    'VIA: SIP/2.0/UDP a.example;x (',
    'v : SIP/2.0/UDP a (b), SIP/2.0/UDP c (',
  ],
];
const CLOSED = [
  ...[
    'm: "[x" <sip:a@[::1]:5060>;y=[',
    'Record-Route: <sip:[::1];lr>, <sip:[::2];lr>',
    'Reply-To: Bob [x <sip:b@b.example>',
  ],
  ...[
    'Via: SIP/2.0/UDP [::1]:5060;received=[::1];branch=z9hG4bK1',
    'v: SIP/2.0/UDP a.example (b) , SIP/2.0/UDP [::1] (c)',
  ],
  ...['Subject: (a [b', 'Foo: <sip:a@[', 'Route: <sip:[2001:db8::1];lr>'],
];

function profileNamed(name: ProfileName): Profile {
  const profile = PROFILES.find((each) => each.name === name);
  if (profile === undefined) throw new Error(`no profile ${name}`);
  return profile;
}

const SETTINGS: readonly (readonly [ProfileName, Case])[] = [
  ['untrusted', {}],
  ['untrusted-rfc3325', { mode: 'rfc3325' }],
  ['untrusted-ims24229', { mode: 'ims24229' }],
  ['trusted', { trusted: true }],
  ['trusted-roaming', { trusted: true, agreement: { interconnect: 'roaming' } }],
  ['trusted-enterprise', { trusted: true, agreement: { interconnect: 'enterprise' } }],
];

/** What else the script asks of a message before it lets the group settle it: siptrust-in.cfg, SIPTRUST_MAY_ASSERT. */
function screened(name: ProfileName, hook: Hook, method: string, raw: string): boolean {
  // No identity in ACK and CANCEL: siptrust-out.cfg takes it out of those.
  if (hookDirection(hook) === 'out') return hook === 'response-out' || (method !== 'ACK' && method !== 'CANCEL');
  if (!name.startsWith('trusted')) return hook === 'response-in' || method !== 'REGISTER';
  if (hook === 'request-in' && method !== 'ACK' && !/^From:[^\r]*<sips?:[^@>\r]*@b\.example[;>]/im.test(raw))
    return false;
  const [, assertion] = /^P-Asserted-Identity[ \t]*:([^\r]*)/im.exec(raw) ?? [];
  if (assertion === undefined) return true;
  return method !== 'ACK' && method !== 'CANCEL' && /<sips?:[^@>]*@b\.example[;>]/i.test(assertion);
}

describe.skipIf(matcher === undefined)('the groups of the plugin', () => {
  const samples = fc.sample(fc.tuple(anyRows, methods, requestUris), { numRuns: runs(200), seed: 33_203 });

  describe.each(SETTINGS)('%s', (name, spec) => {
    it.each(HOOK_NAMES)(
      'ok/%s: what the group calls clean, the plan leaves alone; what the list settles, it settles as the plan',
      (hook) => {
        const all = samples.map(([rows, method, ruri]) => ({
          method,
          ruri,
          ...messageOf(rows, hook, method, ruri, spec),
        }));
        const raws = all.map(({ raw }) => raw);
        const clean = matcher?.matches(group(name, hook, 'clean'), raws) ?? [];
        const listed = matcher?.matches(group(name, hook, 'listed'), raws) ?? [];
        const { remove, removeUnlessEmergency, lines } = profileNamed(name).hooks[hook];
        for (const [at, { input, raw, method, ruri }] of all.entries()) {
          if ((!clean[at] && !listed[at]) || !screened(name, hook, method, raw)) continue;
          const plan = planMessage(input);
          // The script may be content with what is odd but hides nothing.
          if (plan.action === 'reject') {
            expect([400, 513], raw).toContain(plan.code);
            continue;
          }
          const after = applyPlan(input.block, plan)
            .fields.map(({ raw: row }) => row)
            .sort();
          const emergency = hookClass(hook) === 'request' && new RegExp(EMERGENCY_URI, 'i').test(ruri);
          const stays = new RegExp(keptNames(emergency ? remove : [...remove, ...removeUnlessEmergency]), 'i');
          const before = input.block.fields.filter((field) => clean[at] || stays.test(field.name));
          // What subst_hf() takes out of those that stay.
          const bare = ({ key, raw: row }: (typeof before)[number]): string =>
            lines.bearing
              .filter(({ fields }) => fields.includes(key) && !clean[at] && !emergency)
              .reduce((text, each) => text.replace(new RegExp(bearingParam(each), 'gi'), ''), row);
          expect(plan.ruri, raw).toBe('');
          expect(before.map(bare).sort(), raw).toEqual(after);
        }
        expect(clean).toContain(true);
        expect(listed).toContain(true);
      },
    );
  });

  const ORDINARY = [
    'Contact: <sip:bob@192.0.2.1:5061;transport=tls>;+sip.instance="<urn:uuid:1>"',
    'Subject: how are you? sip?',
    'Call-Info: <http://www.b.example/photo.jpg?size=1>;purpose=icon',
    'User-Agent: Phone/1.0 (x; y)',
    'Allow: INVITE, ACK, BYE',
    'Supported: 100rel, timer',
    'Content-Type: application/sdp',
    'Content-Length: 0',
  ];

  it.each(SETTINGS)('ok/%s: an ordinary message of every method needs no look', (name, spec) => {
    for (const hook of HOOK_NAMES) {
      const raws = ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'MESSAGE', 'UPDATE', 'PRACK', 'INFO'].map(
        (method) => messageOf(ORDINARY, hook, method, 'sip:alice@a.example', spec).raw,
      );
      expect(matcher?.matches(group(name, hook, 'clean'), raws)).toEqual(raws.map(() => true));
    }
  });

  const ODD = [
    'Subject: a\r\n b',
    'Subject: a\rb',
    'Subject: a\nb',
    'Subject: a\0b',
    'Subject\x0b: a',
    'Subject',
    'Contact: <sip:x@b.example?P-Asserted-Identity=y>',
    'Contact: <sip:x@b.example;cpc=operator>',
    'Contact: <sip:x@b.example; \t cpc=operator>',
    'Contact: <sip:x@b.example;%63pc=operator>',
    // Whoever decodes a user part before looking into it finds a parameter there.
    'Contact: <sip:+1%3Bcpc=operator@b.example>',
    'Contact: <sip:+1%3bcp%63%3Doperator@b.example>',
    'Contact: <sip:+1;x=y%3Borig%3D1@b.example>',
    // What some readers take for a blank, or for a line end.
    'Contact: <sip:x@b.example;\x0bcpc=operator>',
    'Contact: <sip:x@b.example;\xa0cpc=operator>',
    'Date: a\x0bP-Asserted-Identity: <sip:x@b.example>',
    'Date: a\x1eP-Asserted-Identity: <sip:x@b.example>',
    'Date: a\xc2\x85P-Asserted-Identity: <sip:x@b.example>',
    'Date: a\xe2\x80\xa8P-Asserted-Identity: <sip:x@b.example>',
    'Date: a\x85P-Asserted-Identity: <sip:x@b.example>',
    'Date: a\xc0\x8aP-Asserted-Identity: <sip:x@b.example>',
    'Date: a\xe0\x80\x8aP-Asserted-Identity: <sip:x@b.example>',
    'Contact: "\xf0\x80\x80\x8aP-Asserted-Identity: x" <sip:x@b.example>',
  ];

  /** What contradicts itself; our own side is not held to that. */
  const TWICE = [
    'Content-Length: 0\r\nl: 1',
    'Content-Length: 1x',
    'From: <sip:x@b.example>\r\nf: <sip:y@b.example>',
    'Call-ID: a\r\nCall-ID: b',
    't: <sip:x@b.example?y>\r\nTo: <sip:x@b.example>',
    'CSeq: 1 INVITE\r\nMax-Forwards: 1\r\nMax-Forwards: 2',
  ];

  it.each(['strict', 'untrusted', 'untrusted-rfc3325', 'untrusted-ims24229'] as const)(
    'fail/%s: what can be read in more than one way, or hides something in a value, is settled by no group',
    (name) => {
      for (const hook of HOOK_NAMES) {
        const odd = hookDirection(hook) === 'in' ? [...ODD, ...TWICE] : ODD;
        const raws = odd.map((row) => messageOf([row], hook, 'INVITE', 'sip:alice@a.example', {}).raw);
        const none = raws.map(() => false);
        expect(matcher?.matches(group(name, hook, 'clean'), raws), hook).toEqual(none);
        expect(matcher?.matches(group(name, hook, 'listed'), raws), hook).toEqual(none);
      }
    },
  );

  it.each(['strict', 'untrusted', 'untrusted-rfc3325', 'untrusted-ims24229'] as const)(
    'fail/%s: nor is a field that is looked into for something else',
    (name) => {
      const rows = [
        'Call-Info: <sip:x@b.example;cpc=operator>;purpose=info',
        'Call-Info: <sip:x@b.example?P-Asserted-Identity=y>;purpose=call-completion',
        'Call-Info: <http://b.example/>;purpose="jc\\ard"',
        'Priority: \xa0psap-callback',
        'Priority: psap-callback;x',
      ];
      const raws = rows.map((row) => messageOf([row], 'request-in', 'INVITE', 'sip:alice@a.example', {}).raw);
      expect(matcher?.matches(group(name, 'request-in', 'clean'), raws)).toEqual(raws.map(() => false));
    },
  );

  it.each(['trusted', 'trusted-roaming', 'trusted-enterprise'] as const)(
    'fail/%s: a From in which readers find different names is settled by no group, but in an answer, where it is our own',
    (name) => {
      const odd = [
        'From: sip:x@b.example;a<sip:boss@a.example>;tag=1',
        'From: sip:boss@a.example <sip:x@b.example>;tag=1',
        'f : tel:+49301 <sip:x@b.example>;tag=1',
        'From: a;b <sip:x@b.example>;tag=1',
        'From: <sip:x@b.example>;tag=1;<sip:boss@a.example>',
        'From: <sip:x@b.example>;x=<sip:boss@a.example>;tag=1',
        'From: <sip:x@b.example>;x="\\"<sip:boss@a.example>";<sip:boss@a.example>',
        'From: "a\\\\" sip:boss@a.example <sip:x@b.example>;tag=1',
        'From: "a" "b:" <sip:x@b.example>;tag=1',
        'From: sip:x@b.example;tag=1;x=sip:boss@a.example',
        'From: sip:x@b.example;x=y@a.example;tag=1',
        'From: sip:b.example;x@a.example;tag=1',
        'From: sip:x@b.example?y@a.example;tag=1',
      ];
      const fine = [
        'From: <sip:x@b.example>;tag=1',
        'From:"sip:boss@a.example" <sip:x@b.example;user=phone>;tag=1',
        'f: "a\\" <sip:boss@a.example>"<sip:x@b.example>;x="<y>";tag=1',
        'From: Smith, J. <sip:x@b.example> ; tag=1',
        'From: Bj\xc3\xb6rn <sip:x@b.example:5060>',
        'From: sip:x@b.example',
        'From:sip:x@b.example;tag=1;x="y"',
        'From: <tel:+49301>;tag=1',
      ];
      const rows = [...odd, ...fine];
      for (const kind of ['clean', 'listed'] as const) {
        const found = (hook: Hook, more: readonly string[]) =>
          matcher?.matches(
            group(name, hook, kind),
            rows.map((row) => messageOf([row, ...more], hook, 'INVITE', 'sip:alice@a.example', { trusted: true }).raw),
          );
        // In its place, and elsewhere.
        for (const more of [['To: <sip:alice@a.example>', 'Call-ID: 1@b.example', 'CSeq: 1 INVITE'], []]) {
          expect(found('request-in', more)).toEqual([...odd.map(() => false), ...fine.map(() => true)]);
          expect(found('response-in', more)).toEqual(rows.map(() => true));
        }
      }
    },
  );

  it.each(['strict', 'untrusted', 'untrusted-rfc3325', 'untrusted-ims24229'] as const)(
    'ok/%s: the number of a handset goes by the list, is a matter for the plan where it is odd, and stays in an emergency call',
    (name) => {
      const contacts = ['imei', 'IMEI', 'meid'].map(
        (what) =>
          `m : <sip:b@b.example>;audio;+sip.instance="<urn:${what === 'meid' ? 'device-id' : 'gsma'}:${what}:1>";x`,
      );
      const odd = [
        'Contact: <sip:b@b.example>;+sip.instance=<urn:gsma:imei:1>',
        'Contact: <sip:b@b.example>;+sip.instance="<urn:gsma:imei:1>\\""',
        'Contact: <sip:b@b.example>;+sip.instance="<urn:gsma:imei:1>";x="urn:gsma:imei:1"',
        'Contact: "urn:gsma:imei" <sip:b@b.example>;+sip.instance="<urn:gsma:imei:1>"',
      ];
      const rows = [
        ...contacts,
        ...odd,
        'Contact: <sip:b@b.example>;+sip.instance="<urn:gsmx:imei>"',
        `Subject: ${contacts[0]}`,
      ];
      for (const kind of ['clean', 'listed'] as const) {
        for (const hook of ['request-out', 'response-out'] as const) {
          const raws = rows.map((row) => messageOf([row], hook, 'INVITE', 'sip:alice@a.example', {}).raw);
          const settled = kind === 'listed' || name !== 'strict';
          const goes = contacts.map(() => kind === 'listed');
          const expected = [...goes, ...odd.map(() => false), true, settled];
          expect(matcher?.matches(group(name, hook, kind), raws), hook).toEqual(expected);
        }
        const raws = ['urn:service:sos', 'URN:service:sos.fire', 'urn:service:sosx', 'sip:urn:service:sos@b'].map(
          (ruri) => messageOf(contacts.slice(0, 1), 'request-out', 'INVITE', ruri, {}).raw,
        );
        expect(matcher?.matches(group(name, 'request-out', kind), raws)).toEqual([
          true,
          true,
          ...[false, false].map(() => kind === 'listed'),
        ]);
      }
    },
  );

  it.each(['strict', 'untrusted', 'untrusted-rfc3325', 'untrusted-ims24229'] as const)(
    'fail/%s: what stays in an emergency call is looked into there, and goes unseen in any other',
    (name) => {
      const plain = ['Geolocation: <cid:x@a.example>, <https://l.a.example/y>;q=1', 'geolocation-routing:yes'];
      const odd = [
        'Geolocation: <sip:x@a.example;oli=1>',
        'Geolocation : <sip:x@a.example?P-Asserted-Identity=y>',
        'Geolocation: <https://l.a.example/y> ; loc-src=edge.a.example',
        'Geolocation: <https://l.a.example/y>;%6Coc-src=edge.a.example',
        'Geolocation-Routing: yes\x0b',
      ];
      const rows = [...plain, ...odd];
      const listed = (ruri: string) =>
        matcher?.matches(
          group(name, 'request-out', 'listed'),
          rows.map((row) => messageOf([row], 'request-out', 'INVITE', ruri, {}).raw),
        );
      expect(listed('urn:service:sos.fire')).toEqual([...plain.map(() => true), ...odd.map(() => false)]);
      expect(listed('sip:a@b.example')).toEqual(rows.map(() => true));
    },
  );

  it.each(['strict', 'untrusted', 'untrusted-rfc3325', 'untrusted-ims24229'] as const)(
    'fail/%s: what tells of a device or of who adds a location is settled by no list',
    (name) => {
      const rows = {
        out: [
          'Contact: <sip:a@a.example;pn-prid=x>',
          'm: <sip:a@a.example;x;PN-Param = x>',
          'Contact: <sip:a@a.example;%70n-provider=x>',
          'Contact: <sip:+1%3Bpn-prid=x@a.example>',
          'Contact: <sip:+1%3Bpn-prid%3Dx@a.example>',
          'Contact: <sip:a@a.example;gr=urn:gsma:imei:1>',
          'Session-ID: 1;remote=2 ; LogMe',
          'Accept-Contact: *;+sip.instance="<urn:gsma:imei:1>"',
          'j: *;+sip.instance="<URN:device-id:MEID:1>"',
          'Refer-To: <sip:a@a.example;gr=urn:gsma:imei:1>',
          'r: "A" <sip:a@a.example;gr=urn:gsma:imei:1?Replaces=1%40c%3Bto-tag%3Da%3Bfrom-tag%3Db>',
        ],
        in: [
          'Geolocation: <cid:x>;loc-src=a',
          'Geolocation: <cid:x>;q=1; \tLoc-Src = a',
          'Session-ID: 1;remote=2;logme',
        ],
      } as const;
      const fine = {
        out: [
          'Contact: "Bj\xc3\xb6rn" <sip:a@a.example;pn-purr=x;pn-params;p>;purpose',
          'a: *;audio;+sip.instance="<urn:uuid:1>"',
          'Contact: <sip:a@a.example;gr=urn:uuid:1>',
          'r: "A" <sip:a@a.example;gr=urn:uuid:1?Replaces=1%40c%3Bto-tag%3Da%3Bfrom-tag%3Db>',
          'Session-ID: 1;remote=2',
        ],
        in: [
          'Session-ID: 1 ;remote=2;logmein',
          'Contact: <sip:b@b.example;pn-prid=x>',
          'Geolocation: <cid:x>;loc-source=a, <https://l/y?z>;q="loc-src"',
        ],
      } as const;
      for (const kind of name === 'strict' ? (['listed'] as const) : (['clean', 'listed'] as const)) {
        for (const hook of HOOK_NAMES) {
          const found = (of: typeof rows | typeof fine) =>
            matcher?.matches(
              group(name, hook, kind),
              of[hookDirection(hook)].map((row) => messageOf([row], hook, 'INVITE', 'sip:a@b.example', {}).raw),
            );
          expect(found(rows), hook).toEqual(rows[hookDirection(hook)].map(() => false));
          expect(found(fine), hook).toEqual(fine[hookDirection(hook)].map(() => true));
        }
      }
    },
  );

  it('ok/an escaped semicolon before any other name needs no look, nor does a letter that is none of ASCII', () => {
    const rows = [
      'Contact: <sip:b@b.example>;+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service.ims.icsi.mmtel"',
      'Refer-To: <sip:x@b.example?Replaces=1%40c%3Bto-tag%3Da%3Bfrom-tag%3Db>',
      'Contact: <sip:%23%3Bx=1@b.example>',
      'Contact: "Bj\xc3\xb6rn \xe2\x80\x99 \xc2\xb7 \xe5\xb1\xb1" <sip:b@b.example>',
      'Subject: M\xfcller',
      'Contact: "\xc3\x85se B\x85, \xc4\x85" <sip:a@b.example>',
      'Subject: \xc0 \xe0 \xf0 \xe0\xa4\x95 \xf0\x9f\x98\x80',
    ];
    const raws = rows.map((row) => messageOf([row], 'request-in', 'INVITE', 'sip:alice@a.example', {}).raw);
    for (const [name] of SETTINGS)
      expect(matcher?.matches(group(name, 'request-in', 'clean'), raws), name).toEqual(raws.map(() => true));
  });

  it.each<[string, string, boolean]>([
    ['fail/a NUL in a value', 'Subject: a\0b', false],
    ['ok/a percent sign in a name', 'P%41: x', true],
    ['fail/a fold', 'Subject: a\r\n b', false],
    ['fail/a bare LF', 'Subject: a\nb', false],
    ['fail/a second length', 'Content-Length: 0\r\nContent-Length: 0', false],
    ['fail/a name that is no token', 'P-Asserted\xa0Identity: x', false],
    ...OPEN.map((row): [string, string, boolean] => ['fail/a bracket that never closes', row, false]),
    ['ok/brackets that close, and such as open no host', CLOSED.join('\r\n'), true],
  ])('%s: well formed is %s', (_, row, expected) => {
    const { raw } = messageOf([row], 'request-in', 'INVITE', 'sip:alice@a.example', {});
    expect(matcher?.matches(WELL_FORMED, [raw])).toEqual([expected]);
  });

  it.each(SETTINGS.map(([name]) => name))('fail/%s: where a bracket never closes, some reader reads on', (name) => {
    const clean = (row: string) => {
      const { raw } = messageOf([row], 'request-in', 'INVITE', 'sip:alice@a.example', {});
      return [group(name, 'request-in', 'clean'), group(name, 'request-in', 'listed'), WELL_FORMED].map(
        (number) => matcher?.matches(number, [raw])[0],
      );
    };
    for (const row of OPEN) expect(clean(row), row).toEqual([false, false, false]);
    for (const row of CLOSED) expect(clean(row), row).toEqual([true, true, true]);
    // A name that is another one to whoever decodes it is a plan's to judge.
    expect(clean('P%2DAsserted-Identity: <sip:b@b.example>')).toEqual([false, false, true]);
  });

  it.each(['strict', 'untrusted', 'untrusted-rfc3325', 'untrusted-ims24229'] as const)(
    'fail/%s: what a lenient reader takes for a URI, or for a parameter, needs a look',
    (name) => {
      const rows: readonly [string, boolean][] = [
        ['Refer-To: ;sip:x@b.example?P-Asserted-Identity=y', false],
        ['Refer-To: <x; sip:x@b.example?P-Asserted-Identity=y>', false],
        ['Contact: <sip:a@b.example>;tel:+1?P-Asserted-Identity=y', false],
        ['Subject: why;sips:x@b.example?', false],
        ['Subject: why;sip?; and: how?', true],
        ['Authorization: Digest username="a", <integrity-protected="yes"', false],
        ['Authorization: Digest username="a", <integrity="yes"', true],
      ];
      const raws = rows.map(([row]) => messageOf([row], 'request-in', 'INVITE', 'sip:alice@a.example', {}).raw);
      expect(matcher?.matches(group(name, 'request-in', 'clean'), raws)).toEqual(rows.map(([, each]) => each));
    },
  );

  it.each(['strict', 'untrusted', 'trusted', 'trusted-enterprise', 'trusted-roaming'] as const)(
    'fail/%s: a Route that starts services, or that may once odd bytes are gone, needs a look, but of a network where users roam',
    (name) => {
      const roaming = name === 'trusted-roaming';
      const rows: readonly [string, boolean][] = [
        ['Route: <sip:192.0.2.1;lr>, <sip:[2001:db8::1]:5060;lr;r2=on>', true],
        ['route :\t<sip:mo@p.example;lr>,<sip:originator@s.example;lr>', true],
        ['Route: <sip:p.example;lr>,<sip:orig@s.example;lr>', roaming],
        ['Route: <sip:mo@p.example;lr>, <sip:x:ORIG@s.example;lr>', roaming],
        ['route : <sip:iscmark@s.example;lr>', roaming],
        ['Route: <sip:or\x01ig@s.example;lr>', false],
        ['Route: <sip:s\xc3\xb6.example;lr>', roaming],
        ['Route: <sip:s.example;lr;orig>', roaming],
        ['Route: <sip:mo@s.example;lr;orig>', roaming],
      ];
      const raws = rows.map(([row]) => messageOf([row], 'request-in', 'INVITE', 'sip:alice@a.example', {}).raw);
      expect(matcher?.matches(group(name, 'request-in', 'clean'), raws)).toEqual(rows.map(([, each]) => each));
    },
  );

  it.each(['strict', 'untrusted', 'untrusted-rfc3325', 'untrusted-ims24229'] as const)(
    'ok/%s: of what Refer-To may embed, the dialog to be replaced needs no look (RFC 3891)',
    (name) => {
      const rows: readonly [string, boolean][] = [
        ['Refer-To: <sip:x@b.example?Replaces=1%40c%3Bto-tag%3Da%3Bfrom-tag%3Db>', true],
        ['r: "X; y" <sip:x@b.example;user=phone?replaces=1@c>;gr=z', true],
        ['Refer-To: <sip:x@b.example?Replaces=1&P-Asserted-Identity=y>', false],
        ['Refer-To: <sip:x@b.example?P-Asserted-Identity=y&Replaces=1>', false],
        ['Refer-To: <sip:x@b.example;cpc=y?Replaces=1>', false],
        ['Refer-To: <sip:x@b.example?Replaces=1>;cpc=y', false],
        ['Refer-To: <sip:x@b.example?Replaces=1>, <sip:x@b.example?P-Asserted-Identity=y>', false],
        ['Contact: <sip:x@b.example?Replaces=1>', false],
      ];
      for (const hook of HOOK_NAMES) {
        const raws = rows.map(([row]) => messageOf([row], hook, 'REFER', 'sip:alice@a.example', {}).raw);
        const settled = rows.map(([, each]) => each);
        expect(matcher?.matches(group(name, hook, 'clean'), raws), hook).toEqual(settled);
      }
    },
  );

  it('ok/what the script looks at to know the groups again is so', () => {
    const defines = new Map(
      [...kamailioInclude().matchAll(/^#!define (\S+) "(\d+)"/gm)].map(([, name = '', number = '']) => [name, number]),
    );
    const checks = [...kamailioInclude().matchAll(/pcre_match_group\("([^"$]*)", "?(\w+)"?\) ([<>])/g)];
    expect(checks.length).toBeGreaterThan(30);
    for (const [whole, text = '', group = '', compared] of checks) {
      const message = text.replaceAll('\\r\\n', '\r\n');
      expect(matcher?.matches(Number(defines.get(group) ?? group), [message]), whole).toEqual([compared === '>']);
    }
  });

  it('ok/no line of the file is longer than the module reads', () => {
    expect(Math.max(...GROUPS.split('\n').map((line) => line.length))).toBeLessThan(496);
  });
});
