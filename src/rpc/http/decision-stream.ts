/**
 * Answers as they are given, as server-sent events (HTML, "Server-sent events"): `GET /decisions`. The stream reads what
 * is kept of the latest answers a few times a second: a question costs nothing more while somebody looks on.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { Of } from '../../state/trust/index.js';
import { paramIssues } from '../dispatch/index.js';
import type { HttpRoute } from '../wire/index.js';
import { DECISION_FILTER, type DecisionFilter, type DecisionRow, decisionRow, fits } from './decision.js';

/** ms between two looks at what is new. */
const LOOK_MS = 250;
/** ms between two looks whether the credential is still taken; a comment is sent meanwhile, so that proxies keep the line. */
const BEAT_MS = 2_000;
/** Answers of before that a stream begins with. */
const MOST_BEFORE = 100;
/** Answers that are looked through at a time, the latest ones; of the others only the number is told. */
const MOST_LOOKED = 1_000;
/** Answers that one look sends to one reader: nobody reads four hundred lines a second. */
const MOST_SENT = 100;
/** Octets that wait for a slow reader; until they are gone, answers are counted and not sent. */
const MOST_WAITING = 262_144;
export const MOST_STREAMS = 16;

const query = z.strictObject(DECISION_FILTER);

interface Stream {
  readonly response: ServerResponse;
  readonly filter: DecisionFilter;
  missed: number;
}

/** The route; of more streams than MOST_STREAMS the next is told to come back. */
export function decisionRoute(state: Of<'answers' | 'policy'>): HttpRoute {
  const streams = new Streams(state);
  return {
    ...{ path: '/decisions', methods: ['GET'], role: 'viewer', endless: true },
    handle: (request, response, _, send, still) => {
      const filter = query.safeParse(asked(request), { reportInput: true });
      if (!filter.success) return send(response, 400, JSON.stringify({ error: queryFault(filter.error) }));
      if (streams.full) {
        const error = `expected at most ${MOST_STREAMS} streams, found as many`;
        return send(response, 503, JSON.stringify({ error }), { 'Retry-After': '10' });
      }
      response.writeHead(200, {
        'Content-Type': 'text/event-stream',
        'Cache-Control': 'no-store',
        'X-Content-Type-Options': 'nosniff',
      });
      endOnceNotAllowed(response, still);
      const last = request.headers['last-event-id'];
      streams.begin(response, filter.data, typeof last === 'string' ? last : undefined);
    },
  };
}

/** A token that is taken back ends what it has opened. */
function endOnceNotAllowed(response: ServerResponse, still: () => boolean | Promise<boolean>): void {
  const beat = setInterval(() => {
    response.write(':\n\n');
    void Promise.resolve()
      .then(still)
      .then(
        (may) => may || response.end(),
        // Who cannot be told may not.
        () => response.end(),
      );
  }, BEAT_MS).unref();
  response.once('close', () => clearInterval(beat));
}

/** Those who look on, and what each of them has been told. */
class Streams {
  readonly #state: Of<'answers' | 'policy'>;
  readonly #streams = new Set<Stream>();
  #seen = 0;
  #looking: NodeJS.Timeout | undefined;

  constructor(state: Of<'answers' | 'policy'>) {
    this.#state = state;
  }

  get full(): boolean {
    return this.#streams.size >= MOST_STREAMS;
  }

  /** @param last the id of the answer that the reader has seen last, if it says so */
  begin(response: ServerResponse, filter: DecisionFilter, last: string | undefined): void {
    const { recent } = this.#state.answers;
    // Those who look on already have all until now.
    if (this.#streams.size > 0) this.#look();
    else this.#seen = recent.count;
    const stream: Stream = { response, filter, missed: 0 };
    this.#streams.add(stream);
    response.once('close', () => this.#end(stream));
    this.#looking ??= setInterval(() => this.#look(), LOOK_MS).unref();
    const after = last === undefined ? undefined : recent.numberOf(last);
    response.write(`: decisions\n\n${this.#before(filter, after).map(decision).join('')}`);
  }

  #end(stream: Stream): void {
    this.#streams.delete(stream);
    if (this.#streams.size > 0) return;
    clearInterval(this.#looking);
    this.#looking = undefined;
  }

  /** Each new answer is looked at once, however many look on. */
  #look(): void {
    const { recent } = this.#state.answers;
    const left = Math.max(0, recent.count - this.#seen - MOST_LOOKED);
    const rows = [...recent.after(this.#seen + left)].map((answer) => this.#row(answer));
    this.#seen = recent.count;
    for (const stream of this.#streams) tell(stream, rows, left);
  }

  /** The latest that fit, the oldest first: all since an answer that the reader names, or a page of them. */
  #before(filter: DecisionFilter, after = 0): readonly DecisionRow[] {
    const { recent } = this.#state.answers;
    const found: DecisionRow[] = [];
    let number = recent.count;
    for (const answer of recent.newest()) {
      if (number <= after || found.length >= MOST_BEFORE) break;
      const row = this.#row(answer);
      if (fits(row, filter)) found.push(row);
      number -= 1;
    }
    return found.reverse();
  }

  #row(answer: Parameters<typeof decisionRow>[0]): DecisionRow {
    return decisionRow(answer, this.#state.policy.settings.log.mask);
  }
}

/** @param left answers that nobody looked at */
function tell(stream: Stream, rows: readonly DecisionRow[], left: number): void {
  const { response, filter } = stream;
  const wanted = rows.filter((row) => fits(row, filter));
  const sent = response.writableLength > MOST_WAITING ? [] : wanted.slice(-MOST_SENT);
  stream.missed += left + wanted.length - sent.length;
  if (sent.length === 0) return;
  const missed = stream.missed === 0 ? '' : event('missed', { count: stream.missed });
  stream.missed = 0;
  response.write(missed + sent.map(decision).join(''));
}

function queryFault({ issues }: z.ZodError): string {
  const [first] = issues.flatMap(paramIssues);
  return `${first?.path ?? 'query'}: expected ${first?.expected}, found ${first?.found}`;
}

/** The params of the query; one that stands there twice is no text, and refused. */
function asked({ url = '' }: IncomingMessage): Record<string, unknown> {
  const params = new URL(url, 'http://localhost').searchParams;
  return Object.fromEntries(
    [...new Set(params.keys())].map((name) => {
      const values = params.getAll(name);
      return [name, values.length === 1 ? values[0] : values];
    }),
  );
}

function decision(row: DecisionRow): string {
  return `id: ${row.id}\n${event('decision', row)}`;
}

/** JSON has no line ends of its own. */
function event(name: string, data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
