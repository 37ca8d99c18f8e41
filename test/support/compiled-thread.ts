/** In place of src/state/work/thread.ts under vitest, which knows nothing of threads: they run what is compiled. */

import { Worker } from 'node:worker_threads';
import { compiledModule } from './compiled.js';

export function startThread(module: URL, workerData?: unknown): Worker {
  return new Worker(compiledModule(module), { workerData });
}
