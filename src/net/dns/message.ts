/**
 * DNS messages: the octets of a question, and what the octets of an answer say to it (RFC 1035, RFC 6891, RFC 2308).
 * Whatever a server or somebody in between sends: nothing here throws. The one file that knows dns-packet.
 */

import {
  type Answer,
  AUTHENTIC_DATA,
  type DecodedPacket,
  decode,
  encode,
  type NaptrData,
  RECURSION_DESIRED,
  type SoaData,
  type SrvData,
} from 'dns-packet';
import { parseAddress } from '../address/index.js';
import { type DnsAnswer, type DnsQuery, type DnsRecords, type DnsType, dnsName } from './answer.js';

/** What one message says to a question. */
export type DnsReply =
  /** It answers something else, or is no answer: somebody guesses, or it is late. To be passed over. */
  | { readonly kind: 'stranger' }
  /** It did not fit: the question has to be asked over TCP (RFC 7766 §5). */
  | { readonly kind: 'truncated' }
  /** The server cannot or will not say; others may. */
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'answer'; readonly answer: DnsAnswer };

/** Octets of a UDP answer that is asked for: no fragments on any path that bears IPv6 (DNS flag day 2020). */
export const UDP_OCTETS = 1232;
/** Names that one answer may pass on to each other. */
const MOST_ALIASES = 8;
/** Records of a message that is read at all: some thousands of long names take a tenth of a second. */
const MOST_READ = 512;
/** Records of one answer that are kept. */
const MOST_RECORDS = 64;

const RCODE = { noError: 0, serverFailure: 2, nameError: 3 } as const;
const RCODE_NAMES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'] as const;
const OPCODE_MASK = 0x7800;

/** The octets of a question. AD in it asks for AD in the answer (RFC 6840 §5.7). */
export function dnsQuestion(id: number, { type, name }: DnsQuery): Uint8Array {
  return encode({
    type: 'query',
    id,
    flags: RECURSION_DESIRED | AUTHENTIC_DATA,
    questions: [{ type, name, class: 'IN' }],
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: UDP_OCTETS,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options: [],
      },
    ],
  });
}

/** What `octets` say to the question with this id. */
export function readDnsReply(octets: Uint8Array, id: number, query: DnsQuery): DnsReply {
  if (recordCount(octets) > MOST_READ) return unreadable(octets, id);
  let packet: DecodedPacket;
  try {
    packet = decode(Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength));
  } catch {
    return unreadable(octets, id);
  }
  if (!answers(packet, id, query)) return { kind: 'stranger' };
  if (packet.flag_tc) return { kind: 'truncated' };
  const rcode = responseCode(packet);
  if (rcode !== RCODE.noError && rcode !== RCODE.nameError) {
    return { kind: 'refused', why: RCODE_NAMES[rcode] ?? `response code ${rcode}` };
  }
  return content(packet, query, rcode === RCODE.nameError);
}

/** As the header has it (RFC 1035 §4.1.1): questions and the three kinds of records. */
function recordCount(octets: Uint8Array): number {
  let count = 0;
  for (let at = 4; at < 12; at += 2) count += ((octets[at] ?? 0) << 8) + (octets[at + 1] ?? 0);
  return count;
}

/**
 * A message that cannot be read is worth another server only if it has our id; a truncated one may well end in the
 * middle of a record.
 */
function unreadable(octets: Uint8Array, id: number): DnsReply {
  const [high = 0, low = 0, flags = 0] = octets;
  if (octets.length < 12 || (high << 8) + low !== id || (flags & 0x80) === 0) return { kind: 'stranger' };
  return (flags & 0x02) !== 0 ? { kind: 'truncated' } : { kind: 'refused', why: 'an answer that cannot be read' };
}

/** RFC 5452 §9.1: id, and the question as it was asked. Source and port are for the socket to hold to. */
function answers(packet: DecodedPacket, id: number, { type, name }: DnsQuery): boolean {
  const [question, ...more] = packet.questions ?? [];
  return (
    packet.flag_qr &&
    packet.id === id &&
    ((packet.flags ?? 0) & OPCODE_MASK) === 0 &&
    question !== undefined &&
    more.length === 0 &&
    question.type === type &&
    question.class === 'IN' &&
    dnsName(question.name) === name
  );
}

/** RFC 6891 §6.1.3: the upper eight bits stand in the OPT record. */
function responseCode(packet: DecodedPacket): number {
  const lower = (packet.flags ?? 0) & 0xf;
  const extended = (packet.additionals ?? []).find(({ type }) => type === 'OPT');
  return extended?.type === 'OPT' ? lower + (extended.extendedRcode << 4) : lower;
}

function content(packet: DecodedPacket, query: DnsQuery, nameError: boolean): DnsReply {
  const authentic = packet.flag_ad;
  const all = (packet.answers ?? []).filter(inClass);
  let name = query.name;
  let ttl = Number.POSITIVE_INFINITY;
  for (let aliases = 0; ; aliases++) {
    const here = all.filter((record) => dnsName(record.name) === name);
    const found = here.flatMap((record) => recordOf(query.type, record));
    if (found.length > 0) {
      for (const record of here) if (record.type === query.type) ttl = Math.min(ttl, timeToLive(record));
      const records = found.slice(0, MOST_RECORDS);
      return { kind: 'answer', answer: { kind: 'records', records, ttl, authentic, aliased: aliases > 0 } };
    }
    const alias = here.find((record) => record.type === 'CNAME');
    if (alias?.type !== 'CNAME' || typeof alias.data !== 'string') break;
    if (aliases === MOST_ALIASES) return { kind: 'refused', why: 'names that lead to each other without end' };
    ttl = Math.min(ttl, timeToLive(alias));
    name = dnsName(alias.data);
  }
  const authorities = (packet.authorities ?? []).filter(inClass);
  const soa = authorities.find((record) => record.type === 'SOA');
  if (soa !== undefined) {
    // RFC 2308 §5.
    const { minimum = 0 } = soa.data as SoaData;
    return { kind: 'answer', answer: { kind: 'none', ttl: Math.min(ttl, timeToLive(soa), minimum), authentic } };
  }
  if (nameError) return { kind: 'answer', answer: { kind: 'none', ttl: 0, authentic } };
  if (name !== query.name) return { kind: 'refused', why: `an alias, ${name}, without what it stands for` };
  if (!packet.flag_aa && authorities.some(({ type }) => type === 'NS')) {
    return { kind: 'refused', why: 'a referral: the server does not resolve for us' };
  }
  return { kind: 'answer', answer: { kind: 'none', ttl: 0, authentic } };
}

/** A record in the form that the choice of the next hop takes; of another type, or not to be read: none. */
function recordOf<T extends DnsType>(type: T, record: Answer): DnsRecords[T][];
function recordOf(type: DnsType, record: Answer): DnsRecords[DnsType][] {
  if (record.type !== type) return [];
  if (type === 'NAPTR') {
    const { order, preference, flags, services, regexp, replacement } = record.data as NaptrData;
    return [{ order, preference, flags, service: services, regexp, replacement }];
  }
  if (type === 'SRV') {
    const { priority = 0, weight = 0, port, target } = record.data as SrvData;
    return [{ priority, weight, port, target }];
  }
  const address = typeof record.data === 'string' ? parseAddress(record.data) : undefined;
  return address === undefined ? [] : [address.text];
}

function inClass(record: Answer): record is Exclude<Answer, { type: 'OPT' }> {
  return record.type !== 'OPT' && record.class === 'IN';
}

/** RFC 2181 §8: with the topmost bit set it is none. */
function timeToLive({ ttl = 0 }: { readonly ttl?: number | undefined }): number {
  return ttl > 0x7fffffff ? 0 : ttl;
}
