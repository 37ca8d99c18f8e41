const DAY = 86_400_000;

/**
 * When the operator is told before something ends: so many days before it, and of what lives shorter in the last such
 * share of its life. ACME clients renew when a third of the life is left. The first share leaves room (of six days: 19
 * hours) for a renewal to be late, and for the partner to call with what took the place: until it does, nobody knows.
 */
const NOTICES = [
  { days: 1, share: 1 / 8 },
  { days: 7, share: 1 / 6 },
  { days: 30, share: 1 / 5 },
] as const;

/** What ends, and of an end entity's certificate also since when it lives: to exchange a CA takes weeks, however short it lives. */
export interface Life {
  readonly begins: number | undefined;
  readonly ends: number;
}

/** Days of the last notice whose time has come: 30, 7, 1, and 0 for what has ended; undefined: none has. */
export function noticeOf({ begins = Number.NEGATIVE_INFINITY, ends }: Life, now: number): number | undefined {
  if (ends < now) return 0;
  return NOTICES.find(({ days, share }) => ends - now <= Math.min(days * DAY, (ends - begins) * share))?.days;
}
