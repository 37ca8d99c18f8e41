import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFifoFraming } from '../../../../src/rpc/wire/fifo-framing.js';

function frame(chunks: readonly string[], maxLength?: number): { requests: string[]; rest: string[] } {
  const framing = createFifoFraming(maxLength);
  const requests: string[] = [];
  for (const chunk of chunks) framing.push(chunk, (request) => requests.push(request));
  const rest: string[] = [];
  const { partial } = framing;
  framing.flush((request) => rest.push(request));
  expect(framing.partial).toBe(false);
  expect(partial || rest.length === 0).toBe(true);
  return { requests, rest };
}

const LINE = '{"jsonrpc": "2.0", "method": "m", "params": ["a"], "reply_name": "r_1", "id": 1}';
const QUOTE = '{"jsonrpc": "2.0", "method": "m", "params": ["a"b"], "reply_name": "r_1", "id": 1}';
const BREAK = '{"jsonrpc": "2.0", "method": "m", "params": ["a\nb"], "reply_name": "r_1", "id": 1}';
const CUT = '{"jsonrpc": "2.0", "method": "m", "params": ["50';
const PRETTY = JSON.stringify(JSON.parse(LINE), null, 2);

describe('requests', () => {
  test.each<[string, string[], string[], string[]]>([
    ['one line', [`${LINE}\n`], [LINE], []],
    ['two lines', [`${LINE}\n${LINE}\n`], [LINE, LINE], []],
    ['empty lines', [`\n\n${LINE}\n \n`], [LINE], []],
    ['split', [...`${LINE}\n`], [LINE], []],
    ['CR LF', [`${LINE}\r\n`], [LINE], []],
    ['several lines, as `kamctl monitor` writes', [`${PRETTY}\n`, `${LINE}\n`], [`${PRETTY}\n`, LINE], []],
    ['a batch', [`[${LINE},\n${LINE}]\n`], [`[${LINE},\n${LINE}]\n`], []],
    ['a lone bracket per line', ['[\n  {},\n  {}\n]\n'], ['[\n  {},\n  {}\n]\n'], []],
  ])('ok/%s', (_, chunks, requests, rest) => {
    expect(frame(chunks)).toEqual({ requests, rest });
  });

  test.each<[string, string[], string[], string[]]>([
    ['a quote that nobody escaped', [`${QUOTE}\n`, `${LINE}\n`], [QUOTE, LINE], []],
    ['a line end within a string', [`${BREAK}\n`, `${LINE}\n`], [`${BREAK}\n`, LINE], []],
    ['cut by printf, then a good one', [`${CUT}\n`, `${LINE}\n`], [`${CUT}\n`, LINE], []],
    ['cut by printf within the line', [CUT], [], [CUT]],
    ['no JSON at all', ['hello\n'], ['hello\n'], []],
    ['an open bracket', ['[\n'], [], ['[\n']],
    ['too long', ['x'.repeat(40)], ['x'.repeat(40)], []],
  ])('fail/%s', (_, chunks, requests, rest) => {
    expect(frame(chunks, chunks[0]?.startsWith('x') ? 39 : undefined)).toEqual({ requests, rest });
  });
});

describe('properties', () => {
  test('ok/any split gives the same requests', () => {
    const value = fc.json().map((text) => `{"jsonrpc":"2.0","params":[${text}]}`);
    const pretty = value.map((text) => JSON.stringify(JSON.parse(text), null, '\t'));
    const requests = fc.array(fc.oneof(value, pretty), { maxLength: 6 });
    fc.assert(
      fc.property(requests, fc.array(fc.nat(), { maxLength: 10 }), (sent, at) => {
        const text = sent.map((request) => `${request}\n`).join('');
        const ends = [...at.map((place) => place % (text.length + 1)), text.length].sort((a, b) => a - b);
        const chunks = ends.map((end, index) => text.slice(ends[index - 1] ?? 0, end));
        const { requests: received, rest } = frame(chunks);
        expect(rest).toEqual([]);
        expect(received.map((request) => JSON.parse(request))).toEqual(sent.map((request) => JSON.parse(request)));
      }),
    );
  });

  test('ok/garbage never throws and is never lost', () => {
    const text = fc.stringMatching(/^[{}[\]"\\\n a]{0,40}$/);
    fc.assert(
      fc.property(fc.array(text), (chunks) => {
        const { requests, rest } = frame(chunks);
        const solid = (parts: readonly string[]) => parts.join('').replace(/\s/g, '');
        expect(solid([...requests, ...rest])).toBe(solid(chunks));
      }),
    );
  });
});
