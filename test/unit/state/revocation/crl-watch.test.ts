import { describe, expect, test } from 'vitest';
import { CrlWatch, crlCondition, policyLists } from '../../../../src/state/revocation/crl-watch.js';
import { atOnce } from '../../../../src/x509/der/in-steps.js';
import { crl, DAY, NOW, root } from '../../../support/certificates.js';
import { plainAgreements } from '../../../support/plain-agreements.js';
import { agreementWith } from '../../../support/snapshot.js';

const issuer = root();
const HOUR = DAY / 24;
const month = crl(issuer, { thisUpdate: NOW, nextUpdate: NOW + 30 * DAY }).facts;

describe('crlCondition', () => {
  const rows: readonly (readonly [at: number, warn: number, condition: string])[] = [
    [NOW, DAY, 'current'],
    [NOW + 29 * DAY - 1000, DAY, 'current'],
    [NOW + 29 * DAY, DAY, 'ending'],
    [NOW + 30 * DAY - 1000, 0, 'current'],
    [NOW + 30 * DAY, 0, 'stale'],
    [NOW + 90 * DAY, DAY, 'stale'],
    // At most the last quarter of its life: a list of a day is no alarm from its first hour on.
    [NOW + 22 * DAY, 30 * DAY, 'current'],
    [NOW + 23 * DAY, 30 * DAY, 'ending'],
  ];
  for (const [at, warn, condition] of rows) {
    test(`ok/${(at - NOW) / DAY} days, warned ${warn / DAY} before: ${condition}`, () =>
      expect(crlCondition(month, at, warn)).toBe(condition));
  }
  test('fail/without nextUpdate it is stale', () =>
    expect(crlCondition(crl(issuer, { nextUpdate: 'absent' }).facts, NOW, DAY)).toBe('stale'));
});

describe('CrlWatch', () => {
  function watch(): { readonly lines: string[]; readonly watch: CrlWatch } {
    const lines: string[] = [];
    const line = (level: string) => (message: string) => void lines.push(`${level} ${message.split(':')[0]}`);
    const log = { error: line('error'), warn: line('warn'), info: line('info'), debug: line('debug') };
    return { lines, watch: new CrlWatch(log, HOUR) };
  }
  const at = (source: string, list = month) => ({ source, crl: list });

  test('ok/each change is told once', () => {
    const { lines, watch: it } = watch();
    const end = NOW + 30 * DAY;
    for (const time of [NOW, end - HOUR, end - HOUR + 1000, end, end + DAY]) atOnce(it.look([at('a')], time));
    expect(lines).toEqual(['warn a CRL ends soon, and there is no newer one', 'error a CRL is stale']);
    const newer = crl(issuer, { thisUpdate: end, nextUpdate: end + 30 * DAY }).facts;
    atOnce(it.look([at('a'), at('b', newer)], end + DAY));
    atOnce(it.look([at('a'), at('b', newer)], end + DAY));
    expect(lines.slice(2)).toEqual(['info a CRL is current again']);
  });
  test('ok/lists of other scopes are told for themselves', () => {
    const { lines, watch: it } = watch();
    const users = crl(issuer, { thisUpdate: NOW, nextUpdate: NOW + 90 * DAY, scope: { users: true } }).facts;
    atOnce(it.look([at('a'), at('b', users)], NOW + 31 * DAY));
    expect(lines).toEqual(['error a CRL is stale']);
  });
  test('ok/one that went and comes back is told again', () => {
    const { lines, watch: it } = watch();
    atOnce(it.look([at('a')], NOW + 31 * DAY));
    atOnce(it.look([], NOW + 31 * DAY));
    atOnce(it.look([at('a')], NOW + 31 * DAY));
    expect(lines).toHaveLength(2);
  });
});

describe('policyLists', () => {
  test('ok/of agreements that look at revocation', () => {
    const agreements = plainAgreements(
      agreementWith({ name: 'x', revocation: 'soft', crls: [month] }),
      agreementWith({ name: 'y', revocation: 'off', crls: [month] }),
      agreementWith({ name: 'z', revocation: 'hard', crls: [month], enabled: false }),
    );
    expect(atOnce(policyLists({ agreements })).map(({ source }) => source)).toEqual(['agreement x']);
  });
});
