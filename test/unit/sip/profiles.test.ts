import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { latin1 } from '../../../src/sip/ascii.js';
import { fieldKey } from '../../../src/sip/field-names.js';
import type { HeaderBlock } from '../../../src/sip/header-block.js';
import { anyOf, namePattern } from '../../../src/sip/kamailio.js';
import {
  BARE_LINE_END,
  EMERGENCY_URI,
  PROFILES,
  type Profile,
  type ProfileName,
  type ProfileTerms,
  profileOf,
} from '../../../src/sip/profiles.js';
import { HOOKS, type Hook, hookClass, hookDirection } from '../../../src/sip/rules.js';
import { planMessage } from '../../../src/trust/message.js';
import { applyPlan } from '../../support/apply-plan.js';
import { anyRows, methods, requestUris } from '../../support/header-blocks.js';
import { type Case, inputOf } from '../trust/message-support.js';

function profileNamed(name: ProfileName): Profile {
  return PROFILES.find((profile) => profile.name === name)!;
}

function terms(over: Partial<NonNullable<ProfileTerms['agreement']>> = {}): NonNullable<ProfileTerms['agreement']> {
  return {
    interconnect: 'non-roaming',
    privacy: 'strict33203',
    headers: new Map(),
    asserts: { numbers: 'any' },
    ...over,
  };
}

describe('profileOf', () => {
  const overridden = terms({ headers: new Map([['history-info', { in: 'remove' }]]) });
  it.each([
    ['ok/trusted', { verdict: 'trusted', agreement: terms() }, 'trusted'],
    ['ok/roaming', { verdict: 'trusted', agreement: terms({ interconnect: 'roaming' }) }, 'trusted-roaming'],
    ['ok/loopback', { verdict: 'trusted', agreement: terms({ interconnect: 'loopback' }) }, 'trusted-roaming'],
    ['ok/enterprise', { verdict: 'trusted', agreement: terms({ interconnect: 'enterprise' }) }, 'trusted-enterprise'],
    ['ok/internet', { verdict: 'trusted', agreement: terms({ interconnect: 'internet' }) }, 'trusted-enterprise'],
    ['ok/overrides are asked for', { verdict: 'trusted', agreement: overridden }, 'ask'],
    [
      'ok/number prefixes are asked for',
      { verdict: 'trusted', agreement: terms({ asserts: { numbers: ['+49'] } }) },
      'ask',
    ],
    ['ok/untrusted', { verdict: 'untrusted', agreement: undefined }, 'untrusted'],
    [
      'ok/untrusted under an agreement',
      { verdict: 'untrusted', agreement: terms({ privacy: 'rfc3325' }) },
      'untrusted-rfc3325',
    ],
    ['ok/reject', { verdict: 'reject', agreement: terms({ privacy: 'ims24229' }) }, 'untrusted-ims24229'],
    ['ok/untrusted, overrides that narrow are asked for', { verdict: 'untrusted', agreement: overridden }, 'ask'],
    [
      'ok/untrusted, overrides that keep change nothing',
      { verdict: 'untrusted', agreement: terms({ headers: new Map([['verstat', { in: 'keep' }]]) }) },
      'untrusted',
    ],
    ['fail/trusted without an agreement', { verdict: 'trusted', agreement: undefined }, 'strict'],
  ] as const)('%s', (_, verdict, name) => {
    expect(profileOf(verdict)).toBe(name);
  });

  it('ok/strangers by the mode of the policy', () => {
    expect(profileOf({ verdict: 'untrusted', agreement: undefined }, 'ims24229')).toBe('untrusted-ims24229');
  });
});

describe('the static lists', () => {
  it('ok/the first profile removes whatever any other one removes', () => {
    const [strict] = PROFILES;
    for (const hook of HOOKS) {
      const all = new RegExp(
        namePattern([...strict!.hooks[hook].remove, ...strict!.hooks[hook].removeUnlessEmergency]),
        'i',
      );
      for (const { name, hooks } of PROFILES) {
        if (name.startsWith('trusted')) continue;
        for (const field of [...hooks[hook].remove, ...hooks[hook].removeUnlessEmergency])
          expect(field.replace('*', 'x')).toMatch(all);
      }
    }
  });

  it('ok/no list removes what makes a message', () => {
    for (const { hooks } of PROFILES) {
      for (const hook of HOOKS) {
        const pattern = new RegExp(namePattern(hooks[hook].remove), 'i');
        for (const name of [
          'Via',
          'v',
          'From',
          'f',
          'To',
          't',
          'Call-ID',
          'i',
          'CSeq',
          'Contact',
          'm',
          'Route',
          'Record-Route',
          'Content-Length',
          'l',
          'Content-Type',
          'c',
          'Max-Forwards',
          'Identity',
          'y',
          'Privacy',
        ]) {
          expect(name).not.toMatch(pattern);
        }
      }
    }
  });

  it('ok/compact forms of what the strictest list removes', () => {
    expect(profileNamed('strict').hooks['request-out'].remove).toContain('s');
  });

  it('ok/location stays in an emergency call', () => {
    expect(profileNamed('untrusted').hooks['request-out'].removeUnlessEmergency).toEqual([
      'Geolocation',
      'Geolocation-Routing',
    ]);
  });
});

/** What the script sees: which messages it may settle by the list alone. */
function asks(profile: Profile, hook: Hook, method: string, message: string, block: HeaderBlock): boolean {
  const { triggers, methodTriggers, always, screens } = profile.hooks[hook];
  const bears = (name: string): boolean => block.fields.some(({ key }) => key === fieldKey(name));
  if (always) return true;
  if (methodTriggers.some((each) => each.methods.includes(method) && (each.field === undefined || bears(each.field))))
    return true;
  // The script screens From and P-Asserted-Identity by comparing them; here any that is there is asked for.
  if (screens && (bears('P-Asserted-Identity') || !/^From: "Bob" <sip:bob@b\.example>/m.test(message))) return true;
  // A NUL ends what the proxy's patterns see.
  const seen = message.split('\0')[0]!;
  if (!seen.includes('\r\n\r\n')) return true;
  if (hookDirection(hook) === 'in' && new RegExp(BARE_LINE_END, 'i').test(seen)) return true;
  return (
    new RegExp(anyOf(triggers.map(({ hint }) => hint)), 'i').test(seen) &&
    new RegExp(anyOf(triggers.map(({ pattern }) => pattern)), 'i').test(seen)
  );
}

/** Can the proxy's parser read the whole block? Where it cannot, the script refuses the message unasked. */
function isReadable(block: HeaderBlock): boolean {
  const keys = block.fields.map(({ key }) => key);
  const once = ['from', 'to', 'call-id', 'cseq', 'max-forwards', 'content-length'];
  return (
    block.rows.every(({ field }) => field?.regular === true) &&
    once.every((key) => keys.filter((each) => each === key).length <= 1)
  );
}

const SETTINGS: readonly (readonly [ProfileName, Case])[] = [
  ['untrusted', {}],
  ['untrusted-rfc3325', { mode: 'rfc3325' }],
  ['untrusted-ims24229', { mode: 'ims24229' }],
  ['trusted', { trusted: true }],
  ['trusted-roaming', { trusted: true, agreement: { interconnect: 'roaming' } }],
  ['trusted-enterprise', { trusted: true, agreement: { interconnect: 'enterprise' } }],
];

describe('the triggers', () => {
  it.each(SETTINGS)('ok/%s: what no trigger finds, the list settles as the plan would', (name, spec) => {
    const profile = profileNamed(name);
    fc.assert(
      fc.property(anyRows, fc.constantFrom(...HOOKS), methods, requestUris, (rows, hook, method, ruri) => {
        const message = hookClass(hook);
        const input = inputOf(rows, { ...spec, direction: hookDirection(hook), message, method, status: 200, ruri });
        // The only CSeq that fits the method; otherwise both sides see another message.
        const head = message === 'request' ? `${method} ${ruri} SIP/2.0` : 'SIP/2.0 200 OK';
        const raw = `${head}\r\n${input.block.rows.map((row) => row.raw + row.end).join('')}\r\n`;
        if (!isReadable(input.block) || asks(profile, hook, method, raw, input.block)) return;
        const plan = planMessage(input);
        const { remove, removeUnlessEmergency } = profile.hooks[hook];
        const emergency = message === 'request' && new RegExp(EMERGENCY_URI, 'i').test(ruri);
        const list = new RegExp(namePattern(emergency ? remove : [...remove, ...removeUnlessEmergency]), 'i');
        const settled = input.block.fields.filter(({ name: field }) => !list.test(field)).map(({ raw: row }) => row);
        expect(plan.ruri).toBe('');
        if (plan.action === 'reject') {
          // The proxy may be content with what is odd but hides nothing; a list that leaves nothing private will do.
          expect([400, 513]).toContain(plan.code);
          return;
        }
        expect([...settled].sort()).toEqual(
          applyPlan(input.block, plan)
            .fields.map(({ raw: row }) => row)
            .sort(),
        );
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['untrusted', 'request-in', 'INVITE sip:a@a.example;orig SIP/2.0', [], true],
    ['untrusted', 'request-in', 'INVITE sip:a@a.example;original=1 SIP/2.0', [], false],
    ['untrusted', 'request-in', 'INVITE sip:a@a.example SIP/2.0', ['P-Asserted-Identity: <sip:b@b.example>'], false],
    ['untrusted', 'request-in', 'INVITE sip:a@a.example SIP/2.0', ['Contact: <sip:b@b.example?Subject=x>'], true],
    [
      'untrusted',
      'request-in',
      'INVITE sip:a@a.example SIP/2.0',
      ['Require: 100rel', 'Priority: urgent', 'Subject: why?'],
      false,
    ],
    ['untrusted', 'request-in', 'INVITE sip:a@a.example SIP/2.0', ['Priority:\r\n psap-callback'], true],
    ['untrusted', 'request-in', 'REGISTER sip:a.example SIP/2.0', [], true],
    ['untrusted', 'request-in', 'INVITE sip:a@a.example SIP/2.0', ['Subject: folded\r\n but harmless'], false],
    ['untrusted', 'request-in', 'INVITE sip:a@a.example SIP/2.0', ['Subject: folded\r\n P-Foo: x'], true],
    [
      'untrusted',
      'request-out',
      'INVITE sip:a@a.example SIP/2.0',
      ['Privacy: id', 'P-Asserted-Identity: <sip:b@b.example>'],
      false,
    ],
    ['untrusted', 'request-out', 'INVITE sip:a@a.example SIP/2.0', ['Privacy: history'], true],
    ['untrusted', 'request-out', 'INVITE sip:a@a.example SIP/2.0', ['Privacy: id;header'], true],
    ['untrusted', 'response-out', 'SIP/2.0 200 OK', ['Privacy:  id', 'privacy:id '], false],
    [
      'untrusted-rfc3325',
      'request-out',
      'INVITE sip:a@a.example SIP/2.0',
      ['P-Asserted-Identity: <sip:b@b.example>'],
      true,
    ],
    [
      'trusted',
      'request-out',
      'INVITE sip:a@a.example;cpc=x SIP/2.0',
      ['P-Asserted-Identity: <sip:b@b.example>', 'History-Info: <sip:x>'],
      false,
    ],
    [
      'trusted',
      'request-out',
      'INVITE sip:a@a.example SIP/2.0',
      ['P-Charging-Vector: icid-value=1;fe-identifier=x'],
      true,
    ],
    ['trusted', 'request-in', 'INVITE sip:a@a.example SIP/2.0', ['P-Charging-Vector: icid-value=1;orig-ioi=x'], false],
    ['trusted', 'request-in', 'INVITE sip:a@a.example SIP/2.0', ['P-Charging-Vector: ggsn=1;icid-value=1'], true],
    ['untrusted', 'request-in', 'INVITE sip:a@a.example SIP/2.0', ['c: application / 3gpp-ims+xml'], true],
    ['untrusted', 'request-in', 'INVITE sip:a@a.example SIP/2.0', ['Content-Type: application/sdp'], false],
    ['ask', 'request-in', 'INVITE sip:a@a.example SIP/2.0', [], true],
  ] as const)('ok/%s %s %s %j: %s', (name, hook, start, rows, expected) => {
    const method = start.split(' ')[0]!;
    const input = inputOf(rows, { method });
    const raw = `${start}\r\n${latin1(Buffer.from(input.block.rows.map((row) => row.raw + row.end).join(''), 'latin1'))}\r\n`;
    expect(asks(profileNamed(name), hook, method, raw, input.block)).toBe(expected);
  });
});
