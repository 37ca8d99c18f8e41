import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Evidence } from '../trust/evidence.js';
import type { Plan } from '../trust/plan.js';
import type { Verdict } from '../trust/verdict.js';

/** How many answers can still be explained by their id. */
const MAX_RECENT = 10_000;

export interface Answer {
  readonly id: string;
  readonly at: number;
  readonly evidence: Evidence;
  readonly verdict: Verdict;
  readonly plan?: Plan;
}

/** The latest answers by id, so that an id out of a log can be explained. */
export class RecentAnswers {
  readonly #answers = new LRUCache<string, Answer>({ max: MAX_RECENT });
  /** Ids of two runs of the daemon never meet in one log. */
  readonly #run = randomBytes(4).toString('hex');
  #count = 0;

  /** Gives the answer its id and keeps it. */
  add(answer: Omit<Answer, 'id'>): Answer {
    this.#count += 1;
    const kept = { ...answer, id: `${this.#run}-${this.#count.toString(36)}` };
    this.#answers.set(kept.id, kept);
    return kept;
  }

  find(id: string): Answer | undefined {
    return this.#answers.get(id);
  }
}
