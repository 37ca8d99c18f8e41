/**
 * Character classes of SIP (RFC 3261 §25.1) over latin1 strings: one char per byte, nothing lost.
 *
 * JavaScript's own `trim`, `toLowerCase` and `\s` know Unicode (no-break space, U+212A, U+0130) and would make two
 * names equal that no SIP element takes for equal; nothing in src/sip uses them on foreign text.
 */

const TOKEN_MARKS = "-.!%*_+`'~";

const tokenTable: readonly boolean[] = Array.from({ length: 256 }, (_, code) => {
  const char = String.fromCharCode(code);
  return (
    (char >= '0' && char <= '9') ||
    (char >= 'A' && char <= 'Z') ||
    (char >= 'a' && char <= 'z') ||
    TOKEN_MARKS.includes(char)
  );
});

/** Is this char code a char of a token (RFC 3261 §25.1)? */
export function isTokenCode(code: number): boolean {
  return tokenTable[code] === true;
}

/** Is the whole text one token? The empty text is none. */
export function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (!isTokenCode(text.charCodeAt(i))) return false;
  return text.length > 0;
}

/** The chars of a text that a token may hold. */
export function onlyToken(name: string): string {
  let out = '';
  for (let i = 0; i < name.length; i++) if (isTokenCode(name.charCodeAt(i))) out += name.charAt(i);
  return out;
}

/** SP or HT: the only white space that SIP knows inside a line. */
export function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** Control bytes that no header value holds: all below SP but HT, and DEL. */
export function isControl(code: number): boolean {
  return (code < 0x20 && code !== 0x09) || code === 0x7f;
}

/** Lower case for A-Z alone. */
export function asciiLower(text: string): string {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0x7f) return text.replace(/[A-Z]/g, (char) => char.toLowerCase());
  }
  return text.toLowerCase();
}

/** Without SP and HT at both ends. */
export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

/** First index at or after `from` that holds neither SP nor HT. */
export function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && isBlank(text.charCodeAt(at))) at++;
  return at;
}

/** Bytes as a latin1 string. (TextDecoder's "latin1" is windows-1252, which changes 0x80-0x9F.) */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
