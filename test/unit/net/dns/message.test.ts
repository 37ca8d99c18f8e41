import { encode, type Packet } from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DnsQuery } from '../../../../src/net/dns/answer.js';
import { dnsQuestion, readDnsReply } from '../../../../src/net/dns/message.js';
import { runs } from '../../../support/runs.js';

const SRV: DnsQuery = { type: 'SRV', name: '_sips._tcp.b.example' };
const A: DnsQuery = { type: 'A', name: 'sbc.b.example' };
const ID = 4711;
const [RA, AA, TC, AD] = [1 << 7, 1 << 10, 1 << 9, 1 << 5];

const soa = (minimum: number, ttl = 300) => ({
  type: 'SOA' as const,
  name: 'b.example',
  ttl,
  data: { mname: 'ns.b.example', rname: 'h.b.example', serial: 1, refresh: 1, retry: 1, expire: 1, minimum },
});
const address = (name: string, data: string, ttl = 60) => ({ type: 'A' as const, name, ttl, data });
const alias = (name: string, data: string, ttl = 60) => ({ type: 'CNAME' as const, name, ttl, data });

function message(query: DnsQuery, over: Packet & { rcode?: number } = {}): Buffer {
  const { rcode = 0, flags = 0, ...rest } = over;
  const questions = [{ type: query.type, name: query.name, class: 'IN' as const }];
  return encode({ type: 'response', id: ID, questions, ...rest, flags: flags | rcode });
}

describe('what a message says to a question', () => {
  const cases: readonly [name: string, query: DnsQuery, octets: Buffer, expected: object][] = [
    [
      'ok/records with the least TTL of the set',
      A,
      message(A, { answers: [address('SBC.b.example', '192.0.2.1', 60), address('sbc.b.example', '192.0.2.2', 30)] }),
      { kind: 'answer', answer: { kind: 'records', records: ['192.0.2.1', '192.0.2.2'], ttl: 30, authentic: false } },
    ],
    [
      'ok/the AD bit',
      A,
      message(A, { flags: AD, answers: [address('sbc.b.example', '192.0.2.1')] }),
      { answer: { authentic: true } },
    ],
    [
      'ok/an alias, with its TTL',
      A,
      message(A, { answers: [address('real.c.example', '192.0.2.1'), alias('sbc.b.example', 'real.c.example', 5)] }),
      { answer: { kind: 'records', records: ['192.0.2.1'], ttl: 5, aliased: true } },
    ],
    [
      'ok/records of other names, types and classes are not taken',
      A,
      message(A, {
        answers: [
          address('evil.example', '192.0.2.9'),
          { type: 'AAAA', name: 'sbc.b.example', ttl: 1, data: '2001:db8::9' },
          { ...address('sbc.b.example', '192.0.2.8', 1), class: 'CH' },
          address('sbc.b.example', '192.0.2.1'),
        ],
      }),
      { answer: { kind: 'records', records: ['192.0.2.1'], ttl: 60 } },
    ],
    [
      'ok/a TTL with the topmost bit is none',
      A,
      message(A, { answers: [address('sbc.b.example', '192.0.2.1', 0xffffffff)] }),
      { answer: { ttl: 0 } },
    ],
    ['ok/no such name', A, message(A, { rcode: 3, authorities: [soa(20)] }), { answer: { kind: 'none', ttl: 20 } }],
    ['ok/no such type', A, message(A, { authorities: [soa(900, 40)] }), { answer: { kind: 'none', ttl: 40 } }],
    ['ok/no such name, and nothing about its time', A, message(A, { rcode: 3 }), { answer: { kind: 'none', ttl: 0 } }],
    [
      'ok/SRV',
      SRV,
      message(SRV, {
        answers: [
          {
            type: 'SRV',
            name: SRV.name,
            ttl: 9,
            data: { priority: 1, weight: 2, port: 5061, target: 'sbc.b.example' },
          },
        ],
      }),
      { answer: { records: [{ priority: 1, weight: 2, port: 5061, target: 'sbc.b.example' }] } },
    ],
    ['ok/truncated', A, message(A, { flags: TC }), { kind: 'truncated' }],
    [
      'ok/truncated in the middle',
      A,
      message(A, { flags: TC, answers: [address('x.b.example', '192.0.2.1')] }).subarray(0, 40),
      { kind: 'truncated' },
    ],
    ['fail/SERVFAIL', A, message(A, { rcode: 2 }), { kind: 'refused', why: 'SERVFAIL' }],
    ['fail/REFUSED', A, message(A, { rcode: 5 }), { kind: 'refused', why: 'REFUSED' }],
    [
      'fail/an extended response code (BADVERS)',
      A,
      message(A, {
        additionals: [
          {
            ...{ type: 'OPT', name: '.', udpPayloadSize: 512, extendedRcode: 1, ednsVersion: 0 },
            flags: 0,
            flag_do: false,
            options: [],
          },
        ],
      }),
      { kind: 'refused', why: 'response code 16' },
    ],
    [
      'fail/an alias of nothing',
      A,
      message(A, { flags: RA, answers: [alias('sbc.b.example', 'real.c.example')] }),
      { kind: 'refused' },
    ],
    [
      'fail/aliases in a ring',
      A,
      message(A, { answers: [alias('sbc.b.example', 'x.b.example'), alias('x.b.example', 'sbc.b.example')] }),
      { kind: 'refused' },
    ],
    [
      'fail/a referral',
      A,
      message(A, { authorities: [{ type: 'NS', name: 'example', ttl: 1, data: 'ns.example' }] }),
      { kind: 'refused' },
    ],
    [
      'ok/an authority that has nothing, with NS beside',
      A,
      message(A, { flags: AA, authorities: [{ type: 'NS', name: 'b.example', ttl: 1, data: 'ns.b.example' }] }),
      { answer: { kind: 'none' } },
    ],
    ['fail/another id', A, message(A, { id: ID + 1 }), { kind: 'stranger' }],
    ['fail/another name', A, message({ ...A, name: 'evil.example' }), { kind: 'stranger' }],
    // U+212A lower-cases to k, but not in DNS.
    [
      'fail/a name that only Unicode takes for it',
      { type: 'A', name: 'k.b.example' },
      message({ type: 'A', name: '\u212a.b.example' }),
      { kind: 'stranger' },
    ],
    ['fail/another type', A, message({ ...A, type: 'AAAA' }), { kind: 'stranger' }],
    ['fail/no question', A, message(A, { questions: [] }), { kind: 'stranger' }],
    ['fail/a question', A, Buffer.from(dnsQuestion(ID, A)), { kind: 'stranger' }],
    ['fail/nothing', A, Buffer.alloc(0), { kind: 'stranger' }],
    ['fail/another operation', A, message(A, { flags: 4 << 11 }), { kind: 'stranger' }],
    [
      'fail/an answer that ends early',
      A,
      message(A, { answers: [address('x.b.example', '192.0.2.1')] }).subarray(0, 45),
      { kind: 'refused' },
    ],
  ];
  for (const [name, query, octets, expected] of cases) {
    test(name, () => expect(readDnsReply(octets, ID, query)).toMatchObject(expected));
  }

  test('ok/more records than anybody needs are cut', () => {
    const answers = Array.from({ length: 200 }, (_, at) => address('sbc.b.example', `192.0.2.${at}`));
    const reply = readDnsReply(message(A, { answers }), ID, A);
    expect(reply.kind === 'answer' && reply.answer.kind === 'records' && reply.answer.records).toHaveLength(64);
  });

  test('ok/the reader throws for no octets', () => {
    const header = Uint8Array.of(ID >> 8, ID & 0xff, 0x80, 0);
    const whole = message(A, { answers: [alias('sbc.b.example', 'r.b.example'), address('r.b.example', '192.0.2.1')] });
    const kinds = new Set(['stranger', 'truncated', 'refused', 'answer']);
    const read = (octets: Uint8Array) =>
      ([A, SRV, { type: 'NAPTR', name: 'b.example' }, { type: 'AAAA', name: A.name }] as const).every((query) =>
        kinds.has(readDnsReply(octets, ID, query).kind),
      );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), read));
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (rest) => read(Buffer.concat([header, rest]))));
    // A good message with some octets changed gets further in.
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 6 }), (changes) => {
        const octets = Buffer.from(whole);
        for (const [at, octet] of changes) octets[at] = octet;
        return read(octets);
      }),
      { numRuns: runs(250) },
    );
  });

  test('ok/a message on a view into a larger buffer', () => {
    const octets = message(A, { answers: [address('sbc.b.example', '192.0.2.1')] });
    const padded = Buffer.concat([Buffer.from('junk'), octets]);
    expect(readDnsReply(padded.subarray(4), ID, A)).toMatchObject({ kind: 'answer' });
  });
});

describe('bounds', () => {
  test.each([
    [500, 'answer'],
    [600, 'refused'],
  ])('%i records: %s', (count, kind) => {
    const answers = Array.from({ length: count }, () => ({ type: 'A', name: 'b.example', ttl: 60, data: '192.0.2.1' }));
    const questions = [{ type: 'A', name: 'b.example', class: 'IN' }];
    const octets = encode({ type: 'response', id: 7, questions, answers } as Packet);
    expect(readDnsReply(octets, 7, { type: 'A', name: 'b.example' }).kind).toBe(kind);
    expect(readDnsReply(octets, 8, { type: 'A', name: 'b.example' }).kind).toBe('stranger');
  });
});
