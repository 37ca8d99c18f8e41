/**
 * The script's expressions, matched as Kamailio matches them. The other tests try them in JavaScript, which reads what
 * they hold alike; this one shows that it does, on the same messages.
 */

import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { anyOf, namePattern } from '../../../src/sip/kamailio.js';
import { otherName } from '../../../src/sip/other-names.js';
import { BARE_LINE_END, EMERGENCY_URI, PROFILES } from '../../../src/sip/profiles.js';
import { HOOKS } from '../../../src/sip/rules.js';
import { anyRows, methods, requestUris } from '../../support/header-blocks.js';
import { posixMatcher } from '../../support/posix-regex.js';
import { FRAME } from '../trust/message-support.js';

const posix = posixMatcher();
if (posix === undefined) console.warn('skipped: matching as Kamailio does needs a C compiler (cc), and none is there');
afterAll(() => posix?.close());

/** Messages up to their first NUL, where a C string ends. */
const MESSAGES = fc
  .sample(fc.tuple(anyRows, methods, requestUris, fc.boolean()), { numRuns: 1200, seed: 20_040_701 })
  .map(([rows, method, uri, request]) => {
    const start = request ? `${method} ${uri} SIP/2.0` : 'SIP/2.0 200 OK';
    return [start, ...FRAME, ...rows, '', ''].join('\r\n').split('\0')[0] ?? '';
  });

const NAMES = fc
  .sample(fc.tuple(anyRows), { numRuns: 600, seed: 3323 })
  .flatMap(([rows]) => rows.map((row) => /^[^:\0\r\n]*/.exec(row)?.[0] ?? ''));

describe.skipIf(posix === undefined)('POSIX and JavaScript read the expressions alike', () => {
  const patterns = new Map<string, string>();
  for (const { name, hooks } of PROFILES) {
    for (const hook of HOOKS) {
      const { triggers } = hooks[hook];
      if (triggers.length === 0) continue;
      patterns.set(anyOf(triggers.map(({ hint }) => hint)), `${name} ${hook}, hints`);
      patterns.set(anyOf(triggers.map(({ pattern }) => pattern)), `${name} ${hook}, patterns`);
      for (const { pattern, about } of triggers) patterns.set(pattern, `${name} ${hook}: ${about}`);
    }
  }
  patterns.set(BARE_LINE_END, 'line ends');

  it.each([...patterns].map(([pattern, about]) => [about, pattern] as const))('ok/%s', (_, pattern) => {
    const wanted = new RegExp(pattern, 'i');
    const found = posix?.matches(pattern, MESSAGES) ?? [];
    const apart = MESSAGES.filter((message, i) => wanted.test(message) !== found[i]);
    expect(apart).toEqual([]);
  });

  it('ok/the lists', () => {
    for (const { hooks } of PROFILES) {
      for (const hook of HOOKS) {
        const pattern = namePattern([...hooks[hook].remove, ...hooks[hook].removeUnlessEmergency]);
        const wanted = new RegExp(pattern, 'i');
        const found = posix?.matches(pattern, NAMES) ?? [];
        expect(NAMES.filter((name, i) => wanted.test(name) !== found[i])).toEqual([]);
      }
    }
  });

  it('ok/emergency calls', () => {
    const uris = ['urn:service:sos', 'URN:Service:SOS.police', 'urn:service:sosx', 'sip:urn:service:sos', ''];
    expect(posix?.matches(EMERGENCY_URI, uris)).toEqual([true, true, false, false, false]);
  });

  it('fail/a bad expression is told', () => {
    expect(() => posix?.matches('(', ['x'])).toThrow('no POSIX expression');
  });
});

describe('a name that is none of these', () => {
  const names = ['icid-value', 'icid-generated-at', 'orig-ioi', 'related-icid', 'related-icid-gen-addr'];
  const pattern = `^${otherName(names)}`;
  const cases: readonly (readonly [string, boolean])[] = [
    ...names.flatMap((name) => [
      [`${name}=1`, false] as const,
      [`${name.toUpperCase()} = 1`, false] as const,
      [name, false] as const,
      [`${name};x`, false] as const,
      [`${name}x=1`, true] as const,
      [`${name}-=1`, true] as const,
      [`x${name}=1`, true] as const,
      [`${name.slice(0, -1)}=1`, true] as const,
      [`${name.slice(0, 1)};`, true] as const,
    ]),
    ['ggsn=1', true],
    ['-x', true],
    [' icid-value', false],
    [';', false],
    ['\r\n', false],
    ['=', false],
  ];
  it.each(cases)('ok/%j: %s', (text, expected) => {
    expect(new RegExp(pattern, 'i').test(text)).toBe(expected);
    if (posix !== undefined) expect(posix.matches(pattern, [text])).toEqual([expected]);
  });
});
