/** test/lab/enter.sh: says what a machine lacks, and leaves nothing behind. */

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Child } from '../support/live/child.js';
import { eventually } from '../support/live/places.js';

const ENTER = fileURLToPath(new URL('./enter.sh', import.meta.url));

/** A machine with other files or limits than this one has. */
const other = (change: string): readonly string[] => [
  ...['unshare', '--mount', '--user', '--map-root-user', 'sh', '-c'],
  `${change} && exec ${ENTER} --check`,
];

/** Machines that lack something, by a command that runs enter.sh on one. */
const LACKING: readonly (readonly [name: string, command: readonly string[], says: RegExp])[] = [
  ['fail/no root', ['setpriv', '--reuid=65534', '--clear-groups', ENTER, '--check'], /needs root/],
  ['fail/no TUN device', other('mount -t tmpfs none /dev/net'), /\/dev\/net\/tun is not there/],
  ['fail/no strongSwan', other('mount -t tmpfs none /usr/lib/ipsec'), /charon is not installed/],
  ['fail/no namespaces', other('echo 0 >/proc/sys/user/max_net_namespaces'), /network namespaces/],
];

describe('what the machine must have', () => {
  it('ok/this one', () => {
    expect(spawnSync(ENTER, ['--check'], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
  });

  it.each(LACKING)('%s', (_name, [command = '', ...args], says) => {
    const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
    expect(stderr).toMatch(says);
    expect(status).toBe(3);
  });
});

describe('what is left of a run', () => {
  it.each([
    ['SIGINT', 'the group, as by Ctrl-C'],
    ['SIGTERM', 'it alone'],
    ['SIGKILL', 'it alone'],
  ] as const)('ok/nothing after %s to %s', async (signal, whom) => {
    const mark = `/mnt/mark-${signal}`;
    const script = `ip netns add left-over && touch ${mark} && echo ready && exec ${SLEEP.join(' ')}`;
    const run = new Child('setsid', [ENTER, 'bash', '-c', script]);
    await eventually('it is up', () => run.output.includes('ready'));
    await eventually('its process is there', () => sleeping().length === 1);
    process.kill(whom === 'it alone' ? run.pid : -run.pid, signal);
    await run.exit();
    await eventually('all processes are gone', () => sleeping().length === 0);
    expect(existsSync(mark)).toBe(false);
    expect(spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' }).stdout).not.toContain('left-over');
  });
});

/** A process that no other test starts. */
const SLEEP = ['sleep', '86399'];

function sleeping(): readonly string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'latin1') === `${SLEEP.join('\0')}\0`;
    } catch {
      // It is no process, or has ended.
      return false;
    }
  });
}
