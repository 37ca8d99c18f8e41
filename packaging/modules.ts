/** The npm packages that siptrust needs at run time, out of node_modules: no build tools, sources, types or tests. */

import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';

export interface Module {
  readonly name: string;
  /** Its place below the root: `node_modules/a/node_modules/b`. */
  readonly path: string;
  readonly license: string;
  /** The text of its licence, where a file has it. */
  readonly licenseText: string | undefined;
  readonly author: string;
}

interface Manifest {
  readonly name?: string;
  readonly license?: string;
  readonly author?: string | { readonly name?: string };
  readonly main?: string;
  readonly exports?: unknown;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** What is asked for only while packages are installed, and what only the compiler reads. */
const NOT_AT_RUN_TIME = /^(prebuild-install|@types\/.*)$/;

/** Files of a package that no program reads at run time. Names of directories count at its top alone. */
const LEFT_OUT_DIRECTORIES =
  /^(\.github|\.vscode|test|tests|__tests__|docs?|examples?|benchmarks?|coverage|typings|bin)$/;
const LEFT_OUT_FILES =
  /(\.(md|markdown|map|d\.[mc]?ts|ts|tsx|flow|gyp|yml|yaml|sh|html|tsbuildinfo)|^\..*|^(LICEN[CS]E|COPYING|AUTHORS|CHANGELOG|Makefile|NOTICE)(\..*)?)$/i;
/** better-sqlite3 brings SQLite and its own sources, and what they were compiled to on the way. */
const LEFT_OUT_PATHS = /^better-sqlite3\/(deps|src|build\/(?!Release$|Release\/better_sqlite3\.node$))/;

/** All modules that the package.json in `root` leads to, by path. */
export function productionModules(root: string): readonly Module[] {
  const found = new Map<string, Module>();
  follow(root, root, found);
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function follow(root: string, directory: string, found: Map<string, Module>): void {
  const { dependencies, optionalDependencies } = manifest(directory);
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    if (NOT_AT_RUN_TIME.test(name)) continue;
    const place = resolve(root, directory, name);
    if (place === undefined) {
      if (name in (optionalDependencies ?? {})) continue;
      throw new Error(`${directory}: expected the dependency ${name} in node_modules, found none: npm ci`);
    }
    const path = relative(root, place);
    if (found.has(path)) continue;
    found.set(path, describe(place, path));
    follow(root, place, found);
  }
}

function manifest(directory: string): Manifest {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Manifest;
}

/** Where Node would find it from there, not beyond the root. */
function resolve(root: string, from: string, name: string): string | undefined {
  for (let directory = from; directory.startsWith(root); directory = dirname(directory)) {
    const place = join(directory, 'node_modules', name);
    if (existsSync(join(place, 'package.json'))) return place;
  }
  return undefined;
}

function describe(place: string, path: string): Module {
  const { name = basename(place), license, author } = manifest(place);
  if (license === undefined) throw new Error(`${path}: expected a license in package.json, found none`);
  const file = readdirSync(place).find((each) => /^licen[cs]e/i.test(each));
  const licenseText = file === undefined ? undefined : readFileSync(join(place, file), 'utf8');
  const words = (typeof author === 'string' ? author : author?.name) ?? `the authors of ${name}`;
  return { name, path, license, licenseText, author: words.replace(/\s*\([^)]*\)$/, '') };
}

/** Copies a module below `target`, without the modules below it. */
export function copyModule(root: string, { path }: Module, target: string): void {
  const source = join(root, path);
  const name = path.slice(path.lastIndexOf(`node_modules${sep}`) + `node_modules${sep}`.length);
  cpSync(source, join(target, path), {
    recursive: true,
    dereference: true,
    filter: (from) => {
      const inside = relative(source, from);
      if (inside === '') return true;
      const [top = ''] = inside.split(sep);
      if (top === 'node_modules' || (LEFT_OUT_DIRECTORIES.test(top) && !isCode(source, top))) return false;
      return !LEFT_OUT_FILES.test(basename(from)) && !LEFT_OUT_PATHS.test(`${name}/${inside}`);
    },
  });
}

/** A directory of that name that the package loads its code from. */
function isCode(source: string, top: string): boolean {
  const { main, exports } = manifest(source);
  return `${main ?? ''} ${JSON.stringify(exports ?? '')}`.includes(`${top}/`);
}
