/** The audit log of a fleet: what operators changed, on whichever node. Lines are added and never changed. */

import { type AuditRecord, shortened } from '../../log/index.js';
import { type Run, text } from '../postgres/index.js';

export interface AuditLine extends AuditRecord {
  /** A UUID: a line that is sent twice is there once. */
  readonly id: string;
  readonly node: string;
}

const ADD = `
  INSERT INTO audit (id, node, at, method, params, outcome, wire, peer, credential, claimed, revision_before, revision_after)
  SELECT id, node, at, method, params, outcome, wire, peer, credential, claimed, revision_before, revision_after
  FROM jsonb_to_recordset($1::jsonb) AS given (id uuid, node text, at timestamptz, method text, params jsonb,
    outcome text, wire text, peer text, credential text, claimed text, revision_before bigint, revision_after bigint)
  ON CONFLICT (id) DO NOTHING`;

/** Adds lines of the audit log, each once whatever is sent again. */
export async function addAuditLines(run: Run, lines: readonly AuditLine[]): Promise<void> {
  await run(ADD, [JSON.stringify(lines.map(toRow))]);
}

function toRow(line: AuditLine): object {
  return {
    ...{ id: line.id, node: line.node, at: new Date(line.at).toISOString(), method: line.method },
    params: JSON.parse(JSON.stringify(shortened(line.params ?? {}), storable)),
    ...{ outcome: text(line.outcome), wire: line.wire, peer: text(line.peer) },
    ...{ credential: text(line.credential), claimed: text(line.claimed) },
    ...{ revision_before: line.revisionBefore, revision_after: line.revisionAfter },
  };
}

/** What the other side wrote holds what it likes, in names too. */
function storable(_: string, value: unknown): unknown {
  if (typeof value === 'string') return text(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [text(name), inner]));
}
