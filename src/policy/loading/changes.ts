/**
 * Which files of the policy the system says have changed (inotify(7)). It says nothing of network file systems, of what lies behind
 * links, of mmap(2), and may lose some: no reading rests on it. Where it is right a reading takes half of the looks.
 */

import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';
import type { Suspects } from '../reading/index.js';

/** Beyond these all is looked at twice, as if nothing were known. */
const MOST_DIRECTORIES = 64;
const MOST_EVENTS = 10_000;

/** Follows directories from one reading to the next. */
export class Changes {
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #files = new Set<string>();
  #events = 0;

  /** What has changed since the last time; undefined: that is not known. */
  take(): Suspects | undefined {
    const suspects = { files: [...this.#files], directories: [...this.#watchers.keys()] };
    this.#files.clear();
    this.#events = 0;
    return suspects.directories.length === 0 ? undefined : suspects;
  }

  /**
   * From now on these are followed, and no others. Each anew, because the system says nothing of a directory that has taken the
   * place of another; what it has still to say of one that has stayed is lost if the old watcher ends before the new one begins.
   */
  follow(directories: readonly string[]): void {
    const before = [...this.#watchers.values()];
    this.#watchers.clear();
    if (directories.length <= MOST_DIRECTORIES) for (const directory of directories) this.#watch(directory);
    for (const watcher of before) watcher.close();
  }

  close(): void {
    this.follow([]);
  }

  #watch(directory: string): void {
    try {
      const watcher = watch(directory, { persistent: false }, (_, name) => this.#changed(directory, name));
      watcher.on('error', () => this.#leave(directory));
      this.#watchers.set(directory, watcher);
    } catch {
      // The system allows no more of them, or it is no directory any more.
    }
  }

  #changed(directory: string, name: string | null): void {
    this.#events += 1;
    // Somebody writes there all the time: to listen would cost more than a second look.
    if (this.#events > MOST_EVENTS) this.close();
    else if (name !== null) this.#files.add(join(directory, name));
  }

  #leave(directory: string): void {
    this.#watchers.get(directory)?.close();
    this.#watchers.delete(directory);
  }
}
