import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { program } from '../../src/ctl/program.js';
import { Tokens } from '../../src/rpc/access/tokens.js';
import { openSqliteStore } from '../../src/state/store/sqlite-store.js';
import { PostgresCluster } from '../support/postgres-cluster.js';
import { FleetNode, migrated, pin } from './node.js';

const directory = mkdtempSync(join(tmpdir(), 'siptrust-import-'));
let cluster: PostgresCluster;
beforeAll(async () => {
  cluster = await PostgresCluster.start();
  await migrated(cluster);
});
afterAll(async () => {
  await cluster?.stop();
  rmSync(directory, { recursive: true });
});

test('ok/what one node has is what the fleet begins with; twice changes nothing', async () => {
  const local = openSqliteStore(join(directory, 'state.db'));
  await local.save({ put: [pin('k1', { approvedAt: 5 }), pin('k2')] });
  await local.close();
  const tokens = join(directory, 'tokens.json');
  await new Tokens(tokens, Date.now, { error: () => {} }).add('noc', 'viewer');
  const daemon = {
    ...{ store: cluster.url(), store_password_file: cluster.passwordFile },
    ...{ state: { file: 'state.db' }, access: { tokens } },
  };
  const config = join(directory, 'siptrust.yaml');
  writeFileSync(config, stringify({ own_domains: ['a.example'], daemon }), { mode: 0o600 });
  for (const count of [1, 0]) {
    const written: string[] = [];
    const output = { write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream;
    await program(process.stdin, output).parseAsync(['--json', 'store', 'import', '--config', config], {
      from: 'user',
    });
    expect(JSON.parse(written.join(''))).toEqual({ pins: 2, approved: 1, tokens: count, tokens_not_taken: 1 - count });
  }
  const node = await FleetNode.start('a', cluster.settings(), directory);
  expect(node.states()).toEqual({ k1: 'approved', k2: 'observed' });
  expect(node.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  await expect.poll(() => node.tokens.list().map(({ name }) => name)).toEqual(['noc']);
  await node.stop(false);
});
