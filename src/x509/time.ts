/** The two time types of X.509 (RFC 5280 §4.1.2.5): seconds, UTC, the letter Z, nothing else. */

import { type DerReader, MalformedDer, TAG } from './der.js';

/** One point in time as a certificate or CRL writes it. */
export interface EncodedTime {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly generalized: boolean;
}

const UTC_TIME = /^\d{12}Z$/;
const GENERALIZED_TIME = /^\d{14}Z$/;

/** Reads UTCTime `YYMMDDHHMMSSZ` or GeneralizedTime `YYYYMMDDHHMMSSZ`; no offsets, no fractions (RFC 5280 §4.1.2.5.1, .2). */
export function readTime(reader: DerReader, field: string): EncodedTime {
  const tag = reader.any(field);
  const generalized = tag === TAG.generalizedTime;
  if (!generalized && tag !== TAG.utcTime) {
    throw new MalformedDer(field, 'UTCTime or GeneralizedTime', `tag 0x${tag.toString(16)}`);
  }
  const text = Buffer.from(reader.content()).toString('latin1');
  if (!(generalized ? GENERALIZED_TIME : UTC_TIME).test(text)) {
    const form = generalized ? 'GeneralizedTime YYYYMMDDHHMMSSZ' : 'UTCTime YYMMDDHHMMSSZ';
    throw new MalformedDer(field, form, JSON.stringify(text.slice(0, 40)));
  }
  // RFC 5280 §4.1.2.5.1: 50 and above is 19YY.
  const year = generalized ? Number(text.slice(0, 4)) : Number(text.slice(0, 2)) + (text >= '50' ? 1900 : 2000);
  const rest = text.slice(generalized ? 4 : 2, -1);
  const [month, day, hour, minute, second] = [0, 2, 4, 6, 8].map((at) => Number(rest.slice(at, at + 2))) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  // Date carries over (31 February becomes 3 March); what comes back must be what went in.
  if (
    date.getUTCFullYear() !== year ||
    date.getUTCMonth() !== month - 1 ||
    date.getUTCDate() !== day ||
    date.getUTCHours() !== hour ||
    date.getUTCMinutes() !== minute ||
    date.getUTCSeconds() !== second
  ) {
    throw new MalformedDer(field, 'a date of the calendar', JSON.stringify(text));
  }
  return { time: date.getTime(), generalized };
}
