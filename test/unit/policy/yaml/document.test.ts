import { describe, expect, test } from 'vitest';
import { formatProblem, Problems } from '../../../../src/policy/reading/problem.js';
import { readDocument } from '../../../../src/policy/yaml/document.js';

function read(content: string | Uint8Array) {
  const problems = new Problems();
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  const document = readDocument('f', bytes, problems);
  return { document, said: problems.list().map(formatProblem) };
}

/** As JSON, which objects without prototype compare equal in. */
function plain(content: string): unknown {
  const { document, said } = read(content);
  expect(said).toEqual([]);
  return JSON.parse(JSON.stringify(document?.value));
}

describe('values are YAML 1.2 core, whatever a file says of itself', () => {
  const cases: readonly (readonly [string, unknown])[] = [
    ['a: off', { a: 'off' }],
    ['a: yes', { a: 'yes' }],
    ['a: true', { a: true }],
    ['a: 2026-01-31', { a: '2026-01-31' }],
    ['a: 300', { a: 300 }],
    ['a: -1', { a: -1 }],
    ['a:', { a: null }],
    ['a: ~', { a: null }],
    // Numbers that are written otherwise than a computer would write them stay as they are written.
    ['a: +4930', { a: '+4930' }],
    ['a: 0660', { a: '0660' }],
    ['a: 0o660', { a: '0o660' }],
    ['a: 0x10', { a: '0x10' }],
    ['a: 1.10', { a: '1.10' }],
    ['a: 1e3', { a: '1e3' }],
    ['a: 12345678901234567890', { a: '12345678901234567890' }],
    ['a: .nan', { a: '.nan' }],
    ['%YAML 1.1\n---\na: off\nb: 0660\nc: 2026-01-31', { a: 'off', b: '0660', c: '2026-01-31' }],
    ['a: "b"\n---\n', 'never'],
    ['1: x\ntrue: y\n', { 1: 'x', true: 'y' }],
    ['a: &x [1, 2]\nb: *x\nc: &x 3\nd: *x', { a: [1, 2], b: [1, 2], c: 3, d: 3 }],
    ['\ufeffa: 1', { a: 1 }],
    ['a: 1\r\nb: 2\r\n', { a: 1, b: 2 }],
    ['constructor: 1\ntoString: 2', { constructor: 1, toString: 2 }],
  ];
  for (const [content, value] of cases) {
    if (value === 'never') continue;
    test(`ok/${JSON.stringify(content)}`, () => expect(plain(content)).toEqual(value));
  }
});

describe('what is no policy document says where', () => {
  const cases: readonly (readonly [
    name: string,
    content: string | Uint8Array,
    ...said: readonly (string | RegExp)[],
  ])[] = [
    ['empty', '', 'f:1:1: error: expected a mapping of policy keys, found nothing'],
    ['comments only', '# x\n\n', 'f:1:1: error: expected a mapping of policy keys, found nothing'],
    ['document marker only', '---\n', 'f:1:1: error: expected a mapping of policy keys, found nothing'],
    [
      'byte order mark only',
      Uint8Array.of(0xef, 0xbb, 0xbf),
      'f:1:1: error: expected a mapping of policy keys, found nothing',
    ],
    [
      'UTF-16',
      Buffer.from('\ufeffa: 1\n', 'utf16le'),
      'f:1:1: error: expected UTF-8, found byte 0xff (this is text in UTF-16: save it as UTF-8)',
    ],
    ['Latin-1', Buffer.from('a: 1\nb: [x, b\u00fccher]\n', 'latin1'), 'f:2:9: error: expected UTF-8, found byte 0xfc'],
    [
      'Latin-1 at the end of a line',
      Buffer.from('# caf\u00e9\nb: x\n', 'latin1'),
      'f:1:6: error: expected UTF-8, found byte 0xe9',
    ],
    ['UTF-8 cut off', Buffer.from('a: \u00fc').subarray(0, 4), 'f:1:4: error: expected UTF-8, found byte 0xc3'],
    ['overlong UTF-8', Uint8Array.of(0x61, 0x3a, 0x20, 0xc0, 0x80), 'f:1:4: error: expected UTF-8, found byte 0xc0'],
    ['NUL', 'a: 1\nb: \0\n', 'f:2:4: error: expected text, found control character U+0000'],
    ['escape', 'a: \x1b[1m\n', 'f:1:4: error: expected text, found control character U+001B'],
    ['tab as indentation', 'a:\n\tb: 1\n', 'f:2:1: error: expected blanks as indentation, found a tab'],
    ['two documents', 'a: 1\n---\nb: 2\n', 'f:2:1: error: expected one document, found another (after "---" or "...")'],
    ['no colon', 'a: 1\nb c\n', 'f:2:1: error: expected "key: value", found a line without ": " (a colon and a blank)'],
    [
      'unclosed list',
      'a: [1, 2\n',
      'f:2:1: error: expected "]", or more blanks in front of this line (no tab): a list that begins with "[" ends with "]"',
    ],
    [
      'unclosed list before the next key',
      'a:\n  - b: [1, 2\n    c: 3\n',
      'f:3:5: error: expected "]", or more blanks in front of this line (no tab): a list that begins with "[" ends with "]"',
    ],
    [
      'unclosed mapping',
      'a: {x: 1\nb: 2\n',
      'f:2:1: error: expected "}", or more blanks in front of this line (no tab): a mapping that begins with "{" ends with "}"',
    ],
    ['unclosed quote', 'a: "x\n', 'f:1:4: error: expected a closing quotation mark, found none'],
    [
      'an unclosed quote among others, to the end of its list and of the file',
      '---\n# it\'s "\na: [1, "y"]\nb: it\'s\nc:\n  - "x\n    y: z\n',
      'f:6:5: error: expected a closing quotation mark, found none',
    ],
    [
      'an unclosed quote in a list that begins with "["',
      "\ufeffa: 'b'\nc: ['x]\nd: 1\n",
      'f:2:5: error: expected a closing quotation mark, found none',
    ],
    [
      'a key that is indented too little',
      'a:\n  - b: 1\n   c: 2\n',
      'f:3:1: error: expected "- ", or the blanks of the line above in front, found more or fewer',
    ],
    ['a comment behind a value', 'a: [1]# x\n', 'f:1:7: error: expected a blank before "#"'],
    [
      'a value of a reserved kind',
      'a: @x\n',
      'f:1:4: error: expected text that begins with a letter or a digit: any other needs quotes',
    ],
    [
      'an entry without its dash',
      'a:\n  - b: 1\n    c: 2\n    b: 3\n    c: 4\n',
      'f:4:5: error: a[0].b: the key stands twice in one mapping, first in line 2 (does "- " stand before the next entry of the list?)',
      'f:5:5: error: a[0].c: the key stands twice in one mapping, first in line 3',
    ],
    ['tag', 'a: !!binary x\n', 'f:1:4: error: expected no tag: text that begins with "!" needs quotes'],
    ['tag of another kind', 'a: !env HOME\n', 'f:1:4: error: expected no tag: text that begins with "!" needs quotes'],
    ['duplicate key', 'a: 1\nb: 2\na: 3\n', 'f:3:1: error: a: the key stands twice in one mapping, first in line 1'],
    [
      'duplicate key, quoted and deep',
      'a:\n  - {x: 1, "x": 2}\n',
      'f:2:12: error: a[0].x: the key stands twice in one mapping, first in line 2',
    ],
    ['mapping as key', '? {a: 1}\n: 2\n', 'f:1:3: error: expected a plain word as key (an IPv6 address needs quotes)'],
    [
      '__proto__',
      'a: {__proto__: {b: 1}}\n',
      'f:1:5: error: a: expected a plain word as key (an IPv6 address needs quotes)',
    ],
    ['alias to nothing', 'a: *x\n', /^f:1:4: error: /],
    [
      'alias to itself',
      'a: &x [*x]\n',
      'f:1:8: error: a[0]: alias *x refers to no anchor before it (text that begins with "*" needs quotes)',
    ],
    ...(
      [
        ['in front of a key', 'a:\n  - b: 1\n\u00a0\u00a0\u00a0\u00a0c: 2\n    d: 3\n', '3:1', '00A0'],
        ['behind a colon', 'a: 1\nb:\u202f2\nc: 3\n', '2:3', '202F'],
        ['behind a dash', 'a:\n  -\u3000b: 1\n    c: 2\n', '2:4', '3000'],
      ] as const
    ).map(
      ([where, text, place, code]) =>
        [
          `blank of e-mails ${where}`,
          text,
          `f:${place}: error: expected a blank, found U+${code}, which looks like one (copied out of an e-mail or a web page?)`,
        ] as const,
    ),
    ['blank of e-mails in a comment, far from the mistake', 'a: 1 # x:\u00a0y\nb: 2\nc: 3\nd: [x\n', /expected "\]"/],
    ['CR alone', 'a: 1\rb: 2\r', 'f:1:5: error: expected lines that end by LF or CR LF, found CR alone'],
    [
      'merge key is a key',
      'a: &x {b: 1}\nc:\n  <<: *x\n  <<: *x\n',
      'f:4:3: error: c.<<: the key stands twice in one mapping, first in line 3'.replace('c.<<', 'c["<<"]'),
    ],
    ['depth', `a: ${'['.repeat(80)}${']'.repeat(80)}\n`, 'f:1:68: error: nested deeper than 64 levels'],
  ];
  for (const [name, content, ...expected] of cases) {
    test(`fail/${name}`, () => {
      const { document, said } = read(content);
      expect(document).toBeUndefined();
      expect(said.slice(0, expected.length)).toEqual(
        expected.map((each) => (typeof each === 'string' ? each : expect.stringMatching(each))),
      );
    });
  }
  test('fail/a tab as indentation alone, without what follows from it', () => {
    const { said } = read('a:\n  - b: 1\n\tc: 2\n    d: 3\n  - b: 2\n');
    expect(said).toEqual(['f:3:1: error: expected blanks as indentation, found a tab']);
  });

  for (const [name, brackets] of [
    ['behind a # in a quoted text', `[" # ", ${'['.repeat(2000)}`],
    ['among brackets that quoted texts end with', '["]]", '.repeat(2000)],
  ] as const) {
    test(`fail/deep brackets are seen ${name}, and the library is not led into them`, () => {
      const { document, said } = read(`a: ${brackets}\n`);
      expect(document).toBeUndefined();
      expect(said).toEqual(['f:1:1: error: cannot be read as YAML: nested too deeply']);
    });
  }

  test('ok/brackets and dashes in texts and comments lead nowhere', () => {
    const many = '[{- ? '.repeat(1000);
    const { document, said } = read(`# ${many}\na: "\\u0041 ${many}"\nb: |\n  ${many}\nc: [] # ${many}\n`);
    expect(said).toEqual([]);
    expect(document?.value).toMatchObject({ a: `A ${many}`, b: `${many}\n`, c: [] });
  });

  test('fail/a bomb of aliases stops at the budget', () => {
    const letters = [...'abcdefghij'];
    const lines = letters.map((letter, at) => {
      const inner = at === 0 ? 'x' : `*${letters[at - 1]}`;
      return `${letter}: &${letter} [${Array.from({ length: 10 }, () => inner).join(', ')}]`;
    });
    const { document, said } = read(lines.join('\n'));
    expect(document).toBeUndefined();
    expect(said).toEqual([expect.stringMatching(/^f:6:\d+: error: f\[\d\]: expected at most 1000000 values/)]);
  });

  for (const [name, content] of [
    ['lists', '['.repeat(50_000)],
    ['mappings', '{a: '.repeat(20_000)],
    ['blocks', Array.from({ length: 3000 }, (_, at) => `${' '.repeat(at)}a:`).join('\n')],
    ['dashes', `a:\n${'- '.repeat(20_000)}x\n`],
    ['keys with a mark', `${'? '.repeat(20_000)}x\n`],
  ] as const) {
    test(`fail/depth beyond the stack: ${name}`, () => {
      const { document, said } = read(content);
      expect(document).toBeUndefined();
      expect(said.length).toBeGreaterThan(0);
      expect(said.length).toBeLessThanOrEqual(10);
    });
  }
});

describe('places', () => {
  const content = 'a:\n  - b: 1\n    "c d": {e: [x, y]}\nf: &g\n  h: i\nj: *g\nk:\n';
  const cases: readonly (readonly [readonly (string | number)[], 'key' | 'value', string])[] = [
    [[], 'value', '1:1'],
    [['a'], 'key', '1:1'],
    [['a'], 'value', '2:3'],
    [['a', 0], 'value', '2:5'],
    [['a', 0, 'b'], 'value', '2:8'],
    [['a', 0, 'c d'], 'key', '3:5'],
    [['a', 0, 'c d', 'e', 1], 'value', '3:20'],
    [['a', 0, 'c d', 'e', 7], 'value', '3:16'],
    [['a', 0, 'x', 'y'], 'value', '2:5'],
    [['a', 5], 'value', '2:3'],
    [['j', 'h'], 'value', '5:6'],
    [['k'], 'key', '7:1'],
    [['nix'], 'key', '1:1'],
  ];
  for (const [path, at, expected] of cases) {
    test(`ok/${at} of ${JSON.stringify(path)}`, () => {
      const place = read(content).document?.locate(path, at);
      expect(`${place?.line}:${place?.column}`).toBe(expected);
    });
  }
});
