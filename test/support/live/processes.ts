/** What a program and all processes under it use, as the kernel tells it (proc(5)). */

import { readdirSync, readFileSync } from 'node:fs';

/** All processes of this machine. */
export function processes(): readonly number[] {
  return readdirSync('/proc')
    .filter((each) => /^\d+$/.test(each))
    .map(Number);
}

/** State and parent of a process, in this order; empty where it has ended. */
function stateOf(pid: number): readonly string[] {
  return (
    read(`/proc/${pid}/stat`)
      ?.replace(/^.*\) /, '')
      .split(' ') ?? []
  );
}

/** Whether nothing is left of it but what its parent has not asked for yet. */
export function ended(pid: number): boolean {
  const [state = 'X'] = stateOf(pid);
  return state === 'X' || state === 'Z';
}

/** The environment that a process was started with, each entry with a NUL behind it. */
export function environment(pid: number): string {
  return read(`/proc/${pid}/environ`) ?? '';
}

/** A process and all that descend from it. */
export function family(pid: number): readonly number[] {
  const children = new Map<number, number[]>();
  for (const each of processes()) {
    const parent = Number(stateOf(each)[1]);
    if (!Number.isNaN(parent)) children.set(parent, [...(children.get(parent) ?? []), each]);
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
