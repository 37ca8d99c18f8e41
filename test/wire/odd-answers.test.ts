/** Whoever answers in place of siptrustd, or answers otherwise: a monitor that goes by exit codes is not told that all is well. */

import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { siptrustctl } from '../support/command-line.js';
import { temporaryDirectory } from '../support/wires.js';

const socket = join(temporaryDirectory().path, 'odd.sock');
let result: unknown;
const server = createServer((peer) =>
  peer.on('data', (data) => {
    const { id } = JSON.parse(/^[0-9]+:(.*),$/s.exec(String(data))?.[1] ?? '{}');
    const answer = JSON.stringify({ jsonrpc: '2.0', id, result });
    peer.write(`${Buffer.byteLength(answer)}:${answer},`);
  }),
);
beforeAll(() => new Promise<void>((resolve) => void server.listen(socket, resolve)));
afterAll(() => void server.close());

const asked = (answer: unknown, ...words: readonly string[]) => {
  result = answer;
  return siptrustctl(['--socket', socket, ...words]);
};

describe('what is neither an object nor a list is no answer', () => {
  test.each([
    ['text', ['status'], 'found "well"', 'well'],
    ['a number', ['agreement', 'list'], 'found 5', 5],
    ['nothing', ['cert', 'expiry', '--warn', '21'], 'found null', null],
    ['true or false', ['headers'], 'found true', true],
  ])('fail/%s', async (_, words, found, answer) => {
    const { code, error, output } = await asked(answer, ...words);
    expect([code, output]).toEqual([2, '']);
    expect(error).toMatch(/odd\.sock: expected an object or a list as the answer of siptrustd to [a-z.]+, /);
    expect(error).toContain(found);
  });
});

describe('an object in place of a list, or a list in place of an object, is shown, and is no good sign', () => {
  test.each([
    ['status', ['status'], []],
    ['status without a word in it', ['status'], {}],
    ['hop resolve', ['hop', 'resolve', 'b.example'], []],
  ])('fail/%s', async (_, words, answer) => {
    expect(await asked(answer, ...words)).toMatchObject({ code: 1 });
  });
  test('fail/cert expiry --warn', async () => {
    const { code, error } = await asked({ rows: [] }, 'cert', 'expiry', '--warn', '21');
    expect([code, error]).toEqual([
      2,
      expect.stringContaining('expected a list as the answer to cert.expiry, found an object'),
    ]);
  });
});
