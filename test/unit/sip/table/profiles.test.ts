import { describe, expect, it } from 'vitest';
import { keptNames } from '../../../../src/sip/kamailio/headers.js';
import {
  PROFILES,
  type Profile,
  type ProfileName,
  type ProfileTerms,
  profileOf,
} from '../../../../src/sip/table/profiles.js';
import { HOOKS } from '../../../../src/sip/table/rules.js';

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
      const others = new RegExp(
        keptNames([...strict!.hooks[hook].remove, ...strict!.hooks[hook].removeUnlessEmergency]),
        'i',
      );
      for (const { name, hooks } of PROFILES) {
        if (name.startsWith('trusted')) continue;
        for (const field of [...hooks[hook].remove, ...hooks[hook].removeUnlessEmergency])
          expect(field.replace('*', 'x')).not.toMatch(others);
      }
    }
  });

  it('ok/no list removes what makes a message', () => {
    for (const { hooks } of PROFILES) {
      for (const hook of HOOKS) {
        const stays = new RegExp(keptNames(hooks[hook].remove), 'i');
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
          expect(name).toMatch(stays);
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

  it.each(['request-in', 'request-out'] as const)('ok/%s: so does what says where the data of the call is', (hook) => {
    const { remove, removeUnlessEmergency } = profileNamed('strict').hooks[hook];
    expect(remove).not.toContain('Call-Info');
    expect(removeUnlessEmergency).toContain('Call-Info');
  });
});
