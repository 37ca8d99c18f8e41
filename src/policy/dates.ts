/** Validity as written in the policy: whole days in UTC, or RFC 3339 instants. */

const DAY = 86_400_000;
const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const INSTANT = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;

/**
 * The instant (ms) at which something that is valid `from` this text begins, or that is valid `until` it ends. A date
 * is the whole day in UTC. Gives undefined for a text that is neither form, or a day or time that does not exist.
 */
export function parseInstant(text: string, bound: 'from' | 'until'): number | undefined {
  const day = dayOf(text);
  if (day !== undefined) return bound === 'from' ? day : day + DAY - 1;
  const match = INSTANT.exec(text);
  const start = dayOf(match?.[1] ?? '');
  if (!match || start === undefined) return undefined;
  const [hour, minute, second, offsetHour, offsetMinute] = [match[2], match[3], match[4], match[7], match[8]].map(
    (digits) => Number(digits ?? 0),
  ) as [number, number, number, number, number];
  // A leap second (RFC 3339 §5.7) has no instant of its own in milliseconds since 1970.
  if (hour > 23 || minute > 59 || second > 59 || offsetHour > 23 || offsetMinute > 59) return undefined;
  const offset = (offsetHour * 60 + offsetMinute) * (match[6] === '-' ? -1 : 1);
  const millisecond = Number((match[5] ?? '').padEnd(3, '0').slice(0, 3));
  return start + ((hour * 60 + minute - offset) * 60 + second) * 1000 + millisecond;
}

function dayOf(text: string): number | undefined {
  const match = DATE.exec(text);
  if (!match) return undefined;
  const ms = Date.parse(`${text}T00:00:00.000Z`);
  // Date.parse takes 30 February for 1 or 2 March.
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== text ? undefined : ms;
}

/** A day for people. */
export function dayText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
