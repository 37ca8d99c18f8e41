/**
 * Paths in a policy file: relative to the file that names them; and the files that an `include` means: `*` and `?` within one
 * step of a path, sorted, hidden files left out.
 */

import { posix } from 'node:path';
import type { PolicyFiles } from './files.js';

/** The path that `name` means in a file. */
export function resolvePath(file: string, name: string): string {
  return posix.isAbsolute(name) ? posix.normalize(name) : posix.join(posix.dirname(file), name);
}

/** One spelling for a path: `./a/../b` is `b`. */
export function normalPath(path: string): string {
  return posix.normalize(path);
}

/** Whether a path holds `*` or `?`. */
export function isGlob(pattern: string): boolean {
  return /[*?]/.test(pattern);
}

/** Whether the pattern uses more than `*` and `?`; nobody should wonder what `**` or `{a,b}` does here. */
export function isUnsupportedGlob(pattern: string): boolean {
  return /\*\*|[[\]{}]/.test(pattern);
}

/** Paths that a pattern matches. */
export function expandGlob(pattern: string, files: Pick<PolicyFiles, 'list'>): readonly string[] {
  const absolute = pattern.startsWith('/');
  const steps = posix
    .normalize(pattern)
    .split('/')
    .slice(absolute ? 1 : 0);
  let found: readonly string[] = [absolute ? '/' : '.'];
  let searched = false;
  for (const step of steps) {
    const plain = !isGlob(step);
    if (plain && !searched) {
      found = found.map((directory) => posix.join(directory, step));
      continue;
    }
    searched = true;
    found = found.flatMap((directory) =>
      (files.list(directory) ?? [])
        .filter((name) => (plain ? name === step : matchesStep(step, name)))
        .map((name) => inDirectory(directory, name)),
    );
  }
  return [...new Set(found)].sort();
}

/** As `posix.join`, for a directory that is normal and a name that the disk gave: there may be 100,000 of them. */
function inDirectory(directory: string, name: string): string {
  if (directory === '.') return name;
  return directory === '/' ? `/${name}` : `${directory}/${name}`;
}

/** One step of a path against one name, in time linear in their product: no regular expression, no backtracking. */
function matchesStep(step: string, name: string): boolean {
  if (name.startsWith('.') && !step.startsWith('.')) return false;
  // `*.yaml` is the pattern that everybody writes, and thousands of files may match it.
  const star = step.indexOf('*');
  if (star !== -1 && star === step.lastIndexOf('*') && !step.includes('?')) {
    return (
      name.length >= step.length - 1 && name.startsWith(step.slice(0, star)) && name.endsWith(step.slice(star + 1))
    );
  }
  // reached[i]: the first i characters of the step match what was read of the name.
  let reached = [true];
  for (let at = 0; at < step.length; at++) reached.push((reached[at] ?? false) && step[at] === '*');
  for (const character of name) {
    const next = [false];
    for (let at = 0; at < step.length; at++) {
      const wanted = step[at];
      const here = reached[at] ?? false;
      next.push(
        wanted === '*'
          ? (next[at] ?? false) || (reached[at + 1] ?? false)
          : here && (wanted === '?' || wanted === character),
      );
    }
    reached = next;
  }
  return reached[step.length] ?? false;
}
