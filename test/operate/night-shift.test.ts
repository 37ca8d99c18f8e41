/**
 * What breaks at night, on a running siptrustd with a real Prometheus and the rules of plugin/prometheus: alerts and
 * siptrustctl say it within half a minute. (The page: test/ui.)
 */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { crl, DAY, ext, leaf, root } from '../support/certificates.js';
import { siptrustctl } from '../support/command-line.js';
import { question } from '../support/evidence.js';
import { eventually, freePort } from '../support/live/places.js';
import { http } from '../support/wires.js';
import { get, OperateStage } from './stage.js';

const RULES = join(import.meta.dirname, '../../plugin/prometheus/siptrust.rules.yml');
/** Half a minute, twice: this machine does other things too. */
const PATIENCE_MS = 60_000;

const now = Date.now();
const times = { notBefore: now - DAY, notAfter: now + 90 * DAY };
const ca = root({ subject: 'O=Operator B,CN=B CA', ...times });
const names = { altNames: ext.altNames([{ dns: 'b.example' }]) };
const partner = leaf(ca, { extensions: names, ...times });
const impostor = leaf(root({ subject: 'O=Operator B,CN=B CA', ...times }), { extensions: names, ...times });
const terms = { name: 'op-b', domains: ['b.example'], mechanism: 'tls', anchors: ['ca.pem'], revocation: 'hard' };

let on: OperateStage;
beforeEach(() => {
  on = new OperateStage();
});
afterEach(() => on.stop());

const ctl = async (...args: readonly string[]) => {
  const { code, output, error } = await siptrustctl(['--socket', on.file('ctl.sock'), ...args]);
  return { code, text: `${output}${error}` };
};
const asked = (port: number, pem: string) =>
  http(port, {
    body: JSON.stringify({
      ...{ jsonrpc: '2.0', id: 1, method: 'trust.peer' },
      params: question(pem),
    }),
  });

const writeCrl = (nextUpdate: number) => on.write('b.crl', crl(ca, { thisUpdate: now - 3 * DAY, nextUpdate }).pem);

describe('the night shift', () => {
  test('ok/a forger, an unreadable policy, a list that is over, a dead siptrustd: each is told', async ({ skip }) => {
    if (spawnSync('prometheus', ['--version']).error !== undefined) skip('prometheus is not installed: make setup');
    const port = await freePort();
    on.write('ca.pem', ca.pem);
    writeCrl(now + 7 * DAY);
    on.writePolicy([{ ...terms, crls: ['b.crl'] }], port);
    const daemon = await on.startDaemon();
    const prometheus = await on.startPrometheus(port, [RULES]);
    const firing = async (): Promise<readonly string[]> => {
      const { data } = JSON.parse((await get(prometheus, '/api/v1/alerts')).text) as {
        data: { alerts: readonly { state: string; labels: { alertname: string } }[] };
      };
      return data.alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels.alertname);
    };
    const fires = (name: string) => eventually(name, async () => (await firing()).includes(name), PATIENCE_MS);

    await asked(port, partner.pem);
    await eventually('a scrape', async () => (await get(prometheus, '/api/v1/query?query=up')).text.includes('"1"'));
    expect(await firing()).toEqual([]);
    expect((await ctl('partner', 'list')).text).toMatch(/^op-b +trusted/m);

    // One question is enough.
    await asked(port, impostor.pem);
    expect((await ctl('partner', 'list')).text).toMatch(/^op-b +untrusted +bad-signature/m);
    await fires('SiptrustAlarm');

    on.write('siptrust.yaml', 'agreements: [');
    daemon.signal('SIGHUP');
    await fires('SiptrustPolicyStale');
    await fires('SiptrustNotReady');
    expect((await ctl('status')).text).toMatch(/^status: +stale-policy$/m);

    writeCrl(now - DAY);
    on.writePolicy([{ ...terms, crls: ['b.crl'] }], port);
    expect((await ctl('agreement', 'reload')).code).toBe(0);
    await asked(port, partner.pem);
    expect((await ctl('partner', 'list')).text).toMatch(/^op-b +untrusted +rev-unknown/m);
    expect((await ctl('crl', 'list')).text).toMatch(/ stale$/m);

    daemon.signal('SIGKILL');
    await fires('SiptrustDown');
    expect(await ctl('status')).toMatchObject({ code: 2, text: expect.stringContaining('ctl.sock') });
  }, 400_000);
});
