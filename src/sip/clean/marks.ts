/** Groups that an expression sets where something stands, and conditions on them: what stands once, and what stands behind something. */

import { SINGLE_FIELDS } from '../grammar/index.js';

/** How nearly every message goes on behind Via and Max-Forwards, To in its place or last: one group is set for the four of them. */
export const LEADING: readonly string[] = ['from', 'to', 'call-id', 'cseq'];
export const LED = '6';
/** Groups that are set behind a URI that is asserted, and behind a telephone number. */
export const ASSERTED = '7';
export const NUMBER = '8';
/** The group that is set in an emergency call (RFC 5031), where a rule makes a difference between those and others. */
export const EMERGENCY = 'e';
/** The group that is set in an answer, whose From is one of our own side. */
export const ANSWER = 's';

/** Of one character: the groups are broken into lines between two of them. */
export function markOf(single: string): string {
  return String([...SINGLE_FIELDS].indexOf(single));
}

/** The groups of the header block of a request, or of a response. */
export class Marks {
  readonly #prefix: string;

  /** @param prefix of the names of groups that are set by this block alone */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** The group is set from here on. */
  set(mark: string): string {
    return `(?<${this.#prefix}${mark}>)`;
  }

  /** Fails where it is set. */
  unset(mark: string): string {
    return `(?(<${this.#prefix}${mark}>)(?!))`;
  }

  /** In a line that stands once: a group that is set from here on, and a condition that fails once it is. */
  once(field: string): string {
    const mark = markOf(field);
    return `${LEADING.includes(field) ? this.unset(LED) : ''}${this.unset(mark)}${this.set(mark)}`;
  }
}
