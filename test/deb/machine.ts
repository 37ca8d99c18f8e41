/** A fresh Debian 13 in a chroot, which test/deb/enter.sh has mounted. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Build } from '../support/live/kamailio.js';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const MACHINE = process.env.SIPTRUST_ROOT ?? '';
if (MACHINE === '') throw new Error('expected SIPTRUST_ROOT, as test/deb/enter.sh sets it');

export interface Ran {
  readonly code: number | null;
  readonly output: string;
}

/** The path of a file of the machine, as seen from here. */
export const inside = (path: string): string => join(MACHINE, path);
export const has = (path: string): boolean => existsSync(inside(path));
export const text = (path: string): string => readFileSync(inside(path), 'utf8');
export const write = (path: string, content: string): void => writeFileSync(inside(path), content);

/** Command line that runs `args` there. */
export function there(...args: readonly string[]): readonly [string, string[]] {
  const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  return ['chroot', [MACHINE, 'env', '-i', path, 'LC_ALL=C.UTF-8', 'DEBIAN_FRONTEND=noninteractive', ...args]];
}

export function run(...args: readonly string[]): Ran {
  const [command, rest] = there(...args);
  const { status, stdout, stderr } = spawnSync(command, rest, { encoding: 'utf8' });
  return { code: status, output: `${stdout}${stderr}` };
}

/** @throws with what it said, where it fails */
export function must(...args: readonly string[]): string {
  const { code, output } = run(...args);
  if (code !== 0) throw new Error(`${args.join(' ')}: exit code ${code}\n${output}`);
  return output;
}

/** Installs a package file, or a later version of it. */
export function install(deb: string): string {
  const place = `/tmp/${basename(deb)}`;
  mkdirSync(inside('/tmp'), { recursive: true });
  writeFileSync(inside(place), readFileSync(deb));
  try {
    return must('dpkg', '-i', place);
  } finally {
    rmSync(inside(place));
  }
}

/** What a package manager and programs in passing leave anywhere, and what tests mount. */
const PASSING =
  /^(proc|dev|sys|tmp|mnt|var\/lib\/dpkg|var\/log\/dpkg\.log|var\/log\/alternatives\.log|var\/cache|var\/lib\/logrotate|var\/lib\/systemd\/deb-systemd-helper|root)(\/|$)/;
/** systemd-sysusers makes a copy of each before it changes it. */
const ACCOUNTS = /^etc\/(passwd|group|shadow|gshadow)-$/;

/** All paths of the machine. */
export function paths(): ReadonlySet<string> {
  const found: string[] = [];
  const walk = (path: string): void => {
    for (const entry of readdirSync(inside(path), { withFileTypes: true })) {
      const at = path === '' ? entry.name : `${path}/${entry.name}`;
      if (PASSING.test(at) || ACCOUNTS.test(at) || at === ROOT.slice(1).split('/')[0]) continue;
      found.push(at);
      if (entry.isDirectory()) walk(at);
    }
  };
  walk('');
  return new Set(found);
}

/** The Kamailio of the machine, with the plugin that the package has put there in place of that of the tree. */
export function kamailioWithPackage(): Build {
  const [, version = 'unknown'] = /version: kamailio ([0-9.]+)/.exec(must('kamailio', '-v')) ?? [];
  const plugin = `mount --bind "${MACHINE}/usr/share/siptrust/kamailio" "${MACHINE}${ROOT}/plugin/kamailio"`;
  return {
    version,
    root: MACHINE,
    command: (args, places) => {
      const mounts = places.map((path) => `mkdir -p "${MACHINE}${path}"; mount --bind "${path}" "${MACHINE}${path}"`);
      const plugged = places.includes(`${ROOT}/`) || places.includes(ROOT) ? [plugin] : [];
      const script = ['set -e', ...mounts, ...plugged, `exec chroot "${MACHINE}" "$@"`].join('\n');
      return ['unshare', '-m', 'sh', '-c', script, 'sh', ...args];
    },
  };
}
