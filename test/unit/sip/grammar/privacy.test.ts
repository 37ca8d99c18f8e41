import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePrivacy } from '../../../../src/sip/grammar/privacy.js';
import { block } from '../support.js';

const privacy = (...rows: readonly string[]) => parsePrivacy(block(...rows).fields);

describe('parsePrivacy', () => {
  const cases: readonly (readonly [string, readonly string[], readonly string[], boolean])[] = [
    ['ok/absent', ['To: a'], [], false],
    ['ok/id', ['Privacy: id'], ['id'], false],
    ['ok/none', ['Privacy: none'], ['none'], false],
    [
      'ok/several and critical (V-2)',
      ['Privacy: header;session ; user;critical'],
      ['critical', 'header', 'session', 'user'],
      false,
    ],
    ['ok/case', ['PRIVACY : ID;History'], ['history', 'id'], false],
    ['ok/comma as separator (V-3)', ['Privacy: id, history'], ['history', 'id'], false],
    ['ok/union of rows (V-3)', ['Privacy: id', 'Privacy: user'], ['id', 'user'], false],
    ['ok/folded', ['Privacy: id;\r\n user'], ['id', 'user'], false],
    ['ok/unknown token', ['Privacy: x-new'], ['x-new'], false],
    ['ok/trailing separator', ['Privacy: id;'], ['id'], false],
    ['fail/none with id (V-2, T-56)', ['Privacy: none;id'], ['id'], true],
    ['fail/none and id in two rows (T-56)', ['Privacy: none', 'Privacy: id'], ['id'], true],
    ['fail/ID, none (T-56)', ['Privacy: ID ,none'], ['id'], true],
    ['fail/none with critical', ['Privacy: none;critical'], ['critical'], true],
    ['fail/critical alone (V-2)', ['Privacy: critical'], ['critical'], true],
    ['fail/twice (V-1)', ['Privacy: id;id'], ['id'], true],
    ['fail/empty', ['Privacy:'], [], true],
    ['fail/quoted', ['Privacy: "id"'], ['id'], true],
    ['fail/by blanks', ['Privacy: id user'], ['id', 'user'], true],
    ['fail/none with junk is no none', ['Privacy: none"'], [], true],
    ['fail/none and an empty row is no none', ['Privacy: none', 'Privacy:'], [], true],
    ['fail/none with a no-break space is no none', ['Privacy: none\xc2\xa0'], [], true],
    ['fail/a disguised row counts', ['Privacy: none', 'Privacy\xa0: id'], ['id'], true],
  ];
  it.each(cases)('%s', (_case, rows, values, invalid) => {
    const read = privacy(...rows);
    expect([...read.values].sort()).toEqual(values);
    expect(read.invalid).toBe(invalid);
    expect(read.defects.length > 0).toBe(invalid);
  });

  it('ok/tells absent from empty, and unknown tokens from known ones', () => {
    expect(privacy('To: a').present).toBe(false);
    expect(privacy('Privacy:').present).toBe(true);
    expect(privacy('Privacy: id;x;critical').unknown).toEqual(['x']);
  });

  it('ok/what is asked for is found in any order, row, separator and case; none never wins against it', () => {
    const value = fc.constantFrom('id', 'header', 'session', 'user', 'history', 'none');
    const rows = fc.array(fc.array(value, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 });
    const separator = fc.constantFrom(';', ',', ' ; ', ' ,\t', ';\r\n ');
    fc.assert(
      fc.property(rows, separator, fc.boolean(), (lists, between, upper) => {
        const texts = lists.map((list) => `Privacy: ${list.join(between)}`);
        const read = privacy(...texts.map((text) => (upper ? text.toUpperCase() : text)));
        const asked = new Set(lists.flat());
        if (asked.size > 1) asked.delete('none');
        expect(read.values).toEqual(asked);
      }),
    );
  });
});
