/**
 * HTTP for revocation lists and statuses: node:http with caps on everything that the other side decides, and with the
 * policy's allow-list before each connection. Never called while a verdict waits.
 */

import { type IncomingMessage, request } from 'node:http';
import type { LookupFunction } from 'node:net';
import {
  type AddressPrefix,
  allowedAddresses,
  type FetchRules,
  type FetchTarget,
  fetchTarget,
  forbiddenAddress,
} from '../../net/address/index.js';
import { FetchFailure } from './fetch-failure.js';
import { NameLookups } from './name-lookups.js';

export interface HttpQuestion {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent by POST; undefined: GET. */
  readonly body?: Uint8Array;
}

export interface HttpLimits {
  readonly rules: FetchRules;
  /** Octets of the largest body. */
  readonly maxSize: number;
  /** Milliseconds for all of it: names, connections, redirections, the body. */
  readonly timeoutMs: number;
}

export interface HttpAnswer {
  /** 200 or 304. */
  readonly status: number;
  readonly body: Uint8Array;
  readonly contentType: string;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  /** It was fetched by another node of the fleet, for a question of its own. */
  readonly shared?: true;
}

/** Milliseconds in which a connection must stand. */
const CONNECT_MS = 5_000;
const NAMES = new NameLookups(CONNECT_MS);
const MOST_REDIRECTIONS = 3;
const MOST_HEADER_OCTETS = 16 * 1024;
/** A validator goes back to the server as it came; longer ones are not kept. */
const MOST_VALIDATOR = 256;
const REDIRECTIONS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Fetches one URL. Throws FetchFailure for whatever is not a whole body of at most `maxSize`, or 304. */
export async function fetchHttp(question: HttpQuestion, limits: HttpLimits, stop: AbortSignal): Promise<HttpAnswer> {
  const ending = new AbortController();
  const { signal } = ending;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    ending.abort();
  }, limits.timeoutMs);
  const stopped = (): void => ending.abort();
  stop.addEventListener('abort', stopped);
  try {
    stop.throwIfAborted();
    let { url } = question;
    for (let hop = 0; hop <= MOST_REDIRECTIONS; hop++) {
      const target = fetchTarget(url, limits.rules);
      if ('refused' in target) throw new FetchFailure(hop === 0 ? target.refused : `redirected: ${target.refused}`);
      const answer = await ask(target, question, limits, signal);
      if (!('location' in answer)) return answer;
      // A question by POST is meant for this responder alone.
      if (question.body !== undefined) throw new FetchFailure('expected an answer, found a redirection');
      url = redirected(target.url, answer.location);
    }
    throw new FetchFailure(`expected at most ${MOST_REDIRECTIONS} redirections, found more`);
  } catch (cause) {
    if (cause instanceof FetchFailure) throw cause;
    if (late) throw new FetchFailure(`expected an answer within ${limits.timeoutMs} ms`, { cause });
    throw new FetchFailure(reasonOf(cause), { cause });
  } finally {
    clearTimeout(timer);
    stop.removeEventListener('abort', stopped);
  }
}

function redirected(base: string, location: string): string {
  if (!URL.canParse(location, base)) throw new FetchFailure('redirected: expected a URL in Location, found none');
  return new URL(location, base).href;
}

function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const message = cause instanceof Error ? cause.message : String(cause);
  return message === '' ? code || 'the connection failed' : message;
}

/** One exchange on a connection of its own. */
function ask(
  target: FetchTarget,
  { headers, body }: HttpQuestion,
  { rules, maxSize }: HttpLimits,
  signal: AbortSignal,
): Promise<HttpAnswer | { readonly location: string }> {
  const allowed = allowedAddresses(rules);
  return new Promise((resolve, reject) => {
    const forbidden = target.host.match(/^[\d.]+$|:/) ? forbiddenAddress(target.host, allowed) : undefined;
    if (forbidden !== undefined) throw new FetchFailure(forbidden);
    const call = request({
      host: target.host,
      port: target.port,
      path: target.path,
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        'User-Agent': 'siptrust',
        'Accept-Encoding': 'identity',
        Connection: 'close',
        ...headers,
        ...(body === undefined ? {} : { 'Content-Length': String(body.length) }),
      },
      agent: false,
      maxHeaderSize: MOST_HEADER_OCTETS,
      lookup: vettedLookup(allowed),
      signal,
    });
    const connecting = setTimeout(() => {
      call.destroy(new FetchFailure(`expected a connection to ${target.host} within ${CONNECT_MS} ms`));
    }, CONNECT_MS);
    call.on('socket', (socket) => socket.once('connect', () => clearTimeout(connecting)));
    call.on('error', reject);
    // Whatever else ends it: what neither fails nor answers would hold its place in the queue for ever.
    let answered = false;
    call.on('close', () => {
      clearTimeout(connecting);
      if (!answered) reject(new FetchFailure('expected an answer, found the end of the connection'));
    });
    // RFC 9110 §15.2.2: nobody asked to go on in another protocol, and node:http drops such an answer without a word.
    call.on('upgrade', ({ statusCode }) => {
      call.destroy();
      reject(new FetchFailure(`expected status 200, found ${statusCode}`));
    });
    call.on('response', (response) => {
      answered = true;
      readAnswer(response, maxSize).then(
        (answer) => {
          resolve(answer);
          call.destroy();
        },
        (error: unknown) => {
          reject(error);
          call.destroy();
        },
      );
    });
    call.end(body);
  });
}

/** Resolves a name to the addresses that may be reached; the connection uses these and does not ask again. */
function vettedLookup(allowed: readonly AddressPrefix[]): LookupFunction {
  return (hostname, options, callback) => {
    NAMES.find(hostname, options, (error, found) => {
      if (error !== null) return callback(error, []);
      const open = found.filter(({ address }) => forbiddenAddress(address, allowed) === undefined);
      const [first] = open;
      if (first === undefined) {
        const why = forbiddenAddress(found[0]?.address ?? '', allowed);
        return callback(new FetchFailure(`${hostname}: ${why}`), []);
      }
      if (options.all) callback(null, open);
      else callback(null, first.address, first.family);
    });
  };
}

async function readAnswer(
  response: IncomingMessage,
  maxSize: number,
): Promise<HttpAnswer | { readonly location: string }> {
  const { statusCode: status = 0, headers } = response;
  if (REDIRECTIONS.has(status)) {
    if (headers.location === undefined) throw new FetchFailure(`expected Location with status ${status}, found none`);
    return { location: headers.location };
  }
  if (status !== 200 && status !== 304) throw new FetchFailure(`expected status 200, found ${status}`);
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new FetchFailure(`expected a body without encoding, found ${encoding.slice(0, 40)}`);
  }
  return {
    status,
    body: status === 304 ? new Uint8Array() : await readBody(response, maxSize),
    contentType: headers['content-type'] ?? '',
    etag: validator(headers.etag),
    lastModified: validator(headers['last-modified']),
  };
}

function validator(text: string | undefined): string | undefined {
  return text !== undefined && text.length <= MOST_VALIDATOR && /^[ -~]+$/.test(text) ? text : undefined;
}

const bytesOf = (response: AsyncIterable<Uint8Array>) => response;

/** The whole body, or a failure as soon as it is known to be too large. */
async function readBody(response: IncomingMessage, maxSize: number): Promise<Uint8Array> {
  const tooLarge = (found: string): FetchFailure =>
    new FetchFailure(`expected at most ${maxSize} octets, found ${found}`);
  const length = response.headers['content-length'];
  if (length !== undefined && Number(length) > maxSize) throw tooLarge(length);
  // The parser of Node has seen that it is a number, and gives no more than that.
  const whole = length === undefined ? undefined : Buffer.allocUnsafeSlow(Number(length));
  const chunks: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of bytesOf(response)) {
    if (total + chunk.length > maxSize) throw tooLarge('more');
    if (whole === undefined) chunks.push(chunk);
    else whole.set(chunk, total);
    total += chunk.length;
  }
  if (!response.complete) throw new FetchFailure('expected the whole body, found the end of the connection');
  return whole ?? Buffer.concat(chunks, total);
}
