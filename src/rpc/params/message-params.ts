/** The params of `trust.message`: one message at the boundary, and the connection it came over or goes over. */

import { z } from 'zod';
import { scanHeaderBlock, splitMessage } from '../../sip/grammar/index.js';
import type { Evidence } from '../../trust/evidence/index.js';
import type { MessageInput } from '../../trust/message/index.js';
import { RpcError } from '../dispatch/index.js';
import { foldByteParams } from './byte-params.js';
import { evidenceShape, toEvidence } from './evidence.js';
import { wholeNumber } from './numbers.js';
import type { CertificateReader } from './peer-chain.js';

export const messageParams = z.preprocess(
  (params) => foldByteParams(params),
  z.strictObject({
    ...evidenceShape,
    /** Absent: `conid` names a connection that was judged before. */
    proto: evidenceShape.proto.optional(),
    message: z.literal(['request', 'response']),
    method: z.string().optional(),
    status: wholeNumber(100, 699).optional(),
    ruri: z.string().optional(),
    /** Out: the URI that the request goes to next. */
    next: z.string().optional(),
    /** The raw header block, without the start line. */
    headers: z.string().optional(),
    /** The whole message as received. */
    raw: z.string().optional(),
    /** Of the verdict that the script holds. The policy in force decides; its revision is in the answer. */
    revision: wholeNumber(0).optional(),
  }),
);

export type MessageParams = z.output<typeof messageParams>;

/**
 * The evidence that the message itself brings; undefined where it names a connection instead. A response comes from
 * the side that the request went to, so its peer is judged as that request's peer was.
 */
export function messageEvidence(params: MessageParams, read: CertificateReader): Evidence | undefined {
  if (params.proto === undefined) return undefined;
  const asked = params.message === 'request' ? params.direction : params.direction === 'in' ? 'out' : 'in';
  // A response without next_hop is judged by who the certificate says is there.
  const direction = asked === 'out' && params.message === 'response' && params.next_hop === undefined ? 'in' : asked;
  return toEvidence({ ...params, proto: params.proto, direction }, read);
}

/** What the params say of a connection that they name. */
export function namedHop(params: MessageParams) {
  return {
    direction: params.direction,
    connectionId: params.conid,
    sourceAddress: params.src_ip,
    sourcePort: params.src_port,
    localAddress: params.rcv_ip,
    localPort: params.rcv_port,
    nextHop: params.next_hop,
  };
}

/** The message in the params, as the plan takes it. */
export type Message = Pick<
  MessageInput,
  'direction' | 'message' | 'method' | 'status' | 'ruri' | 'next' | 'startLine' | 'startLineEnd' | 'block'
>;

/** The message that the params describe; what they say of the start line goes before what `raw` says. */
export function toMessage(params: MessageParams): Message {
  const { direction, message, method, status, ruri, next } = params;
  const { startLine, startLineEnd, headers } = messageParts(params);
  return { direction, message, method, status, ruri, next, startLine, startLineEnd, block: scanHeaderBlock(headers) };
}

function messageParts({ headers, raw }: MessageParams): {
  startLine?: string;
  startLineEnd?: string;
  headers: Uint8Array;
} {
  if (headers !== undefined && raw !== undefined) refuse('headers', 'headers or raw', 'both');
  if (headers !== undefined) return { headers: Buffer.from(headers, 'latin1') };
  if (raw === undefined) return refuse('headers', 'the header block in headers, or the message in raw', 'neither');
  const split = splitMessage(Buffer.from(raw, 'latin1'));
  return 'malformed' in split ? refuse('raw', 'a SIP message', split.malformed) : split;
}

function refuse(path: string, expected: string, found: string): never {
  throw new RpcError('invalid-params', [{ path, expected, found }]);
}
