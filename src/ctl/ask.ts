import { CallError, callTcp, callUnix, RemoteError } from '../rpc/client.js';
import { badInput } from '../rpc/offline.js';
import { Refusal } from './failure.js';

/** Where the daemon is, as the command line says. */
export interface DaemonAddress {
  readonly socket: string;
  readonly tcp?: string;
  readonly timeout: string;
}

/** `127.0.0.1:7060` or `[::1]:7060`. */
function hostAndPort(text: string): { readonly host: string; readonly port: number } {
  const found = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:]+)):([0-9]{1,5})$/.exec(text);
  const host = found?.[1] ?? found?.[2];
  const port = Number(found?.[3]);
  if (host === undefined || port > 65535) throw new Refusal(`--tcp: expected host:port, found "${text}"`, 2);
  return { host, port };
}

function send(address: DaemonAddress, method: string, params: unknown): Promise<unknown> {
  const timeout = Number(address.timeout);
  if (!Number.isInteger(timeout) || timeout < 1) {
    throw new Refusal(`--timeout: expected milliseconds, found "${address.timeout}"`, 2);
  }
  if (address.tcp === undefined) return callUnix(address.socket, method, params, timeout);
  const { host, port } = hostAndPort(address.tcp);
  return callTcp(host, port, method, params, timeout);
}

/**
 * Asks the daemon.
 * @throws {Refusal} no answer, or an error as answer
 */
export async function askDaemon(address: DaemonAddress, method: string, params: unknown): Promise<unknown> {
  try {
    return await send(address, method, params);
  } catch (error) {
    if (error instanceof CallError) throw new Refusal(error.message, 2, { cause: error });
    if (error instanceof RemoteError) throw new Refusal(wording(error), 1, { cause: error });
    throw error;
  }
}

/** Asks the daemon for each record; an error becomes an answer, so that every line gets one. */
export function daemonAnswers(address: DaemonAddress, method: string): (record: unknown) => Promise<unknown> {
  return async (record) => {
    try {
      return await send(address, method, record);
    } catch (error) {
      if (error instanceof RemoteError) return badInput(method, wording(error), { code: error.code, data: error.data });
      if (error instanceof CallError) throw new Refusal(error.message, 2, { cause: error });
      throw error;
    }
  };
}

/** What a daemon's error says, with its data in words. */
function wording({ message, data }: RemoteError): string {
  if (data === undefined) return message;
  return `${message}: ${typeof data === 'string' ? data : JSON.stringify(data)}`;
}
