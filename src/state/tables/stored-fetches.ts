import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../log/index.js';
import type { HttpAnswer } from '../fetch/index.js';
import type { Database, Run } from '../postgres/index.js';
import type { FetchedThing, SharedFetches } from '../revocation/index.js';
import { StoreError } from '../store/index.js';
import {
  claimFetch,
  FETCHED,
  type Fetched,
  keepFetched,
  MOST_OCTETS,
  readFetched,
  readNews,
  releaseFetch,
} from './fetched-table.js';

/** How often it is looked whether another node has fetched it, and for how long. */
const LOOK_MS = 250;
const PATIENCE_MS = 20_000;

/** What one node fetched for all, in the store. */
export class StoredFetches implements SharedFetches {
  readonly #database: Database;
  readonly #node: string;
  readonly #log: Pick<Logger, 'warn'>;

  constructor(database: Database, node: string, log: Pick<Logger, 'warn'>) {
    this.#database = database;
    this.#node = node;
    this.#log = log;
  }

  async read(thing: FetchedThing): Promise<HttpAnswer | undefined> {
    if (!this.#database.status.up) return undefined;
    try {
      const found = await readFetched((text, values) => this.#database.query(text, values), thing);
      return found && answerOf(found);
    } catch (error) {
      if (error instanceof StoreError) return undefined;
      throw error;
    }
  }

  follow(told: (thing: Pick<FetchedThing, 'kind' | 'source'>) => void): void {
    this.#database.listen(FETCHED, (payload) => {
      const news = payload === undefined ? undefined : readNews(payload);
      if (news !== undefined && news.node !== encodeURIComponent(this.#node)) told(news);
    });
  }

  async fetch(thing: FetchedThing, own: () => Promise<HttpAnswer>, stop: AbortSignal): Promise<HttpAnswer> {
    const found = await this.#wait(thing, stop);
    if (found === 'alone') return own();
    return found === 'claimed' ? this.#fetch(thing, own) : found;
  }

  /** `claimed`: all wait for this node; `alone`: the store is away, or those who claimed it take too long. */
  async #wait(thing: FetchedThing, stop: AbortSignal): Promise<HttpAnswer | 'claimed' | 'alone'> {
    const run: Run = (text, values) => this.#database.query(text, values);
    try {
      for (let waited = 0; waited < PATIENCE_MS && !stop.aborted; waited += LOOK_MS) {
        if (!this.#database.status.up) return 'alone';
        const found = await readFetched(run, thing);
        if (found !== undefined) return answerOf(found);
        if (await claimFetch(run, thing, this.#node)) return 'claimed';
        await sleep(LOOK_MS, undefined, { ref: false });
      }
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
    }
    return 'alone';
  }

  async #fetch(thing: FetchedThing, own: () => Promise<HttpAnswer>): Promise<HttpAnswer> {
    try {
      const answer = await own();
      const kept = answer.status === 200 && answer.body.length <= MOST_OCTETS;
      await this.#tell((run) =>
        kept ? keepFetched(run, thing, this.#node, answer) : releaseFetch(run, thing, this.#node, thing.etag),
      );
      return answer;
    } catch (error) {
      await this.#tell((run) => releaseFetch(run, thing, this.#node, undefined));
      throw error;
    }
  }

  /** Whoever waits for this node waits in vain for a while where that fails, and then fetches for itself. */
  async #tell(write: (run: Run) => Promise<void>): Promise<void> {
    try {
      await this.#database.transaction(write);
    } catch (error) {
      if (this.#database.status.up) this.#log.warn('what was fetched is not in the store', { error: String(error) });
    }
  }
}

function answerOf(found: Fetched): HttpAnswer {
  return { ...found, status: 200, contentType: '', shared: true };
}
