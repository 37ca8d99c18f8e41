/** Text of others in our own messages. */

/** How much of a value a message shows. */
const MOST = 100;

/** In quotes, printable ASCII and short, whatever the text holds: findings go to logs and terminals. */
export function quoted(text: string): string {
  const cut = text.length > MOST ? `${text.slice(0, MOST)}...` : text;
  const safe = cut.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
  return `"${safe}"`;
}
