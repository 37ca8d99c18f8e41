/** Text between the double quotes of an OpenSIPS string. */
export function quote(text: string): string {
  const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\r': '\\r', '\n': '\\n', '\t': '\\t' };
  const escaped = [...text].map((char) => {
    const code = char.charCodeAt(0);
    return escapes[char] ?? (code < 0x20 || code > 0x7e ? `\\x${code.toString(16).padStart(2, '0')}` : char);
  });
  return `"${escaped.join('')}"`;
}
