/** One agreement of the policy file, read key by key and checked by itself. What it shares with others is for the claims. */

import type { Agreement } from '../../trust/agreement/index.js';
import { freezeShallow, type Site } from '../reading/index.js';
import { domainNames } from '../values/index.js';
import { checkMechanism, checkNextHop, checkTrustBasis } from './checks.js';
import type { AgreementContext, Around } from './key.js';
import { type AgreementInput, KEY_ROWS } from './keys.js';

/** Compiles an agreement. Where something is wrong it is reported, and the rest is checked all the same. */
export function compileAgreement(input: AgreementInput, site: Site, context: AgreementContext): Agreement {
  checkMechanism(input, site);
  const around: Around = {
    ...context,
    site,
    name: input.name,
    enabled: input.enabled ?? true,
    interconnect: input.interconnect ?? 'non-roaming',
    domains: domainNames(input.domains, site.at('domains')),
    migration: input.mechanism === 'tls' ? input.migration : undefined,
  };
  const agreement = readKeys(input, site, around);
  checkTrustBasis(agreement, input, site);
  checkNextHop(agreement, input, site);
  return agreement;
}

/**
 * An agreement with nothing in it. One that gets its keys one by one, by names that are not written down, becomes a table of
 * hashes in V8: four times the memory, and slower to read in each verdict. A copy of this one is an object like any other.
 */
const BLANK: Readonly<Record<string, null>> = JSON.parse(
  JSON.stringify(Object.fromEntries(KEY_ROWS.map(([field]) => [field, null]))),
);

function readKeys(input: AgreementInput, site: Site, around: Around): Agreement {
  const read: Partial<Record<keyof Agreement, unknown>> = { ...BLANK };
  for (const [field, row] of KEY_ROWS) {
    // A key of the other mechanism is an error already, and says nothing.
    const misplaced = row.mechanism !== undefined && row.mechanism !== input.mechanism;
    read[field] = one(row.read(misplaced ? undefined : Reflect.get(input, row.key), site.at(row.key), around));
  }
  // Each row reads the field that it stands under: the table is typed so.
  return read as Agreement;
}

const NO_ENTRIES: readonly never[] = Object.freeze([]);
const NO_PAIRS: ReadonlyMap<unknown, unknown> = freezeShallow(new Map());

/** Of what is empty one for all agreements: a fifth of what each takes while a policy is read would be lists of nothing. */
function one(value: unknown): unknown {
  if (Array.isArray(value) && value.length === 0) return NO_ENTRIES;
  return value instanceof Map && value.size === 0 ? NO_PAIRS : value;
}

/** Where an agreement says which path stands for the network: `interface` and `sources`. */
export function pathSite({ mechanism }: Pick<Agreement, 'mechanism'>, site: Site): Site {
  return mechanism === 'tls' ? site.at('migration') : site;
}

/** How what ends stands at `now`: two times at which this is the same are alike to the checks of an agreement. */
export function endsAt(agreement: Agreement, now: number): string {
  let ends = '';
  for (const [field, row] of ENDING_ROWS) ends += `${row.ends?.(agreement[field], now) ?? ''} `;
  return ends;
}

const ENDING_ROWS = KEY_ROWS.filter(([, row]) => row.ends !== undefined);

/** An agreement in full, as agreement.show answers it. */
export function shownAgreement(agreement: Agreement): Readonly<Record<string, unknown>> {
  const shown = KEY_ROWS.map(([field, { key, show }]) => show?.(agreement[field]) ?? { [key]: agreement[field] });
  return Object.assign({}, ...shown);
}

/** What an agreement says, by the keys of the file. */
export function saidAgreement(agreement: Agreement): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    KEY_ROWS.map(([field, { key, said }]) => [key, said === undefined ? agreement[field] : said(agreement[field])]),
  );
}
