/** One DNS question over sockets: UDP, then TCP where the answer does not fit, server after server. */

import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import {
  type DnsAnswer,
  type DnsQuery,
  type DnsReply,
  dnsQuestion,
  type ResolverAddress,
  readDnsReply,
} from '../../net/dns/index.js';

export interface DnsServers {
  readonly servers: readonly ResolverAddress[];
  /** Milliseconds that one server has for one answer, over UDP and TCP together. */
  readonly timeoutMs: number;
  /** Times that all servers are asked. */
  readonly attempts: number;
}

/** Why there is no answer: one line for each server that was asked. */
export interface DnsSilence {
  readonly silent: string;
}

type Attempt = Exclude<DnsReply, { kind: 'stranger' }> | { readonly kind: 'silent'; readonly why: string };

/**
 * After so many messages that answer something else, somebody is guessing ids: the question is asked over TCP, whose
 * answers nobody off the path can write (RFC 5452 §9.3).
 */
const MOST_STRANGERS = 8;

/** The first answer that one of the servers gives. Never rejects. */
export async function askDns(query: DnsQuery, from: DnsServers, stop: AbortSignal): Promise<DnsAnswer | DnsSilence> {
  const failures: string[] = [];
  for (let attempt = 0; attempt < from.attempts; attempt++) {
    for (const server of from.servers) {
      if (stop.aborted) return { silent: 'siptrustd stops' };
      const reply = await askServer(query, server, from.timeoutMs, stop);
      if (reply.kind === 'answer') return reply.answer;
      const why = reply.kind === 'truncated' ? 'a truncated answer over TCP' : reply.why;
      failures.push(`${server.address} port ${server.port}: ${why}`);
    }
  }
  return { silent: failures.length === 0 ? 'no DNS server is known' : [...new Set(failures)].join('; ') };
}

async function askServer(
  query: DnsQuery,
  server: ResolverAddress,
  timeoutMs: number,
  stop: AbortSignal,
): Promise<Attempt> {
  const patience = AbortSignal.any([stop, AbortSignal.timeout(timeoutMs)]);
  const reply = await overUdp(query, server, patience);
  return reply.kind === 'truncated' ? overTcp(query, server, patience) : reply;
}

/** Random id and port for every question (RFC 5452 §9.2). A connected socket hears nobody but the server that was asked. */
function overUdp(query: DnsQuery, { address, port }: ResolverAddress, patience: AbortSignal): Promise<Attempt> {
  const id = randomInt(0x1_0000);
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    const end = (reply: Attempt): void => {
      patience.removeEventListener('abort', onAbort);
      socket.removeAllListeners();
      socket.on('error', () => {});
      socket.close();
      resolve(reply);
    };
    const onAbort = (): void => end({ kind: 'silent', why: 'no answer in time' });
    let strangers = 0;
    socket.on('message', (octets) => {
      const reply = readDnsReply(octets, id, query);
      if (reply.kind !== 'stranger') return end(reply);
      strangers += 1;
      if (strangers >= MOST_STRANGERS) end({ kind: 'truncated' });
    });
    socket.on('error', (error) => end({ kind: 'silent', why: error.message }));
    socket.on('connect', () => socket.send(dnsQuestion(id, query)));
    patience.addEventListener('abort', onAbort);
    if (patience.aborted) return onAbort();
    socket.connect(port, address);
  });
}

/** RFC 7766; a length of two octets stands before each message (RFC 1035 §4.2.2). */
function overTcp(query: DnsQuery, { address, port }: ResolverAddress, patience: AbortSignal): Promise<Attempt> {
  const id = randomInt(0x1_0000);
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const end = (reply: Attempt): void => {
      patience.removeEventListener('abort', onAbort);
      socket.removeAllListeners();
      socket.on('error', () => {});
      socket.destroy();
      resolve(reply);
    };
    const onAbort = (): void => end({ kind: 'silent', why: 'no answer in time over TCP' });
    let received = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      const length = received.length < 2 ? Number.POSITIVE_INFINITY : received.readUInt16BE(0) + 2;
      if (received.length < length) return;
      const reply = readDnsReply(received.subarray(2, length), id, query);
      end(reply.kind === 'stranger' ? { kind: 'refused', why: 'over TCP an answer to something else' } : reply);
    });
    socket.on('error', (error) => end({ kind: 'silent', why: error.message }));
    socket.on('end', () => end({ kind: 'silent', why: 'the server ends the connection without an answer' }));
    socket.on('connect', () => {
      const octets = dnsQuestion(id, query);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(octets.length);
      socket.write(Buffer.concat([length, octets]));
    });
    patience.addEventListener('abort', onAbort);
    if (patience.aborted) onAbort();
  });
}
