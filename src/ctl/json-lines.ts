import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/**
 * Hands each record of JSON Lines to `take`, one after the other. A line that is no JSON goes to `refuse` with the
 * reason; blank lines are passed over.
 */
export async function eachRecord(
  input: Readable,
  take: (record: unknown) => unknown,
  refuse: (why: string) => unknown,
): Promise<void> {
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.trim() === '') continue;
    let record: unknown;
    try {
      record = JSON.parse(line);
    } catch (error) {
      await refuse(`expected one JSON object a line: ${error instanceof Error ? error.message : String(error)}`);
      continue;
    }
    await take(record);
  }
}

/** Reads JSON Lines and writes one answer line for each, in the same order. */
export function answerLines(
  input: Readable,
  output: Writable,
  answer: (record: unknown) => unknown,
  unreadable: (why: string) => unknown,
): Promise<void> {
  const write = (line: unknown) => output.write(`${JSON.stringify(line)}\n`);
  return eachRecord(
    input,
    async (record) => write(await answer(record)),
    (why) => write(unreadable(why)),
  );
}
