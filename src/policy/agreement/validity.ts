/** When an agreement is in force: `valid`, and `migration.until` of a path beside TLS. */

import { z } from 'zod';
import { counted } from '../../printable.js';
import type { Agreement } from '../../trust/agreement/index.js';
import { type Site, someWords, word } from '../reading/index.js';
import { dayText, readInstant } from '../values/index.js';
import type { Around } from './key.js';

const ENDS_SOON_DAYS = 30;
const DAY = 86_400_000;

const INSTANT_WORDS = 'a date, as in 2026-01-31, or an RFC 3339 instant';
/** YAML takes `2027` for a number, and quotes would make no day of it. */
const INSTANT = z
  .preprocess((given) => (typeof given === 'number' ? String(given) : given), word(INSTANT_WORDS))
  .describe(INSTANT_WORDS);

export const VALIDITY = z
  .strictObject({ from: INSTANT.optional(), until: INSTANT.optional() })
  .describe('a mapping {from, until}');

/** A bound that is missing is no bound. */
export function readValidity(
  given: z.infer<typeof VALIDITY> | undefined,
  site: Site,
  { name, enabled, now }: Around,
): Agreement['valid'] {
  const from = readInstant(given?.from, site.at('from'), 'from') ?? Number.NEGATIVE_INFINITY;
  const until = readInstant(given?.until, site.at('until'), 'until') ?? Number.POSITIVE_INFINITY;
  const end = site.at('until');
  if (from > until) {
    end.report('bad-date', `expected an end after the beginning ${dayText(from)}, found ${dayText(until)}`);
  } else if (enabled && until < now) {
    end.report('agreement-ended', `agreement ${name} ended on ${dayText(until)}`);
  } else if (enabled && until - now <= ENDS_SOON_DAYS * DAY) {
    const days = Math.floor((until - now) / DAY);
    end.report('agreement-ends-soon', `agreement ${name} ends on ${dayText(until)}, in ${counted(days, 'day')}`);
  }
  return { from, until };
}

/** What `readValidity` says of the end: nothing yet, how many days are left, or that it is over. */
export function validityEnds({ until }: Agreement['valid'], now: number): string | number {
  if (until < now) return 'ended';
  return until - now <= ENDS_SOON_DAYS * DAY ? Math.floor((until - now) / DAY) : '';
}

export const MIGRATION = z
  .strictObject({
    interface: word('the name of an interface'),
    sources: someWords('an address prefix, as in 192.0.2.0/28'),
    until: INSTANT,
  })
  .describe('a mapping {interface, sources, until}');

/** A migration has an end: a path that stood beside TLS for ever would make TLS worth no more than itself. */
export function readMigrationEnd(
  given: z.infer<typeof MIGRATION> | undefined,
  site: Site,
  { name, now }: Around,
): number | undefined {
  if (given === undefined) return undefined;
  const end = site.at('until');
  const until = readInstant(given.until, end, 'until');
  if (until !== undefined && until < now) {
    const text = `the migration of agreement ${name} ended on ${dayText(until)}: the path has no effect any more`;
    end.report('no-effect', text);
  }
  return until ?? Number.NEGATIVE_INFINITY;
}
