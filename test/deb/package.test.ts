/** The package on a fresh Debian 13: installed, at work, upgraded, purged. The cases build on each other. */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freshCallId, request } from '../support/live/caller.js';
import { Child } from '../support/live/child.js';
import { Network } from '../support/live/network.js';
import { eventually } from '../support/live/places.js';
import { expectNothingPrivate } from '../support/live/relayed.js';
import { rowsOf, statusOf } from '../support/live/sip-text.js';
import { has, inside, install, kamailioWithPackage, must, paths, ROOT, run, text, there, write } from './machine.js';

const PAI = 'P-Asserted-Identity: "Alice" <sip:alice@a.example>';
const POLICY = '/etc/siptrust/siptrust.yaml';
const FIFO = '/run/siptrust/rpc.fifo';
const EPOCH = '1767225600';
/** For machines that do other things too. */
const PATIENCE_MS = 120_000;

function build(version: string): { readonly deb: string; readonly bytes: Buffer } {
  const output = mkdtempSync(join(tmpdir(), 'siptrust-packages-'));
  const env = { ...process.env, DEB_VERSION: version, SOURCE_DATE_EPOCH: EPOCH };
  const args = ['--import', 'tsx', join(ROOT, 'packaging/deb.ts'), output];
  execFileSync('node', args, { cwd: ROOT, env, stdio: ['ignore', 'ignore', 'inherit'] });
  const deb = join(output, readdirSync(output)[0] ?? '');
  return { deb, bytes: readFileSync(deb) };
}

/** siptrustd as its unit runs it: the command, the user. */
async function startDaemon(): Promise<void> {
  const [command, args] = there(
    'setpriv',
    '--reuid=siptrust',
    '--regid=siptrust',
    '--clear-groups',
    '/usr/bin/siptrustd',
  );
  const started = new Child(command, args);
  daemon = started;
  const ready = () => {
    if (started.ended) throw new Error(started.output);
    return started.output.includes('siptrustd is ready');
  };
  await eventually('siptrustd is ready', ready, PATIENCE_MS);
}

let before: ReadonlySet<string>;
let daemon: Child | undefined;
let first: ReturnType<typeof build>;
let second: ReturnType<typeof build>;

beforeAll(() => {
  first = build('0.9.0');
  second = build('0.9.1');
  before = paths();
});
afterAll(() => daemon?.stop());

describe('the file', () => {
  test('ok/the same tree gives the same bytes', () => {
    expect(build('0.9.0').bytes.equals(first.bytes)).toBe(true);
  });
  test('ok/lintian finds no error', () => {
    const { status, stdout } = spawnSync('lintian', ['--fail-on', 'error', first.deb], { encoding: 'utf8' });
    expect([status, stdout]).toEqual([0, expect.not.stringMatching(/^E: /m)]);
  });
});

describe('installed', () => {
  test('ok/dpkg takes it, with what it depends on from Debian alone', () => {
    install(first.deb);
    expect(must('dpkg', '-s', 'siptrust')).toMatch(/^Status: install ok installed$[\s\S]*^Version: 0\.9\.0$/m);
    expect(must('dpkg', '--audit')).toBe('');
    expect(must('dpkg', '--verify', 'siptrust')).toBe('');
  });
  test('ok/a user of its own, and a policy that only it can read', () => {
    expect(must('id', '-un', 'siptrust').trim()).toBe('siptrust');
    expect(must('stat', '-c', '%U:%G %a', '/etc/siptrust').trim()).toBe('root:siptrust 750');
    expect(must('stat', '-c', '%U:%G %a', '/var/lib/siptrust').trim()).toBe('siptrust:siptrust 700');
  });
  test('ok/the policy that comes with it is good', () => {
    expect(must('siptrustd', '--check')).toContain(`${POLICY}: ok, 0 agreements`);
  });
  test('ok/siptrustd runs as that user, with its state, and siptrustctl asks it', async () => {
    await startDaemon();
    expect(must('siptrustctl', 'status')).toMatch(/^status: +ok$/m);
    expect(has('/var/lib/siptrust/state.db')).toBe(true);
    const question = { direction: 'in', proto: 'udp', src_ip: '192.0.2.1', rcv_ip: '192.0.2.2', rcv_port: 5060 };
    write('/tmp/question', `${JSON.stringify(question)}\n`);
    expect(must('sh', '-c', 'siptrustctl peer </tmp/question')).toContain('"reason":"no-tls"');
    await eventually(
      'the decision log',
      () => text('/var/log/siptrust/decisions.log').includes('"no-tls"'),
      PATIENCE_MS,
    );
  });
  test('ok/a replay of what it was asked changes nothing', () => {
    expect(must('siptrustctl', 'replay', '--config', POLICY)).toMatch(
      /^1 question asked again, .*; 0 answered otherwise/,
    );
  });
  test('ok/kamctl, as Debian has it', () => {
    const kamctl = (...args: readonly string[]) => must('env', `RPCFIFOPATH=${FIFO}`, 'kamctl', 'rpc', ...args);
    expect(kamctl('core.version')).toMatch(/"name":\s*"siptrust"/);
    expect(kamctl('agreement.list')).toMatch(/"result":\s*\[/);
    expect(kamctl('log.level', 'debug')).toMatch(/"level":\s*"debug"/);
    expect(kamctl('agreement.show', 'nobody')).toContain('no agreement is named');
  });
  test('ok/logrotate moves the file and tells the daemon, which opens a new one', async () => {
    // What systemd does: there is none here.
    write('/usr/local/bin/systemctl', `#!/bin/sh\necho "$(id -un) $*" >/tmp/systemctl\nkill -USR1 ${daemon?.pid}\n`);
    must('chmod', '755', '/usr/local/bin/systemctl');
    must('mkdir', '-p', '/run/systemd/system');
    const lines = (file: string) => text(`/var/log/siptrust/${file}`).split('\n').length - 1;
    const before = lines('decisions.log');
    try {
      must('logrotate', '-f', '/etc/logrotate.d/siptrust');
    } finally {
      must('rm', '-r', '/usr/local/bin/systemctl', '/run/systemd');
    }
    expect(text('/tmp/systemctl')).toBe('root kill --kill-who=main --signal=USR1 siptrustd.service\n');
    await eventually('new files', () => daemon?.output.includes('log files reopened'), PATIENCE_MS);
    must('sh', '-c', 'siptrustctl peer </tmp/question');
    const next = () => has('/var/log/siptrust/decisions.log') && lines('decisions.log') > 0;
    await eventually('the next line', next, PATIENCE_MS);
    expect([lines('decisions.log.1'), lines('decisions.log')]).toEqual([before, 1]);
    expect(must('stat', '-c', '%U:%G %a', '/var/log/siptrust/decisions.log').trim()).toBe('siptrust:siptrust 640');
  });
  test('ok/every link of the documentation leads somewhere', () => {
    const doc = '/usr/share/doc/siptrust';
    const pages = must('find', doc, '-name', '*.md').trim().split('\n');
    const dead = pages.flatMap((page) => {
      const links = [...text(page).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map(([, link = '']) => link);
      return links.filter((link) => !has(resolve(dirname(page), link))).map((link) => `${page}: ${link}`);
    });
    expect(dead).toEqual([]);
    expect(pages).toContain(`${doc}/SECURITY.md`);
  });
  test('ok/completion knows the commands', () => {
    const complete = (...words: readonly string[]) => {
      const quoted = words.map((word) => `'${word}'`).join(' ');
      const set = `COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _siptrustctl; echo "\${COMPREPLY[@]}"`;
      return must('bash', '-c', `. /usr/share/bash-completion/completions/siptrustctl; ${set}`).trim().split(' ');
    };
    expect(complete('siptrustctl', 'agree')).toEqual(['agreement']);
    expect(complete('siptrustctl', '--socket', '/x', 'agreement', '')).toContain('reload');
    expect(complete('siptrustctl', 'replay', '--ag')).toEqual(['--against']);
  });
  test('ok/man pages with every command and flag', () => {
    const page = (path: string) =>
      execFileSync('man', ['-l', inside(path)], { encoding: 'utf8', env: { ...process.env, MANWIDTH: '200' } });
    const ctl = page('/usr/share/man/man1/siptrustctl.1.gz');
    for (const words of ['agreement reload', 'replay', 'policy diff', 'cert request', '--socket <path>']) {
      expect(ctl).toContain(words);
    }
    expect(page('/usr/share/man/man8/siptrustd.8.gz')).toContain('--config FILE');
  });
  test('ok/the include finds its groups where the package has them', () => {
    const plugin = text('/usr/share/siptrust/kamailio/siptrust.cfg');
    const [, groups = ''] = /^#!trydef SIPTRUST_GROUPS "(.+)"$/m.exec(plugin) ?? [];
    expect(must('head', '-c', '20', groups)).toMatch(/^# ims-boundary@/);
  });
  test('ok/the unit names programs and pages that are there', () => {
    const unit = text('/usr/lib/systemd/system/siptrustd.service');
    const [, program = ''] = /^ExecStart=(\S+)/m.exec(unit) ?? [];
    expect(must(program, '--version')).toMatch(/^siptrustd /);
    const [, reload = ''] = /^ExecReload=(\S+)/m.exec(unit) ?? [];
    expect(must('test', '-x', reload)).toBe('');
    expect(must('dpkg', '-s', 'siptrust')).toMatch(/^Depends: .*\bprocps\b/m);
    expect(unit).toMatch(/^PrivateTmp=no$/m);
  });
});

describe('a call, with the packaged daemon and plugin', () => {
  let network: Network;
  beforeAll(async () => {
    process.env.SIPTRUST_DAEMON = inside('/usr/lib/siptrust/dist/main.js');
    network = await Network.start({ build: kamailioWithPackage() });
  });
  afterAll(() => network?.stop());

  test('ok/a partner over TLS keeps its assertion, a stranger does not', async () => {
    const assertionArrives = async (identity: ReturnType<Network['certificateOfA']>): Promise<string> => {
      const caller = await network.overTls(identity);
      const callId = freshCallId();
      caller.send(request({ callId, headers: [PAI] }));
      expect(statusOf(await caller.final(callId))).toBe(200);
      return network.uas.received(callId, 'INVITE');
    };
    expect(rowsOf(await assertionArrives(network.certificateOfA()), 'P-Asserted-Identity')).toHaveLength(1);
    expectNothingPrivate(await assertionArrives(network.certificateOfA({ names: ['DNS:x.example'] })));
  });
  test('ok/kamcmd shows what the plugin counts and keeps', () => {
    expect(network.cscf.rpc('stats.get_statistics', 'siptrust_asked_peer')).toMatch(/siptrust_asked_peer = [1-9]/);
    expect(network.cscf.rpc('htable.dump', 'siptrust')).toContain('name: ');
  });
});

describe('upgraded', () => {
  test('ok/the policy and the state of the operator stay', async () => {
    await daemon?.stop();
    write(POLICY, text(POLICY).replace('own_domains: []', 'own_domains: [own.example]'));
    install(second.deb);
    expect(must('dpkg', '-s', 'siptrust')).toMatch(/^Status: install ok installed$[\s\S]*^Version: 0\.9\.1$/m);
    expect(text(POLICY)).toContain('own.example');
    expect(must('stat', '-c', '%U:%G %a', '/etc/siptrust').trim()).toBe('root:siptrust 750');
    await startDaemon();
    expect(
      must('siptrustctl', 'replay', '--config', POLICY, '--decisions', '/var/log/siptrust/decisions.log.1'),
    ).toMatch(/^1 question /);
    await daemon?.stop();
  });
  test('ok/installed once more, it is the same', () => {
    install(second.deb);
    expect(must('dpkg', '--audit')).toBe('');
  });
});

describe('removed', () => {
  test('ok/remove keeps policy and state', () => {
    must('dpkg', '-r', 'siptrust');
    expect([has('/usr/bin/siptrustd'), has(POLICY), has('/var/lib/siptrust/state.db')]).toEqual([false, true, true]);
  });
  test('ok/purge leaves nothing but the user', () => {
    must('dpkg', '-P', 'siptrust');
    const after = paths();
    expect([...after].filter((path) => !before.has(path))).toEqual([]);
    expect([...before].filter((path) => !after.has(path))).toEqual([]);
    expect(run('dpkg', '-s', 'siptrust').code).not.toBe(0);
  });
  test('ok/a certificate beside the policy outlives a purge', () => {
    install(second.deb);
    write('/etc/siptrust/op-b-ca.pem', 'x');
    must('dpkg', '-P', 'siptrust');
    expect(has('/etc/siptrust/op-b-ca.pem')).toBe(true);
  });
});
