/** Where a live test runs: loopback addresses and a directory of its own, and a way to wait that needs no clock. */

import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** A block of loopback addresses that no other live test uses: `host(1)` to `host(254)`. Two files run at a time. */
export function loopbackBlock(): (host: number) => string {
  const side = Number(process.env.VITEST_POOL_ID ?? 0) % 2;
  const block = `127.${64 + Math.floor(Math.random() * 63)}.${2 * Math.floor(Math.random() * 128) + side}`;
  return (host) => `${block}.${host}`;
}

/** A directory that a daemon without privileges could read, too. */
export function runDirectory(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'siptrust-flow-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/**
 * Asks until the answer is neither false nor undefined, and gives it.
 * @throws when that takes longer than `withinMs`; the error names `what`
 */
export async function eventually<T>(
  what: string,
  ask: () => T | Promise<T>,
  withinMs = 50_000,
): Promise<Exclude<T, false | undefined>> {
  const end = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer as Exclude<T, false | undefined>;
    if (Date.now() > end) throw new Error(`waited ${withinMs} ms for: ${what}`);
    await pause(10);
  }
}

/** A TCP port that nobody listens on, for a program that has to be told one. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Whether a TCP listener takes connections. */
export function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
