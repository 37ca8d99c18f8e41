/** `make demo-ui`: the page with 300 partners and questions every few seconds, until Ctrl-C. */

import { setTimeout as pause } from 'node:timers/promises';
import { accepts, loopbackBlock, runDirectory } from '../support/live/places.js';
import { stage } from './stage.js';

const EVERY_MS = 3_000;

const directory = runDirectory();
// The address that `make demo` names, unless a siptrustd is there.
const taken = (await accepts('127.0.0.1', 7061)) || (await accepts('127.0.0.1', 7060));
const host = taken ? loopbackBlock()(1) : '127.0.0.1';
const { daemon, origin, tokens, ask, grow } = await stage(host, directory.path);
await grow(300);
process.stdout.write(`The page:              ${origin}/ui\n`);
process.stdout.write(`Token of an operator:  ${tokens.operator}\n`);
process.stdout.write(`Token of a viewer:     ${tokens.viewer}\nCtrl-C ends it.\n`);
const ended = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.abort());
while (!ended.signal.aborted) {
  await ask();
  await pause(EVERY_MS, undefined, { signal: ended.signal }).catch(() => {});
}
await daemon.stop();
directory.remove();
