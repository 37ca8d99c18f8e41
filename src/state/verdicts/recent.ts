import { randomBytes } from 'node:crypto';
import { shortened } from '../../printable.js';
import type { Finding } from '../../reasons.js';
import type { Evidence } from '../../trust/evidence/index.js';
import type { Plan } from '../../trust/message/index.js';
import type { Verdict } from '../../trust/verdict/index.js';

/** How many answers can still be explained by their id. */
export const MAX_RECENT = 10_000;

/** What was asked, in a few words that take a bounded room. */
export interface Question {
  readonly method: 'trust.peer' | 'trust.message';
  readonly direction: string;
  /** Empty: not told. */
  readonly source: string;
  readonly nextHop: string;
  /** What was answered to do. */
  readonly action: string;
}

const MOST_NAME = 255;

/** What a decision says of its question, for lists and filters. */
export function questionOf(
  method: Question['method'],
  { direction, sourceAddress = '', nextHop = '' }: Evidence,
  { action }: Pick<Verdict | Plan, 'action'>,
): Question {
  // The dots tell whoever masks it that a user may end here.
  return { method, direction, source: sourceAddress, nextHop: shortened(nextHop, MOST_NAME), action };
}

export interface Answer {
  readonly id: string;
  readonly at: number;
  readonly verdict: Verdict;
  readonly question?: Question | undefined;
  /** Those of the plan, of an answer about a message. */
  readonly findings: readonly Finding[];
}

/**
 * The latest answers by id, so that an id out of a log can be explained: the verdict and why, no evidence. Certificates
 * of strangers would fill the memory.
 */
export class RecentAnswers {
  /** A ring: answer number n stands at n modulo MAX_RECENT, until the next one of that place comes. */
  readonly #answers: Answer[] = [];
  /** Ids of two runs of the daemon never meet in one log. */
  readonly #run = randomBytes(4).toString('hex');
  #count = 0;

  /** Gives the answer its id and keeps it. */
  add(at: number, verdict: Verdict, plan?: Plan, question?: Question): Answer {
    this.#count += 1;
    const id = `${this.#run}-${this.#count.toString(36)}`;
    const kept = { id, at, verdict, question, findings: plan?.findings ?? [] };
    this.#answers[this.#count % MAX_RECENT] = kept;
    return kept;
  }

  /** The newest first, at most so many back as are kept. */
  *newest(): Generator<Answer> {
    for (let number = this.#count; number > 0 && number > this.#count - MAX_RECENT; number -= 1) {
      const kept = this.#answers[number % MAX_RECENT];
      if (kept !== undefined) yield kept;
    }
  }

  find(id: string): Answer | undefined {
    const number = this.numberOf(id);
    return number === undefined ? undefined : this.#answers[number % MAX_RECENT];
  }

  /** How many answers were given. */
  get count(): number {
    return this.#count;
  }

  /** The number of an answer that is still kept: the first one is 1. */
  numberOf(id: string): number | undefined {
    const number = Number.parseInt(id.slice(this.#run.length + 1), 36);
    return this.#answers[number % MAX_RECENT]?.id === id ? number : undefined;
  }

  /** Answers after this number, the oldest first, as far back as they are kept. */
  *after(number: number): Generator<Answer> {
    for (let at = Math.max(number, this.#count - MAX_RECENT) + 1; at <= this.#count; at += 1) {
      const kept = this.#answers[at % MAX_RECENT];
      if (kept !== undefined) yield kept;
    }
  }
}
