import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, test } from 'vitest';

const SRC = join(import.meta.dirname, '../../src');

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name));

interface Import {
  readonly file: string;
  readonly target: string;
}

const imports: readonly Import[] = files.flatMap((file) => {
  const text = readFileSync(join(SRC, file), 'utf8');
  const lines = /^(?:import|export)\b[^;]*?from '([^']+)';|^import '([^']+)';|\bimport\('([^']+)'\)/gms;
  return [...text.matchAll(lines)].map((match) => ({ file, target: match[1] ?? match[2] ?? match[3] ?? '' }));
});

/** `x509/path/path.ts` -> `x509`; a file of src/ itself is a layer of its own. */
function layer(file: string): string {
  return file.includes('/') ? (file.split('/')[0] ?? '') : file.replace(/\.ts$/, '');
}

/** What a layer may import besides itself: main, ctl -> rpc -> state -> trust -> {x509, sip, net} -> reasons. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  typed: [],
  reasons: ['typed'],
  printable: [],
  elapsed: [],
  version: [],
  net: ['reasons', 'printable', 'typed'],
  x509: ['net', 'reasons', 'printable', 'typed'],
  sip: ['net', 'reasons', 'printable', 'typed'],
  trust: ['x509', 'sip', 'net', 'reasons', 'printable', 'typed'],
  policy: ['trust', 'x509', 'sip', 'net', 'reasons', 'printable', 'typed'],
  log: ['trust', 'x509', 'sip', 'net', 'reasons', 'printable', 'elapsed', 'typed'],
  state: ['policy', 'log', 'trust', 'x509', 'sip', 'net', 'reasons', 'printable', 'elapsed', 'typed'],
  rpc: ['state', 'policy', 'log', 'trust', 'x509', 'sip', 'net', 'reasons', 'printable', 'elapsed', 'typed', 'version'],
  ctl: ['rpc', 'state', 'policy', 'log', 'trust', 'x509', 'sip', 'net', 'reasons', 'printable', 'typed', 'version'],
  signals: [],
  closers: [],
  'next-step': [],
  'open-files': ['log'],
  'engine-options': [],
  'command-line': ['policy', 'printable', 'version'],
  reporter: ['state', 'log'],
  fleet: ['closers', 'state', 'policy', 'log', 'version'],
  // It listens to signals before anything else is read.
  main: ['signals', 'daemon'],
  daemon: [
    'signals',
    'closers',
    'command-line',
    'reporter',
    'fleet',
    'next-step',
    'open-files',
    'engine-options',
    'rpc',
    'state',
    'policy',
    'log',
    'version',
  ],
  // It runs in a browser, and knows the rest by what it asks at /rpc.
  web: [],
};

describe('imports go one way (design.md, "The way through the house")', () => {
  for (const { file, target } of imports.filter(({ target }) => target.startsWith('.'))) {
    const to = normalize(join(dirname(file), target));
    test(`ok/${file} -> ${to}`, () => {
      const from = layer(file);
      const into = layer(relative(SRC, join(SRC, to)).replace(/\.js$/, '.ts'));
      expect(Object.keys(MAY_IMPORT)).toContain(from);
      if (into !== from) expect(MAY_IMPORT[from]).toContain(into);
    });
  }
});

/** Layers that are cut into rooms, one folder a noun; each room has a door, index.ts. */
const ROOMED: readonly string[] = ['net', 'x509', 'sip', 'trust', 'policy', 'state', 'rpc', 'ctl', 'web'];
/** Layers that are one room. */
const ONE_ROOM: readonly string[] = ['log'];
/** What stands in no room: a program's way in, which opens doors and has none. */
const HALLS: Readonly<Record<string, readonly string[]>> = {
  ctl: ['main.ts', 'program.ts', 'command-groups.ts'],
  web: ['main.tsx'],
};

/** Those that lead back to themselves. */
function inCircles(links: readonly (readonly [string, string])[]): readonly string[] {
  const rests = new Map<string, Set<string>>();
  for (const [from, to] of links) rests.set(from, (rests.get(from) ?? new Set()).add(to));
  const below = (name: string, seen = new Set<string>()): Set<string> => {
    for (const each of rests.get(name) ?? []) if (!seen.has(each)) below(each, seen.add(each));
    return seen;
  };
  return [...rests.keys()].filter((name) => below(name).has(name));
}

describe('a room is entered by its door', () => {
  test('ok/every layer is named', () => {
    const layers = new Set(files.filter((file) => file.includes('/')).map(layer));
    expect([...ROOMED, ...ONE_ROOM].sort()).toEqual([...layers].sort());
  });
  const room = (file: string): string => (ONE_ROOM.includes(layer(file)) ? layer(file) : dirname(file));
  const roomed = (file: string): boolean => file.split('/').length > 2 || ONE_ROOM.includes(layer(file));
  test('ok/rooms lie side by side, and what stands in none is named', () => {
    const nested = files.filter((file) => file.split('/').length > 3);
    expect(nested).toEqual([]);
    const loose = files.filter((file) => file.includes('/') && !roomed(file));
    const halls = Object.entries(HALLS).flatMap(([name, held]) => held.map((file) => `${name}/${file}`));
    expect(loose.sort()).toEqual(halls.sort());
  });
  for (const name of new Set(files.filter(roomed).map(room))) {
    test(`ok/${name} has a door`, () => {
      expect(files).toContain(`${name}/index.ts`);
      expect(files.filter((file) => room(file) === name).length).toBeLessThan(16);
    });
  }
  for (const { file, target } of imports.filter(({ target }) => target.startsWith('.'))) {
    const to = normalize(join(dirname(file), target)).replace(/\.js$/, '.ts');
    if (!roomed(to) || room(to) === room(file)) continue;
    test(`ok/${file} -> ${to}`, () => {
      expect(to).toBe(`${room(to)}/index.ts`);
    });
  }
  const links = imports
    .filter(({ target }) => target.startsWith('.'))
    .map(({ file, target }) => [file, normalize(join(dirname(file), target)).replace(/\.js$/, '.ts')] as const);
  // What is imported as .js may be written as .tsx.
  const bare = (file: string): string => file.replace(/\.tsx?$/, '');
  test('ok/no room stands on itself, by types neither', () => {
    const between = links.filter(([file, to]) => roomed(file) && roomed(to) && room(to) !== room(file));
    expect(inCircles(between.map(([file, to]) => [room(file), room(to)] as const))).toEqual([]);
  });
  test('ok/no file stands on itself, by types neither', () => {
    expect(inCircles(links.map(([file, to]) => [bare(file), bare(to)] as const))).toEqual([]);
  });
  for (const file of files.filter((name) => roomed(name) && name.endsWith('/index.ts'))) {
    test(`ok/${file} says what leaves the room, and does nothing`, () => {
      const text = readFileSync(join(SRC, file), 'utf8');
      const rest = text.replace(/^\/\*\*.*?\*\/|^export (?:type )?\{[^}]*\} from '\.\/[^'/]+';$/gms, '');
      expect(rest.trim()).toBe('');
    });
  }
});

describe('each package has one importing file or folder', () => {
  const packages = new Map<string, Set<string>>();
  for (const { file, target } of imports) {
    if (target.startsWith('.') || target.startsWith('node:')) continue;
    const name = target
      .split('/')
      .slice(0, target.startsWith('@') ? 2 : 1)
      .join('/');
    packages.set(name, (packages.get(name) ?? new Set()).add(file));
  }
  /** Packages that check or hold data wherever it comes in: a folder each, or several. */
  const FOLDERS: Readonly<Record<string, readonly string[]>> = {
    zod: ['policy', 'rpc'],
    'lru-cache': ['state'],
    'better-sqlite3': ['state'],
    winston: ['log'],
    commander: ['ctl'],
    preact: ['web'],
    '@peculiar/x509': ['x509'],
    'reflect-metadata': ['x509'],
  };
  for (const [name, importers] of packages) {
    test(`ok/${name}`, () => {
      const allowed = FOLDERS[name];
      if (allowed === undefined) expect([...importers]).toHaveLength(1);
      else for (const file of importers) expect(allowed).toContain(layer(file));
    });
  }
});

describe('the core is pure: no files, sockets, clock, random or logger', () => {
  const IMPURE = [
    /from 'node:(fs|net|http|https|dgram|dns|tls|child_process|os|timers|worker_threads)(\/[a-z]+)?'/,
    /\bDate\.now\(/,
    /\bnew Date\(\)/,
    /\bMath\.random\(/,
    /\bperformance\./,
    /\brandomBytes\b|\brandomUUID\b|\bgetRandomValues\b/,
    /\bconsole\./,
    /\bprocess\.[a-z]+\(?/,
    /\bsetTimeout\b|\bsetInterval\b/,
  ];
  for (const file of files.filter((name) => ['x509', 'sip', 'net', 'trust'].includes(layer(name)))) {
    test(`ok/${file}`, () => {
      const text = readFileSync(join(SRC, file), 'utf8');
      expect(IMPURE.flatMap((pattern) => pattern.exec(text)?.[0] ?? [])).toEqual([]);
    });
  }
});

describe('test/unit computes: what starts a program is in test/programs, what starts siptrustd in test/wire', () => {
  const UNIT = import.meta.dirname;
  const started = /\b(?:execFile|execFileSync|spawn|spawnSync|exec|execSync|fork)\('?([\w./-]+)/g;
  const startingSupport =
    /support\/(?:live\/(?!places)|openssl-|posix-regex|groups|compiled|release-clone|postgres-cluster|name-server)/;
  // Of coreutils, and over in a millisecond.
  const ALLOWED = ['mkfifo', 'grep'];
  const tests = readdirSync(UNIT, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  test('ok/no file starts another program', () => {
    const found = tests.flatMap((name) => {
      const text = readFileSync(join(UNIT, name), 'utf8');
      if (!text.includes('node:child_process') && !startingSupport.test(text)) return [];
      if (name === 'architecture.test.ts') return [];
      const programs = [...text.matchAll(started)].map(([, program = '']) => program);
      const others = programs.filter((program) => !ALLOWED.includes(program));
      return startingSupport.test(text) || others.length > 0 ? [`${name}: ${others.join(', ')}`] : [];
    });
    expect(found).toEqual([]);
  });
  test('ok/what nobody sees is written out in src/printable.ts alone', () => {
    const writes = files.filter((file) => /`\\\\(?:x|u\{)\$\{/.test(readFileSync(join(SRC, file), 'utf8')));
    // A string of a script, and the text that a name is compared by.
    const ofTheirOwn = ['sip/script/strings.ts', 'x509/certificate/general-name.ts'];
    expect(writes.filter((file) => !ofTheirOwn.includes(file))).toEqual(['printable.ts']);
  });
  test('ok/what a class keeps to itself is #private: the word of TypeScript stops nobody once it is compiled', () => {
    const all = ['../../src', '..'].flatMap((from) =>
      readdirSync(join(UNIT, from), { recursive: true, encoding: 'utf8' })
        .filter((name) => /\.tsx?$/.test(name))
        .map((name) => join(UNIT, from, name)),
    );
    // A constructor has no such form.
    const said = /^ +private (?!constructor\()[\w* ]+[(:;?=]|\(private (?:readonly )?\w+[:?]/m;
    expect(all.filter((file) => said.test(readFileSync(file, 'utf8')))).toEqual([]);
  });
  test('ok/evidence of a TLS hop is written in test/support/evidence.ts alone', () => {
    const byHand = /verified: [^}]{0,40}version: '[^}]{0,40}cipher: '|cipher: 'TLS_AES_256_GCM_SHA384'/;
    const found = tests.filter((name) => name !== 'architecture.test.ts');
    expect(found.filter((name) => byHand.test(readFileSync(join(UNIT, name), 'utf8')))).toEqual([]);
  });
});
