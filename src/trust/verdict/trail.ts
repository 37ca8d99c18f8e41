import { saidOf } from '../../printable.js';
import { type Finding, type ReasonCode, reason } from '../../reasons.js';
import type { Check } from './verdict.js';

/** Longest text of a check: a certificate may name thousands of domains, and answers, logs and memory hold the text. */
const MOST_TEXT = 500;

function short(text: string): string {
  return text.length <= MOST_TEXT ? text : `${text.slice(0, MOST_TEXT)}... (${text.length} characters)`;
}

/**
 * The trail of one decision: each check in the order it was made, and what the failed ones found.
 * `explain` prints the checks, the verdict carries the findings (design rule 10).
 */
export class Trail {
  readonly checks: Check[] = [];
  /** What forbids trust. */
  readonly failures: Finding[] = [];
  /** What only explains. */
  readonly notes: Finding[] = [];

  pass(name: string, compared: string, clause: string): void {
    this.checks.push({ name, compared: short(compared), outcome: 'pass', clause });
  }

  skip(name: string, compared: string, clause: string): void {
    this.checks.push({ name, compared: short(compared), outcome: 'skip', clause });
  }

  /** A finding that explains but does not decide. */
  note(name: string, code: ReasonCode, detail: string): void {
    const finding = { code, detail: short(detail) };
    this.checks.push({ name, compared: saidOf(name, finding.detail), outcome: 'note', clause: reason(code).clause });
    this.notes.push(finding);
  }

  /** The finding that trust rests on. */
  grant(code: ReasonCode, detail: string): Finding {
    this.pass('agreement', detail, reason(code).clause);
    return { code, detail: short(detail) };
  }

  /** A finding that forbids trust. Without a name: one more reason, which a check before has told. */
  fail(name: string | undefined, code: ReasonCode, detail: string): void {
    const finding = { code, detail: short(detail) };
    if (name !== undefined) {
      this.checks.push({ name, compared: saidOf(name, finding.detail), outcome: 'fail', clause: reason(code).clause });
    }
    this.failures.push(finding);
  }
}
