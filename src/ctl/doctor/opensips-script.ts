/** The routes of an OpenSIPS script, as far as doctor looks: no more of the language than comments, strings and braces. */

export interface OpensipsRoute {
  /** `route`, `branch_route`, ... */
  readonly kind: string;
  /** `""` for the one without a name. */
  readonly name: string;
  /** What stands between its braces, without blanks. */
  readonly body: string;
  /** Of its first line. */
  readonly line: number;
}

const TOKEN = /#[^\n]*|\/\*.*?\*\/|"(?:[^"\\]|\\.)*"|'[^'\n]*'|[^#/"']+|./gs;
const HEAD = /(?:^|\n)[ \t]*([a-z_]*route)[ \t]*(?:\[([^\]]*)\])?\s*\{/g;

/** Comments become blanks, so that lines keep their numbers; a string stays, without braces. */
function plain(text: string): string {
  const blank = (piece: string) => piece.replace(/[^\n]/g, ' ');
  return text.replace(TOKEN, (piece) => {
    if (piece.startsWith('#') || piece.startsWith('/*')) return blank(piece);
    return /^["']/.test(piece) ? piece.replace(/[{}]/g, ' ') : piece;
  });
}

/** Each route of the text, in its order. One whose braces do not match ends with the text. */
export function opensipsRoutes(script: string): readonly OpensipsRoute[] {
  const text = plain(script);
  return Array.from(text.matchAll(HEAD), (head) => {
    const start = head.index + head[0].length;
    let depth = 1;
    let end = start;
    for (; end < text.length && depth > 0; end++) depth += text[end] === '{' ? 1 : text[end] === '}' ? -1 : 0;
    const line = text.slice(0, start).split('\n').length;
    const [name = ''] = (head[2] ?? '').split(',');
    return { kind: head[1] ?? '', name: name.trim(), body: text.slice(start, end - 1).replace(/\s/g, ''), line };
  });
}
