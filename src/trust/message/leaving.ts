/** What privacy takes out of a message in front of a peer outside the trust domain (rulebook §5). */

import { canonicalName } from '../../sip/table/index.js';
import { keepScreened } from './assertions.js';
import { anonymiseDiversion, anonymiseHistory } from './diverted.js';
import { identityStays, privacyAfter } from './privacy.js';
import { screenRows } from './screen.js';
import type { Refusal, Work } from './work.js';

/** P-Asserted-Identity in front of an untrusted peer (rulebook §5.5). */
export function hideIdentity(work: Work): Refusal {
  const { draft, rules, stance, privacy, flags, direction } = work;
  const key = 'p-asserted-identity';
  if (stance.trusted || direction !== 'out' || !draft.has(key)) return undefined;
  const stays = rules.actionOf(key) === 'by-privacy' && identityStays(stance.mode, privacy);
  if (!stays) {
    if (privacy.values.has('none')) flags.add('none-overridden');
    draft.removeAll(key);
    return undefined;
  }
  // RFC 5876 §4.5: what had to be ignored is not forwarded.
  const rows = draft.rows(key);
  const judge = ({ uri }: { readonly uri: { readonly kind: string } }) =>
    uri.kind === 'other'
      ? ({ outcome: 'drop', finding: { code: 'assert-invalid', detail: 'expected a sip, sips or tel URI' } } as const)
      : ({ outcome: 'keep' } as const);
  keepScreened(
    work,
    rows,
    screenRows(
      rows.map(({ value }) => value),
      judge,
      { field: canonicalName(key, key), legal: true },
    ),
  );
  return undefined;
}

/** Takes out of History-Info and Diversion what the caller wants hidden. */
export function hideDiversions(work: Work): Refusal {
  const { draft, rules, privacy, input } = work;
  if (rules.actionOf('history-info') === 'anonymise') {
    draft.edit('history-info', (value) => anonymiseHistory(value, privacy, input.snapshot.ownDomains));
  }
  if (rules.actionOf('diversion') === 'anonymise') {
    draft.edit('diversion', (value) => anonymiseDiversion(value, privacy));
  }
  return undefined;
}

/** Takes executed values off the Privacy header field (RFC 7044 §10.1.2, RFC 3323 §5). */
export function executePrivacy(work: Work): Refusal {
  const { draft, rules, privacy, direction, stance } = work;
  const history = rules.actionOf('history-info');
  if (direction !== 'out' || !(history === 'anonymise' || (!stance.trusted && history === 'remove'))) return undefined;
  const value = privacyAfter(privacy, new Set(['history']));
  if (value === undefined) return undefined;
  const [first, ...rest] = draft.rows('privacy');
  if (first !== undefined) draft.set(first, value);
  for (const row of rest) draft.drop(row);
  return undefined;
}
