#!/usr/bin/env node
/**
 * siptrustctl: asks a running siptrustd, or answers without one.
 * Exit codes: 0 answered, 1 the answer is an error (`cert lint`: holds one; `replay`, `policy diff`: there are changes),
 * 2 the command line, a file or the connection is wrong, 130 and 143 stopped by SIGINT and SIGTERM.
 */

import { CommanderError } from 'commander';
import { program } from './program.js';
import { Refusal } from './terminal/index.js';

try {
  const exit = (code: number) => {
    process.exitCode = code;
  };
  await program(process.stdin, process.stdout, exit).parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) {
    // commander has printed its message; help and version are no errors.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else if (error instanceof Refusal) {
    process.stderr.write(`siptrustctl: ${error.message}\n`);
    process.exitCode = error.exitCode;
  } else {
    throw error;
  }
}
