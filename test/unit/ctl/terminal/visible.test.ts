import { expect, test } from 'vitest';
import { visibleJson, visibleLines } from '../../../../src/ctl/terminal/visible.js';

const HIDDEN =
  '\u0000\n\u001b\u007f\u0085\u00a0\u00ad\u180e\u200b\u202e\u2028\u2066\u3000\u3164\ufe0f\ufeff\ue000\ud800x\u{e0061}';

test('ok/JSON reads back as the same value, and shows all of it', () => {
  const value = { [HIDDEN]: [HIDDEN, 'Zürich 東京 🙂'] };
  for (const text of [visibleJson(value), visibleJson(value, 2)]) {
    expect(JSON.parse(text)).toEqual(value);
    expect(text).toContain('Zürich 東京 🙂');
    expect(text.replace(/Zürich 東京 🙂/, '')).toMatch(/^[\n\x20-\x7e]*$/);
  }
});

test('ok/lines stay', () => {
  expect(visibleLines('a\nb\u202e')).toBe('a\nb\\u{202e}');
});
