/** What must have arrived, byte by byte. */

import { expect } from 'vitest';
import { bodyOf, headerBlock, payloadRows, rowsOf, type SipText, startLine } from './sip-text.js';

/**
 * Holds a request at the called party against the one that was sent: the same start line, the same rows in the same
 * order with the same bytes, less those that `gone` names by their beginning; the same body; and nothing else new but
 * what a proxy adds (Via, Record-Route, Max-Forwards, received and rport).
 */
export function expectRelayed(got: SipText, sent: SipText, gone: readonly string[] = []): void {
  const start = startLine(got);
  expect(start).toBe(startLine(sent));
  const expected = payloadRows(sent).filter((row) => !gone.some((beginning) => row.startsWith(beginning)));
  expect(payloadRows(got)).toEqual(expected);
  expect(bodyOf(got)).toBe(bodyOf(sent));
  const added = headerBlock(got)
    .split('\r\n')
    .filter((row) => !payloadRows(got).includes(row));
  for (const row of added) expect(row).toMatch(/^(Via|v|Record-Route|Max-Forwards|Content-Length|l)[ \t]*:/i);
  expect(rowsOf(got, 'Via').length).toBe(rowsOf(sent, 'Via').length + 1);
}

/** Names of private fields as any reader could spell them, anywhere in the message. */
const PRIVATE = /p-asserted-identity|p-preferred-identity|remote-party-id|p-charging-vector/i;

export function expectNothingPrivate(got: SipText): void {
  expect(got).not.toMatch(PRIVATE);
}
