/** Helpers of the SIP unit tests: bytes from latin1 text, blocks from lines. */

import { type AuditContext, auditHeaderBlock } from '../../../src/sip/audit/audit.js';
import { type HeaderBlock, type HeaderField, scanHeaderBlock } from '../../../src/sip/grammar/header-block.js';
import { toBytes } from '../../support/bytes.js';

/** A header block of these rows, each ended by CRLF, closed by the empty line. */
export function block(...rows: readonly string[]): HeaderBlock {
  return scanHeaderBlock(toBytes(`${rows.join('\r\n')}\r\n\r\n`));
}

/** A block from text as it is. */
export function scanText(text: string): HeaderBlock {
  return scanHeaderBlock(toBytes(text));
}

/** The only field of a block of one row. */
export function only(row: string): HeaderField {
  return block(row).fields[0]!;
}

/** Kinds of the problems of one severity that the audit of a block finds, each once, sorted. */
export function kinds(of: HeaderBlock, severity: 'reject' | 'note', context: AuditContext = {}): readonly string[] {
  const found = auditHeaderBlock(of, context).filter((problem) => problem.severity === severity);
  return [...new Set(found.map((problem) => problem.kind))].sort();
}
