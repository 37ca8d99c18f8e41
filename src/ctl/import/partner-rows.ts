/** Rows of a CSV of partners: one agreement each. The columns are a table, and docs/moving-in.md lists them. */

import { isAbsolute, join, relative, resolve } from 'node:path';
import type { Table, TableRow } from '../tables/index.js';
import type { Imported } from './address-rows.js';
import { type Candidate, isMapping, Names, type PolicyValue } from './candidate.js';
import { type Finding, leftOut, shown } from './report.js';

type Kind = 'text' | 'list' | 'flag' | 'files';

interface Column {
  readonly column: string;
  /** Where the value goes: a key of the agreement, or one inside of it. */
  readonly key: readonly [string] | readonly [string, string];
  readonly kind: Kind;
}

const column = (name: string, kind: Kind, ...key: [string] | [string, string] | []): Column => ({
  column: name,
  kind,
  key: key.length === 0 ? [name] : key,
});

/** Every column but `name`; what each may hold is checked as in a policy. */
export const PARTNER_COLUMNS: readonly Column[] = [
  column('domains', 'list'),
  column('server_names', 'list'),
  column('wildcard_names', 'list'),
  column('mechanism', 'text'),
  column('anchors', 'files'),
  column('intermediates', 'files'),
  column('pins', 'list'),
  column('pin', 'text'),
  column('interconnect', 'text'),
  column('directions', 'list'),
  column('from', 'text', 'valid', 'from'),
  column('until', 'text', 'valid', 'until'),
  column('asserts_domains', 'list', 'asserts', 'domains'),
  column('asserts_numbers', 'list', 'asserts', 'numbers'),
  column('asserts_hosts', 'list', 'asserts', 'hosts'),
  column('transit', 'flag', 'asserts', 'transit'),
  column('privacy', 'text'),
  column('revocation', 'text'),
  column('crls', 'files'),
  column('eku', 'text'),
  column('stack_verification', 'text'),
  column('cn_fallback', 'flag'),
  column('require_tls', 'flag'),
  column('targets', 'list'),
  column('interface', 'text'),
  column('sources', 'list'),
];

export interface PartnerOptions {
  /** Interface of nds-ip rows that name none. */
  readonly interface?: string;
  /** Directory that paths in the CSV are relative to, and that of the policy file. */
  readonly base: string;
  readonly into: string;
}

/** One agreement for each row. */
export function partnerAgreements(table: Table, options: PartnerOptions): Imported {
  const findings: Finding[] = table.unread.map(({ place, why }) => leftOut(place, '', why));
  const known = new Set(['name', ...PARTNER_COLUMNS.map((each) => each.column)]);
  for (const name of Object.keys(table.rows[0]?.cells ?? {}).filter((each) => !known.has(each))) {
    findings.push({
      from: 'line 1',
      subject: shown(name),
      outcome: 'left out',
      text: `the column is unknown; known are ${[...known].join(', ')}`,
    });
  }
  const names = new Names();
  const candidates: Candidate[] = [];
  for (const row of table.rows) {
    const { name } = row.cells;
    const read = keysOf(row, options);
    if ('why' in read) findings.push(leftOut(row.place, shown(name), read.why));
    else
      candidates.push({
        name: names.take(name ?? firstDomain(read.keys)),
        from: [row.place],
        keys: read.keys,
      });
  }
  return { candidates, findings };
}

function firstDomain(keys: Readonly<Record<string, PolicyValue | undefined>>): string {
  return Array.isArray(keys.domains) ? String(keys.domains[0] ?? '') : '';
}

function keysOf(
  { cells }: TableRow,
  options: PartnerOptions,
): { readonly keys: Record<string, PolicyValue | undefined> } | { readonly why: string } {
  const keys: Record<string, PolicyValue | undefined> = {};
  for (const { column: name, key, kind } of PARTNER_COLUMNS) {
    const text = cells[name]?.trim();
    if (text === undefined || text === '') continue;
    const value = policyValue(text, kind, options);
    if (value === undefined) return { why: `${name}: expected true or false, found ${JSON.stringify(shown(text))}` };
    const [outer, inner] = key;
    if (inner === undefined) keys[outer] = value;
    else keys[outer] = { ...mappingOf(keys[outer]), [inner]: value };
  }
  const asserts = mappingOf(keys.asserts);
  // The policy has `any` as a word and prefixes as a list.
  if (Array.isArray(asserts.numbers) && asserts.numbers[0] === 'any') keys.asserts = { ...asserts, numbers: 'any' };
  keys.mechanism ??= keys.sources === undefined ? 'tls' : 'nds-ip';
  if (keys.mechanism === 'nds-ip') keys.interface ??= options.interface;
  if (keys.mechanism === 'nds-ip' && keys.interface === undefined) {
    return { why: 'interface: expected the name of an interface (a column, or --interface), found none' };
  }
  return { keys };
}

function mappingOf(value: PolicyValue | undefined): Readonly<Record<string, PolicyValue>> {
  return value !== undefined && isMapping(value) ? value : {};
}

function policyValue(text: string, kind: Kind, { base, into }: PartnerOptions): PolicyValue | undefined {
  if (kind === 'text') return text;
  if (kind === 'flag')
    return /^(?:true|yes|1)$/i.test(text) ? true : /^(?:false|no|0)$/i.test(text) ? false : undefined;
  const words = text.split(/[\s;]+/).filter((word) => word !== '');
  if (kind === 'list') return words;
  return words.map((path) => (isAbsolute(path) ? path : relative(resolve(into), join(resolve(base), path))));
}
