import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DAEMON_COMMANDS } from '../../src/ctl/daemon/commands.js';
import { program } from '../../src/ctl/program.js';
import { DEFAULT_SETTINGS } from '../../src/policy/settings/settings.js';
import { REASONS } from '../../src/reasons.js';
import { methodTable } from '../../src/rpc/methods/methods.js';
import { PolicyHolder } from '../../src/state/policy/holder.js';
import { trustState } from '../../src/state/trust/trust-state.js';
import { VERSION } from '../../src/version.js';
import { emptySnapshot } from '../support/snapshot.js';

const ROOT = join(import.meta.dirname, '../..');
const text = (file: string) => readFileSync(join(ROOT, file), 'utf8');

/** The first cells, in backquotes, of the rows of the table under a heading. */
function firstCells(markdown: string, heading: string): string[] {
  const from = `\n${markdown}`.indexOf(`\n${heading}\n`) - 1;
  if (from < -1) throw new Error(`no heading ${heading}`);
  const level = heading.split(' ')[0] ?? '#';
  const rest = markdown.slice(from + heading.length + 2);
  const next = rest.search(new RegExp(`^#{1,${level.length}} `, 'm'));
  const section = next < 0 ? rest : rest.slice(0, next);
  return [...section.matchAll(/^\| `([^`]+)`/gm)].flatMap((match) => match[1] ?? []);
}

const sorted = (list: readonly string[]) => [...list].sort();

describe('the docs say what the code does, and nothing else', () => {
  test('ok/every reason code is one that something gives', () => {
    const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && file !== 'reasons.ts')
      .map((file) => text(join('src', file)))
      .join('\n');
    expect(REASONS.filter(({ code }) => !sources.includes(`'${code}'`)).map(({ code }) => code)).toEqual([]);
  });
  test('ok/docs/runbook.md says of every alarm what to do, and of nothing else', () => {
    const alarms = REASONS.filter(({ severity }) => severity === 'alarm').map(({ code }) => code);
    expect(sorted(firstCells(text('docs/runbook.md'), '## By alarm'))).toEqual(sorted(alarms));
  });

  const holder = PolicyHolder.open(
    () => ({ ok: true, snapshot: emptySnapshot, settings: DEFAULT_SETTINGS, warnings: [] }),
    0,
  );
  if ('problems' in holder) throw new Error('expected a policy');
  const state = trustState({ policy: holder, clock: () => 0 });
  const log = {
    ...{ error: () => {}, warn: () => {}, info: () => {}, debug: () => {}, setLevel: () => {} },
    ...{ level: () => 'info' as const, close: async () => {} },
  };
  const table = methodTable(state, log, () => state.changes.reload());
  const methods = table.map(({ name }) => name);

  test('ok/every RPC method is in docs/rpc.md', () => {
    const rpc = text('docs/rpc.md');
    const listed = [
      ...firstCells(rpc, '## Questions of the routing script').filter((cell) => /^(?:trust|hop)\./.test(cell)),
      ...firstCells(rpc, '## Questions of the operator').filter((cell) => !cell.startsWith('siptrustctl')),
    ];
    expect(sorted(listed)).toEqual(sorted(methods));
  });
  test.each(table)('ok/$name is a method of $role in docs/rpc.md', ({ name, role }) => {
    expect(text('docs/rpc.md')).toContain(`\n| \`${name}\` | ${role} |`);
  });
  test('ok/every command of siptrustctl is in docs/rpc.md', () => {
    const rpc = text('docs/rpc.md');
    const words = (command: ReturnType<typeof program>, before = ''): string[] =>
      command.commands.flatMap((each) =>
        each.commands.length > 0 ? words(each, `${before}${each.name()} `) : [`${before}${each.name()}`],
      );
    const listed = [...rpc.matchAll(/`(?:siptrustctl )?([a-z]+(?: [a-z]+){0,2})(?: [[A-Z-][^`]*)?`/g)].map(
      (match) => match[1],
    );
    for (const command of words(program(process.stdin, process.stdout))) expect(listed).toContain(command);
  });
  test('ok/every command of siptrustctl, and every group of them, says what it does', () => {
    const all = (command: ReturnType<typeof program>): ReturnType<typeof program>[] =>
      command.commands.flatMap((each) => [each, ...all(each)]);
    const said = all(program(process.stdin, process.stdout)).map((each) => `${each.name()}: ${each.description()}`);
    expect(said.filter((text) => /: (?:about \w+)?$/.test(text))).toEqual([]);
  });
  test('ok/every flag of a plan is in docs/boundary.md', () => {
    const sources = readdirSync(join(ROOT, 'src/trust/message')).map((file) => text(`src/trust/message/${file}`));
    const added = sources.flatMap((source) =>
      [...source.matchAll(/flags\.add\(([^)]*)\)/g)].map(([, what = '']) => what),
    );
    const names = added.flatMap((what) => [...what.matchAll(/['`}]([a-z0-9-]*)['`]/g)].map(([, name = '']) => name));
    const flags = names
      .map((name) => (name.startsWith('-') ? `FIELD${name}` : name))
      .filter((name) => name.includes('-') || name === 'emergency');
    expect(sorted(firstCells(text('docs/boundary.md'), '## Flags'))).toEqual(sorted([...new Set(flags)]));
  });
  test('ok/every command asks a method that exists', () => {
    for (const { method } of DAEMON_COMMANDS) expect(methods).toContain(method);
  });
  test('ok/the version is that of package.json', () => {
    expect(VERSION).toBe(JSON.parse(text('package.json')).version);
  });
  test('ok/the README can be read in one sitting', () => {
    expect(text('README.md').split('\n').length).toBeLessThanOrEqual(150);
  });
  test('ok/every file that the README links to exists', () => {
    const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' }).filter((f) => !f.startsWith('node_modules'));
    for (const [, link] of text('README.md').matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)) {
      if (link !== undefined && !link.startsWith('http')) expect(files).toContain(link);
    }
  });
  test.each(readdirSync(join(ROOT, 'docs')).filter((file) => file.endsWith('.md')))(
    'ok/docs/%s links to files and headings that are there',
    (page) => {
      const anchor = (heading: string) =>
        heading
          .toLowerCase()
          .replace(/[^a-z0-9 _-]/g, '')
          .replaceAll(' ', '-');
      for (const [, file = '', heading] of text(`docs/${page}`).matchAll(/\]\(([^)#:]*)(?:#([^)]*))?\)/g)) {
        const target = join('docs', file === '' ? page : file);
        expect(existsSync(join(ROOT, target)), `${page} links to ${target}`).toBe(true);
        if (heading === undefined) continue;
        const headings = [...text(target).matchAll(/^#+ (.*)$/gm)].map(([, words = '']) => anchor(words));
        expect(headings).toContain(heading);
      }
    },
  );
  // src/modules/http_client/curlcon.c of Kamailio 5.6 to 6.1: any other one is `Unknown parameter`, and has no effect.
  test.each(['docs/operating.md', 'plugin/kamailio/siptrust.cfg'])('ok/%s: a connection of http_client', (file) => {
    const known = ['httpredirect', 'timeout', 'useragent', 'failover', 'maxdatasize', 'verify_peer', 'verify_host'];
    known.push('tlsversion', 'client_cert', 'client_key', 'cipher_suites');
    const [, given = ''] = /=>https:[^;"]*;([^"]*)"/.exec(text(file)) ?? [];
    expect(given).toContain('client_cert=');
    expect(given.split(';').map((param) => param.split('=')[0])).toEqual(
      expect.toSatisfy((names: string[]) => names.every((name) => known.includes(name))),
    );
  });
  test('ok/what pages name under /usr/share/siptrust is there, as the package has plugin/', () => {
    const pages = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
    const named = pages.flatMap((page) => [...text(`docs/${page}`).matchAll(/\/usr\/share\/siptrust\/([\w./-]*\w)/g)]);
    expect(named.length).toBeGreaterThan(0);
    expect(named.map(([, path = '']) => path).filter((path) => !existsSync(join(ROOT, 'plugin', path)))).toEqual([]);
  });
  test('ok/every dependency has a line in docs/dependencies.md saying what for', () => {
    const { dependencies, devDependencies } = JSON.parse(text('package.json'));
    const listed = firstCells(text('docs/dependencies.md'), '# Dependencies');
    for (const name of Object.keys({ ...dependencies, ...devDependencies })) {
      if (!name.startsWith('@types/')) expect(listed).toContain(name);
    }
  });
});
