/** A daemon answers; a candidate policy is asked the same again from what the daemon left behind. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { callUnix } from '../../src/rpc/wire/client.js';
import { ext, leaf, root, selfSignedLeaf } from '../support/certificates.js';
import { type Outcome, siptrustctl } from '../support/command-line.js';
import { SIPTRUSTD } from '../support/compiled.js';
import { question } from '../support/evidence.js';
import { Child } from '../support/live/child.js';
import { eventually } from '../support/live/places.js';

const directory = mkdtempSync(join(tmpdir(), 'siptrust-replay-'));
const file = (name: string) => join(directory, name);

const now = Date.now();
const times = { notBefore: now - 86_400_000, notAfter: now + 86_400_000 };
const rootB = root({ subject: 'O=Operator B,CN=B CA', ...times });
const rootC = root({ subject: 'O=Operator C,CN=C CA', ...times });
const named = (dns: string) => ({ extensions: { altNames: ext.altNames([{ dns }]) }, ...times });
const peerB = leaf(rootB, named('b.example'));
const peerC = leaf(rootC, named('c.example'));
const stranger = selfSignedLeaf(named('x.example'));

const agreement = (letter: string, over: object = {}) => ({
  name: `op-${letter}`,
  domains: [`${letter}.example`],
  mechanism: 'tls',
  anchors: [`${letter}.pem`],
  revocation: 'off',
  ...over,
});
const daemon = {
  listen: { netstring: 'off', http: 'off', unix: 'ctl.sock' },
  log: { decisions: 'decisions.log', mask: true },
  state: { file: 'state/state.db' },
};
const policy = (agreements: readonly object[], over: object = {}) => ({
  own_domains: ['a.example'],
  agreements,
  daemon: { ...daemon, ...over },
});

function write(name: string, content: object): string {
  writeFileSync(file(name), stringify(content), { mode: 0o600 });
  return file(name);
}

const asked = (pem: string | undefined, verified: 0 | 1, port: number, next_hop?: string) => {
  const direction = next_hop === undefined ? 'in' : 'out';
  return question(pem, { direction, conid: port, src_port: port, next_hop }, { verified });
};

const QUESTIONS = [
  ...Array.from({ length: 5 }, (_, at) => asked(peerB.pem, 1, 40_000 + at)),
  asked(peerC.pem, 1, 41_000),
  asked(peerC.pem, 1, 41_001, 'c.example'),
  asked(stranger.pem, 0, 42_000),
  asked(undefined, 0, 43_000),
  asked('no certificate', 0, 44_000),
  { direction: 'in', proto: 'udp', src_ip: '192.0.2.9', rcv_ip: '198.51.100.1', rcv_port: 5060 },
];

interface Replayed {
  readonly asked: number;
  readonly changed: number;
  readonly skipped: Readonly<Record<string, number>>;
  readonly changes: readonly Readonly<Record<string, unknown>>[];
}

async function replay(candidate: string, ...more: string[]): Promise<Outcome & { answer: Replayed }> {
  const outcome = await siptrustctl(['--json', 'replay', '--config', candidate, ...more]);
  return { ...outcome, answer: outcome.code === 2 ? ({} as Replayed) : JSON.parse(outcome.output) };
}

beforeAll(async () => {
  writeFileSync(file('b.pem'), rootB.pem);
  writeFileSync(file('c.pem'), rootC.pem);
  const config = write('siptrust.yaml', policy([agreement('b'), agreement('c')]));
  const child = new Child('node', [SIPTRUSTD, '--config', config]);
  await eventually('siptrustd is ready', () => child.output.includes('siptrustd is ready'));
  for (const params of QUESTIONS) await callUnix(file('ctl.sock'), 'trust.peer', params);
  const message = { direction: 'in', conid: 40_000, message: 'request', method: 'INVITE', headers: 'Subject: x\r\n' };
  await callUnix(file('ctl.sock'), 'trust.message', message);
  await child.stop();
}, 60_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('replay', () => {
  test('ok/the same policy changes nothing', async () => {
    const { code, answer } = await replay(file('siptrust.yaml'));
    expect(answer).toMatchObject({
      asked: QUESTIONS.length,
      changed: 0,
      skipped: { 'no-peer-question': 1 },
      changes: [],
    });
    expect(code).toBe(0);
  });
  test('ok/an agreement that ends, and one that comes: by partner, with the header edits', async () => {
    const candidate = write(
      'candidate.yaml',
      policy([agreement('b', { anchors: ['c.pem'] }), agreement('x', { anchors: ['b.pem'] })]),
    );
    const { code, answer } = await replay(candidate);
    expect(code).toBe(1);
    expect(answer).toMatchObject({ asked: QUESTIONS.length, changed: 8 });
    const rows = answer.changes.map(({ partner, direction, count, before, after, reason_after }) => {
      return [partner, direction, count, before, after, reason_after];
    });
    expect(rows).toEqual([
      ['op-b', 'in', 5, 'trusted', 'untrusted', 'anchor-mismatch'],
      ['op-c', 'in', 1, 'trusted', 'untrusted', 'not-listed'],
      ['op-c', 'out', 1, 'trusted', 'untrusted', 'not-listed'],
      ['op-x', 'in', 1, 'untrusted', 'untrusted', expect.any(String)],
    ]);
    expect(answer.changes[0]).toMatchObject({ profile_before: 'trusted', profile_after: 'untrusted' });
    expect(answer.changes[0]?.removed).toContain('P-Asserted-Identity');
  });
  test('ok/as a table, with an id that stands in the log', async () => {
    const { output } = await siptrustctl(['replay', '--config', file('candidate.yaml')]);
    expect(output).toMatch(/^11 questions asked again, .*; 8 answered otherwise\n/);
    const [, id = ''] = /^op-b +in +5 .*untrusted +anchor-mismatch .* (\S+)$/m.exec(output) ?? [];
    expect(readFileSync(file('decisions.log'), 'utf8')).toContain(`"id":"${id}"`);
  });
  test('ok/against another policy, rotated logs, and standard input', async () => {
    const bytes = readFileSync(file('decisions.log'));
    writeFileSync(file('decisions.log.1.gz'), gzipSync(bytes));
    const logs = ['--decisions', file('decisions.log'), file('decisions.log.1.gz')];
    const same = await replay(file('candidate.yaml'), '--against', file('candidate.yaml'), ...logs);
    expect([same.code, same.answer.asked, same.answer.changed]).toEqual([0, 2 * QUESTIONS.length, 0]);
    const line = `${bytes.toString().split('\n')[0]}\n`;
    const one = await siptrustctl(['--json', 'replay', '--config', file('candidate.yaml'), '--decisions', '-'], line);
    expect([one.code, JSON.parse(one.output)]).toEqual([1, expect.objectContaining({ asked: 1, changed: 1 })]);
  });
  test('ok/--since leaves out what is older', async () => {
    const later = new Date(Date.now() + 60_000).toISOString();
    expect((await replay(file('candidate.yaml'), '--since', later)).answer).toMatchObject({
      ...{ asked: 0, changed: 0, skipped: { earlier: QUESTIONS.length } },
    });
    expect((await replay(file('candidate.yaml'), '--since', '2h')).answer.asked).toBe(QUESTIONS.length);
  });
  test.each([
    ['no state file', ['--state', 'none.db'], 'none.db'],
    ['no decision log', ['--decisions', 'none.log'], 'none.log'],
    ['a time that is none', ['--since', 'yesterday'], '--since: expected an RFC 3339 instant'],
  ])('fail/%s', async (_name, more, words) => {
    const { code, error } = await replay(file('candidate.yaml'), ...more);
    expect([code, error]).toEqual([2, expect.stringContaining(words)]);
  });
  test('fail/a log of which nothing can be asked again is no good news', async () => {
    writeFileSync(file('old.log'), `${JSON.stringify({ method: 'trust.peer', id: 'x-1' })}\nnonsense\n`);
    const { code, error } = await replay(file('siptrust.yaml'), '--decisions', file('old.log'));
    expect([code, error]).toEqual([2, expect.stringContaining('"older-line":1,"unreadable":1')]);
  });
  test('ok/a log that was just rotated is empty', async () => {
    writeFileSync(file('empty.log'), '');
    const { code, answer } = await replay(file('siptrust.yaml'), '--decisions', file('empty.log'));
    expect([code, answer.asked]).toEqual([0, 0]);
  });
  test('fail/a candidate that is not good', async () => {
    const bad = write('bad.yaml', policy([agreement('b', { mechanism: 'tsl' })]));
    expect(await replay(bad)).toMatchObject({ code: 2, error: expect.stringContaining('agreements[0].mechanism') });
  });
});

describe('policy diff', () => {
  test('ok/what differs, and the exit code', async () => {
    const { code, output } = await siptrustctl(['policy', 'diff', file('siptrust.yaml'), file('candidate.yaml')]);
    expect(code).toBe(1);
    expect(output).toMatch(/^agreement op-c +removed/m);
    expect(output).toMatch(/^agreement op-b +changed +anchors\.client +CN=B CA,O=Operator B .*CN=C CA,O=Operator C/m);
  });
  test('ok/no difference', async () => {
    const same = await siptrustctl(['policy', 'diff', file('siptrust.yaml'), file('siptrust.yaml')]);
    expect(same).toMatchObject({ code: 0, output: 'no difference\n' });
  });
});
