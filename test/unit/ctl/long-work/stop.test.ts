import { afterEach, describe, expect, test } from 'vitest';
import { Stop, stoppable } from '../../../../src/ctl/long-work/stop.js';
import { Refusal } from '../../../../src/ctl/terminal/failure.js';

const listeners = () => process.listenerCount('SIGINT') + process.listenerCount('SIGTERM');
const before = listeners();
afterEach(() => expect(listeners()).toBe(before));

describe('work that is stopped', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('fail/%s: exit code %i, and how far it came', async (name, code) => {
    const work = stoppable('import', 'nothing was written', async (breathe) => {
      for (let file = 0; file < 1000; file++) {
        if (file === 7) process.emit(name);
        await breathe(`${file} files read`);
      }
    });
    const error = await work.catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(Refusal);
    expect(error).toMatchObject({
      exitCode: code,
      message: `stopped by ${name}: 7 files read; nothing was written`,
    });
  });

  test('ok/nothing comes: what the work gives', async () => {
    expect(await stoppable('import', 'nothing', async (breathe) => breathe('one').then(() => 1))).toBe(1);
  });

  test('ok/whoever waits by the signal is woken', async () => {
    const stop = Stop.listen();
    try {
      const woken = new Promise((resolve) => stop.signal.addEventListener('abort', resolve));
      process.emit('SIGTERM');
      await woken;
      // Who passes signals on may send them twice.
      process.emit('SIGTERM');
      expect([stop.by, stop.exitCode]).toEqual(['SIGTERM', 143]);
    } finally {
      stop.close();
    }
  });
});
