/** A candidate policy in a running daemon: tried, dropped, promoted. */

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { callUnix } from '../../src/rpc/wire/client.js';
import { ext, leaf, root } from '../support/certificates.js';
import { siptrustctl } from '../support/command-line.js';
import { SIPTRUSTD } from '../support/compiled.js';
import { question } from '../support/evidence.js';
import { Child } from '../support/live/child.js';
import { eventually } from '../support/live/places.js';

const directory = mkdtempSync(join(tmpdir(), 'siptrust-candidate-'));
const file = (name: string) => join(directory, name);
const PATIENCE_MS = 60_000;

const now = Date.now();
const times = { notBefore: now - 86_400_000, notAfter: now + 86_400_000 };
const rootB = root({ subject: 'O=Operator B,CN=B CA', ...times });
const peerB = leaf(rootB, { extensions: { altNames: ext.altNames([{ dns: 'b.example' }]) }, ...times });

const agreement = { name: 'op-b', domains: ['b.example'], mechanism: 'tls', anchors: ['b.pem'], revocation: 'off' };
const policy = (over: object = {}) => ({
  own_domains: ['a.example'],
  agreements: [{ ...agreement, ...over }],
  daemon: { listen: { netstring: 'off', http: 'off', unix: file('ctl.sock') } },
});

function write(name: string, content: object): string {
  writeFileSync(file(name), stringify(content), { mode: 0o640 });
  return file(name);
}

const asked = async () =>
  (await callUnix(file('ctl.sock'), 'trust.peer', question(peerB.pem, { conid: 7, src_port: 40_000 }))) as {
    readonly trusted: number;
  };
const ctl = (...args: readonly string[]) =>
  siptrustctl(['--json', '--socket', file('ctl.sock'), '--timeout', String(PATIENCE_MS), ...args]);
const status = async () => JSON.parse((await ctl('policy', 'status')).output) as Readonly<Record<string, unknown>>;

describe('a candidate policy', () => {
  let daemon: Child;
  let config: string;
  let candidate: string;
  beforeAll(async () => {
    writeFileSync(file('b.pem'), rootB.pem);
    config = write('siptrust.yaml', policy());
    candidate = write('candidate.yaml', policy({ directions: ['out'] }));
    daemon = new Child('node', [SIPTRUSTD, '--config', config]);
    await eventually('siptrustd is ready', () => daemon.output.includes('siptrustd is ready'), PATIENCE_MS);
  }, 2 * PATIENCE_MS);
  afterAll(async () => {
    await daemon.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  test('ok/none, at first', async () => expect(await status()).toEqual({ candidate: '', policy_file: config }));
  test('ok/it is judged by in the shadow: no answer changes, what would is counted', async () => {
    expect(await ctl('policy', 'candidate', candidate)).toMatchObject({
      code: 0,
      output: expect.stringContaining('"agreements": 1'),
    });
    for (let call = 0; call < 3; call += 1) expect(await asked()).toMatchObject({ trusted: 1 });
    await eventually('all three are judged again', async () => (await status()).asked === 3, PATIENCE_MS);
    expect(await status()).toMatchObject({
      ...{ candidate, changed: 3, left_out: 0 },
      changes: [
        { partner: 'op-b', count: 3, before: 'trusted', after: 'untrusted', reason_after: 'agreement-direction' },
      ],
    });
    // For people, the table of a replay: it fits a line.
    const { output } = await siptrustctl([
      '--socket',
      file('ctl.sock'),
      '--timeout',
      String(PATIENCE_MS),
      'policy',
      'status',
    ]);
    expect(output).toMatch(/^PARTNER +DIR +COUNT +BEFORE +AFTER +REASON +HEADERS +LAST$/m);
    expect(output).toMatch(/^changed: +3$/m);
  });
  test('ok/dropped', async () => {
    expect((await ctl('policy', 'drop')).output).toContain('true');
    expect(await status()).toEqual({ candidate: '', policy_file: config });
  });
  test('fail/a candidate that is not good, with its place', async () => {
    const bad = write('bad.yaml', policy({ mechanism: 'tsl' }));
    const { code, error } = await ctl('policy', 'candidate', bad);
    expect([code, error]).toEqual([1, expect.stringMatching(/bad\.yaml:\d+:\d+/)]);
    expect((await ctl('policy', 'promote', bad, '--config', config)).code).toBe(2);
    expect(await asked()).toMatchObject({ trusted: 1 });
  });
  test('fail/a candidate that leads elsewhere in the directory of the policy', async () => {
    mkdirSync(file('other'));
    const foreign = root({ subject: 'O=Operator X,CN=X CA', ...times });
    writeFileSync(file('other/b.pem'), foreign.pem);
    const before = readFileSync(config, 'utf8');
    const { code, error } = await ctl('policy', 'promote', write('other/moved.yaml', policy()), '--config', config);
    expect([code, error]).toEqual([2, expect.stringContaining('agreement op-b anchors.client')]);
    expect([readFileSync(config, 'utf8'), existsSync(file('.siptrust-promoted.yaml'))]).toEqual([before, false]);
  });
  test('ok/promoted: in the file, in force, the one before beside it', async () => {
    const before = readFileSync(config, 'utf8');
    const { mode } = statSync(config);
    const { code, output, error } = await ctl('policy', 'promote', candidate, '--config', config);
    expect([code, error]).toEqual([0, '']);
    expect(JSON.parse(output)).toMatchObject({ promoted: candidate, changes: 1, previous: `${config}.previous` });
    expect([readFileSync(config, 'utf8'), readFileSync(`${config}.previous`, 'utf8')]).toEqual([
      readFileSync(candidate, 'utf8'),
      before,
    ]);
    expect(statSync(config).mode).toBe(mode);
    expect(await asked()).toMatchObject({ trusted: 0 });
  });
  test('ok/what became of the policy: who had it read, what each reading changed', async () => {
    const history = JSON.parse((await ctl('policy', 'history')).output) as readonly Readonly<Record<string, unknown>>[];
    expect(history.map(({ kind }) => kind)).toEqual(['reload', 'start']);
    expect(history[0]).toMatchObject({
      by: expect.stringContaining('ctl.sock'),
      differences: [{ subject: 'agreement op-b', key: 'directions', before: 'in', after: '' }],
    });
    const did = JSON.parse((await ctl('audit', 'list')).output) as readonly Readonly<Record<string, unknown>>[];
    expect(did.map(({ method }) => method).slice(0, 2)).toEqual(['policy.drop', 'agreement.reload']);
  });
  describe('promoted by the daemon itself', () => {
    const promote = () => callUnix(file('ctl.sock'), 'policy.promote', {}, PATIENCE_MS);
    const unchanged = () => expect([existsSync(file('.siptrust-promoted.yaml')), readFileSync(config, 'utf8')]);

    test('fail/none is tried', async () => {
      await expect(promote()).rejects.toMatchObject({ code: -32001 });
    });
    test('fail/it is not what was judged any more; the policy file cannot be replaced', async () => {
      const before = readFileSync(config, 'utf8');
      const next = write('again.yaml', policy());
      await ctl('policy', 'candidate', next);
      write('again.yaml', policy({ enabled: false }));
      const changed = { code: -32002, data: expect.stringContaining('found another agreement op-b enabled') };
      await expect(promote()).rejects.toMatchObject(changed);
      unchanged().toEqual([false, before]);
      write('again.yaml', policy({ mechanism: 'tsl' }));
      await expect(promote()).rejects.toMatchObject({ code: -32002, data: { problems: [expect.anything()] } });
      unchanged().toEqual([false, before]);
      write('again.yaml', policy());
      rmSync(`${config}.previous`);
      mkdirSync(`${config}.previous`);
      const kept = { code: -32002, data: expect.stringMatching(/siptrust\.yaml was not replaced: E/) };
      await expect(promote()).rejects.toMatchObject(kept);
      unchanged().toEqual([false, before]);
      rmSync(`${config}.previous`, { recursive: true });
      expect(await status()).toMatchObject({ candidate: next });
      expect(await asked()).toMatchObject({ trusted: 0 });
    });
    test('ok/in the file, in force, told in the history; the candidate is gone', async () => {
      expect(await promote()).toMatchObject({ promoted: file('again.yaml'), previous: `${config}.previous` });
      expect(readFileSync(config, 'utf8')).toBe(readFileSync(file('again.yaml'), 'utf8'));
      expect([await status(), await asked()]).toMatchObject([{ candidate: '' }, { trusted: 1 }]);
      const [latest] = (await callUnix(file('ctl.sock'), 'policy.history')) as readonly { readonly by: string }[];
      expect(latest?.by).toContain(`to promote ${file('again.yaml')}`);
    });
  });
  test('ok/a file that is named by its relative path is the same file, paths of daemon.* in it too', async () => {
    const { daemon: settings, ...rest } = policy();
    const named = write('named.yaml', { ...rest, daemon: { ...settings, log: { audit: 'audit.log' } } });
    const here = (path: string) => relative(process.cwd(), path);
    expect(await ctl('policy', 'diff', here(named), named)).toMatchObject({ code: 0, output: '[]\n' });
    const { code, output, error } = await ctl('policy', 'promote', here(named), '--config', here(config));
    expect([code, error]).toEqual([0, '']);
    expect(JSON.parse(output)).toMatchObject({ promoted: named, config, changes: 1 });
  });
  test('fail/a policy file that is not the one of the daemon, which would not read it', async () => {
    const other = write('not-read.yaml', policy());
    const before = readFileSync(other, 'utf8');
    const { code, error } = await ctl('policy', 'promote', candidate, '--config', other);
    expect([code, error]).toEqual([
      2,
      expect.stringContaining(`the policy file of the daemon, ${config}, found ${other}`),
    ]);
    expect([readFileSync(other, 'utf8'), existsSync(`${other}.previous`)]).toEqual([before, false]);
  });
  test('fail/a daemon that does not answer: the policy file is as it was', async () => {
    const before = readFileSync(config, 'utf8');
    const other = write('next.yaml', policy({ directions: ['in'] }));
    const nobody = ['--socket', file('none.sock'), 'policy', 'promote', other, '--config', config];
    expect((await siptrustctl(nobody)).code).toBe(2);
    expect(readFileSync(config, 'utf8')).toBe(before);
  });
});
