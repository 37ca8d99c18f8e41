/** What came of each part of the input. */

import { shortened } from '../../printable.js';

export interface Finding {
  /** The line of the input, or the file. */
  readonly from: string;
  /** What it is about: an address, a name. */
  readonly subject: string;
  /** `changed`: carried over in another form. `left out`: it is in no agreement. `look`: carried over, with a warning. */
  readonly outcome: 'changed' | 'left out' | 'look';
  readonly text: string;
}

/** What is in no agreement, and why. */
export function leftOut(from: string, subject: string, text: string): Finding {
  return { from, subject, outcome: 'left out', text };
}

/** A cell of a report: nothing in it can end a line. */
export function shown(text = ''): string {
  return shortened(text);
}
