import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { ext, leaf, root } from '../support/certificates.js';
import { SIPTRUSTCTL, SIPTRUSTD } from '../support/compiled.js';
import { question } from '../support/evidence.js';
import { Child } from '../support/live/child.js';
import { eventually } from '../support/live/places.js';

const directory = mkdtempSync(join(tmpdir(), 'siptrust-daemon-'));
const file = (name: string) => join(directory, name);

const now = Date.now();
const times = { notBefore: now - 30 * 86_400_000, notAfter: now + 86_400_000 };
const rootB = root({ subject: 'O=Operator B,CN=B CA', ...times });
const peerB = leaf(rootB, { extensions: { altNames: ext.altNames([{ dns: 'b.example' }]) }, ...times });

const AGREEMENT = { name: 'op-b', domains: ['b.example'], mechanism: 'tls', anchors: ['ca.pem'], revocation: 'off' };
const GOOD = {
  own_domains: ['a.example'],
  agreements: [AGREEMENT],
  daemon: {
    listen: { netstring: 'off', http: 'off', unix: 'ctl.sock', fifo: 'fifo' },
    log: { decisions: 'decisions.log', level: 'info' },
  },
};

function writePolicy(policy: unknown, name = 'siptrust.yaml', mode = 0o600): string {
  writeFileSync(file(name), typeof policy === 'string' ? policy : stringify(policy));
  chmodSync(file(name), mode);
  return file(name);
}

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

async function run(program: string, ...args: string[]): Promise<Ended> {
  const child = new Child('node', [program, ...args]);
  const code = await child.exit();
  return { code, output: child.output };
}

const siptrustd = (...args: string[]) => run(SIPTRUSTD, ...args);
const ctl = (...args: string[]) => run(SIPTRUSTCTL, '--socket', file('ctl.sock'), ...args);

/** siptrustctl with lines on standard input; the answers, one a line. */
async function ctlLines(records: readonly unknown[], ...args: string[]): Promise<Record<string, unknown>[]> {
  writeFileSync(file('in.jsonl'), records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  const line = `node ${SIPTRUSTCTL} --socket ${file('ctl.sock')} ${args.join(' ')}`;
  const child = new Child('sh', ['-c', `${line} < ${file('in.jsonl')}`]);
  expect(await child.exit()).toBe(0);
  return child.output
    .split('\n')
    .filter((text) => text.startsWith('{'))
    .map((text) => JSON.parse(text));
}

const evidence = question(peerB.pem, { conid: '7', rcv_port: '5061' }, { verified: '1' });

beforeAll(() => writeFileSync(file('ca.pem'), rootB.pem));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('a start that fails says what to do next', () => {
  const listen = { netstring: 'off', http: 'off', unix: 'other.sock', fifo: 'off' };
  const policy = (daemon: object) => ({ own_domains: ['a.example'], daemon: { listen, ...daemon } });

  test('fail/no policy file', async () => {
    const { code, output } = await siptrustd('--config', file('none.yaml'));
    expect([code, output]).toEqual([
      1,
      expect.stringMatching(/no such file\nsiptrustd: not started; next: --config FILE/),
    ]);
  });
  test('fail/a policy that is no YAML', async () => {
    const { code, output } = await siptrustd('--config', writePolicy('own_domains: [a.example', 'bad.yaml'));
    const next = `not started; next: mend the policy, until "siptrustd --check --config ${file('bad.yaml')}" is content`;
    expect([code, output]).toEqual([1, expect.stringMatching(/bad\.yaml:\d+:\d+: error: expected "]"/)]);
    expect(output).toContain(next);
  });
  test('fail/an address that is taken', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const taken = policy({ listen: { ...listen, netstring: `127.0.0.1:${port}` } });
    const { code, output } = await siptrustd('--config', writePolicy(taken, 'taken.yaml'));
    server.close();
    expect(code).toBe(1);
    expect(output).toContain(
      `EADDRINUSE: address already in use 127.0.0.1:${port}; next: something listens there already`,
    );
  });
  test('fail/a state file that is none: in the log, and to whoever started it', async () => {
    writeFileSync(file('state.txt'), 'x'.repeat(5000), { mode: 0o600 });
    const logged = policy({ log: { file: 'operator.log' }, state: { file: 'state.txt' } });
    const { code, output } = await siptrustd('--config', writePolicy(logged, 'state.yaml'));
    const why = `${file('state.txt')}: expected a SQLite database, found something else`;
    expect([code, output]).toEqual([1, expect.stringContaining(`siptrustd: not started: ${why}`)]);
    expect(readFileSync(file('operator.log'), 'utf8')).toContain(` error ${why}`);
  });
  test('fail/a log in a directory that is not there', async () => {
    const logged = policy({ log: { decisions: 'none/decisions.log' } });
    const { code, output } = await siptrustd('--config', writePolicy(logged, 'logged.yaml'));
    expect([code, output]).toEqual([
      1,
      expect.stringContaining('; next: a directory on the way is not there: make it'),
    ]);
  });
});

describe('siptrustd, its flags', () => {
  test('ok/--version', async () => expect(await siptrustd('--version')).toMatchObject({ code: 0 }));
  test('ok/--help', async () => expect((await siptrustd('--help')).output).toContain('--config FILE'));
  test('fail/an unknown flag is exit code 2', async () => expect((await siptrustd('--nonsense')).code).toBe(2));
  test('ok/--check of a good policy', async () => {
    const { code, output } = await siptrustd('--check', '--config', writePolicy(GOOD));
    expect([code, output]).toEqual([0, expect.stringContaining('ok, 1 agreement, 0 interfaces')]);
  });
  test('fail/--check names file, line and column', async () => {
    const path = writePolicy('own_domains: [a.example]\nagreements:\n  - name: x\n    mechanism: tsl\n', 'bad.yaml');
    const { code, output } = await siptrustd('--check', '--config', path);
    expect(code).toBe(1);
    expect(output).toMatch(/bad\.yaml:4:\d+: error: agreements\[0\]\.mechanism/);
  });
  test('fail/a policy that everybody may write is refused', async () => {
    const { code, output } = await siptrustd('--config', writePolicy(GOOD, 'open.yaml', 0o666));
    expect([code, output]).toEqual([1, expect.stringContaining('open.yaml')]);
  });
  test('fail/no policy at all', async () => {
    expect((await siptrustd('--config', file('none.yaml'))).code).toBe(1);
  });
  test('fail/a listener beyond loopback needs a setting of its own', async () => {
    const remote = { ...GOOD, daemon: { listen: { netstring: '0.0.0.0:0', unix: 'off', http: 'off' } } };
    expect((await siptrustd('--config', writePolicy(remote, 'remote.yaml'))).code).toBe(1);
  });
});

describe('siptrustd at work', () => {
  let daemon: Child;
  beforeAll(async () => {
    daemon = new Child('node', [SIPTRUSTD, '--config', writePolicy(GOOD)]);
    await eventually('siptrustd is ready', () => daemon.output.includes('siptrustd is ready'));
  });
  afterAll(() => daemon.stop());

  const revision = async (): Promise<number> => JSON.parse((await ctl('--json', 'status')).output).revision;

  test('ok/siptrustctl shows tables for people, and JSON on demand', async () => {
    const table = await ctl('agreement', 'list');
    expect(table).toEqual({ code: 0, output: expect.stringMatching(/^NAME +DOMAINS[\s\S]*op-b +b\.example/) });
    expect(JSON.parse((await ctl('--json', 'agreement', 'show', 'op-b')).output)).toMatchObject({ state: 'in-force' });
  });
  test('fail/an error of the daemon is exit code 1, no daemon is 2', async () => {
    const unknown = await ctl('agreement', 'show', 'nobody');
    expect(unknown).toEqual({ code: 1, output: expect.stringContaining('no agreement is named "nobody"') });
    expect((await run(SIPTRUSTCTL, '--socket', file('none.sock'), 'status')).code).toBe(2);
    expect((await ctl('nonsense')).code).toBe(2);
  });
  test('ok/a peer is judged, logged by its id, and explained by it', async () => {
    const [answer] = await ctlLines([evidence], 'peer');
    expect(answer).toMatchObject({ verdict: 'trusted', trusted: 1, agreement: 'op-b', asserts: ['b.example'] });
    const explained = await ctl('explain', String(answer?.id));
    expect(explained).toEqual({ code: 0, output: expect.stringContaining('[RFC 5922') });
    await eventually('the decision is logged', () => existsSync(file('decisions.log')));
    const lines = readFileSync(file('decisions.log'), 'utf8').trim().split('\n');
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({
      id: answer?.id,
      certificate: peerB.facts.sha256,
      conid: '7',
      agreement: 'op-b',
    });
  });
  test('ok/what ends soon is told before calls fail: files, and certificates that partners showed', async () => {
    expect(daemon.output).toMatch(/warn.*ends soon.*"what":"anchor"/);
    expect(daemon.output).not.toContain('peer-certificate');
    // The next look is at a reload.
    expect((await ctl('agreement', 'reload')).code).toBe(0);
    expect(daemon.output).toMatch(/warn.*ends soon.*"what":"peer-certificate"/);
    expect(daemon.output.match(/ends soon.*"what":"anchor"/g)).toHaveLength(1);
    const rows = JSON.parse((await ctl('--json', 'cert', 'expiry', '--within', '2')).output);
    expect(rows).toEqual(
      ['anchor', 'peer-certificate'].map((what) =>
        expect.objectContaining({ what, agreement: 'op-b', state: 'ending', days: 0 }),
      ),
    );
    expect(await ctl('cert', 'expiry', '--within', '0')).toEqual({ code: 0, output: '(none)\n' });
    expect((await ctl('cert', 'expiry', '--within', 'soon')).code).toBe(2);
    expect(JSON.parse((await ctl('--json', 'status')).output).expiry).toEqual({ ended: 0, ending: 2 });
    // Without a daemon, what the files say.
    const offline = await ctl('--json', 'cert', 'expiry', '--config', file('siptrust.yaml'));
    expect(JSON.parse(offline.output)).toMatchObject([{ what: 'anchor', agreement: 'op-b' }]);
  }, 180_000);
  test('ok/what the daemon answers, the offline mode answers', async () => {
    const asked = { ...evidence, conid: '8' };
    const [online] = await ctlLines([asked], 'peer');
    const [offline] = await ctlLines([asked], 'peer', '--config', file('siptrust.yaml'));
    expect({ ...offline, id: '', revision: 0 }).toEqual({ ...online, id: '', revision: 0 });
  });
  test('ok/a message on a connection that was judged before', async () => {
    const headers_b64 = Buffer.from('P-Asserted-Identity: <sip:x@other.example>\r\n').toString('base64');
    const [plan] = await ctlLines([{ direction: 'in', message: 'request', conid: '7', headers_b64 }], 'message');
    expect(plan).toMatchObject({ trusted: 1, remove: ['P-Asserted-Identity'], append: [], reason: 'assert-foreign' });
  });
  test('fail/a bad file on SIGHUP leaves the last good policy, and status says why', async () => {
    const before = await revision();
    writePolicy('agreements: [', 'siptrust.yaml');
    daemon.signal('SIGHUP');
    await eventually('the reload failed', () => daemon.output.includes('the last good one stays in force'));
    const { code, output } = await ctl('--json', 'status');
    const status = JSON.parse(output);
    expect({ code, ...status }).toMatchObject({ code: 1, status: 'stale-policy', revision: before });
    expect(status.problems[0]).toContain('siptrust.yaml:1:');
    expect(await ctl('agreement', 'reload')).toMatchObject({
      code: 1,
      output: expect.stringContaining(`\nthe last good policy stays in force, revision ${before}`),
    });
    expect((await ctlLines([evidence], 'peer'))[0]).toMatchObject({ trusted: 1 });
  });
  test('ok/T-45 a withdrawn agreement takes effect on connections that are up', async () => {
    const before = await revision();
    writePolicy({ ...GOOD, agreements: [{ ...AGREEMENT, enabled: false }] });
    expect((await ctl('agreement', 'reload')).code).toBe(0);
    expect(await revision()).toBeGreaterThan(before);
    const headers = 'P-Asserted-Identity: <sip:x@b.example>\r\n';
    const [plan] = await ctlLines([{ direction: 'in', message: 'request', conid: '7', headers }], 'message');
    expect(plan).toMatchObject({ trusted: 0, remove: ['P-Asserted-Identity'], reasons: ['agreement-disabled'] });
  });
  test('ok/SIGTERM ends it with exit code 0, and its socket is gone', async () => {
    daemon.signal('SIGTERM');
    expect(await daemon.exit()).toBe(0);
    expect(existsSync(file('ctl.sock'))).toBe(false);
  });
});

describe('siptrustctl without a daemon', () => {
  test('ok/identity', async () => {
    const answers = await ctlLines([{ pem: peerB.pem }, { pem: 'junk' }, 7], 'identity');
    expect(answers[0]).toMatchObject({ kind: 'dns', names: ['b.example'] });
    expect(answers.slice(1)).toEqual([
      expect.objectContaining({ kind: 'none', names: [] }),
      expect.objectContaining({ kind: 'none', names: [] }),
    ]);
  });
  test('ok/verify', async () => {
    const record = {
      leaf: peerB.pem,
      intermediates: [],
      anchors: [rootB.pem],
      crls: [],
      at: new Date(now).toISOString(),
    };
    const answers = await ctlLines([{ ...record, purpose: 'client', names: [] }, {}], 'verify');
    expect(answers).toEqual([
      expect.objectContaining({ ok: true }),
      expect.objectContaining({ ok: false, reason: 'bad-input' }),
    ]);
  });
  test('ok/peer at a time of its own', async () => {
    writePolicy(GOOD);
    const later = new Date(now + 30 * 86_400_000).toISOString();
    const answers = await ctlLines([{ ...evidence, at: later }, evidence], 'peer', '--config', file('siptrust.yaml'));
    expect(answers.map(({ reason }) => reason)).toEqual(['cert-time', 'agreement-covers']);
  });
  test('fail/a line that cannot be judged is untrusted, and a message that cannot be read is refused', async () => {
    const config = ['--config', file('siptrust.yaml')];
    expect(await ctlLines([{ direction: 'up' }], 'peer', ...config)).toEqual([
      expect.objectContaining({ verdict: 'untrusted', trusted: 0, reason: 'bad-input' }),
    ]);
    expect(await ctlLines([{ direction: 'up' }], 'message', ...config)).toEqual([
      expect.objectContaining({ action: 'reject', code: 400, trusted: 0, reason: 'bad-input' }),
    ]);
  });
  test('ok/cert show', async () => {
    writeFileSync(file('peer.pem'), peerB.pem);
    expect((await run(SIPTRUSTCTL, 'cert', 'show', file('peer.pem'))).output).toContain('dns:b.example');
  });
});
