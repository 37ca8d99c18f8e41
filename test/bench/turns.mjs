/**
 * Loaded before a program that is measured (`node --import`): the longest turns of its event loop by the processor time of its
 * thread, which says what is ours and not the machine's. At SIGUSR2 what was found since the last time goes to SIPTRUST_TURNS.
 */

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { PerformanceObserver } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

const EVERY_MS = 1;
const MOST = 5;
const KINDS = { 1: 'minor', 4: 'major', 8: 'incremental', 16: 'weak' };

/** Milliseconds that this thread had a processor, and that it was ready and had none. */
function ofThread() {
  // Has the kernel bring its count up to date.
  process.cpuUsage();
  const [ran = 0, waited = 0] = readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ').map(Number);
  return { ran: ran / 1e6, waited: waited / 1e6 };
}

function longest(turns, turn, by) {
  if (turns.length === MOST && turn[by] <= turns.at(-1)[by]) return;
  turns.push(turn);
  turns.sort((a, b) => b[by] - a[by]);
  turns.length = Math.min(turns.length, MOST);
}

function measure(file) {
  let turns = [];
  let held = [];
  let collections = {};
  let first = ofThread();
  let last = first;
  let at = performance.now();
  const take = () => {
    // What is waited for a processor while this is read belongs to no turn.
    const ms = performance.now();
    const now = ofThread();
    const took = ms - at;
    const waited = now.waited - last.waited;
    // A virtual processor's count of a thread leaps by some milliseconds now and then, in no time at all.
    const turn = { ran: Math.min(now.ran - last.ran, took), waited, took, own: took - waited };
    longest(turns, turn, 'ran');
    longest(held, turn, 'own');
    last = now;
    at = performance.now();
  };
  setInterval(take, EVERY_MS).unref();
  new PerformanceObserver((list) => {
    for (const { duration, detail } of list.getEntries()) {
      const name = KINDS[detail.kind] ?? 'other';
      const { count = 0, longest = 0, together = 0 } = collections[name] ?? {};
      collections[name] = { count: count + 1, longest: Math.max(longest, duration), together: together + duration };
    }
  }).observe({ entryTypes: ['gc'] });
  process.on('SIGUSR2', () => {
    take();
    const found = { turns, held, collections, ran: last.ran - first.ran, waited: last.waited - first.waited };
    writeFileSync(`${file}.new`, JSON.stringify(found));
    renameSync(`${file}.new`, file);
    turns = [];
    held = [];
    collections = {};
    first = last;
  });
}

if (isMainThread && process.env.SIPTRUST_TURNS !== undefined) measure(process.env.SIPTRUST_TURNS);
