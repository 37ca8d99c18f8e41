/** A pooler before a PostgreSQL, as its owner may have put one there. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './live/places.js';
import { DATABASE, type PostgresCluster } from './postgres-cluster.js';

const PROGRAM = '/usr/sbin/pgbouncer';
/** pgbouncer refuses root. */
const NOBODY = { uid: 65_534, gid: 65_534 };

export interface PgBouncer {
  readonly port: number;
  stop(): Promise<void>;
}

/** @throws {Error} it is not installed, or does not start */
export async function pgbouncer(
  cluster: PostgresCluster,
  mode: 'session' | 'transaction' | 'statement',
  more: readonly string[] = [],
) {
  if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM}: expected it, found none (make packages)`);
  const directory = mkdtempSync(join(tmpdir(), 'siptrust-pgbouncer-'));
  const port = await freePort();
  const password = readFileSync(cluster.passwordFile, 'utf8').trim();
  const file = join(directory, 'pgbouncer.ini');
  const target = `host=127.0.0.1 port=${cluster.port} user=${cluster.user} password='${password}'`;
  const lines = [
    ...['[databases]', `${DATABASE} = ${target}`, '[pgbouncer]', 'listen_addr = 127.0.0.1', `listen_port = ${port}`],
    ...['unix_socket_dir =', 'auth_type = any', `pool_mode = ${mode}`, 'default_pool_size = 20', ...more],
  ];
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  const as = process.getuid?.() === 0 ? NOBODY : undefined;
  if (as !== undefined) for (const path of [directory, file]) chownSync(path, as.uid, as.gid);
  const child = spawn(PROGRAM, [file], { ...as, cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  const exited = once(child, 'exit');
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (piece: Buffer) => {
      output += piece.toString('utf8');
      if (output.includes('process up')) resolve();
    });
    child.on('exit', () => reject(new Error(`pgbouncer does not start: ${output}`)));
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
    rmSync(directory, { recursive: true, force: true });
  };
  return { port, stop } satisfies PgBouncer;
}
