/** In place of src/state/work/thread.ts under vitest, which knows nothing of threads: they run what is compiled. */

import { type ResourceLimits, Worker } from 'node:worker_threads';
import { compiledModule } from './compiled.js';

export function startThread(module: URL, workerData?: unknown, resourceLimits?: ResourceLimits): Worker {
  return new Worker(compiledModule(module), { workerData, ...(resourceLimits && { resourceLimits }) });
}
