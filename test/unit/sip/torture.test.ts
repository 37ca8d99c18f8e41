import { describe, expect, it } from 'vitest';
import { auditHeaderBlock } from '../../../src/sip/audit/audit.js';
import { latin1 } from '../../../src/sip/grammar/ascii.js';
import { scanHeaderBlock } from '../../../src/sip/grammar/header-block.js';
import { splitMessage } from '../../../src/sip/grammar/message.js';
import { planMessage } from '../../../src/trust/message/message.js';
import { toBytes } from '../../support/bytes.js';
import { RFC_4475, type TortureCase } from './rfc4475.js';
import { RFC_5118 } from './rfc5118.js';

function audit(of: TortureCase, headersOnly: boolean): { readonly reject: string[]; readonly note: string[] } {
  const message = splitMessage(toBytes(of.message));
  if ('malformed' in message) throw new Error(`${of.id}: ${message.malformed}`);
  expect(message.startLine + message.startLineEnd + latin1(message.headers) + latin1(message.body)).toBe(of.message);
  const problems = auditHeaderBlock(scanHeaderBlock(message.headers), headersOnly ? {} : message);
  const kinds = (severity: string): string[] => [
    ...new Set(problems.filter((problem) => problem.severity === severity).map((problem) => problem.kind)),
  ];
  return { reject: kinds('reject').sort(), note: kinds('note').sort() };
}

describe.each([
  ['RFC 4475', RFC_4475, 49],
  ['RFC 5118', RFC_5118, 12],
] as const)('%s', (_rfc, table, count) => {
  it('ok/is complete, and says why where the audit lets an invalid message pass', () => {
    expect(new Set(table.map((row) => row.id)).size).toBe(count);
    for (const row of table) {
      if (row.valid) expect(row.reject, row.id).toEqual([]);
      else if (row.reject.length === 0) expect(row.why, row.id).toBeDefined();
    }
  });

  it.each(table.map((row) => [`${row.valid ? 'ok' : 'fail'}/${row.section} ${row.id}`, row] as const))(
    '%s',
    (_name, row) => {
      expect(audit(row, false)).toEqual({ reject: [...row.reject].sort(), note: [...row.note].sort() });
    },
  );

  it('ok/no false alarm without the start line either', () => {
    for (const row of table) if (row.valid) expect(audit(row, true).reject, row.id).toEqual([]);
  });
});

describe.each([
  ['RFC 4475', RFC_4475],
  ['RFC 5118', RFC_5118],
] as const)('the plan on %s', (_rfc, table) => {
  const snapshot = { ownDomains: new Set(['a.example']), byDomain: new Map(), privacy: 'strict33203' as const };
  const verdict = { verdict: 'untrusted', agreement: undefined, action: 'continue', code: 0, phrase: '' } as const;
  const valid = table.filter((row) => row.valid).map((row) => [row.id, row] as const);

  it.each(valid)('ok/%s is carried from and to strangers', (_id, row) => {
    const split = splitMessage(toBytes(row.message));
    if ('malformed' in split) throw new Error(split.malformed);
    const { startLine, headers } = split;
    const message = startLine.startsWith('SIP/') ? 'response' : 'request';
    for (const direction of ['in', 'out'] as const) {
      const plan = planMessage({ direction, message, startLine, block: scanHeaderBlock(headers), verdict, snapshot });
      // No stranger registers; that a message is well formed changes nothing about it.
      const code = direction === 'in' && startLine.startsWith('REGISTER') ? 403 : 0;
      expect([plan.code, plan.ruri]).toEqual([code, '']);
    }
  });
});

describe('what the torture messages hold', () => {
  const field = (id: string, key: string): readonly string[] => {
    const row = RFC_4475.find((candidate) => candidate.id === id)!;
    const message = splitMessage(toBytes(row.message));
    if ('malformed' in message) throw new Error(message.malformed);
    return scanHeaderBlock(message.headers)
      .fields.filter((candidate) => candidate.key === key)
      .map((candidate) => candidate.value);
  };

  it('ok/wsinv: folds, blanks before colons, compact and long forms', () => {
    expect(field('wsinv', 'to')).toEqual(['sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n']);
    expect(field('wsinv', 'cseq')).toEqual(['0009 INVITE']);
    expect(field('wsinv', 'subject')).toEqual(['']);
    expect(field('wsinv', 'via')).toHaveLength(2);
    expect(field('wsinv', 'unknownheaderwithunusualvalue')).toEqual([';;,,;;,;']);
  });

  it('ok/longreq: all spellings of Via are one field', () => {
    expect(field('longreq', 'via')).toHaveLength(34);
  });

  it('ok/esc02: an escaped name is another name', () => {
    expect(field('esc02', 'contact')).toHaveLength(2);
  });
});
