import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/**
 * Reads JSON Lines and writes one answer line for each, in the same order. A line that is no JSON gets the answer of
 * `unreadable`; blank lines are passed over.
 */
export async function answerLines(
  input: Readable,
  output: Writable,
  answer: (record: unknown) => unknown,
  unreadable: (why: string) => unknown,
): Promise<void> {
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.trim() === '') continue;
    output.write(`${JSON.stringify(await answered(line, answer, unreadable))}\n`);
  }
}

function answered(line: string, answer: (record: unknown) => unknown, unreadable: (why: string) => unknown): unknown {
  let record: unknown;
  try {
    record = JSON.parse(line);
  } catch (error) {
    return unreadable(`expected one JSON object a line: ${error instanceof Error ? error.message : String(error)}`);
  }
  return answer(record);
}
