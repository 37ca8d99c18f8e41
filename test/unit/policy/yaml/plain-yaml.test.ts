import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { Problems } from '../../../../src/policy/reading/problem.js';
import { readDocument } from '../../../../src/policy/yaml/document.js';
import { EntryList } from '../../../../src/policy/yaml/entry-list.js';
import { readPlainYaml } from '../../../../src/policy/yaml/plain-yaml.js';
import { seeded } from '../../../support/random.js';

const SAMPLE = readFileSync(new URL('../../../../kamailio-cfg/siptrust.yaml', import.meta.url), 'utf8');

/** What the library makes of a text, by the way around: an anchor is not plain and means nothing. */
function byLibrary(text: string) {
  // A file that ends in a comment with a byte order mark within is not plain.
  const problems = new Problems();
  const document = readDocument(
    'p',
    new TextEncoder().encode(`${text}${text.endsWith('\n') ? '' : '\n'}#\ufeff\n`),
    problems,
  );
  return { document, problems: problems.list() };
}

type Path = readonly (string | number)[];

/** All key paths of a value, and some that lead nowhere. */
function paths(value: unknown, path: Path = []): readonly Path[] {
  const inner =
    typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([key, each]) => paths(each, [...path, Array.isArray(value) ? Number(key) : key]))
      : [];
  return [path, [...path, 'nothing'], [...path, 99], ...inner];
}

/** A value with all entries of its lists. */
function whole(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof EntryList) return [...value].map(whole);
  if (Array.isArray(value)) return value.map(whole);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, whole(each)]));
}

/** Whether the text was plain; fails where the two readers differ in anything. */
function held(text: string): boolean {
  const plain = readPlainYaml(text, 1_000_000);
  if (!('value' in plain)) return false;
  const { document, problems } = byLibrary(text);
  expect(problems, text).toEqual([]);
  const value = whole(plain.value);
  expect(value, text).toEqual(whole(document?.value));
  const before = (offset: number) => text.slice(0, offset).split('\n');
  for (const path of paths(value)) {
    for (const at of ['key', 'value'] as const) {
      const lines = before(plain.locate(path, at));
      const { line, column } = document?.locate(path, at) ?? {};
      expect([lines.length, (lines.at(-1) ?? '').length + 1], `${text}\n${path.join('/')} ${at}`).toEqual([
        line,
        column,
      ]);
    }
  }
  return true;
}

const PLAIN: Readonly<Record<string, string>> = {
  'a mapping': 'a: 1\nb: x\n',
  'no line break at the end': 'a: x',
  'comments everywhere': '# a\n\na: 1 # b\n  # c\nb: # d\n  - x # e\n# f\n  - y\n',
  'nothing as a value': 'a:\nb: \nc:   # d\nd: ~\ne: null\n',
  'lists, indented and not': 'a:\n- x\n- y\nb:\n  - x\n  - c: d\n    e: [f, "g", {h: i}]\n',
  flow: 'a: []\nb: {}\nc: [x, 1, [y], {z: null, w: "a, b"}]\nd: {from: 2026-01-01, until: 2027-12-31}\n',
  'quoted text': 'a: "x: y # z"\nb: \'[x]\'\nc: ""\n',
  'text with blanks and signs': 'a: Operator B  \nb: x@y.example:5060/z=1*~_-\n',
  addresses: 'a: 10.0.0.1:5062\nb: 2001:db8::/48\nc: [2001:db8::1, 192.0.2.0/28]\n',
  'what looks like numbers': 'a: [1, 0, +4930, 0660, 1.10, 1.5, .5, 5., 1e3, 1e+21, 0x1f, 0o17, 9007199254740993]\n',
  'what looks like words of the schema': 'a: [true, True, TRUE, tRUE, false, null, Null, ~, ~x, off, no, yes, trues]\n',
  'letters beyond ASCII': 'a: Zürich\nb: bücher.example # ö\n',
};

const NOT_PLAIN: Readonly<Record<string, string>> = {
  'an anchor and an alias': 'a: &x 1\nb: *x\n',
  'a tag': 'a: !!str 1\n',
  'text over lines': 'a: x\n  y\n',
  'a block text': 'a: |\n  x\n',
  'quoted text over lines': 'a: "x\n  y"\n',
  'an escape': 'a: "\\n"\n',
  'a doubled quote': "a: 'it''s'\n",
  'flow over lines': 'a: [x,\n  y]\n',
  'a tab': 'a:\tx\n',
  'a carriage return': 'a: x\r\n',
  'a directive': '%YAML 1.1\na: x\n',
  'a document mark': '---\na: x\n',
  'a key twice': 'a: 1\na: 2\n',
  'a key that is no word': '"a": 1\n',
  'a complex key': '? a\n: b\n',
  'a merge key': '<<: {}\n',
  'a colon at the end of text': 'a: x:\n',
  'a colon before a comma': 'a: [x:, y]\n',
  'a mapping in a value': 'a: b: c\n',
  'a list in a list': 'a:\n  - - x\n',
  'an empty entry': 'a:\n  -\n',
  'a comma too many': 'a: [x,]\n',
  'indentation that fits nothing': 'a:\n    b: 1\n  c: 2\n',
  'a list at the top': '- a\n',
  nothing: '',
};

describe('the quick reader of plain YAML', () => {
  for (const [name, text] of Object.entries(PLAIN)) test(`ok/${name}`, () => expect(held(text)).toBe(true));
  for (const [name, text] of Object.entries(NOT_PLAIN)) test(`fail/${name}`, () => expect(held(text)).toBe(false));

  test('ok/the sample policy', () => expect(held(SAMPLE)).toBe(true));

  test('fail/more values than allowed', () => {
    expect(readPlainYaml('a: [1, 2, 3]\n', 4)).toHaveProperty('notPlain');
    expect(readPlainYaml('a: [1, 2, 3]\n', 5)).toHaveProperty('value');
  });

  test('ok/a key of more than 1024 characters is left to the library, which takes none', () => {
    const key = (length: number) => `a:\n  - ${'k'.repeat(length)}: 1\n`;
    expect([1023, 1024, 1025, 2000].map((length) => held(key(length)))).toEqual([true, true, false, false]);
    expect(byLibrary(key(1025)).problems).toHaveLength(1);
  });

  test('ok/text of any length, and text of more words than that is left to the library', () => {
    expect(readPlainYaml(`a: ${'x'.repeat(20_000_000)}\n`, 10)).toHaveProperty('value');
    for (const piece of ['x ', 'x:']) {
      expect(readPlainYaml(`a: ${piece.repeat(10_000_000)}x\n`, 10), piece).toHaveProperty('notPlain');
      expect([30_000, 40_000].map((count) => held(`a: ${piece.repeat(count)}x\n`))).toEqual([true, false]);
    }
  });

  test('fail/it says where plain YAML ends', () => {
    expect(readPlainYaml('a: 1\nb: !x 1\n', 10)).toEqual({ notPlain: 8 });
    expect(readPlainYaml('a: 1\nb:\t1\n', 10)).toEqual({ notPlain: 7 });
  });

  test('ok/documents that were changed at random: read alike, or left to the library', () => {
    const { next } = seeded(20_261_128);
    const pick = (count: number) => Math.floor(next() * count);
    const pieces = [
      'a',
      'b: ',
      '- ',
      ' ',
      '\n',
      '\n  ',
      '\n- ',
      ': ',
      ':',
      '[',
      ']',
      '{',
      '}',
      ', ',
      '"',
      "'",
      ' # ',
      '1',
      '&x ',
    ];
    const sources = [...Object.values(PLAIN), ...Object.values(NOT_PLAIN), SAMPLE.slice(0, 500)];
    let plain = 0;
    const runs = Number(process.env.SIPTRUST_FUZZ_RUNS ?? 1000);
    for (let run = 0; run < runs; run++) {
      let text = sources[pick(sources.length)] ?? '';
      for (let change = 0; change <= pick(3); change++) {
        const [at, to] = [pick(text.length + 1), pick(text.length + 1)];
        const piece = pieces[pick(pieces.length)] ?? '';
        const inserted = [piece, '', text.slice(to, to + pick(12))][pick(3)] ?? '';
        text = text.slice(0, at) + inserted + text.slice(at + pick(4));
      }
      if (held(text)) plain++;
    }
    expect(plain).toBeGreaterThan(runs / 20);
  });

  test('ok/values that the library wrote are read back', () => {
    const scalar = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.double());
    const value = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        scalar,
        fc.array(tie('node')),
        fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), tie('node')),
      ),
    })).node;
    const property = fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), value), (object) => {
      held(String(parseDocument(JSON.stringify(object))));
    });
    fc.assert(property, { numRuns: 200 });
  });
});
