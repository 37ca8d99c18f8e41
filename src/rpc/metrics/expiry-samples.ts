import { hasPassed } from '../../elapsed.js';
import { type ExpiryRow, noticeOf } from '../../state/expiry/index.js';
import type { Of } from '../../state/trust/index.js';
import { OTHER } from '../../state/verdicts/index.js';
import { MOST_SERIES, type Sample } from './sample.js';

/** Longer than any certificate lives. */
const ALL_DAYS = 99_999;
/** To look through all that ends takes a while where there are many agreements. */
const EXPIRY_MS = 60_000;

interface Ending {
  /** Of each agreement and kind what ends first. */
  readonly ends: readonly Sample[];
  /** Of each agreement and kind the last notice whose time has come. */
  readonly notices: readonly Sample[];
}

/** What ends when, as samples: looked through once for all that ask, and the rows themselves, of which there may be many, are not kept. */
export class ExpirySamples {
  readonly #state: Of<'ends' | 'now' | 'policy'>;
  #known: { readonly at: number; readonly revision: number; readonly ending: Promise<Ending> } | undefined;

  constructor(state: Of<'ends' | 'now' | 'policy'>) {
    this.#state = state;
  }

  ending(): Promise<Ending> {
    const { ends, now, policy } = this.#state;
    const [at, { revision }] = [now(), policy.snapshot];
    const known = this.#known;
    if (known !== undefined && known.revision === revision && !hasPassed(known.at, EXPIRY_MS, at)) return known.ending;
    const ending = ends.rows(ALL_DAYS).then((rows) => ({ ends: firstToEnd(rows), notices: firstNotices(rows, at) }));
    const looked = { at, revision, ending };
    this.#known = looked;
    ending.catch(() => {
      if (this.#known === looked) this.#known = undefined;
    });
    return ending;
  }
}

/** The rows come in the order in which they end. A CRL serves several agreements. */
function firstToEnd(rows: readonly ExpiryRow[]): readonly Sample[] {
  const found = new Map<string, Sample>();
  for (const { agreement, what, ends } of rows) {
    for (const name of agreement === '' ? [OTHER] : agreement.split(', ')) {
      const key = `${name} ${what}`;
      if (!found.has(key)) found.set(key, [[name, what], Math.round(ends / 1000)]);
    }
    if (found.size >= MOST_SERIES) break;
  }
  return [...found.values()];
}

/** CRLs live for days: what counts is that the next one comes. */
function firstNotices(rows: readonly ExpiryRow[], now: number): readonly Sample[] {
  const found = new Map<string, Sample>();
  for (const row of rows) {
    const notice = row.what === 'crl' ? undefined : noticeOf(row, now);
    if (notice === undefined) continue;
    const labels = [row.agreement === '' ? OTHER : row.agreement, row.what];
    const key = labels.join(' ');
    if ((found.get(key)?.[1] ?? Number.POSITIVE_INFINITY) > notice) found.set(key, [labels, notice]);
    if (found.size >= MOST_SERIES) break;
  }
  return [...found.values()];
}
