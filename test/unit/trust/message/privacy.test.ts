import { describe, expect, it } from 'vitest';
import { parsePrivacy } from '../../../../src/sip/grammar/privacy.js';
import type { PrivacyMode } from '../../../../src/trust/agreement/agreement.js';
import { criticalFailures, identityStays, needsB2bua, privacyAfter } from '../../../../src/trust/message/privacy.js';
import { block } from '../../sip/support.js';

function privacy(...rows: readonly string[]) {
  return parsePrivacy(block(...rows.map((value) => `Privacy: ${value}`)).fields);
}

describe('identityStays (§5.5)', () => {
  const cases: readonly (readonly [PrivacyMode, readonly string[], boolean])[] = [
    ['strict33203', [], false],
    ['strict33203', ['none'], false],
    ['rfc3325', [], true],
    ['rfc3325', ['none'], true],
    ['rfc3325', ['history'], true],
    ['rfc3325', ['session'], true],
    ['rfc3325', ['id'], false],
    ['rfc3325', ['user'], false],
    ['rfc3325', ['header'], false],
    ['rfc3325', ['critical;id'], false],
    ['rfc3325', ['none', 'id'], false],
    ['rfc3325', ['none;none'], true],
    ['rfc3325', ['nobody-knows'], false],
    ['rfc3325', [''], false],
    ['rfc3325', ['"id"'], false],
    ['ims24229', [], false],
    ['ims24229', ['none'], true],
    ['ims24229', ['history'], false],
  ];
  it.each(cases)('ok/%s %j: %s', (mode, rows, stays) => {
    expect(identityStays(mode, privacy(...rows))).toBe(stays);
  });
});

describe('what a proxy cannot do (§5.2)', () => {
  it.each([
    ['header;session;user;id;history', false, ['header', 'session', 'user']],
    ['user', true, []],
    ['id;history', false, []],
    ['none', false, []],
  ])('ok/%s', (value, fromIsAnonymous, needed) => {
    expect(needsB2bua(privacy(value), { fromIsAnonymous })).toEqual(needed);
  });

  it.each([
    ['header', []],
    ['header;critical', ['header']],
    ['critical;id;history', []],
    ['critical;foo;session', ['session', 'foo']],
  ])('ok/RFC 3323 §5 %s', (value, failures) => {
    expect(criticalFailures(privacy(value), { fromIsAnonymous: false })).toEqual(failures);
  });
});

describe('privacyAfter', () => {
  it.each([
    ['history;id', 'id'],
    ['history', ''],
    ['history;critical', ''],
    ['id', undefined],
    ['none', undefined],
    ['header;history;critical', 'header;critical'],
  ])('ok/%s', (value, left) => {
    expect(privacyAfter(privacy(value), new Set(['history']))).toBe(left);
  });
});
