/** siptrustd and its signals: during the start, with a full disk, and for log rotation. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { callUnix } from '../../src/rpc/wire/client.js';
import { SIPTRUSTD } from '../support/compiled.js';
import { Child } from '../support/live/child.js';
import { eventually } from '../support/live/places.js';

const SIGHUP = 1;

let directory: string;
let daemon: Child | undefined;
const at = (name: string): string => join(directory, name);
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'siptrust-signals-'));
});
afterEach(async () => {
  await daemon?.stop();
  rmSync(directory, { recursive: true });
});

function started(log: object, options: readonly string[] = []): Child {
  const listen = { netstring: 'off', http: 'off', unix: at('ctl.sock') };
  writeFileSync(at('siptrust.yaml'), stringify({ own_domains: ['own.example'], daemon: { listen, log } }));
  daemon = new Child('node', [...options, SIPTRUSTD, '--config', at('siptrust.yaml')]);
  return daemon;
}

const ready = (child: Child, text = () => child.output): Promise<unknown> =>
  eventually('siptrustd is ready', () => text().includes('siptrustd is ready'), 60_000);

/** Whether the process has taken a signal from the system (proc(5), SigCgt). */
function catches(pid: number, signal: number): boolean {
  if (!existsSync(`/proc/${pid}/status`)) return false;
  const mask = /^SigCgt:\t([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return (BigInt(`0x${mask}`) & (1n << BigInt(signal - 1))) !== 0n;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** `connected`, or the code of the error. */
function connected(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve('connected');
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? String(error)));
  });
}

describe('siptrustd', () => {
  test('ok/whoever reads its standard error goes away (`siptrustd 2>&1 | head -1`): it goes on', async () => {
    const listen = { netstring: 'off', http: 'off', unix: at('ctl.sock') };
    writeFileSync(at('siptrust.yaml'), stringify({ own_domains: ['own.example'], daemon: { listen } }));
    const child = spawn('node', [SIPTRUSTD, '--config', at('siptrust.yaml')], { stdio: ['ignore', 'ignore', 'pipe'] });
    const ended = once(child, 'exit');
    try {
      let output = '';
      child.stderr.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
      await eventually('siptrustd is ready', () => output.includes('siptrustd is ready'), 60_000);
      child.stderr.destroy();
      // Each of these is a line of the log.
      for (const level of ['debug', 'info', 'debug']) {
        expect(await callUnix(at('ctl.sock'), 'log.level', { level })).toEqual({ level });
      }
      expect(child.exitCode).toBeNull();
    } finally {
      child.kill('SIGTERM');
      expect(await ended).toEqual([0, null]);
    }
  });
  test('ok/a SIGHUP during the start is done after it', async () => {
    const child = started({});
    await eventually('it listens to SIGHUP', () => catches(child.pid, SIGHUP), 60_000);
    expect(child.output).not.toContain('siptrustd is ready');
    child.signal('SIGHUP');
    await ready(child);
    await eventually('the policy is loaded', () => child.output.includes('policy loaded'), 10_000);
    // It is started here as `node main.js`.
    expect(child.output).toContain(
      'Node was started without --max-semi-space-size=2 --no-parallel-scavenge --v8-pool-size=1',
    );
    child.signal('SIGTERM');
    expect(await child.exit()).toBe(0);
  }, 90_000);

  test('ok/a SIGHUP while its modules are still read', async () => {
    writeFileSync(
      at('hooks.mjs'),
      `import { existsSync, writeFileSync } from 'node:fs';
       export async function resolve(specifier, context, next) {
         if (/\\/daemon[-.]/.test(specifier)) {
           writeFileSync(${JSON.stringify(at('reading'))}, '');
           while (!existsSync(${JSON.stringify(at('go'))})) await new Promise((done) => setTimeout(done, 20));
         }
         return next(specifier, context);
       }`,
    );
    const hooks = JSON.stringify(pathToFileURL(at('hooks.mjs')).href);
    writeFileSync(at('register.mjs'), `import { register } from 'node:module';\nregister(${hooks});\n`);
    const child = started({}, ['--import', pathToFileURL(at('register.mjs')).href]);
    await eventually('modules are read', () => existsSync(at('reading')), 60_000);
    child.signal('SIGHUP');
    writeFileSync(at('go'), '');
    await ready(child);
    await eventually('the policy is loaded', () => child.output.includes('policy loaded'), 10_000);
  }, 90_000);

  test('ok/a start on a large policy refuses connections until it can answer, and answers by all of it', async () => {
    const port = await freePort();
    const each = (number: number) => ({
      ...{ name: `op-${number}`, domains: [`d${number}.example`], mechanism: 'nds-ip', interface: 'za' },
      sources: [`10.${number >> 8}.${number & 255}.0/24`],
    });
    const policy = {
      own_domains: ['own.example'],
      daemon: { listen: { netstring: `127.0.0.1:${port}`, http: 'off', unix: at('ctl.sock') } },
      interfaces: [{ name: 'za', listen: '192.0.2.1:5060', mechanism: 'nds-ip', implicit_trust: true }],
      agreements: Array.from({ length: 1000 }, (_, number) => each(number)),
    };
    writeFileSync(at('siptrust.yaml'), stringify(policy), { mode: 0o600 });
    const child = new Child('node', [SIPTRUSTD, '--config', at('siptrust.yaml')]);
    daemon = child;
    const refused: string[] = [];
    await eventually(
      'siptrustd answers',
      async () => {
        const outcome = await connected(port);
        if (outcome !== 'connected') refused.push(outcome);
        return outcome === 'connected' || child.ended;
      },
      60_000,
    );
    // Whoever asks is not left waiting for an answer that comes too late: he knows at once that there is none.
    expect(new Set(refused)).toEqual(new Set(['ECONNREFUSED']));
    await ready(child);
    const path = { proto: 'udp', src_ip: '10.3.231.7', rcv_ip: '192.0.2.1', rcv_port: 5060 };
    const verdict = await callUnix(at('ctl.sock'), 'trust.peer', { direction: 'in', ...path });
    expect(verdict).toMatchObject({ trusted: 1, agreement: 'op-999' });
  }, 90_000);

  test('fail/a full disk: decisions that are lost are counted and told, and SIGTERM ends it with exit code 0', async () => {
    const child = started({ decisions: '/dev/full' });
    await ready(child);
    await callUnix(at('ctl.sock'), 'trust.peer', { direction: 'in', proto: 'udp', src_ip: '192.0.2.1' });
    await eventually('the loss is told', () => child.output.includes('decisions were lost'), 10_000);
    expect(await callUnix(at('ctl.sock'), 'stats.fetch', {})).toMatchObject({ 'decisions.lost': 1 });
    child.signal('SIGTERM');
    expect(await child.exit()).toBe(0);
  }, 90_000);

  test('ok/SIGUSR1 opens the log files again, and no debugger', async () => {
    const child = started({ decisions: at('decisions'), file: at('log') });
    const log = (name = 'log'): string => (existsSync(at(name)) ? readFileSync(at(name), 'utf8') : '');
    await ready(child, log);
    for (const name of ['log', 'decisions']) renameSync(at(name), at(`${name}.1`));
    child.signal('SIGUSR1');
    await eventually('the files are new', () => log().includes('log files reopened'), 10_000);
    await callUnix(at('ctl.sock'), 'trust.peer', { direction: 'in', proto: 'udp', src_ip: '192.0.2.1' });
    child.signal('SIGTERM');
    expect(await child.exit()).toBe(0);
    expect(log('decisions')).toContain('"src":"192.0.2.1:"');
    expect(log('decisions.1')).toBe('');
    expect(child.output).not.toContain('Debugger');
  }, 90_000);

  test('fail/SIGUSR1 where the directory of a log is gone says so, and not that the file is open', async () => {
    mkdirSync(at('logs'));
    const child = started({ decisions: at('logs/decisions') });
    await ready(child);
    renameSync(at('logs'), at('logs.old'));
    child.signal('SIGUSR1');
    await eventually('it is told', () => child.output.includes('a log file cannot be opened'), 10_000);
    expect(child.output).toMatch(/error a log file cannot be opened.*ENOENT.*logs\/decisions/);
    expect(child.output).not.toContain('log files reopened');
    mkdirSync(at('logs'));
    child.signal('SIGUSR1');
    await eventually('it is open', () => child.output.includes('log files reopened'), 10_000);
    expect(existsSync(at('logs/decisions'))).toBe(true);
  }, 90_000);

  test('ok/SIGUSR2, which other daemons take for their logs, ends nothing, and the log says what does', async () => {
    const child = started({});
    await eventually('signals are listened to', () => catches(child.pid, SIGHUP), 60_000);
    child.signal('SIGUSR2');
    await ready(child);
    await eventually('it is told', () => child.output.includes('SIGUSR2'), 10_000);
    expect(child.output).toContain('warn SIGUSR2 means nothing here: SIGUSR1 opens the log files again');
    child.signal('SIGTERM');
    expect(await child.exit()).toBe(0);
  }, 90_000);

  test('fail/file descriptors that run short are told, and so is that there is room again', async () => {
    const port = await freePort();
    const listen = { netstring: `127.0.0.1:${port}`, http: 'off', unix: 'off' };
    writeFileSync(at('siptrust.yaml'), stringify({ own_domains: ['own.example'], daemon: { listen } }));
    daemon = new Child('sh', ['-c', `ulimit -n 256; exec node ${SIPTRUSTD} --config ${at('siptrust.yaml')}`]);
    const child = daemon;
    await ready(child);
    const sockets = Array.from({ length: 300 }, () => connect({ host: '127.0.0.1', port }).on('error', () => {}));
    try {
      await eventually('it is told', () => /error file descriptors run short.*"most":256/.test(child.output), 60_000);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
    await eventually('it is over', () => child.output.includes('there is room for file descriptors again'), 60_000);
    expect(await connected(port)).toBe('connected');
  }, 200_000);

  test('fail/a decision log that cannot be opened ends the start with its name', async () => {
    const child = started({ decisions: at('missing/decisions') });
    expect(await child.exit()).toBe(1);
    expect(child.output).toContain(at('missing/decisions'));
  }, 90_000);
});
