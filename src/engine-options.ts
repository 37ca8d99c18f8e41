/**
 * What siptrustd asks of Node, as the first line of main.ts says it. None of it can be set from within: V8 takes the largest
 * nursery when it makes a heap, and `semi_space_growth_factor`, which would hold it down, goes back with each thread that starts.
 * More than one helper of V8 collects the heap of the thread that reads a policy in no less time, and takes the processors from the verdicts.
 */
export const ENGINE_OPTIONS: readonly string[] = Object.freeze([
  '--max-semi-space-size=2',
  '--no-parallel-scavenge',
  '--v8-pool-size=1',
]);

/**
 * What whoever started siptrustd left out, in words for the operator; undefined where that is nothing.
 * @param given options of this Node (process.execArgv), and those of NODE_OPTIONS
 */
export function missingOptions(given: readonly string[]): string | undefined {
  const names = new Set(given.map(optionName));
  const missing = ENGINE_OPTIONS.filter((option) => !names.has(optionName(option)));
  if (missing.length === 0) return undefined;
  const next = `start siptrustd by its own name, or as "node ${ENGINE_OPTIONS.join(' ')} main.js"`;
  return `Node was started without ${missing.join(' ')}: a reload can hold questions up for longer; next: ${next}`;
}

/** Another value is somebody's choice; V8 takes `_` for `-`. */
function optionName(option: string): string {
  return option.replace(/=.*/s, '').replaceAll('_', '-');
}
