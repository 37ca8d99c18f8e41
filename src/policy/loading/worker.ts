/** The thread that reads the policy: it may take its time, because verdicts are given in another one. */

import { parentPort } from 'node:worker_threads';
import { octetsOf } from '../snapshot/index.js';
import { Changes } from './changes.js';
import { PolicyReader, type ReadOrder } from './reader.js';

const reader = new PolicyReader();
const changes = new Changes();

parentPort?.on('message', (order: ReadOrder) => {
  const result = reader.read(order, changes.take());
  parentPort?.postMessage(result, result.ok ? octetsOf(result.parcel) : []);
  changes.follow(reader.directories);
});
