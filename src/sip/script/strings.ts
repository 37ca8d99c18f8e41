/** Texts as the scripts of both proxies write them. */

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\r': '\\r', '\n': '\\n', '\t': '\\t' };

/** Text between the double quotes of a Kamailio string. */
export function kamailioString(text: string): string {
  return `"${text.replace(/[\\"\r\n\t]/g, (char) => ESCAPES[char] ?? char)}"`;
}

/** Text between the double quotes of an OpenSIPS string, all but printable ASCII escaped. */
export function openSipsString(text: string): string {
  const escaped = [...text].map((char) => {
    const code = char.charCodeAt(0);
    return ESCAPES[char] ?? (code < 0x20 || code > 0x7e ? `\\x${code.toString(16).padStart(2, '0')}` : char);
  });
  return `"${escaped.join('')}"`;
}
