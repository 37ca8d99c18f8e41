/** The thread that looks whether the files of the policy have changed: by looking, which works on every file system. */

import { parentPort } from 'node:worker_threads';
import { type Seen, seenNow } from '../reading/index.js';
import { Watch } from './watch.js';

const INTERVAL_MS = 1000;
/** Looking takes at most one in so many parts of the time, however many files there are. */
const SHARE = 20;

let seen: Seen | undefined;
let watch = new Watch('');
let timer: NodeJS.Timeout | undefined;

function look(): void {
  if (seen === undefined) return;
  const began = performance.now();
  if (watch.look(seenNow(seen), began)) parentPort?.postMessage('changed');
  timer = setTimeout(look, Math.max(INTERVAL_MS, SHARE * (performance.now() - began)));
}

parentPort?.on('message', (now: Seen) => {
  clearTimeout(timer);
  seen = now;
  watch = new Watch(now.state);
  timer = setTimeout(look, INTERVAL_MS);
});
