/** Where a live test runs: loopback addresses and a directory of its own, and a way to wait that needs no clock. */

import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** Files that run at a time, at the most. */
const SIDES = 4;

/** A block of loopback addresses that no other live test uses: `host(1)` to `host(254)`. */
export function loopbackBlock(): (host: number) => string {
  const side = Number(process.env.VITEST_POOL_ID ?? 0) % SIDES;
  const third = SIDES * Math.floor(Math.random() * (256 / SIDES)) + side;
  const block = `127.${64 + Math.floor(Math.random() * 63)}.${third}`;
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

/**
 * A TCP port of `host` that nobody listens on, for a program that has to be told one. It is none that the system gives to
 * connections (net.ipv4.ip_local_port_range): one of those could be taken before the program comes, or while it restarts.
 */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, host, () => resolve(true));
    });
    if (!free) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
  throw new Error(`${host}: expected a port that nobody listens on`);
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

/** The stage, once it is up. @throws why it is not, when what there was of it has ended */
export async function upOrEnded<T extends { stop(): Promise<void> }>(stage: T, start: () => Promise<void>): Promise<T> {
  try {
    await start();
  } catch (error) {
    await stage.stop();
    throw error;
  }
  return stage;
}
