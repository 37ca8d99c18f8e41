import { expect, test } from 'vitest';
import { printable, quoted, visible } from '../../src/printable.js';

const HIDDEN =
  '\u0000\n\u001b\u007f\u0085\u00a0\u00ad\u180e\u200b\u202e\u2028\u2066\u3000\u3164\ufe0f\ufeff\ue000\ud800x\u{e0061}';

test('ok/printable: octets as \\xNN, and what else there is as \\u{...}', () => {
  expect(printable('a\r\n\x00\xa0"\\')).toBe('a\\x0d\\x0a\\x00\\xa0\\x22\\x5c');
  expect(printable('東🙂')).toBe('\\u{6771}\\u{1f642}');
  expect(printable(HIDDEN)).toMatch(/^[\x20-\x7e]*$/);
});

test('ok/printable: cut, where half of a letter is left, too', () => {
  expect(printable('abcdef', 3)).toBe('abc...');
  expect(printable('abc', 3)).toBe('abc');
  expect(printable('🙂', 1)).toBe('\\u{d83d}...');
});

test('ok/quoted: whatever it holds, there are two quotes', () => {
  expect(quoted('a"b\\')).toBe('"a\\x22b\\x5c"');
  expect(quoted('x'.repeat(101))).toBe(`"${'x'.repeat(100)}..."`);
});

test('ok/visible: letters of all scripts stay', () => {
  expect(visible(HIDDEN)).toMatch(/^[\x20-\x7e]*$/);
  expect(visible('Zürich 東京 🙂')).toBe('Zürich 東京 🙂');
  expect(visible('a\nb')).toBe('a\\x0ab');
});
