/** What a program and all processes under it use, as the kernel tells it (proc(5)). */

import { readdirSync, readFileSync } from 'node:fs';

/** A process and all that descend from it. */
export function family(pid: number): readonly number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc').filter((each) => /^\d+$/.test(each))) {
    const stat = read(`/proc/${name}/stat`);
    const parent = Number(stat?.replace(/^.*\) /, '').split(' ')[1]);
    if (!Number.isNaN(parent)) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found = [pid];
  for (const each of found) found.push(...(children.get(each) ?? []));
  return found;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // It has ended.
    return undefined;
  }
}

/** Processor time in ms that the threads of these programs have spent so far. */
export function processorTime(...pids: readonly number[]): number {
  let nanoseconds = 0;
  for (const pid of pids.flatMap(family)) {
    for (const thread of threads(pid)) {
      nanoseconds += Number(read(`/proc/${pid}/task/${thread}/schedstat`)?.split(' ')[0] ?? 0);
    }
  }
  return nanoseconds / 1e6;
}

function threads(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/**
 * Memory in KiB that these programs have for themselves. Pages that processes still share since their fork count once,
 * divided among them (Pss of smaps_rollup, proc(5)).
 */
export function ownMemory(pid: number): number {
  let kibibytes = 0;
  for (const each of family(pid)) {
    kibibytes += Number(/^Pss_Anon:\s+(\d+)/m.exec(read(`/proc/${each}/smaps_rollup`) ?? '')?.[1] ?? 0);
  }
  return kibibytes;
}
