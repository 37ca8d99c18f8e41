/** What certificates must say of the names of their subject and issuer, and what a proxy's words must: three keys. */

import { z } from 'zod';
import { type AttributeMatch, parseOneLineName } from '../../trust/agreement/index.js';
import type { DocLine } from '../kinds/index.js';
import { type Site, someWords, word } from '../reading/index.js';

const attribute = z
  .union([word('text'), someWords('text that must be there')])
  .describe('text, or a list of it')
  .optional();

export const NAME_MATCH = z
  .strictObject({
    commonName: attribute,
    organization: attribute,
    organizationalUnit: attribute,
    country: attribute,
    state: attribute,
    locality: attribute,
    domainComponent: attribute,
  })
  .describe('a mapping of name attributes');

export const NAME_MATCH_LINES: Readonly<Record<keyof AttributeMatch, DocLine>> = {
  commonName: { values: 'text, or list of texts that must all be there', text: 'CN' },
  organization: { values: 'the same', text: 'O' },
  organizationalUnit: { values: 'the same', text: 'OU' },
  country: { values: 'the same', text: 'C' },
  state: { values: 'the same', text: 'ST' },
  locality: { values: 'the same', text: 'L' },
  domainComponent: { values: 'the same', text: 'DC' },
};

/** One text stands for a list of one. */
export function readNameMatch(given: z.infer<typeof NAME_MATCH> | undefined): AttributeMatch {
  const match: Record<string, readonly string[]> = {};
  for (const [name, values] of Object.entries(given ?? {})) {
    if (values !== undefined) match[name] = typeof values === 'string' ? [values] : values;
  }
  return match;
}

export const WORDS_MATCH = z
  .strictObject({ issuers: someWords('a name on one line, as in "/O=Operator B/CN=Operator B CA"') })
  .describe('a mapping {issuers}');

/** Names on one line; what no proxy can print as one would never be found. */
export function readIssuers(issuers: readonly string[], site: Site): readonly string[] {
  issuers.forEach((name, at) => {
    if (parseOneLineName(name) !== undefined) return;
    const expected = 'a name on one line with each type once, as in "/O=Operator B/CN=Operator B CA"';
    site.at(at).report('bad-value', `expected ${expected}, found ${JSON.stringify(name)}`);
  });
  return issuers;
}
