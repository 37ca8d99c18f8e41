import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StoreSettings } from '../../src/policy/settings/store-settings.js';
import { Database } from '../../src/state/postgres/database.js';
import { DAY, ext, type Issued, leaf, root } from '../support/certificates.js';
import { keptLog } from '../support/kept-log.js';
import { PostgresCluster } from '../support/postgres-cluster.js';

const times = { notBefore: Date.now() - DAY, notAfter: Date.now() + DAY };
const ca = root({ subject: 'CN=the databases', ...times });
const other = root({ subject: 'CN=the databases', ...times });
const keyOf = ({ key }: Issued): string => key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const server = (name: Parameters<typeof ext.altNames>[0][0]) =>
  leaf(ca, { subject: 'CN=db', extensions: { altNames: ext.altNames([name]) }, ...times });
const client = leaf(ca, { subject: 'CN=admin', ...times });

const directory = mkdtempSync(join(tmpdir(), 'siptrust-tls-'));
const file = (name: string, text: string): string => {
  const path = join(directory, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
};
const clusters: PostgresCluster[] = [];
let named: PostgresCluster;
let misnamed: PostgresCluster;

/** @param hba what the server asks of those who come by TLS */
async function cluster(certificate: Issued, hba: string): Promise<PostgresCluster> {
  const started = await PostgresCluster.start({
    files: { 'server.pem': certificate.pem, 'server.key': keyOf(certificate), 'ca.pem': ca.pem },
    settings: [
      ...['ssl = on', "ssl_cert_file = '../server.pem'", "ssl_key_file = '../server.key'", "ssl_ca_file = '../ca.pem'"],
    ],
    hba: [`hostssl all all 127.0.0.1/32 ${hba}`, 'hostnossl all all 127.0.0.1/32 reject'],
  });
  clusters.push(started);
  return started;
}

beforeAll(async () => {
  named = await cluster(server({ ip: new Uint8Array([127, 0, 0, 1]) }), 'scram-sha-256 clientcert=verify-full');
  misnamed = await cluster(server({ dns: 'localhost' }), 'scram-sha-256');
});
afterAll(async () => {
  for (const each of clusters) await each.stop();
  rmSync(directory, { recursive: true });
});

const tls = {
  ca: file('ca.pem', ca.pem),
  certificate: file('client.pem', client.pem),
  key: file('client.key', keyOf(client)),
};

async function connected(to: PostgresCluster, changes: Partial<StoreSettings>): Promise<string> {
  const common = { log: keptLog(), clock: Date.now, random: Math.random, checked: false };
  const database = new Database({ settings: to.settings([], changes), name: 'test', ...common });
  try {
    await database.connect();
    const [row] = await database.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
    return JSON.stringify(row);
  } catch (error) {
    return String(error);
  } finally {
    await database.close();
  }
}

describe('a database on another host', () => {
  test('ok/by its certificate, and ours, and the password', async () => {
    expect(await connected(named, { tls })).toBe('{"ssl":true}');
  });
  test('fail/of a CA that is not the one in sslrootcert', async () => {
    expect(await connected(named, { tls: { ...tls, ca: file('other.pem', other.pem) } })).toMatch(/certificate/);
  });
  test('fail/a certificate for another name, which an address must not pass for', async () => {
    expect(await connected(misnamed, { tls: { ca: tls.ca, certificate: undefined, key: undefined } })).toMatch(
      /does not match certificate's altnames/,
    );
  });
  test('fail/a certificate that has expired', async () => {
    const past = { notBefore: Date.now() - 3 * DAY, notAfter: Date.now() - DAY };
    const altNames = ext.altNames([{ ip: new Uint8Array([127, 0, 0, 1]) }]);
    const expired = leaf(ca, { subject: 'CN=db', extensions: { altNames }, ...past });
    const bare = { ca: tls.ca, certificate: undefined, key: undefined };
    expect(await connected(await cluster(expired, 'scram-sha-256'), { tls: bare })).toMatch(/certificate has expired/);
  });
  test('fail/without TLS, and without a certificate where one is asked for', async () => {
    expect(await connected(named, { tls: undefined })).toMatch(/pg_hba.conf rejects connection/);
    const bare = { ca: tls.ca, certificate: undefined, key: undefined };
    expect(await connected(named, { tls: bare })).toMatch(/client certificate/);
  });
  test('fail/a file that is not there is named', async () => {
    expect(await connected(named, { tls: { ...tls, ca: '/nowhere/ca.pem' } })).toMatch(/\/nowhere\/ca.pem/);
  });
});
