/** Random INVITEs for the live proxy: well-formed ones in all the ways that RFC 3261 allows, and wrong ones. */

import type { Random } from '../random.js';
import type { SipText } from './sip-text.js';

export interface RandomInvite {
  /** One character per byte. */
  readonly text: SipText;
  /** Header rows that everybody may see, and those that strangers may not; both as they are sent. */
  readonly open: readonly string[];
  readonly hidden: readonly string[];
}

type Field = readonly [name: string, value: (random: Random) => string];

const DISPLAY = [
  ...['', 'Alice ', '"Alice, \\"the\\" A" ', '"Zo\u00eb \u00dcn\u00efcode" ', 'Bob the Builder '],
  ...['"<sip:x@y>" ', '"a;b=c" ', '"" '],
];
const URIS = [
  ...['sip:alice@a.example', 'sips:+4930123@a.example;user=phone', 'tel:+49-30-123', 'sip:alice;day=tue@a.example'],
  ...['sip:%61lice:pw@a.example:5070;transport=tls;lr', 'sip:[2001:db8::1]:5061', 'sip:a.example'],
];
const AFTER = ['', '', ';q=0.5', ';+sip.instance="<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>"', ' ;  tag = x'];

const address = ({ pick }: Random) => `${pick(DISPLAY)}<${pick(URIS)}>${pick(AFTER)}`;
const oneOf =
  (...values: readonly string[]) =>
  ({ pick }: Random) =>
    pick(values);

const OPEN: readonly Field[] = [
  ['Subject', oneOf('hello world', 'Re: (unbalanced', 'say "hi', '\u00fcn\u00efcode: 50%', '', 'a \\ b')],
  ['s', oneOf('short')],
  ['User-Agent', oneOf('Foo/1.0 (x; y "z")')],
  ['Date', oneOf('Sat, 13 Nov 2010 23:29:00 GMT')],
  ['Supported', oneOf('100rel, timer,  path')],
  ['k', oneOf('replaces')],
  ['Allow', oneOf('INVITE, ACK,BYE')],
  ['Organization', oneOf('B\u00f6blinger AG')],
  ['Accept', oneOf('application/sdp;level=1, text/html ; q=0.5')],
  ['Warning', oneOf('307 isi.edu "Session \\"p\\" foo"')],
  ['In-Reply-To', oneOf('70710@saturn.bell-tel.com, 17320@saturn')],
  ['x', oneOf('1800;refresher=uac')],
  ['Error-Info', oneOf('<http://www.example.com/sounds/moo.wav>')],
  ['Target-Dialog', oneOf('fa77as7dad8-sd98ajzz@host.example.com ;local-tag=kkaz- ;remote-tag=6544')],
  ["Foo!%*'`~+", oneOf('x')],
  ['Reply-To', address],
  ['Referred-By', address],
  ['Unknown-Header', oneOf('a,b,"c,d"', '<weird>', '((nested) comment)', '\t')],
];
const HIDDEN: readonly Field[] = [
  ['P-Asserted-Identity', oneOf('"A" <sip:alice@a.example>', '<tel:+49301>', '<sip:alice@a.example>, <tel:+49301>')],
  ['P-Charging-Vector', oneOf('icid-value="1234bc9876e";icid-generated-at=192.0.6.8;orig-ioi=home1.net')],
  ['P-Access-Network-Info', oneOf('3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=234151D0FCE11')],
  ['Remote-Party-ID', oneOf('"A" <sip:a@b>;party=calling;id-type=subscriber;privacy=full;screen=yes')],
  ['Diversion', oneOf('<sip:x@y>;reason=no-answer;counter=1')],
  ['History-Info', oneOf('<sip:bob@own.example>;index=1, <sip:x@y>;index=1.1')],
  ['P-Visited-Network-ID', oneOf('other.net, "Visited network number 1"')],
  ['Resource-Priority', oneOf('dsn.flash')],
  ['X-Foo', oneOf('bar')],
  ['Security-Client', oneOf('ipsec-3gpp;alg=hmac-sha-1-96')],
  ['Service-Route', oneOf('<sip:a.example;lr>')],
];

const WRONG_VALUES = [
  ...['"open', 'a,b,,c', '"q\\" <sip:x@y>', '\u00e4', '<', '>', '\x07', '\x00', '"\\\x00"', 'x'.repeat(300)],
  '<sip:x@y?P-Asserted-Identity=%3Csip:z@y%3E>',
];
const WRONG_ROWS = ['garbage', ': no name', 'no colon at all', '=x: y', '"x: y', '@: 1', '[a]: b', '\x00: x'];
const WRONG_ENDS = ['\n', '\r', '\r\r\n', '\n\r', '\r\n\r'];
const CONTINUED = ['P-Asserted-Identity: <sip:f@f>', 'X-Secret: 1', 'x', '\x00', ''];

function spelled({ chance, pick }: Random, name: string): string {
  return chance(0.7) ? name : pick([name.toUpperCase(), name.toLowerCase()]);
}

function row(random: Random, [name, value]: Field): string {
  const { chance, pick } = random;
  const before = chance(0.2) ? pick([' ', '\t', ' \t ']) : '';
  const said = value(random);
  const folded = chance(0.1) ? said.replace(' ', pick(['\r\n ', '\r\n\t', ' \r\n  '])) : said;
  return `${spelled(random, name)}${before}:${pick([' ', '', '  ', '\t'])}${folded}${chance(0.05) ? ' ' : ''}`;
}

function wrongRow(random: Random, fields: readonly Field[]): string {
  const { chance, pick } = random;
  if (chance(0.05)) return pick(WRONG_ROWS);
  const [name] = pick(fields);
  const more = chance(0.1) ? pick(['\r\n ', '\r\n\t', '\n ', '\r ']) + pick(CONTINUED) : '';
  const around = chance(0.05) ? pick(['\x00', '{', '(', ';', '\x7f', '@', ' ', '\t']) : '';
  return `${chance(0.5) ? around + name : name + around}: ${pick(WRONG_VALUES)}${more}`;
}

export interface InviteTerms {
  /** Names it: the user part of the Request-URI, and the branch. */
  readonly id: string;
  /** Whom it calls: the Request-URI behind the @. */
  readonly to: string;
  /** Transport and sent-by of the Via. */
  readonly via: string;
  /** Rows may be such that no reader should like them. */
  readonly wrong: boolean;
}

export function randomInvite(random: Random, { id, to, via, wrong }: InviteTerms): RandomInvite {
  const { below, chance, pick } = random;
  const some = (fields: readonly Field[], most: number) =>
    Array.from({ length: below(most) }, () => row(random, pick(fields)));
  const open = some(OPEN, 6);
  const hidden = some(HIDDEN, 4);
  const rows = [
    `From: ${pick(DISPLAY)}<sip:a@a.example>;tag=${id}`,
    `To: ${pick(DISPLAY)}<sip:bob@own.example>`,
    `${pick(['Call-ID', 'i', 'CALL-ID'])}: ${id}@c`,
    'CSeq: 1 INVITE',
    'Max-Forwards: 70',
    `${pick(['Contact', 'm'])}: ${pick(DISPLAY)}<sip:a@192.0.2.7:5060;transport=tcp>`,
  ];
  const wrongRows = wrong ? Array.from({ length: 1 + below(2) }, () => wrongRow(random, [...OPEN, ...HIDDEN])) : [];
  for (const each of [...open, ...hidden, ...wrongRows]) rows.splice(below(rows.length + 1), 0, each);
  const body = chance(0.3) ? 'v=0\r\n\r\nP-Asserted-Identity: <sip:in@the.body>\r\n' : '';
  if (body !== '') rows.push('c: application/sdp');
  rows.push(`${pick(['Content-Length', 'l'])}: ${body.length}`);
  const end = () => (wrong && chance(0.01) ? pick(WRONG_ENDS) : '\r\n');
  const lines = [`Via: ${via};branch=z9hG4bK${id}`, ...rows].map((line) => line + end()).join('');
  const bytes = (text: string): SipText => Buffer.from(text).toString('latin1');
  return {
    text: bytes(`INVITE sip:${id}@${to} SIP/2.0\r\n${lines}\r\n${body}`),
    open: open.map(bytes),
    hidden: hidden.map(bytes),
  };
}
