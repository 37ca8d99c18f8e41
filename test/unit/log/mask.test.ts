import { describe, expect, test } from 'vitest';
import { maskIdentities, maskMessageText } from '../../../src/log/mask.js';
import { scanHeaderBlock } from '../../../src/sip/grammar/header-block.js';
import { splitMessage } from '../../../src/sip/grammar/message.js';
import { planMessage } from '../../../src/trust/message/message.js';
import { inputOf } from '../trust/message/message-support.js';

describe('maskIdentities', () => {
  for (const [given, expected] of [
    ['found <sip:alice@a.example>', 'found <sip:al***@a.example>'],
    ['SIPS:alice.b+c@a.example;x=y', 'SIPS:al***@a.example;x=y'],
    ['sip:alice:secret@a.example', 'sip:al***@a.example'],
    ['sip:+33612345678;phone-context=x@a.example', 'sip:+3***@a.example'],
    ['tel:+493012345;phone-context=x', 'tel:+4***;phone-context=x'],
    ['sip:a.example has no user', 'sip:a.example has no user'],
    ['two sip:ab@x, sip:cd@y', 'two sip:ab***@x, sip:cd***@y'],
    ['alice.smith@b.example', 'al***@b.example'],
    ['found +33612345678', 'found +3***'],
    ['found +33 (6) 12-34-56.78 here', 'found +3*** here'],
    ['expected a number of +4930, found +33612345678', 'expected a number of +4930, found +3***'],
    ['cut off: sip:alice.smith...', 'cut off: sip:al***...'],
    ['expected at most 1048576 octets, found 20000000', 'expected at most 1048576 octets, found 20000000'],
    ['b.example, 192.0.2.7, [2001:db8::1]', 'b.example, 192.0.2.7, [2001:db8::1]'],
  ] as const) {
    test(`ok/${given}`, () => expect(maskIdentities(given)).toBe(expected));
  }
});

describe('maskMessageText: of what a finding quotes out of a message two characters stay, and domains', () => {
  for (const [given, expected] of [
    ['found "+33612345678"', 'found "+3***"'],
    ['found "0612345678"', 'found "06***"'],
    ['found "alice.smith@b.example"', 'found "al***@b.example"'],
    ['found "Alice Smith <sip:alice@b.example>"', 'found "Al***@b.example"'],
    ['"Alice Smith" holds no colon', '"Al***" holds no colon'],
    ['starts with "p-asserted-identity:"', 'starts with "p-asserted-identity:"'],
    ['expected "INVITE", found "BYE"', 'expected "INVITE", found "BYE"'],
    ['expected digits, found ""', 'expected digits, found ""'],
    ['of type "application/sdp"', 'of type "application/sdp"'],
  ] as const) {
    test(`ok/${given}`, () => expect(maskMessageText(given)).toBe(expected));
  }
});

/** A header block with these in every place where an address stands, each damaged in some way. */
const NAMES = ['alice.smith', '33612345678', 'Zaphod Beeblebrox'] as const;
const ADDRESSES = [
  '"Zaphod Beeblebrox" <sip:alice.smith@b.example>',
  'Zaphod Beeblebrox <sip:alice.smith@b.example',
  'Zaphod: Beeblebrox <sip:alice.smith@b.example>',
  '"Zaphod Beeblebrox <sip:alice.smith@b.example>',
  '<sip:alice.smith@@b.example>',
  '<sip:alice.smith@b_!.example>',
  'alice.smith@b.example',
  '<alice.smith@b.example>',
  'alice.smith',
  '<sip:alice.smith b.example>',
  '<sip:+33612345678@c.example;user=phone>',
  '<sip:33612345678@b.example>',
  '<tel:+33612345678>',
  '<tel:+33-6-1234-5678>',
  '<tel:33612345678>',
  'tel:33612345678x',
  '<tel:33612345678;phone-context=+33612345678>',
  '<sip:b.example>, +33612345678',
] as const;
const FIELDS = [
  ...['From', 'To', 'Contact', 'P-Asserted-Identity', 'P-Preferred-Identity', 'Remote-Party-ID', 'Diversion'],
  ...[
    'History-Info',
    'Route',
    'Record-Route',
    'Refer-To',
    'Referred-By',
    'Reply-To',
    'P-DCS-OSPS',
    'P-Called-Party-ID',
  ],
  ...['Call-ID', 'CSeq', 'Via', 'Max-Forwards', 'Content-Length', 'Content-Type', 'Privacy', 'Subject'],
];

const terms = { asserts: { domains: ['b.example'], numbers: ['+49'], transit: false } } as const;
const plainly = (text: string): string => text.replace(/[-.() ]/g, '');
const PLAIN_NAMES = NAMES.map((name) => name.replace(/[. ]/g, ''));

describe('whatever is wrong with an address in a message, its finding names nobody', () => {
  for (const field of FIELDS) {
    test(`ok/${field}`, () => {
      let findings = 0;
      const named: string[] = [];
      for (const address of ADDRESSES) {
        for (const rows of [
          [`${field}: ${address}`],
          [`${field}: ${address}`, `${field}: ${address}`],
          [`${field} ${address}`],
          ['Subject: x', ` ${field}: ${address}`],
          [address],
        ]) {
          for (const trusted of [true, false]) {
            for (const direction of ['in', 'out'] as const) {
              const plan = planMessage(inputOf(rows, { trusted, direction, agreement: terms }));
              for (const { detail } of plan.findings) {
                findings += 1;
                const masked = plainly(maskMessageText(detail));
                if (PLAIN_NAMES.some((name) => masked.includes(name))) named.push(detail);
              }
            }
          }
        }
      }
      expect(named).toEqual([]);
      expect(findings).toBeGreaterThan(0);
    });
  }
  test('ok/a Request-URI', () => {
    for (const address of ADDRESSES) {
      const raw = `INVITE ${address} SIP/2.0\r\nFrom: <sip:x@b.example>;tag=1\r\n\r\n`;
      const split = splitMessage(Buffer.from(raw, 'latin1'));
      if ('malformed' in split) throw new Error(split.malformed);
      const input = inputOf([], {});
      const plan = planMessage({
        ...input,
        startLine: split.startLine,
        ruri: undefined,
        block: scanHeaderBlock(split.headers),
      });
      for (const { detail } of plan.findings)
        for (const name of NAMES) expect(maskMessageText(detail)).not.toContain(name);
    }
  });
});
