import { execFile, execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createDispatcher } from '../../src/rpc/dispatch/dispatcher.js';
import { defineMethod } from '../../src/rpc/dispatch/method.js';
import { type FifoOptions, listenFifo } from '../../src/rpc/wire/fifo.js';
import { Child } from '../support/live/child.js';
import { eventually } from '../support/live/places.js';
import { pacedDispatch, requestText } from '../support/rpc-methods.js';
import { fifoAsk, fifoWrite, temporaryDirectory } from '../support/wires.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function open(options: Partial<FifoOptions> = {}) {
  const paced = pacedDispatch();
  const directory = temporaryDirectory();
  cleanups.push(directory.remove);
  const events: string[] = [];
  const path = `${directory.path}/siptrust.fifo`;
  const all = { dispatch: paced.dispatch, path, replyDir: directory.path, log: (event: string) => events.push(event) };
  const listener = await listenFifo({ ...all, ...options });
  cleanups.push(() => listener.close(0));
  const ask = (text: string) => fifoAsk(path, directory.path, (name) => text.replaceAll('REPLY', name));
  return { ...paced, listener, path, directory: directory.path, events, ask };
}

const PING = '{"jsonrpc": "2.0", "method": "ping", "reply_name": "REPLY", "id": 7}\n';
const PARSE_ERROR = { error: { code: -32700 }, id: null };

describe('requests', () => {
  test('ok/one member a line, as kamctl expects', async () => {
    const { ask } = await open();
    expect(await ask(PING)).toBe('{\n\t"jsonrpc": "2.0",\n\t"id": 7,\n\t"result": "pong"\n}\n');
  });

  test('ok/a FIFO that somebody removed is made again, and answers', async () => {
    const { ask, path, events } = await open();
    rmSync(path);
    await eventually('the FIFO is back', () => events.includes('fifo-back'), 10_000);
    expect(await ask(PING)).toContain('pong');
    expect(events).toEqual(['fifo-lost', 'fifo-back']);
  });

  test('ok/many at once', async () => {
    const { ask } = await open();
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(PING)));
    expect(answers.filter((answer) => answer.includes('pong'))).toHaveLength(20);
  });

  test('ok/a notification with a reply name: the reader is not left waiting', async () => {
    const { ask, calls } = await open();
    expect(await ask('{"jsonrpc": "2.0", "method": "ping", "reply_name": "REPLY"}\n')).toBe('');
    expect(calls()).toBe(1);
  });

  test('ok/a request without a reply name is done', async () => {
    const { path, called } = await open();
    fifoWrite(path, `${requestText('ping')}\n`);
    await called(1);
  });

  test.each<[string, string]>([
    [
      'a quote that nobody escaped',
      '{"jsonrpc": "2.0", "method": "ping", "params": ["a"b"], "reply_name": "REPLY", "id": 7}\n',
    ],
    [
      'a number with leading zeros',
      '{"jsonrpc": "2.0", "method": "ping", "params": [0049], "reply_name": "REPLY", "id": 7}\n',
    ],
    [
      'a number with a plus',
      '{"jsonrpc": "2.0", "method": "ping", "params": [+4930], "reply_name": "REPLY", "id": 7}\n',
    ],
    [
      'a line end in a string',
      '{"jsonrpc": "2.0", "method": "ping", "params": ["a\nb"], "reply_name": "REPLY", "id": 7}\n',
    ],
    ['a quote and a line end', '{"jsonrpc": "2.0", "params": ["a"\nb"], "reply_name": "REPLY", "id": 7}\n'],
    ['cut off, and no line end', '{"jsonrpc": "2.0", "reply_name": "REPLY", "params": ["50'],
  ])('fail/%s is answered, and the next request too', async (_, text) => {
    const { ask } = await open({ timeouts: { idleMs: 30 } });
    expect(JSON.parse(await ask(text))).toMatchObject(PARSE_ERROR);
    expect(await ask(PING)).toContain('pong');
  });

  test('fail/the id of a broken request does not hang the next one that comes at once', async () => {
    const { ask, path } = await open();
    fifoWrite(path, '{"jsonrpc": "2.0", "method": "ping", "params": ["50\n');
    expect(await ask(PING)).toContain('pong');
  });
});

describe('reply names', () => {
  const request = (name: string) => `${JSON.stringify({ jsonrpc: '2.0', method: 'ping', reply_name: name, id: 1 })}\n`;

  test.each(['../x', '/etc/passwd', 'a/b', '..', '.hidden', '-rf', '', 'a b', 'x'.repeat(65), 'a\u0000b', 'ä'])(
    'fail/%j is refused and nothing is done',
    async (name) => {
      const { ask, path, calls, events } = await open();
      fifoWrite(path, request(name));
      expect(await ask(PING)).toContain('pong');
      expect(events).toEqual(['reply-name-refused']);
      expect(calls()).toBe(1);
    },
  );

  test('ok/as kamcli names it: kamailio_rpc_reply.fifo', async () => {
    const { path, directory } = await open();
    const reply = `${directory}/kamailio_rpc_reply.fifo`;
    execFileSync('mkfifo', [reply]);
    const reader = new Child('cat', [reply]);
    fifoWrite(path, request('kamailio_rpc_reply.fifo'));
    await reader.exit();
    expect(reader.output).toContain('pong');
  });
  test('fail/a file or a link in the place of the reply FIFO is not written', async () => {
    const { directory, path, ask, events } = await open();
    writeFileSync(`${directory}/file`, 'precious');
    symlinkSync(`${directory}/file`, `${directory}/link`);
    mkdirSync(`${directory}/dir`);
    execFileSync('mkfifo', [`${directory}/fifo`]);
    symlinkSync(`${directory}/fifo`, `${directory}/fifo-link`);
    const fd = openSync(`${directory}/fifo`, constants.O_RDWR | constants.O_NONBLOCK);
    cleanups.push(() => closeSync(fd));
    for (const name of ['file', 'link', 'fifo-link', 'dir', 'missing']) fifoWrite(path, request(name));
    while (events.length < 5) expect(await ask(PING)).toContain('pong');
    expect(events).toEqual(Array.from({ length: 5 }, () => 'reply-failed'));
    expect(() => readSync(fd, Buffer.alloc(1))).toThrow('EAGAIN');
    expect(readFileSync(`${directory}/file`, 'utf8')).toBe('precious');
    expect(existsSync(`${directory}/missing`)).toBe(false);
  });

  test('fail/nobody opens the reply FIFO: the others are served meanwhile', async () => {
    const { directory, path, ask, events } = await open({ timeouts: { openMs: 200 } });
    execFileSync('mkfifo', [`${directory}/lonely`]);
    fifoWrite(path, request('lonely'));
    expect(await ask(PING)).toContain('pong');
    while (events.length === 0) await ask(PING);
    expect(events).toEqual(['reply-failed']);
  });

  test('ok/the reader comes a little later', async () => {
    const { directory, path, ask } = await open();
    execFileSync('mkfifo', [`${directory}/late`]);
    fifoWrite(path, request('late'));
    expect(await ask(PING)).toContain('pong');
    const { stdout } = await promisify(execFile)('cat', [`${directory}/late`]);
    expect(stdout).toContain('pong');
  });

  test('fail/a reader that does not read', async () => {
    const { directory, path, ask, events } = await open({ timeouts: { writeMs: 100 } });
    execFileSync('mkfifo', [`${directory}/stuck`]);
    const fd = openSync(`${directory}/stuck`, constants.O_RDWR);
    cleanups.push(() => closeSync(fd));
    // A pipe holds 64 KiB; the answer is longer.
    const big = { jsonrpc: '2.0', method: 'big', reply_name: 'stuck', id: 1 };
    fifoWrite(path, `${JSON.stringify(big)}\n`);
    while (events.length === 0) expect(await ask(PING)).toContain('pong');
    expect(events).toEqual(['reply-failed']);
  });

  test('ok/a reader that reads slowly gets all', async () => {
    const { directory, path } = await open();
    execFileSync('mkfifo', [`${directory}/slow`]);
    const fd = openSync(`${directory}/slow`, constants.O_RDONLY | constants.O_NONBLOCK);
    cleanups.push(() => closeSync(fd));
    const big = { jsonrpc: '2.0', method: 'big', reply_name: 'slow', id: 1 };
    fifoWrite(path, `${JSON.stringify(big)}\n`);
    const buffer = Buffer.alloc(1000);
    let text = '';
    while (!text.endsWith('}\n')) {
      try {
        text += buffer.subarray(0, readSync(fd, buffer)).toString();
      } catch {
        // Nothing there yet.
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(JSON.parse(text).result).toHaveLength(64 * 1024);
  });
});

describe('the file', () => {
  test.each<[number | undefined, number]>([
    [undefined, 0o600],
    [0o660, 0o660],
  ])('ok/mode %o; gone after closing', async (given, mode) => {
    const { path, listener } = await open(given === undefined ? {} : { mode: given });
    expect(statSync(path).mode & 0o777).toBe(mode);
    await listener.close();
    expect(existsSync(path)).toBe(false);
  });

  test('ok/the FIFO of a dead process is replaced', async () => {
    const { dispatch } = pacedDispatch();
    const directory = temporaryDirectory();
    cleanups.push(directory.remove);
    execFileSync('mkfifo', ['-m', '0666', `${directory.path}/siptrust.fifo`]);
    const listener = await listenFifo({ dispatch, path: `${directory.path}/siptrust.fifo`, replyDir: directory.path });
    cleanups.push(() => listener.close(0));
    expect(statSync(listener.address).mode & 0o777).toBe(0o600);
    expect(await fifoAsk(listener.address, directory.path, (name) => PING.replace('REPLY', name))).toContain('pong');
  });

  test('fail/a live process reads from it', async () => {
    const { path, ask } = await open();
    await expect(open({ path })).rejects.toThrow('found a process that reads');
    expect(await ask(PING)).toContain('pong');
  });

  test('fail/another file, or a link to a FIFO, stays', async () => {
    const { path, directory } = await open();
    writeFileSync(`${directory}/file`, 'precious');
    symlinkSync(path, `${directory}/link`);
    await expect(open({ path: `${directory}/file` })).rejects.toThrow('found another file');
    await expect(open({ path: `${directory}/link` })).rejects.toThrow('found another file');
    expect(readFileSync(`${directory}/file`, 'utf8')).toBe('precious');
  });

  test('fail/no such directory', async () => {
    await expect(open({ path: '/nowhere/siptrust.fifo' })).rejects.toThrow('mkfifo in /nowhere failed');
  });

  test('ok/close answers what is in flight', async () => {
    const { ask, listener, called, release } = await open();
    const answer = ask(PING.replace('ping', 'hold'));
    await called(1);
    const closed = listener.close();
    release();
    expect(await answer).toContain('released');
    await closed;
  });

  test('ok/close waits no longer than the grace', async () => {
    const { path, listener, called } = await open();
    fifoWrite(path, `${requestText('hold')}\n`);
    await called(1);
    await listener.close(30);
  });
});

/** The stock kamctl, which finds the FIFO by its own settings (kamctlrc in its home directory). */
describe.skipIf(!existsSync('/usr/sbin/kamctl'))('kamctl', () => {
  const agreements = [
    { name: 'op-b', domains: ['b.example'], mechanism: 'tls', enabled: true },
    { name: 'op-c', domains: [], mechanism: 'nds-ip', enabled: true },
  ];
  const dispatch = createDispatcher([
    defineMethod({
      name: 'core.uptime',
      role: 'script',
      doc: '',
      params: z.object({}),
      handler: () => ({ uptime: 42, now: 'today' }),
    }),
    defineMethod({ name: 'agreement.list', role: 'script', doc: '', params: z.object({}), handler: () => agreements }),
    defineMethod({
      name: 'agreement.show',
      role: 'script',
      doc: '',
      params: z.object({ name: z.union([z.string(), z.number()]) }),
      positional: ['name'],
      handler: ({ name }) => ({ shown: name }),
    }),
  ]);

  function kamctl(home: string, ...args: string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const child = spawn('/usr/sbin/kamctl', args, { env: { PATH: process.env.PATH, HOME: home } });
      const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
      let text = '';
      const gather = (chunk: Buffer): void => {
        text += chunk.toString();
      };
      child.stdout.on('data', gather);
      child.stderr.on('data', gather);
      child.on('error', reject);
      child.on('close', (status, signal) => {
        clearTimeout(timer);
        if (status === 0) resolve(text);
        else reject(new Error(`kamctl ended with ${status ?? signal}: ${text}`));
      });
    });
  }

  async function openForKamctl() {
    const { directory, path } = await open({ dispatch, replyDir: '/tmp' });
    writeFileSync(`${directory}/.kamctlrc`, `RPCFIFOPATH="${path}"\n`);
    return (...args: string[]) => kamctl(directory, ...args);
  }

  test('ok/kamctl rpc core.uptime', async () => {
    const run = await openForKamctl();
    expect(JSON.parse(await run('rpc', 'core.uptime'))).toMatchObject({ result: { uptime: 42, now: 'today' } });
    expect(await run('uptime')).toContain('"uptime": 42');
  });

  test('ok/kamctl rpc agreement.list', async () => {
    const run = await openForKamctl();
    expect(JSON.parse(await run('rpc', 'agreement.list'))).toMatchObject({ result: agreements });
  });

  test.each<[string, unknown]>([
    ['op-b', 'op-b'],
    ['s:0049', '0049'],
    ['4930', 4930],
  ])('ok/kamctl rpc agreement.show %s', async (arg, shown) => {
    const run = await openForKamctl();
    expect(JSON.parse(await run('rpc', 'agreement.show', arg))).toMatchObject({ result: { shown } });
  });

  test.each(['0049', '+4930', 'nan', 'a"b', 'a\\nb', 'a\\'])(
    'fail/kamctl rpc agreement.show %s: no hang',
    async (arg) => {
      const run = await openForKamctl();
      expect(JSON.parse(await run('rpc', 'agreement.show', arg))).toMatchObject(PARSE_ERROR);
      expect(await run('rpc', 'core.uptime')).toContain('42');
    },
  );

  test('fail/a method that does not exist', async () => {
    const run = await openForKamctl();
    expect(await run('rpc', 'core.nothing')).toContain('Method not found');
  });
});
