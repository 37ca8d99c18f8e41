/**
 * Instructions that Kamailio's processes spend in receive_msg(), which handles one message from the first byte of its
 * parser to the last one that is sent for it; counted by valgrind, so that they repeat.
 */

import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { family } from '../../support/live/processes.js';

const FILE = 'callgrind.out';

/** What Kamailio runs under. `directory`: where the counts go, and where valgrind's pipes lie. */
export function callgrind(directory: string): readonly string[] {
  return [
    'valgrind',
    '-q',
    '--tool=callgrind',
    // Its pipe of each process is made for children that are traced alone.
    '--trace-children=yes',
    '--toggle-collect=receive_msg',
    `--vgdb-prefix=${join(directory, 'vgdb')}`,
    `--callgrind-out-file=${join(directory, FILE)}.%p`,
  ];
}

/** The counters of a Kamailio that runs so. */
export class Instructions {
  readonly #pid: number;
  readonly #directory: string;

  constructor(pid: number, directory: string) {
    this.#pid = pid;
    this.#directory = directory;
  }

  /** Starts from nothing. */
  async zero(): Promise<void> {
    await this.#tell('zero');
    for (const file of this.#files()) rmSync(file);
  }

  /** All that were spent since then. */
  async total(): Promise<number> {
    await this.#tell('dump');
    let total = 0;
    for (const file of this.#files()) {
      total += Number(/^(?:totals|summary): (\d+)/m.exec(readFileSync(file, 'latin1'))?.[1] ?? 0);
    }
    return total;
  }

  #files(): readonly string[] {
    return readdirSync(this.#directory)
      .filter((name) => name.startsWith(FILE))
      .map((name) => join(this.#directory, name));
  }

  async #tell(command: string): Promise<void> {
    const prefix = `--vgdb-prefix=${join(this.#directory, 'vgdb')}`;
    const told = family(this.#pid).map((pid) => promisify(execFile)('vgdb', [prefix, `--pid=${pid}`, command]));
    await Promise.all(told);
  }
}
