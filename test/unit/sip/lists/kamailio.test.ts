import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { KAMAILIO_FILES, kamailioInclude, namePattern } from '../../../../src/sip/lists/kamailio.js';
import { PROFILES } from '../../../../src/sip/table/profiles.js';
import { HOOKS } from '../../../../src/sip/table/rules.js';

describe('the Kamailio include', () => {
  it.each([...KAMAILIO_FILES])('ok/the committed %s is what the header table says', (name, text) => {
    const file = new URL(`../../../../plugin/kamailio/${name}`, import.meta.url);
    expect(readFileSync(file, 'utf8')).toBe(text());
  });

  it('ok/no pattern is empty: an empty one removes every header field', () => {
    for (const profile of PROFILES) {
      for (const hook of HOOKS) {
        expect(profile.hooks[hook].remove.length).toBeGreaterThan(0);
      }
    }
    expect(kamailioInclude()).not.toMatch(/remove_hf_re\("(\^\(\)\$)?"\)/);
    for (const [pattern] of kamailioInclude().matchAll(/"\^?\(.*"/g))
      expect(pattern).not.toMatch(/\(\||[^ ]\|\|[^ ]|\|\)/);
  });

  it.each([
    [['P-Asserted-Identity', 'From'], '^(P-Asserted-Identity|From)$'],
    [['P-Asserted-Identity', 'P-*', 'X-*', 'Reason'], '^(P-.*|X-.*|Reason)$'],
  ])('ok/names %j', (names, pattern) => {
    expect(namePattern(names)).toBe(pattern);
  });
});
