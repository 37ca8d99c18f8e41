/** What a candidate policy changes, as a table for people: of a replay, and of the running daemon. */

import type { FlatDifference } from '../../rpc/methods/index.js';
import { isList, isRecord } from '../../typed.js';
import { render } from './render.js';

/** An answer of `policy.status`; one of a daemon of another version, whose rows say something else, is shown as it is. */
export function renderCandidate(answer: unknown): string {
  if (!isRecord(answer) || !isList(answer.changes) || answer.changes.length === 0) return render(answer);
  const { changes, ...counts } = answer;
  if (!changes.every(isDifference)) return render(answer);
  return [render(counts), '', renderDifferences(changes)].join('\n');
}

/** What the table below reads. */
const NAMES = ['removed', 'kept', 'asserts_before', 'asserts_after'] as const;

function isDifference(row: unknown): row is FlatDifference {
  return isRecord(row) && NAMES.every((key) => isList(row[key]));
}

/** Differences as a table for people. */
export function renderDifferences(changes: readonly FlatDifference[]): string {
  return render(
    changes.map((row) => ({
      partner: row.partner,
      dir: row.direction,
      count: row.count,
      before: row.before,
      after: row.after,
      reason: row.reason_after,
      headers: headerWords(row),
      last: row.last_id,
    })),
  );
}

/** Names that fit a line; all of them are in the JSON. */
const MOST_NAMES = 3;

function headerWords(row: FlatDifference): string {
  const words: string[] = [];
  if (row.profile_before !== row.profile_after) words.push(`${row.profile_before} -> ${row.profile_after}`);
  const names = [...row.removed.map((name) => `-${name}`), ...row.kept.map((name) => `+${name}`)];
  words.push(...names.slice(0, MOST_NAMES));
  if (names.length > MOST_NAMES) words.push(`and ${names.length - MOST_NAMES} more`);
  const [before, after] = [row.asserts_before.join(' '), row.asserts_after.join(' ')];
  if (row.before === row.after && before !== after) words.push(`asserts ${before || '-'} -> ${after || '-'}`);
  if (row.agreement_before !== row.agreement_after) {
    words.push(`agreement ${row.agreement_before || '-'} -> ${row.agreement_after || '-'}`);
  }
  return words.join(' ');
}
