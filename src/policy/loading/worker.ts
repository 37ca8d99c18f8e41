/** The thread that reads the policy: it may take its time, because verdicts are given in another one. */

import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { basename } from 'node:path';
import { parentPort } from 'node:worker_threads';
import { octetsOf } from '../snapshot/index.js';
import { PolicyReader, type ReadOrder } from './reader.js';

/** Nice, as of nice(1): where processors are short, verdicts come first. */
const NICENESS = 5;

/** Linux gives each thread a priority of its own (setpriority(2)). */
function giveWay(): void {
  try {
    setPriority(Number(basename(readlinkSync('/proc/thread-self'))), NICENESS);
  } catch {
    // It is only a wish.
  }
}

giveWay();
const reader = new PolicyReader();

parentPort?.on('message', (order: ReadOrder) => {
  const result = reader.read(order);
  parentPort?.postMessage(result, result.ok ? octetsOf(result.parcel) : []);
});
