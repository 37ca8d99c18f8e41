/** siptrustctl at long work: on a terminal (script(1) makes one) and in a pipe, until it is done or stopped. */

import { execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { openSqliteStore } from '../../src/state/store/sqlite-store.js';
import { ext, leaf, root } from '../support/certificates.js';
import { SIPTRUSTCTL } from '../support/compiled.js';
import { eventually } from '../support/live/places.js';
import { temporaryDirectory } from '../support/wires.js';

const { path: directory, remove } = temporaryDirectory();
const file = (name: string) => join(directory, name);
afterAll(remove);

beforeAll(async () => {
  const listen = { netstring: 'off', http: 'off', unix: 'ctl.sock', fifo: 'off' };
  const policy = { own_domains: ['a.example'], daemon: { listen, state: { file: 'state.db' } } };
  writeFileSync(file('siptrust.yaml'), stringify(policy), { mode: 0o600 });
  const store = openSqliteStore(file('state.db'), () => {});
  await store.load();
  await store.close();
  execFileSync('mkfifo', [file('decisions')]);
});

/** A command under way, what it writes, and a way to type at its terminal, where it has one. */
function started(command: string, ...args: readonly string[]) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let [out, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, ended, output: () => out, errors: () => errors, type: (text: string) => child.stdin.write(text) };
}

const REPLAY = [SIPTRUSTCTL, 'replay', '--config', file('siptrust.yaml'), '--decisions', file('decisions')];

const LINE = '{"no":"decision"}\n';

/** Writes a line into the log that is replayed now and then, once somebody reads it; the end of that. */
async function feeding(): Promise<() => void> {
  const log = await eventually('somebody reads the log', () => {
    try {
      return openSync(file('decisions'), constants.O_WRONLY | constants.O_NONBLOCK);
    } catch {
      return false;
    }
  });
  const feed = setInterval(() => {
    try {
      writeSync(log, LINE);
    } catch {
      // Nobody reads it any more.
      clearInterval(feed);
    }
  }, 50);
  return () => {
    clearInterval(feed);
    closeSync(log);
  };
}

/** Whether a process has a file open (Linux). */
function holds(pid: number | undefined, path: string): boolean {
  return readdirSync(`/proc/${pid}/fd`).some((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`) === path;
    } catch {
      return false;
    }
  });
}

describe('replay', () => {
  test('ok/on a terminal: one line that is written anew; Ctrl-C ends it with 130 and says how far it came', async () => {
    const line = ['node', ...REPLAY].map((word) => `'${word}'`).join(' ');
    const { type, ended, output } = started('script', '-qec', line, '/dev/null');
    const fed = await feeding();
    await eventually('the line is written anew', () => output().split('\r\u001b[Kreplay: 0 questions').length > 2);
    type('\u0003');
    expect(await ended).toBe(130);
    fed();
    expect(output()).toMatch(
      /\r\u001b\[Ksiptrustctl: stopped by SIGINT: 0 questions asked again, 0 answered otherwise\r\n$/,
    );
  });

  test('ok/in a pipe: plain lines, and none that are written anew; SIGTERM ends it with 143', async () => {
    const { child, ended, output, errors } = started('node', ...REPLAY);
    const fed = await feeding();
    await eventually('it says how far it is', () => errors().includes('replay: '));
    child.kill('SIGTERM');
    expect(await ended).toBe(143);
    fed();
    expect(errors()).toMatch(
      /^(?:replay: 0 questions asked again, 0 answered otherwise\n)+siptrustctl: stopped by SIGTERM: 0 questions asked again, 0 answered otherwise\n$/,
    );
    expect(output()).toBe('');
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('ok/stopped by %s before anybody writes to its FIFO', async (name) => {
    const { child, ended, errors } = started('node', ...REPLAY);
    await eventually('it waits for what the FIFO brings', () => holds(child.pid, file('decisions')));
    child.kill(name);
    expect(await ended).toBe(name === 'SIGINT' ? 130 : 143);
    expect(errors()).toBe(`siptrustctl: stopped by ${name}: 0 questions asked again, 0 answered otherwise\n`);
  });

  test('ok/a FIFO is read to its end', async () => {
    const { ended, output } = started('node', ...REPLAY, '--json');
    const fed = await feeding();
    fed();
    expect(await ended).toBe(0);
    expect(JSON.parse(output())).toMatchObject({ asked: 0 });
  });

  test('ok/stopped while nobody writes to its standard input', async () => {
    const { child, ended, errors, type } = started('node', ...REPLAY.slice(0, -1), '-');
    await eventually('it says how far it is', () => {
      type(LINE);
      return errors().includes('replay: ');
    });
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(errors()).toContain('stopped by SIGINT: 0 questions');
  });
});

describe('import', () => {
  test('ok/stopped: 130, and no file is there', async () => {
    mkdirSync(file('partners'));
    mkdirSync(file('made'));
    const authority = root();
    // Enough for some seconds on any machine: what takes less than one says nothing of how far it is.
    for (let at = 0; at < 99; at++) {
      const name = `p${at}.example`;
      const { pem } = leaf(authority, {
        subject: `CN=${name}`,
        extensions: { altNames: ext.altNames([{ dns: name }]) },
      });
      const chain = pem + authority.pem.repeat(20);
      for (let copy = 0; copy < 50; copy++) writeFileSync(file(`partners/${name}.${copy}.pem`), chain);
    }
    const { child, ended, errors } = started(
      'node',
      SIPTRUSTCTL,
      'import',
      'certificates',
      file('partners'),
      '--out',
      file('made/'),
    );
    await eventually('it is on its way', () => errors().includes('import: '));
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(errors()).toMatch(/siptrustctl: stopped by SIGINT: .*; nothing was written\n$/);
    expect(readdirSync(file('made'))).toEqual([]);
    rmSync(file('partners'), { recursive: true });
  });
});
