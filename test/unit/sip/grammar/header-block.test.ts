import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { latin1 } from '../../../../src/sip/grammar/ascii.js';
import { COMPACT_FORMS } from '../../../../src/sip/grammar/field-names.js';
import { type HeaderBlock, MAX_PROBLEMS, scanHeaderBlock } from '../../../../src/sip/grammar/header-block.js';
import { toBytes } from '../../../support/bytes.js';
import { block, only, scanText } from '../support.js';

const rejoined = (scanned: HeaderBlock): string =>
  scanned.rows.map((row) => row.raw + row.end).join('') + scanned.blank + scanned.rest;

const problemKinds = (scanned: HeaderBlock): readonly string[] => scanned.problems.map((problem) => problem.kind);

describe('one row', () => {
  // [case, row, name, key, value]
  const ok: readonly (readonly [string, string, string, string, string])[] = [
    ['ok/plain', 'Privacy: id', 'Privacy', 'privacy', 'id'],
    ['ok/case (P-1)', 'p-asserted-IDENTITY: x', 'p-asserted-IDENTITY', 'p-asserted-identity', 'x'],
    ['ok/space before the colon (P-1)', 'Privacy : id', 'Privacy', 'privacy', 'id'],
    ['ok/tab and spaces around the colon (P-1)', 'Privacy \t :\t id \t', 'Privacy', 'privacy', 'id'],
    ['ok/no space behind the colon', 'L:0', 'L', 'content-length', '0'],
    ['ok/empty value', 's :', 's', 'subject', ''],
    ['ok/fold is one space (P-2)', 'Subject: a \r\n\t  b', 'Subject', 'subject', 'a b'],
    ['ok/fold right behind the colon (P-2)', 'To :\r\n sip:a@b', 'To', 'to', 'sip:a@b'],
    ['ok/many folds (P-2)', 'Xyz: a\r\n b\r\n c', 'Xyz', 'xyz', 'a b c'],
    ['ok/compact (P-4)', 'f: <sip:a@b>', 'f', 'from', '<sip:a@b>'],
    ['ok/compact Identity (P-4)', 'Y: abc', 'Y', 'identity', 'abc'],
    ['ok/n was withdrawn (P-4)', 'n: abc', 'n', 'n', 'abc'],
    ['ok/strange but token (RFC 4475 §3.1.1.2)', "x-!.%*+_`'~:v", "x-!.%*+_`'~", "x-!.%*+_`'~", 'v'],
    ['ok/percent is no escape in a name (RFC 4475 §3.1.1.5)', 'C%6Fntact: x', 'C%6Fntact', 'c%6fntact', 'x'],
    ['ok/more colons', 'Xyz: a:b:c', 'Xyz', 'xyz', 'a:b:c'],
    ['ok/high bytes are kept', 'Xyz: \xc3\xa9\xa0', 'Xyz', 'xyz', '\xc3\xa9\xa0'],
  ];
  it.each(ok)('%s', (_case, row, name, key, value) => {
    const scanned = block(row);
    expect(scanned.problems).toEqual([]);
    expect(scanned.fields).toEqual([{ name, key, value, raw: row, line: 1, regular: true }]);
  });

  // What remove_hf and remove_hf_re of Kamailio 5.6.3 miss, and its like. Each is found under its key all the same.
  const fail: readonly (readonly [string, string, string])[] = [
    ['fail/control byte before the colon', 'P-Asserted-Identity\x01: x', 'name-control'],
    ['fail/NUL before the colon', 'P-Asserted-Identity\x00: x', 'name-control'],
    ['fail/NUL in the name', 'P-Asserted\x00-Identity: x', 'name-control'],
    ['fail/vertical tab before the colon', 'P-Asserted-Identity\x0b: x', 'name-control'],
    ['fail/DEL', 'P-Asserted-Identity\x7f: x', 'name-control'],
    ['fail/no-break space in latin1', 'P-Asserted-Identity\xa0: x', 'name-no-break-space'],
    ['fail/no-break space in UTF-8', 'P-Asserted-Identity\xc2\xa0: x', 'name-no-break-space'],
    ['fail/zero-width space', 'P-Asserted-Identity\xe2\x80\x8b: x', 'name-not-token'],
    ['fail/Kelvin sign is no k', 'P-\xe2\x84\xaaAsserted-Identity: x', 'name-not-token'],
    ['fail/space in the name', 'P-Asserted -Identity: x', 'name-space'],
    ['fail/tab in the name', 'P-Asserted\t-Identity: x', 'name-control'],
    ['fail/quotes', '"P-Asserted-Identity": x', 'name-not-token'],
    ['fail/fold before the colon', 'P-Asserted-Identity\r\n : x', 'fold-before-colon'],
    ['fail/fold and tab before the colon', 'P-Asserted-Identity \r\n\t: x', 'fold-before-colon'],
  ];
  it.each(fail)('%s', (_case, row, kind) => {
    const scanned = block('To: a', row, 'Call-ID: b');
    expect(scanned.problems).toMatchObject([{ kind, line: 2, severity: 'reject' }]);
    expect(scanned.fields[1]).toMatchObject({ key: 'p-asserted-identity', value: 'x', regular: false });
    expect(rejoined(scanned)).toBe(`To: a\r\n${row}\r\nCall-ID: b\r\n\r\n`);
  });

  it('fail/no name', () => {
    expect(problemKinds(block(': x'))).toEqual(['name-empty']);
    expect(problemKinds(block(' \t : x'))).toContain('leading-space');
  });

  it('fail/no colon: no field, and the row is not lost', () => {
    const scanned = block('To: a', 'Foobar roobar', 'Call-ID: b');
    expect(problemKinds(scanned)).toEqual(['no-colon']);
    expect(scanned.fields.map((field) => field.key)).toEqual(['to', 'call-id']);
    expect(scanned.rows).toHaveLength(3);
  });

  it('fail/first line with a leading space', () => {
    const scanned = block(' P-Asserted-Identity: x', 'To: a');
    expect(problemKinds(scanned)).toEqual(['leading-space']);
    expect(scanned.fields[0]).toMatchObject({ key: 'p-asserted-identity', regular: false });
  });

  it('fail/a line of white space is a fold to some and the end to others', () => {
    expect(problemKinds(block('To: a', ' \t', 'P-Asserted-Identity: x'))).toEqual(['blank-continuation']);
  });
});

describe('line ends', () => {
  const ok: readonly (readonly [string, string, string, string])[] = [
    ['ok/with the empty line', 'To: a\r\n\r\n', '\r\n', ''],
    ['ok/without the empty line', 'To: a\r\n', '', ''],
    ['ok/without any line end', 'To: a', '', ''],
    ['ok/no header at all', '\r\n', '\r\n', ''],
  ];
  it.each(ok)('%s', (_case, text, blank, rest) => {
    const scanned = scanText(text);
    expect(scanned).toMatchObject({ blank, rest, problems: [] });
  });

  const odd: readonly (readonly [string, string, readonly string[], readonly string[]])[] = [
    // [case, text, kinds, keys found]
    ['ok/LF alone throughout is only noted', 'To: a\nFrom: b\n\n', ['lf-line-ends'], ['to', 'from']],
    ['ok/bytes behind the end are no fields', 'To: a\r\n\r\nP-A: x\r\n', ['bytes-after-end'], ['to']],
    ['fail/one LF among CRLF (P-14)', 'To: a\nPrivacy: id\r\n\r\n', ['bare-lf'], ['to', 'privacy']],
    ['fail/LF before CRLF hides the rest (P-14)', 'To: a\r\n\nP-A: x\r\n\r\n', ['bare-lf', 'bytes-after-end'], ['to']],
    ['fail/last line with LF (P-14)', 'To: a\r\nFrom: b\n', ['bare-lf'], ['to', 'from']],
    ['fail/CR in a value (P-14)', 'To: a\rP-A: x\r\n\r\n', ['bare-cr'], ['to']],
    ['fail/CR CR LF (P-14)', 'To: a\r\r\nFrom: b\r\n\r\n', ['bare-cr'], ['to', 'from']],
    ['fail/CR at the end (P-14)', 'To: a\r', ['bare-cr'], ['to']],
    ['fail/CR among LF alone (P-14)', 'To: a\rX: b\nFrom: c\n\n', ['bare-cr', 'lf-line-ends'], ['to', 'from']],
  ];
  it.each(odd)('%s', (_case, text, expected, keys) => {
    const scanned = scanText(text);
    expect(problemKinds(scanned)).toEqual(expected);
    expect(scanned.fields.map((field) => field.key)).toEqual(keys);
    expect(rejoined(scanned)).toBe(text);
  });
});

describe('bounded work', () => {
  it('ok/10,000 rows of trouble give a bounded report that still holds a reject (T-75)', () => {
    const scanned = scanText('x\n'.repeat(10_000));
    expect(scanned.rows).toHaveLength(10_000);
    expect(scanned.problems).toHaveLength(MAX_PROBLEMS + 1);
    expect(scanned.problems.at(-1)).toMatchObject({ kind: 'too-many-problems', severity: 'reject' });
  });
});

describe('properties', () => {
  // Bytes that matter to the scanner, much more often than by chance.
  const spicy = fc
    .array(fc.oneof(fc.constantFrom('\r\n', '\r', '\n', ' ', '\t', ':', 'P-A', 'To', '\x00', '\xa0'), fc.string()), {
      maxLength: 60,
    })
    .map((parts) => toBytes(parts.join('')));

  it('ok/scanning never throws, and rows joined are the input again', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), spicy), (bytes) => {
        expect(rejoined(scanHeaderBlock(bytes))).toBe(latin1(bytes));
      }),
      { numRuns: 500 },
    );
  });

  it('fail/a field that is not regular comes with a reject', () => {
    fc.assert(
      fc.property(spicy, (bytes) => {
        const scanned = scanHeaderBlock(bytes);
        for (const field of scanned.fields) {
          if (field.regular) continue;
          expect(scanned.problems.some((problem) => problem.severity === 'reject')).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('ok/any spelling of a field gives the same key and value (P-1, P-2, P-4)', () => {
    const names = [...COMPACT_FORMS, ['', 'p-asserted-identity'], ['', 'privacy'], ['', 'history-info']] as const;
    const blanks = fc.string({ unit: fc.constantFrom(' ', '\t'), maxLength: 3 });
    const fold = fc.tuple(blanks, fc.constantFrom(' ', '\t')).map(([a, b]) => `\r\n${b}${a}`);
    const spelled = fc.constantFrom(...names).chain(([short, long]) =>
      fc
        .record({
          name: fc.constantFrom(...(short === '' ? [long] : [short, long])),
          upper: fc.infiniteStream(fc.boolean()),
          before: blanks,
          after: fc.oneof(blanks, fold),
          middle: fc.oneof(fc.constantFrom(' ', '\t', '  '), fold),
          end: blanks,
        })
        .map((parts) => {
          const name = [...parts.name].map((char) => (parts.upper.next().value ? char.toUpperCase() : char)).join('');
          return { key: long, row: `${name}${parts.before}:${parts.after}one${parts.middle}two${parts.end}` };
        }),
    );
    fc.assert(
      fc.property(spelled, ({ key, row }) => {
        const field = only(row);
        expect(field.key).toBe(key);
        expect(field.regular).toBe(true);
        expect(field.value.split(/[ \t]+/)).toEqual(['one', 'two']);
        expect(block(row).problems).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});
