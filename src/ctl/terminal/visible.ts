/**
 * Text of others on a terminal: what nobody sees, or what drives the terminal, is written out. A name that reads
 * backwards (U+202E), or is two names with nothing visible between them, is no name that somebody can approve.
 */

/** Controls, formats, lone surrogates, private use, what takes no place, and every blank but the space. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?! )\p{Zs}/gu;
const PLAIN = /^[\n\x20-\x7e]*$/;

/** In one line. */
export function visible(text: string): string {
  return text.replace(HIDDEN, (hidden) => {
    const code = hidden.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

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
