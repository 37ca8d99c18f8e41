/** What the groups of the plugin cost PCRE. */

import { afterAll, describe, expect, it } from 'vitest';
import { GROUPS, group, HOOK_NAMES, messageOf, WELL_FORMED } from '../programs/sip/group-numbers.js';
import { groupMatcher } from '../support/groups.js';
import { REPEATED, ROWS } from '../support/repeated.js';

const matcher = groupMatcher(GROUPS);
if (matcher === undefined)
  console.warn('skipped: matching as Kamailio does needs /usr/bin/python3 and PCRE, and they are not there');
afterAll(() => matcher?.close());

describe.skipIf(matcher === undefined)('the groups of the plugin', () => {
  it('ok/G-9: no group takes more than three times over 64 KB of a unit what it takes over plain text', () => {
    const SIZE = 2 ** 16;
    // The script lets no expression see more than 500 of these marks, and 256 rows.
    const text = (unit: string) => {
      const most = Math.floor(500 / Math.max(1, ...[';', '?'].map((mark) => unit.split(mark).length - 1)));
      const times = unit.startsWith('\r\n') ? 256 : /[;?]/.test(unit) ? most : Math.ceil(SIZE / unit.length);
      return unit.repeat(times).slice(0, SIZE).padEnd(SIZE, 'x');
    };
    const messages = (unit: string) => {
      const rows = [`Subject: a${text(unit)}`, `Contact: <sip:a@b.example;x=${text(unit)}>`, `Privacy: ${text(unit)}`];
      return rows.map((row) => messageOf([row], 'request-in', 'INVITE', 'sip:alice@a.example', {}).raw);
    };
    const units = [...REPEATED, ...ROWS];
    const [all, ordinary] = [units.flatMap(messages), messages('x')];
    // Other profiles have the same expressions with other names in them.
    const numbers = HOOK_NAMES.slice(0, 2).flatMap((hook) => [
      group('strict', hook, 'listed'),
      group('trusted', hook, 'clean'),
    ]);
    for (const number of [...numbers, WELL_FORMED, WELL_FORMED + 1, WELL_FORMED + 2]) {
      // Of a text that is refused at its beginning, nothing is read: the dearest of the plain ones counts.
      const plain = Math.max(...(matcher?.costs(number, ordinary) ?? []));
      // Or half a microsecond a character: PCRE takes a run in less than a step of a loop.
      const most = Math.max(3 * plain, SIZE * 0.5e-6);
      const costs = matcher?.costs(number, all, most) ?? [];
      for (const [at, cost] of costs.entries())
        expect(cost, `group ${number}, ${JSON.stringify(units[Math.floor(at / 3)])}`).toBeLessThan(most);
    }
  }, 120_000);
});
