/** The thread that reads the policy: it may take its time, because verdicts are given in another one. */

import { parentPort } from 'node:worker_threads';
import { octetsOf } from '../snapshot/index.js';
import { PolicyReader, type ReadOrder } from './reader.js';

const reader = new PolicyReader();

parentPort?.on('message', (order: ReadOrder) => {
  const result = reader.read(order);
  parentPort?.postMessage(result, result.ok ? octetsOf(result.parcel) : []);
});
