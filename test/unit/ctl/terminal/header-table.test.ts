import { describe, expect, test } from 'vitest';
import { type HeaderRow, headerMarkdown, headerTable } from '../../../../src/ctl/terminal/header-table.js';

function row(over: Partial<HeaderRow>): HeaderRow {
  return {
    name: 'History-Info',
    kind: 'header',
    within: [],
    applies: ['request', 'response'],
    methods: [],
    untrusted_in: 'remove',
    untrusted_out: 'remove',
    trusted_in: 'keep',
    trusted_out: 'anonymise',
    overrides: [],
    condition: '',
    clause: 'RFC 7044 §10.1',
    ...over,
  };
}

const lines = (rows: readonly HeaderRow[], agreement?: string) =>
  headerTable(rows, agreement)
    .split('\n')
    .map((line) => line.trim().replace(/ {2,}/g, ' | '));

describe('siptrustctl headers', () => {
  test('ok/under an agreement: four columns, overrides marked', () => {
    expect(lines([row({ overrides: ['trusted_out'] })], 'op-b')).toEqual([
      'ims-boundary@1 under the agreement op-b; * marks what its overrides change',
      '',
      'NAME | WHAT | MESSAGES | UNTRUSTED IN | UNTRUSTED OUT | TRUSTED IN | TRUSTED OUT | CLAUSE',
      'History-Info | field | all | remove | remove | keep | anonymise* | RFC 7044 §10.1',
      '',
      'Conditions:',
    ]);
  });
  test('ok/towards strangers nobody is trusted', () => {
    expect(lines([row({ trusted_in: '', trusted_out: '' })])[2]).toBe(
      'NAME | WHAT | MESSAGES | UNTRUSTED IN | UNTRUSTED OUT | CLAUSE',
    );
  });
  test.each([
    [{ kind: 'uri-param', name: 'orig' }, 'orig | URI parameter | all'],
    [{ kind: 'value', within: ['priority'], applies: ['request'] }, 'History-Info | value in priority | requests'],
    [{ methods: ['ACK', 'CANCEL'] }, 'History-Info | field | ACK, CANCEL'],
    [{ kind: 'header-param', within: ['a', 'b', 'c'] }, 'History-Info | parameter in a, b, ... | all'],
  ] as const)('ok/%j', (over, start) => {
    expect(lines([row(over)])[3]).toMatch(new RegExp(`^${start.replace(/[|.]/g, '\\$&')}`));
  });
  test('ok/conditions stand below', () => {
    expect(lines([row({ condition: 'out: as asked' })]).at(-1)).toBe('History-Info: out: as asked');
  });
});

describe('the table in Markdown', () => {
  test('ok/actions that differ say where', () => {
    const text = headerMarkdown();
    expect(text).toContain('| strict33203: remove; else by-privacy | screen | keep |');
    expect(text).toContain('| roaming, loopback: keep; else remove |');
  });
});
