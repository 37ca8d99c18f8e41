/** A stand-in for the proxy: applies a plan to a header block the way a script does, and knows what a reader may see. */

import { fieldKey } from '../../src/sip/grammar/field-names.js';
import { type HeaderBlock, scanHeaderBlock } from '../../src/sip/grammar/header-block.js';
import type { Plan } from '../../src/trust/message/plan.js';
import { toBytes } from './bytes.js';

/**
 * Every row whose name is (or is the compact form of) a name to remove goes, then the new lines are appended. The rows
 * that stay keep their line ends.
 */
export function applyPlan(block: HeaderBlock, plan: Pick<Plan, 'remove' | 'append'>): HeaderBlock {
  const gone = new Set(plan.remove.map(fieldKey));
  const kept = block.rows.filter(
    ({ field }) => field === undefined || !(field.regular && gone.has(fieldKey(field.name))),
  );
  const end = block.rows[0]?.end || '\r\n';
  const lines = [...kept.map((row) => row.raw + (row.end || end)), ...plan.append.map((line) => line + end)];
  return scanHeaderBlock(toBytes(lines.join('')));
}

/** The block as text, one row a line. */
export function text(block: HeaderBlock): string {
  return block.rows.map(({ raw }) => raw).join('\n');
}

/** Values of all rows of a field. */
export function values(block: HeaderBlock, key: string): readonly string[] {
  return block.fields.filter((field) => field.key === key).map(({ value }) => value);
}
