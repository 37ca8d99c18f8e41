/** What a plain word of YAML means. */

const WORD_VALUES: ReadonlyMap<string, boolean | null> = new Map([
  ...(['null', 'Null', 'NULL', '~'] as const).map((text) => [text, null] as const),
  ...(['true', 'True', 'TRUE'] as const).map((text) => [text, true] as const),
  ...(['false', 'False', 'FALSE'] as const).map((text) => [text, false] as const),
]);

const NUMBER = /^[-+]?(?:[0-9]+|\.[0-9]+|[0-9]+\.[0-9]*|(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)[eE][-+]?[0-9]+)$/;

/** The core schema of YAML 1.2, with numbers that are not written plainly left as text (document.ts). */
export function plainScalar(text: string): unknown {
  const first = text.charCodeAt(0);
  // Numbers begin with a digit, a sign or a dot.
  if (first < 58 && NUMBER.test(text)) return String(Number(text)) === text ? Number(text) : text;
  const word = text.length > 5 ? undefined : WORD_VALUES.get(text);
  return word === undefined ? text : word;
}
