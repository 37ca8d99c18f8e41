import { describe, expect, test } from 'vitest';
import { type AddressPrefix, parsePrefix } from '../../../../src/net/address/prefix.js';
import { PrefixList } from '../../../../src/net/address/prefix-list.js';
import { checkSources } from '../../../../src/policy/claims/sources.js';
import { Problems } from '../../../../src/policy/reading/problem.js';
import { Site } from '../../../../src/policy/reading/site.js';
import { type Random, seeded } from '../../../support/random.js';
import { agreementWith } from '../../../support/snapshot.js';

function prefix(text: string): AddressPrefix {
  const read = parsePrefix(text);
  if ('invalid' in read) throw new Error(read.invalid);
  return read;
}

/** What is said of agreements that have these prefixes, by code and prefix. */
function said(lists: readonly (readonly string[])[]): readonly string[] {
  const problems = new Problems();
  const placed = lists.map((sources, at) => {
    const item = agreementWith({
      name: `op-${at}`,
      mechanism: 'nds-ip',
      interface: 'za',
      sources: PrefixList.of(sources.map(prefix)),
    });
    const document = { file: 'p.yaml', locate: () => ({ file: 'p.yaml', line: at + 1, column: 1 }) };
    const input = {
      name: item.name,
      domains: [],
      mechanism: 'nds-ip' as const,
      interface: 'za',
      sources: [...sources],
    };
    return { item, terms: item, input: () => input, site: new Site(document, problems, ['agreements', at]) };
  });
  checkSources(placed);
  return problems.list().map(({ code, message }) => `${code}: ${message.replace(/, at p.yaml:\d+:1/, '')}`);
}

/** Bits of a prefix, with the family in front. */
function bits({ bytes, length }: AddressPrefix): string {
  const all = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return `${bytes.length === 4 ? 'four' : 'six'}${all.slice(0, length)}`;
}

/** The same by looking at each prefix beside each. */
function expected(lists: readonly (readonly string[])[]): readonly string[] {
  const all = lists.flatMap((texts, by) => texts.map((text) => ({ by, ...prefix(text) })));
  const claims = all.map((claim, order) => ({ ...claim, order, bits: bits(claim) }));
  return claims.flatMap((claim) => {
    const around = claims
      .filter((other) => claim.bits.startsWith(other.bits))
      .filter((other) => other.length < claim.length || other.order < claim.order)
      .sort((a, b) => b.length - a.length || b.order - a.order);
    const [wider] = around;
    if (wider === undefined || wider.by === claim.by) return [];
    const { text } = claim;
    if (wider.length === claim.length) {
      return [`duplicate-source: ${text} on interface za is claimed already by agreement op-${wider.by}`];
    }
    return [`overlapping-source: ${text} lies in ${wider.text} of agreement op-${wider.by}; the longer prefix wins`];
  });
}

function anyPrefix(random: Random): string {
  const most = random.pick([3, 12]);
  if (random.chance(0.5)) {
    const length = 24 + random.below(9);
    const address = (random.below(2 ** most) << random.below(4)) & ~((2 ** (32 - length) - 1) | 0);
    return `192.0.${(address >>> 8) & 255}.${address & 255}/${length}`;
  }
  const length = 112 + random.below(17);
  const last = random.below(2 ** most) & ~(2 ** (128 - length) - 1) & 0xffff;
  return `2001:db8::${last.toString(16)}/${length}`;
}

describe('source prefixes of one interface', () => {
  test('ok/what is said of many is what looking at each beside each says', () => {
    const random = seeded(28);
    let told = 0;
    for (let round = 0; round < 200; round++) {
      const lists = Array.from({ length: 1 + random.below(4) }, () =>
        [...new Set(Array.from({ length: random.below(8) }, () => anyPrefix(random)))].map((text) => prefix(text).text),
      );
      const found = said(lists);
      expect([...found].sort(), JSON.stringify(lists)).toEqual([...expected(lists)].sort());
      told += found.length;
    }
    expect(told).toBeGreaterThan(300);
  });

  test('ok/a network, all of a family, one address: the first of equal ones keeps it', () => {
    expect(said([['0.0.0.0/0'], ['192.0.2.7/32'], ['192.0.2.7/32', '::/0'], ['2001:db8::/32']])).toEqual([
      'overlapping-source: 192.0.2.7/32 lies in 0.0.0.0/0 of agreement op-0; the longer prefix wins',
      'duplicate-source: 192.0.2.7/32 on interface za is claimed already by agreement op-1',
      'overlapping-source: 2001:db8::/32 lies in ::/0 of agreement op-2; the longer prefix wins',
    ]);
  });
});
