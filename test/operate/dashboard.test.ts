/** plugin/grafana/siptrust.json on a real Prometheus that scrapes a siptrustd with traffic: every query has data. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { METRICS } from '../../src/rpc/metrics/table.js';
import { callUnix } from '../../src/rpc/wire/client.js';
import { crl, DAY, ext, leaf, root } from '../support/certificates.js';
import { question } from '../support/evidence.js';
import { eventually, freePort } from '../support/live/places.js';
import { http } from '../support/wires.js';
import { get, OperateStage } from './stage.js';

const FILE = join(import.meta.dirname, '../../plugin/grafana/siptrust.json');

interface Panel {
  readonly title: string;
  readonly targets: readonly { readonly expr: string }[];
}
const { panels } = JSON.parse(readFileSync(FILE, 'utf8')) as { panels: readonly Panel[] };
const queries = panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, expr })));

// Of each try: the next one would find its state file and its database in use.
let on: OperateStage;
beforeEach(() => {
  on = new OperateStage();
});
afterEach(() => on.stop());

const now = Date.now();
const times = { notBefore: now - DAY, notAfter: now + DAY };
const ca = root({ subject: 'O=Operator B,CN=B CA', ...times });
const names = { altNames: ext.altNames([{ dns: 'b.example' }]) };
// A partner, a stranger, and somebody whose CA only bears the name of the partner's: an alarm.
const cas = [ca, root(times), root({ subject: 'O=Operator B,CN=B CA', ...times })];
const peers = cas.map((issuer) => leaf(issuer, { extensions: names, ...times }));

async function startDaemon(port: number): Promise<void> {
  on.write('ca.pem', ca.pem);
  on.write('b.crl', crl(ca, { thisUpdate: now - 1000, nextUpdate: now + DAY }).pem);
  const terms = { name: 'op-b', domains: ['b.example'], mechanism: 'tls', anchors: ['ca.pem'], crls: ['b.crl'] };
  on.writePolicy([terms], port);
  await on.startDaemon();
}

/** What a script, and somebody who may not, ask. */
async function traffic(port: number): Promise<void> {
  const ask = (method: string, params: object) =>
    http(port, { body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }) });
  const headers = 'P-Asserted-Identity: <sip:x@other.example>\r\n';
  for (const { pem } of peers) {
    await ask('trust.peer', question(pem));
    await ask('trust.message', { ...question(pem), message: 'request', headers });
  }
  await ask('cache.flush', {});
  await http(port, { headers: { Authorization: 'Bearer wrong' }, body: '{}' });
}

/** Rows that Prometheus has for a query of the dashboard. */
async function rowsOf(port: number, expr: string): Promise<number> {
  const query = expr.replaceAll('$instance', '.*').replaceAll('$__rate_interval', '30s');
  const { text } = await get(port, `/api/v1/query?query=${encodeURIComponent(query)}`);
  const answer = JSON.parse(text) as { status: string; error?: string; data?: { result: readonly unknown[] } };
  if (answer.status !== 'success') throw new Error(`${expr}: ${answer.error}`);
  return answer.data?.result.length ?? 0;
}

describe('plugin/grafana/siptrust.json', () => {
  test('ok/every metric of ours that it asks for is in the table', () => {
    const known: string[] = Object.values(METRICS).map(({ name }) => name);
    for (const { expr } of queries) {
      for (const [name] of expr.matchAll(/\bsiptrust_[a-z_]+\b/g)) {
        expect(known).toContain(name.replace(/_(?:bucket|sum|count)$/, ''));
      }
    }
  });

  test('ok/every query has data', async ({ skip }) => {
    if (spawnSync('prometheus', ['--version']).error !== undefined) {
      skip('prometheus is not installed: make setup');
    }
    const daemon = await freePort();
    await startDaemon(daemon);
    const prometheus = await on.startPrometheus(daemon);
    let open = queries;
    const looked = async (): Promise<boolean> => {
      await traffic(daemon);
      const rows = await Promise.all(open.map(({ expr }) => rowsOf(prometheus, expr)));
      open = open.filter((_, at) => rows[at] === 0);
      return open.length === 0;
    };
    await eventually('every query has data', looked, 60_000).catch(() => {});
    expect(open).toEqual([]);
    expect(await callUnix(on.file('ctl.sock'), 'core.status')).toMatchObject({ status: 'ok' });
  }, 200_000);
});
