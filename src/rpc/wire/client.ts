/** One call of a running daemon, for siptrustctl: netstrings over its unix socket or TCP. */

import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { isRecord } from '../../typed.js';
import type { ErrorObject } from '../dispatch/index.js';
import { hostPort } from './listener.js';
import { createNetstringParser, netstring } from './netstring.js';

/** Longest answer taken, in bytes; a list of many agreements is longer than any request may be. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

export const DEFAULT_CALL_TIMEOUT_MS = 5_000;

export type CallErrorCode = 'unreachable' | 'timeout' | 'closed' | 'garbage';

/** No answer came; the daemon may or may not have done what was asked. */
export class CallError extends Error {
  constructor(
    readonly code: CallErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'CallError';
  }
}

/** The daemon answered with an error. */
export class RemoteError extends Error {
  readonly code: number;
  readonly data: unknown;

  constructor({ code, message, data }: ErrorObject) {
    super(message);
    this.name = 'RemoteError';
    this.code = code;
    this.data = data;
  }
}

/** Whom the audit log names beside the socket: who is logged in, and the name in which he works where that differs. */
function userName(): string {
  const name = userInfo().username;
  const { SUDO_USER: real } = process.env;
  return real === undefined || real === name ? name : `${real} as ${name}`;
}

/** A unix socket, or a host and port. */
export type CallTarget = { readonly path: string } | { readonly host: string; readonly port: number };

/** Calls a method over a unix socket; throws as `call` does. */
export function callUnix(path: string, method: string, params?: unknown, timeoutMs?: number): Promise<unknown> {
  return call({ path }, method, params, timeoutMs);
}

/** Calls a method over TCP; throws as `call` does. */
export function callTcp(
  host: string,
  port: number,
  method: string,
  params?: unknown,
  timeoutMs?: number,
): Promise<unknown> {
  return call({ host, port }, method, params, timeoutMs);
}

/**
 * Calls a method of a running daemon and returns its result.
 * @throws {CallError} no answer; {RemoteError} an error as answer
 */
export function call(
  target: CallTarget,
  method: string,
  params?: unknown,
  timeoutMs: number = DEFAULT_CALL_TIMEOUT_MS,
): Promise<unknown> {
  const name = 'path' in target ? target.path : hostPort(target.host, target.port);
  return new Promise((resolve, reject) => {
    const socket = connect(target);
    const parser = createNetstringParser(MAX_ANSWER_BYTES);
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      socket.destroy();
      act();
    };
    const fail = (code: CallErrorCode, message: string, cause?: unknown): void =>
      settle(() => reject(new CallError(code, `${name}: ${message}`, { cause })));
    const timer = setTimeout(() => fail('timeout', `expected an answer within ${timeoutMs} ms, found none`), timeoutMs);

    socket.on('connect', () =>
      socket.write(netstring(JSON.stringify({ jsonrpc: '2.0', method, params, id: 1, by: userName() }))),
    );
    socket.on('data', (chunk) => {
      const error = parser.push(chunk, (frame) => {
        try {
          const result = resultOf(frame.toString('utf8'));
          settle(() => resolve(result));
        } catch (error) {
          if (error instanceof RemoteError) settle(() => reject(error));
          else fail('garbage', 'expected a JSON-RPC response, found something else', error);
        }
      });
      if (error !== undefined)
        fail('garbage', otherListener(chunk) ?? `expected ${error.expected}, found ${error.found}`);
    });
    socket.on('error', (error) => fail('unreachable', error.message, error));
    socket.on('close', () => fail('closed', 'expected an answer, found the connection closed'));
  });
}

/** What answers, where it is another listener of siptrustd, or somebody else's. */
function otherListener(answer: Buffer): string | undefined {
  const wanted = 'expected netstrings (daemon.listen.netstring)';
  if (answer.subarray(0, 5).toString('latin1') === 'HTTP/') return `${wanted}, found HTTP (daemon.listen.http)`;
  // A TLS record: an alert (RFC 8446 §5.1).
  return answer[0] === 0x15 && answer[1] === 3 ? `${wanted}, found TLS (daemon.listen.https)` : undefined;
}

/** @throws {RemoteError} the response is an error; {SyntaxError} it is none */
function resultOf(text: string): unknown {
  const response: unknown = JSON.parse(text);
  if (!isRecord(response)) throw new SyntaxError('no object');
  const { result, error, id } = response;
  if (isRecord(error) && typeof error.code === 'number' && typeof error.message === 'string') {
    throw new RemoteError({ code: error.code, message: error.message, data: error.data });
  }
  if (id !== 1 || result === undefined) throw new SyntaxError('no result for the request');
  return result;
}
