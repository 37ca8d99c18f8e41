/** Real Kamailios: the installed one, and those of newer Debian releases, each in a tree of its own. */

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child } from './child.js';
import { eventually } from './places.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** Debian's releases with other Kamailios, oldest first, and where their trees stand: trixie has 6.0, sid 6.1. */
const SUITES = { trixie: process.env.SIPTRUST_TRIXIE, sid: process.env.SIPTRUST_SID } as const;
type Suite = keyof typeof SUITES;

/** One Kamailio to test on, and how to run a command of its system. */
export interface Build {
  readonly version: string;
  /** Where its package has put its files: the root of its system. */
  readonly root: string;
  /** The command line that runs `args` where this Kamailio lives, with `paths` visible there under the same names. */
  command(args: readonly string[], paths: readonly string[]): readonly string[];
}

function versionOf(text: string): string {
  return /version: kamailio ([0-9.]+)/.exec(text)?.[1] ?? 'unknown';
}

/** The Kamailio of this machine. */
export function installedBuild(): Build {
  const version = versionOf(execFileSync('kamailio', ['-v'], { encoding: 'utf8' }));
  return { version, root: '/', command: (args) => args };
}

/** One that was made with PREFIX=`root`, and is started where it lies. */
function ownBuild(root: string): Build {
  const command = (args: readonly string[]) => ['env', `PATH=${join(root, 'sbin')}:${process.env.PATH}`, ...args];
  const [program = '', ...rest] = command(['kamailio', '-v']);
  return { version: versionOf(execFileSync(program, rest, { encoding: 'utf8' })), root, command };
}

/** The Kamailio of a Debian release in its tree, which is made when it is not there; or why there is none. */
export function suiteBuild(suite: Suite): Build | { readonly missing: string } {
  const tree = SUITES[suite] ?? `/var/cache/siptrust/${suite}`;
  if (process.getuid?.() !== 0) return { missing: `the Kamailio of ${suite} runs in a chroot at ${tree}: needs root` };
  const script = fileURLToPath(new URL('../debian-tree.sh', import.meta.url));
  const made = spawnSync(script, [suite, tree], { encoding: 'utf8' });
  if (made.status !== 0) return { missing: (made.stderr || String(made.error ?? `${script} failed`)).trim() };
  const version = versionOf(execFileSync('chroot', [tree, 'kamailio', '-v'], { encoding: 'utf8' }));
  return { version, root: tree, command: (args, paths) => chrooted(tree, args, paths) };
}

/** The mounts live in a mount namespace of the process, and go with it. */
function chrooted(tree: string, args: readonly string[], paths: readonly string[]): readonly string[] {
  // Run directories lie in /tmp: there the tree gets a memory file system, so that none of them stays in it.
  const memory = `mount -t tmpfs none "${tree}/tmp"`;
  const mounts = paths.map((path) => `mkdir -p "${tree}${path}"; mount --bind "${path}" "${tree}${path}"`);
  const script = ['set -e', memory, ...mounts, `exec chroot "${tree}" "$@"`].join('\n');
  return ['unshare', '-m', 'sh', '-c', script, 'sh', ...args];
}

/** What a `#!define` is set to: bare text, or a string of the script language. */
export type Define = string | { readonly string: string };

export interface KamailioOptions {
  readonly build: Build;
  /** Path of the script below the repository. */
  readonly script: string;
  /** Its run directory; made where it is not there. */
  readonly directory: string;
  readonly defines: Readonly<Record<string, Define>>;
  /** The sample TLS configuration below the repository, to be read with its certificates from `directory`/tls. */
  readonly tls: string;
  readonly memory?: number;
  /** Private memory of each process in MiB (kamailio -M); undefined: 16, as README has it started. */
  readonly privateMemory?: number;
  /** Its allocator of shared memory (kamailio -x); undefined: the one that it was built with. */
  readonly allocator?: 'fm' | 'qm' | 'tlsf';
  /** The ciphers that it accepts, over TLS 1.2 alone; undefined: those of the sample. */
  readonly ciphers?: string;
  /**
   * A command and its options that Kamailio runs under, such as a profiler: it starts later then, with one process a socket,
   * since each has to warm up.
   */
  readonly under?: readonly string[];
}

/** A running Kamailio. */
export class Kamailio {
  readonly #child: Child;
  readonly #control: string;
  readonly #options: KamailioOptions;

  private constructor(child: Child, control: string, options: KamailioOptions) {
    this.#child = child;
    this.#control = control;
    this.#options = options;
  }

  /** @throws with the log when it does not come up */
  static async start(options: KamailioOptions): Promise<Kamailio> {
    const {
      build,
      script,
      directory,
      tls,
      defines,
      memory = 256,
      privateMemory = 16,
      allocator,
      ciphers,
      under = [],
    } = options;
    mkdirSync(join(directory, 'tls'), { recursive: true });
    const text = readFileSync(join(ROOT, tls), 'utf8');
    const sample =
      ciphers === undefined
        ? text
        : text.replace(/^method = .*/gm, 'method = TLSv1.2').replace(/^cipher_list = .*/gm, `cipher_list = ${ciphers}`);
    writeFileSync(join(directory, 'tls.cfg'), sample.replaceAll('/etc/kamailio/tls', join(directory, 'tls')));
    // The ctl module opens its socket in the run directory.
    const control = join(directory, 'kamailio_ctl');
    const all: Record<string, Define> = { TLS_CONFIG: { string: join(directory, 'tls.cfg') }, ...defines };
    const args = [
      ...under,
      ...[
        'kamailio',
        '-f',
        join(ROOT, script),
        '-DD',
        '-E',
        '-m',
        String(memory),
        '-M',
        String(privateMemory),
        '-Y',
        directory,
        '-w',
        directory,
      ],
      ...(allocator === undefined ? [] : ['-x', allocator]),
      ...(under.length === 0 ? [] : ['-n', '1']),
      '--loadmodule=ctl.so',
      '--loadmodule=kex.so',
      ...Object.entries(all).flatMap(([name, value]) => [
        '-A',
        `${name}=${typeof value === 'string' ? value : `"${value.string}"`}`,
      ]),
    ];
    const [command = '', ...rest] = build.command(args, [ROOT, directory]);
    const kamailio = new Kamailio(new Child(command, rest), control, options);
    try {
      await eventually(
        'Kamailio answers on its control socket',
        () => kamailio.#answers(),
        under.length > 0 ? 120_000 : 45_000,
      );
    } catch (error) {
      await kamailio.stop();
      throw new Error(`${script} did not start:\n${kamailio.log}`, { cause: error });
    }
    return kamailio;
  }

  /** Everything it has logged. */
  get log(): string {
    return this.#child.output;
  }

  get running(): boolean {
    return !this.#child.ended;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** The value of one of its statistics. */
  statistic(name: string): number {
    const text = this.rpc('stats.get_statistics', name);
    return Number(/=\s*(\d+)/.exec(text)?.[1] ?? Number.NaN);
  }

  /** The answer of one RPC command as kamcmd prints it. */
  rpc(...args: readonly string[]): string {
    const { build, directory, under = [] } = this.#options;
    const [command = '', ...rest] = build.command(['kamcmd', '-s', `unix:${this.#control}`, ...args], [directory]);
    // While it waits nobody reads what Kamailio logs, and a Kamailio that cannot log does not answer.
    const timeout = under.length > 0 ? 30_000 : 3_000;
    return execFileSync(command, rest, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout });
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }

  #answers(): boolean {
    if (this.#child.ended) throw new Error('it has ended');
    if (!existsSync(this.#control)) return false;
    try {
      return this.rpc('core.uptime') !== '';
    } catch {
      return false;
    }
  }
}

/**
 * The Kamailios that a set of live tests runs on. `full` sets run on the installed one, `smoke` sets on those of newer
 * Debian releases as well, and with SIPTRUST_MATRIX=all every set does. Where a tree cannot be made, smoke sets do
 * without, and say so. SIPTRUST_KAMAILIO names others in place of all of these: the PREFIX of each, with `:` between.
 */
export function builds(set: 'full' | 'smoke'): readonly Build[] {
  const own = process.env.SIPTRUST_KAMAILIO;
  if (own) return own.split(':').map(ownBuild);
  const found = [installedBuild()];
  const all = process.env.SIPTRUST_MATRIX === 'all';
  if (set === 'full' && !all) return found;
  for (const suite of Object.keys(SUITES) as Suite[]) {
    const other = suiteBuild(suite);
    if (!('missing' in other)) {
      // The machine may have that Kamailio itself.
      if (found.every(({ version }) => version !== other.version)) found.push(other);
    } else if (all) {
      throw new Error(other.missing);
    } else {
      console.warn(`live tests run without one Kamailio: ${other.missing}`);
    }
  }
  return found;
}
