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
  const streams = new Set<Stream>();
  let seen = 0;
  let looking: NodeJS.Timeout | undefined;

  const rowOf = (answer: Parameters<typeof decisionRow>[0]): DecisionRow =>
    decisionRow(answer, state.policy.settings.log.mask);

  /** Each new answer is looked at once, however many look on. */
  function look(): void {
    const left = Math.max(0, state.answers.recent.count - seen - MOST_LOOKED);
    const rows = [...state.answers.recent.after(seen + left)].map(rowOf);
    seen = state.answers.recent.count;
    for (const stream of streams) tell(stream, rows, left);
  }

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

  function begin(stream: Stream, after: number | undefined): void {
    // Those who look on already have all until now.
    if (streams.size > 0) look();
    else seen = state.answers.recent.count;
    streams.add(stream);
    looking ??= setInterval(look, LOOK_MS).unref();
    stream.response.write(`: decisions\n\n${before(stream.filter, after).map(decision).join('')}`);
  }

  function end(stream: Stream): void {
    streams.delete(stream);
    if (streams.size > 0) return;
    clearInterval(looking);
    looking = undefined;
  }

  /** The latest that fit, the oldest first: all since an answer that the reader names, or a page of them. */
  function before(filter: DecisionFilter, after = 0): readonly DecisionRow[] {
    const found: DecisionRow[] = [];
    let number = state.answers.recent.count;
    for (const answer of state.answers.recent.newest()) {
      if (number <= after || found.length >= MOST_BEFORE) break;
      const row = rowOf(answer);
      if (fits(row, filter)) found.push(row);
      number -= 1;
    }
    return found.reverse();
  }

  return {
    ...{ path: '/decisions', methods: ['GET'], role: 'viewer', endless: true },
    handle: (request, response, _, send, still) => {
      const filter = query.safeParse(asked(request), { reportInput: true });
      if (!filter.success) return send(response, 400, JSON.stringify({ error: queryFault(filter.error) }));
      if (streams.size >= MOST_STREAMS) {
        const error = `expected at most ${MOST_STREAMS} streams, found as many`;
        return send(response, 503, JSON.stringify({ error }), { 'Retry-After': '10' });
      }
      response.writeHead(200, {
        'Content-Type': 'text/event-stream',
        'Cache-Control': 'no-store',
        'X-Content-Type-Options': 'nosniff',
      });
      const stream: Stream = { response, filter: filter.data, missed: 0 };
      const beat = setInterval(() => {
        response.write(':\n\n');
        // A token that is taken back ends what it has opened.
        void Promise.resolve()
          .then(still)
          .then(
            (may) => may || response.end(),
            // Who cannot be told may not.
            () => response.end(),
          );
      }, BEAT_MS).unref();
      response.once('close', () => {
        clearInterval(beat);
        end(stream);
      });
      const last = request.headers['last-event-id'];
      begin(stream, typeof last === 'string' ? state.answers.recent.numberOf(last) : undefined);
    },
  };
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
