/** The thread that reads the policy: it may take its time, because verdicts are given in another one. */

import { readlinkSync } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';
import { basename } from 'node:path';
import { parentPort } from 'node:worker_threads';
import { octetsOf } from '../snapshot/index.js';
import { Changes } from './changes.js';
import { PolicyReader, type ReadOrder } from './reader.js';

/** Nicer than the thread of verdicts by this, as of nice(1): where processors are short, verdicts come first. */
const NICENESS = 5;

/** Linux gives each thread a priority of its own (setpriority(2)). */
function giveWay(): void {
  try {
    const thread = Number(basename(readlinkSync('/proc/thread-self')));
    setPriority(thread, Math.min(getPriority(thread) + NICENESS, constants.priority.PRIORITY_LOW));
  } catch {
    // It is only a wish.
  }
}

giveWay();
const reader = new PolicyReader();
const changes = new Changes();

parentPort?.on('message', (order: ReadOrder) => {
  const result = reader.read(order, changes.take());
  parentPort?.postMessage(result, result.ok ? octetsOf(result.parcel) : []);
  changes.follow(result.seen?.directories ?? []);
});
