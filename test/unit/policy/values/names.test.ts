import { describe, expect, it } from 'vitest';
import { policyDomain } from '../../../../src/policy/values/names.js';

const GOOD: readonly (readonly [string, string])[] = [
  ['B.example.', 'b.example'],
  ['bücher.example', 'xn--bcher-kva.example'],
  // One script in each label is no disguise.
  ['почта.example', 'xn--80a1acny.example'],
  ['ελλάδα.bücher.example', 'xn--hxakic4aa.xn--bcher-kva.example'],
  ['東京sip.example', 'xn--sip-dm9di64i.example'],
];

const BAD: readonly (readonly [string, string, RegExp])[] = [
  ['quotation marks of a word processor', '“own.example”', /U\+201C at position 1 is no letter/],
  ['a dash of a word processor', 'own–b.example', /U\+2013 at position 4/],
  ['a Cyrillic o among Latin letters', '\u043ewn.example', /the label "\\u\{43e\}wn" mixes letters/],
  ['a Greek o among Latin letters', 'b.\u03bfwn.example', /mixes letters/],
  ['a blank of no width', 'own\u200b.example', /does not survive/],
];

describe('policyDomain', () => {
  for (const [text, domain] of GOOD) {
    it(`ok/${text} is ${domain}`, () => expect(policyDomain(text)).toEqual({ domain }));
  }
  for (const [name, text, why] of BAD) {
    it(`fail/${name}`, () => {
      const read = policyDomain(text);
      expect('fault' in read ? read.fault : read.domain).toMatch(why);
    });
  }
});
