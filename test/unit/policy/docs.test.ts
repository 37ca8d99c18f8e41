import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { docLines, type Key } from '../../../src/policy/agreement/key.js';
import { KEY_ROWS } from '../../../src/policy/agreement/keys.js';
import type { DocLine } from '../../../src/policy/kinds/doc-line.js';
import { loadPolicy } from '../../../src/policy/loading/loader.js';
import { docLines as settingLines } from '../../../src/policy/settings/key.js';
import { DAEMON_KEYS, DEFAULTS_KEYS } from '../../../src/policy/settings/keys.js';
import { SECTIONS } from '../../../src/policy/settings/schema.js';
import { DEFAULT_SETTINGS } from '../../../src/policy/settings/settings.js';
import { isList, isRecord } from '../../../src/typed.js';
import { CA_PEM, CRL_PEM, compile, compiled, LEAF_PEM, NOW, said } from './fixtures.js';

/** The rows of a table of docs/policy.md, in their order: key paths with the same line share a row. */
function docTable(lines: Iterable<readonly [path: string, line: DocLine]>): string {
  const rows = new Map<DocLine, string[]>();
  for (const [path, line] of lines) rows.set(line, [...(rows.get(line) ?? []), path]);
  return [...rows]
    .map(([{ values = '', otherwise = '', text }, paths]) => {
      const cells = [paths.map((path) => `\`${path}\``).join(', '), values, otherwise, text];
      return `|${cells.map((cell) => (cell === '' ? ' ' : ` ${cell} `)).join('|')}|`;
    })
    .join('\n');
}

const ROOT = join(import.meta.dirname, '../../..');
const reference = readFileSync(join(ROOT, 'docs/policy.md'), 'utf8');
const sample = readFileSync(join(ROOT, 'kamailio-cfg/siptrust.yaml'), 'utf8');

const keys = new Map<string, Key[]>();
for (const [, row] of KEY_ROWS) {
  const table = row.key === 'migration' ? row.key : (row.mechanism ?? 'every');
  keys.set(table, [...(keys.get(table) ?? []), row]);
}
const tables = [
  docTable(settingLines(DEFAULTS_KEYS, 'defaults')),
  ...[...keys.values()].map((rows) => docTable(docLines(rows))),
  docTable(settingLines(DAEMON_KEYS, 'daemon')),
];
/** The page as `make generated` writes it. */
const page = reference.replace(
  /(?:^\| `(?:defaults\.|agreements\[\]|daemon\.)[^\n]*\n)+/gm,
  () => `${tables.shift() ?? ''}\n`,
);

/** Key paths of the whole file, as in `agreements[].asserts.numbers`. */
function allKeys(): readonly string[] {
  const keys: string[] = [];
  const walk = (node: unknown, prefix: string): void => {
    if (!isRecord(node)) return;
    const { properties, additionalProperties, items, anyOf } = node;
    for (const [key, inner] of Object.entries(properties ?? {})) {
      const path = prefix === '' ? key : `${prefix}.${key}`;
      keys.push(path);
      walk(inner, path);
    }
    if (typeof additionalProperties === 'object') walk(additionalProperties, `${prefix}.*`);
    walk(items, `${prefix}[]`);
    if (isList(anyOf)) for (const branch of anyOf) walk(branch, prefix);
  };
  const { interfaces, agreements, ...plain } = SECTIONS;
  const file = z.strictObject({ ...plain, interfaces: z.array(interfaces), agreements: z.array(agreements) });
  walk(z.toJSONSchema(file), '');
  return keys;
}

describe('docs/policy.md', () => {
  test('ok/it lists every key of the schema once, and nothing else', () => {
    const cells = [...page.matchAll(/^\| (`[^|]*`) \|/gm)].map(([, cell = '']) => cell);
    const listed = cells.flatMap((cell) => [...cell.matchAll(/`([^`]*)`/g)].map(([, key]) => key));
    expect(listed.sort()).toEqual([...allKeys()].sort());
  });

  test('ok/its tables are those of the code; `make generated` writes them', async () => {
    expect(tables).toEqual([]);
    await expect(page).toMatchFileSnapshot(join(ROOT, 'docs/policy.md'));
  });
});

describe('the sample policy', () => {
  test('ok/it compiles as it is, without a warning', () => {
    const result = compile(sample);
    expect(said(result)).toEqual([]);
    expect([...compiled(result).snapshot.agreements]).toEqual([]);
    expect(compiled(result).settings).toEqual(DEFAULT_SETTINGS);
  });

  test('ok/its examples compile when their "#" is taken away', () => {
    const full = sample.replace(/^#(?! \S)/gm, '');
    const files = Object.fromEntries(
      ['op-b-ca', 'op-c-client-ca', 'op-c-server-ca', 'op-c-sub'].map((name) => [`${name}.pem`, CA_PEM]),
    );
    const result = compile(full, {
      ...files,
      'own.pem': LEAF_PEM,
      'op-b.crl': CRL_PEM,
      'agreements/e.yaml': 'agreements: []\n',
    });
    const { snapshot, settings } = compiled(result);
    expect([...snapshot.agreements].map(({ name }) => name)).toEqual(['op-b', 'op-c', 'acme', 'op-d-legacy', 'op-e']);
    expect(settings).toEqual(DEFAULT_SETTINGS);
    // stack_verification: advisory is meant to warn.
    expect(said(result)).toEqual([expect.stringContaining('agreements[2].stack_verification')]);
  });

  test('ok/the policy of `make run` compiles from the disk, where the Makefile makes its CA', () => {
    const root = mkdtempSync(join(tmpdir(), 'siptrust-docs-'));
    try {
      cpSync(join(ROOT, 'kamailio-cfg/example'), join(root, 'kamailio-cfg/example'), { recursive: true });
      mkdirSync(join(root, '.cache/example'), { recursive: true });
      writeFileSync(join(root, '.cache/example/op-b-ca.pem'), CA_PEM);
      expect(loadPolicy(join(root, 'kamailio-cfg/example/siptrust.yaml'), 1, NOW)).toMatchObject({
        ok: true,
        warnings: [],
      });
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});
