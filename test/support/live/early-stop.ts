/**
 * `node --import`, before a program of long work and all that it imports are loaded: whoever stops it by then is told so,
 * as longWork tells him later.
 */

import { basename } from 'node:path';

for (const [name, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.on(name, () => {
    // Who listens since then has more to end.
    if (process.listenerCount(name) > 1) return;
    process.stderr.write(`${basename(process.argv[1] ?? '')}: stopped by ${name}\n`);
    process.exit(code);
  });
}
