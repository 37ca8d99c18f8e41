import { randomBytes } from 'node:crypto';
import type { Evidence } from '../trust/evidence.js';
import type { Plan } from '../trust/plan.js';
import type { Verdict } from '../trust/verdict.js';

/** How many answers can still be explained by their id. */
export const MAX_RECENT = 10_000;

export interface Answer {
  readonly id: string;
  readonly at: number;
  readonly evidence: Evidence;
  readonly verdict: Verdict;
  /** Of an answer about a message. */
  readonly plan?: Plan | undefined;
}

/** The latest answers by id, so that an id out of a log can be explained. */
export class RecentAnswers {
  /** A ring: answer number n stands at n modulo MAX_RECENT, until the next one of that place comes. */
  readonly #answers: Answer[] = [];
  /** Ids of two runs of the daemon never meet in one log. */
  readonly #run = randomBytes(4).toString('hex');
  #count = 0;

  /** Gives the answer its id and keeps it. */
  add(at: number, evidence: Evidence, verdict: Verdict, plan?: Plan): Answer {
    this.#count += 1;
    const id = `${this.#run}-${this.#count.toString(36)}`;
    const kept = { id, at, evidence, verdict, plan };
    this.#answers[this.#count % MAX_RECENT] = kept;
    return kept;
  }

  find(id: string): Answer | undefined {
    const number = Number.parseInt(id.slice(this.#run.length + 1), 36);
    const kept = this.#answers[number % MAX_RECENT];
    return kept?.id === id ? kept : undefined;
  }
}
