import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createNetstringParser, type NetstringError, netstring } from '../../../../src/rpc/wire/netstring.js';

interface Outcome {
  readonly frames: string[];
  readonly error: NetstringError | undefined;
  readonly partial: boolean;
}

function parse(chunks: readonly (string | Buffer)[], maxBytes?: number): Outcome {
  const parser = createNetstringParser(maxBytes);
  const frames: string[] = [];
  let error: NetstringError | undefined;
  for (const chunk of chunks) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk);
    error = parser.push(bytes, (frame) => frames.push(frame.toString('latin1')));
    // A frame must not depend on a chunk that is gone.
    if (error === undefined && parser.partial) bytes.fill(bytes.length > 0 ? 0x2c : 0);
  }
  return { frames, error, partial: parser.partial };
}

/** The bytes cut at the given places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

function encode(frames: readonly Uint8Array[]): Buffer {
  return Buffer.concat(frames.flatMap((frame) => [Buffer.from(`${frame.length}:`), frame, Buffer.from(',')]));
}

describe('frames', () => {
  test.each<[string, string[], string[], boolean]>([
    ['none', [], [], false],
    ['one', ['5:hello,'], ['hello'], false],
    ['empty', ['0:,'], [''], false],
    ['empty, its comma later', ['0:', ','], [''], false],
    ['several in one segment', ['1:a,0:,2:bc,'], ['a', '', 'bc'], false],
    ['one in many segments', [...'11:hello world,'], ['hello world'], false],
    ['split within the length', ['1', '1:hello world,'], ['hello world'], false],
    ['empty segments', ['', '1:', '', 'a', '', ','], ['a'], false],
    ['delimiters as content', ['6:3:abc,,1:x,'], ['3:abc,', 'x'], false],
    ['a second one open', ['1:a,5:hel'], ['a'], true],
    ['no comma yet', ['1:a'], [], true],
    ['length alone', ['12'], [], true],
  ])('ok/%s', (_, chunks, frames, partial) => {
    expect(parse(chunks)).toEqual({ frames, error: undefined, partial });
  });

  test('ok/as long as the limit', () => {
    expect(parse(['10:0123456789,'], 10).frames).toEqual(['0123456789']);
  });

  test('ok/the length counts bytes', () => {
    expect(netstring('ü€')).toBe('5:ü€,');
  });
});

describe('what is no netstring', () => {
  test.each<[string, string[], string, string]>([
    ['garbage', ['garbage'], 'no-length', '"g"'],
    ['bare JSON', ['{"jsonrpc":"2.0"}'], 'no-length', '"{"'],
    ['colon first', [':'], 'no-length', '":"'],
    ['negative', ['-1:'], 'no-length', '"-"'],
    ['line end between frames', ['1:a,\n'], 'no-length', 'byte 0x0a'],
    ['a TLS hello', ['\x16\x03\x01'], 'no-length', 'byte 0x16'],
    ['leading zero', ['01:a,'], 'leading-zero', '0 first'],
    ['two zeros', ['00:,'], 'leading-zero', '0 first'],
    ['hexadecimal', ['1f:'], 'no-colon', '"f"'],
    ['space', ['1 :a,'], 'no-colon', 'byte 0x20'],
    ['one longer than the limit', ['11:'], 'too-long', 'a length of 11 or more'],
    ['endless length', ['9'.repeat(400)], 'too-long', 'a length of 99 or more'],
    ['content too long', ['1:ab,'], 'no-comma', '"b"'],
    ['content too short', ['3:ab,1:x,'], 'no-comma', '"1"'],
  ])('fail/%s', (_, chunks, code, found) => {
    expect(parse(chunks, 10)).toMatchObject({ error: { code, found } });
    expect(
      parse(
        chunks.flatMap((chunk) => [...chunk]),
        10,
      ),
    ).toMatchObject({ error: { code, found } });
  });

  test('fail/the limit is 1 MiB', () => {
    expect(parse(['1048576:']).error).toBeUndefined();
    expect(parse(['1048577:']).error).toMatchObject({ code: 'too-long', expected: 'at most 1048576 bytes' });
  });

  test('fail/frames before the garbage count, none after it do', () => {
    expect(parse(['1:a,x', '1:b,'])).toMatchObject({ frames: ['a'], error: { code: 'no-length' } });
  });
});

describe('properties', () => {
  const frames = fc.array(
    fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ minLength: 4000, maxLength: 9000 })),
  );
  const places = fc.array(fc.nat(), { maxLength: 20 });

  test('ok/any split of any frames gives the same frames', () => {
    fc.assert(
      fc.property(frames, places, (sent, at) => {
        const { frames: received, error, partial } = parse(cut(encode(sent), at));
        expect(error).toBeUndefined();
        expect(partial).toBe(false);
        expect(received).toEqual(sent.map((frame) => Buffer.from(frame).toString('latin1')));
      }),
    );
  });

  test('ok/garbage never throws, and says the same however it is split', () => {
    const nearly = fc.stringMatching(/^[0-9:,a]{0,30}$/).map((text) => Buffer.from(text));
    const bytes = fc.oneof(
      nearly,
      fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array)),
    );
    fc.assert(
      fc.property(bytes, places, (garbage, at) => {
        expect(parse(cut(garbage, at), 50)).toEqual(parse([garbage], 50));
      }),
      { numRuns: 1000 },
    );
  });
});
