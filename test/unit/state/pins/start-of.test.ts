import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { startOf } from '../../../../src/state/pins/start-of.js';

test('ok/the start of a text, or all of it', () => {
  expect(startOf('CN=Größe', 6)).toBe('CN=Grö');
  expect(startOf('CN=b', 512)).toBe('CN=b');
});

test('ok/the start keeps nothing of the rest', () => {
  setFlagsFromString('--expose-gc');
  const gc: () => void = runInNewContext('gc');
  const long = 65_536;
  const count = 500;
  gc();
  const before = process.memoryUsage().heapUsed;
  const kept = Array.from({ length: count }, (_, n) => startOf(`${n} `.padEnd(long, 'x'), 512));
  gc();
  expect(process.memoryUsage().heapUsed - before).toBeLessThan((count * long) / 4);
  expect(kept).toHaveLength(count);
});
