/** The thread that reads the policy: it may take its time, because verdicts are given in another one. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort } from 'node:worker_threads';
import { Changes } from './changes.js';
import { PolicyReader, type ReadOrder } from './reader.js';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');
const reader = new PolicyReader();
const changes = new Changes();

/**
 * A collection takes this thread and V8's only helper for some 200 ms: right after a reading, when all peers are judged anew, the
 * daemon's thread would have to mark its own heap meanwhile, as fast as questions take memory, and they would pile up.
 */
const REST_MS = 1000;
let rest: NodeJS.Timeout | undefined;

parentPort?.on('message', (order: ReadOrder) => {
  clearTimeout(rest);
  const result = reader.read(order, changes.take());
  parentPort?.postMessage(result);
  changes.follow(reader.directories);
  // Nobody waits for this thread now, and it may do nothing for weeks: what the reading left behind would stay that long.
  // Not in this job: what it has touched by way of a WeakRef stays until it ends.
  if (!result.ok || result.remembers) rest = setTimeout(collect, REST_MS);
});
