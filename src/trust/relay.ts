/**
 * One plan for a message that came in over one hop and leaves over another. Pure.
 *
 * A proxy applies a plan to the message as it was received, and what it appended on the way in, it cannot take out
 * again on the way out. So both boundaries are planned against the message as received: first what the hop that it
 * came in over asks for, then, on the outcome of that, what the hop that it leaves over asks for.
 */

import { toBytes } from '../sip/ascii.js';
import { fieldKey } from '../sip/field-names.js';
import { type HeaderBlock, scanHeaderBlock } from '../sip/header-block.js';
import { type MessageInput, planMessage } from './message.js';
import type { Plan } from './plan.js';
import type { Verdict } from './verdict.js';

/** A message on its way out; `inbound` is the verdict on the hop that it came in over. */
export interface RelayInput extends Omit<MessageInput, 'direction'> {
  readonly inbound: Pick<Verdict, 'verdict' | 'agreement' | 'action' | 'code' | 'phrase' | 'findings'>;
}

/** The plan of both boundaries, relative to the message as received. What refuses it on the way in refuses it. */
export function planRelay({ inbound, ...message }: RelayInput): Plan {
  const first = planMessage({ ...message, direction: 'in', verdict: inbound });
  if (first.action === 'reject') {
    return first.findings.length > 0 ? first : { ...first, findings: inbound.findings };
  }
  const second = planMessage({
    ...message,
    direction: 'out',
    block: applied(message.block, first),
    ...(first.ruri === '' ? {} : { ruri: first.ruri }),
  });
  return inOrder(first, second);
}

/** The header block that a proxy makes of this one by the plan. */
export function applied(block: HeaderBlock, { remove, append }: Pick<Plan, 'remove' | 'append'>): HeaderBlock {
  if (remove.length === 0 && append.length === 0) return block;
  const gone = new Set(remove.map(fieldKey));
  const end = block.rows[0]?.end || '\r\n';
  const kept = block.rows.filter(({ field }) => field === undefined || !field.regular || !gone.has(field.key));
  const rows = kept.map((row) => row.raw + (row.end || end));
  const added = append.map((line) => line + end);
  return scanHeaderBlock(toBytes([...rows, ...added, block.blank, block.rest].join('')));
}

/**
 * Two plans as one. A plan that touches a field removes every row of it and appends those that stay, so of the lines
 * of the first those count that the second does not touch.
 */
function inOrder(first: Plan, second: Plan): Plan {
  const findings = [...first.findings, ...second.findings];
  const flags = [...new Set([...first.flags, ...second.flags])];
  if (second.action === 'reject') return { ...second, findings, flags };
  const replaced = new Set(second.remove.map(fieldKey));
  const stays = (line: string): boolean => !replaced.has(fieldKey(line.slice(0, line.indexOf(':'))));
  return {
    ...second,
    remove: [...first.remove.filter((name) => !replaced.has(fieldKey(name))), ...second.remove],
    append: [...first.append.filter(stays), ...second.append],
    ruri: second.ruri === '' ? first.ruri : second.ruri,
    findings,
    flags,
  };
}
