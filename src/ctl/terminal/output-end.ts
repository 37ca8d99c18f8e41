import type { Writable } from 'node:stream';

/** 128 and SIGPIPE: as a shell tells of others that this signal ends. */
const NOBODY_READS = 141;

/**
 * Ends the program where its answers cannot be written any more: in silence where whoever read them has enough (`head`, a pager),
 * with words where it is the disk.
 */
export function endWithOutput(output: Writable, warn: (text: string) => void, end: (code: number) => void): void {
  output.on('error', (error: Error) => {
    if ('code' in error && error.code === 'EPIPE') {
      end(NOBODY_READS);
      return;
    }
    warn(`siptrustctl: standard output: ${error.message}\n`);
    end(2);
  });
}
