/** Validity as written in the policy: whole days in UTC, or RFC 3339 instants. */

import { dayStart, parseRfc3339 } from '../../x509/der/index.js';
import type { Site } from '../reading/index.js';

const DAY = 86_400_000;

/**
 * The instant (ms) at which something that is valid `from` this text begins, or that is valid `until` it ends. A date
 * is the whole day in UTC. Gives undefined for a text that is neither form, or a day or time that does not exist.
 */
export function parseInstant(text: string, bound: 'from' | 'until'): number | undefined {
  const day = dayStart(text);
  if (day !== undefined) return bound === 'from' ? day : day + DAY - 1;
  return text.includes(' ') ? undefined : parseRfc3339(text);
}

/** The same of the text at `site`: what is no date is reported there, and gives undefined as an absent one does. */
export function readInstant(text: string | undefined, site: Site, bound: 'from' | 'until'): number | undefined {
  if (text === undefined) return undefined;
  const ms = parseInstant(text, bound);
  if (ms === undefined) {
    const expected = 'expected a day, as in 2026-01-31, or an RFC 3339 instant, as in 2026-01-31T12:00:00Z';
    site.report('bad-date', `${expected}, found ${JSON.stringify(text)}${almost(text)}`);
  }
  return ms;
}

/** What a text lacks that is nearly a day. */
function almost(text: string): string {
  if (/^\d{4}(?:-\d\d)?$/.test(text)) return ': which day of it?';
  return /^\d{4}-\d\d-\d\d$/.test(text) ? ': the calendar has no such day' : '';
}

/** A day for people. */
export function dayText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
