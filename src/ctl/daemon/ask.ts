import { shortened } from '../../printable.js';
import { RPC_ERRORS } from '../../rpc/dispatch/index.js';
import { badInput } from '../../rpc/listeners/index.js';
import { CallError, callTcp, callUnix, RemoteError } from '../../rpc/wire/index.js';
import { isList, isRecord } from '../../typed.js';
import { VERSION } from '../../version.js';
import { Refusal } from '../terminal/index.js';

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

/** Of an answer that is none. */
const MOST_FOUND = 100;

/**
 * Asks the daemon.
 * @throws {Refusal} no answer, or an error as answer
 */
export async function askDaemon(address: DaemonAddress, method: string, params: unknown): Promise<unknown> {
  try {
    const answer = await send(address, method, params);
    if (isRecord(answer) || isList(answer)) return answer;
    const found = shortened(JSON.stringify(answer), MOST_FOUND);
    const expected = `expected an object or a list as the answer of siptrustd to ${method}`;
    throw new Refusal(`${address.tcp ?? address.socket}: ${expected}, found ${found}`, 2);
  } catch (error) {
    if (error instanceof CallError) throw unanswered(address, error);
    if (error instanceof RemoteError) throw new Refusal(wordingFor(address, method, error), 1, { cause: error });
    throw error;
  }
}

/** The daemon tells nobody what would help; whoever named the socket may hear which one it was. */
function wordingFor({ tcp, socket }: DaemonAddress, method: string, error: RemoteError): string {
  const where = tcp ?? socket;
  if (error.code === RPC_ERRORS['method-not-found'].code) {
    return `${error.message}: the siptrustd at ${where} does not know ${method}: it is older or newer than this siptrustctl ${VERSION}. Restart it after an upgrade (siptrustctl status has its version)`;
  }
  if (error.code !== RPC_ERRORS.forbidden.code) return errorWording(error);
  return `${error.message}: this ${method} takes rights that ${where} does not give; operators have daemon.listen.unix (--socket)`;
}

/** Asks the daemon for each record; an error becomes an answer, so that every line gets one. */
export function daemonAnswers(address: DaemonAddress, method: string): (record: unknown) => Promise<unknown> {
  return async (record) => {
    try {
      return await send(address, method, record);
    } catch (error) {
      if (error instanceof RemoteError) {
        return badInput(method, errorWording(error), { code: error.code, data: error.data });
      }
      if (error instanceof CallError) throw unanswered(address, error);
      throw error;
    }
  };
}

/** Why nobody answered, by the code of the system, and what to look at. */
const NOBODY: Readonly<Record<string, string>> = {
  ENOENT: 'no such socket',
  ECONNREFUSED: 'nobody listens there',
  EACCES: 'permission denied: this user may not ask the daemon (daemon.unix_mode, and the group of the socket)',
};

function unanswered(address: DaemonAddress, error: CallError): Refusal {
  const { cause } = error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const where = address.tcp ?? address.socket;
  const listen = address.tcp === undefined ? 'daemon.listen.unix' : 'daemon.listen.netstring';
  const found = NOBODY[code];
  if (found === undefined) return new Refusal(error.message, 2, { cause: error });
  const next =
    code === 'EACCES'
      ? ''
      : `. Does siptrustd run (systemctl status siptrustd), and is this ${listen} of its policy? --socket PATH and --tcp HOST:PORT name another place`;
  return new Refusal(`${where}: expected a running siptrustd, found ${found}${next}`, 2, { cause: error });
}

/** What an error as answer says, with its data in words. */
export function errorWording({ message, data }: { readonly message: string; readonly data: unknown }): string {
  if (data === undefined) return message;
  return `${message}: ${typeof data === 'string' ? data : lines(data).join('\n')}`;
}

/** Rows `{path, expected, found}` of bad params, problems of a policy, or what else there is. */
function lines(data: unknown): readonly string[] {
  if (Array.isArray(data)) return data.flatMap(lines);
  if (typeof data === 'string') return [data];
  if (!isRecord(data)) return [JSON.stringify(data)];
  const { path, expected, found, problems, revision } = data;
  if (typeof expected === 'string' && typeof found === 'string') {
    return [`${typeof path === 'string' && path !== '' ? `${path}: ` : ''}expected ${expected}, found ${found}`];
  }
  if (!Array.isArray(problems)) return [JSON.stringify(data)];
  const inForce =
    revision === undefined ? [] : [`the last good policy stays in force, revision ${JSON.stringify(revision)}`];
  return [...lines(problems), ...inForce];
}
