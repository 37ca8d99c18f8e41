import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { endWithOutput } from '../../../../src/ctl/terminal/output-end.js';

/** What is said, and the exit code, where a write fails like this. */
async function ended(code: string): Promise<readonly unknown[]> {
  const output = new Writable({
    write: (_, __, done) => done(Object.assign(new Error(`write ${code}`), { code })),
  });
  const said: unknown[] = [];
  const end = new Promise<number>((resolve) => endWithOutput(output, (text) => said.push(text), resolve));
  output.write('answer\n');
  const exit = await end;
  return [...said, exit];
}

describe('an output that takes no more', () => {
  test('ok/a reader that has enough ends the program in silence', async () => {
    expect(await ended('EPIPE')).toEqual([141]);
  });

  test('fail/a disk that is full is told, with the exit code of a file that is wrong', async () => {
    expect(await ended('ENOSPC')).toEqual(['siptrustctl: standard output: write ENOSPC\n', 2]);
  });
});
