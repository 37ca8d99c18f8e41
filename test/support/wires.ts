/** Opens each wire on a place of its own and speaks to it by real sockets, byte by byte where wanted. */

import { execFileSync, spawn } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNetstringParser, netstring } from '../../src/rpc/wire/netstring.js';

/** A directory that is removed with `remove`. */
export function temporaryDirectory(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'siptrust-wire-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1));
}

/** A client that sends bytes as told and gathers the frames that come back. */
export class NetstringClient {
  readonly frames: string[] = [];
  readonly socket: Socket;
  closed = false;
  readonly #parser = createNetstringParser(1 << 30);
  #wake: () => void = () => {};

  constructor(target: { path: string } | { port: number; host?: string }) {
    this.socket = connect({ allowHalfOpen: true, ...target });
    this.socket.on('data', (chunk) => {
      const error = this.#parser.push(chunk, (frame) => this.frames.push(frame.toString()));
      if (error !== undefined) throw new Error(`the server sent no netstring: ${error.found}`);
      this.#wake();
    });
    this.socket.on('error', () => {});
    this.socket.on('end', () => {
      this.closed = true;
      this.#wake();
    });
    this.socket.on('close', () => {
      this.closed = true;
      this.#wake();
    });
  }

  send(bytes: string | Buffer): void {
    this.socket.write(bytes);
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** The next `count` frames; fails where the connection ends before. */
  async take(count: number): Promise<unknown[]> {
    await this.until(() => this.frames.length >= count || this.closed);
    if (this.frames.length < count)
      throw new Error(`expected ${count} frames, found ${this.frames.length} and the end`);
    return this.frames.splice(0, count).map((text) => JSON.parse(text));
  }

  async ask(text: string): Promise<unknown> {
    this.send(netstring(text));
    const [answer] = await this.take(1);
    return answer;
  }

  destroy(): void {
    this.socket.destroy();
  }
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
}

export function http(
  port: number,
  options: { path?: string; method?: string; headers?: Record<string, string>; body?: string | Buffer },
): Promise<HttpAnswer> {
  const { path = '/rpc', method = 'POST', body } = options;
  // Browsers, and tests of them, say what they send; a program that asks siptrustd sends JSON.
  const headers = method === 'POST' ? { 'Content-Type': 'application/json', ...options.headers } : options.headers;
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString(),
        }),
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}

let replyNumber = 0;

/**
 * What kamctl does: makes a reply FIFO, reads it to its end, and writes the request into the daemon's FIFO.
 * @param withName puts the reply's name into the request text
 */
export async function fifoAsk(
  fifo: string,
  replyDir: string,
  withName: (replyName: string) => string,
): Promise<string> {
  replyNumber += 1;
  const name = `kamailio_receiver_${process.pid}_${replyNumber}`;
  const path = join(replyDir, name);
  execFileSync('mkfifo', [path]);
  // A reader of its own: opening a FIFO blocks, and would block the thread pool of this process.
  const reader = spawn('cat', [path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const answer = new Promise<string>((resolve, reject) => {
    let text = '';
    reader.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    reader.on('close', () => resolve(text));
    reader.on('error', reject);
  });
  fifoWrite(fifo, withName(name));
  try {
    return await answer;
  } finally {
    rmSync(path);
  }
}

export function fifoWrite(fifo: string, text: string): void {
  const fd = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
  writeFileSync(fd, text);
  closeSync(fd);
}
