/** What somebody may repeat in a message so that a reader goes back over what it has read. */

/** In a value. */
export const REPEATED: readonly string[] = [
  ...['?', ';', ';c', ';cp', ';cpc', ';verstat', '; ', ';%', ';%6', '%', '%63', '=', ',', ', ', '<', '>', '<>', '<?>'],
  ...[
    'sip:',
    'sip:?',
    's',
    'st',
    'tel:',
    'sips:a?',
    '"',
    '"\\',
    '\\"',
    ' ',
    '\t',
    '; \t',
    ':',
    '@',
    '<sip:a;x>',
    '?a=b&',
    '[',
    '@[',
    '@[]',
    ' (',
    ' ()',
  ],
];

/** Rows, and what looks like some. */
export const ROWS: readonly string[] = [
  ...['\r\n ', '\r\nA:', '\r\nP-A:b', '\r\nP:b', '\r\nPriority:x', '\r\nRefer-To:<sip:a?', '\r\nA', '\r\nFrom:a'],
];
