import { randomBytes } from 'node:crypto';
import type { Finding } from '../reasons.js';
import type { Plan } from '../trust/plan.js';
import type { Verdict } from '../trust/verdict.js';

/** How many answers can still be explained by their id. */
export const MAX_RECENT = 10_000;

export interface Answer {
  readonly id: string;
  readonly at: number;
  readonly verdict: Verdict;
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
  add(at: number, verdict: Verdict, plan?: Plan): Answer {
    this.#count += 1;
    const id = `${this.#run}-${this.#count.toString(36)}`;
    const kept = { id, at, verdict, findings: plan?.findings ?? [] };
    this.#answers[this.#count % MAX_RECENT] = kept;
    return kept;
  }

  find(id: string): Answer | undefined {
    const number = Number.parseInt(id.slice(this.#run.length + 1), 36);
    const kept = this.#answers[number % MAX_RECENT];
    return kept?.id === id ? kept : undefined;
  }
}
