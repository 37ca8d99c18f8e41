import { describe, expect, it } from 'vitest';
import { auditHeaderBlock } from '../../../../src/sip/audit/audit.js';
import { PRIVATE_KEYS } from '../../../../src/sip/table/fields.js';
import { type MalformedPolicy, refusal } from '../../../../src/trust/message/malformed.js';
import { block } from '../../sip/support.js';

function refused(rows: readonly string[], policy: MalformedPolicy, goes: readonly string[] = []): number {
  const of = block(...rows);
  return (
    refusal(auditHeaderBlock(of, { privateKeys: PRIVATE_KEYS }), of, policy, (key) => goes.includes(key))?.code ?? 0
  );
}

describe('refusal', () => {
  const cases: readonly (readonly [string, readonly string[], number, number, number])[] = [
    ['nothing wrong', ['Subject: x'], 0, 0, 0],
    ['a control byte in a name', ['Foo\x01: x'], 400, 0, 400],
    ['a control byte in the name of an identity', ['P-Asserted-\x01Identity: x'], 400, 400, 400],
    ['a vendor field that nobody can find', ['X-Secret\xa0: x'], 400, 400, 400],
    ['an identity behind a bare CR', ['Foo: x\rDiversion: y'], 400, 400, 400],
    ['an identity behind a fold', ['Foo: x\r\n Remote-Party-ID: y'], 400, 400, 400],
    ['NUL in an identity', ['P-Asserted-Identity: <sip:x\0@b.example>'], 400, 400, 400],
    ['NUL elsewhere', ['Subject: \0'], 400, 0, 400],
    ['no UTF-8', ['Subject: \xff'], 0, 0, 0],
    ['overlong UTF-8', ['Subject: \xc0\x8a'], 400, 0, 0],
    ['an identity behind overlong UTF-8', ['Date: x\xc0\x8aDiversion: y'], 400, 400, 400],
    ['an identity behind NEL of Latin-1', ['Date: x\x85P-Asserted-Identity: y'], 400, 400, 400],
    ['what is no line end to anybody: an ellipsis of Windows', ['From: "B\x85 x:" <sip:b@b.example>'], 0, 0, 0],
    ['two From', ['From: <sip:x@y>', 'From: <sip:x@z>'], 400, 400, 400],
    ['an unreadable From', ['From: <sip:x@y'], 400, 400, 0],
    ['two Max-Forwards', ['Max-Forwards: 1', 'Max-Forwards: 2'], 400, 0, 400],
    ['an unreadable Route', ['Route: <sip:x@y'], 400, 0, 0],
    ['a Contact that goes on in the body to some readers', ['Contact: <sip:x@['], 400, 400, 400],
    ['a Via that does so', ['Via: SIP/2.0/UDP y ('], 400, 400, 400],
    ['too much', [`Subject: ${'x'.repeat(20_000)}`], 513, 513, 0],
  ];
  it.each(cases)('ok/%s', (_, rows, strict, tolerant, leaving) => {
    expect([refused(rows, 'strict'), refused(rows, 'tolerant'), refused(rows, 'leaving')]).toEqual([
      strict,
      tolerant,
      leaving,
    ]);
  });

  it('ok/what is wrong inside a value does not matter where the field goes', () => {
    expect(refused(['Path: <sip:x@y'], 'strict')).toBe(400);
    expect(refused(['Path: <sip:x@y'], 'strict', ['path'])).toBe(0);
    expect(refused(['Path: <sip:x@['], 'strict', ['path'])).toBe(0);
    expect(refused(['Path\x01: <sip:x@y'], 'strict', ['path'])).toBe(400);
  });

  const tolerated = (count: number) => `Subject: x${'\r\n '.repeat(count)}`;
  const overlong = Array.from({ length: 64 }, () => 'Foo: \xc0\x8a');
  it.each<[string, readonly string[], MalformedPolicy]>([
    ['an identity behind a fold', [tolerated(64), 'Foo: x\r\n Remote-Party-ID: y'], 'tolerant'],
    ['a second From', [tolerated(64), 'From: <sip:x@y>', 'From: <sip:x@z>'], 'tolerant'],
    ['too long a row', [tolerated(64), `Subject: ${'x'.repeat(20_000)}`], 'tolerant'],
    ['an identity behind a fold', [...overlong, 'Foo: x\r\n Remote-Party-ID: y'], 'leaving'],
  ])('fail/64 problems that are tolerated do not hide the one behind them: %s', (_, rows, policy) => {
    expect(refused(rows.slice(0, policy === 'leaving' ? 64 : 1), policy)).toBe(0);
    expect(refused(rows, policy)).toBe(400);
  });

  it('ok/one value after the other that cannot be read in one row is one problem', () => {
    expect(refused([`Route: ${'x y, '.repeat(90)}<sip:y>`], 'tolerant')).toBe(0);
    expect(refused([`Route: ${'<sip:a b>, sip:2001:db8::1, '.repeat(45)}<sip:y>`], 'tolerant')).toBe(0);
  });
});
