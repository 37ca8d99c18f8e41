import { describe, expect, test } from 'vitest';
import { maskIdentities } from '../../../src/log/mask.js';

describe('maskIdentities', () => {
  for (const [given, expected] of [
    ['found <sip:alice@a.example>', 'found <sip:al***@a.example>'],
    ['SIPS:alice.b+c@a.example;x=y', 'SIPS:al***@a.example;x=y'],
    ['tel:+493012345;phone-context=x', 'tel:+4***;phone-context=x'],
    ['sip:a.example has no user', 'sip:a.example has no user'],
    ['two sip:ab@x, sip:cd@y', 'two sip:ab***@x, sip:cd***@y'],
  ] as const) {
    test(`ok/${given}`, () => expect(maskIdentities(given)).toBe(expected));
  }
});
