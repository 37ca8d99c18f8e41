import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const directory = mkdtempSync(join(tmpdir(), 'siptrust-early-'));
afterAll(() => rmSync(directory, { recursive: true }));
const EARLY = join(import.meta.dirname, '../support/live/early-stop.ts');

/** Says `here`, and then waits for ever: for what it imports, or for a signal. */
async function stopped(program: string, name: NodeJS.Signals): Promise<readonly [code: number | null, told: string]> {
  const file = join(directory, 'demo.mjs');
  writeFileSync(file, program);
  const child = spawn(process.execPath, ['--import', 'tsx', '--import', EARLY, file], { stdio: 'pipe' });
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    told += text;
  });
  await once(child.stdout, 'data');
  child.kill(name);
  const [code] = await once(child, 'close');
  return [code, told];
}

const LOADS = "console.log('here'); await new Promise(() => setInterval(() => {}, 1000));";

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('ok/a program that still loads says that it was stopped by %s', async (name, code) => {
  expect(await stopped(LOADS, name)).toEqual([code, `demo.mjs: stopped by ${name}\n`]);
});

test('ok/one that listens itself ends in its own way', async () => {
  expect(await stopped(`process.on('SIGINT', () => process.exit(7)); ${LOADS}`, 'SIGINT')).toEqual([7, '']);
});

const PRINTS = `
import { spawn } from 'node:child_process';
import { longWork } from ${JSON.stringify(join(import.meta.dirname, '../support/live/long-work.ts'))};
await longWork('demo', undefined, async () => {
  console.log(spawn('sleep', ['60']).pid);
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    console.log('more');
  }
});`;

test('ok/where nobody reads what it prints any more, long work ends with all that it started', async () => {
  const file = join(directory, 'printing.mjs');
  writeFileSync(file, PRINTS);
  const child = spawn(process.execPath, ['--import', 'tsx', file], { stdio: 'pipe' });
  child.stderr.resume();
  const [printed] = await once(child.stdout, 'data');
  const pid = Number.parseInt(String(printed), 10);
  child.stdout.destroy();
  expect(await once(child, 'close')).toEqual([141, null]);
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});
