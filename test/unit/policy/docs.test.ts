import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { docRows, type Key } from '../../../src/policy/agreement/key.js';
import { KEY_ROWS } from '../../../src/policy/agreement/keys.js';
import { loadPolicy } from '../../../src/policy/loading/loader.js';
import { allKeys } from '../../../src/policy/settings/schema.js';
import { DEFAULT_SETTINGS } from '../../../src/policy/settings/settings.js';
import { POLICY_DEFAULTS } from '../../../src/policy/snapshot/compile.js';
import { CA_PEM, CRL_PEM, compile, compiled, LEAF_PEM, NOW, said } from './fixtures.js';

const ROOT = join(import.meta.dirname, '../../..');
const reference = readFileSync(join(ROOT, 'docs/policy.md'), 'utf8');
const sample = readFileSync(join(ROOT, 'kamailio-cfg/siptrust.yaml'), 'utf8');

/** Rows of the reference: the keys of the first cell, and the other cells. */
const rows = [...reference.matchAll(/^\| (`[^|]*`) \|(.*)\|$/gm)].map(([, first = '', rest = '']) => ({
  keys: [...first.matchAll(/`([^`]*)`/g)].map(([, key = '']) => key),
  cells: rest.split(' | ').map((cell) => cell.trim()),
}));

describe('docs/policy.md', () => {
  test('ok/it lists every key of the schema once, and nothing else', () => {
    expect(rows.flatMap(({ keys }) => keys).sort()).toEqual([...allKeys()].sort());
  });

  test('ok/its tables of agreement keys are those of the code; -u writes them', async () => {
    const tables = new Map<string, Key[]>();
    for (const [, row] of KEY_ROWS) {
      const table = row.key === 'migration' ? row.key : (row.mechanism ?? 'every');
      tables.set(table, [...(tables.get(table) ?? []), row]);
    }
    const generated = [...tables.values()];
    const page = reference.replace(/(?:^\| `agreements\[\][^\n]*\n)+/gm, () => `${docRows(generated.shift() ?? [])}\n`);
    expect(generated).toEqual([]);
    await expect(page).toMatchFileSnapshot(join(ROOT, 'docs/policy.md'));
  });

  test('ok/the defaults that it names are those of the code', () => {
    const { listen, log, cache, access, allowRemote, unixMode, viewerMode, revocation, state } = DEFAULT_SETTINGS;
    const flat: Readonly<Record<string, unknown>> = {
      ...Object.fromEntries(Object.entries(POLICY_DEFAULTS).map(([key, value]) => [`defaults.${key}`, value])),
      'daemon.listen.netstring': `${listen.netstring?.address}:${listen.netstring?.port}`,
      'daemon.listen.http': `${listen.http?.address}:${listen.http?.port}`,
      'daemon.listen.https': listen.https ?? 'off',
      'daemon.listen.unix': listen.unix,
      'daemon.listen.viewer': listen.viewer ?? 'off',
      'daemon.listen.fifo': listen.fifo ?? 'off',
      'daemon.listen.fifo_reply_dir': listen.fifoReplyDir,
      'daemon.allow_remote': allowRemote,
      'daemon.unix_mode': `"0${unixMode.toString(8)}"`,
      'daemon.viewer_mode': `"0${viewerMode.toString(8)}"`,
      'daemon.log.level': log.level,
      'daemon.log.file': log.file ?? 'stderr',
      'daemon.log.decisions': log.decisions ?? 'off',
      'daemon.log.audit': log.audit ?? 'off',
      'daemon.access.tokens': access.tokens ?? 'off',
      'daemon.access.metrics': access.metrics,
      'daemon.access.connections': access.connections,
      'daemon.access.connections_per_source': access.connectionsPerSource,
      'daemon.log.mask': log.mask,
      'daemon.cache.certificates': cache.certificates,
      'daemon.cache.verdicts': cache.verdicts,
      'daemon.cache.ttl': cache.ttl,
      'daemon.state.file': state.file ?? 'off',
      'daemon.state.pins': state.pins,
      'daemon.revocation.fetch': revocation.fetch ? 'on' : 'off',
      'daemon.revocation.directory': revocation.directory,
      'daemon.revocation.interval': revocation.interval,
      'daemon.revocation.timeout': revocation.timeout,
      'daemon.revocation.max_size': revocation.maxSize,
      'daemon.revocation.warn': revocation.warn,
    };
    for (const [key, value] of Object.entries(flat)) {
      const row = rows.find(({ keys }) => keys.includes(key));
      expect([key, row?.cells[1]]).toEqual([key, `\`${value}\``]);
    }
  });
});

describe('the sample policy', () => {
  test('ok/it compiles as it is, without a warning', () => {
    const result = compile(sample);
    expect(said(result)).toEqual([]);
    expect(compiled(result).snapshot.agreements).toEqual([]);
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
    expect(snapshot.agreements.map(({ name }) => name)).toEqual(['op-b', 'op-c', 'acme', 'op-d-legacy', 'op-e']);
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
