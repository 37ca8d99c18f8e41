import { describe, expect, test } from 'vitest';
import { parseStrictJson, RepeatedMember } from '../../../../src/rpc/dispatch/strict-json.js';

describe('parseStrictJson', () => {
  test.each([
    'null',
    '1',
    '"a"',
    '[]',
    '{}',
    '{"a":1,"b":{"a":1}}',
    '[{"a":1},{"a":2}]',
    '{"a":"a","b":["a",{"b":"b:"}]}',
    String.raw`{"a\"b":"\\","c":"\\\"","d":"\":"}`,
    String.raw`{"\\":1,"\"":2,":":3,"":4}`,
    '{ "a" \t\r\n : 1 , "b"\n:{ } }',
    '{"__proto__":1,"constructor":2,"toString":{"__proto__":3}}',
    '{"a":"{\\"a\\":1,\\"a\\":2}"}',
    '{"1":0,"0":1}',
  ])('ok/%s', (text) => {
    expect(parseStrictJson(text)).toEqual(JSON.parse(text));
  });

  test.each<[text: string, member: string]>([
    ['{"a":1,"a":1}', 'a'],
    ['{"a":1,"b":2,"a":{}}', 'a'],
    ['[[{"x":[{"a":1,"b":{"a":0},"a":2}]}]]', 'a'],
    [String.raw`{"pem":1,"p\u0065m":2}`, 'pem'],
    ['{"__proto__":1,"__proto__":2}', '__proto__'],
    ['{"a" : 1, "a"\n:\t2}', 'a'],
    [String.raw`{"\\":1,"\\":2}`, '\\'],
    ['{"":1,"":2}', ''],
    // What was kept can be written longer than what was sent.
    ['{"a":1,"a":1,"b":1e20}', 'a'],
    ['{"a":1,"a":1,"b":1e6}', 'a'],
    ['{"a":1,"a":1,"b":-1e6}', 'a'],
    ['{"a":1,"a":1,"b":1e400}', 'a'],
    ['{"a":1,"a":1,"b":1e-7}', 'a'],
    ['{"a":1,"a":1,"b":12e3,"c":12e3,"d":12e3,"e":12e3,"f":12e3,"g":12e3}', 'a'],
    [`{"a"${' '.repeat(99)}:1,"a"${' '.repeat(99)}:2}`, 'a'],
  ])('fail/%s', (text, member) => {
    let found: unknown;
    try {
      parseStrictJson(text);
    } catch (error) {
      found = error;
    }
    expect(found).toBeInstanceOf(RepeatedMember);
    expect((found as RepeatedMember).member).toBe(member);
  });

  test.each(['', '{', '{"a":1', '"', '{"a":"\\', '{a:1}', '"\\"'])('fail/no JSON: %s', (text) => {
    expect(() => parseStrictJson(text)).toThrow(SyntaxError);
  });

  test('ok/a string of backslashes, and objects as deep as JSON.parse stands them', () => {
    const text = JSON.stringify({ a: '\\'.repeat(200_000), b: '"'.repeat(200_000), c: '\\"'.repeat(200_000) });
    expect(parseStrictJson(text)).toEqual(JSON.parse(text));
    const deep = `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`;
    expect(parseStrictJson(deep)).toBeTypeOf('object');
  });
});
