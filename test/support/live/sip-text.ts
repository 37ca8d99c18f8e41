/** SIP messages as tests look at them: text with one character per byte, and nothing hidden by a parser of ours. */

export type SipText = string;

const COMPACT: Readonly<Record<string, string>> = {
  v: 'via',
  f: 'from',
  t: 'to',
  i: 'call-id',
  m: 'contact',
  l: 'content-length',
  c: 'content-type',
};

/** Everything before the empty line, without the start line. */
export function headerBlock(text: SipText): string {
  const head = text.split('\r\n\r\n')[0] ?? '';
  return head.slice(head.indexOf('\r\n') + 2);
}

export function bodyOf(text: SipText): string | undefined {
  const end = text.indexOf('\r\n\r\n');
  return end < 0 ? undefined : text.slice(end + 4);
}

export function startLine(text: SipText): string {
  return text.split('\r\n')[0] ?? '';
}

export function methodOf(text: SipText): string {
  return startLine(text).split(' ')[0] ?? '';
}

/** Status code of a response; 0 for a request. */
export function statusOf(text: SipText): number {
  return Number(/^SIP\/2\.0 (\d{3})/.exec(text)?.[1] ?? 0);
}

/** Values of all rows of a field, folds as they are; compact forms count. */
export function rowsOf(text: SipText, name: string): readonly string[] {
  const wanted = name.toLowerCase();
  const rows = headerBlock(text)
    .replace(/\r\n([ \t])/g, '\u0000$1')
    .split('\r\n');
  return rows.flatMap((row) => {
    const colon = row.indexOf(':');
    const key = row.slice(0, colon).trim().toLowerCase();
    return (COMPACT[key] ?? key) === wanted
      ? [
          row
            .slice(colon + 1)
            .replaceAll('\u0000', '\r\n')
            .trim(),
        ]
      : [];
  });
}

export function headerOf(text: SipText, name: string): string | undefined {
  return rowsOf(text, name)[0];
}

/** Lines of the header block whose names are not among those that every proxy changes. */
export function payloadRows(text: SipText): readonly string[] {
  return headerBlock(text)
    .split('\r\n')
    .filter((row) => !/^(Via|v|Record-Route|Max-Forwards|Content-Length|l)[ \t]*:/i.test(row));
}

/** The whole messages at the beginning of a stream (RFC 3261 §18.3), and what is left of it. */
export function wholeMessages(stream: string): { readonly messages: readonly SipText[]; readonly rest: string } {
  const messages: SipText[] = [];
  let rest = stream;
  for (;;) {
    const body = bodyOf(rest);
    const length = Number(headerOf(rest, 'Content-Length') ?? 0);
    if (body === undefined || body.length < length) return { messages, rest };
    const end = rest.length - body.length + length;
    messages.push(rest.slice(0, end));
    rest = rest.slice(end);
  }
}
