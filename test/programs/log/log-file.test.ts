import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LogFile } from '../../../src/log/log-file.js';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'siptrust-log-'));
  path = join(directory, 'log');
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('a FIFO that nobody reads in the place of a log', () => {
  test('ok/comes later: its lines are told as lost, and the next file is written', async () => {
    const lost: string[] = [];
    const log = new LogFile(path, (lines, why) => lost.push(`${lines}: ${why}`));
    rmSync(path);
    execFileSync('mkfifo', [path]);
    log.write('first\n');
    await expect(log.reopen()).rejects.toThrow('ENXIO');
    expect(lost).toEqual([expect.stringMatching(/^1: ENXIO/)]);
    rmSync(path);
    log.write('second\n');
    await log.close();
    expect(readFileSync(path, 'utf8')).toBe('second\n');
  });

  test('fail/is there at the start: refused at once', () => {
    execFileSync('mkfifo', [path]);
    // To be held up would hold up the test too: a reader that comes after ten seconds ends that, and then nothing is thrown.
    const reader = execFileSync('sh', ['-c', `(sleep 10; timeout 1 cat "${path}") >/dev/null 2>&1 & echo $!`]);
    expect(() => new LogFile(path, () => {})).toThrow(/ENXIO/);
    process.kill(Number(reader.toString()));
  });

  test('ok/its reader pauses: what the FIFO has no room for waits, and nothing is lost', async () => {
    execFileSync('mkfifo', [path]);
    const read = `${path}.read`;
    const reader = spawn('sh', ['-c', `exec < "${path}"; sleep 0.3; cat > "${read}"`]);
    const lost: string[] = [];
    const line = `${'a'.repeat(499)}\n`;
    let log: LogFile | undefined;
    while (log === undefined) {
      try {
        log = new LogFile(path, (lines, why) => lost.push(`${lines}: ${why}`));
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
    const keeper = openSync(path, constants.O_WRONLY);
    log.write(line.repeat(500), 500);
    await log.close();
    closeSync(keeper);
    await once(reader, 'close');
    expect(lost).toEqual([]);
    expect(statSync(read).size).toBe(500 * line.length);
  });
});
