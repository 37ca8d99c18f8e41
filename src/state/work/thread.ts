import { createRequire } from 'node:module';
import { type ResourceLimits, Worker } from 'node:worker_threads';

/** Starts a thread that runs a module of ours, given as the `.js` that it is built to. */
export function startThread(module: URL, workerData?: unknown, resourceLimits?: ResourceLimits): Worker {
  if (import.meta.url.endsWith('.js'))
    return new Worker(module, { workerData, ...(resourceLimits && { resourceLimits }) });
  // Run from its sources, as tests do: Node hands the loader that reads them to no other thread.
  const loader = createRequire(import.meta.url)
    .resolve('tsx/esm/api')
    .replace(/cjs$/, 'mjs');
  const source = module.href.replace(/js$/, 'ts');
  const code = `import(${JSON.stringify(loader)}).then(({ register }) => { register(); return import(${JSON.stringify(source)}); });`;
  return new Worker(code, { eval: true, execArgv: [], workerData, ...(resourceLimits && { resourceLimits }) });
}
