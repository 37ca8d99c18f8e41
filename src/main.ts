#!/usr/bin/env -S node --max-semi-space-size=2 --no-parallel-scavenge --v8-pool-size=1

/**
 * siptrustd.
 * A reload makes objects that stay: with a large nursery V8 copies up to 16 MiB of them in one turn, in several threads of
 * which each waits for the others. With the options above it is 2 MiB, in one.
 * Exit codes: 0 stopped or the policy is good, 1 the policy or a listener is not, 2 the command line is wrong.
 */

import './signals.js';

// Node runs nothing before it has read all that is imported, which takes seconds on a busy machine: so nothing else is
// until signals are listened to.
const { main } = await import('./daemon.js');
process.exitCode = await main();
