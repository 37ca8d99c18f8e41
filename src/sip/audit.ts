/** The header audit: what in this block might another reader see differently? */

import type { HeaderBlock, Problem } from './header-block.js';

export interface AuditContext {
  /** Without its line end; latin1. */
  readonly startLine?: string;
  readonly method?: string;
}

/** All problems of a block, those of the scanner included. */
export function auditHeaderBlock(block: HeaderBlock, _context: AuditContext = {}): readonly Problem[] {
  return block.problems;
}
