#!/usr/bin/env node
/**
 * siptrustctl: asks a running siptrustd, or answers without one.
 * Exit codes: 0 answered, 1 the answer is an error (docs/rpc.md says which commands mean what by it),
 * 2 the command line, a file or the connection is wrong, 130 and 143 stopped by SIGINT and SIGTERM, 141 nobody reads the answers any more.
 */

import { CommanderError } from 'commander';
import { program } from './program.js';
import { endWithOutput, Refusal, visibleLines } from './terminal/index.js';

endWithOutput(
  process.stdout,
  (text) => process.stderr.write(text),
  (code) => process.exit(code),
);
// Whoever does not read warnings gets answers all the same.
process.stderr.on('error', () => {});

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
  } else if (error instanceof Error && 'syscall' in error) {
    // What the system refuses names the file, and no trace would say more.
    process.stderr.write(`siptrustctl: ${visibleLines(error.message)}\n`);
    process.exitCode = 2;
  } else {
    throw error;
  }
}
