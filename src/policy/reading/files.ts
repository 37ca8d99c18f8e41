/** What the policy checks see of the disk: files by path. The loader gives the real one; tests give one in memory. */

import { beyond } from './regular-file.js';

export type FileRead =
  | { readonly bytes: Uint8Array; readonly warning?: string; readonly stamp?: string }
  | { readonly code: 'unreadable' | 'unsafe-mode' | 'too-large'; readonly problem: string };

export interface PolicyFiles {
  /** Bytes of a file of at most `most` bytes, or in words why they cannot be had. */
  read(path: string, most: number): FileRead;
  /** What differs when a file differs, as `read` gave it; undefined where that cannot be told without reading it. */
  stamp?(path: string): string | undefined;
  /** Names of the entries of a directory; undefined where there is none, or it cannot be read. */
  list(directory: string): readonly string[] | undefined;
  /** In words why a directory that is there cannot be read. */
  unlisted?(directory: string): string | undefined;
}

/** Sizes in bytes above which a file is refused unread. */
export const FILE_LIMITS = {
  policy: 64 * 1024 * 1024,
  certificates: 4 * 1024 * 1024,
  crl: 64 * 1024 * 1024,
} as const;

/** Files that live in memory: text or bytes by path. */
export function filesInMemory(files: Readonly<Record<string, string | Uint8Array>>): PolicyFiles {
  const byPath = new Map(Object.entries(files));
  return {
    read(path, most) {
      const content = byPath.get(path);
      if (content === undefined) return { code: 'unreadable', problem: `${path}: no such file` };
      const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
      if (bytes.length > most) return tooLarge(path, bytes.length, most);
      return { bytes };
    },
    list(directory) {
      const prefix = directory === '.' ? '' : `${directory.replace(/\/$/, '')}/`;
      const names = [...byPath.keys()]
        .filter((path) => path.startsWith(prefix))
        .map((path) => path.slice(prefix.length).split('/')[0] ?? '')
        .filter((name) => name !== '');
      return names.length === 0 ? undefined : [...new Set(names)];
    },
  };
}

/** A file beyond its limit, in octets, as a failed reading. */
export function tooLarge(path: string, size: number, most: number): Extract<FileRead, { readonly code: string }> {
  return { code: 'too-large', problem: `${path}: ${beyond(most, size)}` };
}
