/** What speaks against an HTTP request before anything is done about it. */

import type { IncomingMessage } from 'node:http';
import { parseAddress } from '../../net/address/index.js';
import { MAX_REQUEST_BYTES } from './listener.js';

export interface HttpRefusal {
  readonly status: number;
  readonly text: string;
}

export const RPC_MEDIA_TYPE = 'application/json';
/** Of a question in one line, and of the answer in one line (docs/rpc.md, "Lines"). */
export const LINE_MEDIA_TYPE = 'application/vnd.siptrust.line';
/** The others are those of "JSON-RPC 2.0 Transport: HTTP", which clients in Python and Java say. */
const QUESTION_MEDIA_TYPES = new Set([
  RPC_MEDIA_TYPE,
  'application/json-rpc',
  'application/jsonrequest',
  LINE_MEDIA_TYPE,
]);

/** Two of one of these, and two programs read two requests. Node itself refuses two lengths, and a length with chunks. */
const ONCE: ReadonlySet<string> = new Set([
  'authorization',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'origin',
  'transfer-encoding',
]);

/**
 * A request whose target is a whole URL (`GET http://127.0.0.1:7061/health`, as clients of a proxy write it) is one for its
 * path, on the host that the URL names: Host does not count then (RFC 9112 §3.2.2).
 */
export function toOriginForm(request: IncomingMessage): void {
  const [, authority, rest = ''] = /^https?:\/\/([^/?#]*)([^#]*)/i.exec(request.url ?? '') ?? [];
  if (authority === undefined) return;
  request.url = rest.startsWith('/') ? rest : `/${rest}`;
  if (request.headers.host !== undefined || needsNoHost(request)) request.headers.host = authority;
}

/** HTTP/1.0 asks for no Host (RFC 9112 §3.2), health checks of load balancers send none, and no browser speaks it. */
function needsNoHost({ httpVersion }: IncomingMessage): boolean {
  return httpVersion === '1.0';
}

/** @param hosts lower-case names besides addresses and `localhost` */
export function refusalOfAny(request: IncomingMessage, hosts: readonly string[]): HttpRefusal | undefined {
  const seen = new Set<string>();
  for (let at = 0; at < request.rawHeaders.length; at += 2) {
    const name = (request.rawHeaders[at] ?? '').toLowerCase();
    if (ONCE.has(name) && seen.has(name)) return { status: 400, text: `expected one ${name}, found two` };
    seen.add(name);
  }
  const { host, 'transfer-encoding': coding } = request.headers;
  // Node decodes chunks and nothing below them, and takes no HTTP/1.0 with them for malformed (RFC 9112 §6.1).
  if (coding !== undefined && (coding.toLowerCase() !== 'chunked' || request.httpVersion === '1.0')) {
    const found = `${coding.slice(0, 60)} in HTTP/${request.httpVersion}`;
    return { status: 501, text: `expected Transfer-Encoding: chunked in HTTP/1.1, or none, found ${found}` };
  }
  if (host === undefined) {
    return needsNoHost(request) ? undefined : { status: 400, text: 'expected a Host, found none' };
  }
  if (!isOurs(host, hosts)) {
    // A name of somebody else's that stands for our address since a moment ago: DNS rebinding.
    return { status: 421, text: `expected a Host that is an address or a name of ours, found ${host.slice(0, 60)}` };
  }
  return undefined;
}

/** Whether a Host (RFC 9110 §7.2) is an address, `localhost`, or one of these names. */
export function isOurs(host: string, hosts: readonly string[]): boolean {
  const name = /^(\[[^\]]*\]|[^:]*?)\.?(?::[0-9]{1,5})?$/.exec(host.toLowerCase())?.[1];
  if (name === undefined) return false;
  return name === 'localhost' || parseAddress(name) !== undefined || hosts.includes(name);
}

/** The media type of a request, without parameters. */
export function mediaType({ headers }: IncomingMessage): string {
  return (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** @param scheme of the listener */
export function refusalOfPost(request: IncomingMessage, scheme: 'http' | 'https'): HttpRefusal | undefined {
  const { headers } = request;
  // A web page can post to loopback from its visitor's browser; browsers say so, and nobody else does. Pages of ours may.
  const { host, origin, 'sec-fetch-site': site } = headers;
  const own = host === undefined ? undefined : `${scheme}://${host.toLowerCase()}`;
  const foreign = origin !== undefined && origin.toLowerCase() !== own;
  if (foreign || (site !== undefined && site !== 'same-origin')) {
    return { status: 403, text: 'expected a program, found a web page (Origin or Sec-Fetch-Site)' };
  }
  const type = mediaType(request);
  const [, ...parameters] = (headers['content-type'] ?? '')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  // What a form of a web page can send without asking first is none of these.
  if (!QUESTION_MEDIA_TYPES.has(type)) {
    return {
      status: 415,
      text: `expected ${RPC_MEDIA_TYPE}, found ${type === '' ? 'no Content-Type' : type.slice(0, 60)}`,
    };
  }
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  if (charset !== undefined && !/^charset="?(utf-?8|us-ascii)"?$/.test(charset)) {
    return { status: 415, text: `expected charset=utf-8, found ${charset.slice(0, 60)}` };
  }
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    return { status: 415, text: `expected no content encoding, found ${encoding.slice(0, 60)}` };
  }
  const length = Number(headers['content-length'] ?? 0);
  return length > MAX_REQUEST_BYTES ? tooLarge(String(length)) : undefined;
}

/** 413: the body is larger than any request may be. */
export function tooLarge(found: string): HttpRefusal {
  return { status: 413, text: `expected a body of at most ${MAX_REQUEST_BYTES} bytes, found ${found}` };
}
