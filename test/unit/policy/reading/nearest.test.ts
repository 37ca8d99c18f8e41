import { describe, expect, test } from 'vitest';
import { nearest } from '../../../../src/policy/reading/nearest.js';

const KEYS = ['name', 'domains', 'anchors', 'stack_verification', 'cn_fallback', 'pin', 'pins', 'in', 'out', 'eku'];

describe('the key that was probably meant', () => {
  for (const [word, expected] of [
    ['domain', 'domains'],
    ['Domains', 'domains'],
    ['anchros', 'anchors'],
    ['stackVerification', 'stack_verification'],
    ['stack-verification', 'stack_verification'],
    ['cnFallBack', 'cn_fallback'],
    ['pis', 'pin'],
    ['inn', 'in'],
    ['certificates', undefined],
    ['x'.repeat(10_000), undefined],
  ] as const) {
    test(`ok/${word.slice(0, 20)} -> ${expected}`, () => expect(nearest(word, KEYS)).toBe(expected));
  }
  test('ok/of a word without end the first 64 characters are looked at: what it costs ends there', () => {
    const key = 'k'.repeat(64);
    expect(nearest(`${key}${'y'.repeat(10_000)}`, [key])).toBe(key);
  });
});
