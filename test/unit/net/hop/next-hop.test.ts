import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DnsAnswer, DnsAnswers, DnsQuery, NaptrRecord, SrvRecord } from '../../../../src/net/dns/answer.js';
import { MAX_RECORDS, MAX_TTL } from '../../../../src/net/hop/lookups.js';
import { nextHops } from '../../../../src/net/hop/next-hop.js';
import type { NextHopAnswer, NextHopOptions, NextHopQuestion } from '../../../../src/net/hop/question.js';
import type { HopTransport } from '../../../../src/net/hop/transport.js';
import { runs } from '../../../support/runs.js';

type Trouble = 'failed' | 'bogus';

/** What the DNS of a case holds; a name that is not there does not exist. */
interface Zone {
  readonly NAPTR?: Readonly<Record<string, readonly NaptrRecord[] | Trouble>>;
  readonly SRV?: Readonly<Record<string, readonly SrvRecord[] | Trouble>>;
  readonly A?: Readonly<Record<string, readonly string[] | Trouble>>;
  readonly AAAA?: Readonly<Record<string, readonly string[] | Trouble>>;
}

const naptr = (order: number, preference: number, service: string, replacement: string, flags = 's'): NaptrRecord => ({
  order,
  preference,
  flags,
  service,
  regexp: '',
  replacement,
});
const srv = (target: string, port: number, priority = 10, weight = 0): SrvRecord => ({
  priority,
  weight,
  port,
  target,
});

const TTL = 600;
const NEGATIVE_TTL = 300;

/** Asks until the answer is there, as a resolver would. Every round must bring the answer nearer. */
function resolve(
  question: NextHopQuestion,
  zone: Zone,
  options: NextHopOptions,
): { readonly answer: NextHopAnswer; readonly asked: readonly string[]; readonly rounds: number } {
  const answers = { NAPTR: new Map(), SRV: new Map(), A: new Map(), AAAA: new Map() } satisfies DnsAnswers;
  const asked: string[] = [];
  for (let rounds = 0; rounds < 5; rounds++) {
    const step = nextHops(question, answers, options);
    if (step.kind === 'done') return { answer: step, asked, rounds };
    for (const query of step.queries) {
      expect(asked).not.toContain(`${query.type} ${query.name}`);
      asked.push(`${query.type} ${query.name}`);
      (answers[query.type] as Map<string, DnsAnswer>).set(query.name, lookup(zone, query));
    }
  }
  throw new Error('the choice does not end');
}

function lookup(zone: Zone, { type, name }: DnsQuery): DnsAnswer {
  const found = zone[type]?.[name];
  if (found === undefined) return { kind: 'none', ttl: NEGATIVE_TTL };
  if (found === 'failed' || found === 'bogus') return { kind: found, ttl: 5 };
  return { kind: 'records', records: found as never, ttl: TTL };
}

const OPTIONS: NextHopOptions = {
  transports: ['tls', 'tcp', 'udp'],
  families: ['A'],
  tls: 'optional',
  allowTlsFallback: false,
  tlsSeen: false,
  seed: 1,
};

const ADDRESSES = {
  'b.example': ['192.0.2.1'],
  'tls.b.example': ['192.0.2.10'],
  'tls2.b.example': ['192.0.2.11'],
  'udp.b.example': ['192.0.2.20'],
  'tcp.b.example': ['192.0.2.30'],
  'sctp.b.example': ['192.0.2.40'],
};
const ALL_SRV = {
  '_sips._tcp.b.example': [srv('tls.b.example', 5061)],
  '_sip._udp.b.example': [srv('udp.b.example', 5060)],
  '_sip._tcp.b.example': [srv('tcp.b.example', 5060)],
};
const FULL_NAPTR = [
  naptr(10, 10, 'SIPS+D2T', '_sips._tcp.b.example'),
  naptr(20, 10, 'SIP+D2T', '_sip._tcp.b.example'),
  naptr(30, 10, 'SIP+D2U', '_sip._udp.b.example'),
];
const FULL: Zone = { NAPTR: { 'b.example': FULL_NAPTR }, SRV: ALL_SRV, A: ADDRESSES };

interface Case {
  readonly name: string;
  /** As in a URI: `sips:b.example;transport=tcp`, `sip:[2001:db8::1]:5061`. */
  readonly to: string;
  readonly zone?: Zone;
  readonly options?: Partial<NextHopOptions>;
  /** `transport address:port`, with `!` where the target is a marked fallback. */
  readonly targets: readonly string[];
  readonly tls: 'yes' | 'no' | 'unknown';
  readonly codes?: readonly string[];
  readonly asked?: readonly string[];
}

function questionOf(text: string): NextHopQuestion {
  const [, scheme, literal, name, port, transport] =
    /^(sips?):(?:\[([^\]]+)\]|([^:;]+))(?::(\d+))?(?:;transport=(.+))?$/.exec(text) ?? [];
  const host = literal ?? name ?? '';
  return {
    scheme: scheme as 'sip' | 'sips',
    host: literal || /^[\d.]+$/.test(host) ? { kind: 'ip', address: host } : { kind: 'domain', name: host },
    port: port === undefined ? undefined : Number(port),
    transport,
  };
}

const NUMERIC: readonly Case[] = [
  { name: 'N-2 address, sip: UDP', to: 'sip:192.0.2.1', targets: ['udp 192.0.2.1:5060'], tls: 'unknown', asked: [] },
  { name: 'N-2 address, sips: TLS', to: 'sips:192.0.2.1', targets: ['tls 192.0.2.1:5061'], tls: 'yes', asked: [] },
  {
    name: 'N-2 IPv6 and port',
    to: 'sip:[2001:db8::1]:5070',
    targets: ['udp 2001:db8::1:5070'],
    tls: 'unknown',
    asked: [],
  },
  {
    name: 'N-1 address and transport',
    to: 'sip:192.0.2.1;transport=tcp',
    targets: ['tcp 192.0.2.1:5060'],
    tls: 'unknown',
    asked: [],
  },
  {
    name: 'N-1 deprecated transport=tls',
    to: 'sip:192.0.2.1;transport=TLS',
    targets: ['tls 192.0.2.1:5061'],
    tls: 'yes',
    asked: [],
  },
  {
    name: 'N-1 sips and deprecated transport=tls',
    to: 'sips:192.0.2.1;transport=tls',
    targets: ['tls 192.0.2.1:5061'],
    tls: 'yes',
    asked: [],
  },
  {
    name: 'N-12 address, TLS required',
    to: 'sip:192.0.2.1',
    options: { tls: 'required' },
    targets: ['tls 192.0.2.1:5061'],
    tls: 'yes',
    asked: [],
  },
  {
    name: 'N-2 port: no NAPTR, no SRV',
    to: 'sip:b.example:5080',
    zone: FULL,
    targets: ['udp 192.0.2.1:5080'],
    tls: 'unknown',
    asked: ['A b.example'],
  },
  {
    name: 'N-2 port, sips',
    to: 'sips:b.example:5081',
    zone: FULL,
    targets: ['tls 192.0.2.1:5081'],
    tls: 'yes',
    asked: ['A b.example'],
  },
  {
    name: 'N-2 port and transport',
    to: 'sip:b.example:5080;transport=tcp',
    zone: FULL,
    targets: ['tcp 192.0.2.1:5080'],
    tls: 'unknown',
  },
  {
    name: 'sips over UDP does not exist',
    to: 'sips:b.example;transport=udp',
    zone: FULL,
    targets: [],
    tls: 'yes',
    codes: ['no-next-hop', 'no-next-hop'],
    asked: [],
  },
  {
    name: 'TLS required over UDP does not exist',
    to: 'sip:192.0.2.1;transport=udp',
    options: { tls: 'required' },
    targets: [],
    tls: 'yes',
    codes: ['no-next-hop', 'no-next-hop'],
  },
  {
    name: 'unknown transport',
    to: 'sip:192.0.2.1;transport=quic',
    targets: [],
    tls: 'unknown',
    codes: ['no-next-hop', 'no-next-hop'],
  },
  {
    name: 'a transport that we have not',
    to: 'sip:192.0.2.1;transport=sctp',
    targets: [],
    tls: 'unknown',
    codes: ['no-next-hop', 'no-next-hop'],
  },
  {
    name: 'we have TLS only',
    to: 'sip:192.0.2.1',
    options: { transports: ['tls'] },
    targets: ['tls 192.0.2.1:5061'],
    tls: 'unknown',
  },
];

const BY_TRANSPORT: readonly Case[] = [
  {
    name: 'N-1 SRV of the transport',
    to: 'sip:b.example;transport=tcp',
    zone: FULL,
    targets: ['tcp 192.0.2.30:5060'],
    tls: 'unknown',
    asked: ['SRV _sip._tcp.b.example', 'A tcp.b.example'],
  },
  {
    name: 'N-1 sips and transport=tcp is TLS',
    to: 'sips:b.example;transport=tcp',
    zone: FULL,
    targets: ['tls 192.0.2.10:5061'],
    tls: 'yes',
    asked: ['SRV _sips._tcp.b.example', 'A tls.b.example'],
  },
  {
    name: 'N-1 transport=tls',
    to: 'sip:b.example;transport=tls',
    zone: FULL,
    targets: ['tls 192.0.2.10:5061'],
    tls: 'yes',
  },
  {
    name: 'N-12 transport=tcp, TLS required',
    to: 'sip:b.example;transport=tcp',
    zone: FULL,
    options: { tls: 'required' },
    targets: ['tls 192.0.2.10:5061'],
    tls: 'yes',
  },
  {
    name: 'N-1 no SRV: address and default port',
    to: 'sips:b.example;transport=tcp',
    zone: { A: ADDRESSES },
    targets: ['tls 192.0.2.1:5061'],
    tls: 'yes',
  },
  {
    name: 'N-8 TLS decidedly not available',
    to: 'sips:b.example;transport=tcp',
    zone: { SRV: { '_sips._tcp.b.example': [srv('.', 0)] }, A: ADDRESSES },
    targets: [],
    tls: 'no',
    codes: ['tls-downgrade', 'no-next-hop'],
  },
  {
    name: 'N-3 SCTP with TLS',
    to: 'sips:b.example;transport=sctp',
    zone: { SRV: { '_sips._sctp.b.example': [srv('sctp.b.example', 5061)] }, A: ADDRESSES },
    options: { transports: ['tls-sctp'] },
    targets: ['tls-sctp 192.0.2.40:5061'],
    tls: 'yes',
  },
  {
    name: 'a failed SRV question is no permission for the default port',
    to: 'sip:b.example;transport=tcp',
    zone: { SRV: { '_sip._tcp.b.example': 'failed' }, A: ADDRESSES },
    targets: [],
    tls: 'unknown',
    codes: ['dns-failed', 'no-next-hop'],
  },
];

/** The zone with other NAPTR records of b.example. */
function withNaptr(...records: readonly NaptrRecord[]): Zone {
  return { ...FULL, NAPTR: { 'b.example': records } };
}

const BY_NAPTR: readonly Case[] = [
  {
    name: 'N-5 lowest order',
    to: 'sip:b.example',
    zone: FULL,
    targets: ['tls 192.0.2.10:5061'],
    tls: 'yes',
    asked: ['NAPTR b.example', 'SRV _sips._tcp.b.example', 'A tls.b.example'],
  },
  {
    name: 'N-5 lowest order, although TLS comes later',
    to: 'sip:b.example',
    zone: withNaptr(naptr(10, 10, 'SIP+D2U', '_sip._udp.b.example'), naptr(20, 10, 'SIPS+D2T', '_sips._tcp.b.example')),
    targets: ['udp 192.0.2.20:5060'],
    tls: 'yes',
  },
  {
    name: 'N-12 the same, TLS required',
    to: 'sip:b.example',
    zone: withNaptr(naptr(10, 10, 'SIP+D2U', '_sip._udp.b.example'), naptr(20, 10, 'SIPS+D2T', '_sips._tcp.b.example')),
    options: { tls: 'required' },
    targets: ['tls 192.0.2.10:5061'],
    tls: 'yes',
  },
  {
    name: 'N-4 sips discards what is not SIPS',
    to: 'sips:b.example',
    zone: withNaptr(naptr(10, 10, 'SIP+D2U', '_sip._udp.b.example'), naptr(20, 10, 'SIPS+D2T', '_sips._tcp.b.example')),
    targets: ['tls 192.0.2.10:5061'],
    tls: 'yes',
  },
  {
    name: 'N-5 preference within an order; the worse one is the next target',
    to: 'sip:b.example',
    zone: withNaptr(naptr(10, 20, 'SIP+D2U', '_sip._udp.b.example'), naptr(10, 10, 'SIP+D2T', '_sip._tcp.b.example')),
    targets: ['tcp 192.0.2.30:5060', 'udp 192.0.2.20:5060'],
    tls: 'yes',
    asked: [
      'NAPTR b.example',
      'SRV _sips._tcp.b.example',
      'SRV _sip._tcp.b.example',
      'SRV _sip._udp.b.example',
      'A tcp.b.example',
      'A udp.b.example',
    ],
  },
  {
    name: 'N-9 nothing less secure after TLS',
    to: 'sip:b.example',
    zone: withNaptr(naptr(10, 10, 'SIPS+D2T', '_sips._tcp.b.example'), naptr(10, 20, 'SIP+D2U', '_sip._udp.b.example')),
    targets: ['tls 192.0.2.10:5061'],
    tls: 'yes',
    codes: ['dns-ignored'],
  },
  {
    name: 'N-9 nothing less secure even where the records of TLS are suppressed',
    to: 'sip:b.example',
    zone: {
      NAPTR: {
        'b.example': [
          naptr(10, 10, 'SIPS+D2T', '_sips._tcp.b.example'),
          naptr(10, 20, 'SIP+D2U', '_sip._udp.b.example'),
        ],
      },
      SRV: { ...ALL_SRV, '_sips._tcp.b.example': 'failed' },
      A: ADDRESSES,
    },
    targets: [],
    tls: 'yes',
    codes: ['dns-ignored', 'dns-failed', 'no-next-hop'],
  },
  {
    name: 'N-9 with allowTlsFallback, marked',
    to: 'sip:b.example',
    zone: withNaptr(naptr(10, 10, 'SIPS+D2T', '_sips._tcp.b.example'), naptr(10, 20, 'SIP+D2U', '_sip._udp.b.example')),
    options: { allowTlsFallback: true },
    targets: ['tls 192.0.2.10:5061', 'udp 192.0.2.20:5060!'],
    tls: 'yes',
  },
  {
    name: 'N-9 TLS after something less secure is no fallback',
    to: 'sip:b.example',
    zone: withNaptr(naptr(10, 10, 'SIP+D2U', '_sip._udp.b.example'), naptr(10, 20, 'SIPS+D2T', '_sips._tcp.b.example')),
    targets: ['udp 192.0.2.20:5060', 'tls 192.0.2.10:5061'],
    tls: 'yes',
  },
  {
    name: 'N-4 services that we have not are discarded, the next order counts',
    to: 'sip:b.example',
    zone: withNaptr(
      naptr(5, 1, 'SIP+D2S', '_sip._sctp.b.example'),
      naptr(6, 1, 'SIPS+D2S', '_sips._sctp.b.example'),
      naptr(30, 1, 'SIP+D2U', '_sip._udp.b.example'),
    ),
    targets: ['udp 192.0.2.20:5060'],
    tls: 'yes',
  },
  {
    name: 'only services that we have not',
    to: 'sip:b.example',
    zone: { ...FULL, NAPTR: { 'b.example': [naptr(5, 1, 'SIPS+D2S', '_sips._sctp.b.example')] } },
    targets: [],
    tls: 'yes',
    codes: ['no-next-hop'],
  },
  {
    name: 'service and flag in any case, final dot',
    to: 'sip:b.example',
    zone: { ...FULL, NAPTR: { 'b.example': [naptr(10, 10, 'sips+d2t', '_SIPS._TCP.b.example.', 'S')] } },
    targets: ['tls 192.0.2.10:5061'],
    tls: 'yes',
  },
  {
    name: 'O-3 a replacement elsewhere does not change the reference',
    to: 'sip:b.example',
    zone: {
      NAPTR: { 'b.example': [naptr(10, 10, 'SIPS+D2T', '_sips._tcp.hoster.example')] },
      SRV: { '_sips._tcp.hoster.example': [srv('sbc.hoster.example', 5061)] },
      A: { 'sbc.hoster.example': ['203.0.113.1'] },
    },
    targets: ['tls 203.0.113.1:5061'],
    tls: 'yes',
  },
  {
    name: 'other applications in NAPTR: as if there were none',
    to: 'sip:b.example',
    zone: withNaptr(naptr(1, 1, 'E2U+sip', 'x.b.example', 'u'), naptr(1, 1, 'SIPFOO', 'x.b.example')),
    targets: ['tls 192.0.2.10:5061'],
    tls: 'yes',
    codes: ['dns-ignored', 'dns-ignored'],
  },
  {
    name: 'N-5 SIPS+D2U and broken records are ignored and told',
    to: 'sip:b.example',
    zone: withNaptr(
      naptr(1, 1, 'SIPS+D2U', '_sips._udp.b.example'),
      naptr(1, 2, 'SIPS+D2T', 'tls.b.example', 'a'),
      naptr(1, 3, 'SIPS+D2T', '.'),
      { ...naptr(1, 4, 'SIPS+D2T', '_sips._tcp.b.example'), regexp: '!.*!sip:x@b.example!' },
      naptr(1, 5, 'SIPS+D2T', 'bad name\n'),
      naptr(9, 9, 'SIP+D2U', '_sip._udp.b.example'),
    ),
    targets: ['udp 192.0.2.20:5060'],
    tls: 'yes',
    codes: ['dns-ignored', 'dns-ignored', 'dns-ignored', 'dns-ignored', 'dns-ignored'],
  },
  {
    name: 'NAPTR names a service without SRV records: the addresses of the domain',
    to: 'sip:b.example',
    zone: { NAPTR: { 'b.example': FULL_NAPTR }, A: ADDRESSES },
    targets: ['tls 192.0.2.1:5061'],
    tls: 'yes',
  },
  {
    name: 'NAPTR fails: SRV',
    to: 'sip:b.example',
    zone: { ...FULL, NAPTR: { 'b.example': 'failed' } },
    targets: ['tls 192.0.2.10:5061'],
    tls: 'yes',
    codes: ['dns-failed', 'dns-ignored', 'dns-ignored'],
  },
  {
    name: 'NAPTR fails, and SRV has no TLS: who kept it from us may have kept TLS from us',
    to: 'sip:b.example',
    zone: {
      NAPTR: { 'b.example': 'failed' },
      SRV: { '_sip._udp.b.example': [srv('udp.b.example', 5060)] },
      A: ADDRESSES,
    },
    options: { tlsSeen: true },
    targets: ['udp 192.0.2.20:5060'],
    tls: 'unknown',
    codes: ['dns-failed', 'tls-downgrade'],
  },
  {
    name: 'N-11 no answer at all is no downgrade',
    to: 'sip:b.example',
    zone: {
      NAPTR: { 'b.example': 'failed' },
      SRV: { '_sips._tcp.b.example': 'failed', '_sip._tcp.b.example': 'failed', '_sip._udp.b.example': 'failed' },
    },
    options: { tlsSeen: true },
    targets: [],
    tls: 'unknown',
    codes: ['dns-failed', 'dns-failed', 'dns-failed', 'dns-failed', 'no-next-hop'],
  },
  {
    name: 'the preferred SRV records count, wherever they stand among too many',
    to: 'sip:b.example;transport=udp',
    zone: {
      SRV: {
        '_sip._udp.b.example': [
          ...Array.from({ length: 40 }, (_, at) => srv(`h${at}.b.example`, 5060, 20)),
          srv('udp.b.example', 5060, 1),
        ],
      },
      A: ADDRESSES,
    },
    targets: ['udp 192.0.2.20:5060'],
    tls: 'unknown',
    codes: ['dns-ignored'],
  },
  {
    name: 'NAPTR records of other applications push none of SIP out',
    to: 'sip:b.example',
    zone: {
      ...FULL,
      NAPTR: { 'b.example': [...Array.from({ length: 40 }, (_, at) => naptr(at, 1, 'E2U+sip', '.')), ...FULL_NAPTR] },
    },
    targets: ['tls 192.0.2.10:5061'],
    tls: 'yes',
  },
  {
    name: 'N-14 NAPTR bogus: nothing',
    to: 'sip:b.example',
    zone: { ...FULL, NAPTR: { 'b.example': 'bogus' } },
    targets: [],
    tls: 'unknown',
    codes: ['dns-failed', 'no-next-hop'],
  },
  {
    name: 'N-14 SRV bogus: nothing',
    to: 'sip:b.example',
    zone: { ...FULL, SRV: { ...ALL_SRV, '_sips._tcp.b.example': 'bogus' } },
    targets: [],
    tls: 'yes',
    codes: ['dns-failed', 'no-next-hop'],
  },
];

const UDP_NAPTR: Zone = {
  NAPTR: { 'b.example': [naptr(10, 10, 'SIP+D2U', '_sip._udp.b.example')] },
  SRV: { '_sip._udp.b.example': [srv('udp.b.example', 5060)] },
  A: ADDRESSES,
};

const DOWNGRADE: readonly Case[] = [
  {
    name: '7.2 NAPTR without SIPS, no _sips SRV: no TLS',
    to: 'sip:b.example',
    zone: UDP_NAPTR,
    targets: ['udp 192.0.2.20:5060'],
    tls: 'no',
  },
  {
    name: 'T-8 SIPS records removed, TLS required: nothing is sent',
    to: 'sip:b.example',
    zone: UDP_NAPTR,
    options: { tls: 'required' },
    targets: [],
    tls: 'no',
    codes: ['tls-downgrade', 'no-next-hop'],
  },
  {
    name: 'T-8 the same for sips',
    to: 'sips:b.example',
    zone: UDP_NAPTR,
    targets: [],
    tls: 'no',
    codes: ['tls-downgrade', 'no-next-hop'],
  },
  {
    name: 'N-11 TLS seen before, gone now',
    to: 'sip:b.example',
    zone: UDP_NAPTR,
    options: { tlsSeen: true },
    targets: ['udp 192.0.2.20:5060'],
    tls: 'no',
    codes: ['tls-downgrade'],
  },
  {
    name: 'N-11 TLS seen before, all records gone',
    to: 'sip:b.example',
    zone: { A: ADDRESSES },
    options: { tlsSeen: true },
    targets: ['udp 192.0.2.1:5060'],
    tls: 'unknown',
    codes: ['tls-downgrade'],
  },
  {
    name: 'N-11 TLS seen before, and still there',
    to: 'sip:b.example',
    zone: FULL,
    options: { tlsSeen: true },
    targets: ['tls 192.0.2.10:5061'],
    tls: 'yes',
  },
  {
    name: 'N-11 says nothing where DNS is not asked',
    to: 'sip:b.example:5060',
    zone: FULL,
    options: { tlsSeen: true },
    targets: ['udp 192.0.2.1:5060'],
    tls: 'unknown',
  },
  {
    name: '7.2 NAPTR without SIPS, yet a _sips SRV: TLS is offered, the choice stays',
    to: 'sip:b.example',
    zone: { ...UDP_NAPTR, SRV: ALL_SRV },
    targets: ['udp 192.0.2.20:5060'],
    tls: 'yes',
  },
  {
    name: '7.2 the same, TLS required',
    to: 'sip:b.example',
    zone: { ...UDP_NAPTR, SRV: ALL_SRV },
    options: { tls: 'required' },
    targets: ['tls 192.0.2.10:5061'],
    tls: 'yes',
  },
  {
    name: '7.2 NAPTR without SIPS, _sips SRV suppressed: unknown, and TLS required gets nothing',
    to: 'sip:b.example',
    zone: { ...UDP_NAPTR, SRV: { '_sips._tcp.b.example': 'failed' } },
    options: { tls: 'required' },
    targets: [],
    tls: 'yes',
    codes: ['dns-failed', 'no-next-hop'],
  },
  {
    name: 'T-8 with TLS required only TLS is tried, whatever DNS says',
    to: 'sip:b.example',
    zone: { SRV: { '_sip._udp.b.example': [srv('udp.b.example', 5060)] }, A: ADDRESSES },
    options: { tls: 'required', tlsSeen: true },
    targets: ['tls 192.0.2.1:5061'],
    tls: 'yes',
    codes: ['tls-downgrade'],
  },
];

const BY_SRV: readonly Case[] = [
  {
    name: 'N-6 no NAPTR: SRV in our own order, TLS first',
    to: 'sip:b.example',
    zone: { SRV: ALL_SRV, A: ADDRESSES },
    targets: ['tls 192.0.2.10:5061'],
    tls: 'yes',
    codes: ['dns-ignored', 'dns-ignored'],
    asked: [
      'NAPTR b.example',
      'SRV _sips._tcp.b.example',
      'SRV _sip._tcp.b.example',
      'SRV _sip._udp.b.example',
      'A tls.b.example',
    ],
  },
  {
    name: 'N-6 UDP first by our own order, TLS next',
    to: 'sip:b.example',
    zone: { SRV: ALL_SRV, A: ADDRESSES },
    options: { transports: ['udp', 'tls', 'tcp'] },
    targets: ['udp 192.0.2.20:5060', 'tls 192.0.2.10:5061'],
    tls: 'yes',
    codes: ['dns-ignored'],
  },
  {
    name: 'N-9 with allowTlsFallback, marked',
    to: 'sip:b.example',
    zone: { SRV: ALL_SRV, A: ADDRESSES },
    options: { allowTlsFallback: true },
    targets: ['tls 192.0.2.10:5061', 'tcp 192.0.2.30:5060!', 'udp 192.0.2.20:5060!'],
    tls: 'yes',
  },
  {
    name: 'N-6 sips asks for TLS alone',
    to: 'sips:b.example',
    zone: { SRV: ALL_SRV, A: ADDRESSES },
    targets: ['tls 192.0.2.10:5061'],
    tls: 'yes',
    asked: ['NAPTR b.example', 'SRV _sips._tcp.b.example', 'A tls.b.example'],
  },
  {
    name: 'N-6 without TLS of our own we still learn that it is offered',
    to: 'sip:b.example',
    zone: { SRV: ALL_SRV, A: ADDRESSES },
    options: { transports: ['udp'] },
    targets: ['udp 192.0.2.20:5060'],
    tls: 'yes',
    asked: ['NAPTR b.example', 'SRV _sip._udp.b.example', 'SRV _sips._tcp.b.example', 'A udp.b.example'],
  },
  {
    name: 'SRV without TLS: none',
    to: 'sip:b.example',
    zone: { SRV: { '_sip._udp.b.example': [srv('udp.b.example', 5060)] }, A: ADDRESSES },
    targets: ['udp 192.0.2.20:5060'],
    tls: 'no',
  },
  {
    name: 'N-8 TLS decidedly not available, UDP is',
    to: 'sip:b.example',
    zone: {
      SRV: { '_sips._tcp.b.example': [srv('.', 0)], '_sip._udp.b.example': [srv('udp.b.example', 5060)] },
      A: ADDRESSES,
    },
    targets: ['udp 192.0.2.20:5060'],
    tls: 'no',
  },
  {
    name: 'N-8 TLS decidedly not available, TLS required',
    to: 'sip:b.example',
    zone: { SRV: { '_sips._tcp.b.example': [srv('.', 0)] }, A: ADDRESSES },
    options: { tls: 'required' },
    targets: [],
    tls: 'no',
    codes: ['tls-downgrade', 'no-next-hop'],
  },
  {
    name: 'N-8 nothing available: no fall to the address',
    to: 'sip:b.example',
    zone: { SRV: { '_sip._udp.b.example': [srv('.', 0)] }, A: ADDRESSES },
    targets: [],
    tls: 'no',
    codes: ['no-next-hop'],
  },
  {
    name: 'N-7 no SRV: UDP to the address',
    to: 'sip:b.example',
    zone: { A: ADDRESSES },
    targets: ['udp 192.0.2.1:5060'],
    tls: 'unknown',
  },
  {
    name: 'N-7 no SRV, sips: TLS to the address',
    to: 'sips:b.example',
    zone: { A: ADDRESSES },
    targets: ['tls 192.0.2.1:5061'],
    tls: 'yes',
  },
  {
    name: 'N-7 no SRV, and UDP is not ours',
    to: 'sip:b.example',
    zone: { A: ADDRESSES },
    options: { transports: ['tls', 'tcp'] },
    targets: ['tcp 192.0.2.1:5060'],
    tls: 'unknown',
  },
  {
    name: 'N-7 no SRV, and only TLS is ours',
    to: 'sip:b.example',
    zone: { A: ADDRESSES },
    options: { transports: ['tls'] },
    targets: ['tls 192.0.2.1:5061'],
    tls: 'unknown',
  },
  {
    name: 'sips, and TLS is not ours',
    to: 'sips:b.example',
    zone: { SRV: ALL_SRV, A: ADDRESSES },
    options: { transports: ['udp', 'tcp'] },
    targets: [],
    tls: 'yes',
    codes: ['no-next-hop'],
  },
  {
    name: 'all questions fail',
    to: 'sip:b.example',
    zone: {
      NAPTR: { 'b.example': 'failed' },
      SRV: { '_sips._tcp.b.example': 'failed', '_sip._tcp.b.example': 'failed', '_sip._udp.b.example': 'failed' },
    },
    targets: [],
    tls: 'unknown',
    codes: ['dns-failed', 'dns-failed', 'dns-failed', 'dns-failed', 'no-next-hop'],
  },
  { name: 'nothing exists', to: 'sip:nowhere.example', targets: [], tls: 'unknown', codes: ['no-next-hop'] },
  {
    name: 'priorities in order',
    to: 'sips:b.example',
    zone: {
      SRV: { '_sips._tcp.b.example': [srv('tls2.b.example', 5062, 20), srv('tls.b.example', 5061, 10)] },
      A: ADDRESSES,
    },
    targets: ['tls 192.0.2.10:5061', 'tls 192.0.2.11:5062'],
    tls: 'yes',
  },
  {
    name: 'targets that are no host names, port 0',
    to: 'sips:b.example',
    zone: {
      SRV: {
        '_sips._tcp.b.example': [
          srv('192.0.2.77', 5061),
          srv('bad host', 5061),
          srv('tls.b.example', 0),
          srv('TLS.b.example.', 5061),
        ],
      },
      A: ADDRESSES,
    },
    targets: ['tls 192.0.2.10:5061'],
    tls: 'yes',
    codes: ['dns-ignored', 'dns-ignored', 'dns-ignored'],
  },
];

const DUAL: Zone = {
  SRV: { '_sips._tcp.b.example': [srv('tls.b.example', 5061, 10), srv('tls2.b.example', 5061, 20)] },
  A: { 'tls.b.example': ['192.0.2.10'], 'tls2.b.example': ['192.0.2.11'] },
  AAAA: { 'tls.b.example': ['2001:db8::10', '2001:DB8::10'], 'tls2.b.example': ['2001:db8::11'] },
};
const SIX_FIRST = { families: ['AAAA', 'A'] } as const;

const FAMILIES: readonly Case[] = [
  {
    name: 'N-10 both families, order of SRV kept',
    to: 'sips:b.example',
    zone: DUAL,
    options: SIX_FIRST,
    targets: ['tls 2001:db8::10:5061', 'tls 192.0.2.10:5061', 'tls 2001:db8::11:5061', 'tls 192.0.2.11:5061'],
    tls: 'yes',
  },
  {
    name: 'N-10 only one family is usable',
    to: 'sips:b.example',
    zone: DUAL,
    targets: ['tls 192.0.2.10:5061', 'tls 192.0.2.11:5061'],
    tls: 'yes',
  },
  {
    name: 'N-10 one family fails',
    to: 'sips:b.example',
    zone: { ...DUAL, AAAA: { 'tls.b.example': 'failed', 'tls2.b.example': 'failed' } },
    options: SIX_FIRST,
    targets: ['tls 192.0.2.10:5061', 'tls 192.0.2.11:5061'],
    tls: 'yes',
    codes: ['dns-failed', 'dns-failed'],
  },
  {
    name: 'N-15 a bogus address takes its host out',
    to: 'sips:b.example',
    zone: { ...DUAL, AAAA: { ...DUAL.AAAA, 'tls.b.example': 'bogus' } },
    options: SIX_FIRST,
    targets: ['tls 2001:db8::11:5061', 'tls 192.0.2.11:5061'],
    tls: 'yes',
    codes: ['dns-failed'],
  },
  {
    name: 'text that is no address',
    to: 'sip:b.example:5060',
    zone: { A: { 'b.example': ['192.0.2.1', 'x', '192.0.2.1'] } },
    targets: ['udp 192.0.2.1:5060'],
    tls: 'unknown',
  },
];

describe.each([
  ['an address or a port', NUMERIC],
  ['a transport', BY_TRANSPORT],
  ['NAPTR', BY_NAPTR],
  ['downgrade', DOWNGRADE],
  ['SRV', BY_SRV],
  ['address families', FAMILIES],
])('nextHops: %s', (_, cases) => {
  for (const { name, to, zone = {}, options = {}, targets, tls, codes = [], asked } of cases) {
    test(`${targets.length > 0 ? 'ok' : 'fail'}/${name}`, () => {
      const question = questionOf(to);
      const { answer, asked: questions, rounds } = resolve(question, zone, { ...OPTIONS, ...options });
      expect(
        answer.targets.map(
          (target) => `${target.transport} ${target.address}:${target.port}${target.fallback ? '!' : ''}`,
        ),
      ).toEqual(targets);
      expect(answer.tls).toBe(tls);
      expect(answer.findings.map(({ code }) => code)).toEqual(codes);
      if (asked) expect(questions).toEqual(asked);
      expect(rounds).toBeLessThanOrEqual(4);
      for (const target of answer.targets)
        expect(target.reference).toBe(question.host.kind === 'domain' ? question.host.name : undefined);
    });
  }
});

describe('time to live', () => {
  test('ok/the least of all answers that counted', () => {
    expect(resolve(questionOf('sip:b.example'), FULL, OPTIONS).answer.ttl).toBe(TTL);
    expect(resolve(questionOf('sip:b.example'), { A: ADDRESSES }, OPTIONS).answer.ttl).toBe(NEGATIVE_TTL);
    expect(
      resolve(questionOf('sip:b.example'), { ...FULL, NAPTR: { 'b.example': 'failed' } }, OPTIONS).answer.ttl,
    ).toBe(5);
    expect(resolve(questionOf('sip:192.0.2.1'), {}, OPTIONS).answer.ttl).toBe(MAX_TTL);
  });
});

describe('bounds', () => {
  test('ok/a zone of a thousand records does not ask a thousand questions', () => {
    const many = Array.from({ length: 1_000 }, (_, at) => srv(`h${at}.b.example`, 5061));
    const { answer, asked } = resolve(questionOf('sips:b.example'), { SRV: { '_sips._tcp.b.example': many } }, OPTIONS);
    expect(asked.length).toBeLessThanOrEqual(MAX_RECORDS + 2);
    expect(answer.findings.map(({ code }) => code)).toEqual(['dns-ignored', 'no-next-hop']);
  });

  test('ok/many NAPTR records before it do not hide that TLS is on offer', () => {
    const many = Array.from({ length: 20 }, (_, at) => naptr(1, at, 'SIP+D2U', '_sip._udp.b.example'));
    const zone: Zone = { ...FULL, NAPTR: { 'b.example': [...many, naptr(2, 1, 'SIPS+D2T', '_x.b.example')] } };
    const x: Zone = { ...zone, SRV: { '_sip._udp.b.example': 'failed', '_x.b.example': [srv('tls.b.example', 5061)] } };
    expect(resolve(questionOf('sip:b.example'), x, OPTIONS).answer).toMatchObject({ tls: 'yes', tlsOffered: true });
    const { answer } = resolve(questionOf('sip:b.example'), x, { ...OPTIONS, tls: 'required' });
    expect(answer.targets.map(({ address }) => address)).toEqual(['192.0.2.10']);
  });

  test.each(['0.0.0.0', '0.1.2.3', '255.255.255.255', '224.0.1.75', '::', '::ffff:0.0.0.0', 'ff02::1'])(
    'fail/%s is the address of no host, whoever says it',
    (address) => {
      const options = { ...OPTIONS, families: ['A', 'AAAA'] } as const;
      const by = address.includes(':') ? 'AAAA' : 'A';
      const zone: Zone = { ...FULL, A: {}, [by]: { 'tls.b.example': [address] } };
      const { answer } = resolve(questionOf('sips:b.example'), zone, options);
      expect(answer.targets).toEqual([]);
      expect(answer.findings[0]).toMatchObject({ code: 'dns-ignored' });
      const literal = resolve(questionOf(by === 'A' ? `sip:${address}` : `sip:[${address}]`), {}, options).answer;
      expect(literal.targets).toEqual([]);
      expect(literal.findings[0]).toMatchObject({ code: 'no-next-hop', detail: expect.stringContaining('of a host') });
    },
  );

  test('ok/messages show nothing but printable text of a zone', () => {
    const zone: Zone = {
      NAPTR: { 'b.example': [naptr(1, 1, `SIPS+\x1b[31m${'x'.repeat(500)}`, 'x')] },
      SRV: { '_sips._tcp.b.example': [srv('\r\nX: y', 5061)] },
    };
    for (const { detail } of resolve(questionOf('sips:b.example'), zone, OPTIONS).answer.findings) {
      expect(detail).toMatch(/^[\x20-\x7e]{1,400}$/);
    }
  });
});

describe('properties', () => {
  const transports: readonly HopTransport[] = ['udp', 'tcp', 'tls', 'sctp', 'tls-sctp', 'ws', 'wss'];
  const trouble = fc.constantFrom<Trouble>('failed', 'bogus');
  const owners = ['_sips._tcp.b.example', '_sip._udp.b.example', '_sip._tcp.b.example', '_sips._sctp.b.example'];
  const record = fc
    .tuple(
      fc.integer({ min: 1, max: 2 }),
      fc.integer({ min: 1, max: 3 }),
      fc.constantFrom('SIPS+D2T', 'SIP+D2U', 'SIP+D2T', 'SIPS+D2S', 'SIPS+D2U', 'X'),
      fc.constantFrom(...owners),
    )
    .map(([order, preference, service, replacement]) => naptr(order, preference, service, replacement));
  const hosts = ['b.example', 'tls.b.example', 'udp.b.example'];
  const srvRecord = fc
    .tuple(fc.constantFrom('.', ...hosts), fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 }))
    .map(([target, priority, weight]) => srv(target, 5061, priority, weight));
  const dictionary = <T>(keys: readonly string[], value: fc.Arbitrary<T>) =>
    fc.dictionary(fc.constantFrom(...keys), value);
  const zone = fc.record({
    NAPTR: dictionary(['b.example'], fc.oneof(fc.array(record, { maxLength: 5 }), trouble)),
    SRV: dictionary(owners, fc.oneof(fc.array(srvRecord, { minLength: 1, maxLength: 4 }), trouble)),
    A: dictionary(hosts, fc.oneof(fc.array(fc.ipV4(), { minLength: 1, maxLength: 2 }), trouble)),
  });
  const options = fc.record({
    transports: fc.shuffledSubarray([...transports]),
    families: fc.constant(['A', 'AAAA'] as const),
    tls: fc.constantFrom<'optional' | 'required'>('optional', 'required'),
    allowTlsFallback: fc.boolean(),
    tlsSeen: fc.boolean(),
    seed: fc.integer(),
  });
  const to = fc.constantFrom(
    'sip:b.example',
    'sips:b.example',
    'sip:b.example;transport=tcp',
    'sips:b.example;transport=tcp',
    'sip:b.example:5060',
    'sips:192.0.2.1',
  );

  test('ok/whatever DNS says: TLS is kept where it is demanded, and nothing less secure follows it unmarked', () => {
    fc.assert(
      fc.property(to, zone, options, (text, records, chosen) => {
        const { answer } = resolve(questionOf(text), records, chosen);
        if (text.startsWith('sips:') || chosen.tls === 'required') {
          expect(answer.targets.every(({ secure }) => secure)).toBe(true);
          if (answer.tls === 'no') expect(answer.targets).toEqual([]);
        }
        const first = answer.targets.findIndex(({ secure }) => secure);
        const later = first < 0 ? [] : answer.targets.slice(first).filter(({ secure }) => !secure);
        expect(later.every(({ fallback }) => fallback)).toBe(true);
        if (!chosen.allowTlsFallback) expect(answer.targets.some(({ fallback }) => fallback)).toBe(false);
        for (const { transport } of answer.targets) expect(chosen.transports).toContain(transport);
        expect(answer.targets.length === 0).toBe(answer.findings.some(({ code }) => code === 'no-next-hop'));
      }),
      { numRuns: runs(1_500) },
    );
  });
});
