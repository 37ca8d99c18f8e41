/** Instants as JSON and YAML write them (RFC 3339 §5.6). */

const FORM = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** For messages: what is asked for, with an example. */
export const INSTANT_FORM = 'a time of RFC 3339 as in 2026-11-28T12:00:00Z, seconds from 00 to 59';

/** The instant in milliseconds since 1970; undefined for another form, and for a day or a time that does not exist. */
export function parseRfc3339(text: string): number | undefined {
  const match = FORM.exec(text);
  const day = dayStart(match?.[1] ?? '');
  if (match === null || day === undefined) return undefined;
  const number = (group: number): number => Number(match[group] ?? 0);
  const [hour, minute, second, offsetHour, offsetMinute] = [number(2), number(3), number(4), number(7), number(8)];
  // A leap second (§5.7) has no instant of its own in milliseconds since 1970.
  if (hour > 23 || minute > 59 || second > 59 || offsetHour > 23 || offsetMinute > 59) return undefined;
  const offset = (offsetHour * 60 + offsetMinute) * (match[6] === '-' ? -1 : 1);
  const millisecond = Number((match[5] ?? '').padEnd(3, '0').slice(0, 3));
  return day + ((hour * 60 + minute - offset) * 60 + second) * 1000 + millisecond;
}

/** An instant as such a text, in UTC; `otherwise` where there is none. */
export function instant(ms: number | undefined, otherwise = ''): string {
  return ms === undefined ? otherwise : new Date(ms).toISOString();
}

/** The first instant of a day `YYYY-MM-DD` in UTC; undefined where the calendar has no such day. */
export function dayStart(text: string): number | undefined {
  if (!DAY.test(text)) return undefined;
  const ms = Date.parse(`${text}T00:00:00.000Z`);
  // Date.parse takes 30 February for 1 or 2 March.
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== text ? undefined : ms;
}
