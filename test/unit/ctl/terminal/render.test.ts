import { describe, expect, test } from 'vitest';
import { render, renderExplanation } from '../../../../src/ctl/terminal/render.js';

describe('render', () => {
  for (const [name, answer, expected] of [
    [
      'a list of rows is a table',
      [
        { name: 'op-b', n: 1 },
        { name: 'c', n: 22 },
      ],
      'NAME  N\nop-b  1\nc     22',
    ],
    ['an empty list says so', [], '(none)'],
    ['an object is lines', { a: 1, long: ['x', 'y'] }, 'a:    1\nlong: x, y'],
    ['an object inside is indented', { a: { b: 1 } }, 'a:\n  b: 1'],
    ['rows inside are a table', { a: [{ b: 1 }] }, 'a:\n  B\n  1'],
    ['what drives a terminal is escaped', { a: 'x\u001b[31m\n' }, 'a: x\\x1b[31m\\x0a'],
    ['what turns a line round, or hides', { a: 'op\u202eb\u{e0041}\u00a0é' }, 'a: op\\u{202e}b\\u{e0041}\\xa0é'],
    ['a plain value', 7, '7'],
  ] as const) {
    test(`ok/${name}`, () => expect(render(answer)).toBe(expected));
  }
  test('ok/more rows than a call takes arguments', () => {
    expect(render(Array.from({ length: 200_000 }, (_, at) => ({ at })))).toMatch(/\n199999$/);
  });
  test('ok/an explanation names each check, its outcome and its clause', () => {
    const text = renderExplanation({
      summary: 'untrusted: no',
      checks: [
        { step: 1, name: 'transport', compared: 'tls', outcome: 'pass', clause: 'TS 33.203 §6.5' },
        { step: 2, name: 'agreement', compared: 'none names x.example', outcome: 'fail', clause: 'TS 33.203 §6.5' },
      ],
    });
    expect(text).toBe(
      ' 1. ok    transport: tls  [TS 33.203 §6.5]\n 2. FAIL  agreement: none names x.example  [TS 33.203 §6.5]\n=>  untrusted: no',
    );
  });
});
