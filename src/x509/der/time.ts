/** The two time types of X.509 (RFC 5280 §4.1.2.5): seconds, UTC, the letter Z, nothing else. */

import { type DerReader, MalformedDer, TAG } from './der.js';

/** One point in time as a certificate or CRL writes it. */
export interface EncodedTime {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly generalized: boolean;
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;
const LETTER_Z = 0x5a;

/** Two decimal digits; NaN where they are none. */
function digits(bytes: Uint8Array, at: number): number {
  const [tens, ones] = [(bytes[at] as number) - 0x30, (bytes[at + 1] as number) - 0x30];
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

/**
 * Reads UTCTime `YYMMDDHHMMSSZ` or GeneralizedTime `YYYYMMDDHHMMSSZ`; no offsets, no fractions (RFC 5280 §4.1.2.5.1,
 * §4.1.2.5.2). Reads from the octets: a long CRL has a time in each entry.
 * @throws {MalformedDer}
 */
export function readTime(reader: DerReader, field: string): EncodedTime {
  const tag = reader.any(field);
  const generalized = tag === TAG.generalizedTime;
  if (!generalized && tag !== TAG.utcTime) {
    throw new MalformedDer(field, 'UTCTime or GeneralizedTime', `tag 0x${tag.toString(16)}`);
  }
  const { bytes, from, to } = reader;
  const rest = generalized ? from + 4 : from + 2;
  // RFC 5280 §4.1.2.5.1: 50 and above is 19YY.
  const head = digits(bytes, from);
  const year = generalized ? head * 100 + digits(bytes, from + 2) : head + (head >= 50 ? 1900 : 2000);
  const month = digits(bytes, rest);
  const day = digits(bytes, rest + 2);
  const hour = digits(bytes, rest + 4);
  const minute = digits(bytes, rest + 6);
  const second = digits(bytes, rest + 8);
  const time =
    to === rest + 11 && bytes[rest + 10] === LETTER_Z ? instant(year, month, day, hour, minute, second) : undefined;
  if (time === undefined) {
    const form = generalized ? 'GeneralizedTime YYYYMMDDHHMMSSZ' : 'UTCTime YYMMDDHHMMSSZ';
    const found = Buffer.from(reader.content().subarray(0, 40)).toString('latin1');
    throw new MalformedDer(field, `${form} of a date of the calendar`, JSON.stringify(found));
  }
  return { time, generalized };
}

/** Milliseconds since 1970; undefined where the calendar has no such second, or a part is NaN. */
function instant(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number | undefined {
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 1 : 0;
  const days = (DAYS[month - 1] ?? 0) + leap;
  if (!(year >= 0 && day >= 1 && day <= days && hour <= 23 && minute <= 59 && second <= 59)) return undefined;
  if (year >= 100) return Date.UTC(year, month - 1, day, hour, minute, second);
  // Date.UTC takes 0 to 99 for 1900 to 1999.
  const date = new Date(Date.UTC(2000, month - 1, day, hour, minute, second));
  return date.setUTCFullYear(year, month - 1, day);
}
