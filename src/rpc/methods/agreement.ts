import { z } from 'zod';
import { shownAgreement } from '../../policy/agreement/index.js';
import { nearest } from '../../policy/reading/index.js';
import type { ReloadReport } from '../../state/policy/index.js';
import type { Of } from '../../state/trust/index.js';
import { inSlices } from '../../state/work/index.js';
import { type Agreement, type Snapshot, servedByWords } from '../../trust/agreement/index.js';
import { boundText } from '../../trust/cover/index.js';
import { askerOf, defineMethod, type Method, RpcError } from '../dispatch/index.js';
import { wholeNumber } from '../params/index.js';

/** Rows of one answer: to write more of them holds everybody up. Whoever wants the next asks for it. */
const MOST_ROWS = 1000;

/** Names among which the one that was meant is looked for: a batch of questions is one turn. */
const MOST_MEANT = 50;

/** The agreement that somebody names. @throws RpcError with the name that was probably meant */
export function agreementNamed(name: string, { byName, agreements }: Snapshot): Agreement {
  const found = byName.get(name);
  if (found !== undefined) return found;
  const meant = nearest(
    name,
    agreements.slice(0, MOST_MEANT).map((one) => one.name),
  );
  const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`;
  throw new RpcError('not-found', `no agreement is named "${name}"${hint}`);
}

/** Whether an agreement grants anything at `now`, in one word. */
export function standing(agreement: Agreement, now: number): string {
  if (!agreement.enabled) return 'disabled';
  if (now < agreement.valid.from) return 'not-yet-valid';
  if (now > agreement.valid.until) return 'expired';
  return agreement.enforcement === 'monitor' ? 'monitored' : 'in-force';
}

/** What every table of agreements begins with. */
export function headOf(agreement: Agreement, now: number) {
  const { name, domains, mechanism, directions } = agreement;
  return { name, domains, mechanism, directions, state: standing(agreement, now) };
}

function row(agreement: Agreement, now: number) {
  return { ...headOf(agreement, now), until: boundText(agreement.valid.until) };
}

function details(agreement: Agreement, now: number) {
  // What an OpenSIPS makes of it, which has words about certificates alone (docs/opensips.md).
  return { ...row(agreement, now), ...shownAgreement(agreement), by_words: servedByWords(agreement) };
}

/** Yields after each: one of them may hold thousands of names. */
function* rowsInSteps({ agreements }: Snapshot, from: number, limit: number, now: number) {
  const rows: ReturnType<typeof row>[] = [];
  for (let number = from; number < from + limit; number++) {
    const agreement = agreements.at(number);
    if (agreement === undefined) break;
    rows.push(row(agreement, now));
    yield;
  }
  return rows;
}

/** The agreements in force. */
export function agreementMethods(state: Of<'now' | 'policy'>, reload: (by: string) => Promise<ReloadReport>): Method[] {
  return [
    defineMethod({
      name: 'agreement.list',
      role: 'viewer',
      doc: 'The agreements of the policy in force, one row each: 1,000 at most, from the one with this index on',
      params: z.strictObject({ from: wholeNumber(0).optional(), limit: wholeNumber(1, MOST_ROWS).optional() }),
      handler: ({ from = 0, limit = MOST_ROWS }) =>
        inSlices(rowsInSteps(state.policy.snapshot, from, limit, state.now())),
    }),
    defineMethod({
      name: 'agreement.show',
      role: 'viewer',
      doc: 'One agreement in full, by its name',
      params: z.strictObject({ name: z.string() }),
      positional: ['name'],
      handler: ({ name }) => details(agreementNamed(name, state.policy.snapshot), state.now()),
    }),
    defineMethod({
      name: 'agreement.reload',
      role: 'operator',
      doc: 'Reads the policy file again; a bad one leaves the last good policy in force and is answered as an error',
      params: z.strictObject({}),
      handler: async (_, context) => {
        const report = await reload(askerOf(context));
        if (!report.ok) throw new RpcError('unavailable', { revision: report.revision, problems: report.problems });
        return { revision: report.revision, warnings: report.warnings };
      },
    }),
  ];
}
