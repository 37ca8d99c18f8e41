/** What was answered about each partner last, and how often in the last hour: for whoever looks, in memory alone. */

import { LRUCache } from 'lru-cache';
import { maskOf } from '../../log/index.js';
import { shortened } from '../../printable.js';
import { namesWithin } from '../../trust/agreement/index.js';
import { PROXIES } from './connections.js';
import type { Answer, Question } from './recent.js';

/** Partners that are remembered, those first forgotten that were quiet longest. */
const MOST_PARTNERS = 10_000;
/** Numbers of connections that are counted. */
const MOST_CONNECTIONS = 50_000;
/** Rows of history of one partner. */
const MOST_HISTORY = 16;
/** Characters of a detail, which may quote what a peer sent. */
const MOST_DETAIL = 200;

/** An hour in slices: the oldest slice ends when a new one begins. */
const SLICES = 12;
const SLICE_MS = 300_000;

/** Answers one after the other that said the same. */
export interface Spell {
  readonly method: 'trust.peer' | 'trust.message';
  readonly direction: string;
  readonly verdict: string;
  /** What a monitored agreement would have come to; empty: it is enforced. */
  readonly would: string;
  /** The most telling one; empty: none. */
  readonly reason: string;
  /** Detail (of a long one the beginning, masked), id and time (ms) of the last of them. */
  readonly detail: string;
  readonly id: string;
  readonly last: number;
  readonly first: number;
  readonly count: number;
}

type Counted = { -readonly [Key in keyof Spell]: Spell[Key] };

export interface PartnerRecord {
  /** What the last trust.peer about it said; undefined: nobody has asked yet. */
  readonly last: Spell | undefined;
  /** The newest first. */
  readonly history: readonly Spell[];
  /** Questions in the last hour, to five minutes. */
  readonly asked: { readonly peer: number; readonly message: number };
}

class Record {
  last: Counted | undefined;
  readonly history: Counted[] = [];
  readonly #counts = { 'trust.peer': new Uint32Array(SLICES), 'trust.message': new Uint32Array(SLICES) };
  #slice = 0;

  count(method: Spell['method'], at: number): void {
    this.#turn(at);
    const counts = this.#counts[method];
    counts[this.#slice % SLICES] = (counts[this.#slice % SLICES] ?? 0) + 1;
  }

  asked(method: Spell['method'], now: number): number {
    this.#turn(now);
    return this.#counts[method].reduce((sum, count) => sum + count, 0);
  }

  #turn(at: number): void {
    const slice = Math.floor(at / SLICE_MS);
    for (let next = Math.max(this.#slice + 1, slice - SLICES + 1); next <= slice; next += 1) {
      this.#counts['trust.peer'][next % SLICES] = 0;
      this.#counts['trust.message'][next % SLICES] = 0;
    }
    // A clock that goes back counts where it was.
    this.#slice = Math.max(this.#slice, slice);
  }
}

/** A connection, of several proxies' those that have one number by their sources. */
interface Counting {
  readonly source: string;
  readonly partners: readonly string[];
  readonly at: number;
}

/** Numbers that are looked at in one step. */
const STEP_CONNECTIONS = 1000;

/** What was answered about each partner, in memory alone and bounded. */
export class Partners {
  readonly #records: LRUCache<string, Record>;
  readonly #connections = new LRUCache<string, readonly Counting[]>({ max: MOST_CONNECTIONS });

  constructor(most = MOST_PARTNERS) {
    this.#records = new LRUCache({ max: most });
  }

  /** Answers about strangers are nobody's; those about a certificate of several partners are of each. */
  observe(question: Question, answer: Answer, connectionId?: string): void {
    const { agreement } = answer.verdict;
    if (agreement === undefined) return;
    const partners = namesWithin(agreement.name);
    if (question.method === 'trust.peer' && connectionId !== undefined && connectionId.length <= MOST_DETAIL) {
      const { source } = question;
      const others = this.#connections.get(connectionId)?.filter((other) => other.source !== source) ?? [];
      this.#connections.set(connectionId, [{ source, partners, at: answer.at }, ...others.slice(0, PROXIES - 1)]);
    }
    for (const partner of partners) this.#observe(partner, question, answer);
  }

  #observe(name: string, { method, direction }: Question, { id, at, verdict: found, findings }: Answer): void {
    const record = this.#records.get(name) ?? new Record();
    this.#records.set(name, record);
    record.count(method, at);
    const first = findings[0] ?? found.findings[0];
    const told = {
      ...{ method, direction, verdict: found.verdict, would: found.would?.verdict ?? '', reason: first?.code ?? '' },
      ...{ detail: toldOf(method, first?.detail ?? ''), id, last: at },
    };
    const [newest] = record.history;
    if (newest !== undefined && same(newest, told)) {
      Object.assign(newest, told, { count: newest.count + 1 });
    } else {
      record.history.unshift({ ...told, first: at, count: 1 });
      if (record.history.length > MOST_HISTORY) record.history.pop();
    }
    // A plan says how a message was, not who the partner is.
    if (method === 'trust.peer') record.last = record.history[0];
  }

  closed(connectionId: string): void {
    this.#connections.delete(connectionId);
  }

  /**
   * How many connections of each partner were asked about since then (ms), without those that were told to be closed. There
   * may be a million: yields now and then.
   */
  *connectionsInSteps(since: number): Generator<undefined, ReadonlyMap<string, number>> {
    const found = new Map<string, number>();
    let looked = 0;
    for (const counting of this.#connections.values()) {
      const lately = counting.filter(({ at }) => at >= since).flatMap(({ partners }) => partners);
      for (const partner of lately) found.set(partner, (found.get(partner) ?? 0) + 1);
      looked += 1;
      if (looked % STEP_CONNECTIONS === 0) yield;
    }
    return found;
  }

  /** @param now ms */
  of(name: string, now: number): PartnerRecord {
    const record = this.#records.peek(name);
    if (record === undefined) return { last: undefined, history: [], asked: { peer: 0, message: 0 } };
    const asked = { peer: record.asked('trust.peer', now), message: record.asked('trust.message', now) };
    return { last: record.last, history: record.history, asked };
  }
}

/** Masked before it is cut, if anybody else masks or not: half of a quotation does not look like one. */
function toldOf(method: Spell['method'], detail: string): string {
  return detail.length > MOST_DETAIL ? shortened(maskOf(method)(detail), MOST_DETAIL) : detail;
}

function same(one: Spell, other: Omit<Spell, 'first' | 'count'>): boolean {
  return (
    one.method === other.method &&
    one.direction === other.direction &&
    one.verdict === other.verdict &&
    one.would === other.would &&
    one.reason === other.reason
  );
}
