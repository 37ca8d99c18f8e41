/** siptrustctl in this process: the command line, standard input, and what comes of it. */

import { Readable, Writable } from 'node:stream';
import { program } from '../../src/ctl/program.js';
import { Refusal } from '../../src/ctl/terminal/failure.js';

export interface Outcome {
  readonly code: number;
  readonly output: string;
  /** What would stand on standard error. */
  readonly error: string;
}

/** Runs siptrustctl with these arguments. */
export async function siptrustctl(args: readonly string[], input = ''): Promise<Outcome> {
  let output = '';
  let code = 0;
  const sink = new Writable({
    write: (chunk: Buffer, _, done) => {
      output += chunk.toString('utf8');
      done();
    },
  });
  const command = program(Readable.from([input]), sink, (exit) => {
    code = exit;
  });
  try {
    await command.parseAsync(['node', 'siptrustctl', ...args]);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { code: error.exitCode, output, error: error.message };
  }
  return { code, output, error: '' };
}
