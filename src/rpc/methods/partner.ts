import { z } from 'zod';
import { maskOf } from '../../log/index.js';
import { type ExpiryRow, NOTICE_DAYS } from '../../state/expiry/index.js';
import type { Of } from '../../state/trust/index.js';
import type { Spell } from '../../state/verdicts/index.js';
import { inSlices, sortedInSteps } from '../../state/work/index.js';
import type { Agreement } from '../../trust/agreement/index.js';
import { instant } from '../../x509/der/index.js';
import { defineMethod, type Method } from '../dispatch/index.js';
import { DECISION_FILTER, type DecisionRow, decisionRow, fits } from '../http/index.js';
import { wholeNumber } from '../params/index.js';
import { agreementNamed, headOf } from './agreement.js';

/** Rows of one answer: a page of a table. */
const MOST_ROWS = 200;
const HOUR_MS = 3_600_000;
/** What takes a walk over everything is looked at this often, however many look. */
const LOOK_MS = 10_000;

const ORDERS = ['name', 'trouble', 'asked', 'ends'] as const;
const TRUST = ['trusted', 'untrusted', 'unasked'] as const;

type Trust = (typeof TRUST)[number];

const rows = wholeNumber(1, MOST_ROWS);
const listParams = z.strictObject({
  match: z.string().max(200).optional(),
  trust: z.literal(TRUST).optional(),
  order: z.literal(ORDERS).optional(),
  from: wholeNumber(0).optional(),
  limit: rows.optional(),
});
const decisionParams = z.strictObject({ ...DECISION_FILTER, limit: rows.optional() });

/** What is known of all partners at one time, besides their records. */
interface Overview {
  readonly at: number;
  readonly revision: number;
  readonly connections: ReadonlyMap<string, number>;
  /** By agreement, what ends first. */
  readonly ends: ReadonlyMap<string, ExpiryRow>;
}

/** Partners as an operator sees them: trusted now or not, why, how busy, what ends; and the answers as they are given. */
export function partnerMethods(state: Of<'answers' | 'ends' | 'now' | 'policy'>): Method[] {
  let known: Overview | undefined;
  let looking: Promise<Overview> | undefined;

  async function overview(): Promise<Overview> {
    const [at, { revision }] = [state.now(), state.policy.snapshot];
    if (known !== undefined && known.revision === revision && Math.abs(at - known.at) < LOOK_MS) return known;
    looking ??= look(at, revision).finally(() => {
      looking = undefined;
    });
    known = await looking;
    return known;
  }

  async function look(at: number, revision: number): Promise<Overview> {
    const ends = await inSlices(firstEnds(await state.ends.rows(NOTICE_DAYS)));
    return { at, revision, connections: await connections(at), ends };
  }

  /** Of one partner as much as of all, with nobody else looked at. */
  async function lookAt(agreement: Agreement): Promise<Overview> {
    const [at, { revision }] = [state.now(), state.policy.snapshot];
    const ends = await inSlices(firstEnds(await state.ends.rowsOf(agreement, NOTICE_DAYS)));
    return { at, revision, connections: await connections(at), ends };
  }

  function connections(at: number): Promise<ReadonlyMap<string, number>> {
    return inSlices(state.answers.partners.connectionsInSteps(at - HOUR_MS));
  }

  function row(agreement: Agreement, { connections, ends }: Overview) {
    const now = state.now();
    const { last, asked } = state.answers.partners.of(agreement.name, now);
    const first = ends.get(agreement.name);
    return {
      ...headOf(agreement, now),
      trust: trustOf(last),
      verdict: last?.verdict ?? '',
      would: last?.would ?? '',
      reason: last?.reason ?? '',
      detail: last === undefined ? '' : shown(last),
      id: last?.id ?? '',
      at: instant(last?.last),
      connections: connections.get(agreement.name) ?? 0,
      peers: asked.peer,
      messages: asked.message,
      ends: first === undefined ? '' : first.what,
      ends_at: instant(first?.ends),
      days: first?.days ?? ('' as const),
    };
  }
  type Row = ReturnType<typeof row>;

  /** Yields now and then. */
  function* select(agreements: Iterable<Agreement>, now: Overview, trust: Trust | undefined, wanted: string) {
    const counts = { trusted: 0, untrusted: 0, unasked: 0 };
    const found: Row[] = [];
    for (const agreement of agreements) {
      const each = row(agreement, now);
      counts[each.trust] += 1;
      if ((trust === undefined || each.trust === trust) && matches(each, wanted)) found.push(each);
      yield;
    }
    return { counts, found };
  }

  /** User parts of identities are as little seen here as in logs. */
  function shown({ method, detail }: Spell): string {
    return state.policy.settings.log.mask ? maskOf(method)(detail) : detail;
  }

  function spell(one: Spell) {
    return { ...one, detail: shown(one), first: instant(one.first), last: instant(one.last) };
  }

  return [
    defineMethod({
      name: 'partner.list',
      role: 'viewer',
      doc: 'A row per agreement: last verdict and reason, connections and questions of the last hour, what ends first',
      params: listParams,
      handler: async ({ match = '', trust, order = 'trouble', from = 0, limit = 100 }) => {
        const wanted = match.toLowerCase();
        const now = await overview();
        const { revision, agreements } = state.policy.snapshot;
        const { counts, found } = await inSlices(select(agreements, now, trust, wanted));
        const sorted = await inSlices(sortedInSteps(found, BY[order]));
        const rows = sorted.slice(from, from + limit);
        return { revision, total: agreements.length, ...counts, matched: found.length, rows };
      },
    }),
    defineMethod({
      name: 'partner.show',
      role: 'viewer',
      doc: 'One partner: its row of partner.list, the verdicts of late, the certificates it showed, what ends',
      params: z.strictObject({ name: z.string() }),
      positional: ['name'],
      handler: async ({ name }) => {
        const agreement = agreementNamed(name, state.policy.snapshot);
        return {
          ...row(agreement, await lookAt(agreement)),
          history: state.answers.partners.of(name, state.now()).history.map(spell),
          certificates: state.answers.peers
            .list()
            .filter((seen) => seen.agreement === name)
            .map(({ subject, notAfter }) => ({ subject, not_after: instant(notAfter) })),
        };
      },
    }),
    defineMethod({
      name: 'decision.list',
      role: 'viewer',
      doc: 'The latest answers, the newest first: all, or those of one agreement, verdict or method, or with some text',
      params: decisionParams,
      handler: ({ limit = 100, ...filter }) => {
        const { mask } = state.policy.settings.log;
        const found: DecisionRow[] = [];
        for (const answer of state.answers.recent.newest()) {
          if (found.length >= limit) break;
          const row = decisionRow(answer, mask);
          if (fits(row, filter)) found.push(row);
        }
        return { revision: state.policy.snapshot.revision, rows: found };
      },
    }),
  ];

  function matches({ name, domains, reason, state: stands }: Row, wanted: string): boolean {
    return wanted === '' || [name, reason, stands, ...domains].some((text) => text.toLowerCase().includes(wanted));
  }
}

const STEP_ROWS = 200;

/** By agreement what ends first. Yields now and then. */
function* firstEnds(rows: readonly ExpiryRow[]): Generator<undefined, ReadonlyMap<string, ExpiryRow>> {
  const ends = new Map<string, ExpiryRow>();
  for (const [at, row] of rows.entries()) {
    if (at % STEP_ROWS === 0) yield;
    // A CRL that is renewed in time ends every few days; a key that was only seen harms nobody by ending.
    if (row.state === 'current' || row.what === 'pin-observed') continue;
    // A CRL serves several.
    for (const name of row.agreement.split(', ')) if (!ends.has(name)) ends.set(name, row);
  }
  return ends;
}

function trustOf(last: Spell | undefined): Trust {
  if (last === undefined) return 'unasked';
  return last.verdict === 'trusted' ? 'trusted' : 'untrusted';
}

interface Sortable {
  readonly name: string;
  readonly trust: Trust;
  readonly peers: number;
  readonly messages: number;
  readonly days: number | '';
}

const byName = (a: Sortable, b: Sortable): number => (a.name < b.name ? -1 : 1);
const TROUBLE = { untrusted: 0, trusted: 1, unasked: 2 } as const;

const BY: Readonly<Record<(typeof ORDERS)[number], (a: Sortable, b: Sortable) => number>> = {
  name: byName,
  trouble: (a, b) => TROUBLE[a.trust] - TROUBLE[b.trust] || byName(a, b),
  asked: (a, b) => b.peers + b.messages - a.peers - a.messages || byName(a, b),
  ends: (a, b) => daysOf(a) - daysOf(b) || byName(a, b),
};

function daysOf({ days }: Sortable): number {
  return days === '' ? Number.MAX_SAFE_INTEGER : days;
}
