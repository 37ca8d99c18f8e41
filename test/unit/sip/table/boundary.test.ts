import { describe, expect, it } from 'vitest';
import { BOUNDARY_RULES, HEADER_POLICY } from '../../../../src/sip/table/boundary.js';
import { effectiveRules, overrideProblems, rulesFor } from '../../../../src/sip/table/effective.js';
import { canonicalName, FUNDAMENTAL } from '../../../../src/sip/table/fields.js';
import { rulesInForce } from '../../../../src/sip/table/in-force.js';
import {
  INTERCONNECTS,
  type Overrides,
  PRIVACY_MODES,
  type Stance,
  strangerStance,
} from '../../../../src/sip/table/rules.js';

function overrides(
  ...entries: readonly (readonly [
    string,
    { in?: 'keep' | 'remove' | 'anonymise'; out?: 'keep' | 'remove' | 'anonymise' },
  ])[]
): Overrides {
  return new Map(entries);
}

describe('the header table', () => {
  it('ok/it is named and versioned', () => {
    expect(HEADER_POLICY).toBe('ims-boundary@1');
  });

  it('ok/every row 1 to 64 of the rulebook is there', () => {
    const rows = new Set(BOUNDARY_RULES.map(({ row }) => row.replace(/[a-z]$/, '')));
    for (let row = 1; row <= 64; row++) expect(rows, `row ${row}`).toContain(String(row));
    expect(rows).toContain('B-2');
    expect(rows).toContain('B-3');
  });

  it('ok/every row cites a clause, and no two rows speak of the same thing', () => {
    const seen = new Set<string>();
    for (const { kind, name, clause, applies, methods, within } of BOUNDARY_RULES) {
      expect(clause.length, name).toBeGreaterThan(4);
      const key = [kind, name.toLowerCase(), applies.join(), methods.join(), within.join()].join('|');
      expect(seen, key).not.toContain(key);
      seen.add(key);
    }
  });

  it('ok/towards strangers the strict mode is the strictest', () => {
    const order = ['keep', 'flag', 'on-privacy', 'anonymise', 'by-privacy', 'remove', 'reject'];
    const strict = effectiveRules(undefined, 'strict33203');
    for (const mode of PRIVACY_MODES) {
      effectiveRules(undefined, mode).forEach((other, i) => {
        for (const direction of ['in', 'out'] as const) {
          expect(order.indexOf(other[direction]), other.rule.name).toBeLessThanOrEqual(
            order.indexOf(strict[i]![direction]),
          );
        }
      });
    }
  });

  it('ok/P-Asserted-Identity goes in no mode unseen, and comes in from no stranger', () => {
    for (const mode of PRIVACY_MODES) {
      const [row] = effectiveRules(undefined, mode);
      expect(row!.rule.name).toBe('P-Asserted-Identity');
      expect(row!.in).toBe('remove');
      expect(['remove', 'by-privacy']).toContain(row!.out);
    }
  });

  it.each([
    'P-Charging-Function-Addresses',
    'P-User-Database',
    'P-Media-Authorization',
    'P-Preferred-Identity',
    'Relayed-Charge',
    'Security-Client',
    'Security-Server',
    'Security-Verify',
  ])('ok/§4.5 %s crosses no external border', (name) => {
    for (const interconnect of INTERCONNECTS) {
      const rows = effectiveRules({ interconnect, privacy: 'rfc3325', headers: new Map() }).filter(
        ({ rule }) => rule.name === name,
      );
      expect(rows).not.toEqual([]);
      for (const row of rows)
        expect([row.in, row.out, row.trustedIn, row.trustedOut]).toEqual(['remove', 'remove', 'remove', 'remove']);
    }
  });

  it.each([
    'P-Associated-URI',
    'P-Called-Party-ID',
    'P-Preferred-Service',
    'P-Profile-Key',
    'P-Served-User',
    'P-Visited-Network-ID',
    'Path',
    'Service-Route',
    'Priority-Share',
    'Resource-Share',
    'Restoration-Info',
    'integrity-protected',
    'ik',
    'ck',
  ])('ok/§4.5 %s is for roaming interconnects', (name) => {
    for (const interconnect of INTERCONNECTS) {
      const row = effectiveRules({ interconnect, privacy: 'rfc3325', headers: new Map() }).find(
        ({ rule }) => rule.name === name,
      )!;
      const expected = interconnect === 'roaming' || interconnect === 'loopback' ? 'keep' : 'remove';
      expect([row.trustedIn, row.trustedOut], interconnect).toEqual([expected, expected]);
    }
  });
});

describe('effectiveRules', () => {
  const agreement = { interconnect: 'non-roaming' as const, privacy: 'ims24229' as const };

  it('ok/a stranger has no trusted columns', () => {
    for (const row of effectiveRules(undefined))
      expect([row.trustedIn, row.trustedOut]).toEqual([undefined, undefined]);
  });

  it('ok/an override shows where it holds', () => {
    const rows = effectiveRules({
      ...agreement,
      headers: overrides(['history-info', { in: 'remove', out: 'anonymise' }]),
    });
    const row = rows.find(({ rule }) => rule.name === 'History-Info')!;
    expect(row).toMatchObject({
      overridden: ['in', 'trustedIn', 'trustedOut'],
      trustedIn: 'remove',
      trustedOut: 'anonymise',
      in: 'remove',
      out: 'anonymise',
    });
    expect(rows.filter(({ overridden }) => overridden.length > 0)).toHaveLength(1);
  });

  it('ok/an override of a name that the table does not know is a row of its own', () => {
    const rows = effectiveRules({ ...agreement, headers: overrides(['content-language', { in: 'remove' }]) });
    expect(rows.find(({ rule }) => rule.name === 'content-language')).toMatchObject({
      trustedIn: 'remove',
      trustedOut: 'keep',
      in: 'remove',
    });
    expect(rows).toHaveLength(BOUNDARY_RULES.length + 1);
  });

  it('fail/towards a stranger an override only narrows', () => {
    const rows = effectiveRules({
      ...agreement,
      headers: overrides(['p-served-user', { in: 'keep', out: 'keep' }], ['x-foo', { in: 'keep' }]),
    });
    expect(rows.find(({ rule }) => rule.name === 'P-Served-User')).toMatchObject({
      in: 'remove',
      out: 'remove',
      trustedIn: 'keep',
      trustedOut: 'keep',
    });
    expect(rows.find(({ rule }) => rule.name === 'x-foo')).toMatchObject({
      in: 'remove',
      out: 'remove',
      trustedIn: 'keep',
    });
  });

  it('fail/anonymise means remove where there is nothing to anonymise', () => {
    const rows = effectiveRules({ ...agreement, headers: overrides(['geolocation', { out: 'anonymise' }]) });
    expect(rows.find(({ rule }) => rule.name === 'Geolocation')).toMatchObject({ trustedOut: 'remove' });
  });
});

describe('overrideProblems', () => {
  it.each([
    ['ok/history', 'history-info', { in: 'keep', out: 'anonymise' }, 0],
    ['ok/verstat of a peer that verifies', 'verstat', { in: 'keep' }, 0],
    ['ok/a vendor header', 'x-foo', { in: 'remove', out: 'remove' }, 0],
    ['fail/P-Asserted-Identity against Privacy', 'p-asserted-identity', { out: 'keep' }, 1],
    ['fail/what crosses no border', 'p-user-database', { in: 'keep' }, 1],
    ['fail/anonymise what has no anonymous form', 'p-served-user', { out: 'anonymise' }, 1],
    ['fail/take away what makes a message', 'from', { in: 'remove' }, 1],
  ] as const)('%s', (_, name, rule, count) => {
    expect(overrideProblems(overrides([name, rule]))).toHaveLength(count);
  });
});

describe('rules in force', () => {
  const trusted: Stance = { ...strangerStance('strict33203'), trusted: true, interconnect: 'non-roaming' };

  it('ok/a full name before a prefix, whatever the case of the prefix', () => {
    const rules = rulesInForce('in', 'request', 'INVITE', strangerStance('strict33203'));
    expect(rules.ruleOf('p-asserted-identity')?.rule.row).toBe('1');
    expect(rules.ruleOf('p-unheard-of')?.rule.name).toBe('P-*');
    expect(rules.ruleOf('privacy')?.action).toBe('keep');
    expect(rules.ruleOf('xylophone')).toBeUndefined();
  });

  it('ok/RFC 5876 a row for a method before the general one', () => {
    expect(rulesInForce('out', 'request', 'ACK', trusted).actionOf('p-asserted-identity')).toBe('remove');
    expect(rulesInForce('out', 'request', 'INVITE', trusted).actionOf('p-asserted-identity')).toBe('keep');
    expect(rulesInForce('out', 'response', 'INVITE', trusted).actionOf('p-asserted-identity')).toBe('keep');
  });

  it('ok/#6 Reason by message class', () => {
    const stance = strangerStance('strict33203');
    expect(rulesInForce('out', 'response', 'BYE', stance).actionOf('reason')).toBe('remove');
    expect(rulesInForce('out', 'request', 'BYE', stance).actionOf('reason')).toBe('keep');
    expect(rulesInForce('in', 'response', 'BYE', stance).actionOf('reason')).toBe('keep');
  });

  it('ok/two agreements with the same terms but other overrides do not share', () => {
    const one = { ...trusted, overrides: overrides(['identity', { in: 'remove' }]) };
    expect(rulesInForce('in', 'request', 'INVITE', one).actionOf('identity')).toBe('remove');
    expect(rulesInForce('in', 'request', 'INVITE', trusted).actionOf('identity')).toBe('keep');
  });
});

describe('names', () => {
  it.each([
    ['p-asserted-identity', 'p-ASSERTED-identity', 'P-Asserted-Identity'],
    ['refer-to', 'r', 'Refer-To'],
    ['require', 'REQUIRE', 'Require'],
    ['x-foo', 'X-foo', 'X-foo'],
    ['session-expires', 'x', 'session-expires'],
  ])('ok/%s from %s', (key, received, name) => {
    expect(canonicalName(key, received)).toBe(name);
  });

  it('ok/what makes a message is removed by no row', () => {
    for (const { kind, name, in: inbound, out } of rulesFor(new Map())) {
      if (kind === 'header' && FUNDAMENTAL.has(name.toLowerCase())) expect([inbound, out]).toEqual(['keep', 'keep']);
    }
  });
});
