/** What doctor looks at, read once: files, the daemon, versions. What cannot be read is said by the checks. */

import { execFileSync } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { existsSync, readdirSync, readFileSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { type LoadedPolicy, loadPolicy } from '../../policy/loading/index.js';
import { readRegular, systemProblem } from '../../policy/reading/index.js';
import { isList, isRecord } from '../../typed.js';
import { activeLines, advertisedNames, type ScriptLine, scriptLines, tlsSetup } from './kamailio-script.js';
import { type TlsProfile, tlsProfiles } from './tls-profiles.js';

export interface SiteOptions {
  readonly config: string;
  readonly kamailioCfg: string;
  readonly tlsCfg: string;
  readonly plugin: string;
  /** The proxy, or one of them, is an OpenSIPS. */
  readonly opensips?: boolean;
  readonly opensipsCfg: string;
  readonly opensipsPlugin: string;
}

/** As they are given: without a place of the plugin, or of tls.cfg, it is where the script has it. */
export type GivenOptions = Omit<SiteOptions, 'plugin' | 'tlsCfg'> & {
  readonly plugin?: string;
  readonly tlsCfg?: string;
};

/** Where README puts them, for a script that does not say. */
const PLUGIN = '/etc/kamailio/siptrust';
const TLS_CFG = '/etc/kamailio/tls.cfg';

/** A text, or why there is none. */
export type Read<T> = { readonly value: T } | { readonly missing: string };

/** One file of a script. */
export interface SourceFile {
  readonly file: string;
  readonly text: string;
}

export interface DaemonFacts {
  readonly version: string;
  readonly loadedAt: number;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
  /** Its clock, and ours before and after it was asked. */
  readonly now: number;
  readonly asked: readonly [before: number, after: number];
}

export interface Site {
  readonly options: SiteOptions;
  readonly now: number;
  readonly policy: LoadedPolicy;
  /** When the newest of the policy's own files was written. */
  readonly policyWritten: number | undefined;
  readonly daemon: Read<DaemonFacts>;
  readonly script: Read<readonly ScriptLine[]>;
  /** Names that its sockets advertise, and this machine does not find. */
  readonly unknownNames: ReadonlySet<string>;
  readonly tls: Read<readonly TlsProfile[]>;
  /** Files of the plugin: as they are installed, and as this version ships them. */
  readonly plugin: Read<ReadonlyMap<string, string>>;
  readonly shipped: ReadonlyMap<string, string>;
  /** The same of an OpenSIPS; undefined: none asks. */
  readonly opensips:
    | {
        readonly script: Read<readonly SourceFile[]>;
        readonly plugin: Read<ReadonlyMap<string, string>>;
        /** `4.0.1`; undefined where there is no opensips on this machine. */
        readonly version: string | undefined;
      }
    | undefined;
  /** `5.6.3`; undefined where there is no kamailio on this machine. */
  readonly kamailio: string | undefined;
  readonly node: string;
  stat(path: string): Stats | undefined;
  text(path: string): Read<string>;
}

type Ask = (method: string) => Promise<unknown>;

/** Reads all that doctor looks at; what is missing is said there and is no error. */
export async function readSite(given: GivenOptions, ask: Ask): Promise<Site> {
  const now = Date.now();
  const script = textAt(given.kamailioCfg);
  const kamailio = saidBy('kamailio', ['-v'], /kamailio ([0-9]+\.[0-9]+\.[0-9]+)/);
  const lines =
    'missing' in script
      ? []
      : activeLines(withIncludes(given.kamailioCfg, script.value, 0, { left: MOST_INCLUDES }), kamailio);
  const setup = tlsSetup(lines);
  const tlsCfg = given.tlsCfg ?? resolve(dirname(given.kamailioCfg), setup.file ?? TLS_CFG);
  const options = { ...given, plugin: given.plugin ?? pluginOf(lines) ?? PLUGIN, tlsCfg };
  const unread = given.tlsCfg === undefined && !setup.named && setup.parameters.length > 0;
  const tls: Read<string> = unread ? { missing: 'kamailio.cfg sets TLS by modparam alone' } : textAt(tlsCfg);
  const written = statAt(options.config)?.mtimeMs;
  return {
    options,
    now,
    policy: loadPolicy(options.config, 1, now),
    policyWritten: written,
    daemon: await daemonFacts(ask),
    script: 'missing' in script ? script : { value: lines },
    unknownNames: await namesNotFound(advertisedNames(lines).map(({ name }) => name)),
    tls: 'missing' in tls ? tls : { value: tlsProfiles(tls.value) },
    plugin: filesOf(options.plugin),
    shipped: shippedPlugin(),
    opensips:
      options.opensips === true
        ? {
            script: opensipsFiles(options.opensipsCfg),
            plugin: filesOf(options.opensipsPlugin),
            version: saidBy('opensips', ['-V'], /opensips ([0-9.]+)/),
          }
        : undefined,
    kamailio,
    node: process.versions.node,
    stat: statAt,
    text: textAt,
  };
}

/** By /etc/hosts and DNS, as programs of this machine find names. */
async function namesNotFound(names: readonly string[]): Promise<ReadonlySet<string>> {
  const found = (name: string) =>
    lookup(name).then(
      () => [],
      () => [name],
    );
  return new Set((await Promise.all([...new Set(names)].map(found))).flat());
}

async function daemonFacts(ask: Ask): Promise<Read<DaemonFacts>> {
  try {
    const before = Date.now();
    const uptime = factsIn(await ask('core.uptime'));
    const after = Date.now();
    const { version, loaded_at: loadedAt, problems, warnings } = factsIn(await ask('core.status'));
    return {
      value: {
        version: String(version),
        loadedAt: Date.parse(String(loadedAt)),
        problems: isList(problems) ? problems.map(String) : [],
        warnings: isList(warnings) ? warnings.map(String) : [],
        now: Date.parse(String(uptime.now)),
        asked: [before, after],
      },
    };
  } catch (error) {
    return { missing: error instanceof Error ? error.message : String(error) };
  }
}

const factsIn = (answer: unknown) => (isRecord(answer) ? answer : {});

const MOST_OCTETS = 4 * 1024 * 1024;
const MOST_DEPTH = 8;
/** Files that include themselves twice would be read without an end. */
const MOST_INCLUDES = 1000;

function textAt(path: string): Read<string> {
  try {
    const read = readRegular(path, MOST_OCTETS);
    return 'problem' in read ? { missing: `${path}: ${read.problem}` } : { value: read.bytes.toString('latin1') };
  } catch (cause) {
    return { missing: `${path}: ${systemProblem(cause)}` };
  }
}

/** What is not there, or may not be looked at, is told by whoever reads it. */
function statAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** The file that a line includes. */
function included({ file, text }: ScriptLine): string | undefined {
  const name = /^(?:include_file|import_file|#?!(?:include_file|import_file))\s+["']([^"']+)["']/.exec(text)?.[1];
  return name === undefined ? undefined : resolve(dirname(file), name);
}

/** (A file of that name may be somebody's own, which includes the plugin's.) */
function isPlugin(path: string): boolean {
  if (basename(path) !== 'siptrust.cfg') return false;
  try {
    const names = readdirSync(dirname(path));
    return !names.includes('siptrust.cfg') || names.some((name) => /^siptrust-.+\.cfg$/.test(name));
  } catch {
    return true;
  }
}

function pluginOf(lines: readonly ScriptLine[]): string | undefined {
  const path = lines.map(included).find((each) => each !== undefined && isPlugin(each));
  return path === undefined ? undefined : dirname(path);
}

/** The lines of a script with those of its includes in their places; the plugin's own files are left out. */
function withIncludes(file: string, text: string, depth: number, includes: { left: number }): readonly ScriptLine[] {
  return scriptLines(file, text).flatMap((line) => {
    const path = included(line);
    if (path === undefined || depth >= MOST_DEPTH || includes.left-- <= 0) return [line];
    const inner = isPlugin(path) ? { missing: '' } : textAt(path);
    return 'missing' in inner ? [line] : withIncludes(path, inner.value, depth + 1, includes);
  });
}

/** The script of an OpenSIPS and what it includes, but the plugin; what is not there is left to `opensips -C`. */
function opensipsFiles(cfg: string): Read<readonly SourceFile[]> {
  const main = textAt(cfg);
  if ('missing' in main) return main;
  const files = new Map([[cfg, main.value]]);
  for (const [file, text] of files) {
    for (const [, name = ''] of text.matchAll(/^[ \t]*(?:include_file|import_file)[ \t]+"([^"\n]+)"/gm)) {
      const path = resolve(dirname(file), name);
      if (/^siptrust(?:-headers)?\.cfg$/.test(basename(path)) || files.size > MOST_INCLUDES) continue;
      const inner = files.has(path) ? undefined : textAt(path);
      if (inner !== undefined && 'value' in inner) files.set(path, inner.value);
    }
  }
  return { value: [...files].map(([file, text]) => ({ file, text })) };
}

function filesOf(directory: string): Read<ReadonlyMap<string, string>> {
  let path = directory;
  try {
    const files = new Map<string, string>();
    for (const name of readdirSync(directory)) {
      if (!/\.(?:cfg|lua|txt)$/.test(name)) continue;
      path = join(directory, name);
      files.set(name, readFileSync(path, 'latin1'));
    }
    return { value: files };
  } catch (error) {
    const missing = path === directory && isRecord(error) && error.code === 'ENOENT';
    return { missing: `${path}: ${missing ? 'no such directory' : systemProblem(error)}` };
  }
}

/** plugin/kamailio of this version, beside dist or src. */
function shippedPlugin(): ReadonlyMap<string, string> {
  for (let up = dirname(import.meta.dirname), depth = 0; depth < 4; up = dirname(up), depth++) {
    const directory = join(up, 'plugin', 'kamailio');
    const found = existsSync(directory) ? filesOf(directory) : { missing: '' };
    if ('value' in found) return found.value;
  }
  return new Map();
}

/** The version that a program of this machine says; users other than root are not shown where it may be. */
function saidBy(program: string, args: readonly string[], version: RegExp): string | undefined {
  try {
    const said = execFileSync(program, args, {
      encoding: 'utf8',
      timeout: 5000,
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin` },
    });
    return version.exec(said)?.[1];
  } catch {
    return undefined;
  }
}
