/** Numbers as routing scripts send them: as numbers, or in decimal digits (docs/rpc.md, "How scripts give values"). */

import { z } from 'zod';

/** Far longer than any number that is asked for. */
const DIGITS = /^-?[0-9]{1,15}$/;

/** A whole number within bounds. Anything that only could be made one (true, a list, blanks, 0x10) is refused. */
export function wholeNumber(least: number, most = Number.POSITIVE_INFINITY) {
  return z.unknown().transform((value, context) => {
    const number = typeof value === 'string' && DIGITS.test(value) ? Number(value) : value;
    if (typeof number === 'number' && Number.isSafeInteger(number) && number >= least && number <= most) return number;
    const bounds = most === Number.POSITIVE_INFINITY ? `of at least ${least}` : `from ${least} to ${most}`;
    const message = `a whole number ${bounds}`;
    context.issues.push({ code: 'custom', message, input: value });
    return z.NEVER;
  });
}
