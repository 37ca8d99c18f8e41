/** JSON Lines: one answer for each line, whatever the line holds. */

import type { Readable, Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { parseStrictJson } from '../../rpc/dispatch/index.js';
import { Refusal } from './failure.js';
import { visibleJson } from './visible.js';

/** Longest line that is read, in characters: a record with thousands of certificates and a large CRL. */
export const MAX_LINE = 64 * 1024 * 1024;

/**
 * The lines of a stream. Only LF ends one: U+2028 and lone CR may stand in JSON (RFC 8259 §7), where node:readline would
 * cut. Of a line that is too long only the fact is told (undefined).
 */
async function* linesOf(input: Readable, longest: number): AsyncGenerator<string | undefined> {
  const decoder = new StringDecoder('utf8');
  let parts: string[] = [];
  let length = 0;
  const take = (text: string): void => {
    length += text.length;
    if (length > longest) parts = [];
    else if (text !== '') parts.push(text);
  };
  const finish = (): string | undefined => {
    const line = length > longest ? undefined : parts.join('');
    parts = [];
    length = 0;
    return line;
  };
  for await (const chunk of input) {
    const text = typeof chunk === 'string' ? chunk : decoder.write(chunk);
    let from = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      take(text.slice(from, end));
      yield finish();
      from = end + 1;
    }
    take(text.slice(from));
  }
  take(decoder.end());
  // The last line may lack its LF; after a final LF there is none.
  if (length > 0) yield finish();
}

/**
 * Hands each record of JSON Lines to `take`, one after the other. A line that is no JSON, and a blank one, goes to
 * `refuse` with the reason, so that answers can be told apart by their number alone. The number of lines.
 */
export async function eachLine(
  input: Readable,
  take: (record: unknown) => unknown,
  refuse: (why: string) => unknown,
  longest = MAX_LINE,
): Promise<number> {
  let found = 0;
  for await (const line of linesOf(input, longest)) {
    found += 1;
    let record: unknown;
    try {
      if (line === undefined) throw new RangeError(`found one of more than ${longest} characters`);
      record = parseStrictJson(line);
    } catch (error) {
      await refuse(`expected one JSON object a line: ${error instanceof Error ? error.message : String(error)}`);
      continue;
    }
    await take(record);
  }
  return found;
}

/**
 * The records of standard input, as `eachLine` has them. At a terminal, standard error says what is waited for.
 * @throws {Refusal} there is not one line
 */
export async function eachRecord(...given: Parameters<typeof eachLine>): Promise<void> {
  const [input] = given;
  if ('isTTY' in input && input.isTTY)
    process.stderr.write('siptrustctl: waits for one JSON object a line; Ctrl-D ends\n');
  if ((await eachLine(...given)) > 0) return;
  throw new Refusal('standard input: expected one JSON object a line, found nothing', 2);
}

/**
 * Reads JSON Lines and writes one answer line for each, in the same order. An answer that fails by itself is told like a
 * line that cannot be read: the lines after it are answered all the same.
 */
export function answerLines(
  input: Readable,
  output: Writable,
  answer: (record: unknown) => unknown,
  unreadable: (why: string) => unknown,
  longest = MAX_LINE,
): Promise<void> {
  const write = async (line: unknown): Promise<void> => {
    if (!output.write(`${visibleJson(line)}\n`)) await new Promise((resolve) => output.once('drain', resolve));
  };
  return eachRecord(
    input,
    async (record) => {
      let line: unknown;
      try {
        line = await answer(record);
      } catch (error) {
        if (error instanceof Refusal) throw error;
        line = unreadable(`no answer was found: ${error instanceof Error ? error.message : String(error)}`);
      }
      await write(line);
    },
    (why) => write(unreadable(why)),
    longest,
  );
}
