/** Texts of others on a terminal that have lines of their own. */

import { HIDDEN, visible } from '../../printable.js';

const PLAIN = /^[\n\x20-\x7e]*$/;

/** Of a text with lines of its own: these stay. */
export function visibleLines(text: string): string {
  return PLAIN.test(text) ? text : text.split('\n').map(visible).join('\n');
}

/** As JSON that reads back as the same value. */
export function visibleJson(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, null, indent);
  // Within strings alone: outside of them JSON has lines and spaces.
  return PLAIN.test(text) ? text : text.replace(HIDDEN, (hidden) => (hidden === '\n' ? hidden : escaped(hidden)));
}

function escaped(hidden: string): string {
  return hidden
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}
