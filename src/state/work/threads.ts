import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';

/** Starts a thread that runs a file of policy/. */
export function startThread(file: 'worker' | 'watch-worker'): Worker {
  const program = new URL(`../policy/${file}.js`, import.meta.url);
  if (import.meta.url.endsWith('.js')) return new Worker(program);
  // Run from its sources, as tests do: Node hands the loader that reads them to no other thread.
  const loader = createRequire(import.meta.url)
    .resolve('tsx/esm/api')
    .replace(/cjs$/, 'mjs');
  const source = program.href.replace(/js$/, 'ts');
  const code = `import(${JSON.stringify(loader)}).then(({ register }) => { register(); return import(${JSON.stringify(source)}); });`;
  return new Worker(code, { eval: true, execArgv: [] });
}
